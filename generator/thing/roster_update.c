/* Things that exist already, and what a CSV file says of them. */
#include "common/base/memory.h"
#include "roster.h"
#include "thing.h"

#include <stdlib.h>
#include <string.h>

/* --- comparing --- */

static char *copy_or_null(const char *text)
{
    return text ? must_copy(text) : NULL;
}

static void differ(struct roster *roster, const char *column, const char *was, const char *is)
{
    roster->differences = must_grow(roster->differences, roster->difference_count,
                                    &roster->difference_room, sizeof *roster->differences);
    roster->differences[roster->difference_count++] = (struct difference){
        roster->change_count, must_copy(column), copy_or_null(was), copy_or_null(is)};
}

/* The attributes that the thing is to have: of a column that the file does not have, its own. */
static struct attributes compare_attributes(struct roster *roster, const struct record *record,
                                            const struct attributes *complete)
{
    struct attributes wanted = {0};
    for (size_t i = 0; i < complete->count; i++) {
        const char *name = complete->at[i].name, *value = complete->at[i].value;
        const char *was = attributes_get(&record->attributes, name);
        bool said = csv_has(&roster->table, name);
        if (said && (!was || strcmp(was, value) != 0))
            differ(roster, name, was ? was : "", value);
        attributes_put(&wanted, name, said || !was ? value : was);
    }
    return wanted;
}

static bool same_secret(const struct secret *one, const struct secret *other)
{
    return one->length == other->length &&
           (!one->length || memcmp(one->at, other->at, one->length) == 0);
}

static void differ_in_name(struct roster *roster, const char *was, const char *is)
{
    owned char *was_title = wifi_title(was), *is_title = wifi_title(is);
    differ(roster, "wifissid", was_title, is_title);
}

static void compare_wifi(struct roster *roster, const struct record *record, const struct wifi *own)
{
    const char *was = record->wifi.ssid ? record->wifi.ssid : "";
    if (own->ssid && strcmp(own->ssid, was) != 0)
        differ_in_name(roster, was, own->ssid);
    if (own->password.at && !same_secret(&own->password, &record->wifi.password))
        differ(roster, "wifipassword", NULL, NULL);
}

void roster_compare(struct roster *roster, const struct csv_row *row, const struct record *record,
                    const struct package_plan *plan, const struct attributes *complete,
                    const struct wifi *own)
{
    size_t before = roster->difference_count;
    struct roster_change change = {.line = row->line, .target = record->target, .plan = plan};
    change.attributes = compare_attributes(roster, record, complete);
    compare_wifi(roster, record, own);
    if (roster->difference_count == before) {
        attributes_free(&change.attributes);
        return;
    }
    change.name = must_copy(record->name);
    change.wifi = (struct wifi){copy_or_null(own->ssid), {0}};
    if (own->password.at)
        change.wifi.password = secret_copy(own->password.at, own->password.length);
    roster->changes = must_grow(roster->changes, roster->change_count, &roster->change_room,
                                sizeof *roster->changes);
    roster->changes[roster->change_count++] = change;
}

void roster_free_changes(struct roster *roster)
{
    for (size_t i = 0; i < roster->change_count; i++) {
        free(roster->changes[i].name);
        attributes_free(&roster->changes[i].attributes);
        wifi_free(&roster->changes[i].wifi);
    }
    for (size_t i = 0; i < roster->difference_count; i++) {
        free(roster->differences[i].column);
        free(roster->differences[i].was);
        free(roster->differences[i].is);
    }
    free(roster->changes);
    free(roster->differences);
}

/* --- changing --- */

enum status roster_update(struct roster *roster, const struct roster_change *change,
                          struct package_size *size, struct error *error)
{
    const struct wifi *wifi = &change->wifi;
    const struct changes changes = {&change->attributes, NULL, wifi->ssid,
                                    wifi->password.at ? &wifi->password : NULL};
    struct record *record = NULL;
    if (change->target != roster->target->kind) {
        fail(error, WRONG_INPUT, "%s is a thing of the target %s", change->name,
             system_target_name(change->target));
        return advise(error, "the same command with --target %s",
                      system_target_name(change->target));
    }
    enum status status =
        rebuild_thing(roster->target, change->plan, change->name, &changes, &record, size, error);
    record_free(record);
    return status;
}
