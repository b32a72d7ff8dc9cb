#include "commands.h"
#include "common/base/files.h"
#include "common/base/owner.h"
#include "common/base/paths.h"
#include "generator/local/services.h"
#include "generator/project/project.h"

enum status command_down(struct context *context)
{
    struct project project;
    int lock = -1;
    bool any = false;
    enum status status = command_find(context, &project);
    bool there = !status && is_folder(LOCAL_FOLDER);
    if (there)
        status = owner_check(LOCAL_FOLDER, &context->error);
    if (!status && there)
        status = lock_folder(LOCAL_FOLDER, true, &lock, &context->error);
    if (!status && there)
        status = services_end(project.reporter, &any, &context->error);
    if (!status)
        cli_say(context, any ? "the local system is down" : "the local system is not running");
    unlock(&lock);
    project_free(&project);
    return status;
}
