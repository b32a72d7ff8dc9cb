/* The renderer: a loop over the nodes of a compiled template. The head of mustache.c explains. */
#include "mustache_template.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST_PARTIAL = 100,
    MOST_OUTPUT = 64 * 1024 * 1024, /* bytes of one rendering */
    MOST_STEPS = 100 * 1000 * 1000, /* of one rendering: see the head of mustache.c */
    MOST_WORDS = 1000,              /* looked at for "did you mean" */
};

struct scope {
    const cJSON *value;
    bool list; /* value is an item of the list that the section walks */
};

struct call {
    const struct mustache *template;
    size_t next;          /* the node to take next */
    size_t indent_start;  /* the indentation of this call: `indents` from here to its end */
    size_t indent_before; /* the length of `indents` before the call */
};

struct rendering {
    const struct mustache_options *options;
    struct error *error;
    struct text *out;
    size_t out_start; /* what out held before */
    struct scope *scopes;
    size_t scope_count, scope_room;
    struct call calls[1 + DEEPEST_PARTIAL];
    size_t call_count;
    struct text indents;
    size_t steps;
};

static struct call *current(struct rendering *rendering)
{
    return &rendering->calls[rendering->call_count - 1];
}

static struct scope *innermost(struct rendering *rendering)
{
    return &rendering->scopes[rendering->scope_count - 1];
}

static void push_scope(struct rendering *rendering, const cJSON *value, bool list)
{
    rendering->scopes = must_grow(rendering->scopes, rendering->scope_count, &rendering->scope_room,
                                  sizeof *rendering->scopes);
    rendering->scopes[rendering->scope_count++] = (struct scope){value, list};
}

/* The member of an object, NULL if there is none or value is no object. A part of a dotted name has
 * no NUL behind it, so this is not cJSON_GetObjectItemCaseSensitive(); no name has a NUL in it. */
static const cJSON *member(struct rendering *rendering, const cJSON *value, struct span name)
{
    rendering->steps++;
    if (!cJSON_IsObject(value))
        return NULL;
    for (const cJSON *child = value->child; child; child = child->next) {
        rendering->steps++;
        if (child->string && !strncmp(child->string, name.at, name.length) &&
            !child->string[name.length])
            return child;
    }
    return NULL;
}

static const cJSON *member_of_scopes(struct rendering *rendering, struct span name)
{
    const cJSON *found = NULL;
    for (size_t i = rendering->scope_count; i-- && !found;)
        found = member(rendering, rendering->scopes[i].value, name);
    return found;
}

static struct span first_part(const char *from, const char *end)
{
    const char *dot = memchr(from, '.', (size_t)(end - from));
    return (struct span){from, (size_t)((dot ? dot : end) - from)};
}

/* What a name stands for; NULL if the data does not have it: then *part is the part of the name
 * that is missing and *holder the value that lacks it, NULL if it is missing from all scopes. */
static const cJSON *resolve(struct rendering *rendering, struct span name, struct span *part,
                            const cJSON **holder)
{
    *part = name;
    *holder = NULL;
    if (name_is_dot(name))
        return innermost(rendering)->value;
    const char *end = name.at + name.length;
    *part = first_part(name.at, end);
    const cJSON *value = member_of_scopes(rendering, *part);
    while (value && part->at + part->length < end) {
        *holder = value;
        *part = first_part(part->at + part->length + 1, end);
        value = member(rendering, value, *part);
    }
    return value;
}

static size_t gather_words(const cJSON *value, const char **words, size_t count)
{
    const cJSON *child = value && cJSON_IsObject(value) ? value->child : NULL;
    for (; child && count < MOST_WORDS; child = child->next)
        if (child->string)
            words[count++] = child->string;
    return count;
}

