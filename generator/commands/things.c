/* What the commands on things share: which things the command line means, and what is said of them. */
#include "things.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generator/targets/host.h"
#include "common/base/valid.h"
#include "generator/project/types.h"
#include "generator/thing/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is said of a thing --- */

void write_thing_line(const struct record *record, const struct package_plan *plan,
                      const struct package_size *size, struct text *out)
{
    char until[CLOCK_TEXT];
    record_time(record->certificate.not_after, until);
    text_add_format(out, "%s  %s  %s key until %.10s, package of %zu files, %.1f KB\n",
                    record->name, record->type, package_key_title(plan), until, size->files,
                    (double)size->bytes / 1024);
    if (record->elsewhere)
        text_add_format(out, "    its key was elsewhere: it is out until it has this package\n");
}

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
    if (record->elsewhere)
        text_add_string(out,
                        "new key  the old one was elsewhere; the board is out until it has this "
                        "package\n");
    hint_add(out,
             "next     make flash name=%s port=/dev/ttyUSB0\n"
             "         make run name=%s cycles=3 fast=yes    (without a board)\n",
             record->name, record->name);
}

cJSON *thing_json(const struct record *record, const struct package_size *size)
{
    cJSON *answer = record_json(record), *package = json_object();
    owned char *folder = package_folder(record->type, record->name);
    json_put_string(package, "folder", folder);
    json_put_number(package, "files", (double)size->files);
    json_put_number(package, "bytes", (double)size->bytes);
    json_put(answer, "package", package);
    json_put_bool(answer, "key_was_elsewhere", record->elsewhere);
    return answer;
}

void tell_planned(struct context *context, const char *name, const char *would, cJSON *answers)
{
    if (!context->json) {
        cli_say(context, "%s %s", name, would);
        return;
    }
    cJSON *answer = json_object();
    json_put_string(answer, "name", name);
    json_put_string(answer, "outcome", "planned");
    json_put_string(answer, "what", would);
    cJSON_AddItemToArray(answers, answer);
}

/* --- what goes into each package --- */

bool warn_of_host(struct context *context, const struct project *project, const char *platform)
{
    const cJSON *facts = catalog_platform(&project->catalog, platform);
    bool deaf = facts && !json_true(facts, "resolves_local");
    owned char *fault = host_fault(project->system.local.host, deaf ? platform : NULL);
    if (!fault)
        return false;
    owned char *advice = host_advice();
    cli_say(context, "warning: %s", fault);
    cli_say(context, "         %s", advice);
    return true;
}

/* --- which things --- */

enum status given_attributes(struct context *context, const char *option,
                             struct attributes *attributes)
{
    *attributes = (struct attributes){0};
    for (size_t i = 0; i < context->given_count; i++) {
        const struct given_option *given = &context->given[i];
        if (strcmp(given->option->name, option) != 0)
            continue;
        const char *equals = strchr(given->value, '=');
        if (!equals || equals == given->value)
            return fail(&context->error, WRONG_USAGE, "--%s takes NAME=VALUE, not \"%s\"", option,
                        given->value);
        owned char *name = must_copy_bytes(given->value, (size_t)(equals - given->value));
        attributes_put(attributes, name, equals + 1);
    }
    return FINE;
}

enum status given_selection(struct context *context, struct selection *selection)
{
    *selection = (struct selection){.names = context->operands,
                                    .name_count = context->operand_count,
                                    .type = cli_value(context, "type")};
    return given_attributes(context, "attribute", &selection->attributes);
}

/* A command that changes things is told which; --all leaves nothing to say. */
static enum status check_selection(struct context *context, const struct selection *selection)
{
    bool says = selection->name_count || selection->type || selection->attributes.count;
    bool all = cli_given(context, "all");
    if (all && says)
        return fail(&context->error, WRONG_USAGE, "--all leaves nothing to choose");
    if (says || all)
        return FINE;
    return fail(&context->error, WRONG_USAGE, "%s needs NAME..., or --type, --attribute or --all",
                context->command->name);
}

static bool has_folder(const char *name)
{
    owned char *folder = record_folder(name);
    return is_folder(folder);
}

static enum status look_up_named(struct context *context, struct target *target,
                                 const struct selection *selection, struct records *elsewhere)
{
    enum status status = FINE;
    for (size_t i = 0; i < selection->name_count && !status; i++) {
        const char *name = selection->names[i];
        struct record *record = NULL;
        if (has_folder(name) || !valid_thing_name(name))
            continue;
        status = adopt_look(target, name, &record, &context->error);
        if (record)
            records_add(elsewhere, record);
    }
    return status;
}

static enum status list_registry(struct context *context, struct target *target, const char *type,
                                 struct records *elsewhere, struct registry *registry)
{
    struct names *types = types_all();
    const char *const *asked = type ? &type : types->at;
    enum status status =
        target->list(target, asked, type ? 1 : types->count, registry, &context->error);
    for (size_t i = 0; i < registry->count && !status; i++)
        if (!has_folder(registry->at[i].name))
            records_add(elsewhere, adopt_record(&registry->at[i], target->kind));
    names_free(types);
    return status;
}

