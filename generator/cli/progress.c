#include "progress.h"
#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

/* Seconds between two showings; a run of less than the first stays silent. */
static const double on_terminal = 0.2, in_log = 10, first = 1;

double progress_seconds(const struct progress *progress)
{
    return clock_monotonic() - progress->started;
}

void progress_begin(struct progress *progress, const struct context *context, const char *verb,
                    size_t total)
{
    *progress = (struct progress){.context = context,
                                  .verb = verb,
                                  .total = total,
                                  .started = clock_monotonic(),
                                  .terminal = isatty(STDERR_FILENO)};
}

static void show(struct progress *progress, double elapsed)
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
    double interval = progress->terminal ? on_terminal : in_log;
    progress->done = done;
    if (progress->context->quiet || elapsed < first || elapsed - progress->shown < interval)
        return;
    progress->shown = elapsed;
    show(progress, elapsed);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal && progress->shown > 0)
        fputs("\r\033[K", stderr);
}
