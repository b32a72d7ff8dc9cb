/* A template set x a model -> files.
 *
 * A set is a folder of templates; what it makes depends only on its files and the model, so the
 * same input gives the same bytes. templates/<set>/<scope>/<output path>: a file that ends in
 * .mustache is rendered (and loses that ending), any other is copied. Partials are
 * templates/<set>/partials/ <name>.mustache. A .json output must be JSON, and is written in the one
 * layout of json.h. A rendering of nothing but white space makes no file. */
#ifndef GENERATOR_DOCUMENTS_EMIT_H
#define GENERATOR_DOCUMENTS_EMIT_H

#include "common/base/error.h"
#include "common/base/names.h"
#include "common/base/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* --- templates --- */

struct template_set; /* the compiled templates of one scope of a set */

/* Loads templates/<set>/<scope>, and before it those of `base` (may be NULL), a set whose files and
 * partials come first and are replaced by those of the same path. The caller frees. */
enum status template_set_load(const char *templates, const char *set, const char *base,
                              const char *scope, struct template_set **loaded, struct error *error);
void template_set_free(struct template_set *set);

/* The sets that have a folder for this scope ("system" or "type"), sorted. */
struct names *template_sets_with(const char *templates, const char *scope);

/* --- artifacts --- */

struct artifact {
    char *path; /* relative to the output folder; never begins with "/" or holds ".." */
    struct text bytes;
};

/* A list of files to be, sorted by path when rendered. */
struct artifacts {
    struct artifact *at;
    size_t count, room;
};

/* Renders every template of the set, strictly. Adds to out; a file of the same path replaces the
 * one that is there. prefix (may be "") is put before each path. WRONG_INPUT with template, line,
 * column. */
enum status template_set_render(const struct template_set *set, const cJSON *model,
                                const char *prefix, struct artifacts *out, struct error *error);

/* Adds (or replaces) one; copies path, takes over the bytes. */
void artifacts_put(struct artifacts *artifacts, const char *path, struct text *bytes);

/* Adds every file below folder as it is (not what editors and Python leave behind, nor names that
 * end in skip). A folder that is not there adds nothing. */
enum status artifacts_add_folder(struct artifacts *artifacts, const char *folder, const char *skip,
                                 struct error *error);

void artifacts_sort(struct artifacts *artifacts);
void artifacts_free(struct artifacts *artifacts); /* overwrites the bytes: some hold a password */

/* --- writing --- */

struct emit_report {
    size_t written, unchanged, removed;
};

/* Brings folder to what artifacts say: writes what differs, removes what an earlier run wrote and
 * this one did not (known from the index, a file in the folder), and touches nothing else. only
 * (may be NULL) limits the removing to paths that begin with it. With dry_run nothing is changed;
 * the report says what would be. */
enum status emit_write(const char *folder, const struct artifacts *artifacts, const char *only,
                       bool dry_run, struct emit_report *report, struct error *error);

/* What emit_write() would change, as a unified diff (by diff(1)), added to out. */
enum status emit_diff(const char *folder, const struct artifacts *artifacts, const char *only,
                      struct text *out, struct error *error);

#endif
