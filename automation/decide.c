/* What is due is decided here: conditions of groups, and the silence of things.
 *
 * A watch looks at all of its groups each `every`, counted from 1970, so that a restart keeps the
 * rhythm. An alert also looks at each group that got a reading since the last tick, and at the
 * moment at which a clause has held for long enough. Whatever is found goes into `next` of the
 * member and to the sink; automation_commit() makes it the state. */
#include "parts.h"

#include "common/base/valid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tick {
    struct automation *automation;
    int64_t now, horizon;
    bool resumed; /* the last tick is long ago, or the clock was set */
    const struct automation_sink *sink;
    struct error *error;
};

struct state *member_change(struct member *member)
{
    struct automation *automation = member->watch->type->automation;
    if (!member->changed) {
        member->next = member->at;
        member->changed = true;
        member->next_changed = automation->changed;
        automation->changed = member;
    }
    return &member->next;
}

/* --- the command of a control --- */

/* The topic with the group's name in place of {by}. False when the name fits none. */
static bool make_topic(const struct watch *watch, const char *group, struct buffer *out)
{
    for (const char *at = watch->topic; *at; at++) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end && !valid_thing_name(group))
            return false;
        if (end)
            buffer_add_string(out, group);
        else
            buffer_add(out, at, 1);
        at = end ? end : at;
    }
    return true;
}

/* --- saying what was decided --- */

enum status member_say(const struct member *member, const struct automation_sink *sink,
                       struct error *error)
{
    const struct watch *watch = member->watch;
    struct automation_key key = {watch->type->name, watch->name, member->name};
    const struct state *state = &member->next;
    char json[512];
    int length = words_begin_state(json, sizeof json, watch);
    length += snprintf(json + length, sizeof json - (size_t)length,
                       ", \"state\": \"%s\", \"since\": %lld", automation_state_name(state->is),
                       (long long)state->since);
    const struct {
        const char *name;
        int64_t value;
    } times[] = {{"blind_since", state->blind_since},
                 {"holds_since", state->holds_since},
                 {"heard", state->heard}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].value)
            length += snprintf(json + length, sizeof json - (size_t)length, ", \"%s\": %lld",
                               times[i].name, (long long)times[i].value);
    if (state->told != AUTOMATION_UNKNOWN)
        length += snprintf(json + length, sizeof json - (size_t)length, ", \"told\": \"%s\"",
                           automation_state_name(state->told));
    snprintf(json + length, sizeof json - (size_t)length, "%s}",
             state->first ? ", \"first\": true" : "");
    return sink->state(sink->context, &key, json, error);
}

static enum status say_state(const struct tick *tick, const struct member *member)
{
    return member_say(member, tick->sink, tick->error);
}

/* The command that goes with the new state. False, and the watch says why, when there can be none. */
static bool add_command(struct watch *watch, const struct member *member, struct buffer *topic,
                        struct automation_decision *decision)
{
    if (!watch->topic)
        return true;
    if (!make_topic(watch, member->name, topic)) {
        snprintf(watch->trouble, sizeof watch->trouble,
                 "\"%.64s\" cannot be part of the topic %.60s", member->name, watch->topic);
        return false;
    }
    decision->topic = buffer_string(topic);
    decision->payload = member->next.is == AUTOMATION_ON ? watch->payload_on : watch->payload_off;
    return true;
}

static enum status say_decision(const struct tick *tick, struct member *member,
                                const struct basis *basis)
{
    struct watch *watch = member->watch;
    struct buffer why = {0}, topic = {0};
    char id[ID_ROOM];
    enum status status = FINE;
    struct automation_decision decision = {.id = id,
                                           .time = tick->now,
                                           .type = watch->type->name,
                                           .watch = watch->name,
                                           .group = member->name,
                                           .kind = watch->kind,
                                           .was = member->at.is,
                                           .state = member->next.is,
                                           .has_value = basis->has_value,
                                           .value = basis->value,
                                           .readings = window_count(&basis->window)};
    words_id(id, watch, member->name, tick->now, (int)member->next.is);
    words_why(&why, member, basis);
    words_parts(watch->type, basis, &decision);
    decision.why = buffer_string(&why);
    if (!add_command(watch, member, &topic, &decision))
        member->next = member->at; /* without a command there is no decision: the old state stays */
    else if (why.failed || topic.failed)
        status = fail_memory(tick->error);
    else if (!(status = tick->sink->decision(tick->sink->context, &decision, tick->error)))
        watch->touched = true;
    buffer_free(&why);
    buffer_free(&topic);
    return status;
}

static enum status turn(const struct tick *tick, struct member *member, enum automation_state state,
                        const struct basis *basis)
{
    struct watch *watch = member->watch;
    struct state *next = member_change(member);
    if (member->at.is == AUTOMATION_ON && member->at.told != AUTOMATION_ON && watch->notify_count)
        watch->next_incident.passed++;
    next->is = state;
    next->since = tick->now;
    next->holds_since = 0;
    enum status status = say_decision(tick, member, basis);
    return status ? status : say_state(tick, member);
}

