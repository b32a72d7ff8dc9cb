/* Whether the sources of a type's code/ can be compiled.
 *
 * mpy-cross decides where it is there: it knows MicroPython's language, which packages are compiled from.
 * Nothing is fetched for it. Otherwise python3 does, whose language is nearly the same; without either
 * nothing is known. The sources are not run. */
#ifndef GENERATOR_THING_SYNTAX_H
#define GENERATOR_THING_SYNTAX_H

#include "common/base/error.h"
#include "common/spec/problems.h"

struct syntax {
    char *mpy_cross; /* its path; NULL: it is not there, or was not looked for */
    bool searched;
};

/* Looks at one source: problems->source has its path and its bytes. Adds an error with its line, or a
 * warning where no compiler is there. script: scripts/mpy-cross of the project; NULL: there is none. */
enum status syntax_check(struct syntax *syntax, const char *script, struct problems *problems,
                         struct error *error);

void syntax_free(struct syntax *syntax);

#endif
