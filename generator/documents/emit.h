/* Writing artifacts into a folder. */
#ifndef GENERATOR_DOCUMENTS_EMIT_H
#define GENERATOR_DOCUMENTS_EMIT_H

#include "artifacts.h"
#include "common/base/error.h"

#include <stdbool.h>

struct emit_report {
    size_t written, unchanged, removed; /* files */
};

/* Makes a folder hold the artifacts: writes files that differ, removes files that an earlier run
 * has written and this one does not, and touches nothing else. What earlier runs have written is in
 * the index, a file in the folder. only (may be NULL): files are removed only when their path
 * begins with it. dry_run: nothing is changed, and the report says what would be. */
enum status emit_write(const char *folder, const struct artifacts *artifacts, const char *only,
                       bool dry_run, struct emit_report *report, struct error *error);

/* Adds what emit_write() would change to out, as a unified diff made by diff(1). */
enum status emit_diff(const char *folder, const struct artifacts *artifacts, const char *only,
                      struct text *out, struct error *error);

#endif
