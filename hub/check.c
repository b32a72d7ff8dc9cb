#include "check.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/system.h"
#include "hub/engine/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct findings {
    cJSON *list;
    const char *type;
};

static void add(struct findings *findings, const char *rule, const char *action, const char *place,
                const char *message)
{
    cJSON *item = json_object();
    json_put_string(item, "type", findings->type);
    json_put_string(item, "rule", rule);
    json_put_string(item, "action", action);
    json_put_string(item, "place", place);
    json_put_string(item, "message", message);
    cJSON_AddItemToArray(findings->list, item);
}

static void add_fault(void *context, const struct hub_rule *rule, const struct action *action)
{
    owned char *message = must_format("%s cannot run here: %s", action->name, action->why_not);
    add(context, rule->name, action->name, action->place, message);
}

/* --- measures against columns --- */

/* The column type that the spec gives a measure. A column for decimals also takes whole numbers. */
static void compare_column(struct findings *findings, const char *path,
                           const struct column *declared, const struct store_table *table)
{
    const char *name = declared->name, *kind = column_kind_name(declared->kind);
    for (size_t i = 0; i < table->column_count; i++) {
        const char *there = column_kind_name(table->columns[i].kind);
        if (strcmp(table->columns[i].name, name) != 0 || strcmp(there, kind) == 0 ||
            (table->columns[i].kind == COLUMN_DOUBLE && declared->kind == COLUMN_BIGINT))
            continue;
        owned char *message =
            must_format("%s is %s now, and the table \"%s\" has it as %s: give the measure "
                        "another name, or rename the column (ALTER TABLE \"%s\" RENAME COLUMN "
                        "\"%s\" TO \"%s_old\")",
                        name, kind, table->name, there, table->name, name, name);
        add(findings, NULL, NULL, path, message);
    }
}

static void compare_columns(struct findings *findings, const struct type *type,
                            const struct store_table *table)
{
    owned char *path = must_format(TYPE_SPEC, type->name);
    for (size_t i = 0; i < type->declared_count; i++)
        compare_column(findings, path, &type->declared[i], table);
}

static void check_table(struct findings *findings, const struct type *type, struct store *store)
{
    for (size_t i = 0; i < type->table_count; i++) {
        struct error error = {0};
        struct store_table *table = NULL;
        enum status status = store_table(store, &type->tables[i].definition, &table, &error);
        if (!status && table && table->kind == TABLE_READINGS)
            compare_columns(findings, type, table);
        else if (status == WRONG_INPUT)
            add(findings, NULL, NULL, type->tables[i].definition.name, text_string(&error.message));
        error_free(&error);
    }
}

/* --- the command --- */

static enum status show(const cJSON *list, bool json, struct error *error)
{
    struct text text = {0};
    const cJSON *item;
    int count = cJSON_GetArraySize(list);
    if (json) {
        json_compact(list, &text);
        puts(text_string(&text));
    } else {
        cJSON_ArrayForEach(item, list)
            text_add_format(&text, "%s%s: %s", text.length ? "\n" : "",
                            json_string(item, "place", ""), json_string(item, "message", ""));
    }
    enum status status = FINE;
    if (count && json)
        status = WRONG_INPUT;
    else if (count)
        status = fail(error, WRONG_INPUT, "%s", text_string(&text));
    text_free(&text);
    return status;
}

enum status check_types(char *const *types, size_t count, bool json, struct error *error)
{
    struct system system;
    struct store *store = NULL;
    struct error absent = {0};
    struct findings findings = {.list = json_array()};
    enum status status = system_read(&system, error);
    if (!status && store_open(system.local.store, true, &store, &absent))
        store = NULL;
    for (size_t i = 0; i < count && !status; i++) {
        struct type *type = NULL;
        status = type_load(types[i], &system.local.notify, &type, error);
        if (status)
            break;
        findings.type = type->name;
        type_faults(type, add_fault, &findings);
        if (store)
            check_table(&findings, type, store);
        type_free(type);
    }
    if (!status)
        status = show(findings.list, json, error);
    cJSON_Delete(findings.list);
    error_free(&absent);
    store_close(store);
    system_free(&system);
    return status;
}
