/* What commands begin with. */
#include "commands.h"
#include "generator/project/project.h"

static void log_call(void *context, const char *line)
{
    cli_say_more(context, "%s", line);
}

/* How this command line wants rooms to speak, and an account to be reached. */
static void prepare(struct context *context, struct project *project)
{
    bool silent = context->quiet && !context->verbose;
    *project = (struct project){
        .reporter = silent ? NULL : &context->reporter,
        .account = {.profile = cli_value(context, "profile"),
                    .log = context->verbose ? log_call : NULL,
                    .log_context = context,
                    .ask = cli_asker()},
    };
}

enum status command_find(struct context *context, struct project *project)
{
    prepare(context, project);
    return project_find(project, &context->error);
}

enum status command_load(struct context *context, struct project *project)
{
    const struct project_choices choices = {.target = cli_value(context, "target"),
                                            .database = cli_value(context, "database")};
    prepare(context, project);
    return project_load(project, &choices, &context->error);
}
