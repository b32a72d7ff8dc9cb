#include "selection.h"
#include "adopt.h"
#include "common/base/memory.h"
#include "thing.h"

#include <string.h>

/* --- one thing --- */

/* The first attribute that the thing does not have with the value that is asked for; NULL: none. */
static const struct attribute *first_other(const struct selection *selection,
                                           const struct record *record)
{
    for (size_t i = 0; i < selection->attributes.count; i++) {
        const struct attribute *wanted = &selection->attributes.at[i];
        const char *value = attributes_get(&record->attributes, wanted->name);
        if (!value || strcmp(value, wanted->value) != 0)
            return wanted;
    }
    return NULL;
}

static bool is_of_type(const struct selection *selection, const struct record *record)
{
    return !selection->type || strcmp(record->type, selection->type) == 0;
}

bool selection_takes(const struct selection *selection, const struct record *record)
{
    if (!record)
        return !selection->type && !selection->attributes.count;
    return is_of_type(selection, record) && !first_other(selection, record);
}

static enum status refuse_other(const struct selection *selection, const struct record *record,
                                struct error *error)
{
    const struct attribute *other = first_other(selection, record);
    if (!is_of_type(selection, record))
        return fail(error, WRONG_INPUT, "%s is not of type %s but of type %s", record->name,
                    selection->type, record->type);
    const char *value = attributes_get(&record->attributes, other->name);
    if (!value)
        return fail(error, WRONG_INPUT, "%s has no attribute \"%s\"", record->name, other->name);
    fail(error, WRONG_INPUT, "%s has %s=%s, not %s=%s", record->name, other->name, value,
         other->name, other->value);
    return advise(error, "package and rotate change it with --set %s=%s", other->name,
                  other->value);
}

/* --- all things --- */

static bool is_typed_before(const struct selection *selection, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(selection->names[i], selection->names[index]) == 0)
            return true;
    return false;
}

/* A record that is damaged has neither a type nor attributes that could be another: delete takes such a
 * thing too. */
static enum status find_named(const struct selection *selection, struct names *found,
                              struct error *error)
{
    enum status status = FINE;
    for (size_t i = 0; i < selection->name_count && !status; i++) {
        const char *name = selection->names[i];
        struct record *record = NULL, *elsewhere = records_find(selection->elsewhere, name);
        struct error damage = {0};
        status = elsewhere ? FINE : thing_check_folder(name, error);
        if (!status && !elsewhere)
            record_read(name, &record, &damage);
        if (record && selection->registry)
            adopt_take_listed(record, selection->registry);
        if (!status && damage.status == REFUSED) {
            *error = damage;
            return REFUSED;
        }
        const struct record *known = elsewhere ? elsewhere : record;
        if (!status && known && !selection_takes(selection, known))
            status = refuse_other(selection, known, error);
        if (!status && !is_typed_before(selection, i))
            names_append(found, name);
        error_free(&damage);
        record_free(record);
    }
    return status;
}

static void find_all(const struct selection *selection, struct names *found)
{
    struct names *all = record_names();
    for (size_t i = 0; i < all->count; i++) {
        struct record *record = NULL;
        struct error damage = {0};
        record_read(all->at[i], &record, &damage);
        if (record && selection->registry)
            adopt_take_listed(record, selection->registry);
        if (selection_takes(selection, record))
            names_append(found, all->at[i]);
        error_free(&damage);
        record_free(record);
    }
    names_free(all);
    const struct records *elsewhere = selection->elsewhere;
    for (size_t i = 0; elsewhere && i < elsewhere->count; i++)
        if (selection_takes(selection, elsewhere->at[i]))
            names_append(found, elsewhere->at[i]->name);
    names_sort(found);
}

enum status selection_find(const struct selection *selection, struct names **found,
                           struct error *error)
{
    *found = must_alloc(sizeof **found);
    if (selection->name_count)
        return find_named(selection, *found, error);
    find_all(selection, *found);
    return FINE;
}

/* --- none --- */

/* Adds the name if it is not there yet; a list for people needs no more than MOST_KNOWN. */
static void put_once(struct names *names, const char *name)
{
    enum { MOST_KNOWN = 64 };
    if (names->count == MOST_KNOWN)
        return;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->at[i], name) == 0)
            return;
    names_append(names, name);
}

/* What things of the type have: the names of attributes, or the values of one. */
static struct names *what_there_is(const struct selection *selection, const char *attribute)
{
    struct names *all = record_names(), *there = must_alloc(sizeof *there);
    for (size_t i = 0; i < all->count; i++) {
        struct record *record = NULL;
        struct error damage = {0};
        record_read(all->at[i], &record, &damage);
        const char *value =
            record && attribute ? attributes_get(&record->attributes, attribute) : NULL;
        if (record && is_of_type(selection, record) && value)
            put_once(there, value);
        for (size_t j = 0; record && !attribute && j < record->attributes.count; j++)
            if (is_of_type(selection, record))
                put_once(there, record->attributes.at[j].name);
        error_free(&damage);
        record_free(record);
    }
    names_free(all);
    return there;
}

static enum status advise_list(const struct names *names, const char *before, struct error *error)
{
    enum { MOST = 12 };
    struct text list = {0};
    for (size_t i = 0; i < names->count && i < MOST; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", names->at[i]);
    if (names->count > MOST)
        text_add_format(&list, ", and more");
    if (names->count)
        advise(error, "%s: %s", before, text_string(&list));
    text_free(&list);
    return error->status;
}

enum status selection_empty(const struct selection *selection, struct error *error)
{
    struct text asked = {0};
    if (selection->type)
        text_add_format(&asked, " of type %s", selection->type);
    for (size_t i = 0; i < selection->attributes.count; i++)
        text_add_format(&asked, "%s%s=%s", i ? " and " : " with ", selection->attributes.at[i].name,
                        selection->attributes.at[i].value);
    fail(error, WRONG_INPUT, asked.length ? "there is no thing%s" : "there are no things%s",
         text_string(&asked));
    text_free(&asked);
    for (size_t i = 0; i < selection->attributes.count; i++) {
        const struct attribute *wanted = &selection->attributes.at[i];
        struct names *values = what_there_is(selection, wanted->name), *names = NULL;
        owned char *before = must_format("values of %s", wanted->name);
        if (!values->count) {
            names = what_there_is(selection, NULL);
            advise_list(names, "attributes that there are", error);
        } else {
            advise_list(values, before, error);
        }
        names_free(names);
        names_free(values);
    }
    return WRONG_INPUT;
}
