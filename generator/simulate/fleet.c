#include "fleet.h"
#include "common/base/clock.h"
#include "generator/local/libmosquitto.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/thing/record.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    WINDOW = 100, /* unacknowledged readings of a thing; AWS IoT's limit of a connection */
    MOST_HANDSHAKES = 32,
    EVENTS = 256,
    KEEPALIVE = 120, /* seconds, as the boards' */
    FILES_EACH = 3,  /* a connection and libmosquitto's own pair of sockets */
    FILES_BESIDES = 64
};

/* Seconds. */
static const double shortest_pause = 0.5, longest_pause = 8, last_wait = 10, care_interval = 1,
                    late_limit = 1, telling_interval = 0.1;

enum state { RESTING, CONNECTING, CONNECTED };

struct member {
    struct fleet *fleet;
    struct actor *actor;
    struct mosquitto *client;
    enum state state;
    bool was_connected, writing; /* writing: epoll waits until it can */
    int descriptor;
    double interval, due;   /* of its next reading */
    double pause, next_try; /* of connecting */
    uint64_t sent, acknowledged;
};

struct fleet {
    const struct reporter *reporter;
    struct world *world;
    const struct fleet_plan *plan;
    struct fleet_report *report;
    struct member *members;
    int poll;
    size_t handshakes;
    double began, cared, told;
    bool ending;
    struct text payload, topic;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- connections --- */

static void watch(struct member *member, bool writing)
{
    struct epoll_event event = {.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = member};
    int descriptor = mosquitto.socket(member->client);
    if (descriptor < 0 || (descriptor == member->descriptor && writing == member->writing))
        return;
    int how = descriptor == member->descriptor ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    epoll_ctl(member->fleet->poll, how, descriptor, &event);
    member->descriptor = descriptor;
    member->writing = writing;
}

static void leave_state(struct member *member)
{
    struct fleet *fleet = member->fleet;
    fleet->handshakes -= member->state == CONNECTING;
    if (member->state == CONNECTED) {
        fleet->report->connected--;
        fleet->report->breaks += !fleet->ending;
    }
    member->state = RESTING;
    member->descriptor = -1; /* closed, and so out of epoll */
}

static void rest(struct member *member)
{
    leave_state(member);
    member->next_try =
        clock_monotonic() + member->pause * (0.5 + chance_next(&member->fleet->world->chance));
    member->pause = fmin(2 * member->pause, longest_pause);
}

static void try_to_connect(struct member *member)
{
    member->state = CONNECTING;
    member->fleet->handshakes++;
    int result =
        member->was_connected || member->pause > shortest_pause
            ? mosquitto.reconnect(member->client)
            : mosquitto.connect(member->client, "localhost", member->fleet->plan->port, KEEPALIVE);
    if (result == MOSQ_ERR_SUCCESS)
        watch(member, true);
    else
        rest(member);
}

/* After anything was done with a connection: it broke, or epoll waits for what it now waits for. */
static void settle(struct member *member, int result)
{
    if (result != MOSQ_ERR_SUCCESS || mosquitto.socket(member->client) < 0) {
        if (member->state != RESTING)
            rest(member);
    } else {
        watch(member, mosquitto.want_write(member->client));
    }
}

static void subscribe(struct member *member)
{
    owned char *topic =
        must_format("%s/%s/command", member->actor->kind->name, member->actor->name);
    mosquitto.subscribe(member->client, NULL, topic, 1);
}

static void on_connect(struct mosquitto *client, void *data, int result)
{
    struct member *member = data;
    struct fleet *fleet = member->fleet;
    (void)client;
    if (result != 0) {
        snprintf(fleet->report->refusal, sizeof fleet->report->refusal, "%s: %s",
                 member->actor->name, mosquitto.connack_string(result));
        return;
    }
    fleet->handshakes -= member->state == CONNECTING;
    member->state = CONNECTED;
    member->was_connected = true;
    member->pause = shortest_pause;
    if (++fleet->report->connected > fleet->report->most_connected)
        fleet->report->most_connected = fleet->report->connected;
    if (member->actor->kind->commands)
        subscribe(member);
}

static void on_acknowledged(struct mosquitto *client, void *data, int id)
{
    struct member *member = data;
    (void)client, (void)id;
    member->acknowledged++;
    member->actor->kind->acknowledged++;
    member->fleet->report->acknowledged++;
}

/* As a board: it obeys, and reports at once. */
static void on_command(struct mosquitto *client, void *data,
                       const struct mosquitto_message *message)
{
    struct member *member = data;
    (void)client;
    if (!actor_obey(member->actor, message->payload, (size_t)message->payloadlen))
        return;
    member->fleet->report->commands++;
    member->due = clock_monotonic();
}

/* --- readings --- */

static void publish(struct member *member)
{
    struct fleet *fleet = member->fleet;
    text_clear(&fleet->payload);
    text_clear(&fleet->topic);
    actor_read(fleet->world, member->actor, &fleet->payload);
    text_add_format(&fleet->topic, "%s/%s", member->actor->kind->name, member->actor->name);
    int result =
        mosquitto.publish(member->client, NULL, text_string(&fleet->topic),
                          (int)fleet->payload.length, text_string(&fleet->payload), 1, false);
    if (result == MOSQ_ERR_NOMEM || result == MOSQ_ERR_INVAL)
        return;
    member->sent++; /* or it is queued, and is sent when the connection is there again */
    member->actor->kind->sent++;
    fleet->report->sent++;
    settle(member, result);
}

/* All that is due of one thing, as far as its window goes. */
static void publish_due(struct member *member, double time)
{
    if (member->due < time - late_limit) /* it could not for long: that is not made up for */
        member->due = time;
    while (member->state == CONNECTED && member->due <= time &&
           member->sent - member->acknowledged < WINDOW) {
        member->due += member->interval;
        publish(member);
    }
}

/* Looks at each thing; the time until the next one is due. */
static double look_at_all(struct fleet *fleet)
{
    double time = clock_monotonic(), next = time + 0.2;
    for (size_t i = 0; i < fleet->world->count; i++) {
        struct member *member = &fleet->members[i];
        if (member->state == RESTING && fleet->handshakes < MOST_HANDSHAKES &&
            member->next_try <= time)
            try_to_connect(member);
        if (member->state != CONNECTED || fleet->ending)
            continue;
        publish_due(member, time);
        if (member->due < next && member->sent - member->acknowledged < WINDOW)
            next = member->due;
    }
    return next - time;
}

/* Keep-alives and time-outs of libmosquitto. */
static void care(struct fleet *fleet)
{
    if (clock_monotonic() - fleet->cared < care_interval)
        return;
    fleet->cared = clock_monotonic();
    for (size_t i = 0; i < fleet->world->count; i++)
        if (fleet->members[i].state != RESTING)
            settle(&fleet->members[i], mosquitto.loop_misc(fleet->members[i].client));
}

static void turn(struct fleet *fleet, double wait)
{
    struct epoll_event events[EVENTS];
    int milliseconds = wait <= 0 ? 0 : (int)ceil(fmin(wait, 0.2) * 1000);
    int count = epoll_wait(fleet->poll, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct member *member = events[i].data.ptr;
        int result = MOSQ_ERR_SUCCESS;
        if (events[i].events & EPOLLOUT)
            result = mosquitto.loop_write(member->client, 1);
        if (result == MOSQ_ERR_SUCCESS && events[i].events & ~(unsigned)EPOLLOUT)
            result = mosquitto.loop_read(member->client, 1);
        settle(member, result);
    }
    care(fleet);
}

/* --- telling --- */

static void tell(struct fleet *fleet)
{
    const struct fleet_report *report = fleet->report;
    if (clock_monotonic() - fleet->told < telling_interval)
        return;
    fleet->told = clock_monotonic();
    report_state(fleet->reporter, "%.0f s  %zu of %zu connected  sent %llu  acknowledged %llu",
                 clock_monotonic() - fleet->began, report->connected, fleet->world->count,
                 (unsigned long long)report->sent, (unsigned long long)report->acknowledged);
}

/* --- the whole --- */

static enum status check_limit(const struct fleet *fleet, struct error *error)
{
    struct rlimit limit;
    rlim_t needed = fleet->world->count * FILES_EACH + FILES_BESIDES;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return FINE;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= needed)
        return FINE;
    fail(error, REFUSED, "%zu things need %llu open files; this machine allows a program %llu",
         fleet->world->count, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    return advise(error, "fewer things, or a higher hard limit (ulimit -Hn)");
}

/* Things begin one after another, within an interval where a rate is asked for, within a second
 * otherwise. */
static void plan_readings(struct member *member, size_t index)
{
    const struct fleet *fleet = member->fleet;
    double count = (double)fleet->world->count, spread = 1;
    if (fleet->plan->rate > 0)
        spread = member->interval = count / fleet->plan->rate;
    else
        member->interval = member->actor->kind->publish_every / fleet->plan->speed;
    member->due = fleet->began + fmin(spread, member->interval) * (double)index / count;
}

static enum status open_member(struct fleet *fleet, size_t index, struct error *error)
{
    struct member *member = &fleet->members[index];
    struct actor *actor = &fleet->world->actors[index];
    owned char *key = record_file(actor->name, "key.pem");
    owned char *certificate = record_file(actor->name, "cert.pem");
    *member = (struct member){.fleet = fleet,
                              .actor = actor,
                              .descriptor = -1,
                              .pause = shortest_pause,
                              .next_try = fleet->began};
    member->client = mosquitto.new(actor->name, !actor->kind->commands, member);
    if (!member->client)
        return fail_errno(error, "cannot prepare the connection of %s", actor->name);
    mosquitto.connect_callback_set(member->client, on_connect);
    mosquitto.publish_callback_set(member->client, on_acknowledged);
    mosquitto.message_callback_set(member->client, on_command);
    mosquitto.max_inflight_messages_set(member->client, WINDOW);
    mosquitto.int_option(member->client, MOSQ_OPT_TCP_NODELAY, 1);
    int result =
        mosquitto.tls_set(member->client, AUTHORITY_CERTIFICATE, NULL, certificate, key, NULL);
    if (result != MOSQ_ERR_SUCCESS)
        return fail(error, REFUSED, "cannot prepare the connection of %s: %s", actor->name,
                    mosquitto.strerror(result));
    plan_readings(member, index);
    return FINE;
}

static bool all_acknowledged(const struct fleet *fleet)
{
    return fleet->report->acknowledged >= fleet->report->sent;
}

static void close_all(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->world->count; i++) {
        struct member *member = &fleet->members[i];
        fleet->report->never += member->client && !member->was_connected;
        if (member->state == CONNECTED)
            mosquitto.disconnect(member->client);
        mosquitto.destroy(member->client);
    }
    free(fleet->members);
    text_free(&fleet->payload);
    text_free(&fleet->topic);
    close(fleet->poll);
}

