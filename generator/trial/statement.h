/* Trying one SQL statement, which need not belong to a type. */
#ifndef GENERATOR_TRIAL_STATEMENT_H
#define GENERATOR_TRIAL_STATEMENT_H

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/rule/rule.h"

#include <cjson/cJSON.h>

/* Compiles a statement. WRONG_INPUT with the place in the statement and a hint when it is wrong.
 * *rule is freed with rule_free(). */
enum status statement_compile(const char *sql, enum rule_version version, struct rule **rule,
                              struct error *error);

/* What the statement selects of a message is added to out. When it selects nothing, *unselected
 * says why, and is freed by the caller; otherwise it is NULL. WRONG_INPUT when the statement needs
 * a service of AWS. */
enum status statement_run(const struct rule *rule, const struct rule_message *message,
                          struct text *out, char **unselected, struct error *error);

/* The same as JSON: an object of trial_run() (trial.h). The caller deletes. */
enum status statement_json(const char *sql, struct rule *rule, const struct rule_message *message,
                           cJSON **answer, struct error *error);

#endif
