/* Compiles a document into a policy.
 *
 * cJSON parses the whole document first, and its tree has no positions. An error's line and column
 * are found afterwards: the tree keeps the order of the document, so the n-th value of the tree is
 * the n-th value of the text. */
#include "common/base/json.h"
#include "common/base/memory.h"
#include "actions.h"
#include "parts.h"
#include "values.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct compiler {
    const char *name;     /* what messages call the document */
    const char *document; /* length bytes and a NUL */
    size_t length;
    const cJSON *root;
    bool variables; /* "${" begins a variable: version 2012-10-17; before it, "${" is text */
    struct policy *policy;
    struct error *error;
};

/* --- places --- */

/* Adds to *count the number of values in document order up to wanted, including it. False: wanted
 * is not in the tree below value. */
static bool count_values(const cJSON *value, const cJSON *wanted, size_t *count)
{
    ++*count;
    if (value == wanted)
        return true;
    for (const cJSON *child = value->child; child; child = child->next)
        if (count_values(child, wanted, count))
            return true;
    return false;
}

static size_t string_end(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        at += text[at] == '\\';
    return at + 1;
}

/* Like cJSON, treats every control character as white space. */
static size_t skip_white(const char *text, size_t length, size_t at)
{
    while (at < length && (unsigned char)text[at] <= ' ')
        at++;
    return at;
}

/* The offset of the count-th value (from 1) of a well-formed text. Names of members do not count.
 */
static size_t value_offset(const char *text, size_t length, size_t count)
{
    size_t at = 0;
    while ((at = skip_white(text, length, at)) < length) {
        size_t start = at;
        if (strchr(",:]}", text[at])) {
            at++;
        } else if (text[at] == '"') {
            at = string_end(text, at);
            bool is_name = text[skip_white(text, length, at)] == ':';
            if (!is_name && !--count)
                return start;
        } else {
            at += text[at] == '{' || text[at] == '[' ? 1 : strcspn(text + at, " \t\r\n,]}");
            if (!--count)
                return start;
        }
    }
    return 0;
}

static enum status wrong(struct compiler *compiler, const cJSON *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status wrong(struct compiler *compiler, const cJSON *value, const char *format, ...)
{
    struct text message = {0};
    size_t count = 0, line, column;
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&message, format, arguments);
    va_end(arguments);
    count_values(compiler->root, value, &count);
    find_place(compiler->document, value_offset(compiler->document, compiler->length, count), &line,
               &column);
    fail(compiler->error, WRONG_INPUT, "%s:%zu:%zu: %s", compiler->name, line, column,
         text_string(&message));
    text_free(&message);
    return WRONG_INPUT;
}

static enum status unknown_name(struct compiler *compiler, const cJSON *value, const char *what,
                                const char *name, const char *const *words, size_t count)
{
    const char *nearest = nearest_word(name, words, count);
    enum status status = wrong(compiler, value, "\"%s\" is not %s", name, what);
    return nearest ? advise(compiler->error, "did you mean \"%s\"?", nearest) : status;
}

/* Elements that may be one value or a list of values are iterated in the same way:
 *     for (one = first_of(list); one; one = next_of(list, one)) */
static const cJSON *first_of(const cJSON *list)
{
    return list && cJSON_IsArray(list) ? list->child : list;
}

static const cJSON *next_of(const cJSON *list, const cJSON *one)
{
    return list == one ? NULL : one->next;
}

/* --- actions --- */

/* Adds the actions that the name matches. Actions of other services, and those of AWS IoT that a
 * device cannot request, are legal and match nothing. */
static enum status add_action(struct compiler *compiler, const cJSON *value, uint32_t *actions)
{
    const char *name = value->valuestring, *colon = name ? strchr(name, ':') : NULL;
    if (!name)
        return wrong(compiler, value, "an action is a string such as \"iot:Publish\"");
    if (strcmp(name, "*") != 0 && (!colon || colon == name || !colon[1]))
        return wrong(compiler, value, "\"%s\" is not an action such as \"iot:Publish\"", name);
    *actions |= actions_matching(name);
    return FINE;
}

