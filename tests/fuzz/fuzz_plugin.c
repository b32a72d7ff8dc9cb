/* Whatever the broker may hand its plugin: clients that connect with any certificate of the
 * authority and any client id, publish, subscribe and are sent to, go with a last will, and ticks
 * in between. This file is the broker. In the spool is, in order, just what was accepted, and
 * nothing was accepted but what the policy of a thing that is known, has this certificate in its
 * record, is not revoked and is connected under its own name allows. The input is events: a letter, a client, then texts, each a length and
 * its bytes, or one of the words below. */
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/valid.h"
#include "hub/plugin/identity.h"
#include "hub/spool/spool.h"
#include "workplace.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { CLIENTS = 4, EVENTS = 16, LONGEST = 300, MOST = 64, REVOKED = 7 };

struct mosquitto {
    char client_id[LONGEST + 1];
    X509 *certificate; /* NULL: it showed none */
    char thing[LONGEST + 1], type[LONGEST + 1];
    bool plain;    /* the names of its certificate are texts of a usual length */
    bool recorded; /* its certificate is the one in the record of its name */
    long serial;
    bool connected;
};

static const char *const words[] = {"kitchen",
                                    "attic",
                                    "temp",
                                    "other",
                                    "temp/kitchen",
                                    "temp/attic",
                                    "temp/",
                                    "other/kitchen",
                                    SERVICE_UNIT,
                                    "temp/+",
                                    "#",
                                    "temp/kitchen/command",
                                    "",
                                    "$SYS/broker",
                                    "*",
                                    "${iot:ClientId}"};
enum { WORDS = sizeof words / sizeof *words };

static struct mosquitto clients[CLIENTS];
static MOSQ_FUNC_generic_callback handlers[EVENTS];
static void *plugin;
static EVP_PKEY *key;
static struct spool_reader *reader;

/* --- the input --- */

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t next_byte(struct input *input)
{
    if (!input->left)
        return 0;
    input->left--;
    return *input->at++;
}

static size_t next_bytes(struct input *input, char bytes[LONGEST + 1])
{
    uint8_t first = next_byte(input);
    size_t length = first < WORDS ? strlen(words[first]) : (size_t)first - WORDS;
    if (first >= WORDS && length > input->left)
        length = input->left;
    memcpy(bytes, first < WORDS ? (const void *)words[first] : input->at, length);
    if (first >= WORDS) {
        input->at += length;
        input->left -= length;
    }
    bytes[length] = '\0';
    return length;
}

/* --- the broker's functions --- */

const char *mosquitto_client_id(const struct mosquitto *client)
{
    return client->client_id;
}

const char *mosquitto_client_address(const struct mosquitto *client)
{
    return client->connected ? "127.0.0.1" : NULL;
}

void *mosquitto_client_certificate(const struct mosquitto *client)
{
    if (client->certificate)
        X509_up_ref(client->certificate);
    return client->certificate;
}

void mosquitto_log_printf(int level, const char *fmt, ...)
{
    (void)level;
    must_hold(*fmt);
}

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
                                MOSQ_FUNC_generic_callback cb_func, const void *event_data,
                                void *userdata)
{
    (void)identifier, (void)event_data;
    must_hold(event >= 0 && event < EVENTS);
    handlers[event] = cb_func;
    plugin = userdata;
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
                                  MOSQ_FUNC_generic_callback cb_func, const void *event_data)
{
    (void)identifier, (void)event, (void)cb_func, (void)event_data;
    return MOSQ_ERR_SUCCESS;
}

static void disconnect(struct mosquitto *client)
{
    struct mosquitto_evt_disconnect gone = {.client = client};
    if (client->connected)
        handlers[MOSQ_EVT_DISCONNECT](MOSQ_EVT_DISCONNECT, &gone, plugin);
    client->connected = false;
    X509_free(client->certificate);
    client->certificate = NULL;
}

int mosquitto_kick_client_by_clientid(const char *clientid, bool with_will)
{
    (void)with_will;
    for (size_t i = 0; i < CLIENTS; i++)
        if (clients[i].connected && strcmp(clients[i].client_id, clientid) == 0)
            disconnect(&clients[i]);
    return MOSQ_ERR_SUCCESS;
}

int mosquitto_broker_publish_copy(const char *clientid, const char *topic, int payloadlen,
                                  const void *payload, int qos, bool retain,
                                  mosquitto_property *properties)
{
    (void)clientid, (void)topic, (void)payloadlen, (void)payload;
    (void)qos, (void)retain, (void)properties;
    return MOSQ_ERR_SUCCESS;
}

