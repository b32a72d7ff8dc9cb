#include "commands.h"
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../project.h"
#include "../target/target.h"

#include <stdlib.h>

static enum status deploy_type(struct project *project, const char *type, cJSON *answer)
{
    struct context *context = project->context;
    struct emit_report report = {0};
    owned char *folder = generated_folder(type);
    enum status status = project_deploy(project, type, &report);
    if (status)
        return status;
    cJSON *item = json_object();
    json_put_string(item, "type", type);
    json_put_string(item, "folder", folder);
    json_put_number(item, "written", (double)report.written);
    cJSON_AddItemToArray(answer, item);
    if (!context->json)
        text_add_format(&context->out,
                        "%s  plugged in: %zu files in %s/, %zu of them new or changed\n", type,
                        report.written + report.unchanged, folder, report.written);
    return FINE;
}

enum status command_deploy(struct context *context)
{
    struct project project;
    struct target target = {0};
    struct emit_report report = {0};
    cJSON *answer = json_array();
    bool all = option_given(context, "all");
    enum status status = project_load(context, &project);
    if (!status && all == (context->operand_count > 0))
        status = fail(&context->error, WRONG_USAGE,
                      all ? "--all leaves nothing to name" : "deploy needs a TYPE, or --all");
    struct names *types = all ? types_all() : NULL;
    const char *const *subjects = all ? types->at : context->operands;
    size_t count = all ? types->count : context->operand_count;
    if (!status)
        status = project_check(&project, subjects, count);
    if (!status)
        status = target_open(project_system(&project), &target, &context->error);
    if (!status)
        status = project_deploy(&project, "system", &report);
    for (size_t i = 0; i < count && !status; i++)
        status = deploy_type(&project, subjects[i], answer);
    if (!status && context->json)
        json_layout(answer, &context->out);
    else if (!status)
        text_add_format(&context->out, "next  make create name=<thing> type=%s wifissid=...\n",
                        all ? "<type>" : context->operands[0]);
    names_free(types);
    cJSON_Delete(answer);
    target_close(&target);
    project_free(&project);
    return status;
}
