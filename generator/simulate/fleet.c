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
    WINDOW = 100,         /* readings of a thing without acknowledgement; AWS IoT's limit */
    MOST_HANDSHAKES = 32, /* at a time */
    EVENTS = 256,         /* of epoll, at a time */
    KEEPALIVE = 120,      /* seconds, as the boards' */
    FILES_EACH = 3, /* open files of a thing: its connection, libmosquitto's pair of sockets */
    FILES_BESIDES = 64
};

/* Seconds. */
static const double shortest_pause = 0.5, longest_pause = 8; /* before a connection is made again */
static const double longest_turn = 0.2; /* of epoll, so that signals are noticed in time */
static const double timer_interval = 1; /* of libmosquitto's keep-alives and timeouts */
static const double late_limit = 1;     /* a reading that is later than this is skipped */
static const double report_interval = 0.1;
static const double acknowledgement_time = 10; /* timeout at the end for acknowledgements */

enum state { PAUSING, CONNECTING, CONNECTED };

/* The connection of one thing. */
struct connection {
    struct fleet *fleet;
    struct actor *actor;
    struct mosquitto *client;
    enum state state;
    bool was_connected;          /* ever */
    int descriptor;              /* the socket that epoll watches; -1: none */
    bool writing;                /* epoll waits until it can be written, too */
    double interval;             /* seconds between two readings */
    double due;                  /* when its next reading is (clock_monotonic) */
    double pause;                /* seconds before the next try to connect, when this one fails */
    double next_try;             /* when that is */
    uint64_t sent, acknowledged; /* readings */
};

