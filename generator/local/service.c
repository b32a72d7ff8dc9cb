#include "service.h"
#include "programs.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "libmosquitto.h"
#include "common/base/hint.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LARGEST_STATUS = 1 << 20,
    LARGEST_CONFIGURATION = 1 << 20,
    LARGEST_LOG = 64 << 20,
    LOG_LINES = 5
};

/* Milliseconds. Trouble that sensorhub reports earlier than this after its start may be gone at
 * once. */
static const double settled = 1000;

/* Seconds: sensorhub writes its status once a second. */
static const double longest_silence = 5;

/* Timeouts in seconds. sensorhub stores what is in the spool before it ends, and a spool may be
 * full. */
static const double start_patience = 30, end_patience[SERVICES] = {[HUB] = 120, [BROKER] = 20};

const char *const service_names[SERVICES] = {[HUB] = "sensorhub", [BROKER] = "mosquitto"};
const char *const service_titles[SERVICES] = {[HUB] = "sensorhub", [BROKER] = "broker"};

/* --- programs --- */

enum status service_find_programs(struct service_programs *programs, struct error *error)
{
    *programs = (struct service_programs){.plugin = programs_plugin()};
    for (int i = 0; i < SERVICES; i++) {
        programs->paths[i] = programs_path(service_names[i]);
        if (!programs->paths[i]) {
            fail(error, REFUSED, "there is no program \"%s\" on this machine", service_names[i]);
            return advise(error, i == HUB ? "make build makes it, beside this one"
                                          : "make deps installs it");
        }
    }
    if (programs->plugin)
        return FINE;
    fail(error, REFUSED, "there is no sensorforge_broker.so beside this program");
    return advise(error, "make build makes it");
}

void service_free_programs(struct service_programs *programs)
{
    for (int i = 0; i < SERVICES; i++)
        free(programs->paths[i]);
    free(programs->plugin);
    *programs = (struct service_programs){0};
}

/* --- starting --- */

bool service_find(enum service service, struct daemon *found)
{
    return daemon_find(service_names[service], found);
}

enum status service_start(const struct service_programs *programs, enum service service,
                          bool attached, struct daemon *started, struct error *error)
{
    const char *const arguments[SERVICES][4] = {
        [HUB] = {programs->paths[HUB], "run", NULL},
        [BROKER] = {programs->paths[BROKER], "-c", BROKER_CONFIGURATION, NULL},
    };
    const struct launch launch = {
        .name = service_names[service], .words = arguments[service], .attached = attached};
    if (service == HUB)
        unlink(HUB_STATUS); /* of the sensorhub before this one */
    return daemon_start(&launch, started, error);
}

/* --- readiness --- */

static void on_answer(struct mosquitto *client, void *context, int result)
{
    (void)client;
    *(int *)context = result;
}

/* Whether the broker lets the system's own client in; patience in seconds. */
static bool broker_answers(int port, double patience)
{
    int answer = -1;
    double until = clock_monotonic() + patience;
    owned char *id = must_format("sensorforge-%d", (int)getpid());
    struct mosquitto *client = mosquitto.new(id, true, &answer);
    if (client) {
        mosquitto.connect_callback_set(client, on_answer);
        mosquitto.tls_set(client, AUTHORITY_CERTIFICATE, NULL, HUB_CERTIFICATE, HUB_KEY, NULL);
        if (mosquitto.connect(client, "localhost", port, 60) == MOSQ_ERR_SUCCESS)
            while (answer < 0 && clock_monotonic() < until &&
                   mosquitto.loop(client, 100, 1) == MOSQ_ERR_SUCCESS)
                continue;
        mosquitto.disconnect(client);
    }
    mosquitto.destroy(client);
    return answer == 0;
}

int service_broker_port(int otherwise)
{
    struct text bytes = {0};
    struct error none = {0};
    int port = otherwise;
    if (path_exists(BROKER_CONFIGURATION) &&
        read_file(BROKER_CONFIGURATION, LARGEST_CONFIGURATION, &bytes, &none) == FINE) {
        const char *line = strstr(text_string(&bytes), "\nlistener ");
        if (line)
            port = (int)strtol(line + strlen("\nlistener "), NULL, 10);
    }
    text_free(&bytes);
    error_free(&none);
    return port;
}

