#include "backlog.h"
#include "programs.h"
#include "service.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/subprocess.h"

#include <string.h>

/* Timeouts in seconds: of a question to sensorhub, of storing all that the spool holds, and of
 * ending after SIGTERM. */
enum { SECONDS_TO_TELL = 10 };
static const double drain_patience = 100, end_patience = 20;

double backlog_waiting(const char *hub)
{
    const char *const words[] = {hub, "status", "--json", NULL};
    struct text said = {0};
    struct error none = {0};
    int code = 0;
    double waiting = -1;
    if (subprocess_capture(words, SECONDS_TO_TELL, &said, &code, NULL, &none) == FINE) {
        cJSON *status = cJSON_Parse(text_string(&said)); /* text for people may follow */
        waiting = json_number(status, "waiting", -1);
        cJSON_Delete(status);
    }
    text_free(&said);
    error_free(&none);
    return waiting;
}

/* Reports each line, indented under the warning before it. */
static void say_below(const struct reporter *reporter, const char *lines)
{
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        report_line(reporter, "         %.*s", length, lines);
        lines += length + (lines[length] == '\n');
    }
}

static void say_trouble(const struct reporter *reporter, const cJSON *status)
{
    say_below(reporter, json_string(status, "trouble", ""));
    say_below(reporter, json_string(status, "advice", ""));
}

void backlog_warn(const struct reporter *reporter)
{
    cJSON *status = service_hub_status();
    if (!service_hub_ready(status)) {
        report_line(reporter, "warning: sensorhub runs, and cannot store readings yet");
        say_trouble(reporter, status);
        report_line(reporter,
                    "         until then they wait in the spool, and the broker takes more; "
                    "make status shows how it goes");
    }
    cJSON_Delete(status);
}

static bool drain(const struct reporter *reporter, const char *hub)
{
    const char *const words[] = {hub, "run", "--drain", NULL};
    const struct launch launch = {.name = service_names[HUB], .words = words};
    struct daemon process = {.handle = -1};
    struct error error = {0};
    report_line(reporter,
                "sensorhub did not get to store all that it should: storing what is in the spool");
    if (daemon_start(&launch, &process, &error)) {
        report_line(reporter, "warning: %s", text_string(&error.message));
        error_free(&error);
        return false;
    }
    bool ended = daemon_wait(&process, drain_patience);
    daemon_end(service_names[HUB], &process, end_patience);
    return ended;
}

void backlog_drain(const struct reporter *reporter, bool ended)
{
    owned char *hub = path_exists(SPOOL_FOLDER) ? programs_path(service_names[HUB]) : NULL;
    double waiting = hub ? backlog_waiting(hub) : 0;
    if (waiting > 0 && !ended) {
        drain(reporter, hub);
        waiting = backlog_waiting(hub);
    }
    if (waiting <= 0)
        return;
    cJSON *status = service_hub_status();
    report_line(
        reporter, "warning: %s%.0f reading%s in the spool and not stored; the next make up does it",
        json_true(status, "ready") ? "" : "up to ", waiting, waiting == 1 ? " is" : "s are");
    say_trouble(reporter, status);
    cJSON_Delete(status);
}
