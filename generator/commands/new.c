#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "common/spec/problems.h"
#include "generator/project/project.h"
#include "generator/project/scaffold.h"

#include <stdlib.h>
#include <string.h>

static enum status check_name(struct context *context, const char *type)
{
    owned char *folder = path_join(TYPES_FOLDER, type);
    if (!valid_type_name(type)) {
        fail(&context->error, WRONG_INPUT, "\"%s\" cannot be the name of a type", type);
        return advise(&context->error,
                      "a lower-case letter, then lower-case letters, digits and _; 3 to 48 in "
                      "all; not \"system\", nor beginning with \"sqlite_\"");
    }
    if (path_exists(folder)) {
        fail(&context->error, WRONG_INPUT, "%s exists already", folder);
        return advise(&context->error, "edit %s/spec.yaml, or take another name", folder);
    }
    return FINE;
}

/* The platform of --platform, or the only one of the catalog. */
static enum status choose_platform(struct context *context, const struct catalog *catalog,
                                   const char **platform)
{
    const struct names *names = catalog->platform_names;
    *platform = cli_value(context, "platform");
    if (!*platform && names->count == 1)
        *platform = names->at[0];
    if (*platform && catalog_platform(catalog, *platform))
        return FINE;
    if (*platform)
        fail(&context->error, WRONG_INPUT, "there is no platform \"%s\"", *platform);
    else
        fail(&context->error, WRONG_USAGE, "new needs --platform");
    owned char *hint = choice_hint(*platform ? *platform : "", names->at, names->count);
    return advise(&context->error, "%s", hint);
}

static void answer(struct context *context, const char *type, const char *platform)
{
    owned char *folder = path_join(TYPES_FOLDER, type);
    if (!context->json) {
        cli_say(context, "%s  a type for %s, in %s/", type, platform, folder);
        cli_say(context, "next  edit " TYPE_SPEC ", then: make check NAME=%s", type, type);
        return;
    }
    cJSON *answer = json_object();
    json_put_string(answer, "type", type);
    json_put_string(answer, "platform", platform);
    json_put_string(answer, "folder", folder);
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

enum status command_new(struct context *context)
{
    const char *type = context->operands[0], *platform = NULL;
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = check_name(context, type);
    if (!status)
        status = catalog_load(project.templates, &project.catalog, &context->error);
    if (!status)
        status = choose_platform(context, &project.catalog, &platform);
    if (!status)
        status = scaffold_write(&project, type, platform, &context->error);
    if (!status)
        answer(context, type, platform);
    project_free(&project);
    return status;
}
