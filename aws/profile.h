/* ~/.aws/config and ~/.aws/credentials, as the AWS CLI reads them (botocore/configloader.py):
 * sections in brackets, `key = value`, indented lines below an empty value as a nested block,
 * comments by # and ;. AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name other files; a file
 * that is not there is empty. */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include "common/base/error.h"

#include <stdbool.h>

struct aws_profiles;

/* A variable of the environment that is set and not empty, else NULL. */
const char *environment(const char *name);

/* As the SDKs read a switch: "true" in any case. NULL is false. */
bool says_true(const char *value);

enum status profiles_read(struct aws_profiles **profiles, struct error *error);
void profiles_free(struct aws_profiles *profiles); /* wipes */

const char *home_folder(void); /* what "~" is */

bool profile_exists(const struct aws_profiles *profiles, const char *name);
bool section_exists(const struct aws_profiles *profiles, const char *kind, const char *name);

/* The names of all profiles, with commas between them: for messages. */
void profile_names(const struct aws_profiles *profiles, struct text *out);

/* The two files, where it matters in which of them something is. */
enum profile_file { CREDENTIALS_FILE, CONFIG_FILE };
const char *profile_file_name(const struct aws_profiles *profiles, enum profile_file file);
const char *profile_setting_of(const struct aws_profiles *profiles, enum profile_file file,
                               const char *profile, const char *key);

/* A setting of a profile: from the credentials file where it has it, else from the config; NULL
 * when neither does. nested: NULL, or the key inside an indented block ("s3", "endpoint_url"). */
const char *profile_setting(const struct aws_profiles *profiles, const char *profile,
                            const char *key, const char *nested);

/* A setting of another section: section_setting(p, "services", "dev", "iot", "endpoint_url"). */
const char *section_setting(const struct aws_profiles *profiles, const char *kind, const char *name,
                            const char *key, const char *nested);

/* Words as the CLI splits a command: like a shell (Python's shlex), but without variables and
 * patterns. NULL when a quote is not closed; else an array with a NULL at its end. */
char **shell_words(const char *command);
void shell_words_free(char **words);

#endif
