#include "commands.h"
#include "../../common/json.h"
#include "../project.h"
#include "../target/target.h"
#include "../thing/life.h"
#include "../thing/record.h"
#include "things.h"

/* A rotation rebuilds the package, so it needs the type as it is now. */
static enum status plan_for(struct project *project, struct target *target, const char *name,
                            struct package_plan *plan)
{
    struct context *context = project->context;
    cJSON *record = NULL, *model = NULL;
    enum status status = thing_present(name, &record, &context->error);
    if (!status)
        status = project_model(project, json_string(record, "type", ""), &model);
    if (!status)
        status = package_plan_make(context->templates, &project->catalog, target, model, plan,
                                   &context->error);
    json_wipe(record);
    return status;
}

static enum status rotate(struct project *project, struct target *target, const char *name)
{
    struct context *context = project->context;
    struct package_plan plan = {0};
    struct package_size size = {0};
    cJSON *record = NULL;
    enum status status = plan_for(project, target, name, &plan);
    if (!status && option_given(context, "dry-run"))
        say(context, "%s would get a new key and certificate", name);
    else if (!status)
        status = thing_rotate(target, &plan, name, &record, &size, &context->error);
    if (!status && record && context->json)
        write_thing_json(record, &size, &context->out);
    else if (!status && record)
        write_thing(record, &plan, &size, &context->out);
    json_wipe(record);
    package_plan_free(&plan);
    return status;
}

/* Nothing is rotated unless all can be. */
static enum status check_all(struct project *project, struct target *target)
{
    struct context *context = project->context;
    enum status status = FINE;
    for (size_t i = 0; i < context->operand_count && !status; i++) {
        struct package_plan plan = {0};
        status = plan_for(project, target, context->operands[i], &plan);
        package_plan_free(&plan);
    }
    return status;
}

enum status command_rotate(struct context *context)
{
    struct project project;
    struct target target = {0};
    enum status status = project_load(context, &project);
    if (!status)
        status = target_open(project_system(&project), &target, &context->error);
    if (!status && context->operand_count > 1)
        status = check_all(&project, &target);
    for (size_t i = 0; i < context->operand_count && !status; i++)
        if (!named_before(context, i))
            status = rotate(&project, &target, context->operands[i]);
    target_close(&target);
    project_free(&project);
    return status;
}
