#include "commands.h"
#include "common/base/json.h"
#include "generator/documents/model.h"
#include "generator/project/project.h"

enum status command_model(struct context *context)
{
    struct project project;
    cJSON *model = NULL;
    enum status status = command_load(context, &project);
    if (!status)
        status = project_model(&project, context->operands[0], &model, &context->error);
    if (!status)
        json_layout(model, &context->out);
    cJSON_Delete(model);
    project_free(&project);
    return status;
}
