/* What rotate and package share: existing things, and what the command line changes of them. */
#include "commands.h"
#include "things.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/thing/record.h"

#include <stdlib.h>
#include <string.h>

enum status given_attributes(struct context *context, struct attributes *attributes)
{
    *attributes = (struct attributes){0};
    for (size_t i = 0; i < context->given_count; i++) {
        const struct given_option *given = &context->given[i];
        if (strcmp(given->option->name, "attribute") != 0)
            continue;
        const char *equals = strchr(given->value, '=');
        if (!equals || equals == given->value)
            return fail(&context->error, WRONG_USAGE, "--attribute takes NAME=VALUE, not \"%s\"",
                        given->value);
        owned char *name = must_copy_bytes(given->value, (size_t)(equals - given->value));
        attributes_put(attributes, name, equals + 1);
    }
    return FINE;
}

/* The attributes that the thing has, as far as its type still has them, and those given now. */
static enum status merge_attributes(struct context *context, const cJSON *type,
                                    const struct record *record, struct attributes *attributes)
{
    struct attributes merged;
    const cJSON *known;
    enum status status = given_attributes(context, &merged);
    cJSON_ArrayForEach(known, json_get(type, "attributes"))
    {
        const char *name = json_string(known, "name", "");
        const char *value = attributes_get(&record->attributes, name);
        if (value && !attributes_get(&merged, name))
            attributes_put(&merged, name, value);
    }
    if (!status)
        status = attributes_complete(type, &merged, "", attributes, &context->error);
    attributes_free(&merged);
    return status;
}

/* Only what an option asks for: the environment may hold the wifi of new things, and must not move an
 * existing one to another network. */
static enum status find_wifi(struct context *context, const struct record *record,
                             struct wifi *wifi)
{
    const char *ssid = cli_value(context, "wifi-ssid");
    if (!ssid && !cli_given(context, "wifi-password"))
        return FINE;
    if (!ssid)
        ssid = record->wifi.ssid;
    return wifi_find(ssid, cli_asker(), wifi, &context->error);
}

/* Prepares a thing for rotate or package, with the changes of --attribute, --wifi-ssid and
 * --wifi-password. Attributes that its type no longer has are dropped; new ones get their default. The
 * caller closes it, also on failure. */
static enum status open_subject(struct context *context, struct project *project,
                                struct target *target, const char *name, struct subject *subject)
{
    struct record *record = NULL;
    cJSON *model = NULL;
    *subject = (struct subject){0};
    enum status status = thing_present(name, &record, &context->error);
    if (!status)
        status = project_model(project, record->type, &model, &context->error);
    if (!status)
        status = merge_attributes(context, json_get(model, "type"), record, &subject->attributes);
    if (!status)
        status = find_wifi(context, record, &subject->wifi);
    if (!status)
        status = package_plan_make(project->templates, &project->catalog, target, model,
                                   &subject->plan, &context->error);
    else
        cJSON_Delete(model);
    subject->plan.as_source = cli_given(context, "source");
    subject->changes = (struct changes){&subject->attributes, subject->wifi.ssid,
                                        subject->wifi.ssid ? &subject->wifi.password : NULL};
    record_free(record);
    return status;
}

static void close_subject(struct subject *subject)
{
    package_plan_free(&subject->plan);
    attributes_free(&subject->attributes);
    wifi_free(&subject->wifi);
}

static enum status change(struct context *context, struct project *project, struct target *target,
                          const char *name, subject_action *action, const char *would)
{
    struct subject subject;
    struct package_size size = {0};
    struct record *record = NULL;
    enum status status = open_subject(context, project, target, name, &subject);
    if (!status && cli_given(context, "dry-run"))
        tell_planned(context, name, would);
    else if (!status)
        status = action(target, &subject, name, &record, &size, &context->error);
    if (!status && record && context->json)
        write_thing_json(record, &size, &context->out);
    else if (!status && record)
        write_thing(record, &subject.plan, &size, &context->out);
    record_free(record);
    close_subject(&subject);
    return status;
}

static enum status look_at_all(struct context *context)
{
    enum status status = FINE;
    for (size_t i = 0; i < context->operand_count && !status; i++) {
        struct record *record = NULL;
        status = thing_present(context->operands[i], &record, &context->error);
        record_free(record);
    }
    return status;
}

enum status target_of_thing(struct context *context, struct project *project, const char *name,
                            struct target *target)
{
    struct record *record = NULL;
    struct error *error = &context->error;
    const char *asked = cli_value(context, "target");
    enum status status = record_read(name, &record, error);
    if (status == REFUSED)
        return status;
    if (status) /* a damaged record names no target */
        error_free(error);
    enum target_kind wanted = project->system.target, own = record ? record->target : wanted;
    record_free(record);
    if (asked && own != wanted) {
        fail(error, WRONG_USAGE, "%s is a thing of the target %s, not of %s", name,
             system_target_name(own), asked);
        return advise(error, "leave TARGET=%s out", asked);
    }
    if (target->state && target->kind == own)
        return FINE;
    target_close(target);
    return project_target(project, own, target, error);
}

enum status each_subject(struct context *context, subject_action *action, const char *would)
{
    struct project project;
    struct target target = {0};
    enum status status = command_load(context, &project);
    if (!status)
        status = look_at_all(context);
    for (size_t i = 0; i < context->operand_count && !status; i++) {
        if (named_before(context, i))
            continue;
        status = target_of_thing(context, &project, context->operands[i], &target);
        if (!status)
            status = change(context, &project, &target, context->operands[i], action, would);
    }
    target_close(&target);
    project_free(&project);
    return status;
}
