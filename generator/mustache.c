/* Mustache: how a template becomes text.
 *
 * Compiling. The template is read once, from tag to tag, into a flat array of nodes. A node does
 * not copy anything: it points at a range of the template's bytes, of which the template keeps one
 * copy. For "Hi {{#who}}{{name}}, {{/who}}" the array is
 *
 *     0 INDENT
 *     1 TEXT "Hi "
 *     2 SECTION "who"    jump 6: where to go on when who is falsey
 *     3 VARIABLE "name"
 *     4 TEXT ", "
 *     5 END              jump 3: where the next item of a list begins
 *
 * An INVERTED section needs only its jump, for its body is rendered at most once; comments and new
 * delimiters leave no node. Every node knows the offset of its tag, from which line and column are
 * counted when an error needs them, and only then.
 *
 * Standalone lines. A section, inverted section, closing tag, comment, partial or set-delimiter tag
 * that has only blanks to its left and right takes its whole line with it, the newline too. The
 * text before a tag is therefore compiled after the tag has been read. `cursor` is the end of what
 * has been compiled; `line_begins` says whether it stands at the beginning of a line, that is,
 * whether the blanks between cursor and tag are all that the line has.
 *
 * Indentation. A partial that stands alone renders as if each line of its template began with the
 * blanks that stand before its tag. Instead of writing such a template, the compiler puts an INDENT
 * node where a line of the template begins (but for empty and for dropped lines), and the renderer
 * writes the blanks there that are in force: those of the tag behind those of the partial around
 * it. Newlines in values are no beginning of a line of the template, so values stay as they are. A
 * partial inside a line has no blanks in force, whatever its surroundings have.
 *
 * Rendering. A loop takes one node after another; nothing here recurses. A stack of scopes holds
 * the values that names are sought in, from the innermost outwards, with the place in the list for
 * a section that walks one; a stack of calls holds for each partial where to go on.
 *
 * Cost. Compiling is linear in the template: every byte is looked at a fixed number of times.
 * Rendering costs one step for every node, scope and member that it looks at, plus what the written
 * bytes cost. Nested lists and recursive partials can multiply steps while writing nothing, so
 * steps are bounded just as bytes are, and names too: no template and no data, however wrong, takes
 * longer than some seconds. Memory is one node (some 70 bytes) for every tag and two for every
 * line. */
#include "mustache.h"
#include "../common/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST_SECTION = 100, /* in one template */
    DEEPEST_PARTIAL = 100,
    MOST_OUTPUT = 64 * 1024 * 1024, /* bytes of one rendering */
    MOST_STEPS = 100 * 1000 * 1000, /* of one rendering, see above */
    LONGEST_NAME = 1000,            /* bytes */
    LONGEST_SHOWN = 60,             /* bytes of a name in a message */
    MOST_WORDS = 1000,              /* looked at for "did you mean" */
};

struct span {
    const char *at;
    size_t length;
};

enum kind { TEXT, INDENT, VARIABLE, RAW, SECTION, INVERTED, END, PARTIAL };

struct node {
    enum kind kind;
    size_t offset;      /* of the tag or text in the template */
    struct span text;   /* TEXT: the bytes; else the name in the tag */
    struct span indent; /* PARTIAL: the blanks before it when it stands alone, else at is NULL */
    size_t jump;        /* SECTION, INVERTED: behind the body; END: to the body */
};