/* --- conditions --- */

static bool limit_holds(const struct limit *limit, double value)
{
    switch (limit->comparison) {
    case ABOVE:
        return value > limit->value;
    case BELOW:
        return value < limit->value;
    case AT_LEAST:
        return value >= limit->value;
    case AT_MOST:
        break;
    }
    return value <= limit->value;
}

/* Without a value the state stays as it is, unless the spec names a safe state. Nothing is decided
 * while readings that have arrived are still to be handed in: one of them may be of this group. */
static enum status look_blind(const struct tick *tick, struct member *member,
                              const struct basis *basis)
{
    struct watch *watch = member->watch;
    enum automation_state safe = watch->on_silence;
    if (tick->horizon < tick->now || tick->resumed)
        return FINE;
    bool turns = safe != AUTOMATION_UNKNOWN && safe != member->at.is;
    if (member->at.blind_since && !member->at.holds_since && !turns)
        return FINE;
    struct state *next = member_change(member);
    next->holds_since = 0;
    if (!next->blind_since)
        next->blind_since = tick->now;
    return turns ? turn(tick, member, safe, basis) : say_state(tick, member);
}

/* The clause that switches on has to hold for a while. The state says since when it has held. */
static enum status look_hold(const struct tick *tick, struct member *member,
                             const struct basis *basis)
{
    struct watch *watch = member->watch;
    int64_t since = tick->resumed ? 0 : member->at.holds_since;
    if (since && tick->now - since >= watch->hold)
        return turn(tick, member, AUTOMATION_ON, basis);
    int64_t due = (since ? since : tick->now) + watch->hold;
    if (due < watch->hold_due)
        watch->hold_due = due;
    if (since)
        return member->changed ? say_state(tick, member) : FINE;
    member_change(member)->holds_since = tick->now;
    return say_state(tick, member);
}

static enum status look_value(const struct tick *tick, struct member *member,
                              const struct basis *basis)
{
    const struct watch *watch = member->watch;
    enum automation_state is = member->at.is;
    bool on = is != AUTOMATION_ON && limit_holds(&watch->on, basis->value);
    bool off = is != AUTOMATION_OFF && limit_holds(&watch->off, basis->value);
    if (member->at.blind_since)
        member_change(member)->blind_since = 0;
    if (on && watch->hold)
        return look_hold(tick, member, basis);
    if (on || off)
        return turn(tick, member, on ? AUTOMATION_ON : AUTOMATION_OFF, basis);
    if (member->at.holds_since)
        member_change(member)->holds_since = 0;
    return member->changed ? say_state(tick, member) : FINE;
}

static enum status look_at(const struct tick *tick, struct member *member)
{
    if (member->changed)
        return FINE; /* at this tick already */
    struct basis basis = watch_basis(member->watch, member->group, tick->now);
    return basis.has_value ? look_value(tick, member, &basis) : look_blind(tick, member, &basis);
}

static enum status look_at_all(const struct tick *tick, struct watch *watch)
{
    enum status status = FINE;
    watch->trouble[0] = '\0';
    watch->hold_due = INT64_MAX;
    watch->due = (tick->now / watch->every + 1) * watch->every;
    for (struct member *member = watch->members; member && !status; member = member->next_member)
        status = look_at(tick, member);
    return status;
}

static enum status look_at_dirty(const struct tick *tick, const struct automation_type *type)
{
    enum status status = FINE;
    for (const struct group *group = type->dirty; group && !status; group = group->next_dirty)
        for (struct watch *watch = type->watches; watch < type->watches + type->watch_count;
             watch++)
            if (watch->kind == AUTOMATION_ALERT && watch->place < watch->series->watch_count &&
                group->members[watch->place].watch == watch && !status)
                status = look_at(tick, &group->members[watch->place]);
    return status;
}

static enum status look_at_conditions(const struct tick *tick, struct automation_type *type)
{
    enum status status = FINE;
    for (size_t i = 0; i < type->watch_count && !status; i++) {
        struct watch *watch = &type->watches[i];
        if (watch->kind != AUTOMATION_PRESENCE &&
            (watch->due <= tick->now || watch->hold_due <= tick->now || tick->resumed))
            status = look_at_all(tick, watch);
    }
    return status ? status : look_at_dirty(tick, type);
}

/* --- presence --- */

static enum status look_returned(const struct tick *tick, const struct automation_type *type)
{
    const struct basis none = {0};
    enum status status = FINE;
    for (size_t i = 0; i < type->returned_count && !status; i++) {
        struct member *member = &type->returned[i]->presence;
        if (member->at.is == AUTOMATION_OFF || member->changed)
            continue;
        if (member->at.is == AUTOMATION_UNKNOWN)
            member_change(member)->first = type->presence->on_first;
        status = turn(tick, member, AUTOMATION_OFF, &none);
    }
    return status;
}