/* --- keys --- */

static const struct {
    const char *name;
    enum key_kind kind;
} plain_keys[] = {
    {"iot:ClientId", KEY_CLIENT_ID},
    {"iot:DomainName", KEY_DOMAIN},
    {"iot:Connection.Thing.ThingName", KEY_THING_NAME},
    {"iot:Connection.Thing.ThingTypeName", KEY_THING_TYPE},
    {"iot:Connection.Thing.IsAttached", KEY_ATTACHED},
    {"iot:CertificateId", KEY_CERTIFICATE_ID},
    {"aws:SourceIp", KEY_SOURCE_IP},
    {"aws:CurrentTime", KEY_CURRENT_TIME},
    {"aws:EpochTime", KEY_EPOCH_TIME},
};

static bool begins_with_any_case(const char *string, const char *part)
{
    return strncasecmp(string, part, strlen(part)) == 0;
}

/* Splits "Subject.CommonName.2" into the field and the index of its value ("X.509 Certificate AWS
 * IoT Core policy variables": .1 is the second value). */
static void read_certificate_key(const char *field, size_t length, struct key *key)
{
    const char *dot = memrchr(field, '.', length);
    size_t behind = dot ? length - (size_t)(dot + 1 - field) : 0;
    key->kind = KEY_CERTIFICATE;
    if (behind == 4 && strncasecmp(dot, ".List", 5) == 0)
        key->index = ALL_VALUES;
    else if (behind == 1 && isdigit((unsigned char)dot[1]))
        key->index = dot[1] - '0';
    else
        dot = NULL;
    if (length == strlen("AvailableKeys") && begins_with_any_case(field, "AvailableKeys"))
        key->index = ALL_VALUES;
    key->name = must_copy_bytes(field, dot ? (size_t)(dot - field) : length);
}

/* The names of keys are compared without case ("Condition"), the names of attributes with case. */
static void read_key(const char *name, size_t length, struct key *key)
{
    static const char certificate[] = "iot:Certificate.";
    static const char attributes[] = "iot:Connection.Thing.Attributes[";
    owned char *whole = must_copy_bytes(name, length);
    for (size_t i = 0; i < sizeof plain_keys / sizeof *plain_keys; i++) {
        if (strcasecmp(plain_keys[i].name, whole) == 0) {
            key->kind = plain_keys[i].kind;
            return;
        }
    }
    if (begins_with_any_case(whole, attributes) && whole[length - 1] == ']') {
        key->kind = KEY_ATTRIBUTE;
        key->name = must_copy_bytes(whole + sizeof attributes - 1, length - sizeof attributes);
    } else if (begins_with_any_case(whole, certificate) && length > sizeof certificate - 1) {
        read_certificate_key(whole + sizeof certificate - 1, length - sizeof certificate + 1, key);
    } else {
        *key = (struct key){KEY_OTHER, must_copy(whole), ALL_VALUES};
    }
}

/* --- patterns --- */

static struct piece *add_piece(struct pattern *pattern, enum piece_kind kind)
{
    pattern->pieces =
        must_grow(pattern->pieces, pattern->count, &pattern->room, sizeof *pattern->pieces);
    pattern->pieces[pattern->count] = (struct piece){.kind = kind};
    return &pattern->pieces[pattern->count++];
}

static void add_bytes(struct pattern *pattern, const char *bytes, size_t length)
{
    struct piece *last = pattern->count ? &pattern->pieces[pattern->count - 1] : NULL;
    if (!last || last->kind != PIECE_TEXT)
        last = add_piece(pattern, PIECE_TEXT);
    last->text = must_realloc(last->text, last->length + length + 1);
    memcpy(last->text + last->length, bytes, length);
    last->length += length;
    last->text[last->length] = '\0';
}

