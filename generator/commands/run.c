/* Runs a thing's package on a simulated board, and tells of each reading what became of it: whether
 * the broker acknowledged it, and which of the two tables the type's rules put it in. */
#include "commands.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "generator/board/simulator.h"
#include "generator/local/state.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"
#include "generator/trial/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct context *context;
    const struct record *record;
    const char *account;
    struct trial trial; /* decides the table */
    struct simulator simulator;
    size_t valid, invalid;
    cJSON *readings; /* for --json */
};

/* --- each reading --- */

/* temperature 22.5, humidity 40: the members of a JSON object as people read them. */
static void write_members(const char *members, struct text *out)
{
    bool quoted = false, in_value = false;
    for (const char *c = members; *c; c++) {
        bool ends_name = *c == '"' && quoted && !in_value;
        if (*c == '\\' && quoted && c[1]) {
            text_add(out, c++, 2);
            continue;
        }
        if (*c == '"')
            quoted = !quoted;
        if (!quoted && *c == ':') {
            in_value = true;
            text_add_char(out, ' ');
        } else if (!quoted && *c == ',') {
            in_value = false;
            text_add_string(out, ", ");
        } else if (!ends_name && !(*c == '"' && !in_value)) {
            text_add_char(out, *c);
        }
    }
}

/* Whether the rule of the central table takes a message. *reasons: why it does not, a list of texts that
 * the caller deletes. */
static bool is_valid(const struct run *run, const struct reading_report *report, cJSON **reasons)
{
    const struct rule_message message = {.topic = report->topic,
                                         .payload = report->payload,
                                         .payload_length = strlen(report->payload),
                                         .client_id = run->record->name,
                                         .time = clock_milliseconds(),
                                         .account = run->account,
                                         .random = trial_random};
    cJSON *answers = trial_run(&run->trial, &message);
    const char *outcome = json_string(cJSON_GetArrayItem(answers, 0), "outcome", "");
    bool valid = strcmp(outcome, "selected") == 0;
    *reasons = cJSON_DetachItemFromObject(cJSON_GetArrayItem(answers, 0), "reasons");
    cJSON_Delete(answers);
    return valid;
}

static const char *outcome_of(const struct reading_report *report, bool valid)
{
    return report->fate == READING_KEPT ? "not sent" : valid ? "valid" : "invalid";
}

/* A board whose clock was never set counts from 2000 or 2021 (templates/firmware, common.py). */
static bool has_time(const struct reading_report *report)
{
    return report->time >= INT64_C(1704067200000);
}

static void add_json(struct run *run, const struct reading_report *report, const char *outcome,
                     const cJSON *reasons)
{
    char time[CLOCK_TEXT] = "";
    owned char *object = must_format("{%s}", report->members);
    cJSON *reading = json_object();
    if (has_time(report))
        clock_write_milliseconds(report->time, time);
    json_put_string(reading, "time", *time ? time : NULL);
    json_put(reading, "measures", cJSON_Parse(object));
    json_put_string(reading, "outcome", outcome);
    json_put(reading, "reasons", reasons ? cJSON_Duplicate(reasons, true) : json_array());
    json_put_bool(reading, "late", report->late);
    cJSON_AddItemToArray(run->readings, reading);
}

/* A reader that has gone ends the run. */
static void print(struct context *context, const char *line)
{
    if (!cli_print(context, line))
        subprocess_stop();
}

static void write_line(struct run *run, const struct reading_report *report, const char *outcome,
                       const cJSON *reasons)
{
    const cJSON *reason;
    char time[CLOCK_TEXT];
    struct text line = {0};
    bool local = run->record->target == TARGET_LOCAL;
    clock_write_local(report->time / 1000, time);
    text_add_format(&line, "%-19s  ", has_time(report) ? time : "(clock not set)");
    size_t start = line.length;
    write_members(report->members, &line);
    if (line.length == start)
        text_add_string(&line, "no measures");
    while (line.length - start < 24)
        text_add_char(&line, ' ');
    if (report->fate == READING_KEPT)
        text_add_string(&line, "  not sent, kept on the board");
    else
        text_add_format(&line, "  %s, %s%s", local ? "stored" : "sent", outcome,
                        report->late ? " (sent late)" : "");
    cJSON_ArrayForEach(reason, reasons)
    {
        text_add_format(&line, "%s%s", reason == reasons->child ? ": " : "; ", reason->valuestring);
    }
    print(run->context, text_string(&line));
    text_free(&line);
}

static void take_reading(void *data, const struct reading_report *report)
{
    struct run *run = data;
    cJSON *reasons = NULL;
    bool sent = report->fate == READING_ACKNOWLEDGED;
    bool valid = sent && is_valid(run, report, &reasons);
    const char *outcome = outcome_of(report, valid);
    run->valid += sent && valid;
    run->invalid += sent && !valid;
    if (run->context->json)
        add_json(run, report, outcome, reasons);
    else
        write_line(run, report, outcome, reasons);
    cJSON_Delete(reasons);
}