/* A sensorhub that is stopped or hangs writes no status: an old one says nothing of now. */
static void note_silence(cJSON *status)
{
    struct daemon process;
    double age = (double)clock_milliseconds() / 1000 - json_number(status, "time", 0) / 1000;
    if (status && age > longest_silence && service_find(HUB, &process)) {
        owned char *words = must_format("sensorhub does not answer: its status is %.0f s old", age);
        json_put_string(status, "trouble", words);
        owned char *advice =
            hint_format("is its process stopped, or the disk full? make down, make up");
        json_put_string(status, "advice", advice);
        daemon_close(&process);
    }
}

cJSON *service_hub_status(void)
{
    cJSON *status = NULL;
    struct error none = {0};
    if (path_exists(HUB_STATUS))
        json_read(HUB_STATUS, LARGEST_STATUS, &status, &none);
    error_free(&none);
    note_silence(status);
    return status;
}

bool service_hub_ready(const cJSON *status)
{
    return json_true(status, "ready") && !*json_string(status, "trouble", "");
}

/* Whether sensorhub is ready, or is in trouble that does not go away soon and that it retries. */
static bool hub_answers(const struct daemon *process)
{
    cJSON *status = service_hub_status();
    double age = json_number(status, "time", 0) - json_number(status, "started", 0);
    bool own = (pid_t)json_number(status, "pid", 0) == process->id;
    bool ready = service_hub_ready(status);
    bool troubled = *json_string(status, "trouble", "") && age >= settled;
    cJSON_Delete(status);
    return own && (troubled || ready);
}

/* Adds the last lines of its log to the error's advice, unless it has written nothing since its
 * start. */
static enum status advise_log(enum service service, const struct daemon *process,
                              struct error *error)
{
    owned char *path = daemon_log_file(service_names[service]);
    struct text log = {0};
    struct error none = {0};
    struct stat facts;
    if (stat(path, &facts) == 0 && facts.st_mtime >= process->since &&
        read_file(path, LARGEST_LOG, &log, &none) == FINE && log.length) {
        const char *at = log.at + log.length - (log.at[log.length - 1] == '\n');
        for (int lines = 0; at > log.at; at--)
            if (at[-1] == '\n' && ++lines == LOG_LINES)
                break;
        advise(error, "its log, %s, ends with:", path);
        for (; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n'))
            advise(error, "  %.*s", (int)strcspn(at, "\n"), at);
    }
    text_free(&log);
    error_free(&none);
    return error->status;
}

enum status service_await(enum service service, const struct daemon *process, int port,
                          struct error *error)
{
    double until = clock_monotonic() + start_patience;
    enum status status = service == BROKER ? libmosquitto_load(error) : FINE;
    if (status)
        return status;
    while (clock_monotonic() < until) {
        if (service == HUB ? hub_answers(process) : broker_answers(port, 2))
            return FINE;
        if (daemon_wait(process, 0.05)) {
            fail(error, REFUSED, "the %s ended before it was ready", service_titles[service]);
            return advise_log(service, process, error);
        }
    }
    if (service == HUB)
        return FINE; /* it waits for its database; meanwhile readings wait in the spool */
    fail(error, REFUSED, "the %s is not ready after %.0f seconds", service_titles[service],
         start_patience);
    return advise_log(service, process, error);
}

/* --- ending --- */

enum status service_end(enum service service, struct daemon *process, struct error *error)
{
    if (daemon_end(service_names[service], process, end_patience[service]))
        return FINE;
    fail(error, REFUSED, "the %s did not end within %.0f seconds and was killed",
         service_titles[service], end_patience[service]);
    return service == HUB
               ? advise(error, "what it had not stored is in the spool: the next make up stores it")
               : REFUSED;
}