/* "${...}" is a variable, a variable with a default (${name, 'default'}), or an escaped character:
 * ${*}, ${?}, ${$} ("IAM policy elements: Variables and tags"). name and length are what stands
 * between the braces. Returns the error message, or NULL. */
static const char *add_variable(struct pattern *pattern, const char *name, size_t length)
{
    const char *comma = memchr(name, ',', length);
    size_t named = comma ? (size_t)(comma - name) : length;
    if (length == 1 && strchr("*?$", *name)) {
        add_bytes(pattern, name, 1);
        return NULL;
    }
    while (named && isspace((unsigned char)name[named - 1]))
        named--;
    if (!named || memchr(name, '$', named) || memchr(name, '{', named))
        return "\"${\" begins a variable, such as ${iot:ClientId}; a dollar is written ${$}";
    struct piece *piece = add_piece(pattern, PIECE_VARIABLE);
    read_key(name, named, &piece->key);
    if (!comma)
        return NULL;
    const char *quote = comma + 1 + strspn(comma + 1, " "), *end = name + length - 1;
    if (quote >= end || *quote != '\'' || *end != '\'')
        return "the default of a variable is written in quotes: ${iot:ClientId, 'none'}";
    piece->text = must_copy_bytes(quote + 1, (size_t)(end - quote - 1));
    return NULL;
}

/* Splits length bytes of a text into pieces. Returns the error message, or NULL. */
static const char *read_pattern(const struct compiler *compiler, const char *text, size_t length,
                                bool wildcards, struct pattern *pattern)
{
    for (size_t i = 0; i < length; i++) {
        const char *c = text + i;
        if (wildcards && *c == '*') {
            if (!pattern->count || pattern->pieces[pattern->count - 1].kind != PIECE_RUN)
                add_piece(pattern, PIECE_RUN);
        } else if (wildcards && *c == '?') {
            add_piece(pattern, PIECE_ONE);
        } else if (compiler->variables && *c == '$' && i + 1 < length && c[1] == '{') {
            const char *close = memchr(c, '}', length - i);
            if (!close)
                return "this \"${\" is not closed";
            const char *why = add_variable(pattern, c + 2, (size_t)(close - c) - 2);
            if (why)
                return why;
            i = (size_t)(close - text);
        } else {
            add_bytes(pattern, c, 1);
        }
    }
    return NULL;
}

/* Bytes up to the next colon that is not inside of "${...}". */
static size_t arn_part_length(const struct compiler *compiler, const char *text)
{
    size_t length = 0;
    while (text[length] && text[length] != ':') {
        const char *close = NULL;
        if (compiler->variables && text[length] == '$' && text[length + 1] == '{')
            close = strchr(text + length, '}');
        length = close ? (size_t)(close - text) + 1 : length + 1;
    }
    return length;
}

static enum status read_arn(struct compiler *compiler, const cJSON *value, const char *text,
                            struct operand *operand)
{
    for (size_t i = 0; i < ARN_PARTS; i++) {
        size_t length = i + 1 < ARN_PARTS ? arn_part_length(compiler, text) : strlen(text);
        const char *why = read_pattern(compiler, text, length, true, &operand->parts[i]);
        if (why)
            return wrong(compiler, value, "%s", why);
        if (i + 1 < ARN_PARTS && !text[length])
            return wrong(compiler, value, "an ARN has six parts with colons between them");
        text += length + 1;
    }
    return FINE;
}

static enum status add_resource(struct compiler *compiler, const cJSON *value,
                                struct patterns *patterns)
{
    const char *text = value->valuestring;
    if (!text)
        return wrong(compiler, value, "a resource is an ARN, written as a string");
    if (*text != '*' && !begins_with(text, "arn:")) {
        wrong(compiler, value, "\"%.100s\" is neither an ARN nor \"*\"", text);
        return advise(compiler->error,
                      "write an ARN such as arn:aws:iot:REGION:ACCOUNT:topic/NAME");
    }
    patterns->at = must_grow(patterns->at, patterns->count, &patterns->room, sizeof *patterns->at);
    struct pattern *pattern = &patterns->at[patterns->count++];
    *pattern = (struct pattern){0};
    const char *why = read_pattern(compiler, text, strlen(text), true, pattern);
    return why ? wrong(compiler, value, "%s", why) : FINE;
}

