/* rule_rate SECONDS MODEL PAYLOAD: messages a second through the rules of a type, beside cJSON
 * parsing the same payload and deleting what it made. MODEL is the output of "sensorforge model
 * TYPE", PAYLOAD a file. Both run alternately, in rounds, and the best round of each counts. Prints
 * "<rules a second> <cJSON a second>".
 *
 * A message is begun, matched and run through every rule of the type; its payload is parsed in
 * that. */
#include "common/rule/rule.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RULES = 16, MOST_BYTES = 1 << 20, BATCH = 1000, ROUNDS = 50 };

struct work {
    struct rule *rules[MOST_RULES];
    size_t count;
    struct rule_scratch *scratch;
    struct rule_message message;
    size_t selected; /* so that nothing can be left out */
};

static _Noreturn void stop(const char *what, const char *which)
{
    fprintf(stderr, "rule_rate: %s: %s\n", which, what);
    exit(1);
}

static char *read_all(const char *path, size_t *length)
{
    char *bytes = malloc(MOST_BYTES);
    FILE *file = fopen(path, "r");
    if (!bytes || !file)
        stop("cannot be read", path);
    *length = fread(bytes, 1, MOST_BYTES - 1, file);
    bytes[*length] = '\0';
    fclose(file);
    return bytes;
}

static void add_rules(struct work *work, const char *path)
{
    size_t length;
    char *bytes = read_all(path, &length);
    cJSON *model = cJSON_ParseWithLength(bytes, length), *rule;
    cJSON *type = cJSON_GetObjectItem(model, "type");
    cJSON_ArrayForEach(rule, cJSON_GetObjectItem(type, "rules"))
    {
        const char *sql = cJSON_GetStringValue(cJSON_GetObjectItem(rule, "sql"));
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(rule, "sql_version"));
        enum rule_version version;
        struct rule_fault fault;
        if (!sql || !name || !rule_version_read(name, &version) || work->count == MOST_RULES)
            stop("is no model of a type", path);
        work->rules[work->count] = rule_compile(sql, strlen(sql), version, &fault);
        if (!work->rules[work->count++])
            stop(fault.message, path);
    }
    cJSON_Delete(model);
    free(bytes);
}

static void run_rules(struct work *work)
{
    struct rule_result result;
    for (int i = 0; i < BATCH; i++) {
        rule_begin(work->scratch, &work->message);
        for (size_t j = 0; j < work->count; j++)
            if (rule_run(work->rules[j], work->scratch, &result) == RULE_SELECTED)
                work->selected += result.length;
    }
}

static void parse_only(struct work *work)
{
    for (int i = 0; i < BATCH; i++) {
        cJSON *tree = cJSON_ParseWithLength(work->message.payload, work->message.payload_length);
        if (!tree)
            stop("is no JSON", "the payload");
        cJSON_Delete(tree);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double rate(struct work *work, void (*run)(struct work *work), double seconds)
{
    double began = now(), took;
    size_t batches = 0;
    do {
        run(work);
        batches++;
        took = now() - began;
    } while (took < seconds);
    return (double)batches * BATCH / took;
}

int main(int count, char **words)
{
    struct work work = {.scratch = rule_scratch_new(0)};
    double seconds = count == 4 ? strtod(words[1], NULL) : 0, mine = 0, peer = 0;
    if (seconds <= 0 || !work.scratch) {
        fputs("usage: rule_rate SECONDS MODEL PAYLOAD\n", stderr);
        return 2;
    }
    add_rules(&work, words[2]);
    char *payload = read_all(words[3], &work.message.payload_length);
    char topic[256];
    snprintf(topic, sizeof topic, "%s", rule_filter(work.rules[0]));
    char *plus = strchr(topic, '+');
    if (plus)
        *plus = 'a';
    work.message.topic = topic;
    work.message.payload = payload;
    work.message.time = 1700000000000;
    for (int i = 0; i < ROUNDS; i++) {
        double one = rate(&work, run_rules, seconds / ROUNDS / 2);
        double other = rate(&work, parse_only, seconds / ROUNDS / 2);
        mine = one > mine ? one : mine;
        peer = other > peer ? other : peer;
    }
    if (!work.selected)
        stop("no rule takes it", words[3]);
    printf("%.0f %.0f\n", mine, peer);
    for (size_t i = 0; i < work.count; i++)
        rule_free(work.rules[i]);
    rule_scratch_free(work.scratch);
    free(payload);
    return 0;
}