/* --- what there is --- */

static void make_policy(void)
{
    static const char policy[] =
        "{\"policyName\":\"temp\",\"policyDocument\":\"{\\\"Statement\\\":["
        "{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:Connect\\\",\\\"Resource\\\":"
        "\\\"arn:aws:iot:r:0:client/${iot:Connection.Thing.ThingName}\\\"},"
        "{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:Publish\\\",\\\"Resource\\\":"
        "\\\"arn:aws:iot:r:0:topic/temp/${iot:Connection.Thing.ThingName}\\\"},"
        "{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:Receive\\\",\\\"Resource\\\":"
        "\\\"arn:aws:iot:r:0:topic/temp/${iot:Connection.Thing.ThingName}/command\\\"}]}\"}";
    struct error error = {0};
    must_hold(make_folders("sensortypes/temp/generated/awscli", FOLDER_PUBLIC, &error) == FINE);
    put_file("sensortypes/temp/generated/awscli/policy.json", policy, sizeof policy - 1);
    put_file("sensortypes/temp/deployed.json", "{}", 2);
}

static void make_revoked(void)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, 1700000000);
    struct error error = {0};
    must_hold(make_folders("iot_system_infra/authority", FOLDER_SECRET, &error) == FINE);
    FILE *file = fopen("iot_system_infra/authority/crl.pem", "w");
    must_hold(file && ASN1_INTEGER_set(serial, REVOKED) &&
              X509_REVOKED_set_serialNumber(entry, serial) &&
              X509_REVOKED_set_revocationDate(entry, time) && X509_CRL_add0_revoked(list, entry) &&
              X509_CRL_set1_lastUpdate(list, time) && X509_CRL_sign(list, key, EVP_sha256()) &&
              PEM_write_X509_CRL(file, list) && fclose(file) == 0);
    ASN1_TIME_free(time);
    ASN1_INTEGER_free(serial);
    X509_CRL_free(list);
}

static void begin(void)
{
    static char project[] = "project", here[] = ".", flush[] = "flush_seconds", seldom[] = "3600",
                segment[] = "segment_megabytes", small[] = "0.1", rate[] = "messages_per_second",
                few[] = "20", bytes[] = "bytes_per_second", most[] = "spool_megabytes",
                little[] = "1", share[] = "spool_share", half[] = "50";
    struct mosquitto_opt options[] = {{project, here}, {flush, seldom}, {segment, small},
                                      {rate, few},     {bytes, few},    {most, little},
                                      {share, half}};
    struct error error = {0};
    bool anew;
    void *data = NULL;
    go_to_workplace();
    key = EVP_EC_gen("P-256");
    must_hold(key != NULL);
    make_policy();
    make_revoked();
    must_hold(make_folders("iot_system_infra/local/identities", FOLDER_SECRET, &error) == FINE);
    must_hold(mosquitto_plugin_init(NULL, &data, options, 7) == MOSQ_ERR_SUCCESS);
    must_hold(spool_reader_open("iot_system_infra/local/spool", &(struct spool_place){0}, &reader,
                                &anew, &error) == FINE);
}

/* --- events --- */

static void add_name(X509_NAME *subject, const char *field, const char *bytes, size_t length)
{
    X509_NAME_add_entry_by_txt(subject, field, V_ASN1_UTF8STRING, (const unsigned char *)bytes,
                               (int)length, -1, 0);
}

/* NULL: OpenSSL takes no such names. */
static X509 *sign_certificate(const X509_NAME *subject, long serial)
{
    X509 *made = X509_new();
    if (X509_set_subject_name(made, subject) && X509_set_issuer_name(made, subject) &&
        ASN1_INTEGER_set(X509_get_serialNumber(made), serial) &&
        X509_gmtime_adj(X509_getm_notBefore(made), 0) &&
        X509_gmtime_adj(X509_getm_notAfter(made), 1000) && X509_set_pubkey(made, key) &&
        X509_sign(made, key, EVP_sha256()))
        return made;
    X509_free(made);
    return NULL;
}

static bool is_service(const struct mosquitto *client)
{
    return strcmp(client->type, SERVICE_UNIT) == 0;
}

/* The record of a name gets the certificate of this client. Each file has another length than the one
 * before it: the clock of the file system may have stood still meanwhile. */