/* --- conditions --- */

static const struct comparator comparators[] = {
    {"StringEquals", COMPARE_STRING, EQUAL, false, false},
    {"StringNotEquals", COMPARE_STRING, EQUAL, true, false},
    {"StringEqualsIgnoreCase", COMPARE_STRING, EQUAL, false, true},
    {"StringNotEqualsIgnoreCase", COMPARE_STRING, EQUAL, true, true},
    {"StringLike", COMPARE_LIKE, EQUAL, false, false},
    {"StringNotLike", COMPARE_LIKE, EQUAL, true, false},
    {"NumericEquals", COMPARE_NUMBER, EQUAL, false, false},
    {"NumericNotEquals", COMPARE_NUMBER, EQUAL, true, false},
    {"NumericLessThan", COMPARE_NUMBER, LESS, false, false},
    {"NumericLessThanEquals", COMPARE_NUMBER, LESS_OR_EQUAL, false, false},
    {"NumericGreaterThan", COMPARE_NUMBER, GREATER, false, false},
    {"NumericGreaterThanEquals", COMPARE_NUMBER, GREATER_OR_EQUAL, false, false},
    {"DateEquals", COMPARE_DATE, EQUAL, false, false},
    {"DateNotEquals", COMPARE_DATE, EQUAL, true, false},
    {"DateLessThan", COMPARE_DATE, LESS, false, false},
    {"DateLessThanEquals", COMPARE_DATE, LESS_OR_EQUAL, false, false},
    {"DateGreaterThan", COMPARE_DATE, GREATER, false, false},
    {"DateGreaterThanEquals", COMPARE_DATE, GREATER_OR_EQUAL, false, false},
    {"Bool", COMPARE_BOOL, EQUAL, false, true},
    {"IpAddress", COMPARE_ADDRESS, EQUAL, false, false},
    {"NotIpAddress", COMPARE_ADDRESS, EQUAL, true, false},
    {"ArnEquals", COMPARE_ARN, EQUAL, false, false},
    {"ArnNotEquals", COMPARE_ARN, EQUAL, true, false},
    {"ArnLike", COMPARE_ARN, EQUAL, false, false},
    {"ArnNotLike", COMPARE_ARN, EQUAL, true, false},
    {"Null", COMPARE_NULL, EQUAL, false, false},
};

enum { COMPARATORS = sizeof comparators / sizeof *comparators };

static const struct comparator *comparator_named(const char *name, size_t length)
{
    for (size_t i = 0; i < COMPARATORS; i++)
        if (strlen(comparators[i].name) == length &&
            strncmp(comparators[i].name, name, length) == 0)
            return &comparators[i];
    return NULL;
}

/* Splits "ForAnyValue:StringLikeIfExists" into its three parts. */
static enum status read_comparator(struct compiler *compiler, const cJSON *written,
                                   struct condition *condition)
{
    const char *name = written->string, *words[COMPARATORS];
    if (begins_with(name, "ForAnyValue:"))
        condition->quantifier = FOR_ANY;
    else if (begins_with(name, "ForAllValues:"))
        condition->quantifier = FOR_ALL;
    if (condition->quantifier)
        name = strchr(name, ':') + 1;
    size_t length = strlen(name);
    condition->if_exists = ends_with(name, "IfExists");
    condition->comparator =
        comparator_named(name, condition->if_exists ? length - strlen("IfExists") : length);
    for (size_t i = 0; i < COMPARATORS; i++)
        words[i] = comparators[i].name;
    if (!condition->comparator)
        return unknown_name(compiler, written, "a condition operator", written->string, words,
                            COMPARATORS);
    if (condition->comparator->comparison == COMPARE_NULL &&
        (condition->if_exists || condition->quantifier))
        return wrong(compiler, written,
                     "Null cannot be combined with ForAnyValue, ForAllValues or IfExists");
    return FINE;
}

