/* Running statements and templates on a message: the payload is parsed once for all of them, and
 * what a statement selects is written as JSON. */
#include "evaluate.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL_LIMIT = 16 << 20 };

enum payload { UNREAD, JSON, RAW };

struct rule_scratch {
    struct rule_memory memory;
    const struct rule_message *message;
    enum payload payload;
    struct rule_value root; /* the payload, where it is JSON */
    /* Statements with variables that were run on the message; the templates of their actions use
     * the same values. */
    struct state *states;
};

struct rule_scratch *rule_scratch_new(size_t limit)
{
    struct rule_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch)
        scratch->memory.limit = limit ? limit : USUAL_LIMIT;
    return scratch;
}

void rule_scratch_free(struct rule_scratch *scratch)
{
    if (scratch)
        rule_memory_free(&scratch->memory);
    free(scratch);
}

void rule_begin(struct rule_scratch *scratch, const struct rule_message *message)
{
    rule_memory_reset(&scratch->memory);
    scratch->message = message;
    scratch->payload = UNREAD;
    scratch->states = NULL;
}

/* Only an object or array counts as JSON: in the guide's "WHERE clause" the payload 80 does not. */
static void read_payload(struct rule_scratch *scratch)
{
    const struct rule_message *message = scratch->message;
    bool read =
        rule_json_read(&scratch->memory, message->payload, message->payload_length, &scratch->root);
    read = read && (scratch->root.kind == RULE_OBJECT || scratch->root.kind == RULE_ARRAY);
    scratch->payload = read ? JSON : RAW;
}

/* Takes memory for count values that are kept: *room; and *kept, where none of them is yet. False:
 * out of memory. */
static bool take_kept(struct rule_memory *memory, size_t count, const struct rule_value ***kept,
                      struct rule_value **room)
{
    const struct rule_value **taken = rule_take(memory, count * (sizeof **kept + sizeof **room));
    if (!taken)
        return false;
    memset(taken, 0, count * sizeof *taken);
    *kept = taken;
    *room = (struct rule_value *)(taken + count);
    return true;
}

/* The state of a statement with variables. NULL: out of memory. */
static struct state *find_state(struct rule_scratch *scratch, const struct program *program)
{
    struct rule_memory *memory = &scratch->memory;
    struct state *state = scratch->states;
    while (state && state->program != program)
        state = state->next;
    if (state)
        return state;
    state = rule_take(memory, sizeof *state);
    if (!state)
        return NULL;
    *state = (struct state){.program = program, .next = scratch->states};
    if ((program->slots && !take_kept(memory, program->slots, &state->kept, &state->slots)) ||
        !take_kept(memory, program->variable_count, &state->variables, &state->variable_room))
        return NULL;
    return scratch->states = state;
}

/* set: the statement that sets the variables which program uses; NULL: it uses none. */
static bool begin_run(struct run *run, const struct program *program, const struct program *set,
                      struct rule_scratch *scratch)
{
    if (scratch->payload == UNREAD)
        read_payload(scratch);
    const struct rule_value *payload = scratch->payload == JSON ? &scratch->root : NULL;
    *run = (struct run){.program = program,
                        .memory = &scratch->memory,
                        .message = scratch->message,
                        .payload = payload,
                        .row = payload};
    if (set && !(run->set = find_state(scratch, set)))
        return false;
    if (run->set && set == program) {
        run->kept = run->set->kept;
        run->slots = run->set->slots;
    } else if (program->slots) {
        take_kept(run->memory, program->slots, &run->kept, &run->slots);
    }
    return !run->memory->failed;
}

bool rule_begin_run(struct run *run, const struct rule *rule, struct rule_scratch *scratch)
{
    const struct program *program = &rule->program;
    return begin_run(run, program, program->variable_count ? program : NULL, scratch);
}

static enum rule_outcome end_run(const struct run *run, struct rule_result *result)
{
    if (run->memory->failed)
        return RULE_OUT_OF_MEMORY;
    if (!run->refused)
        return RULE_SELECTED;
    result->function = run->refused->name;
    result->service = run->missing;
    return RULE_REFUSED;
}

static void write_members(struct run *run, const struct select *select, struct rule_output *output)
{
    struct rule_value space;
    bool any = false;
    rule_output_add(output, "{", 1);
    for (size_t i = 0; i < select->item_count && !run->refused; i++) {
        const struct item *item = &select->items[i];
        const struct rule_value *value = rule_evaluate(run, item->value, &space);
        if (value->kind == RULE_UNDEFINED)
            continue;
        if (any)
            rule_output_add(output, ",", 1);
        any = true;
        rule_output_add(output, item->key.at, item->key.length);
        rule_json_write(output, run->program->version, value);
    }
    rule_output_add(output, "}", 1);
}

static void write_selected(struct run *run, const struct select *select,
                           struct rule_scratch *scratch, struct rule_result *result)
{
    struct rule_output output = {.memory = run->memory};
    bool whole = select->item_count == 1 && !select->items[0].value;
    if (whole && scratch->payload == RAW) {
        result->raw = true;
        result->bytes = run->message->payload;
        result->length = run->message->payload_length;
        return;
    }
    if (select->plain && !select->value) {
        write_members(run, select, &output);
    } else {
        struct rule_value value = rule_selected(run, select);
        rule_json_write(&output, run->program->version, &value);
    }
    result->bytes = output.at ? output.at : "";
    result->length = output.length;
}

enum rule_outcome rule_select(const struct rule *rule, struct rule_scratch *scratch,
                              struct rule_result *result)
{
    struct run run;
    *result = (struct rule_result){0};
    if (!rule_begin_run(&run, rule, scratch))
        return RULE_OUT_OF_MEMORY;
    bool wanted = rule_holds(&run, rule->select.condition);
    if (run.refused || run.memory->failed)
        return end_run(&run, result);
    if (!wanted)
        return RULE_NOT_SELECTED;
    write_selected(&run, &rule->select, scratch, result);
    return end_run(&run, result);
}

enum rule_outcome rule_run(const struct rule *rule, struct rule_scratch *scratch,
                           struct rule_result *result)
{
    if (rule_matches(rule, scratch->message->topic))
        return rule_select(rule, scratch, result);
    *result = (struct rule_result){0};
    return RULE_NO_MATCH;
}

enum rule_outcome rule_template_run(const struct rule_template *template,
                                    struct rule_scratch *scratch, struct rule_result *result)
{
    const struct program *program = &template->program;
    struct run run;
    *result = (struct rule_result){0};
    if (!begin_run(&run, program, program->variable_count ? &template->rule->program : NULL,
                   scratch))
        return RULE_OUT_OF_MEMORY;
    /* All values are computed before the output begins: they, too, take memory at its end. */
    struct rule_value *texts = rule_take(run.memory, template->count * sizeof *texts);
    for (size_t i = 0; texts && i < template->count; i++) {
        const struct part *part = &template->parts[i];
        texts[i] = rule_string(part->text.at, part->text.length);
        struct rule_value space;
        if (part->value && !rule_to_string(run.memory, template->program.version,
                                           rule_evaluate(&run, part->value, &space), &texts[i]))
            texts[i] = rule_string("", 0);
    }
    struct rule_output output = {.memory = run.memory};
    for (size_t i = 0; texts && i < template->count; i++)
        rule_output_add(&output, texts[i].string.at, texts[i].string.length);
    result->bytes = output.at ? output.at : "";
    result->length = output.length;
    return end_run(&run, result);
}
