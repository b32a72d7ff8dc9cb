/* Another authority in the place of the local one, in two steps: generator/targets/local_renewal.c. */
#include "commands.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hint.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "generator/local/certificates.h"
#include "generator/local/services.h"
#include "generator/project/project.h"
#include "generator/targets/target.h"

#include <stdlib.h>

/* A year before its end, an authority may be renewed without another word. */
enum { EARLY = 365 * 24 * 60 * 60 /* seconds */ };

/* --- the local system --- */

/* Programs that run read what they trust when they start. Their own certificates are made again where
 * another authority signs them now. */
static enum status renew_services(struct context *context, struct project *project)
{
    struct error *error = &context->error;
    struct service_programs programs = {0};
    int lock = -1;
    bool renewed = false, restarted = false;
    if (!path_exists(BROKER_CERTIFICATE))
        return FINE;
    enum status status = lock_folder(LOCAL_FOLDER, true, &lock, error);
    if (!status)
        status = certificates_renew(&project->system, &renewed, error);
    if (!status)
        status = service_find_programs(&programs, error);
    if (!status)
        status = services_restart(&programs, renewed ? time(NULL) : certificates_trust_changed(),
                                  &restarted, error);
    if (!status && restarted)
        cli_say(context, "the local system was started again: things connect again by themselves");
    service_free_programs(&programs);
    unlock(&lock);
    return status;
}

/* --- the steps --- */

static enum status refuse_early(struct context *context, const struct renewal *renewal)
{
    char ends[CLOCK_TEXT];
    clock_write(renewal->ends, ends);
    fail(&context->error, REFUSED, "the authority is valid until %.10s", ends);
    return advise(&context->error,
                  "each thing will need a new certificate, and its board the package with it. To "
                  "renew the authority all the same: make renew yes=yes");
}

static bool is_early(const struct renewal *renewal)
{
    return !renewal->under_way && difftime(renewal->ends, time(NULL)) > EARLY;
}

static enum status take_step(struct context *context, struct target *target,
                             const struct renewal *before, bool *done)
{
    const bool finish = cli_given(context, "finish");
    *done = false;
    if (cli_given(context, "dry-run") || !before->ends)
        return FINE;
    if (!finish && is_early(before) && !cli_given(context, "yes"))
        return refuse_early(context, before);
    return local_renew(target, finish, done, &context->error);
}

/* --- telling --- */

static void tell_left(const struct names *left, struct text *out)
{
    for (size_t i = 0; i < left->count; i++)
        text_add_format(out, "%-10s %s\n", i ? "" : "left", left->at[i]);
    if (left->count)
        hint_add(out, "next       make rotate name=..., make flash name=..., for each of them\n");
    else
        hint_add(out, "next       make renew finish=yes: no thing needs the old one any more\n");
}

static void tell(const struct renewal *renewal, bool done, struct text *out)
{
    char ends[CLOCK_TEXT], former[CLOCK_TEXT];
    clock_write(renewal->ends, ends);
    clock_write(renewal->former_ends, former);
    if (!renewal->ends)
        text_add_string(out, "authority  made with the first thing\n");
    else if (renewal->under_way)
        text_add_format(out,
                        "authority  %s, until %.10s; it signs from now on\n"
                        "former     trusted besides, until %.10s at most\n",
                        done ? "made anew" : "is renewed", ends, former);
    else
        text_add_format(out, "authority  until %.10s%s\n", ends,
                        done ? "; the one before it is not trusted any more" : "");
    if (renewal->under_way)
        tell_left(renewal->left, out);
}

static void tell_json(const struct renewal *renewal, bool done, struct text *out)
{
    cJSON *answer = json_object(), *left = json_array();
    char ends[CLOCK_TEXT], former[CLOCK_TEXT];
    clock_write(renewal->ends, ends);
    clock_write(renewal->former_ends, former);
    for (size_t i = 0; renewal->left && i < renewal->left->count; i++)
        cJSON_AddItemToArray(left, cJSON_CreateString(renewal->left->at[i]));
    json_put_bool(answer, "under_way", renewal->under_way);
    json_put_bool(answer, "done", done);
    if (renewal->ends)
        json_put_string(answer, "ends", ends);
    if (renewal->under_way)
        json_put_string(answer, "former_ends", former);
    json_put(answer, "left", left);
    json_layout(answer, out);
    cJSON_Delete(answer);
}

/* --- the command --- */

static enum status renew(struct context *context, struct project *project, struct target *target)
{
    struct renewal before = {0}, now = {0};
    bool done = false;
    enum status status = local_renewal(target, &before, &context->error);
    if (!status)
        status = take_step(context, target, &before, &done);
    if (!status && !cli_given(context, "dry-run"))
        status = renew_services(context, project);
    if (!status)
        status = local_renewal(target, &now, &context->error);
    if (!status && context->json)
        tell_json(&now, done, &context->out);
    else if (!status)
        tell(&now, done, &context->out);
    renewal_free(&before);
    renewal_free(&now);
    return status;
}

enum status command_renew(struct context *context)
{
    struct project project;
    struct target target = {0};
    enum status status = command_load(context, &project);
    if (!status)
        status = project_target(&project, TARGET_LOCAL, &target, &context->error);
    if (!status)
        status = renew(context, &project, &target);
    target_close(&target);
    project_free(&project);
    return status;
}
