#include "commands.h"
#include "common/base/json.h"
#include "generator/local/state.h"
#include "generator/project/project.h"

/* The exit code says too whether the local system is running. */
enum status command_status(struct context *context)
{
    struct project project;
    enum status status = command_find(context, &project);
    project_free(&project);
    if (status)
        return status;
    cJSON *state = state_make();
    bool running = json_true(state, "running");
    if (context->json)
        json_layout(state, &context->out);
    else
        state_write(state, &context->out);
    cJSON_Delete(state);
    return running ? FINE : REFUSED;
}
