#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/record.h"
#include "generator/cli/table.h"

#include <stdlib.h>
#include <string.h>

/* A folder of a thing: its record, or why that cannot be read. */
struct entry {
    const char *name;
    struct record *record; /* NULL: there is none, or it cannot be read */
    struct error error;
};

/* The state, and for a thing that is not active the command to run. */
static char *state_advice(const struct entry *entry)
{
    const char *name = entry->name;
    if (entry->error.status == REFUSED)
        return must_format("unreadable: make show name=%s says why", name);
    if (!entry->record)
        return must_format("damaged: make delete name=%s removes it", name);
    switch (entry->record->state) {
    case RECORD_ACTIVE:
        return must_copy("active");
    case RECORD_ROTATING:
        return must_format("half-rotated: run make rotate name=%s again", name);
    case RECORD_DELETING:
        return must_format("half-deleted: run make delete name=%s again", name);
    default:
        return must_format("half-made: run make create name=%s again, or make delete name=%s", name,
                           name);
    }
}

/* The record; one that cannot be read is {"name", "state": "damaged", "fault": why}. */
static cJSON *entry_json(const struct entry *entry)
{
    if (entry->record)
        return record_json(entry->record);
    cJSON *json = json_object();
    json_put_string(json, "name", entry->name);
    json_put_string(json, "state", "damaged");
    json_put_string(json, "fault",
                    entry->error.status ? text_string(&entry->error.message)
                                        : "there is no record");
    return json;
}

static void add_row(struct table *table, const struct entry *entry)
{
    const struct record *record = entry->record;
    char until[CLOCK_TEXT] = "", created[CLOCK_TEXT] = "";
    if (record) {
        record_time(record->certificate.not_after, until);
        record_time(record->created, created);
    }
    owned char *state = state_advice(entry);
    owned char *certificate = *until ? must_format("until %.7s", until) : must_copy("");
    owned char *day = must_format("%.10s", created);
    const char *cells[] = {entry->name,
                           record ? record->type : "",
                           record ? system_target_name(record->target) : "",
                           certificate,
                           day,
                           state};
    table_add(table, cells);
}

/* Whether the thing is of the type (NULL: any). A record that cannot be read has no type. */
static bool is_wanted(const struct entry *entry, const char *type)
{
    return !type || (entry->record && strcmp(entry->record->type, type) == 0);
}

enum status command_list(struct context *context)
{
    const char *type = cli_value(context, "type");
    static const char *const columns[] = {"NAME",        "TYPE",    "TARGET",
                                          "CERTIFICATE", "CREATED", "STATE"};
    struct table table = {.columns = columns, .column_count = 6};
    cJSON *list = json_array();
    struct project project;
    enum status status = command_find(context, &project);
    struct names *names = status ? NULL : record_names();
    for (size_t i = 0; names && i < names->count && !status; i++) {
        struct entry entry = {.name = names->at[i]};
        record_read(entry.name, &entry.record, &entry.error);
        if (is_wanted(&entry, type) && context->json)
            cJSON_AddItemToArray(list, entry_json(&entry));
        else if (is_wanted(&entry, type))
            add_row(&table, &entry);
        record_free(entry.record);
        error_free(&entry.error);
    }
    if (!status && context->json)
        json_layout(list, &context->out);
    else if (!status && table.count)
        table_write(&table, &context->out);
    else if (!status)
        cli_say(context,
                type ? "no things of type %s" : "no things yet; make create name=... makes one",
                type);
    names_free(names);
    table_free(&table);
    cJSON_Delete(list);
    project_free(&project);
    return status;
}
