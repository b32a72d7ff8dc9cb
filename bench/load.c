/* What loads a broker, over TLS with the certificates of things:
 *
 *   load publish PORT CA LIST SECONDS WINDOW BYTES FROM   every thing of the list publishes with
 * QoS 1, at most WINDOW messages without an acknowledgement, payloads of BYTES load sessions PORT
 * CA LIST SECONDS                    every thing connects, publishes one message, waits for its
 * acknowledgement, disconnects, again and again load idle PORT CA LIST every thing connects and
 * stays, until standard input ends; then all are asked whether they are still connected
 *
 * LIST has a line for each thing: its name, certificate, key and topic. A message is a reading of a
 * type with one measure, temperature, and one attribute, zone; its time begins at FROM
 * (milliseconds since 1970) and grows by one with each of a thing's messages, so each reading is
 * one of its own.
 *
 * The broker acknowledges in the order in which it was sent to (MQTT 3.1.1, 4.6), so an
 * acknowledgement is counted only when it has the number that is due; another one ends the program.
 *
 * It prints {"acknowledged": N, "seconds": S, "cpu": S}, cpu being its own: what the machine spent
 * on the load and not on the broker. A thread for each thing, blocking calls, TCP_NODELAY; what is
 * written at once is one TLS record. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LONGEST_LINE = 2048,
    CONNECT = 0x10,
    CONNACK = 0x20,
    PUBLISH_QOS_1 = 0x32,
    PUBACK = 0x40,
    PINGREQ = 0xC0,
    PINGRESP = 0xD0,
    DISCONNECT = 0xE0,
    LARGEST_PACKET = 1024,
    ROOM = 16384, /* a TLS record holds that much */
    KEEP_ALIVE = 1200,
    LEAST_RECORD = 26,  /* of TLS 1.3, with four bytes in it */
    LONGEST_WAIT = 200, /* milliseconds */
    CONNECTORS = 8,     /* of idle ones, at once */
    STACK = 1 << 18
};

struct thing {
    char *name, *certificate, *key, *topic;
    SSL_CTX *context;
    SSL *tls;
    uint64_t sent, acknowledged;
};

static struct thing *things;
static size_t thing_count;
static struct sockaddr_in broker;
static const char *authority;
static size_t window, payload_bytes;
static int64_t from;
static double until;
static atomic_bool go;
static atomic_size_t ready, next_thing;

