/* The engine: what rules make of readings, from records to rows, with the documents of a type that
 * are written here as the generator emits them. */
#include "common/base/json.h"
#include "hub/actions/member.h"
#include "hub/engine/engine.h"
#include "hub/engine/known_time.h"
#include "common/base/log.h"
#include "common/spec/system.h"
#include "workplace.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/socket.h>

#define FOLDER "sensortypes/room/generated/awscli/"
#define NOW INT64_C(1795264779000)

#define RULE(name, version, sql, actions)                                                          \
    "{\"ruleName\": \"" name "\", \"topicRulePayload\": {\"awsIotSqlVersion\": \"" version         \
    "\", \"sql\": \"" sql "\", \"actions\": [" actions "], \"errorAction\": {\"cloudwatchLogs\": " \
    "{\"roleArn\": \"arn\", \"logGroupName\": \"/x/room\"}}}}"

#define TIMESTREAM                                                                                 \
    "{\"timestream\": {\"roleArn\": \"arn\", \"databaseName\": \"iot\", \"tableName\": \"room\", " \
    "\"dimensions\": [{\"name\": \"thing\", \"value\": \"${topic(2)}\"}, {\"name\": \"zone\", "    \
    "\"value\": \"${zone}\"}], \"timestamp\": {\"value\": "                                        \
    "\"${floor(nanvl(time, timestamp()))}\", \"unit\": \"MILLISECONDS\"}}}"

#define DYNAMODB "{\"dynamoDBv2\": {\"putItem\": {\"tableName\": \"iot-room-invalid\"}}}"

#define VALID "SELECT t + 0.0 AS t FROM 'room/+' WHERE t - 0 = t AND t < 40"
#define INVALID                                                                                    \
    "SELECT topic(2) AS thing, timestamp() AS time, floor(timestamp() / 1000) + 60 AS expires, "   \
    "concat(timestamp(), '-', CASE isUndefined(traceid()) WHEN true THEN newuuid() ELSE "          \
    "traceid() END) AS id, encode(*, 'base64') AS payload FROM 'room/+' WHERE CASE "               \
    "isUndefined(NOT (t - 0 = t AND t < "                                                          \
    "40)) WHEN true THEN true ELSE NOT (t - 0 = t AND t < 40) END"

static struct system home;
static struct deployed *deployed;
static struct engine *engine;
static struct delivery_queue *deliveries;
static struct store *store;
static struct counts counts;
static uint64_t number;
static const size_t most_waiting = 10000; /* bytes */

/* --- a project with one type --- */

static void put_rule(const char *actions)
{
    owned char *rule = must_format(RULE("room_valid", "2015-10-08", VALID, "%s"), actions);
    put(FOLDER "rule.json", rule);
}

static void put_documents(void)
{
    put("sensortypes/room/deployed.json", "{\"target\": \"local\"}");
    put_rule(TIMESTREAM);
    put(FOLDER "invalid-rule.json", RULE("room_invalid", "2016-03-23", INVALID, DYNAMODB));
    put(FOLDER "table.json",
        "{\"DatabaseName\": \"iot\", \"TableName\": \"room\", \"RetentionProperties\": "
        "{\"MemoryStoreRetentionPeriodInHours\": 24, \"MagneticStoreRetentionPeriodInDays\": "
        "365}}");
    put(FOLDER "invalid-table.json",
        "{\"TableName\": \"iot-room-invalid\", \"KeySchema\": [{\"AttributeName\": \"thing\", "
        "\"KeyType\": \"HASH\"}, {\"AttributeName\": \"id\", \"KeyType\": \"RANGE\"}], "
        "\"AttributeDefinitions\": [{\"AttributeName\": \"thing\", \"AttributeType\": \"S\"}, "
        "{\"AttributeName\": \"id\", \"AttributeType\": \"S\"}]}");
    put(FOLDER "invalid-table-ttl.json",
        "{\"TableName\": \"iot-room-invalid\", \"TimeToLiveSpecification\": {\"AttributeName\": "
        "\"expires\", \"Enabled\": true}}");
}

static int begin(void **state)
{
    int failed = clear_workplace(state);
    put("iot_system_infra/system.yaml",
        "version: 1\nname: home\nlocal:\n  notify:\n    alarms: [\"http://127.0.0.1:1/\"]\n");
    put_documents();
    assert_fine(log_open("log", &error));
    assert_fine(system_read(&home, &error));
    assert_fine(delivery_queue_start(1, &deliveries, &error));
    assert_fine(store_open("sqlite:test.sqlite", false, &store, &error));
    deployed = deployed_new(&home.local.notify);
    const struct engine_options options = {.deployed = deployed,
                                           .deliveries = deliveries,
                                           .notify = &home.local.notify,
                                           .account = home.aws.account,
                                           .most_waiting = most_waiting};
    engine = engine_new(&options);
    counts = (struct counts){0};
    number = 0;
    deployed_refresh(deployed);
    assert_fine(deployed_attach(deployed, store, &error));
    return failed;
}

static int end(void **state)
{
    (void)state;
    delivery_queue_stop(deliveries);
    engine_free(engine);
    deployed_free(deployed);
    store_close(store);
    system_free(&home);
    return 0;
}

/* The documents changed. */
static void look(void)
{
    deployed_refresh(deployed);
    assert_fine(deployed_attach(deployed, store, &error));
}

static struct spool_record record(const char *topic, int64_t time, const char *payload)
{
    number++;
    return (struct spool_record){.number = number,
                                 .time = time,
                                 .topic = topic,
                                 .topic_length = (uint32_t)strlen(topic),
                                 .client_id = "kitchen",
                                 .client_id_length = 7,
                                 .principal = "abc",
                                 .principal_length = 3,
                                 .payload = payload,
                                 .payload_length = (uint32_t)strlen(payload)};
}

static void work_on(struct spool_record *records, size_t count)
{
    size_t done = 0, all = 0;
    for (; all < count; all += done) {
        assert_fine(
            engine_batch(engine, store, records + all, count - all, &done, 0, &counts, &error));
        assert_true(done > 0);
    }
}

static void send_at(int64_t time, const char *payload)
{
    struct spool_record one = record("room/kitchen", time, payload);
    work_on(&one, 1);
}

/* --- what is in the database --- */

static int add_column(void *context, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++)
        text_add_format(context, "%s%s", i ? " " : "", values[i] ? values[i] : "-");
    text_add_char(context, '|');
    return 0;
}

