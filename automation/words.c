/* Decisions in words, and what a value rests on. `why`, mails, the API and Lambda say the same. */
#include "parts.h"

#include "common/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values --- */

static double statistic_of(enum statistic statistic, const struct sample_window *window)
{
    switch (statistic) {
    case MEAN:
        return window_mean(window);
    case LEAST:
        return window_least(window);
    case MOST:
        return window_most(window);
    case LAST:
        return window_last(window);
    case COUNT:
        return (double)window_count(window);
    case SUM:
        return window_sum(window);
    case DELTA:
        break;
    }
    return window_delta(window);
}

struct basis watch_basis(const struct watch *watch, const struct group *group, int64_t now)
{
    struct basis basis = {.window = samples_window(&group->samples, now - watch->window, now)};
    basis.has_value = window_count(&basis.window) > 0;
    if (basis.has_value && watch->statistic == LAST)
        basis.window = window_of_last(&basis.window);
    if (basis.has_value)
        basis.value = statistic_of(watch->statistic, &basis.window);
    return basis;
}

/* Counts the readings of each thing. A merged sample of several things counts for none of them. */
static void count_things(const struct sample_window *window, uint64_t *counts, size_t things)
{
    uint64_t before = window->before ? window->before->count : 0;
    for (const struct sample *at = window->begin; at < window->end; at++) {
        if (at->thing < things)
            counts[at->thing] += at->count - before;
        before = at->count;
    }
}

static void put_part(struct automation_decision *decision, const char *thing, uint64_t readings)
{
    size_t place = decision->part_count;
    while (place && decision->parts[place - 1].readings < readings)
        place--;
    if (place == AUTOMATION_PARTS) {
        decision->other_things++;
        return;
    }
    if (decision->part_count == AUTOMATION_PARTS)
        decision->other_things++;
    else
        decision->part_count++;
    for (size_t i = decision->part_count - 1; i > place; i--)
        decision->parts[i] = decision->parts[i - 1];
    decision->parts[place] = (struct automation_part){thing, readings};
}

void words_parts(const struct automation_type *type, const struct basis *basis,
                 struct automation_decision *decision)
{
    uint64_t *counts = calloc(type->list_count + 1, sizeof *counts);
    if (counts && window_count(&basis->window)) {
        count_things(&basis->window, counts, type->list_count);
        for (size_t i = 0; i < type->list_count; i++)
            if (counts[i] && type->list[i])
                put_part(decision, type->list[i]->name, counts[i]);
    }
    free(counts);
}

/* --- pieces --- */

void words_number(struct buffer *out, double number)
{
    char digits[32];
    json_format_number(number, digits);
    buffer_add_string(out, digits);
}

/* A computed value, with six significant digits; a large one with all before the point, because few
 * people read exponents. With all of its digits where it would look like the limit that it passed:
 * 0.1 + 0.2 is above 0.3. */
static void add_value(struct buffer *out, double value, const struct limit *limit)
{
    char rounded[40];
    bool large = fabs(value) >= 1e6 && fabs(value) < 1e15;
    value += 0.0; /* -0 is 0 */
    snprintf(rounded, sizeof rounded, large ? "%.0f" : "%.6g", value);
    if (value != limit->value && strtod(rounded, NULL) == limit->value)
        words_number(out, value);
    else
        buffer_add_string(out, rounded);
}

