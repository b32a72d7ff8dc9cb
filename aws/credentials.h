/* Who calls: the AWS CLI's chain of places where credentials are found, in its order and files.
 *
 * An explicit --profile comes before the environment, which comes before AWS_PROFILE's. Of a
 * profile:
 *
 *   1. role_arn with source_profile or credential_source: STS AssumeRole, with mfa_serial a code is
 *      asked for; source profiles may be roles again;
 *   2. a web identity (web_identity_token_file, or AWS_WEB_IDENTITY_TOKEN_FILE): STS
 *      AssumeRoleWithWebIdentity;
 *   3. SSO (sso_*), through `aws configure export-credentials`;
 *   4. keys in ~/.aws/credentials;
 *   5. `aws login` (login_session), through the CLI likewise;
 *   6. credential_process, whose words are split but not given to a shell, as the CLI does;
 *   7. keys in ~/.aws/config.
 *
 * Then the container's endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI / _FULL_URI) and the
 * instance's (IMDSv2 only). Source: botocore/credentials.py (create_credential_resolver),
 * "Configuration and credential file settings" of the AWS CLI user guide. Not taken over: boto's
 * and EC2's own files of before 2013. Of the CLI's cache of assumed roles only those that need a
 * code are used, and kept (credentials_cache.c). */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include "aws.h"
#include "profile.h"

struct aws_credentials {
    char *key_id;
    struct secret secret_key;
    struct secret token; /* {0} when there is none */
    time_t expires;      /* 0: never */
    char *source;        /* for messages: "profile home" */
};

/* Finds credentials anew. WRONG_INPUT when nothing is configured or it is wrong; REFUSED when a
 * place that is configured does not give any. */
enum status credentials_find(struct aws *aws, const struct aws_options *options,
                             const struct aws_profiles *profiles, struct aws_credentials *found,
                             struct error *error);
void credentials_free(struct aws_credentials *credentials);

#endif