static void record_certificate(struct mosquitto *client)
{
    static const char everything[] = "{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\","
                                     "\\\"Action\\\":\\\"iot:*\\\",\\\"Resource\\\":\\\"*\\\"}]}";
    static int length;
    unsigned char digest[EVP_MAX_MD_SIZE];
    char path[2 * LONGEST], fingerprint[65], bytes[2048];
    unsigned size = 0;
    struct error error = {0};
    must_hold(X509_digest(client->certificate, EVP_sha256(), digest, &size) && size == 32);
    hex_lower(digest, size, fingerprint);
    snprintf(path, sizeof path, "certificates/%s", client->thing);
    if (!is_service(client))
        must_hold(make_folders(path, FOLDER_SECRET, &error) == FINE);
    snprintf(path, sizeof path,
             is_service(client) ? "iot_system_infra/local/identities/%s.json"
                                : "certificates/%s/thing.json",
             client->thing);
    length = (length + 1) % 1000;
    snprintf(bytes, sizeof bytes,
             "{\"state\":\"active\",\"type\":\"%s\",\"certificate\":{\"fingerprint\":\"%s\"},"
             "\"fingerprint\":\"%s\",\"policyDocument\":\"%s\"}%*s",
             valid_type_name(client->type) ? client->type : "none", fingerprint, fingerprint,
             everything, length, "");
    put_file(path, bytes, strlen(bytes));
    client->recorded = true;
}

static void show_certificate(struct mosquitto *client, struct input *input)
{
    uint8_t kind = next_byte(input);
    X509_NAME *subject = X509_NAME_new();
    size_t thing = next_bytes(input, client->thing), type = next_bytes(input, client->type);
    client->serial = kind & 7 ? kind & 7 : 8;
    client->plain = strlen(client->thing) == thing && strlen(client->type) == type;
    if (kind & 0x40) { /* a name twice */
        add_name(subject, "CN", words[0], strlen(words[0]));
        client->plain = false;
    }
    add_name(subject, "CN", client->thing, thing);
    if (!(kind & 0x20))
        add_name(subject, "OU", client->type, type);
    client->plain = client->plain && !(kind & 0x20);
    if (!(kind & 0x80))
        client->certificate = sign_certificate(subject, client->serial);
    client->recorded = false;
    if (client->certificate && client->plain && !(kind & 0x10) && valid_thing_name(client->thing))
        record_certificate(client);
    X509_NAME_free(subject);
}

/* The broker would have two connections of one session. */
static void must_be_only(const struct mosquitto *client)
{
    for (size_t i = 0; i < CLIENTS; i++)
        must_hold(&clients[i] == client || !clients[i].connected ||
                  strcmp(clients[i].client_id, client->client_id) != 0);
}

static void connect_client(struct mosquitto *client, struct input *input)
{
    struct mosquitto_evt_basic_auth ask = {.client = client};
    disconnect(client);
    show_certificate(client, input);
    next_bytes(input, client->client_id);
    client->connected =
        handlers[MOSQ_EVT_BASIC_AUTH](MOSQ_EVT_BASIC_AUTH, &ask, plugin) == MOSQ_ERR_SUCCESS;
    must_hold(
        !client->connected ||
        (client->certificate && client->plain && client->recorded && client->serial != REVOKED &&
         (is_service(client) ||
          (strcmp(client->type, "temp") == 0 && strcmp(client->client_id, client->thing) == 0))));
    if (client->connected)
        must_be_only(client);
}

/* The spool holds this record and no other, or with NULL none. */
static void must_be_spooled(const struct spool_record *wanted)
{
    struct spool_record list[MOST];
    struct error error = {0};
    size_t count;
    must_hold(spool_read(reader, list, MOST, &count, &error) == FINE);
    must_hold(count == (wanted != NULL));
    if (!wanted)
        return;
    must_hold(list->topic_length == wanted->topic_length &&
              memcmp(list->topic, wanted->topic, wanted->topic_length) == 0);
    must_hold(list->client_id_length == wanted->client_id_length &&
              memcmp(list->client_id, wanted->client_id, wanted->client_id_length) == 0);
    must_hold(list->payload_length == wanted->payload_length &&
              memcmp(list->payload, wanted->payload, wanted->payload_length) == 0);
    must_hold(list->principal_length == 64);
    must_hold(spool_done(reader, list->number, &error) == FINE);
}

static bool may(struct mosquitto *client, const char *topic, int access, bool retain)
{
    struct mosquitto_evt_acl_check ask = {
        .client = client, .topic = topic, .access = access, .retain = retain};
    return handlers[MOSQ_EVT_ACL_CHECK](MOSQ_EVT_ACL_CHECK, &ask, plugin) == MOSQ_ERR_SUCCESS;
}

