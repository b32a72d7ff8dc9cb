/* The plugin of the broker: decides who may connect, publish, subscribe and receive, and appends
 * readings to the spool.
 *
 * mosquitto (2.0.11 and later) calls it in its only thread. Its TLS verifies the certificates. The
 * plugin handles these events:
 *
 *   basic auth   The certificate must be the one in the record of a thing or service (principals.h)
 *                and not be revoked, the type of the thing must be deployed, and its policy must
 *                allow iot:Connect for the client id. So no thing can use the client id of another.
 *   ACL check    The policy of the type must allow iot:Publish, iot:Subscribe or iot:Receive. A
 *                denied publish or subscription ends the connection, as on AWS: mosquitto would
 *                acknowledge a publish to an MQTT 3.1.1 client, which would then drop the reading,
 *                and a packet may have thousands of denied filters.
 *   message      A message of a thing is a reading. It is appended to the spool before the broker
 *                acknowledges it. When the spool refuses it, the connection ends, so that the thing
 *                keeps the reading and sends it again.
 *   last will    mosquitto has no event for a last will. It makes an ACL check after the client has
 *                gone; there the will is appended as a reading. A client that connects while its old
 *                connection is still there gets that one ended first, with its last will. A will with
 *                an MQTT 5 delay is not published: by then it is not known any more which client
 *                left it.
 *   tick         Looks at files that changed. A client that lost a right is disconnected.
 *
 * A thing mostly publishes to one topic. So the decision for the last topic of a connection is
 * kept. */
#include "common/base/clock.h"
#include "common/base/memory.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "hub/spool/spool.h"
#include "allowance.h"
#include "departed.h"
#include "identity.h"
#include "principals.h"
#include "rights.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Otherwise uthash ends the program when memory is exhausted. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    LONGEST_TOPIC = 256, /* bytes, AWS's limit */
    LOOKED_AT = 100      /* connections whose records are looked at in refresh_seconds */
};

static const double refresh_seconds = 0.2;
static const double tidy_seconds = 5;

struct client {
    struct mosquitto *connection; /* the key */
    struct identity identity;
    char *client_id;
    char topic[LONGEST_TOPIC + 1]; /* the last topic to which it may publish; "": not known */
    UT_hash_handle hh, by_id;      /* in plugin->clients, and in plugin->by_id */
};

struct plugin {
    mosquitto_plugin_id_t *id;
    char *project;
    char *log; /* path of the broker's log */
    struct rights *rights;
    struct principals *principals;
    struct departed *departed;
    struct mosquitto *fresh; /* connected since the last tick, to another thing's old session */
    struct spool_writer *spool;
    struct client *clients, *by_id; /* the same, by connection and by client id */
    struct client *latest; /* the last one that was found: each message causes two events */
    struct client *gone;   /* the last one that disconnected: its last will comes after that */
    double refreshed;      /* when the files were looked at: seconds of the monotonic clock */
    struct allowances *allowances;
    double tidied;              /* when full allowances were removed */
    unsigned long long refused; /* readings that the spool refused */
};

/* --- clients --- */

static void broker_log(const char *line)
{
    mosquitto_log_printf(MOSQ_LOG_WARNING, "%s", line);
}

static void log_left_out(const char *name, unsigned long left_out)
{
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "sensorforge: %s: %lu lines like this are left out", name,
                         left_out);
}

/* Whether a line about this name may be logged now. Tells of the lines that were left out before. */
static bool may_log(struct plugin *plugin, const char *name)
{
    unsigned long left_out;
    bool allowed = allowances_log(plugin->allowances, name, &left_out);
    if (left_out)
        log_left_out(name, left_out);
    return allowed;
}

/* identity: as far as it is known; lines are counted for the thing, or else for the address. */
static void log_refusal(struct plugin *plugin, const struct identity *identity,
                        const struct mosquitto *connection, const char *why)
{
    const char *address = mosquitto_client_address(connection);
    const char *client_id = mosquitto_client_id(connection);
    const char *thing = *identity->thing ? identity->thing : NULL;
    client_id = client_id ? client_id : "?";
    address = address ? address : "?";
    bool other = thing && strcmp(thing, client_id) != 0;
    if (may_log(plugin, thing ? thing : address))
        mosquitto_log_printf(MOSQ_LOG_NOTICE, "sensorforge: %s%s%s (%s) is refused: %s",
                             other ? thing : "", other ? " as " : "", client_id, address, why);
}

