#include "commands.h"
#include "common/base/files.h"
#include "common/base/paths.h"
#include "generator/local/backlog.h"

#include <signal.h>

/* As long as both together may take, and a little. */
static const double keeper_patience = 150;

/* The one that would start them again goes first, and ends them itself. */
static bool end_keeper(const struct context *context)
{
    struct process keeper;
    if (!process_find(KEEPER, &keeper))
        return false;
    process_signal(&keeper, SIGTERM);
    if (!process_wait(&keeper, keeper_patience)) {
        say(context, "process %d, which keeps the local system running, had to be killed",
            (int)keeper.id);
        process_end(KEEPER, &keeper, 0);
    }
    process_close(&keeper);
    return true;
}

/* The broker first: what it has taken in, sensorhub stores before it ends; where it had died,
 * another one does. Both are ended whatever becomes of the first. */
enum status command_down(struct context *context)
{
    int lock = -1;
    enum status status = project_open(context);
    if (!status && !is_folder(LOCAL_FOLDER)) {
        say(context, "the local system is not running");
        return FINE;
    }
    if (!status)
        status = lock_folder(LOCAL_FOLDER, true, &lock, &context->error);
    if (status)
        return status;
    bool ended = end_keeper(context), drained = ended;
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct process process;
        struct error error = {0};
        if (!service_find((enum service)i, &process)) {
            process_forget(service_names[i]);
            continue;
        }
        ended = true;
        drained |= i == HUB;
        say_more(context, "ending the %s, process %d", service_titles[i], (int)process.id);
        if (service_end((enum service)i, &process, &error)) {
            error_free(&context->error);
            context->error = error;
            status = error.status;
        }
    }
    backlog_drain(context, drained);
    unlock(&lock);
    if (!status)
        say(context, ended ? "the local system is down" : "the local system is not running");
    return status;
}
