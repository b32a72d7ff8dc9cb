/* Builds a tree from the events of libyaml.
 *
 * The tree is built without recursion, with a stack of the open lists and maps (at most DEEPEST).
 * The document's list of nodes owns all nodes, so that aliases can share them and freeing needs no
 * walk. A merge key copies the pointers to keys and values; these count towards the same limit as
 * nodes. Cost: linear in the file, except for finding duplicate keys, which is quadratic in the
 * number of keys of one map (at most MOST_KEYS). */
#include "yaml.h"
#include "common/base/memory.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEEPEST = 64, MOST_NODES = 100000, MOST_KEYS = 2000 };

struct anchor {
    char *name;
    struct yaml_node *node;
};

struct open {
    struct yaml_node *node;
    size_t room;              /* of node->items (and keys) */
    struct yaml_node *key;    /* of a map: the key whose value comes next */
    struct yaml_node *merged; /* of a map: what "<<" named, merged when the map ends */
};

struct loader {
    const struct source *source;
    struct problems *problems;
    struct yaml *yaml;
    struct open open[DEEPEST];
    size_t depth;
    struct anchor *anchors;
    size_t anchor_count, anchor_room;
    size_t weight; /* the number of nodes and merged keys so far; limited */
    bool stopped;  /* after an error that makes the rest of the file meaningless */
};

static void stop(struct loader *loader, struct place place, char *hint, const char *message)
{
    problem_add(loader->problems, ERROR, place, hint, "%s", message);
    loader->stopped = true;
}

/* Converts libyaml's marks to places. A mark counts code points, and takes a carriage return alone
 * for the end of a line; a place counts bytes, and ends lines at line feeds, as editors do. Events
 * come in the order of the file, so the cursor mostly moves forward and all conversions together
 * are linear; for a mark before the cursor it starts at the beginning. */
struct cursor {
    size_t characters, bytes;
    size_t lines, line_start; /* before it; the character that its line begins with */
};

/* Behind the byte order mark that some editors begin a file with (YAML 1.2, 5.2). libyaml would count
 * it as a column, so it is not shown to it. */
static struct cursor first_cursor(const struct source *source)
{
    return (struct cursor){.bytes =
                               begins_with(text_string(&source->bytes), "\xef\xbb\xbf") ? 3 : 0};
}

static size_t byte_offset(const struct source *source, struct cursor *cursor, size_t characters)
{
    const char *bytes = text_string(&source->bytes);
    size_t length = source->bytes.length;
    if (characters < cursor->characters)
        *cursor = first_cursor(source);
    while (cursor->characters < characters && cursor->bytes < length) {
        bool line_ends = bytes[cursor->bytes] == '\n';
        do
            cursor->bytes++;
        while (cursor->bytes < length && ((unsigned char)bytes[cursor->bytes] & 0xC0) == 0x80);
        cursor->characters++;
        if (line_ends) {
            cursor->lines++;
            cursor->line_start = cursor->characters;
        }
    }
    return cursor->bytes;
}

/* From one mark to another, at most to the end of the line; the cursor stands at the first. */
static struct place place_of(const struct cursor *cursor, const yaml_mark_t *start,
                             const yaml_mark_t *end)
{
    size_t width =
        end->line == start->line && end->column > start->column ? end->column - start->column : 1;
    return (struct place){cursor->lines + 1, cursor->characters - cursor->line_start + 1, width};
}

static struct yaml_node *new_node(struct loader *loader, enum yaml_kind kind, struct place place)
{
    if (++loader->weight > MOST_NODES && !loader->stopped)
        stop(loader, place, must_copy("at most 100000 values and keys, aliases counted"),
             "this file holds too much");
    struct yaml *yaml = loader->yaml;
    struct yaml_node *node = must_alloc(sizeof *node);
    node->kind = kind;
    node->place = place;
    yaml->nodes = must_grow(yaml->nodes, yaml->count, &yaml->room, sizeof *yaml->nodes);
    yaml->nodes[yaml->count++] = node;
    return node;
}