static struct client *find(struct plugin *plugin, const struct mosquitto *connection)
{
    struct client *client = plugin->latest;
    if (client && client->connection == connection)
        return client;
    client = NULL;
    HASH_FIND_PTR(plugin->clients, &connection, client);
    plugin->latest = client;
    return client;
}

static void free_client(struct client *client)
{
    if (client)
        free(client->client_id);
    free(client);
}

static void take_out(struct plugin *plugin, struct client *client)
{
    plugin->latest = NULL;
    HASH_DEL(plugin->clients, client);
    HASH_DELETE(by_id, plugin->by_id, client);
}

static void forget(struct plugin *plugin, struct client *client)
{
    take_out(plugin, client);
    free_client(client);
}

/* Called when the client has disconnected. It is kept until its last will was checked. */
static void keep_gone(struct plugin *plugin, struct client *client)
{
    take_out(plugin, client);
    free_client(plugin->gone);
    plugin->gone = client;
}

/* --- connecting --- */

/* The reason why the client may not connect; NULL: it may. The reason may be in words. */
static const char *why_not(struct plugin *plugin, const struct identity *identity,
                           const char *client_id, struct text *words)
{
    const char *why = rights_revoked(plugin->rights, identity->serial, broker_log);
    if (!why)
        why = principals_refuse(plugin->principals, identity, broker_log);
    if (why)
        return why;
    if (!rights_know(plugin->rights, identity, broker_log))
        return identity->service ? "its policy cannot be read" : "its type is not deployed";
    if (!rights_allow(plugin->rights, identity, client_id, POLICY_CONNECT, client_id, words))
        return text_string(words);
    return NULL;
}

static int remember(struct plugin *plugin, struct mosquitto *connection,
                    const struct identity *identity, const char *client_id)
{
    struct client *client = find(plugin, connection), *found = NULL;
    if (client)
        forget(plugin, client);
    client = calloc(1, sizeof *client);
    if (!client || !(client->client_id = strdup(client_id))) {
        free(client);
        return MOSQ_ERR_NOMEM;
    }
    client->connection = connection;
    client->identity = *identity;
    HASH_ADD_KEYPTR(by_id, plugin->by_id, client->client_id, strlen(client_id), client);
    HASH_FIND(by_id, plugin->by_id, client_id, strlen(client_id), found);
    if (found)
        HASH_ADD_PTR(plugin->clients, connection, client);
    if (found && find(plugin, connection))
        return MOSQ_ERR_SUCCESS;
    if (found)
        HASH_DELETE(by_id, plugin->by_id, client);
    free_client(client);
    return MOSQ_ERR_NOMEM;
}

/* Ends the connection that the client still has. The broker would do it itself, but does not publish
 * the last will of a session that goes on. It ends a connection whose end was not noticed here, so its
 * last will is due. */
static void end_old_connection(struct plugin *plugin, const struct mosquitto *connection,
                               const char *client_id)
{
    const struct client *old = NULL;
    HASH_FIND(by_id, plugin->by_id, client_id, strlen(client_id), old);
    if (old && old->connection != connection)
        mosquitto_kick_client_by_clientid(client_id, true); /* frees old */
}

static int on_connect(int event, void *data, void *context)
{
    const struct mosquitto_evt_basic_auth *ask = data;
    struct plugin *plugin = context;
    struct identity identity = {0};
    struct text words = {0};
    const char *client_id = mosquitto_client_id(ask->client), *why = NULL;
    X509 *certificate = mosquitto_client_certificate(ask->client);
    (void)event;
    if (!certificate)
        why = "it has no certificate";
    else if (identity_read(certificate, &identity, &why))
        why = why_not(plugin, &identity, client_id, &words);
    X509_free(certificate);
    if (why)
        log_refusal(plugin, &identity, ask->client, why);
    else if (!identity.service && departed_claim(plugin->departed, identity.thing))
        plugin->fresh = ask->client;
    text_free(&words);
    if (!why)
        end_old_connection(plugin, ask->client, client_id);
    return why ? MOSQ_ERR_AUTH : remember(plugin, ask->client, &identity, client_id);
}

