#include "simulator.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "generator/thing/package.h"

#include <stdlib.h>

/* Exit codes of power_on.py. */
enum { AT_THE_PROMPT, RESET = 10, DEEP_SLEEP, WATCHDOG, POWER_CUT, TIME_IS_OVER, ENOUGH };

/* How much shorter sleep is with `fast`. Deep sleep takes no time then. */
enum { FAST = 20 };

/* A firmware that resets the board so many times in a row does not get to work. */
enum { MOST_RESETS = 10 };

/* --- what is needed --- */

static enum status find_tool(const struct project *project, const char *name, char **path,
                             struct error *error)
{
    *path = project_tool(project, name);
    if (*path)
        return FINE;
    fail(error, REFUSED, "there is no %s beside %s", name, project->templates);
    return advise(error, "make install puts it there");
}

static enum status find_package(const struct record *record, char **package, struct error *error)
{
    owned char *folder = package_folder(record->type, record->name);
    *package = realpath(folder, NULL);
    if (*package)
        return FINE;
    fail(error, WRONG_INPUT, "%s has no package", record->name);
    return advise(error, "make package name=%s makes it", record->name);
}

/* --- the world --- */

/* The host name by which boards reach the local system is resolved to this machine. */
static cJSON *hosts_of(const struct record *record, const struct system *system)
{
    cJSON *hosts = json_object();
    if (record->target == TARGET_LOCAL)
        json_put_string(hosts, system->local.host, "127.0.0.1");
    return hosts;
}

/* How long the cycles or seconds take that were asked for; a cycle more, because an attempt to send
 * takes time, too. 0: there is no end. */
static int64_t duration(const struct simulator *simulator, const cJSON *type)
{
    double every = json_number(type, "publish_every_seconds", 1);
    int64_t cycles = (int64_t)((double)(simulator->most_cycles + 1) * every);
    if (!simulator->most_cycles)
        return simulator->seconds;
    return simulator->seconds && simulator->seconds < cycles ? simulator->seconds : cycles;
}

/* The rules take readings that are not older than the retention in memory. A tenth of it is left
 * for the board's own delays. */
static void choose_start(struct simulator *simulator, const cJSON *type)
{
    double hours = json_number(json_get(type, "retention"), "memory_hours", 24);
    int64_t most = (int64_t)(hours * 3600 * 0.9);
    if (!simulator->fast)
        return;
    simulator->wanted_back_seconds = duration(simulator, type);
    simulator->back_seconds = simulator->wanted_back_seconds;
    if (!simulator->back_seconds || simulator->back_seconds > most)
        simulator->back_seconds = most;
}

/* The caller deletes it before the record, whose password it borrows. */
static cJSON *make_world(const struct simulator *simulator, const struct project *project,
                         const struct record *record, const cJSON *type)
{
    cJSON *world = json_object(), *wifi = wifi_json(&record->wifi);
    json_put_number(wifi, "join_ms", 500);
    json_put(world, "type", cJSON_Duplicate(type, true));
    json_put_string(world, "platform", json_string(type, "platform", ""));
    json_put(world, "wifi", wifi);
    json_put_number(world, "speed", simulator->fast ? FAST : 1);
    json_put_number(world, "seed", (double)(clock_monotonic_nanoseconds() % 1000000000));
    if (simulator->seconds)
        json_put_number(world, "end_ms", (double)simulator->seconds * 1000);
    if (simulator->fast)
        json_put_number(world, "back_ms", (double)simulator->back_seconds * 1000);
    if (simulator->most_cycles)
        json_put_number(world, "cycles", (double)simulator->most_cycles);
    json_put_bool(world, "journal", true);
    json_put_bool(world, "verbose", simulator->verbose);
    json_put_bool(world, "quiet", simulator->quiet);
    json_put(world, "hosts", hosts_of(record, &project->system));
    return world;
}

static enum status make_folder(struct simulator *simulator, struct error *error)
{
    const char *temporary = getenv("TMPDIR");
    char *folder =
        must_format("%s/sensorforge-run.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (mkdtemp(folder)) {
        simulator->folder = folder;
        return FINE;
    }
    enum status status = fail_errno(error, "cannot make the folder %s", folder);
    free(folder);
    return status;
}

