/* A set of templates: a folder, from which files are made for a model.
 *
 *   templates/<set>/<scope>/<output path>             copied as it is
 *   templates/<set>/<scope>/<output path>.mustache    rendered, without the ending
 *   templates/<set>/partials/<name>.mustache          a partial
 *
 * What is made depends on nothing but these files and the model, so the same input gives the same
 * bytes. An output that ends in .json must be JSON, and gets the layout of json.h. A template that
 * renders to nothing but white space makes no file. */
#ifndef GENERATOR_DOCUMENTS_TEMPLATE_SET_H
#define GENERATOR_DOCUMENTS_TEMPLATE_SET_H

#include "artifacts.h"
#include "common/base/error.h"
#include "common/base/names.h"

#include <cjson/cJSON.h>

struct template_set; /* the compiled templates of one scope of a set */

/* Loads templates/<set>/<scope>. base: a set that is loaded first; a file or partial of the same
 * path replaces its own. May be NULL. The caller frees. */
enum status template_set_load(const char *templates, const char *set, const char *base,
                              const char *scope, struct template_set **loaded, struct error *error);
void template_set_free(struct template_set *set);

/* The sets that have a folder for this scope ("system" or "type"), sorted; freed with
 * names_free(). */
struct names *template_set_names(const char *templates, const char *scope);

/* Renders every template of the set, in strict mode, and adds the files to out. prefix (may be "")
 * is put before each path. WRONG_INPUT with template, line and column. */
enum status template_set_render(const struct template_set *set, const cJSON *model,
                                const char *prefix, struct artifacts *out, struct error *error);

/* Adds every file below a folder as it is, but for what editors and Python leave behind, and for
 * names that end in skip. A folder that does not exist adds nothing. */
enum status template_set_add_folder(struct artifacts *artifacts, const char *folder,
                                    const char *skip, struct error *error);

#endif
