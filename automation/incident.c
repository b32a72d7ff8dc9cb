/* What people are told: one message for what happened together, not one for each thing.
 *
 * A watch that notifies has at most one open incident. It opens when a member turns on (or a thing is
 * heard for the first time and people want to know), and its first message goes out after a short
 * settling time, so that what falls silent together is told together. Whatever turns on or off after
 * that joins it; the next message goes out a minute later at the earliest, then after pauses that
 * double up to an hour. When people were told that all are off again it stays open for one more
 * minute, so that what comes and goes makes at most a message a minute, and is closed then. */
#include "parts.h"

#include "common/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETTLING = 10000, /* milliseconds, for presence; at most a twentieth of silent_after */
    FIRST_PAUSE = 60000,
    LONGEST_PAUSE = 3600000,
    MOST_NAMED = 20 /* members in one message; the rest is counted */
};

/* What there is to tell of a watch. */
struct news {
    size_t total, on; /* all members; those that are on */
    size_t joined;    /* on, and people were not told yet */
    size_t back;      /* off, and people were told that they are on */
    size_t first;     /* heard for the first time */
    int64_t earliest; /* the earliest time at which one of those that are on turned on */
};

static bool has_joined(const struct state *state)
{
    return state->is == AUTOMATION_ON && state->told != AUTOMATION_ON;
}

static bool is_back(const struct state *state)
{
    return state->is == AUTOMATION_OFF && state->told == AUTOMATION_ON;
}

static const struct state *state_of(const struct member *member)
{
    return member->changed ? &member->next : &member->at;
}

/* When a member turned on. A silent thing counts from the time when it was heard last. */
static int64_t on_since(const struct member *member)
{
    const struct state *state = state_of(member);
    return member->thing && state->heard ? state->heard : state->since;
}

static struct news gather(const struct watch *watch)
{
    struct news news = {.earliest = INT64_MAX};
    for (const struct member *member = watch->members; member; member = member->next_member) {
        const struct state *state = state_of(member);
        news.total++;
        news.joined += has_joined(state);
        news.back += is_back(state);
        news.first += state->first;
        if (state->is != AUTOMATION_ON)
            continue;
        news.on++;
        if (on_since(member) < news.earliest)
            news.earliest = on_since(member);
    }
    return news;
}

/* --- words --- */

struct vocabulary {
    const char *on, *off;  /* "silent", "heard again" */
    const char *on_header; /* before the list of those that are on */
};

static const struct vocabulary vocabularies[] = {
    [AUTOMATION_CONTROL] = {"on", "off again", "Switched on"},
    [AUTOMATION_ALERT] = {"raised", "clear again", "Raised"},
    [AUTOMATION_PRESENCE] = {"silent", "heard again", "Silent"},
};

static const struct vocabulary *words_of(const struct watch *watch)
{
    return &vocabularies[watch->kind];
}

/* "silent: 3 of 14 esp8266temp, since 09:12", "freezer of coldroom raised: attic, since 09:12". */
static void add_subject(struct buffer *out, const struct watch *watch, const struct news *news,
                        const char *only)
{
    char counts[64], time[CLOCK_TEXT] = "";
    const struct vocabulary *words = words_of(watch);
    bool presence = watch->kind == AUTOMATION_PRESENCE;
    const char *word = news->on                     ? words->on
                       : news->first && !news->back ? "first heard"
                                                    : words->off;
    size_t count = news->on ? news->on : news->back ? news->back : news->first;
    if (!presence) {
        buffer_add_string(out, watch->name);
        buffer_add_string(out, " ");
    }
    buffer_add_string(out, word);
    buffer_add_string(out, ": ");
    if (only)
        buffer_add_string(out, only);
    snprintf(counts, sizeof counts, "%zu of %zu", count, news->total);
    if (!only)
        buffer_add_string(out, counts);
    buffer_add_string(out, only ? " (" : " ");
    buffer_add_string(out, watch->type->name);
    buffer_add_string(out, only ? ")" : "");
    if (!news->on)
        return;
    clock_write_local(news->earliest / 1000, time);
    buffer_add_string(out, ", since ");
    buffer_add(out, time, strlen("2026-11-27 09:12"));
}

