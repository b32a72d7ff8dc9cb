#include "commands.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/system.h"
#include "common/spec/spec.h"
#include "generator/documents/model.h"
#include "generator/project/types.h"
#include "generator/project/project.h"
#include "generator/thing/syntax.h"
#include "generator/trial/warnings.h"

#include <stdio.h>

struct tally {
    struct context *context;
    struct project project; /* its system is set only when system.yaml has no errors */
    struct spec system;     /* of system.yaml, with its problems */
    struct syntax syntax;
    cJSON *problems;
    size_t specs, bad_specs, errors;
};

static void show(struct tally *tally, const struct problems *problems)
{
    struct text text = {0};
    tally->errors += problems->errors;
    problems_to_json(problems, tally->problems);
    problems_write(problems, tally->context->colour, &text);
    if (!tally->context->json)
        fputs(text_string(&text), stderr);
    text_free(&text);
}

static void report(struct tally *tally, const struct spec *spec, size_t errors_of_code)
{
    tally->specs++;
    tally->bad_specs += spec->problems.errors + errors_of_code > 0;
    show(tally, &spec->problems);
}

/* --- the type's own code --- */

static enum status check_source(struct tally *tally, const char *script, const char *path,
                                const struct text *bytes, size_t *errors)
{
    struct source source = {.name = must_copy(path)};
    struct problems problems = {.source = &source};
    text_add(&source.bytes, text_string(bytes), bytes->length);
    enum status status = syntax_check(&tally->syntax, script, &problems, &tally->context->error);
    *errors += problems.errors;
    show(tally, &problems);
    problems_free(&problems);
    source_free(&source);
    return status;
}

/* *errors: how many there are in all sources. */
static enum status check_code(struct tally *tally, const char *type, size_t *errors)
{
    struct artifacts code = {0};
    owned char *folder = must_format(TYPE_CODE, type);
    owned char *script = project_tool(&tally->project, "scripts/mpy-cross");
    enum status status = template_set_add_folder(&code, folder, ".md", &tally->context->error);
    for (size_t i = 0; i < code.count && !status; i++) {
        owned char *path = path_join(folder, code.at[i].path);
        if (ends_with(path, ".py"))
            status = check_source(tally, script, path, &code.at[i].bytes, errors);
    }
    artifacts_free(&code);
    return status;
}

/* --- a type --- */

/* Documents that cannot be rendered or executed are the fault of a template, so they are a warning.
 */
static void check_documents(struct tally *tally, const char *type, struct spec *spec)
{
    struct context *context = tally->context;
    struct artifacts documents = {0};
    struct trial trial = {0};
    cJSON *model = model_of_type(&tally->project.system, spec->json, &tally->project.catalog);
    enum status status =
        project_render(&tally->project, type, "awscli", &documents, &context->error);
    if (!status)
        status = trial_open(&documents, model, &trial, &context->error);
    if (!status)
        warnings_find(spec, &trial, json_get(model, "type"), tally->project.system.aws.store);
    else
        problem_add(&spec->problems, WARNING, (struct place){0}, NULL,
                    "its rules and policy cannot be tried: %s",
                    text_string(&context->error.message));
    error_free(&context->error);
    trial_close(&trial);
    artifacts_free(&documents);
    cJSON_Delete(model);
}

static enum status check_type(struct tally *tally, const char *type)
{
    struct spec spec = {0};
    enum status status =
        spec_read_type(type, &tally->project.catalog, &spec, &tally->context->error);
    if (!status && !spec.problems.errors && !tally->system.problems.errors)
        check_documents(tally, type, &spec);
    size_t errors_of_code = 0;
    if (!status)
        status = check_code(tally, type, &errors_of_code);
    if (!status)
        report(tally, &spec, errors_of_code);
    spec_free(&spec);
    return status;
}

static void conclude(const struct tally *tally)
{
    struct context *context = tally->context;
    if (context->json) {
        cJSON *answer = json_object();
        json_put_number(answer, "specs", (double)tally->specs);
        json_put_number(answer, "errors", (double)tally->errors);
        json_put(answer, "problems", cJSON_Duplicate(tally->problems, true));
        json_layout(answer, &context->out);
        cJSON_Delete(answer);
    } else if (tally->errors) {
        cli_say(context, "%zu error%s in %zu of %zu spec%s", tally->errors,
                tally->errors == 1 ? "" : "s", tally->bad_specs, tally->specs,
                tally->specs == 1 ? "" : "s");
    } else {
        cli_say(context, "%zu spec%s, no errors", tally->specs, tally->specs == 1 ? "" : "s");
    }
}

enum status command_check(struct context *context)
{
    struct tally tally = {.context = context, .problems = json_array()};
    struct project *project = &tally.project;
    enum status status = command_find(context, project);
    if (!status && context->operand_count)
        catalog_open(project->templates, &project->catalog);
    else if (!status)
        status = catalog_load(project->templates, &project->catalog, &context->error);
    if (!status)
        status = spec_read_system(&tally.system, &context->error);
    if (!status && !tally.system.problems.errors)
        system_take(&tally.system, &project->system);
    for (size_t i = 0; i < context->operand_count && !status; i++)
        status = check_type(&tally, context->operands[i]);
    if (!status && !context->operand_count) {
        struct names *types = types_all();
        report(&tally, &tally.system, 0);
        for (size_t i = 0; i < types->count && !status; i++)
            status = check_type(&tally, types->at[i]);
        names_free(types);
    }
    if (!status)
        conclude(&tally);
    syntax_free(&tally.syntax);
    spec_free(&tally.system);
    project_free(project);
    cJSON_Delete(tally.problems);
    return status ? status : tally.errors ? WRONG_INPUT : FINE;
}
