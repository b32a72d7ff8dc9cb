#include "commands.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/adopt.h"
#include "generator/thing/enrol.h"
#include "generator/thing/package.h"
#include "generator/thing/record.h"
#include "generator/thing/thing.h"
#include "things.h"

#include <stdlib.h>
#include <string.h>

static void write_line(struct text *out, const char *title, const char *value)
{
    text_add_format(out, "%-12s %s\n", title, value);
}

static void write_elsewhere(struct text *out, const char *name)
{
    owned char *value = hint_format("elsewhere; make rotate name=%s gives it a new one here", name);
    write_line(out, "key", value);
}

static void write_certificate(const struct certificate_facts *certificate, struct text *out)
{
    char from[CLOCK_TEXT], until[CLOCK_TEXT];
    record_time(certificate->not_before, from);
    record_time(certificate->not_after, until);
    write_line(out, "certificate", certificate->fingerprint);
    write_line(out, "serial", certificate->serial);
    write_line(out, "from", from);
    write_line(out, "until", until);
}

static void write_record(const struct record *record, struct text *out)
{
    char created[CLOCK_TEXT];
    owned char *folder = package_folder(record->type, record->name);
    record_time(record->created, created);
    write_line(out, "name", record->name);
    write_line(out, "type", record->type);
    write_line(out, "target", system_target_name(record->target));
    write_line(out, "state", record_state_name(record->state));
    write_line(out, "created", created);
    for (size_t i = 0; i < record->attributes.count; i++)
        write_line(out, record->attributes.at[i].name, record->attributes.at[i].value);
    owned char *wifi = wifi_title(record->wifi.ssid ? record->wifi.ssid : "");
    write_line(out, "wifi", wifi);
    if (record_has_certificate(record))
        write_certificate(&record->certificate, out);
    if (path_exists(folder))
        write_line(out, "package", folder);
}

/* What the account says of a thing, beside what is remembered here. */
struct account_view {
    bool asked;
    struct registered_thing thing; /* name is NULL: there is no such thing */
};

static enum status ask_account(struct context *context, struct project *project,
                               struct target *target, struct record **record,
                               struct account_view *view)
{
    const char *name = context->operands[0];
    owned char *folder = record_folder(name);
    enum status status = is_folder(folder) ? thing_present(name, record, &context->error) : FINE;
    if (!status)
        status = target_of_thing(context, project, name, target);
    if (!status && !*record)
        status = adopt_find(target, name, record, &context->error);
    if (status || !target->look)
        return status;
    status = enrol_check_place(target, name, (*record)->current.registration, &context->error);
    if (!status)
        status = target->look(target, name, NULL, 0, &view->thing, &context->error);
    view->asked = !status;
    if (!status && view->thing.name)
        adopt_take_attributes(*record, &view->thing);
    return status;
}

static void write_account(const struct record *record, const struct account_view *view,
                          struct text *out)
{
    const struct registered_thing *thing = &view->thing;
    if (!view->asked)
        return;
    if (!thing->name)
        write_line(out, "account", "has no such thing");
    else if (record->claim && strcmp(record->claim, thing->claim) != 0)
        write_line(out, "account", "has another thing of this name, made since");
    else if (record->elsewhere)
        write_elsewhere(out, thing->name);
    for (size_t i = 0; i < thing->certificate_count; i++) {
        const struct registered_certificate *certificate = &thing->certificates[i];
        char until[CLOCK_TEXT];
        record_time(certificate->facts.not_after, until);
        owned char *line =
            must_format("certificate %.12s..., %s%s%.10s%s", certificate->id,
                        certificate->active ? "active" : "inactive", *until ? ", until " : "",
                        until, *certificate->mark ? "" : ", not made by sensorforge");
        write_line(out, "account", line);
    }
}

/* {"thing": true, "certificates": [{"id", "status", "until", "ours"}]} */
static cJSON *account_json(const struct account_view *view)
{
    cJSON *made = json_object(), *list = json_array();
    json_put_bool(made, "thing", view->thing.name);
    for (size_t i = 0; i < view->thing.certificate_count; i++) {
        const struct registered_certificate *certificate = &view->thing.certificates[i];
        cJSON *item = json_object();
        char until[CLOCK_TEXT];
        record_time(certificate->facts.not_after, until);
        json_put_string(item, "id", certificate->id);
        json_put_string(item, "status", certificate->active ? "active" : "inactive");
        json_put_string(item, "until", until);
        json_put_bool(item, "ours", *certificate->mark);
        cJSON_AddItemToArray(list, item);
    }
    json_put(made, "certificates", list);
    return made;
}

static void show(struct context *context, const struct record *record,
                 const struct account_view *view)
{
    if (!context->json) {
        write_record(record, &context->out);
        write_account(record, view, &context->out);
        return;
    }
    cJSON *shown = record_json(record);
    if (record->elsewhere)
        json_put_bool(shown, "elsewhere", true);
    if (view->asked)
        json_put(shown, "account", account_json(view));
    json_layout(shown, &context->out);
    cJSON_Delete(shown);
}

enum status command_show(struct context *context)
{
    struct record *record = NULL;
    struct target target = {0};
    struct account_view view = {0};
    struct project project;
    enum status status = command_load(context, &project);
    if (!status && project_has_account(&project))
        status = ask_account(context, &project, &target, &record, &view);
    else if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (record) /* also where the account does not answer */
        show(context, record, &view);
    registered_thing_free(&view.thing);
    record_free(record);
    target_close(&target);
    project_free(&project);
    return status;
}