static void append(struct open *open, struct yaml_node *key, struct yaml_node *value)
{
    struct yaml_node *node = open->node;
    size_t room = open->room;
    node->items = must_grow(node->items, node->count, &room, sizeof(struct yaml_node *));
    if (node->kind == YAML_MAP) {
        if (room != open->room || !node->keys)
            node->keys = must_realloc(node->keys, room * sizeof(struct yaml_node *));
        node->keys[node->count] = key;
    }
    open->room = room;
    node->items[node->count++] = value;
}

static struct yaml_node *find_key(const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, name) == 0)
            return map->keys[i];
    return NULL;
}

/* --- merge keys: https://yaml.org/type/merge.html --- */

static void merge_map(struct loader *loader, struct open *open, const struct yaml_node *from)
{
    for (size_t i = 0; i < from->count && !loader->stopped; i++) {
        if (find_key(open->node, from->keys[i]->text))
            continue;
        if (open->node->count >= MOST_KEYS) {
            stop(loader, open->node->place, NULL, "this map has more than 2000 keys");
            return;
        }
        if (++loader->weight > MOST_NODES) {
            stop(loader, open->node->place,
                 must_copy("at most 100000 values and keys, aliases counted"),
                 "this file holds too much");
            return;
        }
        append(open, from->keys[i], from->items[i]);
    }
}

static void merge(struct loader *loader, struct open *open)
{
    struct yaml_node *from = open->merged;
    bool list = from->kind == YAML_LIST;
    for (size_t i = 0; i < (list ? from->count : 1); i++) {
        struct yaml_node *map = list ? from->items[i] : from;
        if (map->kind == YAML_MAP)
            merge_map(loader, open, map);
        else
            problem_add(loader->problems, ERROR, map->place, NULL,
                        "\"<<\" merges a map, or a list of maps");
    }
}

/* --- building --- */

static void add_pair(struct loader *loader, struct open *open, struct yaml_node *value)
{
    struct yaml_node *key = open->key;
    open->key = NULL;
    if (strcmp(key->text, "<<") == 0 && !key->quoted) {
        if (open->merged)
            problem_add(loader->problems, ERROR, key->place,
                        must_copy("merge a list of maps: <<: [*one, *other]"),
                        "\"<<\" stands here twice");
        open->merged = value;
        return;
    }
    const struct yaml_node *twin = find_key(open->node, key->text);
    if (twin) {
        problem_add(loader->problems, ERROR, key->place,
                    must_format("the first one is in line %zu", twin->place.line),
                    "\"%s\" stands here twice", key->text);
        return;
    }
    if (open->node->count >= MOST_KEYS) {
        stop(loader, key->place, NULL, "this map has more than 2000 keys");
        return;
    }
    append(open, key, value);
}

/* Adds a complete node to the list or map that is open around it. */
static void place_node(struct loader *loader, struct yaml_node *node)
{
    if (!loader->depth) {
        loader->yaml->root = node;
        return;
    }
    struct open *open = &loader->open[loader->depth - 1];
    if (open->node->kind == YAML_LIST) {
        append(open, NULL, node);
    } else if (open->key) {
        add_pair(loader, open, node);
    } else if (node->kind == YAML_SCALAR) {
        open->key = node;
    } else {
        stop(loader, node->place, NULL, "a key must be a single word or text");
    }
}

static void remember_anchor(struct loader *loader, const yaml_char_t *name, struct yaml_node *node)
{
    if (!name)
        return;
    if (loader->anchor_count >= MOST_KEYS) {
        stop(loader, node->place, NULL, "this file has more than 2000 anchors");
        return;
    }
    loader->anchors = must_grow(loader->anchors, loader->anchor_count, &loader->anchor_room,
                                sizeof *loader->anchors);
    loader->anchors[loader->anchor_count++] = (struct anchor){must_copy((const char *)name), node};
}

static bool is_open(const struct loader *loader, const struct yaml_node *node)
{
    for (size_t i = 0; i < loader->depth; i++)
        if (loader->open[i].node == node)
            return true;
    return false;
}

static void place_alias(struct loader *loader, const char *name, struct place place)
{
    for (size_t i = loader->anchor_count; i-- > 0;) { /* the last anchor of that name */
        if (strcmp(loader->anchors[i].name, name) != 0)
            continue;
        if (is_open(loader, loader->anchors[i].node))
            stop(loader, place, NULL, "this alias stands inside of what it names");
        else
            place_node(loader, loader->anchors[i].node);
        return;
    }
    problem_add(loader->problems, ERROR, place, NULL, "there is no anchor \"&%s\" above", name);
    loader->stopped = true;
}