static void assert_sql(const char *sql, const char *wanted)
{
    sqlite3 *database;
    struct text rows = {0};
    char *said = NULL;
    assert_int_equal(sqlite3_open("test.sqlite", &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, add_column, &rows, &said))
        fail_msg("%s", said);
    sqlite3_close(database);
    assert_string_equal(text_string(&rows), wanted);
    text_free(&rows);
}

/* The only message in the log has one failure; what it says is asked for by a path. */
static void assert_logged(const char *path, const char *wanted)
{
    owned char *sql = must_format("SELECT json_extract(message, '%s') FROM \"_log\"", path);
    owned char *row = must_format("%s|", wanted);
    assert_sql(sql, row);
}

static void assert_counts(uint64_t valid, uint64_t invalid, uint64_t errors)
{
    assert_int_equal(counts.valid, valid);
    assert_int_equal(counts.invalid, invalid);
    assert_int_equal(counts.errors, errors);
}

static void assert_reason(const char *text, uint64_t count)
{
    for (size_t i = 0; i < counts.reason_count; i++) {
        if (strcmp(counts.reasons[i].text, text) == 0) {
            assert_int_equal(counts.reasons[i].count, count);
            return;
        }
    }
    fail_msg("%s is not counted", text);
}

/* --- readings --- */

static void a_valid_reading_is_a_row(void **state)
{
    (void)state;
    send_at(NOW, "{\"t\": 24.5, \"zone\": \"1\"}");
    send_at(NOW + 5,
            "{\"t\": 25, \"zone\": \"\\u00e4\\ud83d\\ude00\\n\", \"time\": 1795264779001}");
    assert_sql("SELECT thing, time, zone, t, typeof(t) FROM room",
               "kitchen 1795264779000 1 24.5 real|"
               "kitchen 1795264779001 \xc3\xa4\xf0\x9f\x98\x80\n 25.0 real|");
    assert_counts(2, 0, 0);
    assert_int_equal(counts.readings, 2);
}

/* Whatever it is, it ends in the table of invalid readings, with its bytes. */
static void anything_else_is_invalid(void **state)
{
    (void)state;
    enum { LARGE = SPOOL_LARGEST_PAYLOAD };
    owned char *large = must_alloc(LARGE + 1);
    owned char *nested = must_alloc(LARGE + 1);
    memset(large, 'x', LARGE);
    memset(nested, '[', LARGE);
    memcpy(nested, "{\"t\": ", 6);
    static const char *const payloads[] = {"{\"t\": 50}",
                                           "{\"t\": \"24\"}",
                                           "{}",
                                           "[1, 2]",
                                           "",
                                           "not JSON",
                                           "{\"t\": 24",
                                           "\xff\xfe\x80",
                                           "{\"t\": \"\xc0\xaf\"}",
                                           "null",
                                           "{\"t\": 1e9999}"};
    enum { COUNT = sizeof payloads / sizeof *payloads };
    for (int i = 0; i < COUNT; i++)
        send_at(NOW + i, payloads[i]);
    send_at(NOW + COUNT, large);
    send_at(NOW + COUNT + 1, nested);
    assert_counts(0, COUNT + 2, 0);
    assert_sql("SELECT count(*) FROM room", "0|");
    assert_sql("SELECT count(*), min(expires) FROM \"iot-room-invalid\"", "13 1795264839|");
    assert_sql("SELECT json_extract(item, '$.payload'), json_type(item, '$.t')"
               " FROM \"iot-room-invalid\" WHERE time < 1795264779002 ORDER BY time",
               "eyJ0IjogNTB9 -|eyJ0IjogIjI0In0= -|");
    assert_sql("SELECT json_extract(item, '$.payload') FROM \"iot-room-invalid\""
               " WHERE time = 1795264779007",
               "//6A|");
    assert_sql("SELECT max(length(json_extract(item, '$.payload'))) FROM \"iot-room-invalid\"",
               "1398104|");
}

/* They are counted by their reason, and the counts survive a restart. */
static void invalid_readings_are_counted_by_reason(void **state)
{
    (void)state;
    char text[LONGEST_COUNTS];
    struct counts read;
    send_at(NOW, "{\"t\": 40}");
    send_at(NOW + 1, "{\"t\": 41.5}");
    send_at(NOW + 2, "{\"t\": \"41\"}");
    send_at(NOW + 3, "{}");
    send_at(NOW + 4, "hot!");
    send_at(NOW + 5, "{\"t\": 20}");
    assert_int_equal(counts.reason_count, 4);
    assert_reason("room: t is not below 40", 2);
    assert_reason("room: t is not a number", 1);
    assert_reason("room: t is missing", 1);
    assert_reason("room: the message is not a JSON object", 1);
    counts_write(&counts, text);
    assert_non_null(strstr(text, "\"reasons\": {\"room: t is not below 40\": 2, "));
    counts_read(text, &read);
    assert_memory_equal(read.reasons[0].text, counts.reasons[0].text, LONGEST_COUNTED_REASON);
    assert_int_equal(read.reason_count, 4);
    assert_int_equal(read.reasons[0].count, 2);
}

/* There are as many reasons as a person may want to read; the others count together. */
static void counted_reasons_are_bounded(void **state)
{
    (void)state;
    struct counts many = {0}, read;
    char quotes[300], kind[320], text[LONGEST_COUNTS];
    memset(quotes, '"', sizeof quotes); /* as JSON each takes two bytes */
    quotes[sizeof quotes - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        snprintf(kind, sizeof kind, "%d%s", i, quotes);
        counts_add_reason(&many, "room", kind);
    }
    assert_int_equal(many.reason_count, MOST_COUNTED_REASONS);
    assert_string_equal(many.reasons[MOST_COUNTED_REASONS - 1].text, "other reasons");
    assert_int_equal(many.reasons[MOST_COUNTED_REASONS - 1].count, 100 - MOST_COUNTED_REASONS + 1);
    counts_write(&many, text);
    counts_read(text, &read);
    assert_int_equal(read.reason_count, MOST_COUNTED_REASONS);
    assert_string_equal(read.reasons[0].text, "other reasons"); /* the most frequent one */
}