struct message {
    char topic[LONGEST + 1], payload[LONGEST + 1];
    uint32_t length; /* of the payload */
    bool retain;
};

static void read_message(struct input *input, struct message *message)
{
    message->retain = next_byte(input) & 1;
    next_bytes(input, message->topic);
    message->length = (uint32_t)next_bytes(input, message->payload);
}

/* What was accepted is in the spool, and was the client's to say. */
static void check_accepted(const struct mosquitto *client, const struct message *message)
{
    char own[2 * LONGEST + 2];
    const struct spool_record wanted = {.topic = message->topic,
                                        .topic_length = (uint32_t)strlen(message->topic),
                                        .client_id = client->client_id,
                                        .client_id_length = (uint32_t)strlen(client->client_id),
                                        .payload = message->payload,
                                        .payload_length = message->length};
    must_be_spooled(is_service(client) ? NULL : &wanted);
    snprintf(own, sizeof own, "%s/%s", client->type, client->thing);
    must_hold(is_service(client) || (strcmp(message->topic, own) == 0 && !message->retain));
}

static void publish(struct mosquitto *client, struct input *input)
{
    struct message message;
    read_message(input, &message);
    struct mosquitto_evt_message event = {.client = client,
                                          .topic = message.topic,
                                          .payload = message.payload,
                                          .payloadlen = message.length,
                                          .retain = message.retain};
    if (!client->connected)
        return;
    if (!may(client, message.topic, MOSQ_ACL_WRITE, message.retain)) {
        disconnect(client);
        must_be_spooled(NULL);
        return;
    }
    must_hold(handlers[MOSQ_EVT_MESSAGE](MOSQ_EVT_MESSAGE, &event, plugin) == MOSQ_ERR_SUCCESS);
    check_accepted(client, &message);
}

/* It goes, and then the broker asks about its last will. */
static void go(struct mosquitto *client, struct input *input)
{
    struct mosquitto_evt_disconnect gone = {.client = client};
    struct message message;
    read_message(input, &message);
    struct mosquitto_evt_acl_check will = {.client = client,
                                           .topic = message.topic,
                                           .access = MOSQ_ACL_WRITE,
                                           .payload = message.payload,
                                           .payloadlen = message.length,
                                           .retain = message.retain};
    if (!client->connected)
        return;
    handlers[MOSQ_EVT_DISCONNECT](MOSQ_EVT_DISCONNECT, &gone, plugin);
    if (handlers[MOSQ_EVT_ACL_CHECK](MOSQ_EVT_ACL_CHECK, &will, plugin) == MOSQ_ERR_SUCCESS)
        check_accepted(client, &message);
    else
        must_be_spooled(NULL);
    must_hold(!may(client, message.topic, MOSQ_ACL_WRITE, message.retain)); /* one will only */
    client->connected = false;
    disconnect(client);
}

static void receive(struct mosquitto *client, struct input *input)
{
    char topic[LONGEST + 1], own[2 * LONGEST + 2];
    next_bytes(input, topic);
    bool allowed = may(client, topic, MOSQ_ACL_READ, false);
    /* One that is away is known by its client id, which it had to prove once. */
    snprintf(own, sizeof own, "temp/%s/command", client->client_id);
    must_hold(!allowed || (client->connected && is_service(client)) || strcmp(topic, own) == 0);
}

static void subscribe(struct mosquitto *client, struct input *input)
{
    char topic[LONGEST + 1];
    next_bytes(input, topic);
    if (client->connected)
        must_hold(!may(client, topic, MOSQ_ACL_SUBSCRIBE, false) || is_service(client));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct input left = {input, size};
    struct mosquitto_evt_tick tick = {0};
    if (!reader)
        begin();
    while (left.left) {
        uint8_t event = next_byte(&left);
        struct mosquitto *client = &clients[next_byte(&left) % CLIENTS];
        if (event == 'c')
            connect_client(client, &left);
        else if (event == 'p')
            publish(client, &left);
        else if (event == 'r')
            receive(client, &left);
        else if (event == 's')
            subscribe(client, &left);
        else if (event == 'w')
            go(client, &left);
        else if (event == 'd')
            disconnect(client);
        else
            handlers[MOSQ_EVT_TICK](MOSQ_EVT_TICK, &tick, plugin);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        disconnect(&clients[i]);
        clients[i] = (struct mosquitto){0};
    }
    return 0;
}
