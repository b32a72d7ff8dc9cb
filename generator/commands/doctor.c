/* doctor: what would go wrong, before it does; and what was left behind, with an offer to clean it
 * up. */
#include "commands.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/project/project.h"
#include "generator/targets/account.h"
#include "generator/deploy/checkup.h"
#include "generator/thing/thing.h"
#include "generator/deploy/orphans.h"
#include "generator/thing/record.h"
#include "things.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct doctor {
    struct context *context;
    struct project project;
    struct checkup checkup;
    struct thing_records records;
    struct survey survey;
    struct orphans orphans;
    char *region; /* that is looked at */
    cJSON *cleaned;
};

/* --- the records of this project --- */

/* Those that a killed command left; on either target. */
static void check_records(struct doctor *doctor)
{
    struct text halves = {0};
    size_t count = 0, half = 0;
    for (size_t i = 0; i < doctor->records.names->count; i++) {
        const struct record *record = doctor->records.at[i];
        count += record != NULL;
        if (!record || record->state == RECORD_ACTIVE)
            continue;
        if (half++ < 8)
            text_add_format(&halves, "%s%s", half > 1 ? ", " : "", doctor->records.names->at[i]);
    }
    if (half)
        checkup_add(&doctor->checkup, "things", DOUBTFUL,
                    must_format("%zu of %zu are half-made: %s%s", half, count, text_string(&halves),
                                half > 8 ? ", ..." : ""),
                    must_copy("make list says what finishes each"));
    else
        checkup_add(&doctor->checkup, "things", WELL, must_format("%zu, none half-made", count),
                    NULL);
    text_free(&halves);
}

/* --- the local target --- */

static void check_local(struct doctor *doctor)
{
    struct context *context = doctor->context;
    struct target target = {0};
    struct text der = {0};
    struct error error = {0};
    if (project_target(&doctor->project, TARGET_LOCAL, &target, &context->error) ||
        (path_exists(AUTHORITY_FOLDER) && target.authority(&target, &der, &error))) {
        struct error *why = error.status ? &error : &context->error;
        checkup_add(&doctor->checkup, "authority", ILL, must_copy(text_string(&why->message)),
                    why->advice.length ? must_copy(text_string(&why->advice)) : NULL);
        error_free(&context->error);
    } else {
        checkup_add(&doctor->checkup, "authority", WELL,
                    must_copy(der.length ? "there, and whole" : "made with the first thing"), NULL);
    }
    error_free(&error);
    text_free(&der);
    target_close(&target);
}

/* --- orphans --- */

static void report_orphans(struct doctor *doctor)
{
    size_t count = doctor->orphans.count;
    if (!count) {
        checkup_add(&doctor->checkup, "orphans", WELL,
                    must_format("none among %zu things", doctor->survey.thing_count), NULL);
        return;
    }
    struct text list = {0};
    for (size_t i = 0; i < count && i < 20; i++) {
        owned char *line = orphan_describe(&doctor->orphans.at[i]);
        text_add_format(&list, "%s%s", i ? "\n" : "", line);
    }
    if (count > 20)
        text_add_format(&list, "\nand %zu more", count - 20);
    checkup_add(&doctor->checkup, "orphans", DOUBTFUL, text_take(&list),
                must_copy("sensorforge doctor --clean removes them, after asking"));
}

static enum status look_for_orphans(struct doctor *doctor, struct aws *aws)
{
    doctor->survey.reporter = doctor->project.reporter;
    enum status status = survey_take(aws, doctor->records.ids, doctor->records.id_count,
                                     &doctor->survey, &doctor->context->error);
    if (status)
        return status;
    const struct orphan_place place = {.account = doctor->checkup.account,
                                       .region = doctor->region};
    orphans_find(&doctor->survey, &doctor->records, &place, &doctor->orphans);
    report_orphans(doctor);
    return FINE;
}

/* --- cleaning --- */

/* Asked one by one; without a terminal only --yes is an answer, and none for what somebody may be
 * making just now. */
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

/* Lines behind the first stand under it. */
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

static enum status examine_account(struct doctor *doctor)
{
    struct context *context = doctor->context;
    const struct system *system = &doctor->project.system;
    struct aws *aws = NULL;
    enum status status = FINE;
    if (account_open(system, &doctor->project.account, &aws, &context->error)) {
        checkup_add(
            &doctor->checkup, "credentials", ILL, must_copy(text_string(&context->error.message)),
            context->error.advice.length ? must_copy(text_string(&context->error.advice)) : NULL);
        error_free(&context->error);
        return FINE;
    }
    doctor->region = must_copy(aws_region(aws));
    if (checkup_account(aws, system, &doctor->checkup))
        status = look_for_orphans(doctor, aws);
    aws_close(aws);
    return status;
}

static enum status examine(struct doctor *doctor)
{
    enum target_kind kind = doctor->project.system.target;
    enum status status = FINE;
    thing_records_read(&doctor->records, kind);
    check_records(doctor);
    if (kind == TARGET_AWS)
        status = examine_account(doctor);
    else
        check_local(doctor);
    if (!doctor->context->json)
        tell(doctor);
    if (!status && cli_given(doctor->context, "clean"))
        status = clean_all(doctor);
    if (doctor->context->json)
        tell_json(doctor);
    return status ? status : verdict(doctor);
}

enum status command_doctor(struct context *context)
{
    struct doctor doctor = {.context = context, .cleaned = json_array()};
    size_t length;
    if (cli_given(context, "policy")) {
        const char *policy = checkup_policy(&length);
        text_add(&context->out, policy, length);
        cJSON_Delete(doctor.cleaned);
        return FINE;
    }
    enum status status = command_load(context, &doctor.project);
    if (!status)
        status = examine(&doctor);
    checkup_free(&doctor.checkup);
    thing_records_free(&doctor.records);
    survey_free(&doctor.survey);
    orphans_free(&doctor.orphans);
    free(doctor.region);
    cJSON_Delete(doctor.cleaned);
    project_free(&doctor.project);
    return status;
}
