#include "services.h"
#include "backlog.h"

#include <signal.h>

/* Seconds that the supervisor has for ending both services. */
static const double supervisor_patience = 150;

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
