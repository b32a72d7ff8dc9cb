#include "commands.h"
#include "common/base/memory.h"
#include "generator/local/programs.h"
#include "generator/local/service.h"
#include "generator/project/project.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* `sensorhub query` reads the database. It takes the place of this process, with the same
 * options. */
enum status command_query(struct context *context)
{
    static const char *const passed[] = {"type",  "thing",   "last", "from", "to",
                                         "limit", "invalid", "csv",  "json"};
    enum { PASSED = sizeof passed / sizeof *passed };
    const char *words[2 * PASSED + 3] = {NULL};
    char *options[PASSED] = {NULL};
    size_t count = 2;
    struct project project;
    enum status status = command_find(context, &project);
    project_free(&project);
    if (status)
        return status;
    owned char *program = programs_path("sensorhub");
    if (!program) {
        fail(&context->error, REFUSED, "there is no program \"sensorhub\" beside this one");
        return advise(&context->error, "make build makes it");
    }
    words[0] = program;
    words[1] = "query";
    for (size_t i = 0; i < PASSED; i++) {
        const char *value = cli_value(context, passed[i]);
        if (!cli_given(context, passed[i]))
            continue;
        options[i] =
            value ? must_format("--%s=%s", passed[i], value) : must_format("--%s", passed[i]);
        words[count++] = options[i];
    }
    signal(SIGPIPE, SIG_DFL);
    execv(program, (char *const *)words);
    status = fail_errno(&context->error, "cannot run %s", program);
    for (size_t i = 0; i < PASSED; i++)
        free(options[i]);
    return status;
}
