/* A device without a device: a thing's package on MicroPython's unix port, with simulated pins and
 * sensors, against the endpoint that the package names.
 *
 * simulator/power_on.py is one run of the board, from a reset to the next sleep or reset; its exit
 * code says how it ended. The board's flash and what it keeps over a reset are in a temporary
 * folder, with the world around it in world.json (simulator/modules/_world.py says what that
 * holds); the package itself is only read. */
#include "commands.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "common/spec/system.h"
#include "generator/project/project.h"
#include "generator/thing/thing.h"
#include "generator/thing/package.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SHARE_FOLDER
#define SHARE_FOLDER "/usr/local/share/sensorforge"
#endif

/* Exit codes of power_on.py. */
enum { AT_THE_PROMPT, RESET = 10, DEEP_SLEEP, WATCHDOG, POWER_CUT, TIME_IS_OVER };

/* How much faster a board's sleep goes by with --fast. Deep sleep takes no time at all then. */
enum { FAST = 20 };

/* Shorter runs that end in a reset, one after the other: a firmware that cannot begin. */
enum { MOST_RESETS = 10 };

struct board {
    struct context *context;
    const char *interpreter, *power_on; /* absolute */
    const char *package;                /* absolute */
    char *folder;                       /* of its flash and its world; NULL until it is made */
    long most_cycles;                   /* 0: no end */
    long cycles, resets;
};

/* --- the command line --- */

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

/* Beside the templates, as in the repository; else where the program was installed. */
static enum status find_tool(struct context *context, const char *templates, const char *name,
                             char **path)
{
    owned char *beside = must_format("%s/../%s", templates, name);
    owned char *installed = must_format(SHARE_FOLDER "/%s", name);
    *path = realpath(beside, NULL);
    if (!*path)
        *path = realpath(installed, NULL);
    if (*path)
        return FINE;
    fail(&context->error, REFUSED, "there is no %s beside %s", name, templates);
    return advise(&context->error, "make install puts it there");
}

static enum status find_package(struct context *context, const struct record *record,
                                char **package)
{
    const char *name = record->name;
    owned char *folder = package_folder(record->type, name);
    *package = realpath(folder, NULL);
    if (*package)
        return FINE;
    fail(&context->error, WRONG_INPUT, "%s has no package", name);
    return advise(&context->error, "sensorforge package %s makes it", name);
}

/* --- the world --- */

/* This machine stands for the local system by whatever name boards reach it. */
static void put_hosts(cJSON *world, const struct record *record, const struct system *system)
{
    cJSON *hosts = json_object();
    if (record->target == TARGET_LOCAL)
        json_put_string(hosts, system->local.host, "127.0.0.1");
    json_put(world, "hosts", hosts);
}

static cJSON *make_world(struct context *context, const struct record *record, const cJSON *model,
                         const struct system *system, long seconds)
{
    cJSON *world = json_object();
    const cJSON *type = json_get(model, "type");
    json_put(world, "type", cJSON_Duplicate(type, true));
    json_put_string(world, "platform", json_string(type, "platform", ""));
    json_put(world, "wifi", wifi_json(&record->wifi));
    json_put_number(json_get(world, "wifi"), "join_ms", 500);
    json_put_number(world, "speed", cli_given(context, "fast") ? FAST : 1);
    json_put_number(world, "seed", (double)(clock_monotonic_nanoseconds() % 1000000000));
    if (seconds)
        json_put_number(world, "end_ms", (double)seconds * 1000);
    json_put_bool(world, "verbose", context->verbose);
    json_put_bool(world, "quiet", context->quiet);
    put_hosts(world, record, system);
    return world;
}

static enum status make_folder(struct board *board, const cJSON *world)
{
    struct context *context = board->context;
    const char *temporary = getenv("TMPDIR");
    struct text bytes = {.secret = true}; /* the wifi password is in it */
    char *folder =
        must_format("%s/sensorforge-run.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        enum status status = fail_errno(&context->error, "cannot make the folder %s", folder);
        free(folder);
        return status;
    }
    board->folder = folder;
    owned char *path = path_join(folder, "world.json");
    json_compact(world, &bytes);
    enum status status =
        write_file(path, text_string(&bytes), bytes.length, FILE_SECRET, &context->error);
    text_free(&bytes);
    return status;
}

