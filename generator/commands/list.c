#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/record.h"
#include "generator/cli/table.h"
#include "things.h"

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

/* "zone=1 floor=2"; freed by the caller. */
static char *attributes_text(const struct attributes *attributes)
{
    struct text text = {0};
    for (size_t i = 0; i < attributes->count; i++)
        text_add_format(&text, "%s%s=%s", i ? " " : "", attributes->at[i].name,
                        attributes->at[i].value);
    char *copy = must_copy(text_string(&text));
    text_free(&text);
    return copy;
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
    owned char *attributes = record ? attributes_text(&record->attributes) : must_copy("");
    owned char *day = must_format("%.10s", created);
    const char *cells[] = {entry->name,
                           record ? record->type : "",
                           record ? system_target_name(record->target) : "",
                           attributes,
                           certificate,
                           day,
                           state};
    table_add(table, cells);
}

static enum status tell_none(struct context *context, const struct selection *selection)
{
    if (selection->type || selection->attributes.count) {
        selection_empty(selection, &context->error);
        cli_say(context, "%s", text_string(&context->error.message));
        if (context->error.advice.length)
            cli_say(context, "%s", text_string(&context->error.advice));
        error_free(&context->error);
    } else {
        cli_say(context, "no things yet; make create name=... makes one");
    }
    return FINE;
}

static void list_things(struct context *context, const struct names *names, struct table *table)
{
    cJSON *list = json_array();
    for (size_t i = 0; i < names->count; i++) {
        struct entry entry = {.name = names->at[i]};
        record_read(entry.name, &entry.record, &entry.error);
        if (context->json)
            cJSON_AddItemToArray(list, entry_json(&entry));
        else
            add_row(table, &entry);
        record_free(entry.record);
        error_free(&entry.error);
    }
    if (context->json)
        json_layout(list, &context->out);
    else if (table->count)
        table_write(table, &context->out);
    cJSON_Delete(list);
}

enum status command_list(struct context *context)
{
    static const char *const columns[] = {"NAME",        "TYPE",    "TARGET", "ATTRIBUTES",
                                          "CERTIFICATE", "CREATED", "STATE"};
    struct table table = {.columns = columns, .column_count = sizeof columns / sizeof *columns};
    struct selection selection = {0};
    struct names *names = NULL;
    struct project project;
    enum status status = command_find(context, &project);
    if (!status)
        status = given_selection(context, &selection);
    if (!status)
        status = selection_find(&selection, &names, &context->error);
    if (!status)
        list_things(context, names, &table);
    if (!status && !names->count && !context->json)
        status = tell_none(context, &selection);
    attributes_free(&selection.attributes);
    names_free(names);
    table_free(&table);
    project_free(&project);
    return status;
}