struct mustache {
    char *name;
    char *text;
    size_t length;
    struct node *nodes;
    size_t count, room;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_space(char byte)
{
    return memchr(" \t\r\n\v\f", byte, 6);
}

static struct span trimmed(const char *from, const char *to)
{
    while (from < to && is_space(*from))
        from++;
    while (from < to && is_space(to[-1]))
        to--;
    return (struct span){from, (size_t)(to - from)};
}

static bool same(struct span one, struct span other)
{
    return one.length == other.length && !memcmp(one.at, other.at, one.length);
}

static const char *find(struct span within, struct span what)
{
    return memmem(within.at, within.length, what.at, what.length);
}

static bool holds_nul(struct span span)
{
    return memchr(span.at, '\0', span.length);
}

static bool is_dot(struct span name)
{
    return name.length == 1 && *name.at == '.';
}

/* How many bytes of a name a message shows: its first line, at most LONGEST_SHOWN bytes, and no
 * half of a code point at the end. */
static int shown(struct span name)
{
    size_t length = 0;
    while (length < name.length && length < LONGEST_SHOWN && (unsigned char)name.at[length] >= ' ')
        length++;
    for (int i = 0; i < 3 && length && length < name.length; i++)
        if (((unsigned char)name.at[length] & 0xC0) == 0x80)
            length--;
    return (int)length;
}

struct place {
    size_t line, column; /* from 1; columns are code points */
};

static struct place place_of(const struct mustache *template, size_t offset)
{
    struct place place = {1, 1};
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (template->text[i] == '\n') {
            place.line++;
            line_start = i + 1;
        }
    }
    place.column += utf8_length(template->text + line_start, offset - line_start);
    return place;
}

static enum status fail_at(const struct mustache *template, size_t offset, struct error *error,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum status fail_at(const struct mustache *template, size_t offset, struct error *error,
                           const char *format, ...)
{
    struct place place = place_of(template, offset);
    struct text message = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&message, format, arguments);
    va_end(arguments);
    fail(error, WRONG_INPUT, "%s:%zu:%zu: %s", template->name, place.line, place.column,
         text_string(&message));
    text_free(&message);
    return WRONG_INPUT;
}

struct compiler {
    struct mustache *made;
    struct error *error;
    size_t cursor;    /* the first byte that is not compiled */
    bool line_begins; /* the cursor is at the beginning of a line, see the head of the file */
    struct span open, close;
    struct text closer;               /* what ends the tag that is being read */
    size_t sections[DEEPEST_SECTION]; /* the nodes of the open ones */
    size_t depth;
};

struct tag {
    char sigil;        /* '\0' for a plain variable */
    struct span name;  /* what stands in the tag, without the spaces around it */
    size_t start, end; /* offsets, delimiters included */
};

static struct node *add_node(struct compiler *compiler, enum kind kind, size_t offset,
                             struct span text)
{
    struct mustache *made = compiler->made;
    made->nodes = must_grow(made->nodes, made->count, &made->room, sizeof *made->nodes);
    struct node *node = &made->nodes[made->count++];
    *node = (struct node){.kind = kind, .offset = offset, .text = text};
    return node;
}

/* The length of the newline at offset, 0 if there is none. */
static size_t newline_at(const struct mustache *template, size_t offset)
{
    struct span rest = {template->text + offset, template->length - offset};
    if (rest.length >= 1 && rest.at[0] == '\n')
        return 1;
    return rest.length >= 2 && rest.at[0] == '\r' && rest.at[1] == '\n' ? 2 : 0;
}

/* To be called before what stands at the cursor is compiled. */
static void begin_line(struct compiler *compiler)
{
    if (compiler->line_begins && !newline_at(compiler->made, compiler->cursor))
        add_node(compiler, INDENT, compiler->cursor, (struct span){0});
    compiler->line_begins = false;
}

static void add_text(struct compiler *compiler, size_t end)
{
    while (compiler->cursor < end) {
        const char *from = compiler->made->text + compiler->cursor;
        const char *newline = memchr(from, '\n', end - compiler->cursor);
        size_t length = newline ? (size_t)(newline - from) + 1 : end - compiler->cursor;
        begin_line(compiler);
        add_node(compiler, TEXT, compiler->cursor, (struct span){from, length});
        compiler->cursor += length;
        compiler->line_begins = newline;
    }
}