/* None takes the place of another; what is done again after a crash takes its own. */
static void invalid_readings_of_one_millisecond_are_all_kept(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct spool_record list[COUNT];
    char payloads[COUNT][32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(payloads[i], sizeof payloads[i], "{\"t\": %d}", 100 + i);
        list[i] = record("room/kitchen", NOW, payloads[i]);
    }
    work_on(list, COUNT);
    assert_sql("SELECT count(*), count(DISTINCT id), count(DISTINCT time) FROM "
               "\"iot-room-invalid\"",
               "200 200 1|");
    work_on(list, COUNT);
    assert_sql("SELECT count(*), count(DISTINCT json_extract(item, '$.payload'))"
               " FROM \"iot-room-invalid\"",
               "200 200|");
    assert_sql("SELECT id, json_extract(item, '$.id') = id FROM \"iot-room-invalid\" ORDER BY id"
               " LIMIT 1",
               "1795264779000-01a1fe1e-92f8-8000-8000-000000000001 1|");
    assert_counts(0, 2 * COUNT, 0);
}

/* As in DynamoDB, where a key must be there and is a text. */
static void an_item_without_its_key_is_an_error(void **state)
{
    (void)state;
    put(FOLDER "invalid-rule.json",
        RULE("room_invalid", "2016-03-23",
             "SELECT topic(2) AS thing, id, time FROM 'room/+' WHERE t >= 40", DYNAMODB));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 50, \"time\": 7}");
    send_at(NOW, "{\"t\": 50, \"id\": 7}");
    send_at(NOW, "{\"t\": 50, \"id\": \"\"}");
    assert_counts(0, 3, 3);
    send_at(NOW, "{\"t\": 50, \"id\": \"a\"}"); /* its time is when it came */
    send_at(NOW, "{\"t\": 50, \"id\": \"b\", \"time\": 7}");
    assert_sql("SELECT time, id FROM \"iot-room-invalid\" ORDER BY id", "1795264779000 a|7 b|");
    assert_sql("SELECT DISTINCT json_extract(message, '$.failures[0].errorMessage') FROM \"_log\"",
               "The item lacks its key: thing (text) and id (text)|");
}

/* Where the documents say so: one item for a thing and a time, whatever else is in it. */
static void items_by_time_replace_each_other(void **state)
{
    (void)state;
    put(FOLDER "invalid-table.json",
        "{\"TableName\": \"iot-room\", \"KeySchema\": [{\"AttributeName\": \"thing\", "
        "\"KeyType\": \"HASH\"}, {\"AttributeName\": \"time\", \"KeyType\": \"RANGE\"}], "
        "\"AttributeDefinitions\": [{\"AttributeName\": \"thing\", \"AttributeType\": \"S\"}, "
        "{\"AttributeName\": \"time\", \"AttributeType\": \"N\"}]}");
    put(FOLDER "rule.json",
        RULE("room_valid", "2015-10-08", "SELECT topic(2) AS thing, time, id FROM 'room/+'",
             "{\"dynamoDBv2\": {\"putItem\": {\"tableName\": \"iot-room\"}}}"));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1, \"time\": 7, \"id\": \"a\"}");
    send_at(NOW, "{\"t\": 1, \"time\": 7, \"id\": \"b\"}");
    send_at(NOW, "{\"t\": 1, \"id\": \"b\"}");
    assert_sql("SELECT time, id, json_extract(item, '$.id') FROM \"iot-room\"", "7  b|");
    assert_counts(3, 0, 1);
}

static void sent_twice_is_stored_once(void **state)
{
    (void)state;
    struct spool_record list[] = {
        record("room/kitchen", NOW, "{\"t\": 1.5, \"zone\": \"1\", \"time\": 1795264779000}"),
        record("room/kitchen", NOW + 9, "{\"t\": 1.5, \"zone\": \"1\", \"time\": 1795264779000}"),
        record("room/kitchen", NOW + 10, "{\"t\": 2.5, \"zone\": \"1\", \"time\": 1795264779000}")};
    work_on(list, 3);
    assert_sql("SELECT * FROM room", "kitchen 1795264779000 1 1.5|");
    assert_int_equal(counts.duplicates, 1);
    assert_int_equal(counts.rejected, 1);
    assert_counts(3, 0, 1);
    assert_logged("$.ruleName", "room_valid");
    assert_logged("$.topic", "room/kitchen");
    assert_logged("$.clientId", "kitchen");
    assert_logged("$.base64OriginalPayload",
                  "eyJ0IjogMi41LCAiem9uZSI6ICIxIiwgInRpbWUiOiAxNzk1MjY0Nzc5MDAwfQ==");
    assert_logged("$.failures[0].failedAction", "TimestreamAction");
    assert_logged("$.failures[0].failedResource", "room");
    assert_logged("$.failures[0].errorMessage",
                  "The table has another value for the same thing and time");
}

static void nobodys_reading_is_counted(void **state)
{
    (void)state;
    struct spool_record list[] = {
        record("room/kitchen", NOW, "{\"t\": 1.5}"), record("nothing/kitchen", NOW, "{\"t\": 1.5}"),
        record("room/kitchen/more", NOW, "{\"t\": 1.5}"), record("room", NOW, "{\"t\": 1.5}")};
    work_on(list, 4);
    assert_int_equal(counts.readings, 4);
    assert_int_equal(counts.unmatched, 3);
    assert_counts(1, 0, 0);
}

/* Between two looks, in the middle of a batch: its first reading is not lost. */
static void a_new_type_is_found_at_once(void **state)
{
    (void)state;
    struct spool_record list[] = {record("room/kitchen", NOW, "{\"t\": 1.5}"),
                                  record("hall/a", NOW, "{\"t\": 1.5}"),
                                  record("hall/b", NOW, "{\"t\": 1.5}")};
    put("sensortypes/hall/deployed.json", "{\"target\": \"local\"}");
    put("sensortypes/hall/generated/awscli/table.json",
        "{\"DatabaseName\": \"iot\", \"TableName\": \"hall\"}");
    put("sensortypes/hall/generated/awscli/rule.json",
        "{\"ruleName\": \"hall\", \"topicRulePayload\": {\"sql\": \"SELECT t FROM 'hall/+'\", "
        "\"actions\": [{\"timestream\": {\"tableName\": \"hall\", \"dimensions\": [{\"name\": "
        "\"thing\", \"value\": \"${topic(2)}\"}]}}]}}");
    work_on(list, 3);
    assert_sql("SELECT * FROM hall", "a 1795264779000 1.5|b 1795264779000 1.5|");
    assert_int_equal(counts.unmatched, 0);
    assert_fine(remove_tree("sensortypes/hall", &error));
    look();
    work_on(&list[1], 1);
    assert_int_equal(counts.unmatched, 1);
}

