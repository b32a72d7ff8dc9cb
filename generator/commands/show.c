#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/package.h"
#include "generator/thing/record.h"
#include "generator/thing/thing.h"

#include <stdlib.h>

static void write_line(struct text *out, const char *title, const char *value)
{
    text_add_format(out, "%-12s %s\n", title, value);
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
    write_line(out, "wifi", record->wifi.ssid ? record->wifi.ssid : "");
    if (record_has_certificate(record))
        write_certificate(&record->certificate, out);
    if (path_exists(folder))
        write_line(out, "package", folder);
}

enum status command_show(struct context *context)
{
    struct record *record = NULL;
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status && context->json) {
        cJSON *shown = record_json(record);
        json_layout(shown, &context->out);
        cJSON_Delete(shown);
    } else if (!status) {
        write_record(record, &context->out);
    }
    record_free(record);
    project_free(&project);
    return status;
}
