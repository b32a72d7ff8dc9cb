/* Removes what deploy made, in the order that AWS demands, and remembers nothing: what is left to
 * do is found out anew each time, so a command that was stopped anywhere is run again.
 *
 * A stack says what is its own. Once it is gone the model says which names to look for, but a name
 * is no proof: then only what bears our tags is removed, and what does not is shown and left. */
#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "generator/deploy/deployment.h"
#include "generator/deploy/removal.h"
#include "generator/deploy/resource.h"
#include "generator/deploy/template.h"
#include "generator/project/types.h"
#include "generator/thing/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_NAMES = 5 };

struct destruction {
    struct project *project;
    struct context *context;
    const char *subject;
    bool system;
    struct deployment deployment;
    struct removal removal;
    struct stack *stack;
    cJSON *resources; /* of the template, by logical id, names resolved */
    bool of_stack;    /* they are what the stack itself says that it holds */
    cJSON *there;     /* [id]: those of them that can be found without a stack, and are ours */
    cJSON *foreign;   /* [id]: those that are there, and somebody else's */
    bool has_mark;    /* of this target */
};

/* --- what hangs on it --- */

/* "kitchen, attic and 3 more" */
static char *some_of(const struct names *names)
{
    struct text list = {0};
    size_t shown = names->count > SHOWN_NAMES ? SHOWN_NAMES : names->count;
    for (size_t i = 0; i < shown; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", names->at[i]);
    if (names->count > shown)
        text_add_format(&list, " and %zu more", names->count - shown);
    return text_take(&list);
}

static void add_name(struct names *names, const char *name)
{
    names_append(names, name);
}

static struct names *things_on_disk(const char *type, enum target_kind target)
{
    struct names *all = record_names(), *found = must_alloc(sizeof *found);
    for (size_t i = 0; i < all->count; i++) {
        struct error unread = {0};
        struct record *record = NULL;
        if (!record_read(all->at[i], &record, &unread) && record &&
            strcmp(record->type, type) == 0 && record->target == target)
            add_name(found, all->at[i]);
        record_free(record);
        error_free(&unread);
    }
    names_free(all);
    return found;
}

static enum status refuse_things(struct context *context, const char *type,
                                 const struct names *things, const char *where)
{
    owned char *some = some_of(things);
    fail(&context->error, WRONG_INPUT, "there are things of %s%s: %s", type, where, some);
    return advise(&context->error, "delete them first: make delete name=%s", things->at[0]);
}

static enum status refuse_while_in_use(struct context *context, const char *type,
                                       enum target_kind target)
{
    struct names *things = things_on_disk(type, target);
    enum status status = things->count ? refuse_things(context, type, things, "") : FINE;
    names_free(things);
    return status;
}

/* --- the mark --- */

/* The database that a type was plugged into, which --database or system.yaml may not name any
 * more. */
static void use_marked_database(struct destruction *this)
{
    owned char *database = NULL;
    this->has_mark = types_is_deployed_on(this->subject, TARGET_AWS, &database);
    if (database && !cli_given(this->context, "database"))
        system_set_database(&this->project->system, database);
}

static enum status remove_mark(struct destruction *this)
{
    return this->has_mark ? types_unmark(this->subject, &this->context->error) : FINE;
}

/* --- consent --- */

static enum status ask_for_name(struct context *context, const char *name)
{
    char line[256] = "";
    fprintf(stderr, "type \"%s\" to go on: ", name);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        *line = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, name) == 0 ? FINE
                                   : fail(&context->error, WRONG_INPUT, "nothing was destroyed");
}

static enum status consent(struct context *context, const char *name)
{
    const char *given = cli_value(context, "confirm");
    if (given && strcmp(given, name) == 0)
        return FINE;
    if (given)
        return fail(&context->error, WRONG_USAGE, "--confirm names \"%s\", not \"%s\"", given,
                    name);
    if (isatty(STDIN_FILENO))
        return ask_for_name(context, name);
    fail(&context->error, WRONG_USAGE,
         "destroying %s has to be confirmed, and there is nobody to ask", name);
    return advise(&context->error, "the same command with --confirm %s (make: confirm=%s)", name,
                  name);
}

/* --- looking --- */

static bool outlives(const cJSON *resource)
{
    return strcmp(json_string(resource, "DeletionPolicy", ""), "Retain") == 0;
}

/* What the stack has, or what the model says that it would have. */
static void find_resources(struct destruction *this)
{
    const struct stack *stack = this->stack;
    const cJSON *deployed = json_get(stack->deployed, "Resources") ? stack->deployed : NULL;
    cJSON *resolved = deployed ? template_resolve(deployed, stack->deployed_parameters, RESOLVE_ALL)
                               : template_resolve(stack->template, stack->parameters, RESOLVE_ALL);
    this->of_stack = deployed;
    this->resources = cJSON_DetachItemFromObjectCaseSensitive(resolved, "Resources");
    cJSON_Delete(resolved);
}

