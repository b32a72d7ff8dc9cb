#include "things.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void write_thing(const struct record *record, const struct package_plan *plan,
                 const struct package_size *size, struct text *out)
{
    char until[CLOCK_TEXT];
    owned char *folder = package_folder(record->type, record->name);
    record_time(record->certificate.not_after, until);
    text_add_format(out, "%s  %s  %s key, certificate until %.10s\n", record->name, record->type,
                    package_key_title(plan), until);
    if (size->files)
        text_add_format(out, "package  %s/  %zu files, %.1f KB\n", folder, size->files,
                        (double)size->bytes / 1024);
    text_add_format(out,
                    "next     sensorforge flash %s --port /dev/ttyUSB0\n"
                    "         sensorforge run %s --cycles 3 --fast    (without a board)\n",
                    record->name, record->name);
}

void write_thing_json(const struct record *record, const struct package_size *size,
                      struct text *out)
{
    cJSON *answer = record_json(record), *package = json_object();
    owned char *folder = package_folder(record->type, record->name);
    json_put_string(package, "folder", folder);
    json_put_number(package, "files", (double)size->files);
    json_put_number(package, "bytes", (double)size->bytes);
    json_put(answer, "package", package);
    json_layout(answer, out);
    cJSON_Delete(answer);
}

void tell_planned(struct context *context, const char *name, const char *would)
{
    if (!context->json) {
        cli_say(context, "%s %s", name, would);
        return;
    }
    cJSON *answer = json_object();
    json_put_string(answer, "name", name);
    json_put_string(answer, "outcome", "planned");
    json_put_string(answer, "what", would);
    json_layout(answer, &context->out);
    cJSON_Delete(answer);
}

bool named_before(const struct context *context, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(context->operands[i], context->operands[index]) == 0)
            return true;
    return false;
}