static void advise_name(struct rendering *rendering, struct span part, const cJSON *holder)
{
    const char *words[MOST_WORDS];
    size_t count = gather_words(holder, words, 0);
    for (size_t i = holder ? 0 : rendering->scope_count; i-- && count < MOST_WORDS;)
        count = gather_words(rendering->scopes[i].value, words, count);
    owned char *word = must_copy_bytes(part.at, part.length);
    const char *nearest = nearest_word(word, words, count);
    if (nearest)
        advise(rendering->error, "did you mean '%s'?", nearest);
}

static enum status fail_missing(struct rendering *rendering, const struct node *node,
                                struct span part, const cJSON *holder)
{
    const struct mustache *template = current(rendering)->template;
    struct span name = node->text;
    if (holder) {
        struct span before = {name.at, (size_t)(part.at - name.at) - 1};
        mustache_fail(template, node->offset, rendering->error,
                      "the data has no '%.*s', expected '%.*s' in '%.*s'", name_shown(name),
                      name.at, name_shown(part), part.at, name_shown(before), before.at);
    } else {
        mustache_fail(template, node->offset, rendering->error,
                      "the data has no '%.*s', expected a name that it has", name_shown(name),
                      name.at);
    }
    advise_name(rendering, part, holder);
    return WRONG_INPUT;
}

/* *value becomes what the node's name stands for; NULL if nothing, which is an error when strict.
 */
static enum status seek(struct rendering *rendering, const struct node *node, const cJSON **value)
{
    struct span part;
    const cJSON *holder;
    *value = resolve(rendering, node->text, &part, &holder);
    if (!*value && rendering->options->strict)
        return fail_missing(rendering, node, part, holder);
    return FINE;
}

static bool truthy(const cJSON *value)
{
    if (!value || cJSON_IsInvalid(value) || cJSON_IsNull(value) || cJSON_IsFalse(value))
        return false;
    return !cJSON_IsArray(value) || value->child;
}

/* Writes a value: an object or list as its compact JSON; null, and a number too large for JSON to
 * say, as nothing. */
static void write_value(struct rendering *rendering, enum escape escape, const cJSON *value)
{
    char digits[32];
    struct text printed = {0};
    const char *string = NULL;
    if (cJSON_IsString(value)) {
        string = value->valuestring;
    } else if (cJSON_IsNumber(value) && isfinite(value->valuedouble)) {
        json_format_number(value->valuedouble, digits);
        string = digits;
    } else if (cJSON_IsBool(value) || cJSON_IsObject(value) || cJSON_IsArray(value)) {
        json_compact(value, &printed);
        string = text_string(&printed);
    }
    if (string)
        escape_text(rendering->out, escape, string, strlen(string));
    text_free(&printed);
}

static enum status render_variable(struct rendering *rendering, const struct node *node)
{
    const cJSON *value;
    enum status status = seek(rendering, node, &value);
    if (!status && rendering->options->strict && (cJSON_IsObject(value) || cJSON_IsArray(value)))
        return mustache_fail(current(rendering)->template, node->offset, rendering->error,
                             "'%.*s' is %s, expected a text, a number, true or false",
                             name_shown(node->text), node->text.at,
                             cJSON_IsObject(value) ? "an object" : "a list");
    if (!status)
        write_value(rendering, node->kind == RAW ? ESCAPE_NONE : rendering->options->escape, value);
    return status;
}

static enum status begin_section(struct rendering *rendering, const struct node *node)
{
    const cJSON *value;
    enum status status = seek(rendering, node, &value);
    if (status)
        return status;
    bool entered = truthy(value) == (node->kind == SECTION);
    if (!entered)
        current(rendering)->next = node->jump;
    else if (node->kind == SECTION)
        push_scope(rendering, cJSON_IsArray(value) ? value->child : value, cJSON_IsArray(value));
    return FINE;
}

static void end_section(struct rendering *rendering, const struct node *node)
{
    struct scope *scope = innermost(rendering);
    if (scope->list && scope->value->next) {
        scope->value = scope->value->next;
        current(rendering)->next = node->jump;
    } else {
        rendering->scope_count--;
    }
}

