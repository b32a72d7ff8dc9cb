#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/local/plug.h"
#include "generator/project/project.h"
#include "generator/project/types.h"
#include "generator/targets/target.h"
#include "generator/thing/thing.h"
#include "generator/thing/wifi.h"
#include "things.h"

#include <stdlib.h>
#include <string.h>

/* The type of --type; without it, the only one that is plugged in. */
static enum status choose_type(struct context *context, char **type)
{
    const char *asked = cli_value(context, "type");
    struct names *deployed = types_deployed();
    enum status status = FINE;
    if (asked) {
        *type = must_copy(asked);
    } else if (deployed->count == 1) {
        *type = must_copy(deployed->at[0]);
    } else {
        struct names *all = types_all();
        const struct names *shown = deployed->count ? deployed : all;
        struct text list = {0};
        for (size_t i = 0; i < shown->count && i < 12; i++)
            text_add_format(&list, "%s%s", i ? ", " : "", shown->at[i]);
        status = fail(&context->error, WRONG_USAGE, "which type is %s? %s", context->operands[0],
                      deployed->count ? "Several are plugged in" : "None is plugged in yet");
        advise(&context->error, "type=... (%s)", text_string(&list));
        text_free(&list);
        names_free(all);
    }
    names_free(deployed);
    return status;
}

/* Writes and deletes it. */
static void write_json(struct context *context, cJSON *answer)
{
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

static void tell(struct context *context, const struct making *thing)
{
    if (context->json)
        write_json(context, thing_json(thing->record, &thing->size));
    else
        write_thing(thing->record, thing->plan, &thing->size, &context->out);
}

static enum status make_one(struct context *context, struct target *target,
                            const struct package_plan *plan, struct attributes *attributes,
                            const struct wifi *wifi)
{
    const char *type = json_string(json_get(plan->model, "type"), "name", "");
    struct making thing = {.plan = plan, .lock = -1};
    enum status status = FINE;
    thing.record = record_new(context->operands[0], type, target->kind, attributes, wifi);
    make_things(target, &thing, 1, NULL, NULL);
    if (thing.outcome == MADE) {
        cli_say_more(context, "certificate %s, serial %s", thing.record->certificate.fingerprint,
                     thing.record->certificate.serial);
        tell(context, &thing);
    } else {
        error_free(&context->error);
        context->error = thing.error;
        thing.error = (struct error){0};
        status = context->error.status;
    }
    make_free(&thing);
    return status;
}

/* A type is plugged in first where the target is local. A remote target knows by itself which types it
 * has, perhaps from another checkout. Takes over the model. */
static enum status make(struct context *context, struct project *project, struct target *target,
                        const char *type, cJSON *model, struct attributes *attributes,
                        const struct wifi *wifi)
{
    struct package_plan plan = {0};
    enum status status = target->remote ? FINE : plug_in(project, type, &context->error);
    if (status) {
        cJSON_Delete(model);
        return status;
    }
    status = package_plan_make(project->templates, &project->catalog, target, model, &plan,
                               &context->error);
    if (!status && !target->remote)
        warn_of_host(context, project, plan.platform);
    if (!status)
        status = make_one(context, target, &plan, attributes, wifi);
    package_plan_free(&plan);
    return status;
}

/* Checks everything that a person can have got wrong before anything is made. */
static enum status create_one(struct context *context)
{
    struct project project;
    struct target target = {0};
    struct wifi wifi = {0};
    struct attributes given = {0}, attributes = {0};
    cJSON *model = NULL;
    char *type = NULL;
    enum status status = command_load(context, &project);
    if (!status)
        status = thing_check_name(context->operands[0], "", &context->error);
    if (!status)
        status = given_attributes(context, "attribute", &given);
    if (!status)
        status = choose_type(context, &type);
    if (!status)
        status = project_model(&project, type, &model, &context->error);
    if (!status)
        status =
            attributes_complete(json_get(model, "type"), &given, "", &attributes, &context->error);
    if (!status)
        status = thing_absent(context->operands[0], &context->error);
    if (!status)
        status = project_target(&project, project.system.target, &target, &context->error);
    if (!status && target.kind == TARGET_LOCAL)
        project_warn_of_authority(&project);
    if (!status)
        status = wifi_find(cli_value(context, "wifi-ssid"), cli_asker(), &wifi, &context->error);
    if (!status && cli_given(context, "dry-run")) {
        owned char *would = must_format("would be created, as %s", type);
        cJSON *answers = json_array();
        tell_planned(context, context->operands[0], would, answers);
        if (context->json)
            json_layout(answers->child, &context->out);
        cJSON_Delete(answers);
    } else if (!status) {
        status = make(context, &project, &target, type, model, &attributes, &wifi);
        model = NULL; /* taken over */
    }
    attributes_free(&given);
    attributes_free(&attributes);
    cJSON_Delete(model);
    free(type);
    wifi_free(&wifi);
    target_close(&target);
    project_free(&project);
    return status;
}

enum status command_create(struct context *context)
{
    const char *from = cli_value(context, "from");
    if (!from && !context->operand_count) {
        fail(&context->error, WRONG_USAGE, "create needs the NAME of a thing, or --from FILE");
        return advise(&context->error,
                      "make create name=kitchen, or make create-all file=things.csv");
    }
    if (from && context->operand_count)
        return fail(&context->error, WRONG_USAGE,
                    "--from FILE names the things itself; leave out \"%s\"", context->operands[0]);
    if (from && (cli_given(context, "type") || cli_given(context, "attribute")))
        return fail(
            &context->error, WRONG_USAGE,
            "--from FILE has columns for type and attributes; leave out --type and --attribute");
    if (!from && cli_given(context, "update"))
        return fail(&context->error, WRONG_USAGE, "--update goes with --from FILE");
    return from ? create_from_table(context, from) : create_one(context);
}
