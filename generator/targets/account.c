#include "account.h"
#include "common/base/json.h"

#include <openssl/ui.h>
#include <string.h>
#include <unistd.h>

/* OpenSSL's prompt does not echo, and restores the terminal on signals. */
static enum status ask(const char *question, struct secret *answer, struct error *error)
{
    char line[64] = "";
    UI *ui = UI_new();
    enum status status = FINE;
    if (!ui || UI_add_input_string(ui, question, 0, line, 0, sizeof line - 1) < 0 ||
        UI_process(ui) < 0)
        status = fail(error, WRONG_USAGE, "the code of the MFA device was not given");
    else
        *answer = secret_copy(line, strlen(line));
    UI_free(ui);
    explicit_bzero(line, sizeof line);
    return status;
}

enum status account_open(const cJSON *system, const struct account_options *options,
                         struct aws **aws, struct error *error)
{
    const cJSON *section = json_get(system, "aws");
    struct aws_options how = {
        .region = json_string(section, "region", NULL),
        .otherwise_profile = json_string(section, "profile", NULL),
        .rate = json_number(section, "requests_per_second", 10),
        .ask = isatty(STDIN_FILENO) ? ask : NULL,
    };
    if (options) {
        how.profile = options->profile;
        how.log = options->log;
        how.log_context = options->log_context;
    }
    return aws_open(&how, aws, error);
}