static void add_last_reading(struct buffer *out, const struct member *member)
{
    const struct automation_type *type = member->watch->type;
    const struct thing *thing = member->thing;
    if (!thing || !thing->read)
        return;
    buffer_add_string(out, "; last reading ");
    for (size_t i = 0, said = 0; i < type->measure_count; i++)
        if (!isnan(thing->values[i])) {
            buffer_add_string(out, said++ ? ", " : "");
            buffer_add_string(out, type->columns[i]);
            buffer_add_string(out, " ");
            words_number(out, thing->values[i]);
        }
    buffer_add_string(out, " at ");
    words_time(out, thing->read);
}

static void add_value(struct buffer *out, const struct member *member, int64_t now)
{
    const struct watch *watch = member->watch;
    if (!member->group)
        return;
    struct basis basis = watch_basis(watch, member->group, now);
    if (!basis.has_value)
        return;
    buffer_add_string(out, "; now ");
    words_number(out, basis.value);
    if (watch->unit && *watch->unit) {
        buffer_add_string(out, " ");
        buffer_add_string(out, watch->unit);
    }
}

static void add_member(struct buffer *out, const struct member *member, int64_t now)
{
    const struct state *state = state_of(member);
    buffer_add_string(out, "  ");
    buffer_add_string(out, *member->name ? member->name : "all");
    if (state->is == AUTOMATION_ON && member->thing && !state->heard) {
        buffer_add_string(out, "  was never heard");
    } else {
        buffer_add_string(out, state->is == AUTOMATION_ON ? "  since " : "  at ");
        words_time(out, state->is == AUTOMATION_ON ? on_since(member) : state->since);
    }
    add_last_reading(out, member);
    add_value(out, member, now);
    buffer_add_string(out, "\n");
}

/* A title and the members that are chosen; nothing where there are none. */
static void add_list(struct buffer *out, const struct watch *watch, const char *title,
                     bool (*chosen)(const struct state *), size_t count, int64_t now)
{
    size_t named = 0;
    char rest[64];
    if (!count)
        return;
    buffer_add_string(out, title);
    buffer_add_string(out, ":\n");
    for (const struct member *member = watch->members; member && named < MOST_NAMED;
         member = member->next_member)
        if (chosen(state_of(member))) {
            add_member(out, member, now);
            named++;
        }
    snprintf(rest, sizeof rest, "  and %zu more\n", count - named);
    buffer_add_string(out, count > named ? rest : "");
    buffer_add_string(out, "\n");
}

static bool is_on_and_told(const struct state *state)
{
    return state->is == AUTOMATION_ON && state->told == AUTOMATION_ON;
}

static bool is_first(const struct state *state)
{
    return state->first;
}

static void add_condition(struct buffer *out, const struct watch *watch)
{
    buffer_add_string(out, "Type ");
    buffer_add_string(out, watch->type->name);
    buffer_add_string(out, ", ");
    buffer_add_string(out, watch->kind == AUTOMATION_PRESENCE ? "presence"
                                                              : automation_kind_name(watch->kind));
    if (watch->kind != AUTOMATION_PRESENCE) {
        buffer_add_string(out, " ");
        buffer_add_string(out, watch->name);
    }
    buffer_add_string(out, ": ");
    words_clause(out, watch, AUTOMATION_OFF);
    buffer_add_string(out, ".\n\n");
}

static void add_counts(struct buffer *out, const struct watch *watch, const struct news *news)
{
    char line[160];
    snprintf(line, sizeof line, "%s now: %zu of %zu.\n", words_of(watch)->on_header, news->on,
             news->total);
    buffer_add_string(out, line);
    if (watch->next_incident.passed) {
        snprintf(line, sizeof line, "%lld came and went between two messages.\n",
                 (long long)watch->next_incident.passed);
        buffer_add_string(out, line);
    }
}