/* --- running --- */

static enum status broken(struct board *board, int code)
{
    struct error *error = &board->context->error;
    if (code == REFUSED) /* scripts/micropython has said why */
        return fail(error, REFUSED, "there is no MicroPython to run the package on");
    return fail(error, REFUSED, "the simulator stopped with exit code %d", code);
}

static enum status copy_package(struct board *board)
{
    const char *words[] = {board->interpreter, board->power_on, board->folder,
                           "--flash",          board->package,  NULL};
    int code = 0;
    enum status status = subprocess_run(words, true, &code, NULL, &board->context->error);
    return !status && code && !subprocess_interrupted() ? broken(board, code) : status;
}

/* Whether another run follows. */
static bool goes_on(const struct board *board, int code)
{
    if (subprocess_interrupted() || (board->most_cycles && board->cycles >= board->most_cycles))
        return false;
    return code == RESET || code == DEEP_SLEEP || code == WATCHDOG;
}

static enum status conclude(struct board *board, int code)
{
    struct context *context = board->context;
    if (subprocess_interrupted() || code == TIME_IS_OVER || code == DEEP_SLEEP || code == WATCHDOG)
        return FINE;
    if (code == AT_THE_PROMPT)
        return fail(&context->error, REFUSED, "the firmware ended; a board would do nothing now");
    return code == RESET && board->resets < MOST_RESETS ? FINE : broken(board, code);
}

static enum status run_cycles(struct board *board)
{
    struct context *context = board->context;
    const char *words[] = {board->interpreter, board->power_on, board->folder, NULL};
    int code = RESET;
    enum status status = FINE;
    do {
        status = subprocess_run(words, context->json, &code, NULL, &context->error);
        board->cycles++;
        board->resets = code == RESET || code == WATCHDOG ? board->resets + 1 : 0;
        if (board->resets == MOST_RESETS)
            return fail(&context->error, REFUSED, "the board has reset itself %d times in a row",
                        MOST_RESETS);
    } while (!status && goes_on(board, code));
    return status ? status : conclude(board, code);
}

static void report(struct board *board)
{
    struct context *context = board->context;
    if (!context->json) {
        cli_say(context, "stopped after %ld cycle%s", board->cycles, board->cycles == 1 ? "" : "s");
        return;
    }
    cJSON *answer = json_object();
    json_put_number(answer, "cycles", (double)board->cycles);
    json_put_bool(answer, "interrupted", subprocess_interrupted());
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

static enum status run_board(struct board *board, const cJSON *world)
{
    struct error ignored = {0};
    subprocess_watch();
    enum status status = make_folder(board, world);
    if (!status)
        status = copy_package(board);
    if (!status && !subprocess_interrupted())
        status = run_cycles(board);
    if (board->folder)
        remove_tree(board->folder, &ignored);
    error_free(&ignored);
    subprocess_end_watch();
    if (!status)
        report(board);
    return status;
}

enum status command_run(struct context *context)
{
    struct project project;
    struct record *record = NULL;
    cJSON *model = NULL, *world = NULL;
    owned char *interpreter = NULL, *power_on = NULL, *package = NULL;
    struct board board = {.context = context};
    long seconds = 0;
    enum status status = take_number(context, "cycles", &board.most_cycles);
    if (!status)
        status = take_number(context, "seconds", &seconds);
    if (status)
        return status;
    status = command_load(context, &project);
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status)
        status = find_package(context, record, &package);
    if (!status)
        status = project_model(&project, record->type, &model, &context->error);
    if (!status)
        status = find_tool(context, project.templates, "scripts/micropython", &interpreter);
    if (!status)
        status = find_tool(context, project.templates, "simulator/power_on.py", &power_on);
    if (!status) {
        board.interpreter = interpreter;
        board.power_on = power_on;
        board.package = package;
        world = make_world(context, record, model, &project.system, seconds);
        status = run_board(&board, world);
    }
    free(board.folder);
    cJSON_Delete(world); /* before the record, whose password it borrows */
    cJSON_Delete(model);
    record_free(record);
    project_free(&project);
    return status;
}
