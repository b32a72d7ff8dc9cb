/* AWS STS, one function for each API operation that is needed. Answers are XML as JSON (xml.h). */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws.h"

/* GetCallerIdentityResult: Account, Arn, UserId. Everyone with valid credentials may call it. */
void sts_get_caller_identity(struct aws *aws, struct aws_call *call);

struct sts_role {
    const char *arn, *session; /* session: [\w+=,.@-]{2,64} */
    const char *external_id;   /* NULL: none */
    const char *seconds;       /* how long, a whole number as text; NULL: an hour */
    const char *mfa_serial;    /* NULL: none; else with the code that the device shows */
    const char *mfa_code;
    const char *web_identity; /* the token, for the call below */
};

/* AssumeRoleResult.Credentials: AccessKeyId, SecretAccessKey, SessionToken, Expiration. */
void sts_assume_role(struct aws *aws, struct aws_call *call, const struct sts_role *role);

/* AssumeRoleWithWebIdentityResult.Credentials, likewise; not signed. */
void sts_assume_role_with_web_identity(struct aws *aws, struct aws_call *call,
                                       const struct sts_role *role);

#endif
