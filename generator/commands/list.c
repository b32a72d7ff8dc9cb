#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/record.h"
#include "generator/cli/table.h"

#include <stdlib.h>
#include <string.h>

/* What to do with a thing that a killed command left. */
static char *state_advice(const char *state, const char *name)
{
    if (strcmp(state, "active") == 0)
        return must_copy("active");
    if (strcmp(state, "rotating") == 0)
        return must_format("half-rotated: run make rotate name=%s again", name);
    if (strcmp(state, "damaged") == 0)
        return must_format("damaged: make delete name=%s removes it", name);
    if (strcmp(state, "deleting") == 0)
        return must_format("half-deleted: run make delete name=%s again", name);
    return must_format("half-made: run make create name=%s again, or make delete name=%s", name,
                       name);
}

/* What is shown for a folder whose record cannot be read, or is not there. */
static cJSON *damaged(const char *name, const struct error *error)
{
    cJSON *record = json_object();
    json_put_string(record, "name", name);
    json_put_string(record, "state", "damaged");
    json_put_string(record, "fault",
                    error->message.length ? text_string(&error->message) : "there is no record");
    return record;
}

static void add_row(struct table *table, const cJSON *record)
{
    const char *name = json_string(record, "name", "");
    const char *until = json_string(json_get(record, "certificate"), "not_after", NULL);
    owned char *state = state_advice(record_state(record), name);
    owned char *certificate = until ? must_format("until %.7s", until) : must_copy("");
    owned char *created = must_format("%.10s", json_string(record, "created", ""));
    const char *cells[] = {name,
                           json_string(record, "type", ""),
                           json_string(record, "target", ""),
                           certificate,
                           created,
                           state};
    table_add(table, cells);
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
        cJSON *record = NULL;
        struct error unread = {0};
        if (record_read(names->at[i], &record, &unread) || !record)
            record = damaged(names->at[i], &unread);
        error_free(&unread);
        bool wanted = record && (!type || strcmp(json_string(record, "type", ""), type) == 0);
        if (wanted && context->json)
            cJSON_AddItemToArray(list, record_public(record));
        else if (wanted)
            add_row(&table, record);
        json_wipe(record);
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