/* Whether the tag has its line or lines for itself; if so, they reach from *start to *end. */
static bool stands_alone(const struct compiler *compiler, const struct tag *tag, size_t *start,
                         size_t *end)
{
    const struct mustache *made = compiler->made;
    size_t left = tag->start, right = tag->end;
    if (!memchr("#^/!>=", tag->sigil, 6))
        return false;
    while (left > compiler->cursor && is_blank(made->text[left - 1]))
        left--;
    if (left > compiler->cursor ? made->text[left - 1] != '\n' : !compiler->line_begins)
        return false;
    while (right < made->length && is_blank(made->text[right]))
        right++;
    size_t newline = newline_at(made, right);
    if (right < made->length && !newline)
        return false;
    *start = left;
    *end = right + newline;
    return true;
}

/* What ends a tag that begins with this sigil. */
static struct span closer_for(struct compiler *compiler, char sigil)
{
    text_clear(&compiler->closer);
    if (sigil == '{' || sigil == '=')
        text_add_char(&compiler->closer, sigil == '{' ? '}' : '=');
    text_add(&compiler->closer, compiler->close.at, compiler->close.length);
    return (struct span){compiler->closer.at, compiler->closer.length};
}

static bool has_empty_part(struct span name)
{
    return *name.at == '.' || name.at[name.length - 1] == '.' || find(name, (struct span){"..", 2});
}

static enum status check_name(const struct compiler *compiler, const struct tag *tag,
                              struct span closer)
{
    struct span name = tag->name;
    if (!name.length)
        return fail_at(compiler->made, tag->start, compiler->error,
                       "the tag is empty, expected a name in it");
    if (find(name, compiler->open))
        return fail_at(compiler->made, tag->start, compiler->error,
                       "the tag is not closed, expected '%.*s' before the next '%.*s'",
                       shown(closer), closer.at, shown(compiler->open), compiler->open.at);
    if (name.length > LONGEST_NAME || holds_nul(name))
        return fail_at(compiler->made, tag->start, compiler->error,
                       "bad name '%.*s', expected at most %d bytes and no NUL among them",
                       shown(name), name.at, LONGEST_NAME);
    if (tag->sigil != '>' && !is_dot(name) && has_empty_part(name))
        return fail_at(compiler->made, tag->start, compiler->error,
                       "the name '%.*s' has an empty part, expected a word on both sides of a dot",
                       shown(name), name.at);
    return FINE;
}

/* Reads the tag whose opening delimiter is at start. */
static enum status read_tag(struct compiler *compiler, size_t start, struct tag *tag)
{
    const struct mustache *made = compiler->made;
    const char *at = made->text + start + compiler->open.length, *end = made->text + made->length;
    *tag = (struct tag){.start = start};
    while (at < end && is_space(*at))
        at++;
    if (at < end && memchr("#^/!>&{=", *at, 8))
        tag->sigil = *at++;
    struct span closer = closer_for(compiler, tag->sigil);
    const char *close = find((struct span){at, (size_t)(end - at)}, closer);
    if (!close)
        return fail_at(made, start, compiler->error, "the tag is not closed, expected '%.*s'",
                       shown(closer), closer.at);
    tag->name = trimmed(at, close);
    tag->end = (size_t)(close - made->text) + closer.length;
    return tag->sigil == '!' || tag->sigil == '=' ? FINE : check_name(compiler, tag, closer);
}

static enum status set_delimiters(struct compiler *compiler, const struct tag *tag)
{
    const char *at = tag->name.at, *end = at + tag->name.length, *middle = at;
    while (middle < end && !is_space(*middle))
        middle++;
    struct span open = trimmed(at, middle), close = trimmed(middle, end);
    bool spaced = false;
    for (size_t i = 0; i < close.length; i++)
        spaced |= is_space(close.at[i]);
    if (!open.length || !close.length || spaced || memchr(at, '=', tag->name.length))
        return fail_at(compiler->made, tag->start, compiler->error,
                       "bad delimiters '%.*s', expected two words without '=', as in {{=<%% %%>=}}",
                       shown(tag->name), at);
    compiler->open = open;
    compiler->close = close;
    return FINE;
}

