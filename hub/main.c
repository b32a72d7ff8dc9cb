/* The program `sensorhub`: from the spool to the central database, and what is asked of it. */
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/paths.h"
#include "check.h"
#include "query.h"
#include "run.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every option of every command; a command takes those whose letters it lists. */
static const struct option long_options[] = {
    {"project", required_argument, NULL, 'C'},
    {"log", required_argument, NULL, 'l'},
    {"drain", no_argument, NULL, 'd'},
    {"type", required_argument, NULL, 't'},
    {"thing", required_argument, NULL, 'n'},
    {"last", required_argument, NULL, 's'},
    {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 'u'},
    {"limit", required_argument, NULL, 'm'},
    {"invalid", no_argument, NULL, 'i'},
    {"json", no_argument, NULL, 'j'},
    {"csv", no_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

struct arguments {
    const char *values[128]; /* by the option's letter; "" for one without a value */
    char **operands;
    int count;
};

static const char *value(const struct arguments *arguments, char letter)
{
    return arguments->values[(int)letter];
}

static bool given(const struct arguments *arguments, char letter)
{
    return value(arguments, letter) != NULL;
}

/* --- commands --- */

static enum status command_run(const struct arguments *arguments, struct error *error)
{
    const struct run_options options = {.log = value(arguments, 'l'),
                                        .drain = given(arguments, 'd')};
    return run_hub(&options, error);
}

static enum status command_check(const struct arguments *arguments, struct error *error)
{
    return check_types(arguments->operands, (size_t)arguments->count, given(arguments, 'j'), error);
}

static enum status command_query(const struct arguments *arguments, struct error *error)
{
    const struct query_options options = {.type = value(arguments, 't'),
                                          .thing = value(arguments, 'n'),
                                          .last = value(arguments, 's'),
                                          .from = value(arguments, 'f'),
                                          .to = value(arguments, 'u'),
                                          .limit = value(arguments, 'm'),
                                          .invalid = given(arguments, 'i'),
                                          .json = given(arguments, 'j'),
                                          .csv = given(arguments, 'c')};
    return query_readings(&options, error);
}

static enum status command_status(const struct arguments *arguments, struct error *error)
{
    return status_show(given(arguments, 'j'), error);
}

static const struct command {
    const char *name, *takes, *usage;
    int least, most;
    enum status (*run)(const struct arguments *arguments, struct error *error);
} commands[] = {
    {"run", "Cld", "run [--project DIR] [--log FILE] [--drain]", 0, 0, command_run},
    {"check", "Cj", "check [--project DIR] [--json] TYPE...", 1, 1 << 20, command_check},
    {"query", "Ctnsfumijc",
     "query --type TYPE [--thing NAME] [--last 1h | --from TIME --to TIME] [--limit N] [--invalid]"
     " [--json | --csv]",
     0, 0, command_query},
    {"status", "Cj", "status [--project DIR] [--json]", 0, 0, command_status},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

/* --- the command line --- */

static void help(FILE *out)
{
    fputs("sensorhub " VERSION ": the local system between the spool and the central database\n\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  sensorhub %s\n", commands[i].usage);
    fputs(
        "\n"
        "run     stores what the broker accepts; SIGTERM ends it when all is stored, SIGHUP opens\n"
        "        the log anew; --drain stores what is there and ends\n"
        "check   says which actions of a plugged-in type's rules cannot run here (exit code 1)\n"
        "query   readings, the newest last; a TIME is 2026-11-21T12:00:00Z or seconds since 1970\n"
        "status  what the running one says of itself\n\n"
        "A project is the folder of iot_system_infra; without --project, the working folder.\n"
        "Exit codes: 0 fine, 1 the input is wrong, 2 the command line is wrong, 3 the world "
        "refused\n",
        out);
}

static enum status wrong_usage(const struct command *command, struct error *error)
{
    return advise(error, "sensorhub %s", command->usage);
}

static enum status read_options(const struct command *command, int count, char **words,
                                struct arguments *arguments, struct error *error)
{
    int letter, at = 0;
    opterr = 0;
    while ((letter = getopt_long(count, words, "C:jhV", long_options, &at)) != -1) {
        if (letter == '?') {
            fail(error, WRONG_USAGE, "%s is not an option, or lacks its value", words[optind - 1]);
            return wrong_usage(command, error);
        }
        if (letter != 'h' && letter != 'V' && !strchr(command->takes, letter)) {
            fail(error, WRONG_USAGE, "%s takes no such option: %s", command->name,
                 words[optind - 1]);
            return wrong_usage(command, error);
        }
        arguments->values[letter] = optarg ? optarg : "";
    }
    arguments->operands = words + optind;
    arguments->count = count - optind;
    if (arguments->count >= command->least && arguments->count <= command->most)
        return FINE;
    fail(error, WRONG_USAGE,
         arguments->count < command->least ? "a TYPE is missing" : "%s is one word too many",
         arguments->count ? arguments->operands[0] : "");
    return wrong_usage(command, error);
}

static enum status run_command(const struct command *command, int count, char **words,
                               struct error *error)
{
    struct arguments arguments = {0};
    enum status status = read_options(command, count, words, &arguments, error);
    const char *project = value(&arguments, 'C');
    if (status)
        return status;
    if (given(&arguments, 'h')) {
        help(stdout);
        return FINE;
    }
    if (project && chdir(project))
        return fail_errno(error, "cannot go to %s", project);
    if (!path_exists(SYSTEM_FILE)) {
        fail(error, WRONG_INPUT, "there is no " SYSTEM_FILE " here");
        return advise(error, "--project DIR says where the project is");
    }
    status = command->run(&arguments, error);
    if ((fflush(stdout) || ferror(stdout)) && !status)
        status = fail_errno(error, "cannot write the output");
    return status;
}

static bool asks_for_json(int count, char **words)
{
    for (int i = 1; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--json") == 0)
            return true;
    return false;
}

/* An error has a message only where the answer does not say it already. */
static void show_error(const struct error *error, bool json)
{
    if (!error->message.length)
        return;
    fprintf(stderr, "error: %s\n", text_string(&error->message));
    for (const char *at = text_string(&error->advice); *at; at += strspn(at, "\n")) {
        size_t length = strcspn(at, "\n");
        fprintf(stderr, "       %.*s\n", (int)length, at);
        at += length;
    }
    if (!json)
        return;
    struct text line = {0};
    cJSON *answer = json_error(error);
    json_compact(answer, &line);
    puts(text_string(&line));
    cJSON_Delete(answer);
    text_free(&line);
}

int main(int count, char **words)
{
    struct error error = {0};
    const char *name = count > 1 ? words[1] : "";
    bool json = asks_for_json(count, words); /* before getopt_long() moves the words */
    enum status status;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        puts("sensorhub " VERSION);
        return 0;
    }
    int i = 0;
    while (i < COMMAND_COUNT && strcmp(commands[i].name, name) != 0)
        i++;
    if (i < COMMAND_COUNT) {
        status = run_command(&commands[i], count - 1, words + 1, &error);
    } else {
        status = fail(&error, WRONG_USAGE,
                      count > 1 ? "\"%s\" is not a command" : "a command is missing%s", name);
        advise(&error, "sensorhub --help lists them");
    }
    if (status)
        show_error(&error, json);
    error_free(&error);
    return (int)status;
}
