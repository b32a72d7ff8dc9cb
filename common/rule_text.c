/* One pass over the words of a statement, with a depth of brackets. A nested SELECT (over an array)
 * has names of its own, so names inside its brackets are not looked at. */
#include "rule_text.h"
#include "memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 100 };

enum kind { END, WORD, NUMBER, STRING, OPEN, CLOSE, OTHER, BROKEN };

struct token {
    enum kind kind;
    struct span span;
};

struct reader {
    const char *sql;
    size_t at;
    struct rule_text *outline;
    int depth;
    char open[DEEPEST]; /* the brackets around, outermost first */
    int nested;         /* depth of the brackets around a nested SELECT; 0: none */
    const char *why;
    size_t why_at;
};

static bool fault(struct reader *reader, size_t at, const char *why)
{
    if (!reader->why) {
        reader->why = why;
        reader->why_at = at;
    }
    return false;
}

static bool word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static struct token next(struct reader *reader)
{
    const char *sql = reader->sql;
    while (isspace((unsigned char)sql[reader->at]))
        reader->at++;
    size_t start = reader->at, end = start + 1;
    char first = sql[start];
    enum kind kind = OTHER;
    if (!first) {
        kind = END;
        end = start;
    } else if (isdigit((unsigned char)first)) {
        kind = NUMBER;
        while (word_character(sql[end]) || sql[end] == '.')
            end++;
    } else if (word_character(first)) {
        kind = WORD;
        while (word_character(sql[end]))
            end++;
    } else if (first == '\'' || first == '"') {
        const char *close = strchr(sql + end, first);
        kind = close ? STRING : BROKEN;
        end = close ? (size_t)(close - sql) + 1 : strlen(sql);
    } else if (strchr("([{", first)) {
        kind = OPEN;
    } else if (strchr(")]}", first)) {
        kind = CLOSE;
    }
    reader->at = end;
    return (struct token){kind, {start, end - start}};
}

static bool is_word(const struct reader *reader, struct token token, const char *word)
{
    return token.kind == WORD && token.span.length == strlen(word) &&
           strncasecmp(reader->sql + token.span.offset, word, token.span.length) == 0;
}

static bool is_keyword(const struct reader *reader, struct token token)
{
    static const char *const words[] = {"select", "value",  "as",   "and",   "or",       "not",
                                        "in",     "exists", "case", "when",  "then",     "else",
                                        "end",    "null",   "true", "false", "undefined"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(reader, token, words[i]))
            return true;
    return false;
}

static char following(const struct reader *reader)
{
    const char *at = reader->sql + reader->at;
    return at[strspn(at, " \t\r\n")];
}

static void add_field(struct rule_text *outline, struct span span)
{
    outline->fields = must_grow(outline->fields, outline->field_count, &outline->field_room,
                                sizeof *outline->fields);
    outline->fields[outline->field_count++] = span;
}

/* A word is a field of the payload unless it is a keyword, a function, a name given with AS, or a
 * step of a path behind a dot. */
static void note_word(struct reader *reader, struct token word, struct token before)
{
    bool step = before.kind == OTHER && reader->sql[before.span.offset] == '.';
    if (reader->nested || step || is_word(reader, before, "as") || is_keyword(reader, word) ||
        following(reader) == '(')
        return;
    add_field(reader->outline, word.span);
}

static void open_bracket(struct reader *reader, struct token token)
{
    if (reader->depth == DEEPEST)
        fault(reader, token.span.offset, "brackets are nested too deeply (at most 100)");
    else
        reader->open[reader->depth++] = reader->sql[token.span.offset];
}

static void close_bracket(struct reader *reader, struct token token)
{
    char close = reader->sql[token.span.offset];
    if (!reader->depth)
        fault(reader, token.span.offset, "this bracket was not opened");
    else if (close != strchr("()[]{}", reader->open[--reader->depth])[1])
        fault(reader, token.span.offset, "this bracket closes one of another kind");
}

