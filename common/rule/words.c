/* Splits a statement into words, one at a time; reports errors; keeps lists that grow. */
#include "compile.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return begins_name(c) || isdigit((unsigned char)c);
}

static size_t skip_digits(const char *text, size_t at)
{
    while (isdigit((unsigned char)text[at]))
        at++;
    return at;
}

/* The end of 12, 1.5, 1e3, 2E-7. The text ends with a NUL, which is not a digit. */
static size_t number_end(const char *text, size_t at)
{
    at = skip_digits(text, at);
    if (text[at] == '.' && isdigit((unsigned char)text[at + 1]))
        at = skip_digits(text, at + 1);
    if (text[at] == 'e' || text[at] == 'E') {
        size_t sign = text[at + 1] == '+' || text[at + 1] == '-';
        if (isdigit((unsigned char)text[at + 1 + sign]))
            at = skip_digits(text, at + 1 + sign);
    }
    return at;
}

/* A quote inside a string is written twice. A backslash has no meaning. */
static struct word string_word(const struct compiler *compiler, size_t start)
{
    char quote = compiler->text[start];
    const char *end = compiler->text + compiler->length;
    const char *at = compiler->text + start + 1;
    while (at < end) {
        const char *close = memchr(at, quote, (size_t)(end - at));
        if (!close)
            break;
        if (close[1] != quote)
            return (struct word){WORD_STRING, start, (size_t)(close + 1 - compiler->text) - start};
        at = close + 2;
    }
    return (struct word){WORD_WRONG, start, 1};
}

/* @name */
static struct word variable_word(struct compiler *compiler, size_t start)
{
    enum { LONGEST_NAME = 64 };
    const char *name = compiler->text + start + 1;
    size_t length = 0;
    while (isalnum((unsigned char)name[length]) || name[length] == '_')
        length++;
    struct word word = {WORD_VARIABLE, start, length + 1};
    if (!length)
        rule_fail(compiler, word, "SET @limit = 40 SELECT ... WHERE temperature < @limit",
                  "a variable is @ and a name of letters, digits and _");
    else if (length > LONGEST_NAME)
        rule_fail(compiler, word, NULL, "the name of a variable has at most %d characters",
                  LONGEST_NAME);
    return word;
}

static struct word sign_word(const char *text, size_t start)
{
    static const char *const pairs[] = {"<>", "<=", ">=", "||", "!=", "=="};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strncmp(text + start, pairs[i], 2) == 0)
            return (struct word){WORD_SIGN, start, 2};
    return (struct word){WORD_SIGN, start, 1};
}

void rule_next_word(struct compiler *compiler)
{
    const char *text = compiler->text;
    size_t at = compiler->at;
    while (at < compiler->length && isspace((unsigned char)text[at]))
        at++;
    char c = text[at];
    struct word word = {WORD_END, at, 0};
    if (at >= compiler->length) {
        word.offset = compiler->length;
    } else if (begins_name(c)) {
        size_t end = at;
        while (continues_name(text[end]))
            end++;
        word = (struct word){WORD_NAME, at, end - at};
    } else if (isdigit((unsigned char)c)) {
        word = (struct word){WORD_NUMBER, at, number_end(text, at) - at};
    } else if (c == '@') {
        word = variable_word(compiler, at);
    } else if (c == '\'' || c == '"') {
        word = string_word(compiler, at);
        if (word.kind == WORD_WRONG)
            rule_fail(compiler, word, "close it with the same quote", "this string is not closed");
    } else {
        word = sign_word(text, at);
    }
    compiler->behind = compiler->word.offset + compiler->word.length;
    compiler->word = word;
    compiler->at = word.offset + word.length;
    if (word.kind == WORD_NUMBER && begins_name(text[compiler->at]))
        rule_fail(compiler, (struct word){WORD_WRONG, word.offset, word.length + 1},
                  "a name begins with a letter or _", "a name directly after a number");
}

bool rule_is_word(const struct compiler *compiler, const char *word)
{
    return compiler->word.kind == WORD_NAME && compiler->word.length == strlen(word) &&
           strncasecmp(compiler->text + compiler->word.offset, word, compiler->word.length) == 0;
}

bool rule_is_sign(const struct compiler *compiler, const char *sign)
{
    return compiler->word.kind == WORD_SIGN && compiler->word.length == strlen(sign) &&
           memcmp(compiler->text + compiler->word.offset, sign, compiler->word.length) == 0;
}

bool rule_take_word(struct compiler *compiler, const char *word)
{
    if (compiler->failed || !rule_is_word(compiler, word))
        return false;
    rule_next_word(compiler);
    return true;
}

bool rule_take_sign(struct compiler *compiler, const char *sign)
{
    if (compiler->failed || !rule_is_sign(compiler, sign))
        return false;
    rule_next_word(compiler);
    return true;
}