static bool core_tag(const yaml_char_t *tag)
{
    static const char *const core[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    static const char prefix[] = "tag:yaml.org,2002:";
    if (!tag || strcmp((const char *)tag, "!") == 0)
        return true;
    if (!begins_with((const char *)tag, prefix))
        return false;
    for (size_t i = 0; i < sizeof core / sizeof *core; i++)
        if (strcmp((const char *)tag + sizeof prefix - 1, core[i]) == 0)
            return true;
    return false;
}

static void check_tag(struct loader *loader, const yaml_char_t *tag, struct place place)
{
    if (!core_tag(tag))
        problem_add(loader->problems, ERROR, place, must_copy("leave it out"),
                    "the tag %s means nothing here", (const char *)tag);
}

static void place_scalar(struct loader *loader, const yaml_event_t *event, struct place place,
                         size_t offset)
{
    check_tag(loader, event->data.scalar.tag, place);
    struct yaml_node *node = new_node(loader, YAML_SCALAR, place);
    const char *tag = (const char *)event->data.scalar.tag;
    node->offset = offset;
    node->length = event->data.scalar.length;
    node->text = must_copy_bytes((const char *)event->data.scalar.value, node->length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
                   (tag && (strcmp(tag, "!") == 0 || ends_with(tag, ":str")));
    if (strlen(node->text) != node->length)
        stop(loader, place, NULL, "this text holds a NUL (\\0), which nothing here may");
    remember_anchor(loader, event->data.scalar.anchor, node);
    place_node(loader, node);
}

static void open_collection(struct loader *loader, enum yaml_kind kind, const yaml_char_t *anchor,
                            const yaml_char_t *tag, struct place place, size_t offset)
{
    check_tag(loader, tag, place);
    if (loader->depth == DEEPEST) {
        stop(loader, place, NULL, "this is nested too deeply (at most 64 levels)");
        return;
    }
    struct yaml_node *node = new_node(loader, kind, place);
    node->offset = offset;
    remember_anchor(loader, anchor, node);
    loader->open[loader->depth++] = (struct open){.node = node};
}

static void close_collection(struct loader *loader)
{
    if (!loader->depth) /* cannot happen: libyaml reports an end only after a start */
        return;
    struct open *open = &loader->open[loader->depth - 1];
    if (open->merged)
        merge(loader, open);
    loader->depth--;
    place_node(loader, open->node);
}

static void take_event(struct loader *loader, const yaml_event_t *event, struct cursor *cursor)
{
    size_t offset = byte_offset(loader->source, cursor, event->start_mark.index);
    struct place place = place_of(cursor, &event->start_mark, &event->end_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (loader->yaml->root)
            stop(loader, place, must_copy("remove the \"---\" and what follows"),
                 "a second document begins here; one is read");
        break;
    case YAML_ALIAS_EVENT:
        place_alias(loader, (const char *)event->data.alias.anchor, place);
        break;
    case YAML_SCALAR_EVENT:
        place_scalar(loader, event, place, offset);
        break;
    case YAML_SEQUENCE_START_EVENT:
        open_collection(loader, YAML_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag, place, offset);
        break;
    case YAML_MAPPING_START_EVENT:
        open_collection(loader, YAML_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag, place, offset);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_collection(loader);
        break;
    default:
        break;
    }
}

/* Reports libyaml's error with its message and place. */
static void syntax_problem(struct loader *loader, const yaml_parser_t *parser)
{
    struct cursor cursor = first_cursor(loader->source);
    size_t offset = byte_offset(loader->source, &cursor, parser->problem_mark.index);
    struct place place = place_of(&cursor, &parser->problem_mark, &parser->problem_mark);
    if (parser->error == YAML_READER_ERROR)
        place = source_place(loader->source, parser->problem_offset < loader->source->bytes.length
                                                 ? parser->problem_offset
                                                 : loader->source->bytes.length);
    const char *problem = parser->problem ? parser->problem : "unknown";
    char *hint = NULL;
    loader->stopped = true;
    if (parser->error != YAML_READER_ERROR && offset < loader->source->bytes.length &&
        loader->source->bytes.at[offset] == '\t') {
        problem_add(loader->problems, ERROR, place, must_copy("indent with blanks"),
                    "a tab cannot stand here");
        return;
    }
    if (parser->context && offset >= loader->source->bytes.length) {
        byte_offset(loader->source, &cursor, parser->context_mark.index);
        place = place_of(&cursor, &parser->context_mark, &parser->context_mark);
        hint = cursor.bytes < loader->source->bytes.length
                   ? must_format("%s that begins here and does not end", parser->context)
                   : must_copy("the file ends too early");
    } else if (parser->context) {
        byte_offset(loader->source, &cursor, parser->context_mark.index);
        hint = must_format("%s that begins in line %zu", parser->context, cursor.lines + 1);
    }
    problem_add(loader->problems, ERROR, place, hint, "this is not YAML: %s", problem);
}

/* Checks for which libyaml has no clear message. */
static bool readable(const struct source *source, struct problems *problems)
{
    const char *bytes = text_string(&source->bytes);
    size_t length = source->bytes.length, bad;
    if (length > YAML_LARGEST) {
        problem_add(problems, ERROR, (struct place){0}, NULL,
                    "this file has %zu bytes; at most %d are read", length, YAML_LARGEST);
        return false;
    }
    if (length >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0)) {
        problem_add(problems, ERROR, (struct place){0}, must_copy("save it as UTF-8"),
                    "this file is UTF-16");
        return false;
    }
    const char *nul = length ? memchr(bytes, '\0', length) : NULL;
    if (nul) {
        problem_add(problems, ERROR, source_place(source, (size_t)(nul - bytes)), NULL,
                    "a NUL byte; this is not a text file");
        return false;
    }
    if (!utf8_valid(bytes, length, &bad)) {
        problem_add(problems, ERROR, source_place(source, bad), must_copy("save the file as UTF-8"),
                    "the byte 0x%02X here is not UTF-8", (unsigned char)bytes[bad]);
        return false;
    }
    return true;
}

void yaml_tree_load(const struct source *source, struct yaml *yaml, struct problems *problems)
{
    *yaml = (struct yaml){0};
    if (!readable(source, problems))
        return;
    struct loader loader = {.source = source, .problems = problems, .yaml = yaml};
    struct cursor cursor = first_cursor(source);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        out_of_memory();
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser,
                                 (const unsigned char *)text_string(&source->bytes) + cursor.bytes,
                                 source->bytes.length - cursor.bytes);
    for (bool ended = false; !ended && !loader.stopped;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            syntax_problem(&loader, &parser);
            break;
        }
        take_event(&loader, &event, &cursor);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    for (size_t i = 0; i < loader.anchor_count; i++)
        free(loader.anchors[i].name);
    free(loader.anchors);
    if (loader.stopped)
        yaml->root = NULL;
}

