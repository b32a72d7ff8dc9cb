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

static volatile sig_atomic_t child, asked_to_stop, watching;
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
    watching = 1;
    sigaction(SIGINT, &action, &interrupt_before);
    sigaction(SIGTERM, &action, &terminate_before);
}

void subprocess_end_watch(void)
{
    watching = 0;
    sigaction(SIGINT, &interrupt_before, NULL);
    sigaction(SIGTERM, &terminate_before, NULL);
}

bool subprocess_interrupted(void)
{
    return asked_to_stop != 0;
}

void subprocess_stop(void)
{
    hand_on(SIGTERM);
}

/* A signal that came while the child was being started is passed on now. */
static void remember_child(pid_t started)
{
    child = started;
    if (watching && asked_to_stop)
        kill(started, SIGINT);
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
    remember_child(started);
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

/* Hands on the lines of what was read, and keeps the rest of the last one. */
static void hand_lines(struct text *said, void (*take)(void *context, char *line), void *context)
{
    char *at = said->at, *end;
    while (said->length && (end = memchr(at, '\n', said->length - (size_t)(at - said->at)))) {
        *end = '\0';
        take(context, at);
        at = end + 1;
    }
    size_t left = said->length - (size_t)(at - said->at);
    if (left)
        memmove(said->at, at, left);
    said->length = left;
}

static void read_lines(int from, void (*take)(void *context, char *line), void *context)
{
    char block[4096];
    struct text said = {0};
    for (;;) {
        ssize_t got = read(from, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        text_add(&said, block, (size_t)got);
        hand_lines(&said, take, context);
    }
    if (said.length) {
        text_add_char(&said, '\n');
        hand_lines(&said, take, context);
    }
    text_free(&said);
}

enum status subprocess_lines(const char *const *words, void (*take)(void *context, char *line),
                             void *context, int *code, bool *missing, struct error *error)
{
    int ends[2];
    pid_t started = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(error, "cannot make a pipe");
    enum status status = start(words, ends[1], STDERR_FILENO, &started, missing, error);
    close(ends[1]);
    if (!status) {
        remember_child(started);
        read_lines(ends[0], take, context);
        status = wait_for(started, code, error);
        child = 0;
    }
    close(ends[0]);
    return status;
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
        remember_child(started);
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
