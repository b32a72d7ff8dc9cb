#include "commands.h"
#include "common/base/json.h"
#include "common/base/subprocess.h"
#include "generator/board/simulator.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"

#include <errno.h>
#include <stdlib.h>

static enum status take_number(struct context *context, const char *name, long *number)
{
    const char *value = cli_value(context, name);
    char *end = NULL;
    *number = 0;
    if (!value)
        return FINE;
    errno = 0;
    *number = strtol(value, &end, 10);
    if (errno || end == value || *end || *number < 1 || *number > 100000000)
        return fail(&context->error, WRONG_USAGE, "--%s takes a number from 1 on, not \"%s\"", name,
                    value);
    return FINE;
}

static void answer(struct context *context, long cycles)
{
    if (!context->json) {
        cli_say(context, "stopped after %ld cycle%s", cycles, cycles == 1 ? "" : "s");
        return;
    }
    cJSON *answer = json_object();
    json_put_number(answer, "cycles", (double)cycles);
    json_put_bool(answer, "interrupted", subprocess_interrupted());
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

static enum status run_package(struct context *context, struct project *project,
                               const struct record *record, struct simulator *simulator)
{
    struct error *error = &context->error;
    subprocess_watch();
    enum status status = simulator_open(simulator, project, record, error);
    if (!status)
        status = simulator_run(simulator, error);
    simulator_close(simulator);
    subprocess_end_watch();
    if (!status)
        answer(context, simulator->cycles);
    return status;
}

enum status command_run(struct context *context)
{
    struct project project = {0};
    struct record *record = NULL;
    struct simulator simulator = {.fast = cli_given(context, "fast"),
                                  .verbose = context->verbose,
                                  .quiet = context->quiet,
                                  .only_errors = context->json};
    enum status status = take_number(context, "cycles", &simulator.most_cycles);
    if (!status)
        status = take_number(context, "seconds", &simulator.seconds);
    if (!status)
        status = command_load(context, &project);
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status)
        status = run_package(context, &project, record, &simulator);
    record_free(record);
    project_free(&project);
    return status;
}
