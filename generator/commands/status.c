#include "commands.h"
#include "common/base/json.h"
#include "common/base/owner.h"
#include "common/base/paths.h"
#include "generator/local/state.h"
#include "generator/project/project.h"

/* Whether the local system runs, all things are served, no readings are missing, and none are set aside. */
static bool is_good(const cJSON *state)
{
    const cJSON *hub = json_get(state, "sensorhub");
    return json_true(state, "running") && !*json_string(hub, "damage", "") &&
           !*json_string(hub, "doubt", "") && !*json_string(hub, "held_back", "") &&
           !cJSON_GetArraySize(json_get(hub, "aside"));
}

enum status command_status(struct context *context)
{
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = owner_check(LOCAL_FOLDER, &context->error);
    project_free(&project);
    if (status)
        return status;
    cJSON *state = state_make();
    bool good = is_good(state);
    if (context->json)
        json_layout(state, &context->out);
    else
        state_write(state, &context->out);
    cJSON_Delete(state);
    return good ? FINE : REFUSED;
}