/* Whether each thing that is asked for has a record here, so that no registry need be asked. */
static bool all_are_here(const struct selection *selection)
{
    for (size_t i = 0; i < selection->name_count; i++)
        if (!has_folder(selection->names[i]))
            return false;
    return selection->name_count;
}

enum status find_elsewhere(struct context *context, struct project *project, struct target *target,
                           const struct selection *selection, bool whole, struct records *elsewhere,
                           struct registry *registry)
{
    if (!project_has_account(project) || (!whole && all_are_here(selection)))
        return FINE;
    enum status status =
        target->state ? FINE
                      : project_target(project, project->system.target, target, &context->error);
    if (!status && target->look && !whole && selection->name_count)
        status = look_up_named(context, target, selection, elsewhere);
    else if (!status && target->list)
        status = list_registry(context, target, selection->type, elsewhere, registry);
    records_sort(elsewhere);
    return status;
}

enum status choose_things(struct context *context, struct project *project, struct target *target,
                          struct chosen *chosen)
{
    struct selection selection;
    struct registry registry = {0};
    *chosen = (struct chosen){.by_name = context->operand_count > 0};
    enum status status = given_selection(context, &selection);
    if (!status)
        status = check_selection(context, &selection);
    if (!status && target)
        status = find_elsewhere(context, project, target, &selection, false, &chosen->elsewhere,
                                &registry);
    selection.elsewhere = &chosen->elsewhere;
    selection.registry = &registry;
    if (!status)
        status = selection_find(&selection, &chosen->names, &context->error);
    if (!status && !chosen->names->count)
        status = selection_empty(&selection, &context->error);
    chosen->alone = !status && chosen->by_name && chosen->names->count == 1;
    registry_free(&registry);
    attributes_free(&selection.attributes);
    return status;
}

void chosen_free(struct chosen *chosen)
{
    names_free(chosen->names);
    records_free(&chosen->elsewhere);
}

/* --- consent --- */

static bool says_yes(void)
{
    char line[16] = "";
    fputs("go on? [y/N] ", stderr);
    fflush(stderr);
    return fgets(line, sizeof line, stdin) && (*line == 'y' || *line == 'Y');
}

static void show_chosen(struct context *context, const struct chosen *chosen, const char *would)
{
    enum { MOST_SHOWN = 8 };
    struct text list = {0};
    const struct names *names = chosen->names;
    for (size_t i = 0; i < names->count && i < MOST_SHOWN; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", names->at[i]);
    if (names->count > MOST_SHOWN)
        text_add_format(&list, " and %zu more", names->count - MOST_SHOWN);
    cli_say(context, "%zu thing%s %s: %s", names->count, names->count == 1 ? "" : "s", would,
            text_string(&list));
    text_free(&list);
}

enum status consent_to_all(struct context *context, const struct chosen *chosen, const char *would)
{
    if (chosen->by_name || cli_given(context, "yes") || cli_given(context, "dry-run"))
        return FINE;
    show_chosen(context, chosen, would);
    if (isatty(STDIN_FILENO))
        return says_yes() ? FINE : fail(&context->error, WRONG_INPUT, "nothing was changed");
    fail(&context->error, WRONG_USAGE, "%zu thing%s %s, and there is nobody to ask",
         chosen->names->count, chosen->names->count == 1 ? "" : "s", would);
    return advise(&context->error, "to go on: the same command with --yes (make: yes=yes)");
}

/* --- one after another --- */

enum { MOST_FAILURES_SHOWN = 20 };

/* Of several things, a failure is one line; the first one decides the status. */
static void note_failure(struct context *context, const char *name, size_t failed,
                         const struct progress *progress, cJSON *answers)
{
    struct error *error = &context->error;
    if (context->json) {
        cJSON *answer = json_object();
        json_put_string(answer, "name", name);
        json_put_string(answer, "outcome", "failed");
        json_put_string(answer, "message", text_string(&error->message));
        json_put_string(answer, "advice",
                        error->advice.length ? text_string(&error->advice) : NULL);
        cJSON_AddItemToArray(answers, answer);
    } else if (failed <= MOST_FAILURES_SHOWN) {
        progress_hide(progress);
        fprintf(stderr, "%s: %s\n", name, text_string(&error->message));
    }
    error_free(error);
}

static void write_answers(struct context *context, const struct chosen *chosen,
                          const cJSON *answers)
{
    const cJSON *answer = chosen->alone ? answers->child : answers;
    if (context->json && answer)
        json_layout(answer, &context->out);
}

enum status each_chosen(struct context *context, const struct chosen *chosen, const char *verb,
                        thing_work *work, void *state)
{
    const struct names *names = chosen->names;
    cJSON *answers = json_array();
    enum status first = FINE;
    size_t failed = 0;
    bool counted = verb && names->count > 1 && !cli_given(context, "dry-run");
    struct progress progress;
    progress_begin(&progress, context->quiet || !counted, verb, names->count);
    for (size_t i = 0; i < names->count; i++) {
        enum status status = work(context, state, names->at[i], answers);
        first = first ? first : status;
        if (status && names->count > 1)
            note_failure(context, names->at[i], ++failed, &progress, answers);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    write_answers(context, chosen, answers);
    cJSON_Delete(answers);
    return failed ? fail(&context->error, first, "%zu of %zu things failed", failed, names->count)
                  : first;
}
