/* What rotate and package share: existing things, and what the command line changes of them. */
#include "commands.h"
#include "things.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/thing/adopt.h"
#include "generator/thing/record.h"

#include <stdlib.h>
#include <string.h>

/* The attributes that the thing has, as far as its type still has them, and those given now. */
static enum status merge_attributes(struct context *context, const cJSON *type,
                                    const struct record *record, struct subject *subject)
{
    const cJSON *known;
    enum status status = given_attributes(context, "set", &subject->set);
    struct attributes merged = attributes_copy(&subject->set);
    cJSON_ArrayForEach(known, json_get(type, "attributes"))
    {
        const char *name = json_string(known, "name", "");
        const char *value = attributes_get(&record->attributes, name);
        if (value && !attributes_get(&merged, name))
            attributes_put(&merged, name, value);
    }
    if (!status)
        status = attributes_complete(type, &merged, "", &subject->attributes, &context->error);
    attributes_free(&merged);
    return status;
}

/* Only what an option asks for: the environment may hold the wifi of new things, and must not move an
 * existing one to another network. The wifi of a thing that was made elsewhere is not known here, and
 * found as that of a new one. */
static enum status find_wifi(struct context *context, const struct record *record,
                             struct wifi *wifi)
{
    const char *ssid = cli_value(context, "wifi-ssid");
    bool known = record->wifi.ssid;
    if (known && !ssid && !cli_given(context, "wifi-password"))
        return FINE;
    if (known && !ssid)
        ssid = record->wifi.ssid;
    return wifi_find(ssid, cli_asker(), wifi, &context->error);
}

/* What the packages of one type share on one target; made when the first thing of them is met. */
struct kept_plan {
    char *type;
    enum target_kind target;
    struct package_plan plan;
};

/* The state of a command on things. */
struct subjects {
    struct project *project;
    struct target target;     /* of the thing before; {0}: none yet */
    struct kept_plan **plans; /* pointers: things refer to the plans */
    size_t plan_count, plan_room;
    const struct subject_command *command;
    bool alone;     /* of the chosen */
    size_t current; /* things that --dry-run left out */
};

static struct kept_plan *find_plan(const struct subjects *subjects, const char *type)
{
    for (size_t i = 0; i < subjects->plan_count; i++)
        if (subjects->plans[i]->target == subjects->target.kind &&
            strcmp(subjects->plans[i]->type, type) == 0)
            return subjects->plans[i];
    return NULL;
}

/* The plan belongs to the subjects. */
static enum status plan_of(struct context *context, struct subjects *subjects, const char *type,
                           struct package_plan **plan)
{
    struct project *project = subjects->project;
    struct kept_plan *kept = find_plan(subjects, type);
    cJSON *model = NULL;
    enum status status = FINE;
    if (!kept) {
        status = project_model(project, type, &model, &context->error);
        if (status)
            return status;
        kept = must_alloc(sizeof *kept);
        kept->type = must_copy(type);
        kept->target = subjects->target.kind;
        status = package_plan_make(project->templates, &project->catalog, &subjects->target, model,
                                   &kept->plan, &context->error);
        kept->plan.as_source = cli_given(context, "source");
        subjects->plans = must_grow(subjects->plans, subjects->plan_count, &subjects->plan_room,
                                    sizeof *subjects->plans);
        subjects->plans[subjects->plan_count++] = kept;
    }
    *plan = &kept->plan;
    return status;
}

static void free_subjects(struct subjects *subjects)
{
    for (size_t i = 0; i < subjects->plan_count; i++) {
        package_plan_free(&subjects->plans[i]->plan);
        free(subjects->plans[i]->type);
        free(subjects->plans[i]);
    }
    free(subjects->plans);
    target_close(&subjects->target);
}

/* Prepares a thing for rotate or package, with the changes of --set, --wifi-ssid and --wifi-password.
 * Attributes that its type no longer has are dropped; new ones get their default. The caller closes it,
 * also on failure. */