static _Noreturn void give_up(const struct thing *thing, const char *what)
{
    fprintf(stderr, "load: %s: %s\n", thing ? thing->name : "-", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double own_cpu(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* --- the list --- */

static char *word(char **rest)
{
    char *found = strtok_r(NULL, " \n", rest);
    if (!found || !(found = strdup(found)))
        give_up(NULL, "a line of the list has no four words");
    return found;
}

static void read_list(const char *path)
{
    char line[LONGEST_LINE], *rest;
    FILE *list = fopen(path, "re");
    if (!list)
        give_up(NULL, "cannot open the list");
    while (fgets(line, sizeof line, list)) {
        struct thing *grown = realloc(things, (thing_count + 1) * sizeof *things);
        if (!grown)
            give_up(NULL, "out of memory");
        things = grown;
        struct thing *thing = &things[thing_count++];
        *thing = (struct thing){.name = strdup(strtok_r(line, " \n", &rest))};
        thing->certificate = word(&rest);
        thing->key = word(&rest);
        thing->topic = word(&rest);
    }
    fclose(list);
    if (!thing_count)
        give_up(NULL, "the list is empty");
}

/* --- packets --- */

static unsigned char *put_length(unsigned char *at, size_t length)
{
    do {
        unsigned char digit = length % 128;
        length /= 128;
        *at++ = length ? digit | 0x80 : digit;
    } while (length);
    return at;
}

static unsigned char *put_word(unsigned char *at, size_t value)
{
    *at++ = (unsigned char)(value >> 8);
    *at++ = (unsigned char)value;
    return at;
}

static unsigned char *put_string(unsigned char *at, const char *string)
{
    size_t length = strlen(string);
    at = put_word(at, length);
    memcpy(at, string, length);
    return at + length;
}

static size_t connect_packet(const struct thing *thing, unsigned char *packet)
{
    unsigned char *at = packet;
    *at++ = CONNECT;
    at = put_length(at, 10 + 2 + strlen(thing->name));
    at = put_string(at, "MQTT");
    *at++ = 4; /* 3.1.1 */
    *at++ = 2; /* a clean session */
    at = put_word(at, KEEP_ALIVE);
    at = put_string(at, thing->name);
    return (size_t)(at - packet);
}

static uint16_t packet_id(uint64_t number)
{
    return (uint16_t)(number % 65535 + 1);
}

/* {"time":1763730000000,"temperature":21.57,"zone":"1","note":"..."} */
static void put_payload(unsigned char *payload, uint64_t number)
{
    static const char begin[] = "{\"time\":0000000000000,\"temperature\":2";
    uint64_t time = (uint64_t)from + number;
    unsigned char *at = payload + sizeof begin - 1;
    memcpy(payload, begin, sizeof begin - 1);
    for (unsigned char *digit = payload + 8 + 12; digit >= payload + 8; digit--, time /= 10)
        *digit = (unsigned char)('0' + time % 10);
    *at++ = (unsigned char)('0' + number / 100 % 10);
    *at++ = '.';
    *at++ = (unsigned char)('0' + number / 10 % 10);
    *at++ = (unsigned char)('0' + number % 10);
    memcpy(at, ",\"zone\":\"1\",\"note\":\"", 20);
    at += 20;
    unsigned char *end = payload + payload_bytes - 2;
    memset(at, '.', (size_t)(end - at));
    memcpy(end, "\"}", 2);
}

static size_t publish_packet(const struct thing *thing, unsigned char *packet)
{
    unsigned char *at = packet;
    *at++ = PUBLISH_QOS_1;
    at = put_length(at, 2 + strlen(thing->topic) + 2 + payload_bytes);
    at = put_string(at, thing->topic);
    at = put_word(at, packet_id(thing->sent));
    put_payload(at, thing->sent);
    return (size_t)(at - packet) + payload_bytes;
}

/* --- the connection --- */

static void send_all(struct thing *thing, const unsigned char *bytes, size_t length)
{
    if (length && SSL_write(thing->tls, bytes, (int)length) != (int)length)
        give_up(thing, "the broker closed the connection while being sent to");
}

static void receive_all(struct thing *thing, unsigned char *bytes, size_t length)
{
    while (length) {
        int got = SSL_read(thing->tls, bytes, (int)length);
        if (got <= 0)
            give_up(thing, "the broker closed the connection");
        bytes += got;
        length -= (size_t)got;
    }
}

static void prepare(struct thing *thing)
{
    thing->context = SSL_CTX_new(TLS_client_method());
    if (!thing->context || SSL_CTX_load_verify_locations(thing->context, authority, NULL) != 1 ||
        SSL_CTX_use_certificate_file(thing->context, thing->certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(thing->context, thing->key, SSL_FILETYPE_PEM) != 1)
        give_up(thing, "its certificate, its key or the authority cannot be read");
    SSL_CTX_set_verify(thing->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(thing->context, 1); /* many records with one call */
}

static void connect_thing(struct thing *thing)
{
    unsigned char packet[LARGEST_PACKET], answer[4];
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    thing->tls = SSL_new(thing->context);
    if (descriptor < 0 || !thing->tls ||
        connect(descriptor, (struct sockaddr *)&broker, sizeof broker))
        give_up(thing, "cannot connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (SSL_set_fd(thing->tls, descriptor) != 1 || SSL_connect(thing->tls) != 1)
        give_up(thing, "the handshake failed");
    send_all(thing, packet, connect_packet(thing, packet));
    receive_all(thing, answer, sizeof answer);
    if (answer[0] != CONNACK || answer[3] != 0)
        give_up(thing, "the broker does not let it in");
}

static void disconnect_thing(struct thing *thing)
{
    static const unsigned char packet[] = {DISCONNECT, 0};
    send_all(thing, packet, sizeof packet);
    int descriptor = SSL_get_fd(thing->tls);
    SSL_shutdown(thing->tls);
    SSL_free(thing->tls);
    close(descriptor);
}

/* An acknowledgement is a record of its own. To be woken up for each would cost more than all the
 * rest: the kernel is told to wait for so many of them. */
static void wake_for(const struct thing *thing, size_t acknowledgements)
{
    int bytes = acknowledgements > 1 ? (int)acknowledgements * LEAST_RECORD : 1;
    setsockopt(SSL_get_fd(thing->tls), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

/* At least one, and what else has arrived. */
static void take_acknowledgements(struct thing *thing)
{
    unsigned char bytes[ROOM];
    struct pollfd wait = {.fd = SSL_get_fd(thing->tls), .events = POLLIN};
    if (!SSL_has_pending(thing->tls))
        poll(&wait, 1, LONGEST_WAIT);
    int got = SSL_read(thing->tls, bytes, sizeof bytes);
    if (got <= 0)
        give_up(thing, "the broker closed the connection");
    if (got % 4)
        receive_all(thing, bytes + got, 4 - (size_t)got % 4);
    for (int i = 0; i < got; i += 4) {
        if (bytes[i] != PUBACK || bytes[i + 1] != 2 ||
            (bytes[i + 2] << 8 | bytes[i + 3]) != packet_id(thing->acknowledged))
            give_up(thing, "an acknowledgement is not the one that is due");
        thing->acknowledged++;
    }
}

/* --- what they do --- */

static void wait_for_the_others(void)
{
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&go))
        usleep(1000);
}

/* Half of the window is written at a time, while the other half is on its way. */
static void publish_half(struct thing *thing)
{
    unsigned char bytes[ROOM];
    size_t filled = 0;
    for (size_t i = 0; i < (window + 1) / 2; i++, thing->sent++) {
        if (filled + LARGEST_PACKET > sizeof bytes) {
            send_all(thing, bytes, filled);
            filled = 0;
        }
        filled += publish_packet(thing, bytes + filled);
    }
    send_all(thing, bytes, filled);
}

static void *publish(void *context)
{
    struct thing *thing = context;
    prepare(thing);
    connect_thing(thing);
    wait_for_the_others();
    wake_for(thing, window / 4); /* of at least half a window that are due */
    while (now() < until) {
        publish_half(thing);
        while (thing->sent - thing->acknowledged > window / 2)
            take_acknowledgements(thing);
    }
    wake_for(thing, 1);
    while (thing->acknowledged < thing->sent)
        take_acknowledgements(thing);
    disconnect_thing(thing);
    return NULL;
}

static void *sessions(void *context)
{
    struct thing *thing = context;
    unsigned char packet[LARGEST_PACKET];
    prepare(thing);
    wait_for_the_others();
    while (now() < until) {
        connect_thing(thing);
        send_all(thing, packet, publish_packet(thing, packet));
        thing->sent++;
        take_acknowledgements(thing);
        disconnect_thing(thing);
    }
    return NULL;
}

static void *stay(void *context)
{
    size_t number;
    (void)context;
    while ((number = atomic_fetch_add(&next_thing, 1)) < thing_count) {
        prepare(&things[number]);
        connect_thing(&things[number]);
        SSL_CTX_free(things[number].context);
        atomic_fetch_add(&ready, 1);
    }
    return NULL;
}

static void ask_all(void)
{
    static const unsigned char ping[] = {PINGREQ, 0};
    for (size_t i = 0; i < thing_count; i++) {
        unsigned char answer[2];
        send_all(&things[i], ping, sizeof ping);
        receive_all(&things[i], answer, sizeof answer);
        if (answer[0] != PINGRESP)
            give_up(&things[i], "a ping has no answer");
        things[i].acknowledged = 1;
    }
}

/* --- all of it --- */

static pthread_t start(void *(*work)(void *), void *context)
{
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    if (pthread_create(&thread, &small, work, context))
        give_up(NULL, "cannot start a thread");
    pthread_attr_destroy(&small);
    return thread;
}

static void tell(double seconds, double cpu)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < thing_count; i++)
        sum += things[i].acknowledged;
    printf("{\"acknowledged\": %llu, \"seconds\": %.3f, \"cpu\": %.3f}\n", (unsigned long long)sum,
           seconds, cpu);
}

static void run_for(double seconds, void *(*work)(void *))
{
    pthread_t *threads = calloc(thing_count, sizeof *threads);
    if (!threads)
        give_up(NULL, "out of memory");
    for (size_t i = 0; i < thing_count; i++)
        threads[i] = start(work, &things[i]);
    while (atomic_load(&ready) < thing_count)
        usleep(1000);
    double began = now(), cpu = own_cpu();
    until = began + seconds;
    atomic_store(&go, true);
    for (size_t i = 0; i < thing_count; i++)
        pthread_join(threads[i], NULL);
    tell(now() - began, own_cpu() - cpu);
    free(threads);
}

static void stay_connected(void)
{
    pthread_t threads[CONNECTORS];
    double began = now();
    for (size_t i = 0; i < CONNECTORS; i++)
        threads[i] = start(stay, NULL);
    for (size_t i = 0; i < CONNECTORS; i++)
        pthread_join(threads[i], NULL);
    printf("{\"connected\": %zu, \"seconds\": %.3f}\n", atomic_load(&ready), now() - began);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    ask_all();
    tell(now() - began, own_cpu());
}

int main(int count, char **words)
{
    bool publishes = count == 9 && strcmp(words[1], "publish") == 0;
    bool connects = count == 6 && strcmp(words[1], "sessions") == 0;
    bool stays = count == 5 && strcmp(words[1], "idle") == 0;
    if (!publishes && !connects && !stays) {
        fputs("usage: load publish PORT CA LIST SECONDS WINDOW BYTES FROM\n"
              "       load sessions PORT CA LIST SECONDS\n"
              "       load idle PORT CA LIST\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    broker = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtol(words[2], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    authority = words[3];
    read_list(words[4]);
    window = publishes ? strtoul(words[6], NULL, 10) : 1;
    payload_bytes = publishes ? strtoul(words[7], NULL, 10) : 80;
    from = publishes ? strtoll(words[8], NULL, 10) : (int64_t)time(NULL) * 1000;
    if (payload_bytes < 70 || payload_bytes > 600 || window < 1)
        give_up(NULL, "a payload has 70 to 600 bytes, a window at least one message");
    if (stays)
        stay_connected();
    else
        run_for(strtod(words[5], NULL), publishes ? publish : sessions);
    return 0;
}
