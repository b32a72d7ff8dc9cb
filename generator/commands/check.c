#include "commands.h"
#include "../../common/json.h"
#include "../../common/spec.h"
#include "../project.h"

#include <stdio.h>

struct tally {
    struct context *context;
    cJSON *problems;
    size_t specs, bad_specs, errors;
};

static void report(struct tally *tally, const struct spec *spec)
{
    struct text text = {0};
    tally->specs++;
    tally->bad_specs += spec->problems.errors > 0;
    tally->errors += spec->problems.errors;
    problems_to_json(&spec->problems, tally->problems);
    problems_write(&spec->problems, tally->context->colour, &text);
    if (!tally->context->json)
        fputs(text_string(&text), stderr);
    text_free(&text);
}

static enum status check_type(struct tally *tally, const char *type, const struct catalog *catalog)
{
    struct spec spec = {0};
    enum status status = spec_read_type(type, catalog, &spec, &tally->context->error);
    if (!status)
        report(tally, &spec);
    spec_free(&spec);
    return status;
}

static enum status check_system(struct tally *tally)
{
    struct spec spec = {0};
    enum status status = spec_read_system(&spec, &tally->context->error);
    if (!status)
        report(tally, &spec);
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
        say(context, "%zu error%s in %zu of %zu spec%s", tally->errors,
            tally->errors == 1 ? "" : "s", tally->bad_specs, tally->specs,
            tally->specs == 1 ? "" : "s");
    } else {
        say(context, "%zu spec%s, no errors", tally->specs, tally->specs == 1 ? "" : "s");
    }
}

enum status command_check(struct context *context)
{
    struct catalog catalog = {0};
    struct tally tally = {.context = context, .problems = json_array()};
    enum status status = project_open(context);
    if (!status)
        status = catalog_load(context->templates, &catalog, &context->error);
    for (size_t i = 0; i < context->operand_count && !status; i++)
        status = check_type(&tally, context->operands[i], &catalog);
    if (!status && !context->operand_count) {
        struct names *types = types_all();
        status = check_system(&tally);
        for (size_t i = 0; i < types->count && !status; i++)
            status = check_type(&tally, types->at[i], &catalog);
        names_free(types);
    }
    if (!status)
        conclude(&tally);
    catalog_free(&catalog);
    cJSON_Delete(tally.problems);
    return status ? status : tally.errors ? WRONG_INPUT : FINE;
}