static enum status open_subject(struct context *context, struct subjects *subjects,
                                const char *name, struct subject *subject)
{
    struct record *record = NULL;
    struct package_plan *plan = NULL;
    *subject = (struct subject){0};
    enum status status = adopt_find(&subjects->target, name, &record, &context->error);
    if (!status)
        status = plan_of(context, subjects, record->type, &plan);
    if (!status) {
        subject->plan = plan;
        status = merge_attributes(context, json_get(plan->model, "type"), record, subject);
    }
    if (!status)
        status = find_wifi(context, record, &subject->wifi);
    if (!status && cli_given(context, "dry-run") && record->state == RECORD_ACTIVE &&
        !record->elsewhere)
        status = adopt_refresh(&subjects->target, record, NULL, &context->error);
    subject->elsewhere = record && record->elsewhere;
    subject->changes = (struct changes){&subject->attributes, &subject->set, subject->wifi.ssid,
                                        subject->wifi.ssid ? &subject->wifi.password : NULL};
    subject->current = !status && !subject->elsewhere && !subject->wifi.ssid &&
                       strcmp(record->built.version, plan->version) == 0 &&
                       attributes_equal(&subject->attributes, &record->attributes);
    record_free(record);
    return status;
}

static void close_subject(struct subject *subject)
{
    attributes_free(&subject->attributes);
    attributes_free(&subject->set);
    wifi_free(&subject->wifi);
}

static void tell(struct context *context, const struct subjects *subjects,
                 const struct subject *subject, const struct record *record,
                 const struct package_size *size, cJSON *answers)
{
    if (context->json)
        cJSON_AddItemToArray(answers, thing_json(record, size));
    else if (subjects->alone)
        write_thing(record, subject->plan, size, &context->out);
    else
        write_thing_line(record, subject->plan, size, &context->out);
}

static enum status change(struct context *context, void *state, const char *name, cJSON *answers)
{
    static const char new_key[] =
        "would get a new key, certificate and package: its key is elsewhere";
    struct subjects *subjects = state;
    struct subject subject = {0};
    struct package_size size = {0};
    struct record *record = NULL;
    enum status status = target_of_thing(context, subjects->project, name, &subjects->target);
    if (!status)
        status = open_subject(context, subjects, name, &subject);
    bool dry_run = cli_given(context, "dry-run");
    if (!status && dry_run && subject.current && subjects->command->skip_current)
        subjects->current++;
    else if (!status && dry_run)
        tell_planned(context, name, subject.elsewhere ? new_key : subjects->command->would,
                     answers);
    else if (!status)
        status = subjects->command->action(&subjects->target, &subject, name, &record, &size,
                                           &context->error);
    if (!status && record)
        tell(context, subjects, &subject, record, &size, answers);
    record_free(record);
    close_subject(&subject);
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
    if (own == TARGET_LOCAL)
        project_warn_of_authority(project);
    return project_target(project, own, target, error);
}

enum status each_subject(struct context *context, const struct subject_command *command)
{
    struct project project;
    struct chosen chosen = {0};
    struct subjects subjects = {.project = &project, .command = command};
    enum status status = command_load(context, &project);
    if (!status)
        status = choose_things(context, &project, &subjects.target, &chosen);
    if (!status && command->ask)
        status = consent_to_all(context, &chosen, command->would);
    if (!status) {
        subjects.alone = chosen.alone;
        status = each_chosen(context, &chosen, command->verb, change, &subjects);
    }
    if (!status && !subjects.alone && !context->json && !cli_given(context, "dry-run"))
        cli_say(context, "next     each board needs its new package: make flash name=NAME port="
                         "/dev/ttyUSB0");
    if (!status && subjects.current && !context->json)
        cli_say(context, "%zu thing%s the package that %s type would give now", subjects.current,
                subjects.current == 1 ? " has" : "s have", subjects.current == 1 ? "its" : "their");
    free_subjects(&subjects);
    chosen_free(&chosen);
    project_free(&project);
    return status;
}
