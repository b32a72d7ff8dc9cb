/* Everything that is wrong in a file that a person wrote, with line and column.
 *
 * Checkers add problems in any order. They are shown sorted by place:
 *
 *   sensortypes/greenhouse/spec.yaml:9:11: error: "duble" is not a type of a measure
 *     9 |     type: duble
 *       |           ^~~~~ did you mean "double"? (double, bigint, boolean, varchar)
 *
 * Lines and columns count from 1, columns in code points. */
#ifndef COMMON_SPEC_PROBLEMS_H
#define COMMON_SPEC_PROBLEMS_H

#include "common/base/error.h"
#include "common/base/text.h"

#include <cjson/cJSON.h>

/* A file's name and its bytes (NUL-terminated). */
struct source {
    char *name;
    struct text bytes;
};

void source_free(struct source *source);

/* A stretch of a line. A line of 0 means the file as a whole. */
struct place {
    size_t line, column, width;
};

/* The place of the byte at offset (at most the length), one column wide. */
struct place source_place(const struct source *source, size_t offset);

enum severity { ERROR, WARNING };

struct problem {
    enum severity severity;
    struct place place;
    char *message; /* one sentence without a full stop */
    char *hint;    /* what was expected, what to do; NULL when the message says it */
};

struct problems {
    struct source *source; /* the file they are in; owned by the owner of the problems */
    struct problem *at;
    size_t count, room;
    size_t errors; /* how many of them are errors */
};

/* Takes over hint (may be NULL), which was made by malloc. */
void problem_add(struct problems *problems, enum severity severity, struct place place, char *hint,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* By place in the file. */
void problems_sort(struct problems *problems);

/* Appends at most 50 problems as above, each ending in a newline, and then the number of the
 * others. */
void problems_write(const struct problems *problems, bool colour, struct text *out);

/* [{"file": ..., "line": ..., "column": ..., "severity": "error", "message": ..., "hint": ...}]
 * added to the array list. */
void problems_to_json(const struct problems *problems, cJSON *list);

void problems_free(struct problems *problems);

/* "did you mean "double"? (double, bigint)", or "(double, bigint)" when no word is near. Of more
 * than 12 words the first 12 are listed. The caller frees it. */
char *choice_hint(const char *word, const char *const *words, size_t count);

#endif
