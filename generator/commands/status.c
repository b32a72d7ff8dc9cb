#include "commands.h"
#include "common/base/json.h"
#include "generator/local/state.h"
#include "generator/project/project.h"

/* The exit code says too whether the local system is running, and whether readings are missing. */
enum status command_status(struct context *context)
{
    struct project project;
    enum status status = command_find(context, &project);
    project_free(&project);
    if (status)
        return status;
    cJSON *state = state_make();
    bool good =
        json_true(state, "running") && !*json_string(json_get(state, "sensorhub"), "damage", "");
    if (context->json)
        json_layout(state, &context->out);
    else
        state_write(state, &context->out);
    cJSON_Delete(state);
    return good ? FINE : REFUSED;
}