static enum status read_address(struct compiler *compiler, const cJSON *value, const char *text,
                                struct operand *operand)
{
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    owned char *address = must_copy_bytes(text, length);
    int most = strchr(address, ':') ? 128 : 32, prefix = most;
    bool read = address_read(address, operand->address);
    if (slash)
        read = read && strspn(slash + 1, "0123456789") == strlen(slash + 1) && slash[1] &&
               strlen(slash + 1) <= 3 && (prefix = atoi(slash + 1)) <= most;
    operand->prefix = prefix + 128 - most;
    if (!read)
        return wrong(compiler, value,
                     "\"%.100s\" is neither an IP address nor a range such as 192.0.2.0/24", text);
    return FINE;
}

static enum status read_truth(struct compiler *compiler, const cJSON *value, const char *text,
                              struct operand *operand)
{
    operand->truth = strcasecmp(text, "true") == 0;
    if (!operand->truth && strcasecmp(text, "false") != 0)
        return wrong(compiler, value, "\"%.100s\" is neither \"true\" nor \"false\"", text);
    return FINE;
}

static enum status read_operand(struct compiler *compiler, const cJSON *value, const char *text,
                                const struct condition *condition, struct operand *operand)
{
    enum comparison comparison = condition->comparator->comparison;
    char *end;
    if (comparison == COMPARE_ARN)
        return read_arn(compiler, value, text, operand);
    if (comparison == COMPARE_ADDRESS)
        return read_address(compiler, value, text, operand);
    if (comparison == COMPARE_NUMBER) {
        operand->number = strtod(text, &end);
        return end == text || *end ? wrong(compiler, value, "\"%.100s\" is not a number", text)
                                   : FINE;
    }
    if (comparison == COMPARE_DATE)
        return date_read(text, &operand->number)
                   ? FINE
                   : wrong(compiler, value, "\"%.100s\" is not a date such as 2026-11-21T10:00:00Z",
                           text);
    if (comparison == COMPARE_NULL || (comparison == COMPARE_BOOL && !strchr(text, '$'))) {
        enum status status = read_truth(compiler, value, text, operand);
        if (status || comparison == COMPARE_NULL)
            return status;
    }
    const char *why =
        read_pattern(compiler, text, strlen(text), comparison == COMPARE_LIKE, &operand->parts[0]);
    return why ? wrong(compiler, value, "%s", why) : FINE;
}

static enum status add_operand(struct compiler *compiler, const cJSON *value,
                               struct condition *condition)
{
    struct text text = {0};
    if (!cJSON_IsString(value) && !cJSON_IsNumber(value) && !cJSON_IsBool(value))
        return wrong(compiler, value,
                     "a condition compares with a string, or with a list of strings");
    condition->operands = must_grow(condition->operands, condition->count, &condition->room,
                                    sizeof *condition->operands);
    struct operand *operand = &condition->operands[condition->count++];
    *operand = (struct operand){0};
    if (!cJSON_IsString(value))
        json_compact(value, &text);
    enum status status =
        read_operand(compiler, value, value->valuestring ? value->valuestring : text_string(&text),
                     condition, operand);
    text_free(&text);
    return status;
}

static enum status add_condition(struct compiler *compiler, const cJSON *comparator,
                                 const cJSON *key, struct statement *statement)
{
    statement->conditions = must_grow(statement->conditions, statement->condition_count,
                                      &statement->condition_room, sizeof *statement->conditions);
    struct condition *condition = &statement->conditions[statement->condition_count++];
    *condition = (struct condition){0};
    if (!*key->string)
        return wrong(compiler, key, "a condition needs the name of a key");
    enum status status = read_comparator(compiler, comparator, condition);
    read_key(key->string, strlen(key->string), &condition->key);
    for (const cJSON *value = first_of(key); value && !status; value = next_of(key, value))
        status = add_operand(compiler, value, condition);
    return status;
}

