#include "samples.h"

#include <stdlib.h>
#include <string.h>

void samples_free(struct samples *samples)
{
    free(samples->at);
    *samples = (struct samples){0};
}

/* --- adding --- */

/* Sums and counts from `from` on, by what each sample adds to the one before it. */
static void recount(struct samples *samples, size_t from, long double added, uint64_t counted)
{
    for (size_t i = from; i < samples->end; i++) {
        samples->at[i].sum += added;
        samples->at[i].count += counted;
    }
}

/* Moves the samples to the front of the array. Sums begin anew there, so that they never grow
 * without bound and keep their digits. */
static void move_to_front(struct samples *samples)
{
    if (!samples->head)
        return;
    struct sample before = samples->at[samples->head - 1];
    size_t count = samples->end - samples->head;
    memmove(samples->at, samples->at + samples->head, count * sizeof *samples->at);
    samples->head = 0;
    samples->end = count;
    recount(samples, 0, -before.sum, 0 - before.count);
}

static void drop_old(struct samples *samples, int64_t oldest)
{
    while (samples->head < samples->end && samples->at[samples->head].last <= oldest)
        samples->head++;
    if (samples->head == samples->end)
        samples->head = samples->end = 0;
    else if (samples->head > samples->room / 2)
        move_to_front(samples);
}

static void merge_into(struct sample *sample, const struct sample *next)
{
    sample->sum = next->sum;
    sample->count = next->count;
    sample->last = next->last;
    sample->last_value = next->last_value;
    if (next->least < sample->least)
        sample->least = next->least;
    if (next->most > sample->most)
        sample->most = next->most;
    if (next->thing != sample->thing)
        sample->thing = SAMPLES_MIXED;
}

static void merge_neighbours(struct samples *samples, int64_t span)
{
    size_t kept = samples->head;
    for (size_t i = samples->head + 1; i < samples->end; i++)
        if (samples->at[i].last - samples->at[kept].first <= span / SAMPLES_PARTS)
            merge_into(&samples->at[kept], &samples->at[i]);
        else
            samples->at[++kept] = samples->at[i];
    samples->end = kept + 1;
}

static bool make_room(struct samples *samples, int64_t span)
{
    if (samples->end - samples->head >= SAMPLES_MOST)
        merge_neighbours(samples, span);
    if (samples->end < samples->room)
        return true;
    if (samples->head) {
        move_to_front(samples);
        return true;
    }
    size_t room = samples->room ? 2 * samples->room : 8;
    struct sample *grown = realloc(samples->at, room * sizeof *grown);
    if (!grown)
        return false;
    samples->at = grown;
    samples->room = room;
    return true;
}

/* Where a reading of this time goes: behind all that are not later. */
static size_t place_of(const struct samples *samples, int64_t time)
{
    size_t place = samples->end;
    while (place > samples->head && samples->at[place - 1].last > time)
        place--;
    return place;
}

static bool is_there(const struct samples *samples, size_t place, int64_t time, uint32_t thing)
{
    for (; place > samples->head && samples->at[place - 1].last == time; place--)
        if (samples->at[place - 1].thing == thing)
            return true;
    return false;
}

bool samples_add(struct samples *samples, int64_t time, uint32_t thing, double value,
                 int64_t oldest, int64_t span)
{
    drop_old(samples, oldest);
    if (time <= oldest || is_there(samples, place_of(samples, time), time, thing))
        return true;
    if (!make_room(samples, span))
        return false;
    size_t place = place_of(samples, time);
    struct sample *at = samples->at + place;
    const struct sample *before = place ? at - 1 : NULL;
    memmove(at + 1, at, (samples->end - place) * sizeof *at);
    samples->end++;
    *at = (struct sample){.sum = (before ? before->sum : 0) + (long double)value,
                          .count = (before ? before->count : 0) + 1,
                          .first = time,
                          .last = time,
                          .first_value = value,
                          .last_value = value,
                          .least = value,
                          .most = value,
                          .thing = thing};
    recount(samples, place + 1, (long double)value, 1);
    return true;
}

/* --- windows --- */

/* The first sample that is later than time. */
static size_t first_after(const struct samples *samples, int64_t time)
{
    size_t low = samples->head, high = samples->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (samples->at[middle].last <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sample_window samples_window(const struct samples *samples, int64_t after, int64_t until)
{
    size_t begin = first_after(samples, after), end = first_after(samples, until);
    struct sample_window window = {0};
    if (begin >= end)
        return window;
    window.before = begin ? samples->at + begin - 1 : NULL;
    window.begin = samples->at + begin;
    window.end = samples->at + end;
    return window;
}

uint64_t window_count(const struct sample_window *window)
{
    if (window->begin == window->end)
        return 0;
    return window->end[-1].count - (window->before ? window->before->count : 0);
}

static long double exact_sum(const struct sample_window *window)
{
    return window->end[-1].sum - (window->before ? window->before->sum : 0);
}

double window_sum(const struct sample_window *window)
{
    return (double)exact_sum(window);
}

double window_mean(const struct sample_window *window)
{
    return (double)(exact_sum(window) / (long double)window_count(window));
}

double window_least(const struct sample_window *window)
{
    double least = window->begin->least;
    for (const struct sample *at = window->begin + 1; at < window->end; at++)
        if (at->least < least)
            least = at->least;
    return least;
}

double window_most(const struct sample_window *window)
{
    double most = window->begin->most;
    for (const struct sample *at = window->begin + 1; at < window->end; at++)
        if (at->most > most)
            most = at->most;
    return most;
}

double window_last(const struct sample_window *window)
{
    return window->end[-1].last_value;
}

double window_delta(const struct sample_window *window)
{
    return window->end[-1].last_value - window->begin->first_value;
}

struct sample_window window_of_last(const struct sample_window *window)
{
    const struct sample *last = window->end - 1;
    return (struct sample_window){.before = last > window->begin ? last - 1 : window->before,
                                  .begin = last,
                                  .end = window->end};
}
