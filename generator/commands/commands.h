/* One function a command, each in a file of its own that reads like the story of that command. */
#ifndef GENERATOR_COMMANDS_COMMANDS_H
#define GENERATOR_COMMANDS_COMMANDS_H

#include "generator/cli/cli.h"

struct project;

/* What commands begin with: finding the project of the working folder, or loading it with --target,
 * --database and --profile. The caller frees the project, also after a failure. */
enum status command_find(struct context *context, struct project *project);
enum status command_load(struct context *context, struct project *project);

enum status command_check(struct context *context);
enum status command_completion(struct context *context);
enum status command_create(struct context *context);
enum status command_delete(struct context *context);
enum status command_deploy(struct context *context);
enum status command_destroy(struct context *context);
enum status command_diff(struct context *context);
enum status command_doctor(struct context *context);
enum status command_down(struct context *context);
enum status command_flash(struct context *context);
enum status command_generate(struct context *context);
enum status command_help(struct context *context);
enum status command_list(struct context *context);
enum status command_logs(struct context *context);
enum status command_man(struct context *context);
enum status command_model(struct context *context);
enum status command_new(struct context *context);
enum status command_package(struct context *context);
enum status command_query(struct context *context);
enum status command_render(struct context *context);
enum status command_renew(struct context *context);
enum status command_rotate(struct context *context);
enum status command_rule(struct context *context);
enum status command_run(struct context *context);
enum status command_show(struct context *context);
enum status command_simulate(struct context *context);
enum status command_status(struct context *context);
enum status command_types(struct context *context);
enum status command_up(struct context *context);
enum status command_version(struct context *context);

#endif
