#include "hint.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A target of make, and the words of the program. */
static const struct {
    const char *target, *words;
} commands[] = {
    {"destroy-all", "destroy --all"},
    {"renew", "renew"},
    {"all", "deploy --all"},
    {"check", "check"},
    {"create", "create"},
    {"create-all", "create"},
    {"delete", "delete"},
    {"destroy", "destroy"},
    {"diff", "diff"},
    {"doctor", "doctor"},
    {"down", "down"},
    {"flash", "flash"},
    {"list", "list"},
    {"logs", "logs"},
    {"new", "new"},
    {"package", "package"},
    {"query", "query"},
    {"rotate", "rotate"},
    {"run", "run"},
    {"sensortype", "deploy"},
    {"show", "show"},
    {"simulate", "simulate"},
    {"status", "status"},
    {"try-rule", "rule"},
    {"types", "types"},
    {"up", "up"},
};

/* Variables of make whose option has another name; the others are called as their options. "" is an
 * operand. */
static const struct {
    const char *variable, *option;
} options[] = {
    {"name", ""},
    {"NAME", ""},
    {"TARGET", "target"},
    {"PROFILE", "profile"},
    {"PLATFORM", "platform"},
    {"dbName", "database"},
    {"file", "from"},
    {"wifissid", "wifi-ssid"},
};

static bool is_word(const char *word, size_t length, const char *wanted)
{
    return strlen(wanted) == length && strncmp(word, wanted, length) == 0;
}

static const char *words_of(const char *target, size_t length)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (is_word(target, length, commands[i].target))
            return commands[i].words;
    return NULL;
}

/* Bytes of a value: up to a blank or punctuation, except between < and >. */
static size_t value_length(const char *value)
{
    const char *end = value;
    bool inside = false;
    for (; *end && (inside || !strchr(" ,;:)\n\"", *end)); end++)
        inside = *end == '<' || (inside && *end != '>');
    return (size_t)(end - value);
}

static void add_option(const char *name, size_t length, const char *value, size_t value_bytes,
                       struct text *out)
{
    text_add_char(out, ' ');
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is_word(name, length, options[i].variable))
            continue;
        if (*options[i].option)
            text_add_format(out, "--%s ", options[i].option);
        text_add(out, value, value_bytes);
        return;
    }
    text_add_string(out, "--");
    text_add(out, name, length);
    if (is_word(value, value_bytes, "yes"))
        return;
    text_add_char(out, ' ');
    text_add(out, value, value_bytes);
}

/* Adds the variables behind a target as options; returns what follows them. */
static const char *add_options(const char *at, struct text *out)
{
    for (;;) {
        const char *name = at + 1, *end = name;
        while (*at == ' ' && isalpha((unsigned char)*end))
            end++;
        if (*at != ' ' || end == name || *end != '=')
            return at;
        size_t value_bytes = value_length(end + 1);
        add_option(name, (size_t)(end - name), end + 1, value_bytes, out);
        at = end + 1 + value_bytes;
    }
}

void hint_translate(const char *format, struct text *out)
{
    static const char make[] = "make ";
    const char *at = format, *found;
    while ((found = strstr(at, make))) {
        const char *target = found + sizeof make - 1;
        size_t length = strspn(target, "abcdefghijklmnopqrstuvwxyz-");
        bool begins = found == format || !isalnum((unsigned char)found[-1]);
        const char *words = begins ? words_of(target, length) : NULL;
        text_add(out, at, (size_t)(found - at));
        at = target;
        if (!words) {
            text_add_string(out, make);
            continue;
        }
        text_add_format(out, "sensorforge %s", words);
        at = add_options(target + length, out);
    }
    text_add_string(out, at);
}

static bool called_by_make(void)
{
    const char *caller = getenv("SENSORFORGE_CALLED_BY");
    return caller && strcmp(caller, "make") == 0;
}

void hint_addv(struct text *out, const char *format, va_list arguments)
{
    struct text translated = {0};
    if (called_by_make() || !strstr(format, "make ")) {
        text_add_formatv(out, format, arguments);
        return;
    }
    hint_translate(format, &translated);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    text_add_formatv(out, text_string(&translated), arguments);
#pragma GCC diagnostic pop
    text_free(&translated);
}

void hint_add(struct text *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hint_addv(out, format, arguments);
    va_end(arguments);
}

char *hint_format(const char *format, ...)
{
    struct text made = {0};
    va_list arguments;
    va_start(arguments, format);
    hint_addv(&made, format, arguments);
    va_end(arguments);
    return text_take(&made);
}
