#include "commands.h"
#include "../../common/files.h"
#include "../../common/json.h"
#include "../../common/memory.h"
#include "../project.h"

#include <stdlib.h>
#include <string.h>

struct generation {
    struct project project;
    struct context *context;
    const char *set;
    char *out;    /* --out, seen from the root; NULL: each subject's own folder */
    bool several; /* subjects */
    struct emit_report total;
};

/* The folder that a subject's sets go into. */
static char *folder_for(const struct generation *generation, const char *subject)
{
    if (!generation->out)
        return generated_folder(subject);
    return generation->several ? path_join(generation->out, subject) : must_copy(generation->out);
}

static enum status generate(struct generation *generation, const char *subject)
{
    struct context *context = generation->context;
    struct artifacts artifacts = {0};
    struct emit_report report = {0};
    owned char *folder = folder_for(generation, subject);
    owned char *only = generation->set ? must_format("%s/", generation->set) : NULL;
    enum status status = project_render(&generation->project, subject, generation->set, &artifacts);
    if (!status && option_given(context, "diff") && !context->json)
        status = emit_diff(folder, &artifacts, only, &context->out, &context->error);
    if (!status)
        status = emit_write(folder, &artifacts, only, option_given(context, "diff"), &report,
                            &context->error);
    if (!status)
        say_more(context, "%s: %zu written, %zu removed, %zu unchanged in %s", subject,
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
    bool diff = option_given(context, "diff");
    if (context->json) {
        cJSON *answer = json_object();
        json_put_bool(answer, "dry_run", diff);
        json_put_number(answer, "written", (double)total->written);
        json_put_number(answer, "unchanged", (double)total->unchanged);
        json_put_number(answer, "removed", (double)total->removed);
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else {
        say(context, "%zu %s: %zu files %s, %zu removed, %zu unchanged", subjects,
            subjects == 1 ? "subject" : "subjects", total->written,
            diff ? "would be written" : "written", total->removed, total->unchanged);
    }
}

/* The subjects named, or with --all the system and every type. */
static enum status choose_subjects(struct context *context, struct names **subjects)
{
    bool all = option_given(context, "all");
    *subjects = all ? types_all() : must_alloc(sizeof **subjects);
    if (all == (context->operand_count > 0)) {
        fail(&context->error, WRONG_USAGE,
             all ? "--all leaves nothing to name" : "generate needs a TYPE, system, or --all");
        return WRONG_USAGE;
    }
    for (size_t i = 0; i < context->operand_count + all; i++) {
        (*subjects)->at = must_grow((*subjects)->at, (*subjects)->count, &(*subjects)->room,
                                    sizeof *(*subjects)->at);
        (*subjects)->at[(*subjects)->count++] = must_copy(all ? "system" : context->operands[i]);
    }
    return FINE;
}

enum status command_generate(struct context *context)
{
    struct generation generation = {.context = context, .set = option_value(context, "set")};
    struct names *subjects = NULL;
    enum status status = project_load(context, &generation.project);
    if (!status && option_given(context, "out"))
        generation.out = user_path(context, option_value(context, "out"));
    if (!status)
        status = choose_subjects(context, &subjects);
    generation.several = subjects && subjects->count > 1;
    if (!status && generation.several)
        status = project_check(&generation.project, subjects->at, subjects->count);
    for (size_t i = 0; subjects && i < subjects->count && !status; i++)
        status = generate(&generation, subjects->at[i]);
    if (!status && subjects)
        conclude(&generation, subjects->count);
    names_free(subjects);
    free(generation.out);
    project_free(&generation.project);
    return status;
}