/* What a thing had acknowledged is stored, also when the folder of its type is gone by then. */
static void a_type_leaves_when_its_readings_are_stored(void **state)
{
    (void)state;
    deployed_drained(deployed);
    assert_fine(remove_tree("sensortypes/room", &error));
    look();
    send_at(NOW, "{\"t\": 1.5}");
    assert_sql("SELECT t FROM room", "1.5|");
    deployed_drained(deployed); /* at once: the broker may not have looked yet */
    look();
    send_at(NOW + 1, "{\"t\": 2.5}");
    assert_sql("SELECT count(*) FROM room", "2|");
    usleep(1100000);
    look();
    assert_int_equal(deployed_count(deployed), 1); /* there may be more in the spool */
    deployed_drained(deployed);
    look();
    assert_int_equal(deployed_count(deployed), 0);
}

static void changed_documents_count(void **state)
{
    (void)state;
    send_at(NOW, "{\"t\": 30}");
    put(FOLDER "rule.json.new", RULE("room_valid", "2015-10-08",
                                     "SELECT t + 1.0 AS u FROM 'room/+' WHERE t < 20", TIMESTREAM));
    assert_int_equal(rename(FOLDER "rule.json.new", FOLDER "rule.json"), 0);
    look();
    send_at(NOW + 1, "{\"t\": 30}");
    send_at(NOW + 2, "{\"t\": 10}");
    assert_sql("SELECT time, t, u FROM room", "1795264779000 30.0 -|1795264779002 - 11.0|");
    put(FOLDER "rule.json.new", "{\"topicRulePayload\": {\"sql\": \"SELECT FROM\"}}");
    assert_int_equal(rename(FOLDER "rule.json.new", FOLDER "rule.json"), 0);
    look(); /* the documents that were good go on */
    send_at(NOW + 3, "{\"t\": 10}");
    assert_sql("SELECT count(*) FROM room WHERE u = 11.0", "2|");
}

/* --- readings that are set aside --- */

#define HALL_RULE                                                                                  \
    "{\"ruleName\": \"hall\", \"topicRulePayload\": {\"sql\": \"SELECT t FROM 'hall/+'\", "        \
    "\"actions\": [{\"timestream\": {\"tableName\": \"hall\", \"dimensions\": [{\"name\": "        \
    "\"thing\", \"value\": \"${topic(2)}\"}]}}]}}"

static void deploy_hall(const char *rule)
{
    put("sensortypes/hall/deployed.json", "{\"target\": \"local\"}");
    put("sensortypes/hall/generated/awscli/table.json",
        "{\"DatabaseName\": \"iot\", \"TableName\": \"hall\"}");
    put("sensortypes/hall/generated/awscli/rule.json", rule);
}

static void send_hall(int64_t time, const char *payload)
{
    struct spool_record one = record("hall/a", time, payload);
    work_on(&one, 1);
}

/* Until there is nothing that can be stored. */
static void resume(void)
{
    bool more = true;
    while (more)
        assert_fine(engine_resume(engine, store, number, &counts, &more, &error));
}

static void reopen_store(void)
{
    store_close(store);
    engine_forget_store(engine);
    assert_fine(store_open("sqlite:test.sqlite", false, &store, &error));
    assert_fine(deployed_attach(deployed, store, &error));
}

static void assert_held(const char *path, const char *wanted)
{
    struct buffer list = {0};
    engine_report_waiting(engine, &list);
    cJSON *array = cJSON_Parse(buffer_string(&list));
    const cJSON *item = cJSON_GetArrayItem(array, 0);
    if (!wanted)
        assert_int_equal(cJSON_GetArraySize(array), 0);
    else if (cJSON_IsNumber(json_get(item, path)))
        assert_int_equal(json_number(item, path, 0), strtoll(wanted, NULL, 10));
    else
        assert_non_null(strstr(json_string(item, path, ""), wanted));
    cJSON_Delete(array);
    buffer_free(&list);
}

/* A type whose documents cannot be loaded: what its things sent is set aside, what is in front of it
 * and behind it is stored; all of it is stored when the documents are there, in its order. */
static void a_type_that_cannot_be_loaded_is_held(void **state)
{
    (void)state;
    struct spool_record list[] = {
        record("room/kitchen", NOW, "{\"t\": 1.5}"), record("hall/a", NOW, "{\"t\": 1.5}"),
        record("room/kitchen", NOW + 1, "{\"t\": 2.5}"), record("hallway/a", NOW, "{}")};
    static const char *const broken[] = {"{\"topicRulePayload\": {\"sql\": \"SELECT FROM\"}}", "{",
                                         ""};
    deploy_hall("");
    work_on(list, 4);
    assert_sql("SELECT time FROM room", "1795264779000|1795264779001|");
    assert_int_equal(counts.readings, 4);
    assert_int_equal(counts.unmatched, 1);
    for (int i = 0; i < 3; i++) {
        put("sensortypes/hall/generated/awscli/rule.json", broken[i]);
        look();
        resume();
        send_hall(NOW + 1 + i, "{\"t\": 3.5}");
        assert_held("why", "rule.json");
    }
    put("sensortypes/hall/deployed.json", "{"); /* whose mark is torn is not forgotten */
    look();
    send_hall(NOW + 1, "{\"t\": 99.5}"); /* of a time that is there: the first one counts */
    assert_held("type", "hall");
    assert_held("count", "5");
    assert_held("since", "1795264779000");
    reopen_store();
    deploy_hall(HALL_RULE);
    look();
    send_hall(NOW + 9, "{\"t\": 4.5}"); /* not before the others */
    assert_sql("SELECT count(*) FROM hall", "0|");
    resume();
    assert_held(NULL, NULL);
    send_hall(NOW + 10, "{\"t\": 5.5}");
    assert_sql("SELECT time - 1795264779000, t FROM hall", "0 1.5|1 3.5|2 3.5|3 3.5|9 4.5|10 5.5|");
    assert_sql("SELECT count(*) FROM \"_waiting\"", "0|");
    assert_int_equal(counts.readings, 10);
    assert_int_equal(counts.unmatched, 1);
    assert_int_equal(counts.rejected, 1);
    owned char *log = get("log");
    assert_non_null(strstr(log, "readings of type hall are set aside until"));
    assert_non_null(strstr(log, "all readings of type hall that were set aside are stored"));
}