static int on_disconnect(int event, void *data, void *context)
{
    const struct mosquitto_evt_disconnect *gone = data;
    struct plugin *plugin = context;
    struct client *client = find(plugin, gone->client);
    (void)event;
    if (client)
        keep_gone(plugin, client);
    return MOSQ_ERR_SUCCESS;
}

/* --- readings --- */

static int take_reading(struct plugin *plugin, const struct client *client, const char *topic,
                        const void *payload, uint32_t length)
{
    const struct spool_record record = {
        .time = clock_milliseconds(),
        .topic = topic,
        .topic_length = (uint32_t)strlen(topic),
        .client_id = client->client_id,
        .client_id_length = (uint32_t)strlen(client->client_id),
        .principal = client->identity.principal,
        .principal_length = (uint32_t)strlen(client->identity.principal),
        .payload = payload,
        .payload_length = length,
    };
    if (spool_append(plugin->spool, &record, NULL) == FINE)
        return MOSQ_ERR_SUCCESS;
    plugin->refused++;
    const char *why = spool_refusal(plugin->spool);
    if (why)
        log_refusal(plugin, &client->identity, client->connection, why);
    else if (may_log(plugin, "the spool"))
        mosquitto_log_printf(MOSQ_LOG_ERR,
                             "sensorforge: the spool refuses readings (%llu so far): is sensorhub "
                             "running, its database reachable, the disk full?",
                             plugin->refused);
    return MOSQ_ERR_UNKNOWN;
}

static int on_message(int event, void *data, void *context)
{
    const struct mosquitto_evt_message *message = data;
    struct plugin *plugin = context;
    const struct client *client = find(plugin, message->client);
    (void)event;
    if (!client || client->identity.service)
        return MOSQ_ERR_SUCCESS;
    return take_reading(plugin, client, message->topic, message->payload, message->payloadlen);
}

/* --- publishing, subscribing, receiving --- */

/* For the session of a thing that is not connected now. Its client id is the thing's name: basic
 * auth made sure of that when the session began. The subscription was checked when it was made. */
static bool away_may_receive(struct plugin *plugin, const struct mosquitto *connection,
                             const char *topic)
{
    const char *client_id = mosquitto_client_id(connection);
    struct identity identity;
    struct text words = {0};
    bool allowed =
        client_id && principals_find(plugin->principals, client_id, &identity, broker_log) &&
        rights_know(plugin->rights, &identity, broker_log) &&
        rights_allow(plugin->rights, &identity, client_id, POLICY_RECEIVE, topic, &words);
    text_free(&words);
    return allowed;
}

static int publish_check(struct plugin *plugin, struct client *client, const char *topic,
                         bool retain, size_t payload)
{
    struct text words = {0};
    bool allowed = !retain && strcmp(client->topic, topic) == 0;
    if (!allowed)
        allowed = rights_allow(plugin->rights, &client->identity, client->client_id, POLICY_PUBLISH,
                               topic, &words) &&
                  (!retain || rights_allow(plugin->rights, &client->identity, client->client_id,
                                           POLICY_RETAIN_PUBLISH, topic, &words));
    if (!allowed)
        log_refusal(plugin, &client->identity, client->connection, text_string(&words));
    else if (strlen(topic) <= LONGEST_TOPIC)
        memcpy(client->topic, topic, strlen(topic) + 1);
    text_free(&words);
    if (!allowed)
        return MOSQ_ERR_CONN_REFUSED;
    const char *exceeded =
        client->identity.service
            ? NULL
            : allowances_exceeded(plugin->allowances, client->identity.thing, payload);
    if (exceeded)
        log_refusal(plugin, &client->identity, client->connection, exceeded);
    return exceeded ? MOSQ_ERR_CONN_REFUSED : MOSQ_ERR_SUCCESS;
}

/* Called right after the client has disconnected. Its last will is a reading like others. */
static int will_check(struct plugin *plugin, const struct mosquitto_evt_acl_check *will)
{
    struct client *client = plugin->gone;
    struct text words = {0};
    if (!client || client->connection != will->client)
        return MOSQ_ERR_ACL_DENIED;
    plugin->gone = NULL;
    const char *why = why_not(plugin, &client->identity, client->client_id, &words);
    int result = MOSQ_ERR_ACL_DENIED;
    if (why)
        log_refusal(plugin, &client->identity, client->connection, why);
    else
        result = publish_check(plugin, client, will->topic, will->retain, will->payloadlen);
    if (result == MOSQ_ERR_SUCCESS && !client->identity.service)
        result = take_reading(plugin, client, will->topic, will->payload, will->payloadlen);
    text_free(&words);
    free_client(client);
    return result;
}