static void write_indent(struct rendering *rendering)
{
    size_t start = current(rendering)->indent_start;
    if (rendering->indents.length > start)
        text_add(rendering->out, rendering->indents.at + start, rendering->indents.length - start);
}

static void push_call(struct rendering *rendering, const struct mustache *template,
                      struct span indent)
{
    struct call call = {.template = template, .indent_before = rendering->indents.length};
    if (indent.at)
        call.indent_start = current(rendering)->indent_start;
    else
        call.indent_start = rendering->indents.length;
    text_add(&rendering->indents, indent.at, indent.length);
    rendering->steps += indent.length;
    rendering->calls[rendering->call_count++] = call;
}

static void pop_call(struct rendering *rendering)
{
    rendering->indents.length = current(rendering)->indent_before;
    rendering->call_count--;
}

static enum status render_partial(struct rendering *rendering, const struct node *node)
{
    const struct mustache_options *options = rendering->options;
    const struct mustache *template = current(rendering)->template, *found = NULL;
    struct span name = node->text;
    if (rendering->call_count > DEEPEST_PARTIAL)
        return mustache_fail(
            template, node->offset, rendering->error,
            "the partial '%.*s' is nested too deep, expected at most %d partials inside "
            "each other",
            name_shown(name), name.at, DEEPEST_PARTIAL);
    owned char *string = must_copy_bytes(name.at, name.length);
    enum status status = FINE;
    if (options->partial)
        status = options->partial(options->context, string, &found, rendering->error);
    if (status) {
        size_t line, column;
        find_place(template->text, node->offset, &line, &column);
        return advise(rendering->error, "the partial '%.*s' is used at %s:%zu:%zu",
                      name_shown(name), name.at, template->name, line, column);
    }
    if (found)
        push_call(rendering, found, node->indent);
    else if (options->strict)
        return mustache_fail(template, node->offset, rendering->error,
                             "there is no partial '%.*s', expected one that exists",
                             name_shown(name), name.at);
    return FINE;
}

static enum status render_node(struct rendering *rendering, const struct node *node)
{
    switch (node->kind) {
    case TEXT:
        text_add(rendering->out, node->text.at, node->text.length);
        return FINE;
    case INDENT:
        write_indent(rendering);
        return FINE;
    case VARIABLE:
    case RAW:
        return render_variable(rendering, node);
    case SECTION:
    case INVERTED:
        return begin_section(rendering, node);
    case END:
        end_section(rendering, node);
        return FINE;
    case PARTIAL:
        return render_partial(rendering, node);
    }
    return FINE;
}

static enum status check_bounds(const struct rendering *rendering, const struct mustache *template,
                                const struct node *node)
{
    if (rendering->out->length - rendering->out_start > MOST_OUTPUT)
        return mustache_fail(template, node->offset, rendering->error,
                             "the output has passed 64 MiB, expected less");
    if (rendering->steps > MOST_STEPS)
        return mustache_fail(template, node->offset, rendering->error,
                             "the rendering has taken 100 million steps, expected fewer");
    return FINE;
}

static enum status render_next(struct rendering *rendering)
{
    struct call *call = current(rendering);
    const struct mustache *template = call->template;
    if (call->next == template->count) {
        pop_call(rendering);
        return FINE;
    }
    const struct node *node = &template->nodes[call->next++];
    rendering->steps++;
    enum status status = render_node(rendering, node);
    return status ? status : check_bounds(rendering, template, node);
}

enum status mustache_render(const struct mustache *compiled, const cJSON *data,
                            const struct mustache_options *options, struct text *out,
                            struct error *error)
{
    struct rendering rendering = {
        .options = options, .error = error, .out = out, .out_start = out->length};
    enum status status = FINE;
    rendering.calls[rendering.call_count++] = (struct call){.template = compiled};
    push_scope(&rendering, data, false);
    while (!status && rendering.call_count)
        status = render_next(&rendering);
    free(rendering.scopes);
    text_free(&rendering.indents);
    return status;
}