static enum status add_conditions(struct compiler *compiler, const cJSON *written,
                                  struct statement *statement)
{
    enum status status = FINE;
    if (!cJSON_IsObject(written))
        return wrong(compiler, written, "a Condition is an object: {\"Bool\": {KEY: \"true\"}}");
    for (const cJSON *one = written->child; one && !status; one = one->next) {
        if (!cJSON_IsObject(one))
            return wrong(compiler, one, "the value of a condition operator is an object of keys");
        for (const cJSON *key = one->child; key && !status; key = key->next)
            status = add_condition(compiler, one, key, statement);
    }
    return status;
}

/* --- statements --- */

/* Exactly one of two elements must be present: name, or its opposite ("NotAction"). */
static enum status choose(struct compiler *compiler, const cJSON *written, const char *name,
                          const char *opposite, const cJSON **found, bool *negated)
{
    const cJSON *one = json_get(written, name), *other = json_get(written, opposite);
    if (one && other)
        return wrong(compiler, other, "a statement has %s or %s, not both", name, opposite);
    *negated = !one;
    *found = one ? one : other;
    if (!*found)
        return wrong(compiler, written, "this statement has no %s", name);
    if (!first_of(*found))
        return wrong(compiler, *found, "%s is an empty list", one ? name : opposite);
    return FINE;
}

static enum status add_actions(struct compiler *compiler, const cJSON *written,
                               struct statement *statement)
{
    const cJSON *list = NULL;
    bool negated = false;
    enum status status = choose(compiler, written, "Action", "NotAction", &list, &negated);
    if (status)
        return status;
    for (const cJSON *one = first_of(list); one && !status; one = next_of(list, one))
        status = add_action(compiler, one, &statement->actions);
    if (negated)
        statement->actions = ~statement->actions;
    return status;
}

static enum status add_resources(struct compiler *compiler, const cJSON *written,
                                 struct statement *statement)
{
    const cJSON *list = NULL;
    enum status status =
        choose(compiler, written, "Resource", "NotResource", &list, &statement->not_resources);
    if (status)
        return status;
    for (const cJSON *one = first_of(list); one && !status; one = next_of(list, one))
        status = add_resource(compiler, one, &statement->resources);
    return status;
}

static enum status check_elements(struct compiler *compiler, const cJSON *object, const char *what,
                                  const char *const *words, size_t count)
{
    for (const cJSON *element = object->child; element; element = element->next) {
        size_t i = 0;
        while (i < count && strcmp(words[i], element->string) != 0)
            i++;
        if (i == count)
            return unknown_name(compiler, element, what, element->string, words, count);
    }
    return FINE;
}

static enum status add_statement(struct compiler *compiler, const cJSON *written)
{
    static const char *const elements[] = {"Sid",      "Effect",      "Action",   "NotAction",
                                           "Resource", "NotResource", "Condition"};
    struct policy *policy = compiler->policy;
    const cJSON *sid = json_get(written, "Sid"), *effect = json_get(written, "Effect");
    const cJSON *condition = json_get(written, "Condition");
    if (!cJSON_IsObject(written))
        return wrong(compiler, written, "a statement is an object");
    policy->statements =
        must_grow(policy->statements, policy->count, &policy->room, sizeof *policy->statements);
    struct statement *statement = &policy->statements[policy->count++];
    *statement = (struct statement){0};
    enum status status = check_elements(compiler, written, "an element of a statement", elements,
                                        sizeof elements / sizeof *elements);
    if (!status && sid && !cJSON_IsString(sid))
        status = wrong(compiler, sid, "a Sid is a string");
    const char *said = json_string(written, "Effect", "");
    if (!status && strcmp(said, "Allow") != 0 && strcmp(said, "Deny") != 0)
        status = wrong(compiler, effect ? effect : written, "Effect is \"Allow\" or \"Deny\"");
    if (status)
        return status;
    statement->sid = sid ? must_copy(sid->valuestring) : NULL;
    statement->allows = strcmp(said, "Allow") == 0;
    status = add_actions(compiler, written, statement);
    if (!status)
        status = add_resources(compiler, written, statement);
    if (!status && condition)
        status = add_conditions(compiler, condition, statement);
    return status;
}