static void take_print(void *data, const char *line)
{
    struct run *run = data;
    if (run->context->json)
        cli_say_more(run->context, "%s", line);
    else
        print(run->context, line);
}

/* --- before and after --- */

static bool local_system_runs(void)
{
    cJSON *state = state_make();
    bool runs = json_true(json_get(state, "broker"), "running");
    cJSON_Delete(state);
    return runs;
}

static void say_start(struct run *run)
{
    const struct simulator *simulator = &run->simulator;
    if (run->record->target == TARGET_LOCAL && !local_system_runs())
        cli_say(run->context, "the local system is not running; make up starts it");
    if (simulator->back_seconds == simulator->wanted_back_seconds)
        return;
    cli_say(run->context,
            "the board's clock starts %.1f h in the past, because the rules take no older readings",
            (double)simulator->back_seconds / 3600);
    cli_say(run->context, "--fast ends when it has caught up; sleep takes its full time then");
}

static void answer(struct run *run)
{
    struct context *context = run->context;
    const struct readings *readings = &run->simulator.readings;
    if (!context->json) {
        cli_say(context, "%zu reading%s: %zu valid, %zu invalid, %zu not sent", readings->taken,
                readings->taken == 1 ? "" : "s", run->valid, run->invalid,
                readings->taken - readings->acknowledged);
        return;
    }
    cJSON *answer = json_object();
    json_put_number(answer, "cycles", (double)readings->taken);
    json_put_number(answer, "valid", (double)run->valid);
    json_put_number(answer, "invalid", (double)run->invalid);
    json_put_number(answer, "not_sent", (double)(readings->taken - readings->acknowledged));
    json_put_bool(answer, "interrupted", subprocess_interrupted());
    json_put(answer, "readings", run->readings);
    run->readings = NULL;
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

/* Of a run that was cut off in the middle of a cycle, the last reading had no time to be sent. */
static enum status judge(struct run *run)
{
    struct error *error = &run->context->error;
    const struct readings *readings = &run->simulator.readings;
    size_t unsent = readings->taken - readings->acknowledged;
    if (!unsent || (run->simulator.cut_off && unsent == 1 && readings->acknowledged))
        return FINE;
    fail(error, REFUSED, "%zu of %zu readings could not be sent", unsent, readings->taken);
    if (run->record->target != TARGET_LOCAL)
        return advise(error, "make doctor TARGET=aws looks for the cause");
    return local_system_runs()
               ? advise(error, "make logs shows what the broker says of %s", run->record->name)
               : advise(error, "the local system is not running: make up");
}

static enum status run_package(struct run *run, struct project *project)
{
    struct error *error = &run->context->error;
    subprocess_watch();
    enum status status = simulator_open(&run->simulator, project, run->record, error);
    if (!status) {
        say_start(run);
        status = simulator_run(&run->simulator, error);
    }
    subprocess_end_watch();
    if (!status) {
        answer(run);
        status = judge(run);
    }
    simulator_close(&run->simulator);
    return status;
}

/* --- the command --- */

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

/* The documents of the thing's type, for is_valid(). The caller closes the trial and deletes the
 * model, which run->account belongs to. */
static enum status open_trial(struct run *run, struct project *project, cJSON **model)
{
    struct error *error = &run->context->error;
    struct artifacts documents = {0};
    enum status status = project_model(project, run->record->type, model, error);
    if (!status)
        status = project_render(project, run->record->type, "awscli", &documents, error);
    if (!status)
        status = trial_open(&documents, *model, &run->trial, error);
    run->account = json_string(json_get(*model, "system"), "account", NULL);
    artifacts_free(&documents);
    return status;
}

enum status command_run(struct context *context)
{
    struct project project = {0};
    struct record *record = NULL;
    cJSON *model = NULL;
    struct run run = {.context = context, .readings = json_array()};
    run.simulator = (struct simulator){.fast = cli_given(context, "fast"),
                                       .verbose = context->verbose,
                                       .quiet = context->quiet,
                                       .readings.listener = {take_reading, take_print, &run}};
    enum status status = take_number(context, "cycles", &run.simulator.most_cycles);
    if (!status)
        status = take_number(context, "seconds", &run.simulator.seconds);
    if (!status)
        status = command_load(context, &project);
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    run.record = record;
    if (!status)
        status = open_trial(&run, &project, &model);
    if (!status)
        status = run_package(&run, &project);
    trial_close(&run.trial);
    cJSON_Delete(run.readings);
    cJSON_Delete(model);
    record_free(record);
    project_free(&project);
    return status;
}