static void run(struct fleet *fleet)
{
    double end = fleet->plan->seconds > 0 ? fleet->began + fleet->plan->seconds : INFINITY;
    while (!stopped && clock_monotonic() < end) {
        turn(fleet, fmin(look_at_all(fleet), end - clock_monotonic()));
        tell(fleet);
    }
    fleet->ending = true;
    fleet->report->interrupted = stopped;
    fleet->report->seconds = clock_monotonic() - fleet->began;
    for (double until = clock_monotonic() + last_wait;
         !all_acknowledged(fleet) && clock_monotonic() < until;)
        turn(fleet, look_at_all(fleet));
    report_end(fleet->reporter);
}

enum status fleet_run(const struct reporter *reporter, struct world *world,
                      const struct fleet_plan *plan, struct fleet_report *report,
                      struct error *error)
{
    struct fleet fleet = {.reporter = reporter,
                          .world = world,
                          .plan = plan,
                          .report = report,
                          .began = clock_monotonic()};
    struct sigaction on = {.sa_handler = on_signal}, interrupt, terminate;
    *report = (struct fleet_report){0};
    enum status status = check_limit(&fleet, error);
    if (!status)
        status = libmosquitto_load(error);
    if (status)
        return status;
    fleet.poll = epoll_create1(EPOLL_CLOEXEC);
    if (fleet.poll < 0)
        status = fail_errno(error, "cannot watch connections");
    fleet.members = must_array(world->count, sizeof *fleet.members);
    for (size_t i = 0; i < world->count && !status; i++)
        status = open_member(&fleet, i, error);
    sigaction(SIGINT, &on, &interrupt);
    sigaction(SIGTERM, &on, &terminate);
    if (!status)
        run(&fleet);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    close_all(&fleet);
    return status;
}