static enum status write_world(const struct simulator *simulator, const cJSON *world,
                               struct error *error)
{
    struct text bytes = {.secret = true}; /* the wifi password is in it */
    owned char *path = path_join(simulator->folder, "world.json");
    json_compact(world, &bytes);
    enum status status = write_file(path, text_string(&bytes), bytes.length, FILE_SECRET, error);
    text_free(&bytes);
    return status;
}

/* --- running --- */

static enum status stopped(int code, struct error *error)
{
    if (code == REFUSED) /* scripts/micropython has written why */
        return fail(error, REFUSED, "there is no MicroPython to run the package on");
    return fail(error, REFUSED, "the simulator stopped with exit code %d", code);
}

static enum status copy_package(const struct simulator *simulator, struct error *error)
{
    const char *words[] = {simulator->interpreter, simulator->power_on,
                           simulator->folder,      "--flash",
                           simulator->package,     NULL};
    int code = 0;
    enum status status = subprocess_run(words, true, &code, NULL, error);
    return !status && code && !subprocess_interrupted() ? stopped(code, error) : status;
}

/* Whether the board starts again after a run that ended with this exit code. */
static bool goes_on(int code)
{
    return !subprocess_interrupted() && (code == RESET || code == DEEP_SLEEP || code == WATCHDOG);
}

/* What the exit code of the last run means. */
static enum status judge(int code, struct error *error)
{
    if (subprocess_interrupted())
        return FINE;
    switch (code) {
    case RESET:
    case DEEP_SLEEP:
    case WATCHDOG:
    case TIME_IS_OVER:
    case ENOUGH:
        return FINE;
    case AT_THE_PROMPT:
        return fail(error, REFUSED, "the firmware ended; a board would do nothing now");
    default:
        return stopped(code, error);
    }
}

static void take_line(void *context, char *line)
{
    readings_take_line(context, line);
}

enum status simulator_run(struct simulator *simulator, struct error *error)
{
    const char *words[] = {simulator->interpreter, simulator->power_on, simulator->folder, NULL};
    int code = RESET;
    enum status status = FINE;
    if (subprocess_interrupted())
        return FINE;
    do {
        status = subprocess_lines(words, take_line, &simulator->readings, &code, NULL, error);
        readings_end_run(&simulator->readings);
        simulator->resets = code == RESET || code == WATCHDOG ? simulator->resets + 1 : 0;
        if (simulator->resets == MOST_RESETS)
            return fail(error, REFUSED, "the board has reset itself %d times in a row",
                        MOST_RESETS);
    } while (!status && goes_on(code));
    simulator->cut_off = code != ENOUGH;
    return status ? status : judge(code, error);
}

/* --- the whole --- */

enum status simulator_open(struct simulator *simulator, struct project *project,
                           const struct record *record, struct error *error)
{
    cJSON *model = NULL;
    enum status status = find_package(record, &simulator->package, error);
    if (!status)
        status = project_model(project, record->type, &model, error);
    if (!status)
        status = find_tool(project, "scripts/micropython", &simulator->interpreter, error);
    if (!status)
        status = find_tool(project, "simulator/power_on.py", &simulator->power_on, error);
    if (!status)
        status = make_folder(simulator, error);
    if (!status) {
        choose_start(simulator, json_get(model, "type"));
        cJSON *world = make_world(simulator, project, record, json_get(model, "type"));
        status = write_world(simulator, world, error);
        cJSON_Delete(world);
    }
    cJSON_Delete(model);
    return status ? status : copy_package(simulator, error);
}

void simulator_close(struct simulator *simulator)
{
    struct error ignored = {0};
    if (simulator->folder)
        remove_tree(simulator->folder, &ignored);
    error_free(&ignored);
    readings_free(&simulator->readings);
    free(simulator->interpreter);
    free(simulator->power_on);
    free(simulator->package);
    free(simulator->folder);
}
