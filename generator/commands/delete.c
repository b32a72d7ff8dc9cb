#include "commands.h"
#include "common/base/json.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "things.h"

/* All things that are named must exist, before the first is deleted. */
static enum status check_all(struct context *context)
{
    for (size_t i = 0; i < context->operand_count; i++) {
        enum status status = thing_check_folder(context->operands[i], &context->error);
        if (status)
            return status;
    }
    return FINE;
}

enum status command_delete(struct context *context)
{
    struct project project;
    struct target target = {0};
    cJSON *deleted = json_array();
    bool dry_run = cli_given(context, "dry-run");
    enum status status = command_load(context, &project);
    if (!status)
        status = check_all(context);
    for (size_t i = 0; i < context->operand_count && !status; i++) {
        const char *name = context->operands[i];
        if (named_before(context, i))
            continue;
        bool revoked = true;
        if (!dry_run)
            status = target_of_thing(context, &project, name, &target);
        if (!status && !dry_run)
            status =
                delete_thing(&target, name, cli_value(context, "type"), &revoked, &context->error);
        if (status)
            break;
        cJSON_AddItemToArray(deleted, cJSON_CreateString(name));
        if (!context->json)
            text_add_format(&context->out, "%s  %s%s\n", name,
                            dry_run ? "would be deleted" : "deleted",
                            revoked ? ", its certificate revoked" : "");
    }
    if (context->json)
        json_layout(deleted, &context->out);
    cJSON_Delete(deleted);
    target_close(&target);
    project_free(&project);
    return status;
}