/* A table that cannot be made: something else has its name. The other types do not notice. */
static void a_table_that_cannot_be_made_holds_its_type(void **state)
{
    (void)state;
    static const char *const others[] = {"VIEW hall AS SELECT 1 AS a", "TABLE hall (a)",
                                         "INDEX hall ON \"_log\" (time)"};
    static const char *const drops[] = {"DROP VIEW hall", "DROP TABLE hall", "DROP INDEX hall"};
    for (int i = 0; i < 3; i++) {
        owned char *make = must_format("CREATE %s", others[i]);
        owned char *rows = must_format("%d|", i + 1);
        assert_sql(make, "");
        deploy_hall(HALL_RULE);
        look();
        send_hall(NOW + i, "{\"t\": 1.5}");
        send_at(NOW + i, "{\"t\": 1.5}");
        assert_sql("SELECT count(*) FROM room", rows);
        assert_held("why", "hall");
        assert_held("count", "1");
        assert_sql(drops[i], "");
        resume();
        assert_sql("SELECT count(*) FROM \"_waiting\"", "1|");
        look(); /* the time of the next try has not come, and documents are the same */
        deployed_refresh(deployed);
        put("sensortypes/hall/deployed.json", "{\"target\": \"local\" }");
        look();
        resume();
        assert_sql("SELECT t FROM hall", "1.5|");
        assert_sql("DROP TABLE hall", "");
        put("sensortypes/hall/deployed.json", "{\"target\": \"aws\"}");
        look();
        reopen_store();
    }
    assert_held(NULL, NULL);
}

/* A table that takes no rows any more, because of somebody's trigger: the batch fails once, then its
 * type is held. What else was in the batch is stored. */
static void a_table_that_takes_no_rows_holds_its_type(void **state)
{
    (void)state;
    size_t done;
    struct spool_record list[] = {record("hall/a", NOW, "{\"t\": 1.5}"),
                                  record("room/kitchen", NOW, "{\"t\": 2.5}")};
    deploy_hall(HALL_RULE);
    look();
    assert_sql(
        "CREATE TRIGGER no BEFORE INSERT ON hall BEGIN SELECT RAISE(ABORT, 'not today'); END", "");
    assert_int_equal(engine_batch(engine, store, list, 2, &done, 0, &counts, &error), REFUSED);
    error_free(&error);
    reopen_store();
    work_on(list, 2);
    assert_held("why", "not today");
    assert_sql("SELECT t FROM room", "2.5|");
    assert_sql("SELECT number, time, topic, client_id, principal, CAST(payload AS TEXT) FROM "
               "\"_waiting\"",
               "1 1795264779000 hall/a kitchen abc {\"t\": 1.5}|");
    assert_sql("DROP TRIGGER no", "");
    sleep(1);
    assert_fine(deployed_retry(deployed, store, &error));
    resume();
    assert_sql("SELECT t FROM hall", "1.5|");
    assert_held(NULL, NULL);
    assert_int_equal(counts.readings, 2);
}

/* At the bound, all waits in the spool: nothing is lost, and nothing is stored without its turn. */
static void what_is_set_aside_is_bounded(void **state)
{
    (void)state;
    size_t done;
    deploy_hall("{");
    look();
    owned char *large = must_alloc(most_waiting + 1);
    memset(large, 'x', most_waiting);
    send_hall(NOW, large);
    struct spool_record list[] = {record("room/kitchen", NOW, "{\"t\": 2.5}"),
                                  record("hall/a", NOW, "{\"t\": 1.5}")};
    assert_fine(engine_batch(engine, store, list, 2, &done, 1, &counts, &error));
    assert_int_equal(done, 1);
    assert_int_equal(engine_batch(engine, store, list + 1, 1, &done, 2, &counts, &error), REFUSED);
    assert_non_null(strstr(text_string(&error.message), "a reading of type hall waits"));
    error_free(&error);
    reopen_store();
    deploy_hall(HALL_RULE);
    look();
    resume();
    work_on(list + 1, 1);
    assert_sql("SELECT t FROM hall", "1.5|");
}

static bool read_integer(const char *text, int64_t *integer)
{
    const struct member member = {.at = text, .length = strlen(text)};
    return member_integer(&member, integer);
}

static void integers_have_64_bits(void **state)
{
    (void)state;
    int64_t integer = 0;
    assert_true(read_integer("-9223372036854775808", &integer) && integer == INT64_MIN);
    assert_true(read_integer("9223372036854775807", &integer) && integer == INT64_MAX);
    assert_true(read_integer("-1", &integer) && integer == -1);
    assert_false(read_integer("-9223372036854775809", &integer));
    assert_false(read_integer("9223372036854775808", &integer));
}

/* Readings without a payload take room in the table, too. */
static void empty_readings_are_bounded(void **state)
{
    (void)state;
    size_t sent = 0, done = 1;
    enum status status = FINE;
    deploy_hall("{");
    look();
    while (!status && sent < most_waiting) {
        struct spool_record empty = record("hall/a", NOW, "");
        status = engine_batch(engine, store, &empty, 1, &done, ++sent, &counts, &error);
    }
    assert_int_equal(status, REFUSED);
    assert_true(sent > 10 && sent < 100);
    error_free(&error);
}

/* --- what a table does not take --- */

static void a_time_outside_the_window_is_rejected(void **state)
{
    (void)state;
    send_at(NOW, "{\"t\": 1, \"time\": 1795178378999}");
    assert_sql("SELECT count(*) FROM room", "0|");
    assert_logged("$.failures[0].failedAction", "TimestreamAction");
    send_at(NOW, "{\"t\": 1, \"time\": 1795178379000}");
    send_at(NOW, "{\"t\": 1, \"time\": 1795265679000}");
    send_at(NOW, "{\"t\": 1, \"time\": 1795265679001}");
    assert_sql("SELECT time FROM room", "1795178379000|1795265679000|");
    assert_counts(4, 0, 2);
}