/* What a selected value is called: its last word, be it behind AS, a dot, or alone. */
static void note_column(struct rule_text *outline, struct token last)
{
    if (last.kind != WORD)
        return;
    outline->columns = must_grow(outline->columns, outline->column_count, &outline->column_room,
                                 sizeof *outline->columns);
    outline->columns[outline->column_count++] = last.span;
}

/* One expression or list, up to the end or the word that stops it at depth 0, which is returned. */
static struct token read_clause(struct reader *reader, const char *stop)
{
    struct token before = {OTHER, {0, 0}};
    for (;;) {
        struct token token = next(reader);
        if (token.kind == BROKEN)
            fault(reader, token.span.offset, "this text has no closing quote");
        if (token.kind == OPEN)
            open_bracket(reader, token);
        if (token.kind == CLOSE)
            close_bracket(reader, token);
        if (reader->depth < reader->nested)
            reader->nested = 0;
        if (reader->why || token.kind == END)
            return token;
        if (!reader->depth && stop && is_word(reader, token, stop)) {
            note_column(reader->outline, before);
            return token;
        }
        if (reader->depth && !reader->nested && is_word(reader, token, "select"))
            reader->nested = reader->depth;
        if (token.kind == WORD)
            note_word(reader, token, before);
        if (!reader->depth && stop && token.kind == OTHER && reader->sql[token.span.offset] == ',')
            note_column(reader->outline, before);
        before = token;
    }
}

static struct span trimmed(const char *sql, size_t from, size_t to)
{
    while (from < to && isspace((unsigned char)sql[from]))
        from++;
    while (to > from && isspace((unsigned char)sql[to - 1]))
        to--;
    return (struct span){from, to - from};
}

static bool read_statement(struct reader *reader)
{
    const char *sql = reader->sql;
    struct rule_text *outline = reader->outline;
    struct token token = next(reader);
    if (!is_word(reader, token, "select"))
        return fault(reader, token.span.offset, "a statement begins with SELECT");
    size_t start = reader->at;
    struct reader after = *reader;
    if (is_word(reader, next(&after), "value"))
        return fault(reader, after.at - strlen("value"),
                     "a rule fills columns; SELECT VALUE has none");
    token = read_clause(reader, "from");
    if (reader->why)
        return false;
    if (reader->depth)
        return fault(reader, token.span.offset, "a bracket is not closed before this");
    if (token.kind == END)
        return fault(reader, token.span.offset, "FROM and a topic filter are missing");
    outline->list = trimmed(sql, start, token.span.offset);
    if (!outline->list.length)
        return fault(reader, token.span.offset, "SELECT needs something to select before FROM");
    token = next(reader);
    if (token.kind != STRING)
        return fault(reader, token.span.offset, "a topic filter in quotes must follow FROM");
    outline->topic = (struct span){token.span.offset + 1, token.span.length - 2};
    token = next(reader);
    if (token.kind == END)
        return true;
    if (!is_word(reader, token, "where"))
        return fault(reader, token.span.offset, "only WHERE may follow the topic filter");
    start = reader->at;
    token = read_clause(reader, NULL);
    if (!reader->why && reader->depth)
        fault(reader, token.span.offset, "a bracket is not closed before the end");
    outline->condition = trimmed(sql, start, strlen(sql));
    if (!outline->condition.length)
        fault(reader, token.span.offset, "WHERE needs a condition");
    return !reader->why;
}

bool rule_text_read(const char *sql, struct rule_text *outline, const char **why, size_t *at)
{
    *outline = (struct rule_text){0};
    struct reader reader = {.sql = sql, .outline = outline};
    bool read = read_statement(&reader);
    *why = reader.why;
    *at = reader.why_at;
    return read;
}

void rule_text_free(struct rule_text *outline)
{
    free(outline->fields);
    free(outline->columns);
    *outline = (struct rule_text){0};
}
