/* The log of AWS IoT, which is one for an account and region.
 *
 * A rule whose SQL fails on a message selects nothing, and calls no error action: only this log says
 * so. It is off in a new account, and needs a role ("Configure AWS IoT logging", AWS IoT developer
 * guide). It is no part of a stack, because all systems of the account share it, and a stack that is
 * deleted would turn it off for the others. */
#ifndef GENERATOR_DEPLOY_LOGGING_H
#define GENERATOR_DEPLOY_LOGGING_H

#include "aws/aws.h"
#include "common/spec/system.h"

#include <stdbool.h>

#define LOGGING_OFF                                                                                \
    "AWS IoT writes no log: when the SQL of a rule fails, the reading is lost without a word"

/* Whether the log is on, at any level. */
enum status logging_ask(struct aws *aws, bool *on, struct error *error);

/* Makes the role <system>-iot-logging, where it is not there, and turns the log on at the level
 * ERROR. May be called again after a failure. */
enum status logging_turn_on(struct aws *aws, const struct system *system, struct error *error);

#endif
