#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "generate.h"
#include "generator/project/types.h"

#include <stdlib.h>
#include <string.h>

struct generation {
    struct project *project;
    struct context *context;
    const char *set;
    bool diff;    /* show what would change, and change nothing */
    char *out;    /* the path of --out; NULL: each subject has its own folder */
    bool several; /* more than one subject, each in a folder of --out */
    struct emit_report total;
};

/* The folder for the sets of a subject; freed by the caller. */
static char *folder_for(const struct generation *generation, const char *subject)
{
    if (!generation->out)
        return project_folder(subject);
    return generation->several ? path_join(generation->out, subject) : must_copy(generation->out);
}

static enum status generate(struct generation *generation, const char *subject)
{
    struct context *context = generation->context;
    struct artifacts artifacts = {0};
    struct emit_report report = {0};
    owned char *folder = folder_for(generation, subject);
    owned char *only = generation->set ? must_format("%s/", generation->set) : NULL;
    enum status status =
        project_render(generation->project, subject, generation->set, &artifacts, &context->error);
    if (!status && generation->diff && !context->json)
        status = emit_diff(folder, &artifacts, only, &context->out, &context->error);
    if (!status)
        status = emit_write(folder, &artifacts, only, generation->diff, &report, &context->error);
    if (!status)
        cli_say_more(context, "%s: %zu written, %zu removed, %zu unchanged in %s", subject,
                     report.written, report.removed, report.unchanged, folder);
    generation->total.written += report.written;
    generation->total.unchanged += report.unchanged;
    generation->total.removed += report.removed;
    artifacts_free(&artifacts);
    return status;
}

static void conclude(const struct generation *generation, size_t subjects)
{
    const struct emit_report *total = &generation->total;
    struct context *context = generation->context;
    bool diff = generation->diff;
    if (context->json) {
        cJSON *answer = json_object();
        json_put_bool(answer, "dry_run", diff);
        json_put_number(answer, "written", (double)total->written);
        json_put_number(answer, "unchanged", (double)total->unchanged);
        json_put_number(answer, "removed", (double)total->removed);
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else {
        cli_say(context, "%zu %s: %zu files %s, %zu removed, %zu unchanged", subjects,
                subjects == 1 ? "subject" : "subjects", total->written,
                diff ? "would be written" : "written", total->removed, total->unchanged);
    }
}

static enum status generate_all(struct generation *generation, const struct names *subjects)
{
    enum status status = FINE;
    generation->several = subjects->count > 1;
    if (generation->several)
        status = project_check(generation->project, subjects->at, subjects->count,
                               &generation->context->error);
    for (size_t i = 0; i < subjects->count && !status; i++)
        status = generate(generation, subjects->at[i]);
    if (!status)
        conclude(generation, subjects->count);
    return status;
}

enum status generate_diff(struct context *context, struct project *project,
                          const struct names *subjects)
{
    struct generation generation = {.project = project, .context = context, .diff = true};
    return generate_all(&generation, subjects);
}

struct names *generate_subjects(const struct context *context, bool all)
{
    struct names *chosen = all ? types_all() : must_alloc(sizeof *chosen);
    for (size_t i = 0; i < context->operand_count + all; i++) {
        chosen->at = must_grow(chosen->at, chosen->count, &chosen->room, sizeof *chosen->at);
        chosen->at[chosen->count++] = must_copy(all ? "system" : context->operands[i]);
    }
    return chosen;
}

enum status command_generate(struct context *context)
{
    struct project project;
    struct generation generation = {.project = &project,
                                    .context = context,
                                    .set = cli_value(context, "set"),
                                    .diff = cli_given(context, "diff")};
    bool all = cli_given(context, "all");
    enum status status = command_load(context, &project);
    if (!status && cli_given(context, "out"))
        generation.out = project_path(&project, cli_value(context, "out"));
    if (!status && all == (context->operand_count > 0))
        status =
            fail(&context->error, WRONG_USAGE,
                 all ? "--all leaves nothing to name" : "generate needs a TYPE, system, or --all");
    if (!status) {
        struct names *subjects = generate_subjects(context, all);
        status = generate_all(&generation, subjects);
        names_free(subjects);
    }
    free(generation.out);
    project_free(&project);
    return status;
}
