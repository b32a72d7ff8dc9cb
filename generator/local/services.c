#include "services.h"
#include "backlog.h"
#include "common/base/clock.h"

#include <signal.h>
#include <time.h>

/* Seconds that the supervisor has for ending both services. */
static const double supervisor_patience = 150;

/* Seconds that the supervisor has for starting a service again. */
static const double restart_patience = 30;

void services_find(struct services *services)
{
    *services = (struct services){0};
    for (int i = 0; i < SERVICES; i++)
        service_find((enum service)i, &services->processes[i]);
}

void services_close(struct services *services)
{
    for (int i = 0; i < SERVICES; i++)
        daemon_close(&services->processes[i]);
}

bool services_running(const struct services *services, enum service service)
{
    return services->processes[service].handle >= 0;
}

/* --- starting --- */

static void take_back(struct services *services)
{
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct error ignored = {0}; /* the error to return is why they could not start */
        if (services->started[i])
            service_end((enum service)i, &services->processes[i], &ignored);
        error_free(&ignored);
    }
}

enum status services_start(struct services *services, const struct service_programs *programs,
                           int port, struct error *error)
{
    enum status status = FINE;
    if (services_running(services, HUB) && services_running(services, BROKER))
        return FINE;
    for (int i = 0; i < SERVICES && !status; i++) {
        enum service service = (enum service)i;
        if (services_running(services, service))
            continue;
        status = service_start(programs, service, false, &services->processes[i], error);
        services->started[i] = !status;
    }
    for (int i = 0; i < SERVICES && !status; i++)
        status = service_await((enum service)i, &services->processes[i], port, error);
    if (status)
        take_back(services);
    return status;
}

/* --- ending --- */

/* The supervisor would start them again. It ends both when it is ended itself. */
static bool end_supervisor(const struct reporter *reporter)
{
    struct daemon supervisor;
    if (!daemon_find(SUPERVISOR, &supervisor))
        return false;
    daemon_signal(&supervisor, SIGTERM);
    if (!daemon_wait(&supervisor, supervisor_patience)) {
        report_line(reporter, "process %d, which keeps the local system running, had to be killed",
                    (int)supervisor.id);
        daemon_end(SUPERVISOR, &supervisor, 0);
    }
    daemon_close(&supervisor);
    return true;
}

enum status services_end(const struct reporter *reporter, bool *any, struct error *error)
{
    bool drained = end_supervisor(reporter);
    enum status status = FINE;
    *any = drained;
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct daemon process;
        struct error last = {0};
        if (!service_find((enum service)i, &process)) {
            daemon_forget(service_names[i]);
            continue;
        }
        *any = true;
        drained |= i == HUB;
        report_detail(reporter, "ending the %s, process %d", service_titles[i], (int)process.id);
        if (service_end((enum service)i, &process, &last)) {
            error_free(error);
            *error = last;
            status = last.status;
        }
    }
    backlog_drain(reporter, drained);
    return status;
}

/* --- starting again --- */

/* Ends one that is as old. The supervisor, where there is one, starts it again. */
static enum status end_older(enum service service, time_t before, bool *ended, struct error *error)
{
    struct daemon process;
    enum status status = FINE;
    *ended = service_find(service, &process) && process.since <= before;
    if (*ended)
        status = service_end(service, &process, error);
    daemon_close(&process);
    return status;
}

/* Waits until the supervisor has started it. */
static enum status await_supervised(enum service service, int port, struct error *error)
{
    const double until = clock_monotonic() + restart_patience;
    struct daemon process;
    while (!service_find(service, &process)) {
        if (clock_monotonic() > until)
            return fail(error, REFUSED, "the %s was not started again", service_titles[service]);
        const struct timespec moment = {.tv_nsec = 100000000};
        nanosleep(&moment, NULL);
    }
    enum status status = service_await(service, &process, port, error);
    daemon_close(&process);
    return status;
}

enum status services_restart(const struct service_programs *programs, time_t before, bool *any,
                             struct error *error)
{
    bool ended[SERVICES] = {false};
    struct daemon supervisor;
    struct services services;
    struct error second = {0};
    const int port = service_broker_port(0);
    const bool supervised = daemon_find(SUPERVISOR, &supervisor);
    enum status status = FINE;
    daemon_close(&supervisor);
    *any = false;
    for (int i = SERVICES - 1; i >= 0 && !status; i--) {
        status = end_older((enum service)i, before, &ended[i], error);
        *any |= ended[i];
    }
    if (*any && !supervised) {
        services_find(&services);
        enum status started = services_start(&services, programs, port, status ? &second : error);
        services_close(&services);
        error_free(&second);
        return status ? status : started;
    }
    for (int i = 0; i < SERVICES && !status && supervised; i++)
        if (ended[i])
            status = await_supervised((enum service)i, port, error);
    return status;
}
