/* The provider of an account's credentials: the AWS CLI's places, in its order and with its files.
 *
 * A profile that is named by --profile comes before the environment's keys, and these before the
 * profile of AWS_PROFILE. Of a profile, the first of these that it has:
 *
 *   1. role_arn with source_profile or credential_source: STS AssumeRole. With mfa_serial a code is
 *      asked for. Source profiles may be roles again.
 *   2. a web identity (web_identity_token_file, or AWS_WEB_IDENTITY_TOKEN_FILE): STS
 *      AssumeRoleWithWebIdentity.
 *   3. SSO (sso_*), through `aws configure export-credentials`.
 *   4. keys in ~/.aws/credentials.
 *   5. `aws login` (login_session), through the CLI likewise.
 *   6. credential_process, whose words are split but not given to a shell, as the CLI does it.
 *   7. keys in ~/.aws/config.
 *
 * After the profile come the container's endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
 * _FULL_URI) and the instance's (IMDSv2 only).
 *
 * Source: botocore/credentials.py (create_credential_resolver), "Configuration and credential file
 * settings" of the AWS CLI user guide. Not taken over: boto's and EC2's own files of before 2013. Of
 * the CLI's cache of assumed roles only those that need a code are used and kept
 * (credentials_cache.c). */
#ifndef AWS_CHAIN_H
#define AWS_CHAIN_H

#include "credentials.h"
#include "limit.h"
#include "settings.h"

/* settings and limits are the caller's, and outlive the provider. Never NULL. */
struct credentials_provider *chain_open(const struct aws_settings *settings, struct limits *limits);

#endif
