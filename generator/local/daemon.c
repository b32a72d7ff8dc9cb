#include "daemon.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST_NOTE = 64, LARGEST_STAT = 4096 };

static char *pid_file(const char *name)
{
    return must_format(RUN_FOLDER "/%s.pid", name);
}

char *daemon_log_file(const char *name)
{
    return must_format(LOG_FILE, name);
}

/* --- finding --- */

static pid_t noted_id(const char *name)
{
    owned char *path = pid_file(name);
    struct text note = {0};
    struct error none = {0};
    long id = 0;
    if (read_file(path, LARGEST_NOTE, &note, &none) == FINE)
        id = strtol(text_string(&note), NULL, 10);
    text_free(&note);
    error_free(&none);
    return id > 1 && id < (1L << 22) ? (pid_t)id : 0; /* 2^22 is the kernel's limit */
}

/* Reads a file of /proc. Such files report a size of 0. */
static size_t read_proc(pid_t id, const char *file, char *bytes, size_t room)
{
    owned char *path = must_format("/proc/%d/%s", (int)id, file);
    FILE *open = fopen(path, "re");
    size_t length = open ? fread(bytes, 1, room - 1, open) : 0;
    if (open)
        fclose(open);
    bytes[length] = '\0';
    return length;
}

static bool is_called(pid_t id, const char *wanted)
{
    char name[LARGEST_NOTE];
    size_t length = read_proc(id, "comm", name, sizeof name);
    if (length && name[length - 1] == '\n')
        name[length - 1] = '\0';
    return strcmp(name, wanted) == 0;
}

static bool works_here(pid_t id)
{
    owned char *path = must_format("/proc/%d/cwd", (int)id);
    struct stat there, here;
    return stat(path, &there) == 0 && stat(".", &here) == 0 && there.st_dev == here.st_dev &&
           there.st_ino == here.st_ino;
}

/* When a process began: field 22 of its stat file, in clock ticks since boot (proc(5)). Field 2 is
 * the name, which may hold any character; it ends at the last ")". */
static time_t began(pid_t id)
{
    char stat[LARGEST_STAT];
    struct timespec up, wall;
    read_proc(id, "stat", stat, sizeof stat);
    const char *at = strrchr(stat, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || clock_gettime(CLOCK_BOOTTIME, &up) || clock_gettime(CLOCK_REALTIME, &wall))
        return 0;
    double ticks = strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
    return (time_t)((double)(wall.tv_sec - up.tv_sec) + (double)(wall.tv_nsec - up.tv_nsec) / 1e9 +
                    ticks);
}

bool daemon_find(const char *name, struct daemon *found)
{
    pid_t id = noted_id(name);
    *found = (struct daemon){.id = id, .handle = id ? pidfd_open(id, 0) : -1};
    if (found->handle >= 0 && daemon_running(found) && is_called(id, name) && works_here(id)) {
        found->since = began(id);
        return true;
    }
    daemon_close(found);
    return false;
}

void daemon_close(struct daemon *process)
{
    if (process->handle >= 0)
        close(process->handle);
    *process = (struct daemon){.handle = -1};
}

/* --- starting --- */

enum status daemon_note(const char *name, pid_t id, struct error *error)
{
    owned char *path = pid_file(name);
    owned char *number = must_format("%d\n", (int)id);
    return write_file(path, number, strlen(number), FILE_PUBLIC, error);
}

void daemon_forget(const char *name)
{
    owned char *path = pid_file(name);
    unlink(path);
}

static int open_log(const char *name)
{
    owned char *path = daemon_log_file(name);
    log_set_aside(path);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_SECRET);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* In the child: gives up what it has from its parent, signals that are ignored or blocked and the
 * standard streams. become() closes all other descriptors, make's jobserver among them. */
static bool set_apart(const struct launch *launch, pid_t parent)
{
    sigset_t none;
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = launch->attached ? STDERR_FILENO : open_log(launch->name);
    if (nowhere < 0 || log < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        return false;
    if (launch->attached) {
        setpgid(0, 0); /* Ctrl-C goes to the parent, which ends its children in order */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            return false;
    } else {
        setsid();
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    raise_file_limit();
    return true;
}

/* In the child: runs the program, and does not return. When that fails, errno is written into the
 * pipe `failure`; otherwise the pipe closes without a byte (close-on-exec). */
static _Noreturn void become(const struct launch *launch, pid_t parent, int failure)
{
    struct error error = {0};
    int kept = fcntl(failure, F_DUPFD_CLOEXEC, 3);
    errno = 0;
    if (kept >= 0 && set_apart(launch, parent) &&
        daemon_note(launch->name, getpid(), &error) == FINE) {
        if (kept != 3 && dup3(kept, 3, O_CLOEXEC) == 3)
            kept = 3;
        close_range(4, ~0U, 0);
        execv(launch->words[0], (char *const *)launch->words);
    }
    int reason = errno ? errno : EIO;
    daemon_forget(launch->name);
    if (write(kept, &reason, sizeof reason) < 0)
        _exit(126);
    _exit(127);
}

enum status daemon_start(const struct launch *launch, struct daemon *started, struct error *error)
{
    int ends[2], reason = 0;
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC))
        return fail_errno(error, "cannot start %s", launch->name);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become(launch, parent, ends[1]);
    close(ends[1]);
    ssize_t got = 0;
    do
        got = child < 0 ? 0 : read(ends[0], &reason, sizeof reason);
    while (got < 0 && errno == EINTR);
    close(ends[0]);
    if (child < 0)
        return fail_errno(error, "cannot start %s", launch->name);
    if (got > 0) {
        waitpid(child, NULL, 0);
        errno = reason;
        return fail_errno(error, "cannot run %s", launch->words[0]);
    }
    *started = (struct daemon){.id = child, .handle = pidfd_open(child, 0), .since = time(NULL)};
    return started->handle < 0 ? fail_errno(error, "cannot watch %s", launch->name) : FINE;
}

/* --- waiting, ending --- */

/* Waits for a child that has ended, which is a zombie until then. Does nothing for a process that
 * is not a child. */
static void reap(const struct daemon *process)
{
    siginfo_t ended;
    while (waitid(P_PIDFD, (id_t)process->handle, &ended, WEXITED | WNOHANG) < 0 && errno == EINTR)
        continue;
}

bool daemon_running(const struct daemon *process)
{
    return !daemon_wait(process, 0);
}

bool daemon_wait(const struct daemon *process, double seconds)
{
    struct pollfd end = {.fd = process->handle, .events = POLLIN};
    if (process->handle < 0)
        return true;
    bool ended = poll(&end, 1, (int)(seconds * 1000)) == 1;
    if (ended)
        reap(process);
    return ended;
}

void daemon_signal(const struct daemon *process, int number)
{
    if (process->handle >= 0)
        pidfd_send_signal(process->handle, number, NULL, 0);
}

bool daemon_end(const char *name, struct daemon *process, double patience)
{
    daemon_signal(process, SIGTERM);
    bool by_itself = daemon_wait(process, patience);
    if (!by_itself) {
        daemon_signal(process, SIGKILL);
        daemon_wait(process, patience);
    }
    daemon_forget(name);
    daemon_close(process);
    return by_itself;
}