static void add_advice(struct buffer *out, const struct watch *watch)
{
    buffer_add_string(out, "\nTo look further:\n  sensorforge why ");
    buffer_add_string(out, watch->name);
    buffer_add_string(out, " --type ");
    buffer_add_string(out, watch->type->name);
    buffer_add_string(out, "\n  sensorforge automation ");
    buffer_add_string(out, watch->type->name);
    buffer_add_string(out, watch->kind == AUTOMATION_PRESENCE ? "\n  sensorforge list --silent\n"
                                                              : "\n");
}

static void add_text(struct buffer *out, const struct watch *watch, const struct news *news,
                     int64_t now)
{
    const struct vocabulary *words = words_of(watch);
    char title[64];
    add_condition(out, watch);
    add_list(out, watch, words->on_header, has_joined, news->joined, now);
    snprintf(title, sizeof title, "%c%s", words->off[0] - 'a' + 'A', words->off + 1);
    add_list(out, watch, title, is_back, news->back, now);
    add_list(out, watch, "Heard for the first time", is_first, news->first, now);
    add_list(out, watch, "Still", is_on_and_told, news->on - news->joined, now);
    add_counts(out, watch, news);
    add_advice(out, watch);
}

static void add_names(struct buffer *out, const struct watch *watch, const char *name,
                      bool (*chosen)(const struct state *))
{
    size_t named = 0;
    buffer_add_string(out, ", \"");
    buffer_add_string(out, name);
    buffer_add_string(out, "\": [");
    for (const struct member *member = watch->members; member; member = member->next_member)
        if (chosen(state_of(member))) {
            buffer_add_string(out, named++ ? ", " : "");
            buffer_add_json(out, member->name, strlen(member->name));
        }
    buffer_add_string(out, "]");
}

static void add_json(struct buffer *out, const struct watch *watch, const struct news *news,
                     const char *subject, int64_t now)
{
    char line[160], time[CLOCK_TEXT];
    clock_write_milliseconds(now, time);
    buffer_add_string(out, "{\"type\": ");
    buffer_add_json(out, watch->type->name, strlen(watch->type->name));
    buffer_add_string(out, ", \"watch\": ");
    buffer_add_json(out, watch->name, strlen(watch->name));
    snprintf(line, sizeof line, ", \"kind\": \"%s\", \"time\": \"%s\", \"on\": %zu, \"of\": %zu",
             automation_kind_name(watch->kind), time, news->on, news->total);
    buffer_add_string(out, line);
    buffer_add_string(out, ", \"subject\": ");
    buffer_add_json(out, subject, strlen(subject));
    add_names(out, watch, "joined", has_joined);
    add_names(out, watch, "back", is_back);
    add_names(out, watch, "first", is_first);
    buffer_add_string(out, "}");
}

/* --- sending --- */

/* The name of the member with news, if it is the only one; else NULL. */
static const char *only_one(const struct watch *watch, const struct news *news)
{
    if (news->joined + news->back + news->first != 1 || news->on != news->joined)
        return NULL;
    for (const struct member *member = watch->members; member; member = member->next_member) {
        const struct state *state = state_of(member);
        if (has_joined(state) || is_back(state) || state->first)
            return *member->name ? member->name : NULL;
    }
    return NULL;
}

static enum status send(struct watch *watch, const struct news *news, int64_t now,
                        const struct automation_sink *sink, struct error *error)
{
    struct buffer subject = {0}, text = {0}, json = {0};
    char id[ID_ROOM], thread[ID_ROOM];
    enum status status = FINE;
    add_subject(&subject, watch, news, only_one(watch, news));
    add_text(&text, watch, news, now);
    add_json(&json, watch, news, buffer_string(&subject), now);
    if (subject.failed || text.failed || json.failed)
        status = fail_memory(error);
    words_id(thread, watch, "", watch->next_incident.opened, 0);
    for (size_t i = 0; i < watch->notify_count && !status; i++) {
        struct automation_notice notice = {.id = id,
                                           .thread = thread,
                                           .time = now,
                                           .type = watch->type->name,
                                           .watch = watch->name,
                                           .kind = watch->kind,
                                           .address = watch->notify[i],
                                           .subject = buffer_string(&subject),
                                           .text = buffer_string(&text),
                                           .json = buffer_string(&json)};
        words_id(id, watch, watch->notify[i], now, (int)i);
        status = sink->notice(sink->context, &notice, error);
    }
    buffer_free(&subject);
    buffer_free(&text);
    buffer_free(&json);
    return status;
}

