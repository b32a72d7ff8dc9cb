/* What the commands on things share: how a thing is shown. */
#ifndef GENERATOR_COMMANDS_THINGS_H
#define GENERATOR_COMMANDS_THINGS_H

#include "../cli.h"
#include "../thing/package.h"

#include <cjson/cJSON.h>

/* The three lines after a thing was made: what it is, where its package is, what comes next. */
void write_thing(const cJSON *record, const struct package_plan *plan,
                 const struct package_size *size, struct text *out);

/* The record without secrets, with "package": {"folder", "files", "bytes"}. */
void write_thing_json(const cJSON *record, const struct package_size *size, struct text *out);

/* Whether an operand is there a second time: then it has been dealt with. */
bool named_before(const struct context *context, size_t index);

/* create --from FILE (create_all.c) */
enum status create_from_table(struct context *context, const char *file);

#endif