static int on_access(int event, void *data, void *context)
{
    const struct mosquitto_evt_acl_check *ask = data;
    struct plugin *plugin = context;
    struct client *client = find(plugin, ask->client);
    struct text words = {0};
    bool allowed = false;
    (void)event;
    if (ask->access == MOSQ_ACL_UNSUBSCRIBE)
        return MOSQ_ERR_SUCCESS;
    if (!client && ask->access == MOSQ_ACL_WRITE)
        return will_check(plugin, ask);
    if (!client)
        return ask->access == MOSQ_ACL_READ && away_may_receive(plugin, ask->client, ask->topic)
                   ? MOSQ_ERR_SUCCESS
                   : MOSQ_ERR_ACL_DENIED;
    if (ask->access == MOSQ_ACL_READ && plugin->fresh == ask->client)
        return MOSQ_ERR_ACL_DENIED;
    if (ask->access == MOSQ_ACL_WRITE)
        return publish_check(plugin, client, ask->topic, ask->retain, ask->payloadlen);
    allowed = rights_allow(plugin->rights, &client->identity, client->client_id,
                           ask->access == MOSQ_ACL_SUBSCRIBE ? POLICY_SUBSCRIBE : POLICY_RECEIVE,
                           ask->topic, &words);
    if (!allowed && ask->access == MOSQ_ACL_SUBSCRIBE)
        log_refusal(plugin, &client->identity, client->connection, text_string(&words));
    text_free(&words);
    if (allowed)
        return MOSQ_ERR_SUCCESS;
    return ask->access == MOSQ_ACL_SUBSCRIBE ? MOSQ_ERR_CONN_REFUSED : MOSQ_ERR_ACL_DENIED;
}

/* --- deleted things --- */

static void clear_retained(const char *topic)
{
    mosquitto_broker_publish_copy(NULL, topic, 0, NULL, 0, true, NULL);
}

static void drop_departed(void *context, const char *thing, const char *type)
{
    struct plugin *plugin = context;
    struct identity identity = {0};
    snprintf(identity.thing, sizeof identity.thing, "%s", thing);
    snprintf(identity.type, sizeof identity.type, "%s", type);
    if (rights_know(plugin->rights, &identity, broker_log))
        rights_topics(plugin->rights, &identity, clear_retained);
}

/* --- changed files --- */

static void disconnect_unless_allowed(struct plugin *plugin, struct client *client)
{
    struct text words = {0};
    const char *why = why_not(plugin, &client->identity, client->client_id, &words);
    *client->topic = '\0';
    if (why) {
        owned char *client_id = must_copy(client->client_id);
        log_refusal(plugin, &client->identity, client->connection, why);
        mosquitto_kick_client_by_clientid(client_id, false); /* frees client */
    }
    text_free(&words);
}

static void look_at_all(struct plugin *plugin)
{
    struct client *client = NULL, *next = NULL;
    HASH_ITER(hh, plugin->clients, client, next)
    {
        disconnect_unless_allowed(plugin, client);
    }
}

/* A record that was changed in its place, while list and folders stayed as they are, is found when
 * its connection's turn comes: one that was looked at goes to the end of the table. */
static void look_at_next(struct plugin *plugin)
{
    size_t count = HASH_COUNT(plugin->clients);
    for (size_t i = 0; i < count && i < LOOKED_AT && plugin->clients; i++) {
        struct client *client = plugin->clients;
        HASH_DEL(plugin->clients, client);
        HASH_ADD_PTR(plugin->clients, connection, client);
        disconnect_unless_allowed(plugin, client);
    }
}

static void log_spool(struct plugin *plugin)
{
    const char *note = spool_writer_note(plugin->spool);
    if (note)
        broker_log(note);
}

