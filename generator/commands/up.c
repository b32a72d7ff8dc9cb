#include "commands.h"
#include "common/base/files.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/owner.h"
#include "common/base/paths.h"
#include "generator/local/backlog.h"
#include "generator/local/certificates.h"
#include "generator/local/port.h"
#include "generator/local/prepare.h"
#include "generator/local/services.h"
#include "generator/local/state.h"
#include "generator/local/supervisor.h"

#include <signal.h>
#include <unistd.h>

/* A broker that is running keeps its configuration, but reads its certificate again. */
static void refresh(const struct context *context, const struct prepared *prepared,
                    const struct services *services)
{
    /* The time of its start may be wrong by a second. */
    if (services->processes[BROKER].since + 2 < certificates_trust_changed())
        cli_say(context,
                "the broker started before the authority was renewed: make down, then make up");
    if (prepared->renewed)
        daemon_signal(&services->processes[BROKER], SIGHUP);
    if (prepared->changed)
        cli_say(context,
                "the broker runs with another configuration than there should be: make down, "
                "then make up");
}

static void tell(struct context *context)
{
    cJSON *state = state_make();
    if (context->json) {
        json_layout(state, &context->out);
    } else {
        state_write(state, &context->out);
        hint_add(&context->out, "next       make simulate, make status, make down\n");
    }
    cJSON_Delete(state);
}

static enum status refuse_second(struct context *context)
{
    fail(&context->error, REFUSED, "the local system is running already");
    return advise(&context->error, "make down ends it");
}

static enum status bring_up(struct context *context, struct project *project,
                            const struct service_programs *programs, struct services *services)
{
    struct error *error = &context->error;
    struct prepared prepared = {.running = services_running(services, BROKER)};
    enum status status = prepare_system(project, programs, &prepared, error);
    if (!status && prepared.running)
        refresh(context, &prepared, services);
    else if (!status)
        status = port_check(prepared.port, error);
    if (!status)
        status = services_start(services, programs, service_broker_port(prepared.port), error);
    if (status)
        return status;
    backlog_warn(project->reporter);
    tell(context);
    return FINE;
}

/* Both run as children of this process until it is ended. */
static enum status keep_up(struct context *context, struct project *project,
                           const struct service_programs *programs, const struct services *services,
                           int *lock)
{
    struct prepared prepared = {.running = services_running(services, BROKER)};
    enum status status = prepare_system(project, programs, &prepared, &context->error);
    if (!status && (services_running(services, HUB) || services_running(services, BROKER)))
        status = refuse_second(context);
    if (!status)
        status = port_check(prepared.port, &context->error);
    if (!status)
        status = supervisor_run(project->reporter, programs, prepared.port, lock, &context->error);
    return status;
}

/* lock: of LOCAL_FOLDER, held. */
static enum status up(struct context *context, struct project *project,
                      const struct service_programs *programs, int *lock)
{
    bool foreground = cli_given(context, "foreground");
    struct services services;
    struct daemon supervisor;
    enum status status = FINE;
    bool supervised = daemon_find(SUPERVISOR, &supervisor);
    services_find(&services);
    if (supervised && foreground) {
        status = refuse_second(context);
    } else if (supervised) {
        cli_say(context, "process %d keeps the local system running (up --foreground)",
                (int)supervisor.id);
        tell(context);
    } else if (foreground) {
        status = keep_up(context, project, programs, &services, lock);
    } else {
        status = bring_up(context, project, programs, &services);
    }
    daemon_close(&supervisor);
    services_close(&services);
    return status;
}

/* Files that root makes in another's project are root's. */
static void warn_of_owner(const struct context *context)
{
    owned char *owner = geteuid() == 0 ? owner_of_project() : NULL;
    if (owner)
        cli_say(context,
                "warning: this project belongs to %s, who will not be able to use what root makes "
                "in it: better run this as %s",
                owner, owner);
}

enum status command_up(struct context *context)
{
    struct project project;
    struct service_programs programs = {0};
    int lock = -1;
    enum status status = command_load(context, &project);
    if (!status)
        status = service_find_programs(&programs, &context->error);
    if (!status)
        status = owner_check(LOCAL_FOLDER, &context->error);
    if (!status)
        warn_of_owner(context);
    if (!status)
        status = prepare_folders(&context->error);
    if (!status)
        status = lock_folder(LOCAL_FOLDER, true, &lock, &context->error);
    if (!status)
        status = up(context, &project, &programs, &lock);
    unlock(&lock);
    service_free_programs(&programs);
    project_free(&project);
    return status;
}
