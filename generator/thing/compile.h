/* Sources of a package -> what its boards run, as `compile` of the platform.yaml says: which files,
 * by which program. Boards without much memory cannot compile for themselves.
 *
 *   compile:
 *     program: scripts/mpy-cross    beside the templates, or installed with them; "--path" makes it
 *                                   write the path of the compiler, which it fetches if need be
 *     options: [-O3]                then come -s NAME -o OUTPUT INPUT
 *     from: .py
 *     to: .mpy
 *     except: [boot.py, main.py]    files that stay source
 *     required: true                whether boards of this platform cannot do without
 *
 * The same bytes are compiled once for each compiler, however many packages hold them. */
#ifndef GENERATOR_THING_COMPILE_H
#define GENERATOR_THING_COMPILE_H

#include "common/base/error.h"
#include "generator/documents/emit.h"

#include <cjson/cJSON.h>

struct compiler;

/* templates: their folder; rule: the platform's `compile`, borrowed; NULL when there is none, and
 * then nothing is compiled. Nothing is looked for yet. The caller frees. */
struct compiler *compiler_make(const char *templates, const cJSON *rule);
void compiler_free(struct compiler *compiler);

/* Replaces each source among the artifacts by what is made of it, under its new name. Where the
 * compiler cannot be had and is not required, all stay source and *compiled is false. REFUSED where
 * it is required, with what the program says about how to get it; WRONG_INPUT when a source does
 * not compile. */
enum status compiler_run(struct compiler *compiler, struct artifacts *artifacts, bool *compiled,
                         struct error *error);

#endif
