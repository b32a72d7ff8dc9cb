#include "supervisor.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "backlog.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Seconds. One that ran as long as `settled` begins with the shortest pause again. */
static const double shortest_pause = 1, longest_pause = 60, settled = 60;

struct kept {
    struct process process;
    double pause;   /* before the next start */
    double started; /* monotonic */
    bool resting;   /* until it is started again, */
    double due;     /* then */
};

/* Tells systemd, where it asked to be told (sd_notify(3)): a datagram to the socket that it names,
 * in which a leading "@" stands for NUL. */
static void tell_systemd(const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || !*path || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@')
        address.sun_path[0] = '\0';
    int end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end < 0)
        return;
    if (sendto(end, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
        perror("systemd");
    close(end);
}

static enum status start(struct context *context, const struct programs *programs,
                         enum service service, struct kept *kept)
{
    kept->started = clock_monotonic();
    kept->resting = false;
    return service_start(programs, service, true, &kept->process, &context->error);
}

static void plan_restart(struct context *context, enum service service, struct kept *kept)
{
    if (clock_monotonic() - kept->started > settled || kept->pause < shortest_pause)
        kept->pause = shortest_pause;
    process_close(&kept->process);
    process_forget(service_names[service]);
    say(context, "the %s ended; it is started again in %.0f s", service_titles[service],
        kept->pause);
    kept->resting = true;
    kept->due = clock_monotonic() + kept->pause;
    kept->pause = 2 * kept->pause > longest_pause ? longest_pause : 2 * kept->pause;
}

/* Looks at each child, and starts what is due. A start that fails is tried again like one that
 * ended. */
static void look_after(struct context *context, const struct programs *programs, struct kept *kept)
{
    for (int i = 0; i < SERVICES; i++) {
        enum service service = (enum service)i;
        if (!kept[i].resting && !process_running(&kept[i].process))
            plan_restart(context, service, &kept[i]);
        if (!kept[i].resting || clock_monotonic() < kept[i].due)
            continue;
        if (start(context, programs, service, &kept[i])) {
            say(context, "%s", text_string(&context->error.message));
            error_free(&context->error);
            plan_restart(context, service, &kept[i]);
        }
    }
}

static void watch(struct context *context, const struct programs *programs, struct kept *kept,
                  const sigset_t *signals)
{
    const struct timespec moment = {.tv_nsec = 200000000};
    for (;;) {
        int number = sigtimedwait(signals, NULL, &moment);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP && !kept[BROKER].resting)
            process_signal(&kept[BROKER].process, SIGHUP);
        look_after(context, programs, kept);
    }
}

/* The broker first, then sensorhub, which stores what is left; where it had died, another one does.
 * The first error is told. */
static enum status end_both(struct context *context, struct kept *kept)
{
    enum status status = FINE;
    bool works = process_running(&kept[HUB].process);
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct error error = {0};
        if (kept[i].process.handle >= 0 && service_end((enum service)i, &kept[i].process, &error) &&
            !status) {
            error_free(&context->error);
            context->error = error;
            status = error.status;
        } else {
            error_free(&error);
        }
    }
    backlog_drain(context, works);
    return status;
}

static enum status start_both(struct context *context, const struct programs *programs, int port,
                              struct kept *kept)
{
    enum status status = process_note(KEEPER, getpid(), &context->error);
    for (int i = 0; i < SERVICES && !status; i++)
        status = start(context, programs, (enum service)i, &kept[i]);
    for (int i = 0; i < SERVICES && !status; i++)
        status = service_await((enum service)i, &kept[i].process, port, &context->error);
    return status;
}

enum status keep_running(struct context *context, const struct programs *programs, int port,
                         int *lock)
{
    struct kept kept[SERVICES] = {{.process.handle = -1}, {.process.handle = -1}};
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    enum status status = start_both(context, programs, port, kept);
    unlock(lock);
    if (!status) {
        say(context, "ready on port %d", port);
        backlog_warn(context);
        tell_systemd("READY=1");
        watch(context, programs, kept, &signals);
        tell_systemd("STOPPING=1");
        say(context, "ending");
    }
    struct error first = context->error;
    context->error = (struct error){0};
    enum status ended = end_both(context, kept);
    if (status) {
        error_free(&context->error);
        context->error = first;
    }
    process_forget(KEEPER);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status ? status : ended;
}
