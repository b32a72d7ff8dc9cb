#include "subprocess.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- signals --- */

static volatile sig_atomic_t child, asked_to_stop;
static struct sigaction interrupt_before, terminate_before;

/* The terminal sends Ctrl-C to the child, too; SIGTERM arrives here only and is passed on. */
static void hand_on(int number)
{
    asked_to_stop = 1;
    if (number == SIGTERM && child > 0)
        kill((pid_t)child, SIGINT);
}

void subprocess_watch(void)
{
    struct sigaction action = {.sa_handler = hand_on};
    asked_to_stop = 0;
    sigaction(SIGINT, &action, &interrupt_before);
    sigaction(SIGTERM, &action, &terminate_before);
}

void subprocess_end_watch(void)
{
    sigaction(SIGINT, &interrupt_before, NULL);
    sigaction(SIGTERM, &terminate_before, NULL);
}

bool subprocess_interrupted(void)
{
    return asked_to_stop != 0;
}

/* --- starting --- */

/* output, errors: the descriptors of its standard output and standard error. */
static enum status start(const char *const *words, int output, int errors, pid_t *started,
                         bool *missing, struct error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGTERM);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    /* posix_spawnp() does not change the words; its type is older than const. */
    int failed =
        posix_spawnp(started, words[0], &actions, &attributes, (char *const *)words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (missing)
        *missing = failed == ENOENT;
    errno = failed;
    return failed ? fail_errno(error, "cannot start %s", words[0]) : FINE;
}

static enum status wait_for(pid_t started, int *code, struct error *error)
{
    int how = 0;
    while (waitpid(started, &how, 0) < 0)
        if (errno != EINTR)
            return fail_errno(error, "cannot wait for a program");
    *code = WIFSIGNALED(how) ? SUBPROCESS_SIGNALLED + WTERMSIG(how) : WEXITSTATUS(how);
    return FINE;
}

enum status subprocess_run(const char *const *words, bool only_errors, int *code, bool *missing,
                           struct error *error)
{
    pid_t started = 0;
    enum status status = start(words, only_errors ? STDERR_FILENO : STDOUT_FILENO, STDERR_FILENO,
                               &started, missing, error);
    if (status)
        return status;
    child = started;
    status = wait_for(started, code, error);
    child = 0;
    return status;
}

/* --- reading its output --- */

/* Reads until the other end is closed. False when that takes longer than seconds. */
static bool read_all(int from, int seconds, struct text *said)
{
    double end = clock_monotonic() + seconds;
    char block[4096];
    for (;;) {
        struct pollfd waiting = {.fd = from, .events = POLLIN};
        double left = end - clock_monotonic();
        if (left <= 0)
            return false;
        if (poll(&waiting, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        text_add(said, block, (size_t)got);
    }
}

enum status subprocess_capture(const char *const *words, int seconds, struct text *said, int *code,
                               bool *missing, struct error *error)
{
    int ends[2];
    pid_t started = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(error, "cannot make a pipe");
    enum status status = start(words, ends[1], ends[1], &started, missing, error);
    close(ends[1]);
    if (!status) {
        child = started;
        bool ended = read_all(ends[0], seconds, said);
        if (!ended)
            kill(started, SIGKILL);
        status = wait_for(started, code, error);
        child = 0;
        if (!ended)
            *code = SUBPROCESS_TIMED_OUT;
    }
    close(ends[0]);
    return status;
}