/* --- documents --- */

static enum status check_version(struct compiler *compiler)
{
    const cJSON *version = json_get(compiler->root, "Version");
    const char *said = json_string(compiler->root, "Version", "");
    compiler->variables = strcmp(said, "2012-10-17") == 0;
    if (version && !compiler->variables && strcmp(said, "2008-10-17") != 0)
        return wrong(compiler, version, "Version is \"2012-10-17\" (or \"2008-10-17\")");
    return FINE;
}

static enum status compile_document(struct compiler *compiler)
{
    static const char *const elements[] = {"Version", "Id", "Statement"};
    const cJSON *list = json_get(compiler->root, "Statement");
    if (!cJSON_IsObject(compiler->root))
        return wrong(compiler, compiler->root, "a policy is an object");
    enum status status =
        check_elements(compiler, compiler->root, "an element of a policy", elements, 3);
    if (!status)
        status = check_version(compiler);
    if (!status && !(cJSON_IsArray(list) && list->child) && !cJSON_IsObject(list))
        status = wrong(compiler, list ? list : compiler->root,
                       "a policy needs a Statement: an object, or a list of at least one");
    for (const cJSON *one = first_of(list); one && !status; one = next_of(list, one))
        status = add_statement(compiler, one);
    return status;
}

static enum status check_size(const char *name, const char *document, size_t length,
                              struct error *error)
{
    size_t characters = 0;
    if (length > POLICY_LARGEST)
        return fail(error, WRONG_INPUT, "%s has %zu bytes; a policy has at most %d", name, length,
                    POLICY_LARGEST);
    for (size_t i = 0; i < length; i++)
        characters += !isspace((unsigned char)document[i]) && (document[i] & 0xC0) != 0x80;
    if (characters > POLICY_MOST_CHARACTERS)
        return fail(error, WRONG_INPUT,
                    "%s has %zu characters without white space; AWS takes at most %d", name,
                    characters, POLICY_MOST_CHARACTERS);
    return FINE;
}

enum status policy_compile(const char *name, const char *document, size_t length,
                           struct policy **policy, struct error *error)
{
    owned char *copy = must_copy_bytes(document, length); /* with a NUL behind it */
    cJSON *root = NULL;
    *policy = NULL;
    enum status status = check_size(name, document, length, error);
    if (!status)
        status = json_parse(name, document, length, &root, error);
    if (!status) {
        struct compiler compiler = {
            name, copy, length, root, false, must_alloc(sizeof(struct policy)), error};
        status = compile_document(&compiler);
        *policy = compiler.policy;
    }
    if (status) {
        policy_free(*policy);
        *policy = NULL;
    }
    cJSON_Delete(root);
    return status;
}

/* --- freeing --- */

static void free_pattern(struct pattern *pattern)
{
    for (size_t i = 0; i < pattern->count; i++) {
        free(pattern->pieces[i].text);
        free(pattern->pieces[i].key.name);
    }
    free(pattern->pieces);
}

static void free_condition(struct condition *condition)
{
    for (size_t i = 0; i < condition->count; i++)
        for (size_t j = 0; j < ARN_PARTS; j++)
            free_pattern(&condition->operands[i].parts[j]);
    free(condition->operands);
    free(condition->key.name);
}

static void free_statement(struct statement *statement)
{
    for (size_t i = 0; i < statement->resources.count; i++)
        free_pattern(&statement->resources.at[i]);
    for (size_t i = 0; i < statement->condition_count; i++)
        free_condition(&statement->conditions[i]);
    free(statement->resources.at);
    free(statement->conditions);
    free(statement->sid);
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->count; i++)
        free_statement(&policy->statements[i]);
    free(policy->statements);
    free(policy);
}