struct fleet {
    const struct reporter *reporter;
    struct world *world;
    const struct fleet_plan *plan;
    struct fleet_report *report;
    struct connection *connections; /* one for each thing of the world, in its order */
    int poll;                       /* epoll's descriptor */
    size_t handshakes;              /* connections in the state CONNECTING */
    double began;                   /* (clock_monotonic) */
    double timers_ran, reported;    /* when, the last time */
    bool ending;                    /* nothing is published any more */
    struct text payload, topic; /* of the reading that is being published; kept for their memory */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- connections --- */

/* Makes epoll wait for what the connection waits for. */
static void watch(struct connection *connection, bool writing)
{
    struct epoll_event event = {.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    int descriptor = mosquitto.socket(connection->client);
    if (descriptor < 0 || (descriptor == connection->descriptor && writing == connection->writing))
        return;
    int how = descriptor == connection->descriptor ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    epoll_ctl(connection->fleet->poll, how, descriptor, &event);
    connection->descriptor = descriptor;
    connection->writing = writing;
}

static void leave_state(struct connection *connection)
{
    struct fleet *fleet = connection->fleet;
    fleet->handshakes -= connection->state == CONNECTING;
    if (connection->state == CONNECTED) {
        fleet->report->connected--;
        fleet->report->breaks += !fleet->ending;
    }
    connection->state = PAUSING;
    connection->descriptor = -1; /* closing it took it out of epoll */
}

static void pause_connection(struct connection *connection)
{
    leave_state(connection);
    connection->next_try =
        clock_monotonic() +
        connection->pause * (0.5 + random_next(&connection->fleet->world->random));
    connection->pause = fmin(2 * connection->pause, longest_pause);
}

static void try_to_connect(struct connection *connection)
{
    connection->state = CONNECTING;
    connection->fleet->handshakes++;
    int result = connection->was_connected || connection->pause > shortest_pause
                     ? mosquitto.reconnect(connection->client)
                     : mosquitto.connect(connection->client, "localhost",
                                         connection->fleet->plan->port, KEEPALIVE);
    if (result == MOSQ_ERR_SUCCESS)
        watch(connection, true);
    else
        pause_connection(connection);
}

/* After anything was read or written: the connection may be broken, or wait for something else. */
static void after_io(struct connection *connection, int result)
{
    if (result != MOSQ_ERR_SUCCESS || mosquitto.socket(connection->client) < 0) {
        if (connection->state != PAUSING)
            pause_connection(connection);
    } else {
        watch(connection, mosquitto.want_write(connection->client));
    }
}

static void subscribe(struct connection *connection)
{
    owned char *topic =
        must_format("%s/%s/command", connection->actor->kind->name, connection->actor->name);
    mosquitto.subscribe(connection->client, NULL, topic, 1);
}

static void on_connect(struct mosquitto *client, void *data, int result)
{
    struct connection *connection = data;
    struct fleet *fleet = connection->fleet;
    (void)client;
    if (result != 0) {
        snprintf(fleet->report->refusal, sizeof fleet->report->refusal, "%s: %s",
                 connection->actor->name, mosquitto.connack_string(result));
        return;
    }
    fleet->handshakes -= connection->state == CONNECTING;
    connection->state = CONNECTED;
    connection->was_connected = true;
    connection->pause = shortest_pause;
    if (++fleet->report->connected > fleet->report->most_connected)
        fleet->report->most_connected = fleet->report->connected;
    if (connection->actor->kind->commands)
        subscribe(connection);
}

static void on_acknowledged(struct mosquitto *client, void *data, int id)
{
    struct connection *connection = data;
    (void)client, (void)id;
    connection->acknowledged++;
    connection->actor->kind->acknowledged++;
    connection->fleet->report->acknowledged++;
}

/* As a board does: it obeys, and publishes a reading at once. */
static void on_command(struct mosquitto *client, void *data,
                       const struct mosquitto_message *message)
{
    struct connection *connection = data;
    (void)client;
    if (!world_obey(connection->actor, message->payload, (size_t)message->payloadlen))
        return;
    connection->fleet->report->commands++;
    connection->due = clock_monotonic();
}

/* --- readings --- */

static void publish(struct connection *connection)
{
    struct fleet *fleet = connection->fleet;
    text_clear(&fleet->payload);
    text_clear(&fleet->topic);
    world_read(fleet->world, connection->actor, &fleet->payload);
    text_add_format(&fleet->topic, "%s/%s", connection->actor->kind->name, connection->actor->name);
    int result =
        mosquitto.publish(connection->client, NULL, text_string(&fleet->topic),
                          (int)fleet->payload.length, text_string(&fleet->payload), 1, false);
    if (result == MOSQ_ERR_NOMEM || result == MOSQ_ERR_INVAL)
        return;
    connection->sent++; /* without a connection it is queued, and sent when there is one again */
    connection->actor->kind->sent++;
    fleet->report->sent++;
    after_io(connection, result);
}

/* Publishes the readings of one thing that are due, as far as its window allows. */
static void publish_due(struct connection *connection, double time)
{
    if (connection->due < time - late_limit)
        connection->due = time;
    while (connection->state == CONNECTED && connection->due <= time &&
           connection->sent - connection->acknowledged < WINDOW) {
        connection->due += connection->interval;
        publish(connection);
    }
}

/* Connects and publishes where it is time. Returns the seconds until it is time again. */
static double serve_all(struct fleet *fleet)
{
    double time = clock_monotonic(), next = time + longest_turn;
    for (size_t i = 0; i < fleet->world->count; i++) {
        struct connection *connection = &fleet->connections[i];
        if (connection->state == PAUSING && fleet->handshakes < MOST_HANDSHAKES &&
            connection->next_try <= time)
            try_to_connect(connection);
        if (connection->state != CONNECTED || fleet->ending)
            continue;
        publish_due(connection, time);
        if (connection->due < next && connection->sent - connection->acknowledged < WINDOW)
            next = connection->due;
    }
    return next - time;
}

/* Keep-alives and timeouts of libmosquitto. */
static void run_timers(struct fleet *fleet)
{
    if (clock_monotonic() - fleet->timers_ran < timer_interval)
        return;
    fleet->timers_ran = clock_monotonic();
    for (size_t i = 0; i < fleet->world->count; i++)
        if (fleet->connections[i].state != PAUSING)
            after_io(&fleet->connections[i], mosquitto.loop_misc(fleet->connections[i].client));
}

/* Reads and writes what can be, after waiting for it. */
static void wait_for_io(struct fleet *fleet, double seconds)
{
    struct epoll_event events[EVENTS];
    int milliseconds = seconds <= 0 ? 0 : (int)ceil(fmin(seconds, longest_turn) * 1000);
    int count = epoll_wait(fleet->poll, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        int result = MOSQ_ERR_SUCCESS;
        if (events[i].events & EPOLLOUT)
            result = mosquitto.loop_write(connection->client, 1);
        if (result == MOSQ_ERR_SUCCESS && events[i].events & ~(unsigned)EPOLLOUT)
            result = mosquitto.loop_read(connection->client, 1);
        after_io(connection, result);
    }
    run_timers(fleet);
}

/* --- progress --- */

static void report_counts(struct fleet *fleet)
{
    const struct fleet_report *report = fleet->report;
    if (clock_monotonic() - fleet->reported < report_interval)
        return;
    fleet->reported = clock_monotonic();
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

/* When a thing publishes. Their first readings are spread evenly: over the interval where a rate is
 * asked for, otherwise over a second, or the interval where that is shorter. */
static void plan_readings(struct connection *connection, size_t index)
{
    const struct fleet *fleet = connection->fleet;
    double count = (double)fleet->world->count, spread = 1; /* seconds */
    if (fleet->plan->rate > 0)
        spread = connection->interval = count / fleet->plan->rate;
    else
        connection->interval = connection->actor->kind->publish_every / fleet->plan->speed;
    connection->due = fleet->began + fmin(spread, connection->interval) * (double)index / count;
}

static enum status open_connection(struct fleet *fleet, size_t index, struct error *error)
{
    struct connection *connection = &fleet->connections[index];
    struct actor *actor = &fleet->world->actors[index];
    owned char *key = record_file(actor->name, THING_KEY);
    owned char *certificate = record_file(actor->name, THING_CERTIFICATE);
    *connection = (struct connection){.fleet = fleet,
                                      .actor = actor,
                                      .descriptor = -1,
                                      .pause = shortest_pause,
                                      .next_try = fleet->began};
    connection->client = mosquitto.new(actor->name, !actor->kind->commands, connection);
    if (!connection->client)
        return fail_errno(error, "cannot prepare the connection of %s", actor->name);
    mosquitto.connect_callback_set(connection->client, on_connect);
    mosquitto.publish_callback_set(connection->client, on_acknowledged);
    mosquitto.message_callback_set(connection->client, on_command);
    mosquitto.max_inflight_messages_set(connection->client, WINDOW);
    mosquitto.int_option(connection->client, MOSQ_OPT_TCP_NODELAY, 1);
    int result =
        mosquitto.tls_set(connection->client, AUTHORITY_CERTIFICATE, NULL, certificate, key, NULL);
    if (result != MOSQ_ERR_SUCCESS)
        return fail(error, REFUSED, "cannot prepare the connection of %s: %s", actor->name,
                    mosquitto.strerror(result));
    plan_readings(connection, index);
    return FINE;
}

static bool all_acknowledged(const struct fleet *fleet)
{
    return fleet->report->acknowledged >= fleet->report->sent;
}

static void close_all(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->world->count; i++) {
        struct connection *connection = &fleet->connections[i];
        fleet->report->never += connection->client && !connection->was_connected;
        if (connection->state == CONNECTED)
            mosquitto.disconnect(connection->client);
        mosquitto.destroy(connection->client);
    }
    free(fleet->connections);
    text_free(&fleet->payload);
    text_free(&fleet->topic);
    close(fleet->poll);
}

static void run(struct fleet *fleet)
{
    double end = fleet->plan->seconds > 0 ? fleet->began + fleet->plan->seconds : INFINITY;
    while (!stopped && clock_monotonic() < end) {
        wait_for_io(fleet, fmin(serve_all(fleet), end - clock_monotonic()));
        report_counts(fleet);
    }
    fleet->ending = true;
    fleet->report->interrupted = stopped;
    fleet->report->seconds = clock_monotonic() - fleet->began;
    for (double until = clock_monotonic() + acknowledgement_time;
         !all_acknowledged(fleet) && clock_monotonic() < until;)
        wait_for_io(fleet, serve_all(fleet));
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
    fleet.connections = must_array(world->count, sizeof *fleet.connections);
    for (size_t i = 0; i < world->count && !status; i++)
        status = open_connection(&fleet, i, error);
    sigaction(SIGINT, &on, &interrupt);
    sigaction(SIGTERM, &on, &terminate);
    if (!status)
        run(&fleet);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
    close_all(&fleet);
    return status;
}