static int on_tick(int event, void *data, void *context)
{
    struct plugin *plugin = context;
    double time = clock_monotonic_coarse();
    (void)event, (void)data;
    plugin->fresh = NULL;
    if (time - plugin->refreshed < refresh_seconds)
        return MOSQ_ERR_SUCCESS;
    plugin->refreshed = time;
    log_turn(plugin->log);
    log_spool(plugin);
    if (time - plugin->tidied > tidy_seconds) {
        plugin->tidied = time;
        allowances_tidy(plugin->allowances, log_left_out);
    }
    rights_refresh(plugin->rights, broker_log);
    departed_refresh(plugin->departed);
    const bool rights = rights_changed(plugin->rights);
    if (principals_changed(plugin->principals) || rights)
        look_at_all(plugin);
    else
        look_at_next(plugin);
    return MOSQ_ERR_SUCCESS;
}

/* --- beginning and end --- */

static const struct {
    int event;
    int (*handler)(int event, void *data, void *context);
} handlers[] = {
    {MOSQ_EVT_BASIC_AUTH, on_connect}, {MOSQ_EVT_DISCONNECT, on_disconnect},
    {MOSQ_EVT_ACL_CHECK, on_access},   {MOSQ_EVT_MESSAGE, on_message},
    {MOSQ_EVT_TICK, on_tick},
};

/* The value of plugin_opt_<name> in mosquitto.conf. */
static const char *option(const struct mosquitto_opt *options, int count, const char *name,
                          const char *otherwise)
{
    for (int i = 0; i < count; i++)
        if (strcmp(options[i].key, name) == 0)
            return options[i].value;
    return otherwise;
}

static double number(const struct mosquitto_opt *options, int count, const char *name,
                     const char *otherwise)
{
    return strtod(option(options, count, name, otherwise), NULL);
}

static enum status start(struct plugin *plugin, const struct mosquitto_opt *options, int count,
                         struct error *error)
{
    const char *project = option(options, count, "project", "");
    if (!*project)
        return fail(error, WRONG_INPUT, "mosquitto.conf: plugin_opt_project is missing");
    owned char *folder = path_join(project, SPOOL_FOLDER);
    const double most = number(options, count, "spool_megabytes", "1024") * 1048576;
    const struct spool_options spool = {
        .folder = folder,
        .most_bytes = (uint64_t)most,
        .most_of_one = (uint64_t)(most * number(options, count, "spool_share", "100") / 100),
        .segment_bytes = (uint64_t)(number(options, count, "segment_megabytes", "16") * 1048576),
        .flush_seconds = number(options, count, "flush_seconds", "0.1")};
    owned char *log = must_format(LOG_FILE, "mosquitto");
    plugin->project = must_copy(project);
    plugin->log = path_join(project, log);
    log_turn(plugin->log);
    plugin->allowances = allowances_open(number(options, count, "messages_per_second", "0"),
                                         number(options, count, "bytes_per_second", "0"));
    plugin->rights = rights_open(project);
    plugin->principals = principals_open(project);
    plugin->departed = departed_open(project, drop_departed, plugin);
    rights_refresh(plugin->rights, broker_log);
    enum status status = spool_writer_open(&spool, &plugin->spool, error);
    if (!status)
        log_spool(plugin);
    return status;
}

int mosquitto_plugin_version(int count, const int *versions)
{
    for (int i = 0; i < count; i++)
        if (versions[i] == 5)
            return 5;
    return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **data, struct mosquitto_opt *options,
                          int count)
{
    struct plugin *plugin = must_alloc(sizeof *plugin);
    struct error error = {0};
    int result = MOSQ_ERR_SUCCESS;
    plugin->id = id;
    *data = plugin;
    if (start(plugin, options, count, &error)) {
        mosquitto_log_printf(MOSQ_LOG_ERR, "sensorforge: %s", text_string(&error.message));
        error_free(&error);
        return MOSQ_ERR_UNKNOWN;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers && !result; i++)
        result =
            mosquitto_callback_register(id, handlers[i].event, handlers[i].handler, NULL, plugin);
    return result;
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count)
{
    struct plugin *plugin = data;
    (void)options, (void)count;
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        mosquitto_callback_unregister(plugin->id, handlers[i].event, handlers[i].handler, NULL);
    while (plugin->clients)
        forget(plugin, plugin->clients);
    free_client(plugin->gone);
    allowances_close(plugin->allowances);
    spool_writer_close(plugin->spool);
    departed_close(plugin->departed);
    rights_close(plugin->rights);
    principals_close(plugin->principals);
    free(plugin->project);
    free(plugin->log);
    free(plugin);
    return MOSQ_ERR_SUCCESS;
}
