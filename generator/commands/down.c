#include "commands.h"
#include "common/base/files.h"
#include "common/base/paths.h"
#include "generator/local/backlog.h"
#include "generator/local/service.h"
#include "generator/project/project.h"

#include <signal.h>

/* As long as both together may take, and a little. */
static const double supervisor_patience = 150;

/* The one that would start them again goes first, and ends them itself. */
static bool end_supervisor(const struct context *context)
{
    struct daemon supervisor;
    if (!daemon_find(SUPERVISOR, &supervisor))
        return false;
    daemon_signal(&supervisor, SIGTERM);
    if (!daemon_wait(&supervisor, supervisor_patience)) {
        cli_say(context, "process %d, which keeps the local system running, had to be killed",
                (int)supervisor.id);
        daemon_end(SUPERVISOR, &supervisor, 0);
    }
    daemon_close(&supervisor);
    return true;
}

/* The broker first: what it has taken in, sensorhub stores before it ends; where it had died,
 * another one does. Both are ended whatever becomes of the first. */
enum status command_down(struct context *context)
{
    int lock = -1;
    struct project project;
    enum status status = command_find(context, &project);
    if (!status && !is_folder(LOCAL_FOLDER)) {
        cli_say(context, "the local system is not running");
        project_free(&project);
        return FINE;
    }
    if (!status)
        status = lock_folder(LOCAL_FOLDER, true, &lock, &context->error);
    if (status) {
        project_free(&project);
        return status;
    }
    bool ended = end_supervisor(context), drained = ended;
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct daemon process;
        struct error error = {0};
        if (!service_find((enum service)i, &process)) {
            daemon_forget(service_names[i]);
            continue;
        }
        ended = true;
        drained |= i == HUB;
        cli_say_more(context, "ending the %s, process %d", service_titles[i], (int)process.id);
        if (service_end((enum service)i, &process, &error)) {
            error_free(&context->error);
            context->error = error;
            status = error.status;
        }
    }
    backlog_drain(project.reporter, drained);
    project_free(&project);
    unlock(&lock);
    if (!status)
        cli_say(context, ended ? "the local system is down" : "the local system is not running");
    return status;
}