static enum status look_at(struct destruction *this, const cJSON *resource)
{
    bool found = false, ours = this->of_stack;
    enum status status = removal_look(&this->removal, resource, &found,
                                      this->of_stack ? NULL : &ours, &this->context->error);
    if (!status && found)
        cJSON_AddItemToArray(ours ? this->there : this->foreign,
                             cJSON_CreateString(resource->string));
    return status;
}

static enum status look_at_resources(struct destruction *this)
{
    const cJSON *resource;
    enum status status = FINE;
    this->there = json_array();
    this->foreign = json_array();
    cJSON_ArrayForEach(resource, this->resources)
    {
        if (removal_knows(resource) && !status)
            status = look_at(this, resource);
    }
    return status;
}

static bool lists(const cJSON *ids, const cJSON *resource)
{
    const cJSON *id;
    cJSON_ArrayForEach(id, ids)
    {
        if (strcmp(id->valuestring, resource->string) == 0)
            return true;
    }
    return false;
}

static bool is_there(const struct destruction *this, const cJSON *resource)
{
    return lists(this->there, resource);
}

/* Whether it would go, unless it is kept for its readings. */
static bool is_ours(const struct destruction *this, const cJSON *resource)
{
    return is_there(this, resource) || (this->of_stack && !outlives(resource));
}

/* The name of the first of ours of a type. */
static const char *name_of_type(const struct destruction *this, const char *type)
{
    const cJSON *resource;
    cJSON_ArrayForEach(resource, this->resources)
    {
        if (strcmp(json_string(resource, "Type", ""), type) == 0 && is_ours(this, resource))
            return resource_name(resource);
    }
    return NULL;
}

static enum status refuse_attached(struct destruction *this)
{
    const char *policy = name_of_type(this, "AWS::IoT::Policy");
    struct names *targets = must_alloc(sizeof *targets);
    enum status status =
        policy ? removal_find_targets(&this->removal, policy, targets, &this->context->error)
               : FINE;
    if (!status && targets->count) {
        status = fail(&this->context->error, WRONG_INPUT,
                      "%zu certificates in %s still have the policy %s, %.12s... among them",
                      targets->count, this->deployment.region, policy, targets->at[0]);
        advise(&this->context->error, "of things of another checkout? delete those there first; "
                                      "of no thing? sensorforge doctor removes them");
    }
    names_free(targets);
    return status;
}

static enum status refuse_account_things(struct destruction *this)
{
    const char *thing_type = name_of_type(this, "AWS::IoT::ThingType");
    struct names *things = must_alloc(sizeof *things);
    owned char *where = must_format(" in %s", this->deployment.region);
    enum status status =
        thing_type ? removal_find_things(&this->removal, thing_type, things, &this->context->error)
                   : FINE;
    if (!status && things->count)
        status = refuse_things(this->context, this->subject, things, where);
    names_free(things);
    return status;
}

/* --- the system --- */

static enum status refuse_types(struct destruction *this)
{
    struct names *deployed = must_alloc(sizeof *deployed);
    enum status status = FINE;
    for (size_t i = 0; i < this->deployment.stacks.count; i++) {
        const struct stack *stack = &this->deployment.stacks.at[i];
        if (stack != this->stack && (stack->status || stack->error.status))
            add_name(deployed, stack->subject);
    }
    if (deployed->count) {
        owned char *some = some_of(deployed);
        status = fail(&this->context->error, WRONG_INPUT, "types are still plugged in: %s", some);
        advise(&this->context->error, "destroy them first: make destroy NAME=%s TARGET=aws",
               deployed->at[0]);
    }
    names_free(deployed);
    return status;
}

static enum status refuse_tables(struct destruction *this)
{
    const char *database = name_of_type(this, "AWS::Timestream::Database");
    struct names *tables = must_alloc(sizeof *tables);
    enum status status = FINE;
    if (database && cli_given(this->context, "data"))
        status = removal_find_tables(&this->removal, database, tables, &this->context->error);
    if (!status && tables->count) {
        owned char *some = some_of(tables);
        status = fail(&this->context->error, WRONG_INPUT, "the database %s still holds tables: %s",
                      database, some);
        advise(&this->context->error,
               "of a type that was destroyed before: make destroy "
               "NAME=%s TARGET=aws data=yes removes its tables",
               tables->at[0]);
    }
    names_free(tables);
    return status;
}

/* --- showing --- */

static void add_line(const cJSON *resource, char sign, const char *about, struct text *out)
{
    text_add_format(out, "  %c %s %s%s\n", sign,
                    resource_kind(json_string(resource, "Type", ""))->title,
                    resource_name(resource), about);
}

