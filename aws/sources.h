/* Places outside of the profiles' own keys that give credentials; chain.c says in which order they
 * are asked. Nothing else includes it. */
#ifndef AWS_SOURCES_H
#define AWS_SOURCES_H

#include "credentials.h"
#include "settings.h"

/* --- credentials_process.c: another program --- */

/* source: what messages call it. Splits the command into words as the CLI does, and runs it without
 * a shell. */
enum status credentials_of_process(const char *command, const char *source,
                                   struct aws_credentials *found, struct error *error);

/* Those that `aws configure export-credentials` gives: of a person who signed in by a browser. */
enum status credentials_of_cli(const char *profile, const char *source,
                               struct aws_credentials *found, struct error *error);

/* --- credentials_cache.c: the sessions of roles that the AWS CLI keeps in ~/.aws/cli/cache --- */

/* A role as a profile has it; all but arn may be NULL. */
struct cached_role {
    const char *arn, *external_id;
    const char *seconds;    /* how long a session lasts, as text */
    const char *mfa_serial; /* of the device whose code it takes */
    const char *session;    /* its name, where the profile has one */
};

/* False where no session is kept that is good for another FRESH_SECONDS from now on. */
bool credentials_of_cache(const struct cached_role *role, time_t now, const char *source,
                          struct aws_credentials *found);

/* Keeps AssumeRole's result there. */
enum status credentials_to_cache(const struct cached_role *role, const cJSON *result,
                                 struct error *error);

/* --- credentials_metadata.c: the machine that this runs on --- */

/* found->key_id stays NULL where there is no such place. */
enum status credentials_of_container(const struct aws_settings *settings,
                                     struct aws_credentials *found, struct error *error);
enum status credentials_of_instance(const struct aws_settings *settings,
                                    struct aws_credentials *found, struct error *error);

#endif
