#include "roster.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <stdlib.h>
#include <string.h>

enum status roster_read(struct roster *roster, const char *path, struct error *error)
{
    return csv_read(path, &roster->table, error);
}

void roster_free(struct roster *roster)
{
    unlock(&roster->lock);
    for (size_t i = 0; i < roster->count; i++)
        make_free(&roster->things[i]);
    for (size_t i = 0; i < roster->type_count; i++) {
        package_plan_free(&roster->types[i]->plan);
        free(roster->types[i]->name);
        free(roster->types[i]);
    }
    roster_free_changes(roster);
    free(roster->things);
    free(roster->lines);
    free(roster->types);
    wifi_free(&roster->wifi);
    csv_wipe(&roster->table);
}

/* --- checking --- */

static void complain(struct roster *roster, struct error *error)
{
    roster->wrong++;
    roster->complain(roster->context, error);
    error_free(error);
}

/* The plan of a type. It has only the model until the whole table is known to be right. */
static enum status find_plan(struct roster *roster, const char *type, const char *where,
                             const struct package_plan **plan, struct error *error)
{
    for (size_t i = 0; i < roster->type_count; i++) {
        if (strcmp(roster->types[i]->name, type) == 0) {
            *plan = &roster->types[i]->plan;
            return FINE;
        }
    }
    cJSON *model = NULL;
    struct error wrong = {0};
    enum status status = project_model(roster->project, type, &model, &wrong);
    if (status) {
        fail(error, status, "%s%s", where, text_string(&wrong.message));
        if (wrong.advice.length)
            advise(error, "%s", text_string(&wrong.advice));
        error_free(&wrong);
        return status;
    }
    struct roster_type *made = must_alloc(sizeof *made);
    made->plan.model = model;
    made->name = must_copy(type);
    roster->types =
        must_grow(roster->types, roster->type_count, &roster->type_room, sizeof *roster->types);
    roster->types[roster->type_count++] = made;
    *plan = &made->plan;
    return FINE;
}

/* The attribute columns of a row that are not empty. */
static struct attributes row_attributes(const struct roster *roster, const struct csv_row *row)
{
    static const char *const others[] = {"name", "type", "wifissid", "wifipassword"};
    struct attributes attributes = {0};
    for (size_t i = 0; i < roster->table.column_count; i++) {
        bool other = false;
        for (size_t j = 0; j < sizeof others / sizeof *others; j++)
            other |= strcmp(roster->table.columns[i], others[j]) == 0;
        if (!other && *row->fields[i])
            attributes_put(&attributes, roster->table.columns[i], row->fields[i]);
    }
    return attributes;
}

/* What a row itself says of the wifi; NULL: nothing. A row with a network and no password has an open
 * network. *wifi borrows from the table; it is not freed. */
static struct wifi own_wifi(const struct roster *roster, const struct csv_row *row)
{
    const char *ssid = csv_field(&roster->table, row, "wifissid");
    const char *password = csv_field(&roster->table, row, "wifipassword");
    bool own_ssid = ssid && *ssid, own_password = password && *password;
    struct wifi wifi = {own_ssid ? (char *)ssid : NULL, {0}};
    if (own_password || own_ssid)
        wifi.password = own_password ? (struct secret){(char *)password, strlen(password)}
                                     : (struct secret){(char *)"", 0};
    return wifi;
}

/* The wifi of a new thing: its row's, or that of all rows without one, of which own->ssid, or both, may
 * be. *wifi borrows from the table and the roster; it is not freed. */
static enum status new_wifi(struct roster *roster, const struct wifi *own, const char *where,
                            struct wifi *wifi, struct error *error)
{
    if (!own->ssid && !roster->wifi.ssid) {
        enum status status = wifi_find(roster->ssid, roster->ask, &roster->wifi, error);
        if (status)
            return status;
    }
    wifi->ssid = own->ssid ? own->ssid : roster->wifi.ssid;
    wifi->password = own->password.at ? own->password : roster->wifi.password;
    return wifi_check(wifi, where, error);
}

/* The record of a thing that exists; *record is NULL where it is still to be made. One of that name with
 * another type is an error. */
static enum status read_existing(const char *name, const char *type, const char *where,
                                 struct record **record, struct error *error)
{
    enum status status = record_read(name, record, error);
    if (!status && *record && strcmp((*record)->type, type) != 0)
        status =
            fail(error, WRONG_INPUT, "%s%s exists already, as %s", where, name, (*record)->type);
    if (!status && *record && (*record)->state != RECORD_ACTIVE) {
        record_free(*record);
        *record = NULL;
    }
    return status;
}

static enum status take_existing(struct roster *roster, const struct csv_row *row,
                                 const struct record *record, const struct package_plan *plan,
                                 const struct attributes *attributes, const char *where,
                                 struct error *error)
{
    struct wifi own = own_wifi(roster, row);
    struct wifi checked = {own.ssid ? own.ssid : record->wifi.ssid, own.password};
    enum status status = checked.ssid ? wifi_check(&checked, where, error) : FINE;
    if (status)
        return status;
    roster->existed++;
    roster_compare(roster, row, record, plan, attributes, &own);
    return FINE;
}