static void a_value_of_another_type_is_rejected(void **state)
{
    (void)state;
    put(FOLDER "rule.json", RULE("room_valid", "2015-10-08", "SELECT * FROM 'room/+'", TIMESTREAM));
    put(FOLDER "x.json", "{}");
    assert_int_equal(rename(FOLDER "x.json", FOLDER "y.json"), 0);
    look();
    send_at(NOW, "{\"a\": 1.5, \"b\": 1, \"c\": true, \"d\": \"x\", \"e\": {\"f\": [1, \"}\"]}, "
                 "\"g\": null}");
    send_at(NOW + 1, "{\"a\": 2, \"b\": 1.5, \"c\": 0, \"d\": 1, \"e\": \"z\"}");
    send_at(NOW + 2, "{\"b\": 9223372036854775808}");
    send_at(NOW + 3, "{\"A\": 1.5, \"time\": 5, \"Thing\": 1}");
    assert_sql(
        "SELECT name, type FROM pragma_table_info('room') ORDER BY cid",
        "thing VARCHAR|time BIGINT|zone VARCHAR|a DOUBLE|b BIGINT|c BOOLEAN|d VARCHAR|e VARCHAR|");
    assert_sql("SELECT time - 1795264779000, a, b, c, d, e FROM room",
               "0 1.5 1 1 x {\"f\":[1,\"}\"]}|1 2.0 - - - z|");
    assert_sql("SELECT group_concat(json_array_length(message, '$.failures')) FROM \"_log\"",
               "3,1,1|");
}

/* Also as a column of a table of items is: it is known again for what it is. */
static void any_field_may_become_a_column(void **state)
{
    (void)state;
    put(FOLDER "rule.json", RULE("room_valid", "2015-10-08", "SELECT * FROM 'room/+'", TIMESTREAM));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1, \"expires\": 1, \"item\": {\"a\": 1}, \"id\": \"x\", \"n\": 2.5}");
    store_close(store);
    assert_fine(store_open("sqlite:test.sqlite", false, &store, &error));
    look();
    send_at(NOW + 1, "{\"t\": 1, \"expires\": 2, \"item\": \"b\", \"id\": \"y\", \"n\": 3}");
    send_at(NOW + 2, "{\"t\": 50}");
    assert_sql("SELECT time - 1795264779000, expires, item, id, n FROM room",
               "0 1 {\"a\":1} x 2.5|1 2 b y 3.0|2 - - - -|");
    assert_sql("SELECT count(*) FROM \"iot-room-invalid\"", "1|");
    assert_counts(3, 1, 0);
}

static void what_cannot_run_here_is_an_error(void **state)
{
    (void)state;
    put_rule(TIMESTREAM ", {\"s3\": {\"bucketName\": \"b\", \"key\": \"k\"}}");
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5}");
    assert_sql("SELECT t FROM room", "1.5|");
    assert_logged("$.failures[0].failedAction", "S3Action");
    owned char *log = get("log");
    assert_non_null(strstr(log, FOLDER "rule.json: actions[1]: s3 cannot run here"));
}

static void a_function_of_a_service_is_an_error(void **state)
{
    (void)state;
    put(FOLDER "rule.json",
        RULE("room_valid", "2016-03-23",
             "SELECT get_thing_shadow('a', 'b') AS t FROM 'room/+' WHERE t < 40", TIMESTREAM));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5}");
    assert_sql("SELECT count(*) FROM room", "0|");
    assert_counts(0, 0, 1);
    assert_logged("$.failures[0].failedAction", "RuleExecution");
}

/* A record has no properties of MQTT 5, and not the address of its client. */
static void what_a_record_lacks_is_an_error(void **state)
{
    (void)state;
    put(FOLDER "rule.json",
        RULE("room_valid", "2016-03-23",
             "SELECT get_user_properties('a') AS t FROM 'room/+' WHERE t < 40", TIMESTREAM));
    put(FOLDER "invalid-rule.json",
        RULE("room_invalid", "2016-03-23", "SELECT sourceip() AS ip FROM 'room/+' WHERE t >= 40",
             DYNAMODB));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5}");
    send_at(NOW + 1, "{\"t\": 41.5}");
    assert_sql("SELECT json_extract(message, '$.failures[0].errorMessage') FROM \"_log\"",
               "get_user_properties() needs the MQTT 5 header of the message, which is not here|"
               "sourceip() needs the address of the client, which is not here|");
}

/* A message on $aws/rules/<rule>/... is for that rule alone, and the rule sees the rest of the topic. */
static void basic_ingest(void **state)
{
    (void)state;
    struct spool_record list[] = {record("$aws/rules/room_valid/room/a", NOW, "{\"t\": 1.5}"),
                                  record("$aws/rules/room_valid/x/b", NOW, "{\"t\": 2.5}"),
                                  record("$aws/rules/room_valid/room/c", NOW, "{\"t\": 41}"),
                                  record("$aws/rules/room_invalid/room/d", NOW, "{\"t\": 42}"),
                                  record("$aws/rules/room_other/room/e", NOW, "{\"t\": 1.5}"),
                                  record("$aws/rules/room_valid", NOW, "{\"t\": 41}"),
                                  record("$aws/rules/", NOW, "{\"t\": 1.5}")};
    work_on(list, 7);
    assert_sql("SELECT thing, t FROM room ORDER BY thing", "a 1.5|b 2.5|");
    assert_sql("SELECT thing FROM \"iot-room-invalid\"", "d|");
    assert_counts(2, 1, 0);
    assert_int_equal(counts.unmatched, 4);
}

static void variables_of_a_rule_in_its_actions(void **state)
{
    (void)state;
    put(FOLDER "rule.json",
        RULE("room_valid", "2016-03-23",
             "SET @place = get_or_default(place, {'name': 'none'}) SELECT t, @place.name AS place "
             "FROM 'room/+'",
             "{\"timestream\": {\"databaseName\": \"iot\", \"tableName\": \"room\", "
             "\"dimensions\": [{\"name\": \"thing\", \"value\": \"${topic(2)}\"}, {\"name\": "
             "\"zone\", \"value\": \"${upper(@place.name)}\"}], \"timestamp\": {\"value\": "
             "\"${timestamp()}\", \"unit\": \"MILLISECONDS\"}}}"));
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5, \"place\": {\"name\": \"attic\"}}");
    send_at(NOW + 1, "{\"t\": 2.5}");
    assert_sql("SELECT t, place, zone FROM room", "1.5 attic ATTIC|2.5 none NONE|");
}