static void write_plan(const struct destruction *this, struct text *out)
{
    bool data = cli_given(this->context, "data");
    const cJSON *resource;
    text_add_format(out, "stack %s in %s%s\n", this->stack->name, this->deployment.region,
                    this->stack->status ? "" : " (gone already)");
    cJSON_ArrayForEach(resource, this->resources)
    {
        if (outlives(resource) && is_there(this, resource))
            add_line(resource, data ? '-' : '=',
                     data ? "  with all its readings" : "  stays (data=yes removes it)", out);
        else if (!outlives(resource) && is_ours(this, resource))
            add_line(resource, '-', "", out);
        else if (lists(this->foreign, resource))
            add_line(resource, '=', "  not made here, left as it is", out);
    }
}

static cJSON *plan_json(const struct destruction *this, const char *outcome)
{
    bool data = cli_given(this->context, "data");
    cJSON *answer = json_object(), *removed = json_array(), *kept = json_array();
    cJSON *foreign = json_array();
    const cJSON *resource;
    cJSON_ArrayForEach(resource, this->resources)
    {
        bool kept_here = outlives(resource) && !data;
        cJSON *item = json_object();
        json_put_string(item, "type", json_string(resource, "Type", ""));
        json_put_string(item, "name", resource_name(resource));
        if (is_ours(this, resource))
            cJSON_AddItemToArray(kept_here ? kept : removed, item);
        else if (lists(this->foreign, resource))
            cJSON_AddItemToArray(foreign, item);
        else
            cJSON_Delete(item);
    }
    json_put_string(answer, "subject", this->subject);
    json_put_string(answer, "stack", this->stack->name);
    json_put_string(answer, "region", this->deployment.region);
    json_put_string(answer, "outcome", outcome);
    json_put(answer, "removed", removed);
    json_put(answer, "kept", kept);
    json_put(answer, "foreign", foreign);
    return answer;
}

/* --- removing --- */

static enum status remove_stack(struct destruction *this)
{
    const char *thing_type = name_of_type(this, "AWS::IoT::ThingType");
    enum status status = FINE;
    if (thing_type)
        status = removal_retire_thing_type(&this->removal, thing_type, &this->context->error);
    fault_point("thing type");
    if (status || !this->stack->status)
        return status;
    stacks_delete(&this->deployment.stacks);
    if (this->stack->error.status) {
        this->context->error = this->stack->error;
        this->stack->error = (struct error){0};
        return advise(&this->context->error, "remove what it says, then run the same command");
    }
    fault_point("stack");
    return FINE;
}

/* What the stack left: tables where they may go, and what a stack that failed half-way, or a rule
 * that wrote once more, left behind. */
static enum status remove_rest(struct destruction *this)
{
    bool data = cli_given(this->context, "data");
    const cJSON *resource;
    enum status status = FINE;
    cJSON_ArrayForEach(resource, this->resources)
    {
        if (status || !removal_knows(resource) || !is_ours(this, resource) ||
            (outlives(resource) && !data))
            continue;
        status = removal_delete(&this->removal, resource, &this->context->error);
        fault_point("rest");
    }
    return status;
}

static void conclude(const struct destruction *this, bool nothing)
{
    struct context *context = this->context;
    const cJSON *resource;
    struct text kept = {0}, foreign = {0};
    if (nothing)
        text_add_format(&context->out, "%s  is not in %s\n", this->subject,
                        this->deployment.region);
    else
        text_add_format(&context->out, "%s  destroyed\n", this->subject);
    cJSON_ArrayForEach(resource, this->resources)
    {
        bool stays = outlives(resource) && is_there(this, resource) && !cli_given(context, "data");
        struct text *list = stays ? &kept : lists(this->foreign, resource) ? &foreign : NULL;
        if (list)
            text_add_format(list, "%s%s %s", list->length ? ", " : "",
                            resource_kind(json_string(resource, "Type", ""))->title,
                            resource_name(resource));
    }
    if (kept.length)
        text_add_format(&context->out, "stays  %s\n       a later deploy uses %s again; %s\n",
                        text_string(&kept), strstr(text_string(&kept), ", ") ? "them" : "it",
                        "data=yes removes what stays");
    if (foreign.length)
        text_add_format(&context->out, "not made here, left as it is  %s\n", text_string(&foreign));
    text_free(&kept);
    text_free(&foreign);
}

/* Whether there is anything that this command would remove. */
static bool has_work(const struct destruction *this)
{
    const cJSON *resource;
    if (this->stack->status || this->has_mark)
        return true;
    cJSON_ArrayForEach(resource, this->resources)
    {
        if (is_there(this, resource) && (!outlives(resource) || cli_given(this->context, "data")))
            return true;
    }
    return false;
}

