#include "commands.h"
#include "../../common/json.h"
#include "../model.h"
#include "../project.h"

#include <string.h>

enum status command_model(struct context *context)
{
    struct project project;
    cJSON *model = NULL;
    enum status status = project_load(context, &project);
    if (!status && strcmp(context->operands[0], "system") == 0)
        model = model_of_system(project_system(&project));
    else if (!status)
        status = project_model(&project, context->operands[0], &model);
    if (!status)
        json_layout(model, &context->out);
    cJSON_Delete(model);
    project_free(&project);
    return status;
}