/* A batch that fails is done again, and counts once. */
static void a_refusal_leaves_nothing(void **state)
{
    (void)state;
    sqlite3 *other;
    size_t done;
    struct spool_record one = record("room/kitchen", NOW, "{\"t\": 1.5}");
    assert_int_equal(sqlite3_open("test.sqlite", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(engine_batch(engine, store, &one, 1, &done, 0, &counts, &error), REFUSED);
    assert_int_equal(done, 0);
    assert_int_equal(counts.readings, 0);
    sqlite3_close(other);
    work_on(&one, 1);
    assert_int_equal(counts.readings, 1);
    assert_sql("SELECT count(*) FROM room", "1|");
}

/* --- columns --- */

#define SPEC                                                                                       \
    "version: 1\ntype: hall\nattributes:\n  zone: {default: \"1\"}\nmeasures:\n  t: {type: "       \
    "double}\n"                                                                                    \
    "  n: {type: bigint}\n  on: {type: boolean}\n  text: {type: varchar}\n"

#define ALL_RULE                                                                                   \
    "{\"ruleName\": \"hall\", \"topicRulePayload\": {\"sql\": \"SELECT * FROM 'hall/+'\", "        \
    "\"actions\": [{\"timestream\": {\"tableName\": \"hall\", \"dimensions\": [{\"name\": "        \
    "\"thing\", \"value\": \"${topic(2)}\"}]}}]}}"

static void send_fields(const char *topic, int64_t time, int from, int count)
{
    struct text payload = {0};
    text_add_string(&payload, "{\"t\": 1.5");
    for (int i = 0; i < count; i++)
        text_add_format(&payload, ", \"f%d\": %d", from + i, i);
    text_add_string(&payload, "}");
    struct spool_record one = record(topic, time, text_string(&payload));
    work_on(&one, 1);
    text_free(&payload);
}

/* Declared columns are there from the start, so no thing's first reading decides what they are; what
 * things add to them is bounded, for each one and for all. */
static void declared_columns_are_there_from_the_start(void **state)
{
    (void)state;
    put("sensortypes/hall/spec.yaml", SPEC);
    deploy_hall(ALL_RULE);
    look();
    assert_sql("SELECT name, type FROM pragma_table_info('hall')",
               "thing VARCHAR|time BIGINT|zone VARCHAR|t DOUBLE|n BIGINT|on BOOLEAN|text VARCHAR|");
    send_hall(NOW, "{\"t\": \"hot\", \"n\": 7}"); /* its t is no double; its n is stored */
    send_hall(NOW + 1, "{\"t\": 24, \"on\": true}");
    assert_sql("SELECT t, typeof(t), n, \"on\" FROM hall", "- null 7 -|24.0 real - 1|");
    for (int thing = 0; thing < 10; thing++) {
        char topic[32];
        snprintf(topic, sizeof topic, "hall/%d", thing);
        send_fields(topic, NOW, thing * 100, 20); /* the first 16, and of four things only */
        send_fields(topic, NOW + 1, thing * 100 + 50, 20);
    }
    assert_sql("SELECT count(*) FROM pragma_table_info('hall')", "71|");
    assert_sql("SELECT count(*), count(f0), count(f15), count(f315) FROM hall WHERE t = 1.5",
               "20 1 1 1|");
    owned char *log = get("log");
    assert_non_null(strstr(log, "The table takes no column called"));
    /* A measure that is added later, in a table that is open. */
    put("sensortypes/hall/spec.yaml", SPEC "  more: {type: double}\n");
    deploy_hall(ALL_RULE " ");
    look();
    send_hall(NOW + 2, "{\"more\": 3}");
    assert_sql("SELECT more, typeof(more) FROM hall WHERE more", "3.0 real|");
}

/* --- the time that retention goes by --- */

static void a_clock_far_away_is_not_believed(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    const int64_t day = INT64_C(1000) * DAY;
    struct known_time known = {0};
    assert_int_equal(known_time_now(&known, NOW, 100, 0), NOW); /* nothing is known yet */
    /* Small steps are believed, forwards and back. */
    assert_int_equal(known_time_now(&known, NOW + day / 2, 110, 0), NOW + day / 2);
    assert_int_equal(known_time_now(&known, NOW, 110, 0), NOW);
    /* 400 days ahead: time goes on by the other clock. */
    assert_int_equal(known_time_now(&known, NOW + 400 * day, 120, NOW), NOW + 10000);
    assert_true(known.doubted);
    assert_int_equal(known_time_now(&known, NOW + 400 * day, 130, NOW), NOW + 20000);
    assert_int_equal(known_time_reached(&known, 130), NOW + 20000);
    /* Behind: the clock decides, and what is known is kept. */
    assert_int_equal(known_time_now(&known, 5, 140, NOW), 5);
    assert_int_equal(known_time_reached(&known, 140), NOW + 30000);
    /* It is right again. */
    assert_int_equal(known_time_now(&known, NOW + 50000, 150, NOW), NOW + 50000);
    assert_false(known.doubted);
    /* The machine was off for 30 days; things say the same. */
    known = (struct known_time){.time = NOW, .at = 1};
    assert_int_equal(known_time_now(&known, NOW + 30 * day, 1, NOW), NOW);
    assert_int_equal(known_time_now(&known, NOW + 30 * day, 2, NOW + 30 * day - 50),
                     NOW + 30 * day);
    assert_false(known.doubted);
    /* Nobody says anything: after a week it is believed, if nobody moved it meanwhile. */
    known = (struct known_time){.time = NOW, .at = 1};
    assert_true(known_time_now(&known, NOW + 30 * day, 1, 0) < NOW + day);
    assert_true(known_time_now(&known, NOW + 36 * day, 1 + 6 * DAY, 0) < NOW + 7 * day);
    assert_true(known_time_now(&known, NOW + 44 * day, 2 + 7 * DAY, 0) < NOW + 8 * day);
    assert_true(known_time_now(&known, NOW + 44 * day, 3 + 7 * DAY, 0) < NOW + 8 * day);
    assert_int_equal(known_time_now(&known, NOW + 51 * day, 4 + 14 * DAY, 0), NOW + 51 * day);
}

static void the_newest_time_of_things_is_kept(void **state)
{
    (void)state;
    send_at(NOW, "{\"t\": 1}"); /* the time of its arrival */
    assert_int_equal(counts.newest, 0);
    send_at(NOW, "{\"t\": 1, \"time\": 1795264778000}");
    send_at(NOW, "{\"t\": 1, \"time\": 1795264777000}");
    assert_int_equal(counts.newest, 1795264778000);
    assert_sql("SELECT json_extract(counts, '$.newest') FROM \"_hub\"", "1795264778000|");
}

/* --- what is sent --- */

/* Answers one request after the other with the codes in *context, and keeps what it was asked. */
struct web {
    int listener, port, codes[8], answered;
    char asked[8][4096];
};

static void *serve(void *context)
{
    struct web *web = context;
    for (; web->codes[web->answered]; web->answered++) {
        char *asked = web->asked[web->answered], answer[128];
        int connection = accept(web->listener, NULL, NULL);
        size_t length = 0;
        ssize_t got;
        const char *body = NULL, *size;
        do {
            got = recv(connection, asked + length, sizeof web->asked[0] - 1 - length, 0);
            length += got > 0 ? (size_t)got : 0;
            asked[length] = '\0';
            body = strstr(asked, "\r\n\r\n");
            size = strcasestr(asked, "content-length: ");
        } while (got > 0 &&
                 (!body || !size ||
                  strlen(body + 4) < strtoul(size + strlen("content-length: "), NULL, 10)));
        int made = snprintf(answer, sizeof answer,
                            "HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                            web->codes[web->answered]);
        if (send(connection, answer, (size_t)made, MSG_NOSIGNAL) != made)
            break;
        close(connection);
    }
    return NULL;
}

static pthread_t start_web(struct web *web)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    pthread_t thread;
    web->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(web->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(web->listener, 8), 0);
    assert_int_equal(getsockname(web->listener, (struct sockaddr *)&address, &length), 0);
    web->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&thread, NULL, serve, web), 0);
    return thread;
}