static enum status open_section(struct compiler *compiler, const struct tag *tag)
{
    if (compiler->depth == DEEPEST_SECTION)
        return fail_at(compiler->made, tag->start, compiler->error,
                       "the section '%.*s' is nested too deep, expected at most %d sections around "
                       "each other",
                       shown(tag->name), tag->name.at, DEEPEST_SECTION);
    compiler->sections[compiler->depth++] = compiler->made->count;
    add_node(compiler, tag->sigil == '#' ? SECTION : INVERTED, tag->start, tag->name);
    return FINE;
}

static void advise_opened(const struct compiler *compiler, const struct node *section)
{
    struct place place = place_of(compiler->made, section->offset);
    advise(compiler->error, "'%.*s' was opened at %s:%zu:%zu", shown(section->text),
           section->text.at, compiler->made->name, place.line, place.column);
}

static enum status close_section(struct compiler *compiler, const struct tag *tag)
{
    struct mustache *made = compiler->made;
    if (!compiler->depth)
        return fail_at(made, tag->start, compiler->error,
                       "'%.*s' is closed but not open, expected its opening tag before",
                       shown(tag->name), tag->name.at);
    size_t opened = compiler->sections[--compiler->depth];
    struct node *section = &made->nodes[opened];
    if (!same(section->text, tag->name)) {
        fail_at(made, tag->start, compiler->error,
                "'%.*s' is closed inside '%.*s', expected the closing tag of '%.*s' first",
                shown(tag->name), tag->name.at, shown(section->text), section->text.at,
                shown(section->text), section->text.at);
        advise_opened(compiler, section);
        return WRONG_INPUT;
    }
    if (section->kind == SECTION)
        add_node(compiler, END, tag->start, tag->name)->jump = opened + 1;
    made->nodes[opened].jump = made->count;
    return FINE;
}

/* indent: as in struct node. */
static enum status add_tag(struct compiler *compiler, const struct tag *tag, struct span indent)
{
    switch (tag->sigil) {
    case '#':
    case '^':
        return open_section(compiler, tag);
    case '/':
        return close_section(compiler, tag);
    case '=':
        return set_delimiters(compiler, tag);
    case '!':
        return FINE;
    case '>':
        add_node(compiler, PARTIAL, tag->start, tag->name)->indent = indent;
        return FINE;
    default:
        add_node(compiler, tag->sigil ? RAW : VARIABLE, tag->start, tag->name);
        return FINE;
    }
}

/* Compiles the text before the tag and the tag. */
static enum status compile_tag(struct compiler *compiler, const struct tag *tag)
{
    size_t start = tag->start, end = tag->end;
    struct span indent = {0};
    bool alone = stands_alone(compiler, tag, &start, &end);
    add_text(compiler, start);
    if (alone)
        indent = (struct span){compiler->made->text + start, tag->start - start};
    else
        begin_line(compiler);
    enum status status = add_tag(compiler, tag, indent);
    compiler->cursor = end;
    compiler->line_begins = alone;
    return status;
}

static enum status compile(struct compiler *compiler)
{
    struct mustache *made = compiler->made;
    for (;;) {
        struct span rest = {made->text + compiler->cursor, made->length - compiler->cursor};
        const char *start = find(rest, compiler->open);
        if (!start)
            break;
        struct tag tag;
        enum status status = read_tag(compiler, (size_t)(start - made->text), &tag);
        if (status || (status = compile_tag(compiler, &tag)))
            return status;
    }
    add_text(compiler, made->length);
    if (!compiler->depth)
        return FINE;
    const struct node *section = &made->nodes[compiler->sections[compiler->depth - 1]];
    fail_at(made, made->length, compiler->error,
            "the template ends inside '%.*s', expected its closing tag before",
            shown(section->text), section->text.at);
    advise_opened(compiler, section);
    return WRONG_INPUT;
}

enum status mustache_compile(struct mustache **made, const char *name, const char *template_text,
                             size_t length, struct error *error)
{
    struct mustache *template = must_alloc(sizeof *template);
    template->name = must_copy(name);
    template->text = must_copy_bytes(template_text, length);
    template->length = length;
    struct compiler compiler = {.made = template,
                                .error = error,
                                .line_begins = true,
                                .open = {"{{", 2},
                                .close = {"}}", 2}};
    enum status status = compile(&compiler);
    text_free(&compiler.closer);
    if (status) {
        mustache_free(template);
        template = NULL;
    }
    *made = template;
    return status;
}

