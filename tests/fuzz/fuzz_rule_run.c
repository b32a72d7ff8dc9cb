/* Any statement on any payload: "<version byte><statement>\0<payload>". It ends, within its memory;
 * with nothing computed ahead or once for two uses the result is the same; what it selects is JSON
 * again, unless it is the payload itself. A text that is no statement serves as a template, of a
 * rule with variables. */
#include "common/base/memory.h"
#include "common/rule/compile.h"
#include "workplace.h"

enum { MOST_MEMORY = 4 << 20 };

static uint64_t random_bits(void *context)
{
    uint64_t *state = context;
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return *state;
}

static void check_result(const struct rule_result *result, const struct rule_message *message)
{
    struct rule_memory memory = {.limit = (size_t)64 << 20};
    struct rule_value value;
    if (result->raw)
        must_hold(result->bytes == message->payload && result->length == message->payload_length);
    else if (result->length) /* what can be made is deeper than what is read */
        must_hold(rule_json_read(&memory, result->bytes, result->length, &value) ||
                  memchr(result->bytes, '[', result->length) ||
                  memchr(result->bytes + 1, '{', result->length - 1));
    rule_memory_free(&memory);
}

static const struct rule_user_property user_properties[] = {{"a", "b"}, {"", ""}, {"a", "c"}};
static const struct rule_mqtt_header header = {.content_type = "text/plain",
                                               .response_topic = "",
                                               .correlation_data = "\0\xff",
                                               .correlation_length = 2,
                                               .user_properties = user_properties,
                                               .user_property_count = 3};

static enum rule_outcome run(const struct rule *rule, struct rule_scratch *scratch,
                             struct rule_result *result, const char *payload, size_t length)
{
    static uint64_t state; /* begins alike for both runs */
    static struct rule_message message;
    state = 1;
    message = (struct rule_message){.topic = "fuzz/thing",
                                    .payload = payload,
                                    .payload_length = length,
                                    .client_id = "thing",
                                    .source_ip = "192.0.2.1",
                                    .header = &header,
                                    .time = 1700000000000,
                                    .random = random_bits,
                                    .random_context = &state};
    rule_begin(scratch, &message);
    enum rule_outcome outcome = rule_select(rule, scratch, result);
    if (outcome == RULE_SELECTED)
        check_result(result, &message);
    return outcome;
}

/* Memory may suffice for one way and not for the other. */
static void compare(const struct rule *rule, const struct rule *plain, const char *payload,
                    size_t length)
{
    struct rule_scratch *one = rule_scratch_new(MOST_MEMORY),
                        *other = rule_scratch_new(MOST_MEMORY);
    struct rule_result result, again;
    enum rule_outcome outcome = run(rule, one, &result, payload, length);
    enum rule_outcome second = run(plain, other, &again, payload, length);
    if (outcome != RULE_OUT_OF_MEMORY && second != RULE_OUT_OF_MEMORY) {
        must_hold(outcome == second);
        if (outcome == RULE_SELECTED)
            must_hold(result.length == again.length &&
                      (!result.length || memcmp(result.bytes, again.bytes, result.length) == 0));
    }
    rule_scratch_free(one);
    rule_scratch_free(other);
}

static void run_template(const char *text, size_t length, enum rule_version version,
                         const char *payload, size_t payload_length)
{
    struct rule_fault fault;
    struct rule_result result;
    static const char sql[] = "SET @a = a, @b = concat(@a, a.b) SELECT *";
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    struct rule_template *template = rule_template_compile(text, length, version, rule, &fault);
    must_hold(rule);
    if (!template) {
        rule_free(rule);
        return;
    }
    struct rule_scratch *scratch = rule_scratch_new(MOST_MEMORY);
    struct rule_message message = {
        .topic = "fuzz/thing", .payload = payload, .payload_length = payload_length};
    rule_begin(scratch, &message);
    rule_template_run(template, scratch, &result);
    rule_scratch_free(scratch);
    rule_template_free(template);
    rule_free(rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (!size)
        return 0;
    enum rule_version version = input[0] % 2 ? RULE_2016_03_23 : RULE_2015_10_08;
    owned char *whole = must_copy_bytes((const char *)input + 1, size - 1);
    size_t length = strlen(whole);
    size_t payload_length = length < size - 1 ? size - 2 - length : 0;
    /* A copy of its own, so that reading beyond its end is seen. */
    owned char *payload = must_alloc(payload_length);
    if (payload_length)
        memcpy(payload, whole + length + 1, payload_length);
    struct rule_fault fault;
    struct rule *rule = rule_compile(whole, length, version, &fault);
    struct rule *plain = rule_compile_plainly(whole, length, version, &fault);
    must_hold(!rule == !plain);
    if (rule)
        compare(rule, plain, payload, payload_length);
    else
        run_template(whole, length, version, payload, payload_length);
    rule_free(rule);
    rule_free(plain);
    return 0;
}
