/* Background processes of the local system: they are started, found and ended.
 *
 * iot_system_infra/local/run/<name>.pid holds the process id. The kernel reuses process ids, so a
 * process counts as found only when it has this name and works in this project's folder. It is then
 * held by a file descriptor (pidfd), which never refers to another process. */
#ifndef GENERATOR_LOCAL_DAEMON_H
#define GENERATOR_LOCAL_DAEMON_H

#include "common/base/error.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct daemon {
    pid_t id;
    int handle;   /* pidfd; -1: none */
    time_t since; /* when it was started; 0: not known */
};

/* How a program is started. */
struct launch {
    const char *name;         /* of the process, its pid file and its log */
    const char *const *words; /* the path of the program, its arguments, NULL */
    bool attached; /* it writes to the parent's standard error, and ends with the parent */
};

/* False when no process of that name is running. The caller closes what was found. */
bool daemon_find(const char *name, struct daemon *found);
void daemon_close(struct daemon *process);

/* Starts a program. Its standard input is empty. Unless it is attached, its output goes to its log,
 * and it gets a session of its own. The pid file is written before the program runs. REFUSED when
 * it cannot be run. */
enum status daemon_start(const struct launch *launch, struct daemon *started, struct error *error);

/* False when the process has ended, or its handle is -1. */
bool daemon_running(const struct daemon *process);

/* Waits until it ends, at most so many seconds; true when it has ended. */
bool daemon_wait(const struct daemon *process, double seconds);

/* Sends a signal. Does nothing when the process has ended. */
void daemon_signal(const struct daemon *process, int number);

/* Sends SIGTERM, and SIGKILL when it has not ended after `patience` seconds; false when SIGKILL was
 * needed. Removes the pid file. */
bool daemon_end(const char *name, struct daemon *process, double patience);

/* Writes and removes a pid file, for a process that was not started by daemon_start(). */
enum status daemon_note(const char *name, pid_t id, struct error *error);
void daemon_forget(const char *name);

/* The path of its log; freed by the caller. */
char *daemon_log_file(const char *name);

#endif
