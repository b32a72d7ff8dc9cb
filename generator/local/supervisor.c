#include "supervisor.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "backlog.h"

#include <errno.h>
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

/* Seconds. After a child has run for `settled` seconds, the next pause is the shortest again. */
static const double shortest_pause = 1, longest_pause = 60, settled = 60;

struct supervised {
    struct daemon process;
    double pause;   /* seconds before the next start */
    double started; /* clock_monotonic() of the last start */
    bool resting;   /* it has ended, and is started again at `due` */
    double due;     /* clock_monotonic() */
};

/* Sends a message to systemd, if systemd started this process (sd_notify(3)): one datagram to the
 * socket in NOTIFY_SOCKET. A leading "@" of its name stands for NUL. */
static void tell_systemd(const struct reporter *reporter, const char *message)
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
        report_line(reporter, "systemd: %s", strerror(errno));
    close(end);
}

static enum status start(const struct service_programs *programs, enum service service,
                         struct supervised *kept, struct error *error)
{
    kept->started = clock_monotonic();
    kept->resting = false;
    return service_start(programs, service, true, &kept->process, error);
}

static void plan_restart(const struct reporter *reporter, enum service service,
                         struct supervised *kept)
{
    if (clock_monotonic() - kept->started > settled || kept->pause < shortest_pause)
        kept->pause = shortest_pause;
    daemon_close(&kept->process);
    daemon_forget(service_names[service]);
    report_line(reporter, "the %s ended; it is started again in %.0f s", service_titles[service],
                kept->pause);
    kept->resting = true;
    kept->due = clock_monotonic() + kept->pause;
    kept->pause = 2 * kept->pause > longest_pause ? longest_pause : 2 * kept->pause;
}

/* Plans a restart of each child that has ended, and starts each whose pause is over. A start that
 * fails is treated like a child that ended. */
static void look_after(const struct reporter *reporter, const struct service_programs *programs,
                       struct supervised *kept)
{
    for (int i = 0; i < SERVICES; i++) {
        enum service service = (enum service)i;
        if (!kept[i].resting && !daemon_running(&kept[i].process))
            plan_restart(reporter, service, &kept[i]);
        if (!kept[i].resting || clock_monotonic() < kept[i].due)
            continue;
        struct error error = {0};
        if (start(programs, service, &kept[i], &error)) {
            report_line(reporter, "%s", text_string(&error.message));
            error_free(&error);
            plan_restart(reporter, service, &kept[i]);
        }
    }
}

static void watch(const struct reporter *reporter, const struct service_programs *programs,
                  struct supervised *kept, const sigset_t *signals)
{
    const struct timespec moment = {.tv_nsec = 200000000};
    for (;;) {
        int number = sigtimedwait(signals, NULL, &moment);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP && !kept[BROKER].resting)
            daemon_signal(&kept[BROKER].process, SIGHUP);
        look_after(reporter, programs, kept);
    }
}

/* Ends the broker first, then sensorhub, which stores what is left in the spool. When sensorhub is
 * not running, backlog_drain() starts another one for that. The first error is returned. */
static enum status end_both(const struct reporter *reporter, struct supervised *kept,
                            struct error *error)
{
    enum status status = FINE;
    bool works = daemon_running(&kept[HUB].process);
    for (int i = SERVICES - 1; i >= 0; i--) {
        struct error second = {0};
        if (kept[i].process.handle >= 0 && !status)
            status = service_end((enum service)i, &kept[i].process, error);
        else if (kept[i].process.handle >= 0)
            service_end((enum service)i, &kept[i].process, &second);
        error_free(&second);
    }
    backlog_drain(reporter, works);
    return status;
}

static enum status start_both(const struct service_programs *programs, int port,
                              struct supervised *kept, struct error *error)
{
    enum status status = daemon_note(SUPERVISOR, getpid(), error);
    for (int i = 0; i < SERVICES && !status; i++)
        status = start(programs, (enum service)i, &kept[i], error);
    for (int i = 0; i < SERVICES && !status; i++)
        status = service_await((enum service)i, &kept[i].process, port, error);
    return status;
}

enum status supervisor_run(const struct reporter *reporter, const struct service_programs *programs,
                           int port, int *lock, struct error *error)
{
    struct supervised kept[SERVICES] = {{.process.handle = -1}, {.process.handle = -1}};
    struct error at_end = {0};
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    enum status status = start_both(programs, port, kept, error);
    unlock(lock);
    if (!status) {
        report_line(reporter, "ready on port %d", port);
        backlog_warn(reporter);
        tell_systemd(reporter, "READY=1");
        watch(reporter, programs, kept, &signals);
        tell_systemd(reporter, "STOPPING=1");
        report_line(reporter, "ending");
        status = end_both(reporter, kept, error);
    } else {
        end_both(reporter, kept, &at_end); /* the error is why they could not start */
    }
    error_free(&at_end);
    daemon_forget(SUPERVISOR);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
