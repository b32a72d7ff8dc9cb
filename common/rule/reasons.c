#include "reasons.h"
#include "evaluate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LONGEST_VALUE = 40, /* bytes of a value in a reason */
    LONGEST_QUOTE = 80, /* bytes of a part of the condition */
    MOST_FIELDS = 16    /* of one part that are looked at */
};

/* A field of the message that the condition reads. */
struct field {
    char name[96];
    const struct rule_value *value;
    bool has_default; /* it is an argument of nanvl(): the condition says what it is if missing */
};

/* The fields of one part of the condition. */
struct fields {
    struct field at[MOST_FIELDS];
    size_t count;
};

struct reasoning {
    struct run *run;
    struct rule_reason *reasons;
    size_t count;
    struct fields told; /* those that have a reason */
};

/* --- looking at the tree --- */

/* Follows variables to what they are set to. */
static const struct node *resolved(const struct run *run, const struct node *node)
{
    while (node->kind == NODE_VARIABLE)
        node = run->set->program->variables[node->variable].value;
    return node;
}

static bool is_call(const struct node *node, const char *name)
{
    return node->kind == NODE_CALL && strcmp(node->call.function->name, name) == 0;
}

/* The field itself, where it has a default. */
static const struct node *without_default(const struct run *run, const struct node *node)
{
    node = resolved(run, node);
    if ((is_call(node, "nanvl") || is_call(node, "get_or_default")) && node->call.count == 2)
        return resolved(run, node->call.arguments[0]);
    return node;
}

static bool is_field(const struct node *node)
{
    return node->kind == NODE_FIELD ||
           (node->kind == NODE_PATH && node->path.base->kind == NODE_FIELD);
}

typedef void node_visit(struct reasoning *reasoning, const struct node *node, bool has_default,
                        void *context);

/* Calls visit() with the node and with all that it is made of. */
static void walk(struct reasoning *reasoning, const struct node *node, bool has_default,
                 node_visit *visit, void *context)
{
    node = resolved(reasoning->run, node);
    visit(reasoning, node, has_default, context);
    if (node->kind == NODE_CHAIN) {
        walk(reasoning, node->chain.first, has_default, visit, context);
        for (size_t i = 0; i < node->chain.count; i++)
            walk(reasoning, node->chain.links[i].operand, has_default, visit, context);
    } else if (node->kind == NODE_NOT || node->kind == NODE_NEGATE) {
        walk(reasoning, node->operand, has_default, visit, context);
    } else if (node->kind == NODE_CALL) {
        bool defaults = without_default(reasoning->run, node) != node;
        for (size_t i = 0; i < node->call.count; i++)
            walk(reasoning, node->call.arguments[i], defaults || has_default, visit, context);
    } else if (node->kind == NODE_CASE) {
        if (node->choice.subject)
            walk(reasoning, node->choice.subject, has_default, visit, context);
        for (size_t i = 0; i < node->choice.count; i++)
            walk(reasoning, node->choice.branches[i].when, has_default, visit, context);
    }
}

static void copy_source(const struct run *run, const struct node *node, char *to, size_t room)
{
    size_t length = node->length < room - 1 ? node->length : room - 1;
    const char *from = run->program->text + node->offset;
    while (length < node->length && length && (from[length] & 0xc0) == 0x80)
        length--;
    memcpy(to, from, length);
    to[length] = '\0';
}

static const struct field *find_field(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->at[i].name, name) == 0)
            return &fields->at[i];
    return NULL;
}

static void add_field(struct fields *fields, const struct field *field)
{
    if (fields->count < MOST_FIELDS)
        fields->at[fields->count++] = *field;
}

/* context: struct fields. The values live in the memory of the run. */
static void note_field(struct reasoning *reasoning, const struct node *node, bool has_default,
                       void *context)
{
    struct field field = {.has_default = has_default};
    struct rule_value *space = rule_take(reasoning->run->memory, sizeof *space);
    if (!space || !is_field(node))
        return;
    copy_source(reasoning->run, node, field.name, sizeof field.name);
    if (find_field(context, field.name))
        return;
    field.value = rule_evaluate(reasoning->run, node, space);
    add_field(context, &field);
}

/* context: what to look for, and whether it was found. */
struct search {
    const char *function;
    bool found;
};

