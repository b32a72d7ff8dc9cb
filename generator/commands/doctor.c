/* What would go wrong, and what was left behind, which --clean removes. */
#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/project/project.h"
#include "generator/deploy/checkup.h"
#include "generator/deploy/orphans.h"
#include "generator/deploy/permissions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct doctor {
    struct context *context;
    struct project project;
    struct checkup checkup;
    struct thing_records records; /* of this project's things */
    struct orphans orphans;       /* found in the account */
    cJSON *cleaned;               /* [{"kind", "name"}]: orphans that were removed */
};

/* --- cleaning --- */

/* Asks about each orphan. Without a terminal, only --yes agrees. --yes does not agree to removing a
 * young orphan, because another command may be making it just now. */
static bool agreed(const struct context *context, const struct orphan *orphan)
{
    char answer[16] = "";
    owned char *line = orphan_describe(orphan);
    if (cli_given(context, "yes"))
        return !orphan->young;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr, "%s. Remove it? [y/N] ", line);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static enum status clean_all(struct doctor *doctor)
{
    struct context *context = doctor->context;
    struct target target = {0};
    enum status status = project_target(&doctor->project, TARGET_AWS, &target, &context->error);
    size_t left = 0;
    for (size_t i = 0; i < doctor->orphans.count && !status; i++) {
        const struct orphan *orphan = &doctor->orphans.at[i];
        if (!agreed(context, orphan)) {
            left++;
            continue;
        }
        status = orphan_remove(&target, orphan, &context->error);
        cJSON *item = json_object();
        json_put_string(item, "kind", orphan_kind_name(orphan->kind));
        json_put_string(item, "name", orphan->name);
        cJSON_AddItemToArray(doctor->cleaned, item);
        if (!status)
            cli_say(context, "removed %s %s", orphan_kind_name(orphan->kind), orphan->name);
    }
    if (!status && left && !isatty(STDIN_FILENO)) {
        fail(&context->error, WRONG_USAGE, "%zu orphans were left: nobody can be asked here", left);
        status = advise(&context->error, "--clean --yes removes those that are older than an hour; "
                                         "younger ones somebody may just be making");
    }
    target_close(&target);
    return status;
}

/* Makes the revocation list of the local authority anew, where it cannot be read. */
static enum status mend_list(struct doctor *doctor)
{
    struct context *context = doctor->context;
    size_t count = 0;
    bool mended = false;
    enum status status = checkup_mend_revocations(&doctor->checkup, &doctor->project, &mended,
                                                  &count, &context->error);
    if (status || !mended)
        return status;
    cJSON *item = json_object();
    json_put_string(item, "kind", "revocations");
    json_put_string(item, "name", REVOCATION_LIST);
    cJSON_AddItemToArray(doctor->cleaned, item);
    cli_say(context, "made %s anew, with %zu certificates", REVOCATION_LIST, count);
    return FINE;
}

/* --- telling --- */

static void tell_json(struct doctor *doctor)
{
    static const char *const healths[] = {"well", "doubtful", "ill"};
    cJSON *answer = json_object(), *findings = json_array(), *orphans = json_array();
    for (size_t i = 0; i < doctor->checkup.count; i++) {
        const struct finding *finding = &doctor->checkup.at[i];
        cJSON *item = json_object();
        json_put_string(item, "what", finding->what);
        json_put_string(item, "health", healths[finding->health]);
        json_put_string(item, "text", finding->text);
        json_put_string(item, "advice", finding->advice);
        cJSON_AddItemToArray(findings, item);
    }
    for (size_t i = 0; i < doctor->orphans.count; i++) {
        cJSON *item = json_object();
        json_put_string(item, "kind", orphan_kind_name(doctor->orphans.at[i].kind));
        json_put_string(item, "name", doctor->orphans.at[i].name);
        cJSON_AddItemToArray(orphans, item);
    }
    json_put(answer, "findings", findings);
    json_put(answer, "orphans", orphans);
    json_put(answer, "cleaned", cJSON_Duplicate(doctor->cleaned, true));
    json_layout(answer, &doctor->context->out);
    cJSON_Delete(answer);
}

/* Adds lines: the first begins with `first`, the others are indented by its width. */
static void tell_lines(struct text *out, const char *first, const char *text)
{
    const char *end;
    for (; (end = strchr(text, '\n')); text = end + 1, first = "")
        text_add_format(out, "%-24s%.*s\n", first, (int)(end - text), text);
    text_add_format(out, "%-24s%s\n", first, text);
}

static void tell(struct doctor *doctor)
{
    static const char *const healths[] = {"ok", "look", "wrong"};
    for (size_t i = 0; i < doctor->checkup.count; i++) {
        const struct finding *finding = &doctor->checkup.at[i];
        owned char *first = must_format("%-7s%-14s", healths[finding->health], finding->what);
        tell_lines(&doctor->context->out, first, finding->text);
        if (finding->advice)
            tell_lines(&doctor->context->out, "", finding->advice);
    }
}

static enum status verdict(const struct doctor *doctor)
{
    struct error *error = &doctor->context->error;
    size_t ill = 0;
    for (size_t i = 0; i < doctor->checkup.count; i++)
        ill += doctor->checkup.at[i].health == ILL;
    if (!ill)
        return FINE;
    return fail(error, REFUSED, "%zu of %zu checks found something that will not work", ill,
                doctor->checkup.count);
}

/* --- the command --- */

static enum status examine(struct doctor *doctor)
{
    struct context *context = doctor->context;
    struct project *project = &doctor->project;
    struct checkup *checkup = &doctor->checkup;
    enum status status = FINE;
    thing_records_read(&doctor->records, project->system.target);
    checkup_records(checkup, &doctor->records);
    if (project->system.target == TARGET_LOCAL) {
        checkup_authority(checkup, project);
        checkup_local(checkup, project, &doctor->records);
    } else if (checkup_account(checkup, project)) {
        checkup_endpoint(checkup, project);
        status =
            checkup_orphans(checkup, project, &doctor->records, &doctor->orphans, &context->error);
    }
    if (!context->json)
        tell(doctor);
    if (!status && cli_given(context, "clean"))
        status = project->system.target == TARGET_AWS ? clean_all(doctor) : mend_list(doctor);
    if (context->json)
        tell_json(doctor);
    return status ? status : verdict(doctor);
}

enum status command_doctor(struct context *context)
{
    struct doctor doctor = {.context = context, .cleaned = json_array()};
    size_t length;
    if (cli_given(context, "policy")) {
        const char *policy = permissions_policy(&length);
        text_add(&context->out, policy, length);
        cJSON_Delete(doctor.cleaned);
        return FINE;
    }
    enum status status = command_load(context, &doctor.project);
    if (!status)
        status = examine(&doctor);
    orphans_free(&doctor.orphans); /* they point into the other two */
    checkup_free(&doctor.checkup);
    thing_records_free(&doctor.records);
    cJSON_Delete(doctor.cleaned);
    project_free(&doctor.project);
    return status;
}
