#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/paths.h"
#include "generator/local/backlog.h"
#include "generator/local/supervisor.h"
#include "generator/local/port.h"
#include "generator/local/prepare.h"
#include "local.h"

#include <signal.h>

/* What `up` found, and what it started itself and ends again when the rest cannot be started. */
struct services {
    struct daemon processes[SERVICES];
    bool started[SERVICES];
};

static void look(struct services *services)
{
    for (int i = 0; i < SERVICES; i++)
        service_find((enum service)i, &services->processes[i]);
}

static bool runs(const struct services *services, enum service service)
{
    return services->processes[service].handle >= 0;
}

static enum status start_missing(struct context *context, const struct service_programs *programs,
                                 int port, struct services *services)
{
    enum status status = FINE;
    for (int i = 0; i < SERVICES && !status; i++) {
        if (runs(services, (enum service)i))
            continue;
        status = service_start(programs, (enum service)i, false, &services->processes[i],
                               &context->error);
        services->started[i] = !status;
    }
    for (int i = 0; i < SERVICES && !status; i++)
        status = service_await((enum service)i, &services->processes[i], port, &context->error);
    return status;
}

static void take_back(struct services *services)
{
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct error ignored = {0}; /* the reason for all this is told already */
        if (services->started[i])
            service_end((enum service)i, &services->processes[i], &ignored);
        error_free(&ignored);
    }
}

/* A broker that runs keeps what it was started with, but for its certificate. */
static void refresh(const struct context *context, const struct prepared *prepared,
                    const struct services *services)
{
    if (prepared->renewed)
        daemon_signal(&services->processes[BROKER], SIGHUP);
    if (prepared->changed)
        cli_say(context,
                "the broker runs with another configuration than there should be: make down, "
                "then make up");
}

static void tell(struct context *context)
{
    cJSON *state = local_state();
    if (context->json) {
        json_layout(state, &context->out);
    } else {
        write_local_state(state, &context->out);
        text_add_string(&context->out, "next       make simulate, make status, make down\n");
    }
    cJSON_Delete(state);
}

static enum status refuse_second(struct context *context)
{
    fail(&context->error, REFUSED, "the local system is running already");
    return advise(&context->error, "make down ends it");
}

static enum status bring_up(struct context *context, struct project *project,
                            const struct service_programs *programs, int *lock)
{
    struct error *error = &context->error;
    struct services services = {0};
    bool foreground = cli_given(context, "foreground");
    look(&services);
    bool all = runs(&services, HUB) && runs(&services, BROKER);
    struct prepared prepared = {.running = runs(&services, BROKER)};
    enum status status = prepare_system(project, programs, &prepared, error);
    if (!status && foreground && (runs(&services, HUB) || runs(&services, BROKER)))
        status = refuse_second(context);
    if (!status && prepared.running)
        refresh(context, &prepared, &services);
    else if (!status)
        status = port_check(prepared.port, error);
    if (!status && foreground)
        status = supervisor_run(project->reporter, programs, prepared.port, lock, error);
    else if (!status && !all)
        status = start_missing(context, programs, service_broker_port(prepared.port), &services);
    if (status) {
        take_back(&services);
    } else if (!foreground) {
        backlog_warn(project->reporter);
        tell(context);
    }
    for (int i = 0; i < SERVICES; i++)
        daemon_close(&services.processes[i]);
    return status;
}

enum status command_up(struct context *context)
{
    struct project project;
    struct service_programs programs = {0};
    struct daemon supervisor = {.handle = -1};
    int lock = -1;
    enum status status = command_load(context, &project);
    if (!status)
        status = service_find_programs(&programs, &context->error);
    if (!status)
        status = prepare_folders(&context->error);
    if (!status)
        status = lock_folder(LOCAL_FOLDER, true, &lock, &context->error);
    bool kept = !status && daemon_find(SUPERVISOR, &supervisor);
    if (kept && cli_given(context, "foreground")) {
        status = refuse_second(context);
    } else if (kept) {
        cli_say(context, "process %d keeps the local system running (up --foreground)",
                (int)supervisor.id);
        tell(context);
    } else if (!status) {
        status = bring_up(context, &project, &programs, &lock);
    }
    daemon_close(&supervisor);
    unlock(&lock);
    service_free_programs(&programs);
    project_free(&project);
    return status;
}