bool rule_is_keyword(const struct compiler *compiler)
{
    static const char *const words[] = {"select", "from", "where", "as",    "and",    "or",
                                        "not",    "in",   "case",  "when",  "then",   "else",
                                        "end",    "null", "true",  "false", "exists", "undefined"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (rule_is_word(compiler, words[i]))
            return true;
    return false;
}

struct name rule_word_text(const struct compiler *compiler, struct word word)
{
    return (struct name){compiler->text + word.offset, word.length};
}

struct name rule_string_of(struct compiler *compiler, struct word word)
{
    struct name inside = {compiler->text + word.offset + 1, word.length - 2};
    char quote = compiler->text[word.offset];
    if (!memchr(inside.at, quote, inside.length))
        return inside;
    char *copy = rule_keep(compiler, inside.length);
    size_t made = 0;
    for (size_t i = 0; copy && i < inside.length; i++) {
        copy[made++] = inside.at[i];
        i += inside.at[i] == quote;
    }
    return (struct name){copy, made};
}

/* --- errors and notes --- */

void rule_add_note(struct compiler *compiler, struct word word, const char *message)
{
    struct rule_note *note = rule_grow(compiler, &compiler->notes, sizeof *note);
    if (note)
        *note = (struct rule_note){{word.offset, word.length}, message};
}

static void fill(struct compiler *compiler, struct word word, const char *hint)
{
    compiler->failed = true;
    compiler->fault->offset = word.offset;
    compiler->fault->length = word.length ? word.length : 1;
    snprintf(compiler->fault->hint, sizeof compiler->fault->hint, "%s", hint ? hint : "");
}

void *rule_fail(struct compiler *compiler, struct word word, const char *hint, const char *format,
                ...)
{
    if (compiler->failed)
        return NULL;
    fill(compiler, word, hint);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(compiler->fault->message, sizeof compiler->fault->message, format, arguments);
    va_end(arguments);
    return NULL;
}

void *rule_fail_memory(struct compiler *compiler)
{
    return rule_fail(compiler, compiler->word, NULL,
                     "out of memory while compiling this statement");
}

/* How many bytes of the word a message shows: at most 40, and no half of a UTF-8 character. */
static int shown(const struct compiler *compiler)
{
    size_t length = compiler->word.length < 40 ? compiler->word.length : 40;
    const char *at = compiler->text + compiler->word.offset;
    while (length && length < compiler->word.length && ((unsigned char)at[length] & 0xc0) == 0x80)
        length--;
    return (int)length;
}

/* The hint for a word of other SQL dialects: what to write instead. NULL: there is no hint for the
 * current word. */
static const char *find_substitute(const struct compiler *compiler)
{
    static const char one_message[] = "a rule sees one message at a time";
    static const struct {
        const char *word, *hint;
    } substitutes[] = {
        {"!=", "\"not equal\" is written <>"},
        {"==", "\"equal\" is written ="},
        {"!", "\"not\" is written NOT"},
        {"&", "\"and\" is written AND"},
        {"LIKE", "use startswith(a, 'x'), endswith(a, 'x') or regexp_matches(a, 'x.*y')"},
        {"BETWEEN", "use a >= 1 AND a <= 2"},
        {"IS", "use isNull(a), or isUndefined(a) for what is missing"},
        {"GROUP", one_message},
        {"ORDER", one_message},
        {"LIMIT", one_message},
        {"JOIN", one_message},
    };
    for (size_t i = 0; i < sizeof substitutes / sizeof *substitutes; i++)
        if (rule_is_word(compiler, substitutes[i].word) ||
            rule_is_sign(compiler, substitutes[i].word))
            return substitutes[i].hint;
    if (compiler->word.offset && strncmp(compiler->text + compiler->word.offset - 1, "/*", 2) == 0)
        return "there are no comments in this language";
    return NULL;
}

void *rule_expect(struct compiler *compiler, const char *what, const char *hint)
{
    if (compiler->word.kind == WORD_END)
        return rule_fail(compiler, compiler->word, hint, "the statement ends where %s should be",
                         what);
    if (!hint)
        hint = find_substitute(compiler);
    return rule_fail(compiler, compiler->word, hint, "%s should be here, not \"%.*s\"", what,
                     shown(compiler), compiler->text + compiler->word.offset);
}

/* --- memory --- */

void *rule_keep(struct compiler *compiler, size_t size)
{
    void *kept = rule_take(&compiler->program->memory, size);
    return kept ? kept : rule_fail_memory(compiler);
}

void *rule_grow(struct compiler *compiler, struct growing *list, size_t size)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8;
        void *moved = realloc(list->at, room * size);
        if (!moved)
            return rule_fail_memory(compiler);
        list->at = moved;
        list->room = room;
    }
    void *item = (char *)list->at + list->count++ * size;
    return memset(item, 0, size);
}

void *rule_settle_list(struct compiler *compiler, struct growing *list, size_t size)
{
    void *kept = compiler->failed ? NULL : rule_keep(compiler, list->count * size);
    if (kept && list->count)
        memcpy(kept, list->at, list->count * size);
    free(list->at);
    *list = (struct growing){0};
    return kept;
}
