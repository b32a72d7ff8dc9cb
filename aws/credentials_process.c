/* Credentials that another program gives on its standard output (AWS CLI user guide, "Sourcing
 * credentials with an external process"). Its standard error goes to the person, who may have to do
 * something (touch a key, open a browser); what it writes to standard output is never shown. */
#include "sources.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST_OUTPUT = 64 << 10 };

static int start(char **words, int output, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int fault = posix_spawnp(child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return fault;
}

/* False when there is more than LARGEST_OUTPUT bytes. */
static bool read_all(int input, struct text *out)
{
    ssize_t length;
    text_reserve(out, LARGEST_OUTPUT + 1);
    out->at[0] = '\0';
    do {
        length = read(input, out->at + out->length, LARGEST_OUTPUT - out->length);
        if (length > 0)
            out->length += (size_t)length;
    } while ((length > 0 && out->length < LARGEST_OUTPUT) || (length < 0 && errno == EINTR));
    out->at[out->length] = '\0';
    return length == 0;
}

static int wait_for(pid_t child)
{
    int result;
    while (waitpid(child, &result, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

/* Runs a program; its exit code, or -1 with *fault set where it could not be started. */
static int run(char **words, struct text *output, int *fault)
{
    int ends[2];
    pid_t child;
    *fault = pipe2(ends, O_CLOEXEC) ? errno : 0;
    if (*fault)
        return -1;
    *fault = start(words, ends[1], &child);
    close(ends[1]);
    bool whole = !*fault && read_all(ends[0], output);
    close(ends[0]);
    if (*fault)
        return -1;
    int code = wait_for(child);
    return whole || code ? code : -1;
}

static enum status read_output(const struct text *output, const char *what, const char *source,
                               struct aws_credentials *found, struct error *error)
{
    cJSON *object = NULL;
    struct error ignored = {0}; /* it may quote what was read */
    enum status status =
        json_parse("output", text_string(output), output->length, &object, &ignored);
    error_free(&ignored);
    if (status)
        return fail(error, REFUSED, "%s of %s did not write JSON", what, source);
    if (json_number(object, "Version", 0) != 1)
        status = fail(error, REFUSED, "%s of %s did not write \"Version\": 1", what, source);
    else
        status = credentials_read(object, "SessionToken", false, source, found, error);
    json_wipe(object);
    return status;
}

static enum status of_words(char **words, const char *what, const char *source,
                            struct aws_credentials *found, struct error *error)
{
    struct text output = {0};
    int fault, code = run(words, &output, &fault);
    enum status status;
    if (fault)
        status = fail(error, REFUSED, "%s of %s cannot be run: %s", what, source, strerror(fault));
    else if (code)
        status = fail(error, REFUSED, "%s of %s failed (exit code %d)", what, source, code);
    else
        status = read_output(&output, what, source, found, error);
    text_wipe(&output);
    return status;
}

enum status credentials_of_process(const char *command, const char *source,
                                   struct aws_credentials *found, struct error *error)
{
    char **words = shell_words(command);
    enum status status;
    if (words && words[0])
        status = of_words(words, "credential_process", source, found, error);
    else
        status = fail(error, WRONG_INPUT, "credential_process of %s has a quote that is not closed",
                      source);
    if (status)
        advise(error, "see credential_process in ~/.aws/config");
    shell_words_free(words);
    return status;
}

static bool is_there(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        size_t length = strcspn(at, ":");
        owned char *file = must_format("%.*s/%s", (int)length, at, program);
        if (access(file, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

enum status credentials_of_cli(const char *profile, const char *source,
                               struct aws_credentials *found, struct error *error)
{
    char *words[] = {(char *)"aws",
                     (char *)"configure",
                     (char *)"export-credentials",
                     (char *)"--profile",
                     (char *)profile,
                     (char *)"--format",
                     (char *)"process",
                     NULL};
    if (!is_there(words[0])) {
        fail(error, REFUSED,
             "%s signs in through a browser, and the AWS CLI that does it is not here", source);
        return advise(error, "install the AWS CLI, or use keys or a role");
    }
    enum status status = of_words(words, "aws configure export-credentials", source, found, error);
    if (status)
        advise(error, "sign in again (aws sso login --profile %s), then run the same command",
               profile);
    return status;
}