static enum status carry_out(struct destruction *this)
{
    struct context *context = this->context;
    struct text plan = {0};
    bool nothing = !has_work(this);
    bool dry_run = cli_given(context, "dry-run");
    enum status status = FINE;
    write_plan(this, &plan);
    if (nothing && !context->json)
        conclude(this, true);
    else if (dry_run && !context->json)
        text_add(&context->out, text_string(&plan), plan.length);
    else if (!nothing && !context->quiet)
        fputs(text_string(&plan), stderr);
    text_free(&plan);
    if (!nothing && !dry_run)
        status = consent(context, this->subject);
    cJSON *answer = plan_json(this, nothing ? "nothing" : dry_run ? "planned" : "destroyed");
    if (!status && !nothing && !dry_run) {
        status = remove_stack(this);
        if (!status)
            status = remove_rest(this);
        if (!status && !this->system)
            status = remove_mark(this);
        if (!status && !context->json)
            conclude(this, false);
    }
    if (!status && context->json)
        json_layout(answer, &context->out);
    cJSON_Delete(answer);
    return status;
}

static enum status look(struct destruction *this)
{
    struct deployment *deployment = &this->deployment;
    struct names *types = this->system ? types_all() : NULL;
    const char *const *subjects = types ? types->at : &this->subject;
    enum status status = deployment_open(deployment, this->project, subjects,
                                         types ? types->count : 1, &this->context->error);
    names_free(types);
    this->removal = (struct removal){.reporter = this->project->reporter,
                                     .aws = deployment->aws,
                                     .system = this->project->system.name,
                                     .type = this->system ? NULL : this->subject};
    if (status)
        return status;
    this->stack = stacks_find(&deployment->stacks, this->subject);
    if (!this->stack) {
        fail(&this->context->error, WRONG_INPUT, "with store: dynamodb there is no system stack");
        return advise(&this->context->error, "types bring their tables: make destroy NAME=<type>");
    }
    for (size_t i = 0; i < deployment->stacks.count && !this->system; i++)
        deployment->stacks.at[i].left_out = &deployment->stacks.at[i] != this->stack;
    status = deployment_look(deployment, &this->context->error);
    for (size_t i = 0; i < deployment->stacks.count && this->system; i++)
        deployment->stacks.at[i].left_out = &deployment->stacks.at[i] != this->stack;
    if (!status && this->stack->error.status)
        status = deployment_verdict(deployment, &this->context->error);
    if (status)
        return status;
    find_resources(this);
    return look_at_resources(this);
}

static enum status destroy_there(struct context *context, struct project *project,
                                 const char *subject)
{
    struct destruction this = {.project = project,
                               .context = context,
                               .subject = subject,
                               .system = strcmp(subject, "system") == 0};
    enum status status = FINE;
    if (!this.system) {
        use_marked_database(&this);
        status = refuse_while_in_use(this.context, subject, TARGET_AWS);
    }
    if (!status)
        status = look(&this);
    if (!status)
        status = this.system ? refuse_types(&this) : refuse_account_things(&this);
    if (!status)
        status = this.system ? refuse_tables(&this) : refuse_attached(&this);
    if (!status)
        status = carry_out(&this);
    cJSON_Delete(this.resources);
    cJSON_Delete(this.there);
    cJSON_Delete(this.foreign);
    removal_close(&this.removal);
    deployment_close(&this.deployment);
    return status;
}

/* --- on this machine: a type is its mark --- */

static enum status destroy_here(struct context *context, const char *subject)
{
    bool marked = types_is_deployed_on(subject, TARGET_LOCAL, NULL);
    bool dry_run = cli_given(context, "dry-run");
    enum status status = refuse_while_in_use(context, subject, TARGET_LOCAL);
    if (!status && marked && !dry_run)
        status = types_unmark(subject, &context->error);
    if (status)
        return status;
    if (context->json) {
        cJSON *answer = json_object();
        json_put_string(answer, "subject", subject);
        json_put_string(answer, "outcome", !marked ? "nothing" : dry_run ? "planned" : "destroyed");
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else {
        text_add_format(&context->out, "%s  %s; there is no account on the target local\n", subject,
                        !marked   ? "is not plugged in here"
                        : dry_run ? "would be unplugged"
                                  : "unplugged");
    }
    return FINE;
}

enum status command_destroy(struct context *context)
{
    struct project project;
    const char *subject = context->operands[0];
    bool system = strcmp(subject, "system") == 0;
    enum status status = command_load(context, &project);
    if (!status && !system)
        status = project_check(&project, &subject, 1, &context->error);
    if (!status)
        status = project_has_account(&project) ? destroy_there(context, &project, subject)
                                               : destroy_here(context, subject);
    project_free(&project);
    return status;
}
