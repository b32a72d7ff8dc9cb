/* Escapes: how a value is written so that it is safe inside a literal of the output's language. */
#ifndef GENERATOR_DOCUMENTS_ESCAPE_H
#define GENERATOR_DOCUMENTS_ESCAPE_H

#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* How {{name}} is written, so that any value is safe where it stands; {{{name}}} and {{&name}} are
 * written as they are. Chosen by the kind of the output file. */
enum escape {
    ESCAPE_NONE,
    ESCAPE_HTML,      /* & < > " as entities: the rule of the specification */
    ESCAPE_JSON,      /* inside a JSON string (RFC 8259, 7); UTF-8 stays as it is */
    ESCAPE_PYTHON,    /* inside '...' or "..." of Python source; UTF-8 stays as it is */
    ESCAPE_YAML,      /* inside "..." of YAML */
    ESCAPE_TERRAFORM, /* inside a JSON string of a .tf.json: as JSON, and ${ as $${, %{ as %%{ */
};

/* The kind for an output path: .tf.json, .json, .py, .yaml/.yml, .html/.htm, else NONE. */
enum escape escape_for_path(const char *path);

/* The kind called name (none, html, json, python, yaml, terraform); false when there is none. */
bool escape_named(const char *name, enum escape *escape);

/* Writes length bytes as the escape says. */
void escape_text(struct text *out, enum escape escape, const char *bytes, size_t length);

#endif