static void note_call(struct reasoning *reasoning, const struct node *node, bool has_default,
                      void *context)
{
    struct search *search = context;
    (void)reasoning, (void)has_default;
    search->found |= is_call(node, search->function);
}

static bool calls(struct reasoning *reasoning, const struct node *node, const char *function)
{
    struct search search = {.function = function};
    walk(reasoning, node, false, note_call, &search);
    return search.found;
}

/* --- words --- */

/* A value as JSON, cut; of a long text its length. */
static void write_value(const struct run *run, const struct rule_value *value,
                        char made[LONGEST_VALUE + 32])
{
    if (value->kind == RULE_STRING && value->string.length > LONGEST_VALUE) {
        snprintf(made, LONGEST_VALUE + 32, "(%zu bytes)", value->string.length);
        return;
    }
    struct rule_output output = {.memory = run->memory};
    rule_json_write(&output, run->program->version, value);
    size_t length = output.at && output.length < LONGEST_VALUE ? output.length : LONGEST_VALUE;
    while (output.at && length < output.length && length && (output.at[length] & 0xc0) == 0x80)
        length--;
    snprintf(made, LONGEST_VALUE + 32, "%.*s%s", output.at ? (int)length : 0,
             output.at ? output.at : "", output.at && length < output.length ? "..." : "");
}

/* Milliseconds as "90 min", "26 h", "400 days". */
static void write_duration(double milliseconds, char made[32])
{
    static const struct {
        const char *unit;
        double milliseconds, most;
    } units[] = {{"s", 1e3, 120}, {"min", 60e3, 120}, {"h", 3600e3, 72}, {"days", 86400e3, 1e99}};
    size_t i = 0;
    while (milliseconds / units[i].milliseconds >= units[i].most)
        i++;
    snprintf(made, 32, "%.0f %s", floor(milliseconds / units[i].milliseconds), units[i].unit);
}

/* The fields that a reason was given for are told: what else is wrong with them follows from it, or
 * can wait. */
static struct rule_reason *begin_reason(struct reasoning *reasoning, const struct field *field)
{
    if (field)
        add_field(&reasoning->told, field);
    return &reasoning->reasons[reasoning->count++];
}

/* "<field> <value> <what>", and "<field> <what>". */
static void tell(struct reasoning *reasoning, const struct field *field, const char *what)
{
    char value[LONGEST_VALUE + 32];
    struct rule_reason *reason = begin_reason(reasoning, field);
    write_value(reasoning->run, field->value, value);
    snprintf(reason->text, sizeof reason->text, "%s %s %s", field->name, value, what);
    snprintf(reason->kind, sizeof reason->kind, "%s %s", field->name, what);
}

/* The same where the value says nothing. */
static void tell_plainly(struct reasoning *reasoning, const struct field *field, const char *what)
{
    struct rule_reason *reason = begin_reason(reasoning, field);
    snprintf(reason->text, sizeof reason->text, "%s %s", field->name, what);
    memcpy(reason->kind, reason->text, sizeof reason->kind);
}

/* A part of a form that is not known. field: NULL where it reads none. */
static void quote(struct reasoning *reasoning, const struct node *part, const struct field *field)
{
    char source[LONGEST_QUOTE + 1], value[LONGEST_VALUE + 32];
    struct rule_reason *reason = begin_reason(reasoning, field);
    copy_source(reasoning->run, part, source, sizeof source);
    const char *more = part->length > LONGEST_QUOTE ? "..." : "";
    snprintf(reason->kind, sizeof reason->kind, "not true: %s%s", source, more);
    memcpy(reason->text, reason->kind, sizeof reason->text);
    if (!field)
        return;
    size_t length = strlen(reason->text);
    write_value(reasoning->run, field->value, value);
    snprintf(reason->text + length, sizeof reason->text - length, " (%s is %s)", field->name,
             value);
}

/* --- forms of parts --- */

static bool is_number_test(const struct node *part)
{
    return part->kind == NODE_CHAIN && part->chain.shape == SHAPE_IS_NUMBER;
}

static bool is_text_test(const struct node *part)
{
    return part->kind == NODE_CHAIN && part->chain.shape == SHAPE_IS_STRING;
}

static bool is_or(const struct node *part)
{
    return part->kind == NODE_CHAIN && part->chain.shape == SHAPE_LOGIC &&
           part->chain.links[0].operation == OPERATION_OR;
}

