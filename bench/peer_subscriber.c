/* What sensorhub with its plugin is measured against: the usual way, a subscriber that inserts.
 *
 *   peer_subscriber PORT CA CERTIFICATE KEY TOPIC DATABASE
 *
 * Tuned as well as it can be: QoS 1, no limit to what is in flight (the broker has none for it
 * either), TCP_NODELAY, one table with the same primary key, cache and checkpoints as sensorhub's,
 * a prepared statement, transactions of up to 10,000 readings with synchronous=FULL. No rules, no
 * checks, nothing that outlives a kill: libmosquitto acknowledges a message before it hands it
 * over.
 *
 * Writes "ready" when it is subscribed. At the end of standard input it commits what it has and
 * prints {"stored": N, "cpu": S}. */
#include <cjson/cJSON.h>
#include <mosquitto.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 10000, WAIT = 20, LONGEST = 100 /* milliseconds */ };

struct peer {
    sqlite3 *database;
    sqlite3_stmt *begin, *insert, *commit;
    unsigned long long seen, stored;
    int open; /* rows of the transaction; 0: none is open */
    const char *topic;
};

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "peer_subscriber: %s\n", what);
    exit(1);
}

static void run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    must(code == SQLITE_DONE, "a statement failed");
    sqlite3_reset(statement);
}

static void commit(struct peer *peer)
{
    if (!peer->open)
        return;
    run(peer->commit);
    peer->stored += (unsigned long long)peer->open;
    peer->open = 0;
}

static void open_database(struct peer *peer, const char *path)
{
    must(sqlite3_open(path, &peer->database) == SQLITE_OK &&
             sqlite3_exec(
                 peer->database,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
                 "PRAGMA wal_autocheckpoint=4000;"
                 "CREATE TABLE readings (thing VARCHAR, time BIGINT, zone VARCHAR,"
                 " temperature DOUBLE, PRIMARY KEY (thing, time)) WITHOUT ROWID",
                 NULL, NULL, NULL) == SQLITE_OK,
         "cannot make the database");
    must(sqlite3_prepare_v2(peer->database, "BEGIN IMMEDIATE", -1, &peer->begin, NULL) ==
                 SQLITE_OK &&
             sqlite3_prepare_v2(peer->database, "COMMIT", -1, &peer->commit, NULL) == SQLITE_OK &&
             sqlite3_prepare_v2(peer->database,
                                "INSERT OR IGNORE INTO readings VALUES (?1, ?2, ?3, ?4)", -1,
                                &peer->insert, NULL) == SQLITE_OK,
         "cannot prepare");
}

static void on_message(struct mosquitto *client, void *context,
                       const struct mosquitto_message *message)
{
    struct peer *peer = context;
    cJSON *reading = cJSON_ParseWithLength(message->payload, (size_t)message->payloadlen);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(reading, "time");
    const cJSON *zone = cJSON_GetObjectItemCaseSensitive(reading, "zone");
    const cJSON *temperature = cJSON_GetObjectItemCaseSensitive(reading, "temperature");
    const char *thing = strrchr(message->topic, '/');
    (void)client;
    must(thing && time && zone && temperature, "that is no reading");
    if (!peer->open)
        run(peer->begin);
    sqlite3_bind_text(peer->insert, 1, thing + 1, -1, SQLITE_STATIC);
    sqlite3_bind_int64(peer->insert, 2, (sqlite3_int64)time->valuedouble);
    sqlite3_bind_text(peer->insert, 3, zone->valuestring, -1, SQLITE_STATIC);
    sqlite3_bind_double(peer->insert, 4, temperature->valuedouble);
    run(peer->insert);
    cJSON_Delete(reading);
    peer->seen++;
    if (++peer->open == BATCH)
        commit(peer);
}

static void on_connect(struct mosquitto *client, void *context, int result)
{
    const struct peer *peer = context;
    must(result == 0, "the broker does not let it in");
    mosquitto_subscribe(client, NULL, peer->topic, 1);
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count,
                         const int *granted)
{
    (void)client, (void)context, (void)id;
    must(count == 1 && *granted == 1, "it may not subscribe");
    puts("ready");
    fflush(stdout);
}

static bool input_has_ended(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* mosquitto_loop() would take one message for each call of the kernel that waits: this one takes
 * all that are there. A transaction is as large as may be, and open no longer than LONGEST. */
static void serve(struct peer *peer, struct mosquitto *client)
{
    struct pollfd wait = {.fd = mosquitto_socket(client)};
    double committed = now();
    while (!input_has_ended()) {
        unsigned long long before;
        wait.events = mosquitto_want_write(client) ? POLLIN | POLLOUT : POLLIN;
        poll(&wait, 1, WAIT);
        do {
            before = peer->seen;
            must(mosquitto_loop_read(client, 1) == MOSQ_ERR_SUCCESS, "the connection ended");
        } while (peer->seen != before);
        if (mosquitto_want_write(client))
            mosquitto_loop_write(client, 1);
        mosquitto_loop_misc(client);
        if (now() - committed > LONGEST / 1e3) {
            commit(peer);
            committed = now();
        }
    }
}

int main(int count, char **words)
{
    struct peer peer = {0};
    struct rusage used;
    if (count != 7) {
        fputs("usage: peer_subscriber PORT CA CERTIFICATE KEY TOPIC DATABASE\n", stderr);
        return 2;
    }
    peer.topic = words[5];
    open_database(&peer, words[6]);
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new("peer", true, &peer);
    must(client != NULL, "out of memory");
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
    mosquitto_max_inflight_messages_set(client, 0);
    must(mosquitto_tls_set(client, words[2], NULL, words[3], words[4], NULL) == MOSQ_ERR_SUCCESS &&
             mosquitto_connect(client, "localhost", (int)strtol(words[1], NULL, 10), 600) ==
                 MOSQ_ERR_SUCCESS,
         "cannot connect");
    serve(&peer, client);
    commit(&peer);
    getrusage(RUSAGE_SELF, &used);
    printf("{\"stored\": %llu, \"cpu\": %.3f}\n", peer.stored,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    sqlite3_close(peer.database);
    return 0;
}