static void wait_for(size_t sent, size_t failed)
{
    for (int i = 0; i < 1000; i++) {
        struct delivery_counts now = delivery_queue_count(deliveries);
        if (now.sent >= sent && now.failed >= failed)
            return;
        usleep(20000);
    }
    fail_msg("deliveries did not come to their end");
}

static void posts_what_was_selected(void **state)
{
    (void)state;
    static struct web web = {.codes = {500, 200}};
    pthread_t thread = start_web(&web);
    owned char *action =
        must_format("{\"http\": {\"url\": \"http://127.0.0.1:%d/${topic(2)}\", "
                    "\"confirmationUrl\": \"http://127.0.0.1:%d/\", \"headers\": [{\"key\": "
                    "\"x-t\", \"value\": \"<${t}>\"}]}}",
                    web.port, web.port);
    put_rule(action);
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5}");
    wait_for(1, 0);
    pthread_join(thread, NULL);
    close(web.listener);
    assert_int_equal(web.answered, 2);
    assert_non_null(strstr(web.asked[1], "POST /kitchen HTTP/1.1\r\n"));
    assert_non_null(strstr(web.asked[1], "x-t: <1.5>\r\n"));
    assert_non_null(strstr(web.asked[1], "content-type: application/json\r\n"));
    assert_non_null(strstr(web.asked[1], "\r\n\r\n{\"t\":1.5}"));
    assert_counts(1, 0, 0);
}

/* Where nobody answers, the error action gets it, with the next batch. */
static void a_delivery_that_fails_comes_back(void **state)
{
    (void)state;
    size_t done;
    put_rule("{\"http\": {\"url\": \"http://127.0.0.1:1/\"}}, {\"sns\": {\"targetArn\": "
             "\"arn:aws:sns:eu-west-1:0:alarms\"}}, {\"republish\": {\"topic\": \"a/b\"}}");
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1.5}");
    wait_for(0, 3);
    assert_fine(engine_batch(engine, store, NULL, 0, &done, number, &counts, &error));
    assert_sql("SELECT json_extract(message, '$.failures[0].failedAction') AS a,"
               " json_extract(message, '$.base64OriginalPayload') FROM \"_log\" ORDER BY a",
               "HttpAction eyJ0IjogMS41fQ==|RepublishAction eyJ0IjogMS41fQ==|"
               "SnsAction eyJ0IjogMS41fQ==|");
    assert_int_equal(counts.errors, 3);
}

static void a_message_does_not_choose_the_server(void **state)
{
    (void)state;
    put_rule("{\"http\": {\"url\": \"http://127.0.0.1:1${h}\", \"confirmationUrl\": "
             "\"http://127.0.0.1:1\"}}");
    put(FOLDER "x.json", "{}");
    look();
    send_at(NOW, "{\"t\": 1, \"h\": \"@example.org/\"}");
    send_at(NOW, "{\"t\": 1, \"h\": \".example.org/\"}");
    send_at(NOW, "{\"t\": 1, \"h\": \"/\\r\\nx: y\"}");
    assert_counts(3, 0, 3);
    assert_int_equal(delivery_queue_count(deliveries).waiting, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_valid_reading_is_a_row),
        TEST(anything_else_is_invalid),
        TEST(invalid_readings_of_one_millisecond_are_all_kept),
        TEST(invalid_readings_are_counted_by_reason),
        TEST(counted_reasons_are_bounded),
        TEST(an_item_without_its_key_is_an_error),
        TEST(items_by_time_replace_each_other),
        TEST(sent_twice_is_stored_once),
        TEST(nobodys_reading_is_counted),
        TEST(a_new_type_is_found_at_once),
        TEST(a_type_leaves_when_its_readings_are_stored),
        TEST(changed_documents_count),
        TEST(a_type_that_cannot_be_loaded_is_held),
        TEST(a_table_that_cannot_be_made_holds_its_type),
        TEST(a_table_that_takes_no_rows_holds_its_type),
        TEST(what_is_set_aside_is_bounded),
        TEST(declared_columns_are_there_from_the_start),
        TEST(empty_readings_are_bounded),
        TEST(integers_have_64_bits),
        TEST(a_clock_far_away_is_not_believed),
        TEST(the_newest_time_of_things_is_kept),
        TEST(a_time_outside_the_window_is_rejected),
        TEST(a_value_of_another_type_is_rejected),
        TEST(any_field_may_become_a_column),
        TEST(what_cannot_run_here_is_an_error),
        TEST(a_function_of_a_service_is_an_error),
        TEST(what_a_record_lacks_is_an_error),
        TEST(basic_ingest),
        TEST(variables_of_a_rule_in_its_actions),
        TEST(a_refusal_leaves_nothing),
        TEST(posts_what_was_selected),
        TEST(a_delivery_that_fails_comes_back),
        TEST(a_message_does_not_choose_the_server),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
