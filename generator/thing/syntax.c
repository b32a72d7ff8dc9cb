#include "syntax.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"

#include <stdlib.h>
#include <string.h>

enum { SECONDS = 30 };

/* Prints LINE:COLUMN:MESSAGE of what is wrong. -I: neither the folder nor the environment counts. */
static const char *const by_python =
    "import sys\n"
    "try:\n"
    "    compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec', dont_inherit=True)\n"
    "except SyntaxError as error:\n"
    "    print('%d:%d:%s' % (error.lineno or 0, error.offset or 0, error.msg))\n"
    "    sys.exit(1)\n"
    "except ValueError as error:\n"
    "    print('0:0:%s' % error)\n"
    "    sys.exit(1)\n";

/* Where the trouble is; the width goes to the end of the line. */
static struct place place_of(const struct source *source, size_t line, size_t column)
{
    const char *text = text_string(&source->bytes), *start = text;
    for (size_t i = 1; i < line && start; i++)
        if ((start = strchr(start, '\n')))
            start++;
    if (!line || !start)
        return (struct place){0};
    size_t length = strcspn(start, "\r\n"), blanks = strspn(start, " \t");
    size_t before = column ? column - 1 : blanks < length ? blanks : 0;
    struct place place = {line, before + 1, 1};
    if (!column && length > before)
        place.width = utf8_length(start + before, length - before);
    return place;
}

/* Reads a number; *text goes behind it and the character that follows. */
static size_t take_number(char **text)
{
    size_t number = strtoul(*text, text, 10);
    *text += **text != '\0';
    return number;
}

/* What python said. */
static void add_pythons(struct problems *problems, char *said)
{
    size_t line = take_number(&said), column = take_number(&said);
    said[strcspn(said, "\n")] = '\0';
    problem_add(problems, ERROR, place_of(problems->source, line, column), NULL, "%s", said);
}

/* What mpy-cross said: a trace with the line, and below it the error. */
static void add_compilers(struct problems *problems, char *said)
{
    size_t length = strlen(said);
    while (length && said[length - 1] == '\n')
        said[--length] = '\0';
    char *last = strrchr(said, '\n'), *line = NULL;
    for (char *at = said; (at = strstr(at, ", line ")); at++)
        line = at + strlen(", line ");
    char *message = last ? last + 1 : said;
    static const char kind[] = "SyntaxError: ";
    if (begins_with(message, kind))
        message += strlen(kind);
    problem_add(problems, ERROR, place_of(problems->source, line ? strtoul(line, NULL, 10) : 0, 0),
                NULL, "%s", message);
}

static void search(struct syntax *syntax, const char *script)
{
    const char *words[] = {script, "--find", NULL};
    struct text said = {0};
    struct error ignored = {0};
    int code = 0;
    syntax->searched = true;
    if (script && !subprocess_capture(words, SECONDS, &said, &code, NULL, &ignored) && !code)
        syntax->mpy_cross = must_copy_bytes(text_string(&said), strcspn(text_string(&said), "\n"));
    error_free(&ignored);
    text_free(&said);
}

enum status syntax_check(struct syntax *syntax, const char *script, struct problems *problems,
                         struct error *error)
{
    const char *path = problems->source->name;
    if (!syntax->searched)
        search(syntax, script);
    const char *const compile[] = {syntax->mpy_cross, "-o", "/dev/null", path, NULL};
    const char *const read[] = {"python3", "-I", "-c", by_python, path, NULL};
    struct text said = {0};
    bool missing = false;
    int code = 0;
    enum status status = subprocess_capture(syntax->mpy_cross ? compile : read, SECONDS, &said,
                                            &code, &missing, error);
    owned char *copy = must_copy(text_string(&said));
    text_free(&said);
    if (missing) {
        error_free(error);
        problem_add(problems, WARNING, (struct place){0}, NULL,
                    "not checked: neither mpy-cross nor python3 is here");
        return FINE;
    }
    if (!status && code && syntax->mpy_cross)
        add_compilers(problems, copy);
    else if (!status && code)
        add_pythons(problems, copy);
    return status;
}

void syntax_free(struct syntax *syntax)
{
    free(syntax->mpy_cross);
    *syntax = (struct syntax){0};
}