void yaml_tree_free(struct yaml *yaml)
{
    for (size_t i = 0; i < yaml->count; i++) {
        struct yaml_node *node = yaml->nodes[i];
        free((char *)node->text);
        free(node->items);
        free(node->keys);
        free(node);
    }
    free(yaml->nodes);
    *yaml = (struct yaml){0};
}

void yaml_tree_wipe(struct yaml *yaml)
{
    for (size_t i = 0; i < yaml->count; i++)
        if (yaml->nodes[i]->text)
            explicit_bzero((char *)yaml->nodes[i]->text, yaml->nodes[i]->length);
    yaml_tree_free(yaml);
}

/* --- reading the tree --- */

const struct yaml_node *yaml_key(const struct yaml_node *node, const char *name)
{
    return node && node->kind == YAML_MAP ? find_key(node, name) : NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *node, const char *name)
{
    if (!node || node->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->keys[i]->text, name) == 0)
            return node->items[i];
    return NULL;
}

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* A number of JSON, or the same with a + before it: all versions of YAML read these alike. Before
 * an exponent there is a fraction, and in it a sign, as YAML 1.1 requires. */
static bool number_shape(const char *text, bool *whole)
{
    text += *text == '-' || *text == '+';
    size_t count = digits(text);
    if (!count || (count > 1 && *text == '0'))
        return false;
    text += count;
    *whole = !*text;
    if (*whole)
        return true;
    if (*text++ != '.' || !(count = digits(text)))
        return false;
    text += count;
    if (!*text)
        return true;
    if (tolower((unsigned char)*text++) != 'e' || (*text != '-' && *text != '+'))
        return false;
    text++;
    count = digits(text);
    return count && !text[count];
}