static enum status look_silent(const struct tick *tick, struct automation_type *type)
{
    const struct basis none = {0};
    enum status status = FINE;
    while (type->heap_count && type->heap[0]->deadline <= tick->horizon && !status) {
        struct thing *thing = type->heap[0];
        bool is_on = thing->presence.at.is == AUTOMATION_ON;
        thing->deadline = thing_deadline(thing, tick->automation->grace);
        if (thing->deadline <= tick->horizon && !is_on && !thing->presence.changed)
            status = turn(tick, &thing->presence, AUTOMATION_ON, &none);
        if (thing->deadline <= tick->horizon) /* decided again if this tick is abandoned */
            thing->deadline = tick->horizon + type->presence->silent_after;
        heap_settle(type);
    }
    return status;
}

/* --- a tick --- */

static void resume(struct tick *tick)
{
    struct automation *automation = tick->automation;
    struct automation_type *type;
    int64_t last = automation->ticked;
    tick->resumed = last && (tick->now < last || tick->now > last + JUMP);
    if (!last || tick->resumed)
        automation->grace = tick->now;
    if (!last || tick->resumed || automation->stale_heap)
        for (type = automation->types; type; type = type->hh.next) {
            heap_sort(type, automation->grace);
        }
    automation->stale_heap = false;
}

static enum status look_at_type(const struct tick *tick, struct automation_type *type)
{
    enum status status = look_at_conditions(tick, type);
    if (!status && type->presence && !(status = look_returned(tick, type)))
        status = look_silent(tick, type);
    for (size_t i = 0; i < type->watch_count && !status; i++)
        status = incident_look(&type->watches[i], tick->now, tick->sink, tick->error);
    return status;
}

enum status automation_decide(struct automation *automation, const struct automation_time *time,
                              const struct automation_sink *sink, struct error *error)
{
    struct tick tick = {.automation = automation,
                        .now = time->now,
                        .horizon = time->horizon,
                        .sink = sink,
                        .error = error};
    struct automation_type *type;
    enum status status = FINE;
    resume(&tick);
    automation->next_ticked = tick.now;
    for (type = automation->types; type; type = type->hh.next) {
        if (!status)
            status = look_at_type(&tick, type);
    }
    return status;
}

/* --- when the next one is due --- */

static int64_t type_due(const struct automation_type *type, int64_t ticked)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < type->watch_count; i++) {
        const struct watch *watch = &type->watches[i];
        int64_t times[] = {watch->kind == AUTOMATION_PRESENCE ? INT64_MAX : watch->due,
                           watch->hold_due, incident_due(watch)};
        for (size_t j = 0; j < sizeof times / sizeof *times; j++)
            if (times[j] < due)
                due = times[j];
    }
    if (type->heap_count && type->heap[0]->deadline < due)
        due = type->heap[0]->deadline;
    return (type->returned_count || type->dirty) && ticked < due ? ticked : due;
}

int64_t automation_due(const struct automation *automation)
{
    int64_t due = INT64_MAX;
    const struct automation_type *type;
    for (type = automation->types; type; type = type->hh.next) {
        int64_t its = type_due(type, automation->ticked);
        if (its < due)
            due = its;
    }
    return due;
}

/* --- looking --- */

static bool view_member(const struct member *member, int64_t now,
                        bool (*each)(void *, const struct automation_view *), void *context)
{
    const struct watch *watch = member->watch;
    struct basis basis = {0};
    struct buffer clause = {0};
    if (member->group)
        basis = watch_basis(watch, member->group, now);
    words_clause(&clause, watch, member->at.is);
    struct automation_view view = {.type = watch->type->name,
                                   .watch = watch->name,
                                   .group = member->name,
                                   .kind = watch->kind,
                                   .state = member->at.is,
                                   .since = member->at.since,
                                   .blind_since = member->at.blind_since,
                                   .holds_since = member->at.holds_since,
                                   .has_value = basis.has_value,
                                   .value = basis.value,
                                   .readings = window_count(&basis.window),
                                   .clause = buffer_string(&clause)};
    bool more = each(context, &view);
    buffer_free(&clause);
    return more;
}

void automation_look(struct automation *automation, int64_t now,
                     bool (*each)(void *context, const struct automation_view *view), void *context)
{
    struct automation_type *type;
    for (type = automation->types; type; type = type->hh.next) {
        for (size_t i = 0; i < type->watch_count; i++)
            for (struct member *member = type->watches[i].members; member;
                 member = member->next_member)
                if (!view_member(member, now, each, context))
                    return;
    }
}

void automation_troubles(const struct automation *automation,
                         void (*each)(void *context, const char *type, const char *watch,
                                      const char *trouble),
                         void *context)
{
    const struct automation_type *type;
    for (type = automation->types; type; type = type->hh.next) {
        for (size_t i = 0; i < type->watch_count; i++)
            if (*type->watches[i].trouble)
                each(context, type->name, type->watches[i].name, type->watches[i].trouble);
    }
}