/* Takes over the attributes. */
static enum status take_new(struct roster *roster, const struct csv_row *row,
                            const struct package_plan *plan, struct attributes *attributes,
                            const char *where, struct error *error)
{
    const char *name = csv_field(&roster->table, row, "name");
    const char *type = csv_field(&roster->table, row, "type");
    struct wifi own = own_wifi(roster, row), wifi = {0};
    enum status status = new_wifi(roster, &own, where, &wifi, error);
    if (status)
        return status;
    roster->lines[roster->count] = row->line;
    roster->things[roster->count++] =
        (struct making){.record = record_new(name, type, roster->target->kind, attributes, &wifi),
                        .plan = plan,
                        .lock = -1};
    return FINE;
}

static enum status check_row(struct roster *roster, const struct csv_row *row, struct error *error)
{
    owned char *where = must_format("%s:%zu: ", roster->file, row->line);
    const char *name = csv_field(&roster->table, row, "name");
    const char *type = csv_field(&roster->table, row, "type");
    const struct package_plan *plan = NULL;
    struct attributes given = row_attributes(roster, row), attributes = {0};
    struct record *record = NULL;
    enum status status = thing_check_name(name, where, error);
    if (!status)
        status = find_plan(roster, type, where, &plan, error);
    if (!status)
        status =
            attributes_complete(json_get(plan->model, "type"), &given, where, &attributes, error);
    if (!status)
        status = read_existing(name, type, where, &record, error);
    if (!status && record)
        status = take_existing(roster, row, record, plan, &attributes, where, error);
    else if (!status)
        status = take_new(roster, row, plan, &attributes, where, error);
    record_free(record);
    attributes_free(&given);
    attributes_free(&attributes);
    return status;
}

static int by_name(const void *one, const void *other)
{
    const struct csv_row *a = *(const struct csv_row *const *)one;
    const struct csv_row *b = *(const struct csv_row *const *)other;
    int order = strcmp(a->fields[0], b->fields[0]);
    return order ? order : a->line < b->line ? -1 : 1;
}

/* Finds names that two rows have, by sorting the rows by name. */
static void check_duplicates(struct roster *roster)
{
    size_t count = roster->table.count, column = 0;
    while (strcmp(roster->table.columns[column], "name") != 0)
        column++;
    struct csv_row *keys = must_array(count, sizeof *keys);
    const struct csv_row **rows = must_array(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        keys[i] =
            (struct csv_row){roster->table.rows[i].line, &roster->table.rows[i].fields[column]};
        rows[i] = &keys[i];
    }
    if (count)
        qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(rows[i]->fields[0], rows[i - 1]->fields[0]) != 0)
            continue;
        struct error error = {0};
        fail(&error, WRONG_INPUT, "%s:%zu: \"%s\" is in line %zu already", roster->file,
             rows[i]->line, rows[i]->fields[0], rows[i - 1]->line);
        complain(roster, &error);
    }
    free(rows);
    free(keys);
}

static enum status check_columns(const struct roster *roster, struct error *error)
{
    static const char *const needed[] = {"name", "type"};
    const struct csv *table = &roster->table;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (csv_has(table, needed[i]))
            continue;
        fail(error, WRONG_INPUT, "%s:1: the column \"%s\" is missing; expected name,type,...",
             roster->file, needed[i]);
        return table->column_count == 1 && strchr(table->columns[0], ';')
                   ? advise(error, "fields are separated by commas, not by semicolons")
                   : WRONG_INPUT;
    }
    return FINE;
}

/* An error that is not of a row (no answer, a full disk) ends the check. */
enum status roster_check(struct roster *roster, struct error *error)
{
    enum status status = check_columns(roster, error);
    if (status)
        return status;
    roster->things = must_array(roster->table.count, sizeof *roster->things);
    roster->lines = must_array(roster->table.count, sizeof *roster->lines);
    check_duplicates(roster);
    for (size_t i = 0; i < roster->table.count; i++) {
        struct error wrong = {0};
        status = check_row(roster, &roster->table.rows[i], &wrong);
        if (status == WRONG_USAGE || status == REFUSED) {
            *error = wrong;
            return status;
        }
        if (status)
            complain(roster, &wrong);
    }
    if (!roster->wrong)
        return FINE;
    return fail(error, WRONG_INPUT, "%s: %zu error%s; nothing was made", roster->file,
                roster->wrong, roster->wrong == 1 ? "" : "s");
}

/* --- making --- */

enum status roster_lock(struct roster *roster, struct error *error)
{
    enum status status = make_folders(THINGS_FOLDER, FOLDER_PUBLIC, error);
    if (status)
        return status;
    status = lock_folder(THINGS_FOLDER, false, &roster->lock, error);
    return status ? advise(error, "is another create --from running? Wait for it, or stop it")
                  : FINE;
}

enum status roster_prepare(struct roster *roster, struct error *error)
{
    struct project *project = roster->project;
    enum status status = FINE;
    for (size_t i = 0; i < roster->type_count && !status; i++) {
        struct package_plan *plan = &roster->types[i]->plan;
        status = package_plan_make(project->templates, &project->catalog, roster->target,
                                   plan->model, plan, error);
    }
    return status;
}

enum status roster_make(struct roster *roster, bulk_observer *observer, void *context,
                        struct error *error)
{
    if (!roster->count)
        return FINE;
    return bulk_make(roster->target, roster->things, roster->count, observer, context, error);
}