static bool is_boolean(const struct node *node)
{
    return node->constant && node->constant->kind == RULE_BOOLEAN;
}

static bool compares_with_boolean(const struct node *node)
{
    return node->kind == NODE_CHAIN && node->chain.shape == SHAPE_COMPARISON &&
           node->chain.links[0].operation == OPERATION_EQUAL &&
           is_boolean(node->chain.links[0].operand);
}

/* (x = true OR x = false) */
static bool is_boolean_test(const struct node *part)
{
    return is_or(part) && part->chain.count == 1 && compares_with_boolean(part->chain.first) &&
           compares_with_boolean(part->chain.links[0].operand);
}

/* call(x, ...) compared with x */
static bool is_call_of_same(const struct node *part, const char *function)
{
    const struct node *call = part->chain.first;
    return is_call(call, function) && call->call.count &&
           call->call.arguments[0] == part->chain.links[0].operand;
}

static const struct field *longest_text(const struct fields *fields)
{
    const struct field *longest = NULL;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->at[i];
        if (field->value->kind == RULE_STRING &&
            (!longest || field->value->string.length > longest->value->string.length))
            longest = field;
    }
    return longest;
}

/* The time of the reading is beyond a limit that is counted from the time of the message. */
static void tell_time(struct reasoning *reasoning, const struct field *field, bool ahead,
                      const struct rule_value *limit)
{
    double now = (double)reasoning->run->message->time, time = 0, end = 0;
    char distance[32], most[32], value[LONGEST_VALUE + 32];
    rule_to_double(field->value, &time);
    rule_to_double(limit, &end);
    struct rule_reason *reason = begin_reason(reasoning, field);
    snprintf(reason->kind, sizeof reason->kind, "%s is too %s", field->name,
             ahead ? "far ahead" : "old");
    write_duration(ahead ? end - now : now - end, most);
    write_value(reasoning->run, field->value, value);
    /* Seconds of this century as milliseconds are in January 1970. */
    if (fabs(time) < 1e11)
        snprintf(reason->text, sizeof reason->text,
                 "%s %s is in %s: it counts milliseconds since 1970", field->name, value,
                 time < 0 ? "the years before 1970" : "the 1970s");
    else if (ahead ? time - now > 1e15 : now - time > 1e15)
        snprintf(reason->text, sizeof reason->text, "%s %s is no time of this era", field->name,
                 value);
    else {
        write_duration(ahead ? time - now : now - time, distance);
        snprintf(reason->text, sizeof reason->text, "%s is %s %s, the most is %s", field->name,
                 distance, ahead ? "ahead" : "old", most);
    }
}

/* field OP limit, the operands maybe the other way round. */
static void tell_limit(struct reasoning *reasoning, const struct node *part,
                       const struct field *field, enum operation operation,
                       const struct node *other)
{
    static const struct {
        enum operation operation;
        const char *words;
    } words[] = {{OPERATION_LESS, "is not below"},    {OPERATION_LESS_EQUAL, "is above"},
                 {OPERATION_GREATER, "is not above"}, {OPERATION_GREATER_EQUAL, "is below"},
                 {OPERATION_EQUAL, "is not"},         {OPERATION_NOT_EQUAL, "is"}};
    struct rule_value space, number;
    const struct rule_value *limit = rule_evaluate(reasoning->run, other, &space);
    bool ordered = operation != OPERATION_EQUAL && operation != OPERATION_NOT_EQUAL;
    char value[LONGEST_VALUE + 32], what[LONGEST_VALUE + 64];
    if (ordered && !rule_to_number(field->value, &number)) {
        tell(reasoning, field, "is not a number");
        return;
    }
    if (ordered && calls(reasoning, other, "timestamp")) {
        tell_time(reasoning, field,
                  operation == OPERATION_LESS || operation == OPERATION_LESS_EQUAL, limit);
        return;
    }
    if (operation == OPERATION_NOT_EQUAL && limit->kind == RULE_STRING && !limit->string.length) {
        tell_plainly(reasoning, field, "is empty");
        return;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].operation != operation)
            continue;
        write_value(reasoning->run, limit, value);
        snprintf(what, sizeof what, "%s %s", words[i].words, value);
        if (operation == OPERATION_NOT_EQUAL)
            tell_plainly(reasoning, field, what);
        else
            tell(reasoning, field, what);
        return;
    }
    quote(reasoning, part, field);
}

