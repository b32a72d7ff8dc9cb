/* Background processes of the local system: started, found, ended.
 *
 * iot_system_infra/local/run/<name>.pid holds the number of one. Numbers are used again, so a
 * number is believed only when that process is called so and works in this project's folder; it is
 * then held by a descriptor (pidfd), which never means another. */
#ifndef GENERATOR_LOCAL_DAEMON_H
#define GENERATOR_LOCAL_DAEMON_H

#include "common/base/error.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct daemon {
    pid_t id;
    int handle;   /* of the kernel; -1: there is none */
    time_t since; /* when it was started; 0 when that cannot be told */
};

struct launch {
    const char *name;         /* of the process, its pid file, its log */
    const char *const *words; /* the program's path, its arguments, NULL */
    bool attached;            /* speaks where its parent does, and ends with it */
};

/* False when none of that name is running. The caller closes what was found. */
bool daemon_find(const char *name, struct daemon *found);
void daemon_close(struct daemon *process);

/* Starts a program with standard input from nowhere and, unless it is attached, output to its log
 * in a session of its own. Its pid file is there before the program runs. REFUSED when it cannot be
 * run. */
enum status daemon_start(const struct launch *launch, struct daemon *started, struct error *error);

bool daemon_running(const struct daemon *process);

/* Waits at most so many seconds for its end; true when it has ended. */
bool daemon_wait(const struct daemon *process, double seconds);

void daemon_signal(const struct daemon *process, int number);

/* SIGTERM, then after so many seconds SIGKILL; false when it took that. Removes the pid file. */
bool daemon_end(const char *name, struct daemon *process, double patience);

/* A number's file, for a process that starts itself. */
enum status daemon_note(const char *name, pid_t id, struct error *error);
void daemon_forget(const char *name);

/* The paths of its two files; freed by the caller. */
char *daemon_pid_file(const char *name);
char *daemon_log_file(const char *name);

#endif