void words_duration(struct buffer *out, int64_t milliseconds)
{
    static const struct {
        int64_t milliseconds;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    char text[32];
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (milliseconds % units[i].milliseconds == 0) {
            snprintf(text, sizeof text, "%" PRId64 "%s", milliseconds / units[i].milliseconds,
                     units[i].unit);
            buffer_add_string(out, text);
            return;
        }
}

void words_time(struct buffer *out, int64_t time)
{
    char text[CLOCK_TEXT];
    clock_write_local(time / 1000, text);
    buffer_add_string(out, text);
}

void words_limit(struct buffer *out, const struct limit *limit)
{
    static const char *const words[] = {"above ", "below ", "at least ", "at most "};
    buffer_add_string(out, words[limit->comparison]);
    words_number(out, limit->value);
}

/* --- sentences --- */

/* "mean of temperature over 10m" */
static void add_statistic(struct buffer *out, const struct watch *watch)
{
    static const char *const words[] = {
        "mean of ", "minimum of ", "maximum of ", "last ", "number of readings of ",
        "sum of ",  "change of "};
    buffer_add_string(out, words[watch->statistic]);
    buffer_add_string(out, watch->of);
    buffer_add_string(out, " over ");
    words_duration(out, watch->window);
}

void words_clause(struct buffer *out, const struct watch *watch, enum automation_state state)
{
    static const char *const turns[][2] = {[AUTOMATION_CONTROL] = {"switches off", "switches on"},
                                           [AUTOMATION_ALERT] = {"clears", "raises"}};
    bool on = state != AUTOMATION_ON;
    if (watch->kind == AUTOMATION_PRESENCE) {
        buffer_add_string(out, on ? "no message for " : "any message");
        if (on)
            words_duration(out, watch->silent_after);
        return;
    }
    add_statistic(out, watch);
    buffer_add_string(out, " ");
    words_limit(out, on ? &watch->on : &watch->off);
    if (on && watch->hold) {
        buffer_add_string(out, " for ");
        words_duration(out, watch->hold);
    }
    buffer_add_string(out, " ");
    buffer_add_string(out, turns[watch->kind][on]);
    if (watch->by) {
        buffer_add_string(out, ", by ");
        buffer_add_string(out, watch->by);
    }
}

static void why_present(struct buffer *out, const struct member *member)
{
    const struct watch *watch = member->watch;
    if (member->next.is == AUTOMATION_OFF) {
        buffer_add_string(out, member->at.is == AUTOMATION_ON ? "heard again"
                                                              : "heard for the first time");
        return;
    }
    if (member->at.heard) {
        buffer_add_string(out, "no message for ");
        words_duration(out, watch->silent_after);
        buffer_add_string(out, "; last heard at ");
        words_time(out, member->at.heard);
        return;
    }
    buffer_add_string(out, "never heard, for more than ");
    words_duration(out, watch->silent_after);
    if (member->thing->created) {
        buffer_add_string(out, " after it was created at ");
        words_time(out, member->thing->created);
    }
}

/* " (24 readings of kitchen 12, attic 12)" */
static void add_basis(struct buffer *out, const struct watch *watch, const struct basis *basis)
{
    struct automation_decision parts = {0};
    char text[64];
    words_parts(watch->type, basis, &parts);
    uint64_t readings = window_count(&basis->window);
    snprintf(text, sizeof text, " (%" PRIu64 " reading%s", readings, readings == 1 ? "" : "s");
    buffer_add_string(out, text);
    for (size_t i = 0; i < parts.part_count; i++) {
        buffer_add_string(out, i ? ", " : " of ");
        buffer_add_string(out, parts.parts[i].thing);
        snprintf(text, sizeof text, " %" PRIu64, parts.parts[i].readings);
        buffer_add_string(out, text);
    }
    snprintf(text, sizeof text, " and %zu more", parts.other_things);
    buffer_add_string(out, parts.other_things ? text : "");
    buffer_add_string(out, ")");
}

static void why_condition(struct buffer *out, const struct member *member,
                          const struct basis *basis)
{
    const struct watch *watch = member->watch;
    bool on = member->next.is == AUTOMATION_ON;
    if (!basis->has_value) {
        buffer_add_string(out, "no reading of ");
        buffer_add_string(out, watch->of);
        buffer_add_string(out, " for ");
        words_duration(out, watch->window);
        buffer_add_string(out, on ? "; on_silence is on" : "; on_silence is off");
        return;
    }
    const struct limit *limit = on ? &watch->on : &watch->off;
    add_statistic(out, watch);
    buffer_add_string(out, " is ");
    add_value(out, basis->value, limit);
    if (watch->unit && *watch->unit) {
        buffer_add_string(out, " ");
        buffer_add_string(out, watch->unit);
    }
    buffer_add_string(out, ", ");
    words_limit(out, limit);
    if (on && member->at.holds_since) {
        buffer_add_string(out, " since ");
        words_time(out, member->at.holds_since);
    }
    add_basis(out, watch, basis);
}

void words_why(struct buffer *out, const struct member *member, const struct basis *basis)
{
    if (member->watch->kind == AUTOMATION_PRESENCE)
        why_present(out, member);
    else
        why_condition(out, member, basis);
}

/* --- ids and stored states --- */

int words_begin_state(char *json, size_t size, const struct watch *watch)
{
    int length = snprintf(json, size, "{\"kind\": \"%s\"", automation_kind_name(watch->kind));
    if (watch->by)
        length += snprintf(json + length, size - (size_t)length, ", \"by\": \"%s\"", watch->by);
    return length;
}

/* FNV-1a, 64 bits (draft-eastlake-fnv): a name, not a secret. */
static uint64_t hash(uint64_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (unsigned char)*text) * 0x100000001b3;
    return (seed ^ 0xff) * 0x100000001b3; /* so that "a", "bc" is not "ab", "c" */
}

void words_id(char id[ID_ROOM], const struct watch *watch, const char *group, int64_t time,
              int number)
{
    uint64_t value = hash(hash(hash(0xcbf29ce484222325, watch->type->name), watch->name), group);
    value = (value ^ (uint64_t)number) * 0x100000001b3;
    snprintf(id, ID_ROOM, "%012" PRIx64 "-%016" PRIx64, (uint64_t)time, value);
}