/* --- the incident --- */

/* Records in the members' states that people were told of them. */
static enum status note_told(const struct watch *watch, const struct automation_sink *sink,
                             struct error *error)
{
    enum status status = FINE;
    for (struct member *member = watch->members; member && !status; member = member->next_member) {
        const struct state *state = state_of(member);
        if (!has_joined(state) && !is_back(state) && !state->first)
            continue;
        struct state *next = member_change(member);
        next->told = next->is;
        next->first = false;
        status = member_say(member, sink, error);
    }
    return status;
}

static enum status say_incident(const struct watch *watch, const struct automation_sink *sink,
                                struct error *error)
{
    const struct incident *incident = &watch->next_incident;
    struct automation_key key = {watch->type->name, watch->name, NULL};
    char json[512];
    int length = words_begin_state(json, sizeof json, watch);
    snprintf(
        json + length, sizeof json - (size_t)length,
        ", \"opened\": %lld, \"due\": %lld, \"pause\": %lld, \"sent\": %lld, \"messages\": %lld, "
        "\"passed\": %lld}",
        (long long)incident->opened, (long long)incident->due, (long long)incident->pause,
        (long long)incident->sent, (long long)incident->messages, (long long)incident->passed);
    return sink->state(sink->context, &key, json, error);
}

static void open_incident(struct watch *watch, int64_t now)
{
    int64_t settling = watch->kind != AUTOMATION_PRESENCE    ? 0
                       : watch->silent_after / 20 < SETTLING ? watch->silent_after / 20
                                                             : SETTLING;
    watch->next_incident =
        (struct incident){.opened = now, .due = now + settling, .pause = FIRST_PAUSE};
}

static enum status tell(struct watch *watch, const struct news *news, int64_t now,
                        const struct automation_sink *sink, struct error *error)
{
    struct incident *incident = &watch->next_incident;
    enum status status = send(watch, news, now, sink, error);
    if (status)
        return status;
    bool over = news->on == 0;
    incident->pause = over ? FIRST_PAUSE : incident->pause;
    incident->due = now + incident->pause;
    incident->pause = incident->pause * 2 < LONGEST_PAUSE ? incident->pause * 2 : LONGEST_PAUSE;
    incident->sent = now;
    incident->messages++;
    incident->passed = 0;
    return note_told(watch, sink, error);
}

enum status incident_look(struct watch *watch, int64_t now, const struct automation_sink *sink,
                          struct error *error)
{
    struct incident *incident = &watch->next_incident;
    enum status status = FINE;
    if (!watch->notify_count || (!watch->touched && incident_due(watch) > now))
        return FINE;
    struct news news = gather(watch);
    bool fresh = news.joined || news.back || news.first;
    bool remind = incident->opened && news.on && watch->remind_every && incident->sent &&
                  now - incident->sent >= watch->remind_every;
    struct incident was = *incident;
    watch->touched = false;
    if (!incident->opened && fresh)
        open_incident(watch, now);
    if (incident->opened && ((fresh && now >= incident->due) || remind))
        status = tell(watch, &news, now, sink, error);
    else if (incident->opened && !fresh && !news.on && now >= incident->due)
        *incident = (struct incident){0};
    watch->waiting = incident->opened && (!news.on || (fresh && now < incident->due));
    if (!status && memcmp(&was, incident, sizeof was) != 0)
        status = say_incident(watch, sink, error);
    return status;
}

int64_t incident_due(const struct watch *watch)
{
    const struct incident *incident = &watch->next_incident;
    int64_t reminder = INT64_MAX;
    if (!watch->notify_count || !incident->opened)
        return INT64_MAX;
    if (watch->remind_every && incident->sent)
        reminder = incident->sent + watch->remind_every;
    return watch->waiting && incident->due < reminder ? incident->due : reminder;
}
