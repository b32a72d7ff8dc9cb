#include "commands.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "things.h"

struct deletion {
    struct project *project;
    struct target target; /* of the thing before; {0}: none yet */
};

static enum status delete_one(struct context *context, void *state, const char *name,
                              cJSON *answers)
{
    struct deletion *deletion = state;
    bool revoked = true, dry_run = cli_given(context, "dry-run");
    enum status status = FINE;
    if (!dry_run)
        status = target_of_thing(context, deletion->project, name, &deletion->target);
    if (!status && !dry_run)
        status = delete_thing(&deletion->target, name, cli_value(context, "type"), &revoked,
                              &context->error);
    if (status)
        return status;
    cJSON_AddItemToArray(answers, cJSON_CreateString(name));
    if (!context->json)
        text_add_format(&context->out, "%s  %s%s\n", name, dry_run ? "would be deleted" : "deleted",
                        revoked ? ", its certificate revoked" : "");
    return FINE;
}

enum status command_delete(struct context *context)
{
    struct project project;
    struct chosen chosen = {0};
    struct deletion deletion = {.project = &project};
    enum status status = command_load(context, &project);
    if (!status)
        status = choose_things(context, &project, &deletion.target, &chosen);
    if (!status)
        status =
            consent_to_all(context, &chosen, "would be deleted, and their certificates revoked");
    chosen.alone = false; /* a list of names, also of one */
    if (!status)
        status = each_chosen(context, &chosen, "deleted", delete_one, &deletion);
    chosen_free(&chosen);
    target_close(&deletion.target);
    project_free(&project);
    return status;
}
