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

static void write_record(const cJSON *record, struct text *out)
{
    const cJSON *certificate = json_get(record, "certificate"), *attribute;
    const char *name = json_string(record, "name", ""), *type = json_string(record, "type", "");
    owned char *folder = package_folder(type, name);
    write_line(out, "name", name);
    write_line(out, "type", type);
    write_line(out, "target", json_string(record, "target", ""));
    write_line(out, "state", record_state(record));
    write_line(out, "created", json_string(record, "created", ""));
    cJSON_ArrayForEach(attribute, json_get(record, "attributes"))
        write_line(out, attribute->string, attribute->valuestring);
    write_line(out, "wifi", json_string(json_get(record, "wifi"), "ssid", ""));
    if (certificate) {
        write_line(out, "certificate", json_string(certificate, "fingerprint", ""));
        write_line(out, "serial", json_string(certificate, "serial", ""));
        write_line(out, "from", json_string(certificate, "not_before", ""));
        write_line(out, "until", json_string(certificate, "not_after", ""));
    }
    if (path_exists(folder))
        write_line(out, "package", folder);
}

enum status command_show(struct context *context)
{
    cJSON *record = NULL;
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = thing_present(context->operands[0], &record, &context->error);
    if (!status && context->json) {
        cJSON *shown = record_public(record);
        json_layout(shown, &context->out);
        cJSON_Delete(shown);
    } else if (!status) {
        write_record(record, &context->out);
    }
    json_wipe(record);
    project_free(&project);
    return status;
}