void mustache_free(struct mustache *compiled)
{
    if (!compiled)
        return;
    free(compiled->name);
    free(compiled->text);
    free(compiled->nodes);
    free(compiled);
}

struct scope {
    const cJSON *value;
    bool list; /* value is an item of the list that the section walks */
};

struct call {
    const struct mustache *template;
    size_t next;          /* the node to take next */
    size_t indent_start;  /* what is in force reaches from here to the end of `indents` */
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
    if (is_dot(name))
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
    const cJSON *child = cJSON_IsObject(value) ? value->child : NULL;
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
        fail_at(template, node->offset, rendering->error,
                "the data has no '%.*s', expected '%.*s' in '%.*s'", shown(name), name.at,
                shown(part), part.at, shown(before), before.at);
    } else {
        fail_at(template, node->offset, rendering->error,
                "the data has no '%.*s', expected a name that it has", shown(name), name.at);
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

/* The shortest form that reads back as the same number, whole numbers with all their digits as long
 * as a double holds them exactly. JSON has no infinity; cJSON writes null for it, and so nothing is
 * written here. */
static void write_number(char made[32], double number)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    made[0] = '\0';
    if (!isfinite(number))
        return;
    if (number >= -exact && number <= exact && number == (double)(int64_t)number) {
        snprintf(made, 32, "%lld", (long long)number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(made, 32, "%.*g", digits, number);
        if (strtod(made, NULL) == number)
            return;
    }
}

/* The text of a value, in `made` or to be freed through `*printed`, or the value's own. */
static const char *value_text(const cJSON *value, char made[32], char **printed)
{
    switch (value ? value->type & 0xFF : cJSON_NULL) {
    case cJSON_True:
        return "true";
    case cJSON_False:
        return "false";
    case cJSON_String:
    case cJSON_Raw:
        return value->valuestring;
    case cJSON_Number:
        write_number(made, value->valuedouble);
        return made;
    case cJSON_Array:
    case cJSON_Object:
        return *printed = cJSON_PrintUnformatted(value);
    default:
        return "";
    }
}

static enum status render_variable(struct rendering *rendering, const struct node *node)
{
    const cJSON *value;
    enum status status = seek(rendering, node, &value);
    if (status)
        return status;
    char made[32];
    char *printed = NULL;
    const char *string = value_text(value, made, &printed);
    enum escape escape = node->kind == RAW ? ESCAPE_NONE : rendering->options->escape;
    if (string)
        escape_text(rendering->out, escape, string, strlen(string));
    else
        status = fail_at(current(rendering)->template, node->offset, rendering->error,
                         "'%.*s' cannot be written, expected valid JSON", shown(node->text),
                         node->text.at);
    cJSON_free(printed);
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
        return fail_at(template, node->offset, rendering->error,
                       "the partial '%.*s' is nested too deep, expected at most %d partials inside "
                       "each other",
                       shown(name), name.at, DEEPEST_PARTIAL);
    owned char *string = must_copy_bytes(name.at, name.length);
    enum status status = FINE;
    if (options->partial)
        status = options->partial(options->context, string, &found, rendering->error);
    if (status) {
        struct place place = place_of(template, node->offset);
        return advise(rendering->error, "the partial '%.*s' is used at %s:%zu:%zu", shown(name),
                      name.at, template->name, place.line, place.column);
    }
    if (found)
        push_call(rendering, found, node->indent);
    else if (options->strict)
        return fail_at(template, node->offset, rendering->error,
                       "there is no partial '%.*s', expected one that exists", shown(name),
                       name.at);
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
        return fail_at(template, node->offset, rendering->error,
                       "the output has passed 64 MiB, expected less");
    if (rendering->steps > MOST_STEPS)
        return fail_at(template, node->offset, rendering->error,
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