static enum operation turned(enum operation operation)
{
    switch (operation) {
    case OPERATION_LESS:
        return OPERATION_GREATER;
    case OPERATION_LESS_EQUAL:
        return OPERATION_GREATER_EQUAL;
    case OPERATION_GREATER:
        return OPERATION_LESS;
    case OPERATION_GREATER_EQUAL:
        return OPERATION_LESS_EQUAL;
    default:
        return operation;
    }
}

static void tell_comparison(struct reasoning *reasoning, const struct node *part,
                            const struct field *field)
{
    const struct node *left = part->chain.first, *right = part->chain.links[0].operand;
    enum operation operation = part->chain.links[0].operation;
    if (is_call_of_same(part, "floor"))
        tell(reasoning, field, "is not a whole number");
    else if (is_call_of_same(part, "replace"))
        tell_plainly(reasoning, field, "has a character that no table takes (NUL)");
    else if (is_field(without_default(reasoning->run, left)))
        tell_limit(reasoning, part, field, operation, right);
    else if (is_field(without_default(reasoning->run, right)))
        tell_limit(reasoning, part, field, turned(operation), left);
    else
        quote(reasoning, part, field);
}

/* The first field that is missing, and has no default. */
static const struct field *missing_field(const struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        enum rule_kind kind = fields->at[i].value->kind;
        if (!fields->at[i].has_default && (kind == RULE_UNDEFINED || kind == RULE_NULL))
            return &fields->at[i];
    }
    return NULL;
}

static void describe(struct reasoning *reasoning, const struct node *part,
                     const struct fields *fields)
{
    const struct field *missing = missing_field(fields);
    const struct field *field = fields->count ? &fields->at[0] : NULL;
    if (missing)
        tell_plainly(reasoning, missing,
                     missing->value->kind == RULE_NULL ? "is null" : "is missing");
    else if (!field)
        quote(reasoning, part, NULL);
    else if (is_number_test(part))
        tell(reasoning, field, "is not a number");
    else if (is_text_test(part))
        tell(reasoning, field, "is not a text");
    else if (is_boolean_test(part))
        tell(reasoning, field, "is neither true nor false");
    else if (is_or(part) && calls(reasoning, part, "substring") && longest_text(fields))
        tell(reasoning, longest_text(fields), "is too long for a record");
    else if (is_or(part) && calls(reasoning, part, "abs") && fields->count == 1)
        tell(reasoning, field, "is too near to zero for the table");
    else if (part->kind == NODE_CHAIN && part->chain.shape == SHAPE_COMPARISON)
        tell_comparison(reasoning, part, field);
    else
        quote(reasoning, part, field);
}

/* --- the parts --- */

static bool any_told(const struct reasoning *reasoning, const struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        if (find_field(&reasoning->told, fields->at[i].name))
            return true;
    return false;
}

static void look_at(struct reasoning *reasoning, const struct node *part)
{
    struct fields fields = {.count = 0};
    bool is_and = part->kind == NODE_CHAIN && part->chain.shape == SHAPE_LOGIC &&
                  part->chain.links[0].operation == OPERATION_AND;
    if (is_and) {
        look_at(reasoning, part->chain.first);
        for (size_t i = 0; i < part->chain.count; i++)
            look_at(reasoning, part->chain.links[i].operand);
        return;
    }
    if (reasoning->count == RULE_MOST_REASONS || rule_holds(reasoning->run, part))
        return;
    walk(reasoning, part, false, note_field, &fields);
    if (!any_told(reasoning, &fields))
        describe(reasoning, part, &fields);
}

size_t rule_reasons(const struct rule *rule, struct rule_scratch *scratch,
                    struct rule_reason reasons[RULE_MOST_REASONS])
{
    static const char no_object[] = "the message is not a JSON object";
    struct run run;
    struct reasoning reasoning = {.run = &run, .reasons = reasons};
    const struct node *condition = rule->select.condition;
    if (!condition || !rule_begin_run(&run, rule, scratch) || rule_holds(&run, condition))
        return 0;
    if (!run.payload || run.payload->kind != RULE_OBJECT) {
        memcpy(reasons[0].text, no_object, sizeof no_object);
        memcpy(reasons[0].kind, no_object, sizeof no_object);
        return 1;
    }
    look_at(&reasoning, condition);
    return run.refused || run.memory->failed ? 0 : reasoning.count;
}
