#include "commands.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/project/project.h"
#include "generator/thing/adopt.h"
#include "generator/thing/record.h"
#include "generator/cli/table.h"
#include "generator/thing/outdated.h"
#include "things.h"

#include <stdlib.h>
#include <string.h>

/* What the registry of the account says of a thing that has a record. */
enum standing {
    NOT_ASKED, /* the target has no registry, or it is that of another account or region */
    THERE,
    NOT_THERE,
    ANOTHER /* a thing of the same name, which was made since */
};

/* A folder of a thing: its record, or why that cannot be read. */
struct entry {
    const char *name;
    struct record *record; /* NULL: there is none, or it cannot be read */
    struct error error;
    enum standing standing;
    enum outdated package;
};

/* The state, and for a thing that is not active the command to run. */
static char *state_advice(const struct entry *entry)
{
    const char *name = entry->name;
    if (entry->error.status == REFUSED)
        return hint_format("unreadable: make show name=%s says why", name);
    if (!entry->record)
        return hint_format("damaged: make delete name=%s removes it", name);
    if (entry->record->elsewhere)
        return hint_format(
            "only in the account, its key is elsewhere: make rotate name=%s gives it "
            "a new one here",
            name);
    switch (entry->record->state) {
    case RECORD_ACTIVE:
        if (entry->standing == NOT_THERE)
            return hint_format("only here, the account has no such thing: make delete name=%s "
                               "removes what is left",
                               name);
        if (entry->standing == ANOTHER)
            return hint_format("made again elsewhere: make rotate name=%s gives it a new key here",
                               name);
        if (record_validity(entry->record, time(NULL)) == CERTIFICATE_ENDED)
            return hint_format("certificate ended: make rotate name=%s", name);
        return must_copy(entry->package == PACKAGE_BEHIND ? "active, package behind" : "active");
    case RECORD_ROTATING:
        return hint_format("half-rotated: run make rotate name=%s again", name);
    case RECORD_DELETING:
        return hint_format("half-deleted: run make delete name=%s again", name);
    default:
        return hint_format("half-made: run make create name=%s again, or make delete name=%s", name,
                           name);
    }
}

/* The record, with "elsewhere": true where there is none, and "account": whether the registry has the
 * thing, where that was asked. One that cannot be read is {"name", "state": "damaged", "fault": why}. */
static cJSON *entry_json(const struct entry *entry)
{
    if (entry->record) {
        cJSON *record = record_json(entry->record);
        json_put_string(record, "package", outdated_name(entry->package));
        if (entry->record->elsewhere)
            json_put_bool(record, "elsewhere", true);
        if (entry->record->elsewhere || entry->standing != NOT_ASKED)
            json_put_bool(record, "account", entry->record->elsewhere || entry->standing == THERE);
        return record;
    }
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

/* The day of the end where that is near or over, otherwise the month; freed by the caller. */
static char *certificate_text(const struct record *record, const char *until)
{
    switch (record_validity(record, time(NULL))) {
    case CERTIFICATE_ENDED:
        return must_format("ended %.10s", until);
    case CERTIFICATE_ENDS_SOON:
        return must_format("ends %.10s", until);
    default:
        return must_format("until %.7s", until);
    }
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
    owned char *certificate = *until ? certificate_text(record, until) : must_copy("");
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

static enum standing standing_of(const struct record *record, const struct registry *registry)
{
    if (!record || !adopt_is_listed(record, registry))
        return NOT_ASKED;
    const struct registered_thing *thing = registry_find(registry, record->name);
    if (!thing)
        return NOT_THERE;
    return strcmp(thing->claim, record->claim ? record->claim : "") == 0 ? THERE : ANOTHER;
}

struct listing {
    struct records elsewhere;
    struct registry registry; /* account is NULL where none was asked */
    struct type_versions versions;
    bool behind; /* a package is */
};

static void list_one(struct context *context, struct listing *listing, const char *name,
                     struct table *table, cJSON *list)
{
    struct entry entry = {.name = name, .record = records_find(&listing->elsewhere, name)};
    struct record *read = NULL;
    if (!entry.record) {
        record_read(name, &read, &entry.error);
        if (read)
            adopt_take_listed(read, &listing->registry);
        entry.record = read;
        entry.standing = standing_of(read, &listing->registry);
    }
    entry.package =
        entry.record ? outdated_package(&listing->versions, entry.record) : PACKAGE_UNKNOWN;
    listing->behind |= entry.package == PACKAGE_BEHIND;
    if (context->json)
        cJSON_AddItemToArray(list, entry_json(&entry));
    else
        add_row(table, &entry);
    record_free(read);
    error_free(&entry.error);
}

static void list_things(struct context *context, struct listing *listing, const struct names *names,
                        struct table *table)
{
    cJSON *list = json_array();
    for (size_t i = 0; i < names->count; i++)
        list_one(context, listing, names->at[i], table, list);
    if (context->json)
        json_layout(list, &context->out);
    else if (table->count)
        table_write(table, table_screen_width(), &context->out);
    if (listing->behind && !context->json)
        cli_say(context, "a package that is behind was made of an earlier version of its type: "
                         "make package type=TYPE, then flash each board");
    cJSON_Delete(list);
}

/* Where the account does not answer, what is here is listed all the same, and the command fails. */
static enum status list_all(struct context *context, struct project *project,
                            struct selection *selection, struct table *table)
{
    struct listing listing = {.versions = {.project = project}};
    struct target target = {0};
    struct names *names = NULL;
    struct error unasked = {0};
    if (find_elsewhere(context, project, &target, selection, true, &listing.elsewhere,
                       &listing.registry)) {
        unasked = context->error;
        context->error = (struct error){0};
        records_free(&listing.elsewhere);
    }
    selection->elsewhere = &listing.elsewhere;
    selection->registry = &listing.registry;
    enum status status = selection_find(selection, &names, &context->error);
    if (!status)
        list_things(context, &listing, names, table);
    if (!status && !names->count && !context->json && !unasked.status)
        status = tell_none(context, selection);
    if (!status && unasked.status) {
        context->error = unasked;
        unasked = (struct error){0};
        status = advise(&context->error,
                        "only what this machine remembers is listed; the account was not asked");
    }
    selection->elsewhere = NULL;
    selection->registry = NULL;
    error_free(&unasked);
    names_free(names);
    records_free(&listing.elsewhere);
    registry_free(&listing.registry);
    outdated_free_versions(&listing.versions);
    target_close(&target);
    return status;
}

static void tell_ending(struct context *context)
{
    owned char *ending = local_authority_ending(false);
    if (ending)
        cli_say(context, "%s: make renew (docs/things.md, \"The authority\")", ending);
}

enum status command_list(struct context *context)
{
    static const char *const columns[] = {"NAME",        "TYPE",    "TARGET", "ATTRIBUTES",
                                          "CERTIFICATE", "CREATED", "STATE"};
    struct table table = {.columns = columns, .column_count = sizeof columns / sizeof *columns};
    struct selection selection = {0};
    struct project project;
    enum status status = command_load(context, &project);
    if (!status)
        status = given_selection(context, &selection);
    if (!status)
        status = list_all(context, &project, &selection, &table);
    if (!status)
        tell_ending(context);
    attributes_free(&selection.attributes);
    table_free(&table);
    project_free(&project);
    return status;
}
