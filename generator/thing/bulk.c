#include "bulk.h"
#include "common/base/clock.h"
#include "common/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST_WORKERS = 64,
    FIRST_GROUP = 4, /* things; a group doubles as long as it takes less than group_seconds */
    LARGEST_GROUP = 512
};

static const double group_seconds = 0.5;

/* The folder of each thing of a group is open, for its lock. The margin is for other files. */
static size_t largest_group(void)
{
    enum { MARGIN = 64 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= LARGEST_GROUP + MARGIN)
        return LARGEST_GROUP;
    return limit.rlim_cur > MARGIN ? (size_t)limit.rlim_cur - MARGIN : 1;
}

/* What a worker writes into the pipe for each thing. It has at most PIPE_BUF bytes, so that the
 * messages of two workers never mix. */
struct message {
    size_t index;
    enum outcome outcome;
    char text[512], advice[512]; /* truncated where they are longer */
};

_Static_assert(sizeof(struct message) <= PIPE_BUF, "written in one piece");

/* For send_result(). */
struct sender {
    const struct making *things; /* all of them */
    int pipe_end;
};

static void send_result(void *context, struct making *thing)
{
    const struct sender *sender = context;
    struct message message = {.index = (size_t)(thing - sender->things), .outcome = thing->outcome};
    if (thing->outcome == FAILED) {
        snprintf(message.text, sizeof message.text, "%s", text_string(&thing->error.message));
        snprintf(message.advice, sizeof message.advice, "%s", text_string(&thing->error.advice));
    }
    ssize_t put;
    do
        put = write(sender->pipe_end, &message, sizeof message);
    while (put < 0 && errno == EINTR);
    if (put != (ssize_t)sizeof message)
        _exit(REFUSED); /* the calling process has ended */
}

/* Shared by the workers, in shared memory. */
struct queue {
    _Atomic size_t next; /* the first thing that no worker has taken */
    size_t count, workers;
};

/* Takes at most wanted things, fewer towards the end, so that all workers end at about the same time:
 * one RSA key may take five times as long as another. Returns how many, from *start on. */
static size_t take(struct queue *queue, size_t wanted, size_t *start)
{
    *start = atomic_load(&queue->next);
    for (;;) {
        size_t left = queue->count - *start, share = left / (2 * queue->workers);
        size_t size = wanted < share ? wanted : share ? share : left ? 1 : 0;
        if (!size || atomic_compare_exchange_weak(&queue->next, start, *start + size))
            return size;
    }
}

static void work(struct target *target, struct making *things, struct queue *queue, int pipe_end)
{
    struct sender sender = {things, pipe_end};
    size_t largest = largest_group(), group = target->group ? target->group : FIRST_GROUP;
    size_t start, size;
    if (group > largest)
        group = largest;
    while ((size = take(queue, group, &start))) {
        double began = clock_monotonic();
        make_things(target, &things[start], size, send_result, &sender);
        double took = clock_monotonic() - began;
        for (size_t i = start; i < start + size; i++)
            make_free(&things[i]);
        if (target->group)
            continue;
        if (took < group_seconds && 2 * group <= largest)
            group *= 2;
        else if (took > 2 * group_seconds && group > 1)
            group /= 2;
    }
}

static pid_t start_worker(struct target *target, struct making *things, struct queue *queue,
                          const int ends[2])
{
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a worker ends when the calling process is killed */
    close(ends[0]);
    if (target->after_fork)
        target->after_fork(target);
    work(target, things, queue, ends[1]);
    _exit(0);
}

/* Until all workers have closed the pipe. */
static void receive_results(int pipe_end, bulk_observer *observer, void *context)
{
    struct message message;
    for (;;) {
        ssize_t got = read(pipe_end, &message, sizeof message);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof message)
            return;
        struct bulk_result result = {message.index, message.outcome, message.text, message.advice};
        observer(context, &result);
    }
}

static enum status wait_for(const pid_t *workers, size_t count, struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < count; i++) {
        int result = 0;
        if (waitpid(workers[i], &result, 0) < 0 || !WIFEXITED(result) || WEXITSTATUS(result)) {
            fail(error, REFUSED, "a worker process ended before its work was done");
            status =
                advise(error, "run the same command again: it continues where this one stopped");
        }
    }
    return status;
}

static size_t count_workers(size_t things)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = cores < 1 ? 1 : cores > MOST_WORKERS ? MOST_WORKERS : (size_t)cores;
    return wanted < things ? wanted : things;
}

enum status bulk_make(struct target *target, struct making *things, size_t count,
                      bulk_observer *observer, void *context, struct error *error)
{
    pid_t workers[MOST_WORKERS];
    size_t started = 0;
    int ends[2];
    enum status status = target->before_fork ? target->before_fork(target, error) : FINE;
    if (status)
        return status;
    struct queue *queue =
        mmap(NULL, sizeof *queue, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (queue == MAP_FAILED || pipe(ends))
        return fail_errno(error, "cannot start workers");
    queue->count = count;
    queue->workers = count_workers(count);
    for (; started < queue->workers; started++) {
        workers[started] = start_worker(target, things, queue, ends);
        if (workers[started] < 0) {
            status = fail_errno(error, "cannot start workers");
            break;
        }
    }
    close(ends[1]);
    receive_results(ends[0], observer, context);
    close(ends[0]);
    enum status ended = wait_for(workers, started, error);
    munmap(queue, sizeof *queue);
    return status ? status : ended;
}
