/* Mustache templates: text in, text out. This room knows nothing of sensors.
 *
 * The language is that of mustache(5) and its specification's core modules: variables, sections,
 * inverted sections, comments, partials with indentation, set-delimiters, standalone-line rules,
 * dotted names, the implicit iterator, the context stack. A template is compiled once and may be
 * rendered any number of times; a compiled template is never changed by rendering.
 *
 * Data is a cJSON tree. False, null, a missing name and the empty array are falsey; everything
 * else, 0 and "" among it, is truthy. A number is written as JSON writes it (12, 0.5, 1e+21); true
 * and false as those words; null as nothing; an object or array as its compact JSON. */
#ifndef GENERATOR_DOCUMENTS_MUSTACHE_H
#define GENERATOR_DOCUMENTS_MUSTACHE_H

#include "common/base/error.h"
#include "common/base/text.h"
#include "escape.h"

#include <cjson/cJSON.h>

struct mustache; /* a compiled template */

/* Finds the partial called name. On success *found is a template that lives until the rendering
 * ends (the finder owns it), or NULL when there is no such partial, which renders as nothing (or is
 * an error when strict). A partial may name itself; depth is bounded. */
typedef enum status mustache_finder(void *context, const char *name, const struct mustache **found,
                                    struct error *error);

struct mustache_options {
    enum escape escape;
    bool strict; /* a name that the data does not have is an error, and an object or list written */
    mustache_finder *partial; /* NULL: no partials */
    void *context;            /* handed to partial */
};

/* Compiles length bytes of template. name is the file that messages name. On failure *made is NULL
 * and the error reads "name:line:column: ..." (WRONG_INPUT): an unclosed or unopened section, an
 * unclosed tag, bad delimiters, a name that is empty, has an empty part (a..b), a NUL or more than
 * 1000 bytes, sections nested more than 100 deep. */
enum status mustache_compile(struct mustache **made, const char *name, const char *template_text,
                             size_t length, struct error *error);

/* Renders to the end of out. On failure (WRONG_INPUT, place of the tag in the message: a missing
 * name when strict, a partial that cannot be compiled, partials nested more than 100 deep, an
 * output of more than 64 MiB, more than 100 million steps, as nested lists that write nothing can
 * take) what out has gained is meaningless. A failure of the finder is handed on, with the place of
 * the tag as advice. */
enum status mustache_render(const struct mustache *compiled, const cJSON *data,
                            const struct mustache_options *options, struct text *out,
                            struct error *error);

/* Frees a template; NULL is fine. */
void mustache_free(struct mustache *compiled);

#endif