/* Octal, hexadecimal, binary, sexagesimal, 1_000, 1e3, .5, 5., .inf, .nan */
static bool odd_number(const char *text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    text += *text == '-' || *text == '+';
    if (one_of(text, words))
        return true;
    if (text[0] == '0' && text[1] && strchr("xXbBoO", text[1]))
        return text[2] && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF_")];
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '.' && isdigit((unsigned char)text[1])))
        return false;
    size_t shape = strspn(text, "0123456789_.:");
    const char *dot = strchr(text, '.');
    if (dot && strchr(dot + 1, '.')) /* an address or a version: text in all versions of YAML */
        return false;
    if (text[shape] == 'e' || text[shape] == 'E') {
        const char *exponent = text + shape + 1;
        exponent += *exponent == '-' || *exponent == '+';
        return digits(exponent) && !exponent[digits(exponent)];
    }
    return !text[shape];
}

enum yaml_meaning yaml_meaning(const struct yaml_node *scalar, double *number)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes",
                                      "YES",  "on",   "On",   "ON",  NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no",  "No",
                                     "NO",    "off",   "Off",   "OFF", NULL};
    const char *text = scalar->text;
    double value;
    bool whole;
    if (scalar->quoted)
        return YAML_STRING;
    if (one_of(text, nulls))
        return YAML_NULL;
    if (one_of(text, yes))
        return YAML_TRUE;
    if (one_of(text, no))
        return YAML_FALSE;
    if (!number_shape(text, &whole))
        return odd_number(text) ? YAML_AMBIGUOUS : YAML_STRING;
    value = strtod(text, NULL);
    if (isinf(value))
        return YAML_TOO_LARGE;
    if (number)
        *number = value;
    return whole ? YAML_INTEGER : YAML_NUMBER;
}

/* --- places inside of a scalar --- */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first character of a scalar's text: behind its anchor, tag and quote, or in the line after a
 * "|" or ">". */
static size_t first_character(const char *bytes, size_t offset, char *style)
{
    while (bytes[offset] == '&' || bytes[offset] == '!') {
        offset += strcspn(bytes + offset, " \t\r\n");
        offset += strspn(bytes + offset, " \t\r\n");
    }
    *style = bytes[offset];
    if (*style == '"' || *style == '\'')
        return offset + 1;
    if (*style == '|' || *style == '>')
        return offset + strcspn(bytes + offset, "\n");
    *style = ' ';
    return offset;
}

/* The end of the last character of a scalar that is not blank; 0 when there is none. */
static size_t solid_end(const struct yaml_node *scalar)
{
    size_t end = scalar->length;
    while (end && blank(scalar->text[end - 1]))
        end--;
    return end;
}

/* Folding and indentation change blanks only. So the n-th character of the text that is not blank
 * is the n-th in the source. */
struct place yaml_place_inside(const struct source *source, const struct yaml_node *scalar,
                               size_t offset)
{
    const char *bytes = text_string(&source->bytes);
    if (offset > scalar->length || scalar->offset >= source->bytes.length)
        return scalar->place;
    while (offset < scalar->length && blank(scalar->text[offset]))
        offset++;
    if (offset == scalar->length && solid_end(scalar)) { /* behind the last character */
        struct place place = yaml_place_inside(source, scalar, solid_end(scalar) - 1);
        place.column++;
        return place;
    }
    size_t solid = 0;
    for (size_t i = 0; i < offset; i++)
        solid += !blank(scalar->text[i]);
    char style;
    size_t at = first_character(bytes, scalar->offset, &style);
    for (;; at++) {
        while (blank(bytes[at]))
            at++;
        if (!bytes[at])
            return scalar->place;
        if (style == '"' && bytes[at] == '\\') {
            if (!bytes[at + 1] || !strchr("\"\\/", bytes[at + 1]))
                return scalar->place;
            at += solid > 0;
        } else if (style == '\'' && bytes[at] == '\'' && bytes[at + 1] == '\'') {
            at += solid > 0;
        }
        if (!solid--)
            return source_place(source, at);
    }
}
