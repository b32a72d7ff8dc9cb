#include "progress.h"
#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

/* Seconds between two showings of a bar, and of a state. A run of less than `first` stays silent. */
static const double bar_on_terminal = 0.2, state_on_terminal = 0.5, in_log = 10, first = 1;

double progress_seconds(const struct progress *progress)
{
    return clock_monotonic() - progress->started;
}

void progress_begin(struct progress *progress, bool quiet, const char *verb, size_t total)
{
    *progress = (struct progress){.verb = verb,
                                  .total = total,
                                  .started = clock_monotonic(),
                                  .quiet = quiet,
                                  .terminal = isatty(STDERR_FILENO)};
}

/* Whether it is time to show something again. */
static bool is_due(struct progress *progress, double on_terminal, double elapsed)
{
    double interval = progress->terminal ? on_terminal : in_log;
    if (progress->quiet || elapsed - progress->shown < interval)
        return false;
    progress->shown = elapsed;
    return true;
}

static void show_bar(const struct progress *progress, double elapsed)
{
    double rate = (double)progress->done / elapsed;
    double left = rate > 0 ? (double)(progress->total - progress->done) / rate : 0;
    char bar[BAR_WIDTH + 1];
    size_t filled = progress->total ? progress->done * BAR_WIDTH / progress->total : BAR_WIDTH;
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', filled);
    if (filled < BAR_WIDTH)
        bar[filled] = '>';
    bar[BAR_WIDTH] = '\0';
    if (progress->terminal)
        fprintf(stderr, "\r[%s]  %zu of %zu  %.*f/s  %.0f s left\033[K", bar, progress->done,
                progress->total, rate < 10, rate, left);
    else
        fprintf(stderr, "%s %zu of %zu, %.*f/s, %.0f s left\n", progress->verb, progress->done,
                progress->total, rate < 10, rate, left);
    fflush(stderr);
}

void progress_step(struct progress *progress, size_t done)
{
    double elapsed = progress_seconds(progress);
    progress->done = done;
    if (elapsed >= first && is_due(progress, bar_on_terminal, elapsed))
        show_bar(progress, elapsed);
}

void progress_state(struct progress *progress, const char *line)
{
    if (!is_due(progress, state_on_terminal, progress_seconds(progress)))
        return;
    fprintf(stderr, progress->terminal ? "\r%s\033[K" : "%s\n", line);
    fflush(stderr);
}

void progress_hide(const struct progress *progress)
{
    if (progress->terminal && progress->shown > 0)
        fputs("\r\033[K", stderr);
}

void progress_end(struct progress *progress)
{
    progress_hide(progress);
    progress->shown = 0;
}
