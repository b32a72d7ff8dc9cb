/* A plan as lines for people. */
#include "plan.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <ctype.h>
#include <string.h>

/* In bytes: the column of names; what is shown of a long value before and after a difference; the
 * longest part of a value that is shown. */
enum { NAME_WIDTH = 34, CONTEXT = 20, LONGEST_VALUE = 72 };

/* The name of a property for people: "sql" for the path "TopicRulePayload.Sql". */
static char *last_part(const char *path)
{
    const char *dot = strrchr(path, '.');
    char *part = must_copy(dot ? dot + 1 : path);
    *part = (char)tolower((unsigned char)*part);
    return part;
}

static char *value_text(const cJSON *value)
{
    struct text text = {0};
    if (!value)
        text_add_string(&text, "nothing");
    else if (cJSON_IsString(value))
        text_add_string(&text, value->valuestring);
    else
        json_compact(value, &text);
    return text_take(&text);
}

static bool inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80; /* of UTF-8 */
}

/* Adds the bytes of a value from `from` to `to`, at most LONGEST_VALUE of them, with "..." for what
 * is left out. */
static void add_part(struct text *out, const char *value, size_t from, size_t to)
{
    size_t length = strlen(value);
    size_t end = to - from > LONGEST_VALUE ? from + LONGEST_VALUE : to;
    while (end < length && inside_character(value[end]))
        end--;
    text_add_string(out, from ? "... " : "");
    text_add(out, value + from, end - from);
    text_add_string(out, end < length ? " ..." : "");
}

/* Shows where two long values differ, with a few words before and after. */
static void add_difference(struct text *out, const char *before, const char *after)
{
    size_t length = strlen(before), new_length = strlen(after), head = 0, tail = 0;
    while (before[head] && before[head] == after[head])
        head++;
    while (tail < length - head && tail < new_length - head &&
           before[length - tail - 1] == after[new_length - tail - 1])
        tail++;
    size_t from = head > CONTEXT ? head - CONTEXT : 0;
    while (from && from < head && before[from - 1] != ' ')
        from++;
    while (from && inside_character(before[from]))
        from--;
    size_t rest = tail > CONTEXT ? tail - CONTEXT : 0;
    while (rest && inside_character(before[length - rest]))
        rest--;
    add_part(out, before, from, length - rest);
    text_add_string(out, "  \u2192  ");
    add_part(out, after, from, new_length - rest);
}

static void write_property(const cJSON *property, struct text *out)
{
    owned char *name = last_part(json_string(property, "path", ""));
    owned char *before = value_text(json_get(property, "before"));
    owned char *after = value_text(json_get(property, "after"));
    text_add_format(out, "%s: ", name);
    add_difference(out, before, after);
}

static void write_loss(const cJSON *change, struct text *out)
{
    bool data = json_true(change, "data"), kept = json_true(change, "kept");
    if (plan_is_action(change, "import"))
        text_add_string(out, json_true(change, "ours")
                                 ? "taken over, with what it holds"
                                 : "TAKEN OVER, with what it holds: it was not made here");
    else if (plan_is_action(change, "replace"))
        text_add_string(out, !data  ? "REPLACED"
                             : kept ? "REPLACED: the new one begins empty; the old one stays, "
                                      "outside of the stack"
                                    : "REPLACED: its readings would be lost");
    else if (plan_is_action(change, "remove") && data)
        text_add_string(out, kept ? "REMOVED from the stack; it stays, with its readings"
                                  : "REMOVED: its readings would be lost");
}

static void write_change(const cJSON *change, struct text *out)
{
    static const struct {
        const char *action;
        char sign;
    } signs[] = {{"add", '+'}, {"import", '='}, {"modify", '~'}, {"replace", '-'}, {"remove", '-'}};
    char sign = '~';
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (plan_is_action(change, signs[i].action))
            sign = signs[i].sign;
    owned char *title =
        must_format("%s %s", json_string(change, "kind", ""), json_string(change, "name", ""));
    struct text about = {0};
    write_loss(change, &about);
    const cJSON *property;
    cJSON_ArrayForEach(property, json_get(change, "properties"))
    {
        if (about.length)
            text_add_format(&about, "\n    %*s  ", NAME_WIDTH, "");
        write_property(property, &about);
    }
    if (about.length)
        text_add_format(out, "  %c %-*s  %s\n", sign, NAME_WIDTH, title, text_string(&about));
    else
        text_add_format(out, "  %c %s\n", sign, title);
    text_free(&about);
}

void plan_write(const cJSON *changes, struct text *out)
{
    const cJSON *change;
    cJSON_ArrayForEach(change, changes)
    {
        write_change(change, out);
    }
}
