#include "commands.h"
#include "../../common/json.h"
#include "../model.h"
#include "../project.h"

enum status command_model(struct context *context)
{
    struct project project;
    cJSON *model = NULL;
    enum status status = project_load(context, &project);
    if (!status)
        status = subject_model(&project, context->operands[0], &model);
    if (!status)
        json_layout(model, &context->out);
    cJSON_Delete(model);
    project_free(&project);
    return status;
}
