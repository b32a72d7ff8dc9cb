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
#include "mustache_template.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEEPEST_SECTION = 100, /* in one template */
    LONGEST_NAME = 1000,   /* bytes */
    LONGEST_SHOWN = 60,    /* bytes of a name in a message */
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

bool name_is_dot(struct span name)
{
    return name.length == 1 && *name.at == '.';
}

int name_shown(struct span name)
{
    size_t length = 0;
    while (length < name.length && length < LONGEST_SHOWN && (unsigned char)name.at[length] >= ' ')
        length++;
    for (int i = 0; i < 3 && length && length < name.length; i++)
        if (((unsigned char)name.at[length] & 0xC0) == 0x80)
            length--;
    return (int)length;
}

enum status mustache_fail(const struct mustache *template, size_t offset, struct error *error,
                          const char *format, ...)
{
    size_t line, column;
    find_place(template->text, offset, &line, &column);
    struct text message = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&message, format, arguments);
    va_end(arguments);
    fail(error, WRONG_INPUT, "%s:%zu:%zu: %s", template->name, line, column, text_string(&message));
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
        return mustache_fail(compiler->made, tag->start, compiler->error,
                             "the tag is empty, expected a name in it");
    if (find(name, compiler->open))
        return mustache_fail(compiler->made, tag->start, compiler->error,
                             "the tag is not closed, expected '%.*s' before the next '%.*s'",
                             name_shown(closer), closer.at, name_shown(compiler->open),
                             compiler->open.at);
    if (name.length > LONGEST_NAME || holds_nul(name))
        return mustache_fail(compiler->made, tag->start, compiler->error,
                             "bad name '%.*s', expected at most %d bytes and no NUL among them",
                             name_shown(name), name.at, LONGEST_NAME);
    if (tag->sigil != '>' && !name_is_dot(name) && has_empty_part(name))
        return mustache_fail(
            compiler->made, tag->start, compiler->error,
            "the name '%.*s' has an empty part, expected a word on both sides of a dot",
            name_shown(name), name.at);
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
        return mustache_fail(made, start, compiler->error, "the tag is not closed, expected '%.*s'",
                             name_shown(closer), closer.at);
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
        return mustache_fail(
            compiler->made, tag->start, compiler->error,
            "bad delimiters '%.*s', expected two words without '=', as in {{=<%% %%>=}}",
            name_shown(tag->name), at);
    compiler->open = open;
    compiler->close = close;
    return FINE;
}

static enum status open_section(struct compiler *compiler, const struct tag *tag)
{
    if (compiler->depth == DEEPEST_SECTION)
        return mustache_fail(
            compiler->made, tag->start, compiler->error,
            "the section '%.*s' is nested too deep, expected at most %d sections around "
            "each other",
            name_shown(tag->name), tag->name.at, DEEPEST_SECTION);
    compiler->sections[compiler->depth++] = compiler->made->count;
    add_node(compiler, tag->sigil == '#' ? SECTION : INVERTED, tag->start, tag->name);
    return FINE;
}

static void advise_opened(const struct compiler *compiler, const struct node *section)
{
    size_t line, column;
    find_place(compiler->made->text, section->offset, &line, &column);
    advise(compiler->error, "'%.*s' was opened at %s:%zu:%zu", name_shown(section->text),
           section->text.at, compiler->made->name, line, column);
}

static enum status close_section(struct compiler *compiler, const struct tag *tag)
{
    struct mustache *made = compiler->made;
    if (!compiler->depth)
        return mustache_fail(made, tag->start, compiler->error,
                             "'%.*s' is closed but not open, expected its opening tag before",
                             name_shown(tag->name), tag->name.at);
    size_t opened = compiler->sections[--compiler->depth];
    struct node *section = &made->nodes[opened];
    if (!same(section->text, tag->name)) {
        mustache_fail(made, tag->start, compiler->error,
                      "'%.*s' is closed inside '%.*s', expected the closing tag of '%.*s' first",
                      name_shown(tag->name), tag->name.at, name_shown(section->text),
                      section->text.at, name_shown(section->text), section->text.at);
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
    mustache_fail(made, made->length, compiler->error,
                  "the template ends inside '%.*s', expected its closing tag before",
                  name_shown(section->text), section->text.at);
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
