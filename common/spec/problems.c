#include "problems.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_KEPT = 10000,
    LONGEST_MESSAGE = 1000,
    MOST_SHOWN = 50,
    MOST_WORDS = 12,
    WIDEST_LINE = 100,
    LEFT_OF_COLUMN = 60
};

void source_free(struct source *source)
{
    free(source->name);
    text_free(&source->bytes);
    source->name = NULL;
}

struct place source_place(const struct source *source, size_t offset)
{
    struct place place = {.width = 1};
    if (offset > source->bytes.length)
        offset = source->bytes.length;
    find_place(text_string(&source->bytes), offset, &place.line, &place.column);
    return place;
}

/* Text of the file in a message: shortened, and without control characters, which a terminal would
 * execute. */
static void make_printable(char *string)
{
    size_t length = strlen(string);
    for (char *c = string; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = *c == '\n' || *c == '\t' ? ' ' : '?';
    if (length <= LONGEST_MESSAGE)
        return;
    size_t end = LONGEST_MESSAGE - strlen("...");
    while (((unsigned char)string[end] & 0xC0) == 0x80)
        end--;
    memcpy(string + end, "...", sizeof "...");
}

void problem_add(struct problems *problems, enum severity severity, struct place place, char *hint,
                 const char *format, ...)
{
    struct text message = {0};
    va_list arguments;
    problems->errors += severity == ERROR;
    if (problems->count == MOST_KEPT) { /* more than a person reads */
        free(hint);
        return;
    }
    va_start(arguments, format);
    text_add_formatv(&message, format, arguments);
    va_end(arguments);
    problems->at = must_grow(problems->at, problems->count, &problems->room, sizeof *problems->at);
    char *sentence = text_take(&message);
    make_printable(sentence);
    if (hint)
        make_printable(hint);
    problems->at[problems->count++] = (struct problem){severity, place, sentence, hint};
}

static int by_place(const void *one, const void *other)
{
    const struct problem *a = one, *b = other;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return strcmp(a->message, b->message);
}

void problems_sort(struct problems *problems)
{
    if (problems->count)
        qsort(problems->at, problems->count, sizeof *problems->at, by_place);
}

/* The bytes of a line, without its end. */
static const char *find_line(const struct source *source, size_t line, size_t *length)
{
    const char *at = text_string(&source->bytes), *end = at + source->bytes.length;
    while (--line && (at = memchr(at, '\n', (size_t)(end - at))))
        at++;
    if (!at) {
        *length = 0;
        return "";
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *length = (size_t)((stop ? stop : end) - at);
    if (*length && at[*length - 1] == '\r')
        --*length;
    return at;
}

/* The length in bytes of the first code points of a line (columns of them). */
static size_t bytes_of_columns(const char *line, size_t length, size_t columns)
{
    size_t i = 0;
    while (i < length && columns--)
        do
            i++;
        while (i < length && ((unsigned char)line[i] & 0xC0) == 0x80);
    return i;
}

/* The line with the caret under the place. A long line is cut around it. Control characters and
 * bytes that are not UTF-8 are shown as "?", so that a hostile file cannot write to the terminal.
 */
static void write_excerpt(const struct source *source, const struct problem *problem, bool colour,
                          struct text *out)
{
    size_t length;
    const char *line = find_line(source, problem->place.line, &length);
    size_t cut = 0;
    if (problem->place.column > LEFT_OF_COLUMN)
        cut = problem->place.column - LEFT_OF_COLUMN;
    size_t from = bytes_of_columns(line, length, cut);
    size_t to = from + bytes_of_columns(line + from, length - from, WIDEST_LINE);
    struct text number = {0}, shown = {0};
    text_add_format(&number, "%3zu", problem->place.line);
    text_add(&shown, line + from, to - from);
    size_t bad;
    while (!utf8_valid(text_string(&shown), shown.length, &bad))
        shown.at[bad] = '?';
    for (size_t i = 0; i < shown.length; i++)
        if (shown.at[i] == '\t')
            shown.at[i] = ' ';
        else if ((unsigned char)shown.at[i] < 0x20 || shown.at[i] == 0x7F)
            shown.at[i] = '?';
    text_add_format(out, "%s | %s%s%s\n", text_string(&number), cut ? "..." : "",
                    text_string(&shown), to < length ? "..." : "");
    text_add_repeated(out, ' ', number.length);
    text_add_string(out, " | ");
    size_t before = problem->place.column - 1 - cut + (cut ? 3 : 0);
    text_add_repeated(out, ' ', before);
    size_t width = problem->place.width ? problem->place.width : 1;
    size_t left =
        cut + WIDEST_LINE > problem->place.column ? cut + WIDEST_LINE - problem->place.column : 1;
    text_add_string(out, colour ? "\033[1;31m^" : "^");
    text_add_repeated(out, '~', (width < left ? width : left) - 1);
    if (colour)
        text_add_string(out, "\033[0m");
    if (problem->hint)
        text_add_format(out, " %s", problem->hint);
    text_add_char(out, '\n');
    text_free(&number);
    text_free(&shown);
}

static void write_problem(const struct source *source, const struct problem *problem, bool colour,
                          struct text *out)
{
    text_add_string(out, source->name);
    if (problem->place.line)
        text_add_format(out, ":%zu:%zu", problem->place.line, problem->place.column);
    bool is_error = problem->severity == ERROR;
    text_add_format(out, ": %s%s%s: %s\n", colour ? (is_error ? "\033[1;31m" : "\033[1;33m") : "",
                    is_error ? "error" : "warning", colour ? "\033[0m" : "", problem->message);
    if (problem->place.line)
        write_excerpt(source, problem, colour, out);
    else if (problem->hint)
        text_add_format(out, "    %s\n", problem->hint);
}

void problems_write(const struct problems *problems, bool colour, struct text *out)
{
    size_t shown = problems->count < MOST_SHOWN ? problems->count : MOST_SHOWN;
    for (size_t i = 0; i < shown; i++)
        write_problem(problems->source, &problems->at[i], colour, out);
    if (shown < problems->count)
        text_add_format(out, "%s: and %zu more\n", problems->source->name, problems->count - shown);
}

void problems_to_json(const struct problems *problems, cJSON *list)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->at[i];
        cJSON *item = json_object();
        json_put_string(item, "file", problems->source->name);
        json_put_number(item, "line", (double)problem->place.line);
        json_put_number(item, "column", (double)problem->place.column);
        json_put_string(item, "severity", problem->severity == ERROR ? "error" : "warning");
        json_put_string(item, "message", problem->message);
        json_put_string(item, "hint", problem->hint);
        cJSON_AddItemToArray(list, item);
    }
}

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->at[i].message);
        free(problems->at[i].hint);
    }
    free(problems->at);
    *problems = (struct problems){0};
}

char *choice_hint(const char *word, const char *const *words, size_t count)
{
    struct text hint = {0};
    const char *nearest = nearest_word(word, words, count);
    if (nearest)
        text_add_format(&hint, "did you mean \"%s\"? ", nearest);
    text_add_char(&hint, '(');
    for (size_t i = 0; i < count && i < MOST_WORDS; i++)
        text_add_format(&hint, "%s%s", i ? ", " : "", words[i]);
    text_add_string(&hint, count > MOST_WORDS ? ", ...)" : ")");
    return text_take(&hint);
}
