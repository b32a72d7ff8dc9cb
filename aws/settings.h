/* How an account is reached, as the options, the environment and the AWS CLI's files say. Read once,
 * when the account is opened, and never changed. */
#ifndef AWS_SETTINGS_H
#define AWS_SETTINGS_H

#include "aws.h"
#include "profile.h"
#include "region.h"

struct aws_settings {
    char *profile;    /* its name; a profile that does not exist has no settings */
    bool is_explicit; /* the profile was named by an option: it comes before the environment */
    struct aws_profiles *profiles;
    char *region;
    const struct partition *partition; /* of the region */
    char *certificates; /* a file of certificate authorities to trust; NULL: the system's */
    bool fips;          /* endpoints that are validated by FIPS 140 */

    double rate;      /* calls a second of one operation */
    size_t in_flight; /* calls on the wire at the same time */
    double backoff;   /* seconds: the base of the back-off */
    long timeout_ms;  /* of one attempt */

    secret_asker *ask; /* see struct aws_options; NULL: nobody can be asked */
    void (*log)(void *context, const char *line);
    void *log_context;
};

/* WRONG_INPUT when something is wrong or missing, with what to do. *settings is freed by the caller
 * with settings_free(). */
enum status settings_read(const struct aws_options *options, struct aws_settings **settings,
                          struct error *error);
void settings_free(struct aws_settings *settings); /* NULL is fine */

#endif
