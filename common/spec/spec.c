/* What a schema cannot say: names that must be known elsewhere in the file, in another file, or
 * among what ships. Each check looks up the tree for places and the checked JSON for values; where
 * the schema already found a value wrong, the JSON does not have it and the check is silent. */
#include "spec.h"
#include "check_automation.h"
#include "check_drivers.h"
#include "checks.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "common/base/valid.h"
#include "common/rule/rule.h"
#include "pattern.h"
#include "schema.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The most that are reported of one statement. Finding the place of each takes time in proportion
 * to the length of the statement. */
enum { MOST_UNKNOWN_FIELDS = 100 };

/* --- identity and platform --- */

static void check_identity(struct checked *spec)
{
    const char *type = json_string(spec->json, "type", NULL);
    if (!valid_type_name(spec->name))
        problem_add(spec->problems, ERROR, spec->root->place,
                    must_copy("3 to 48 lower-case letters, digits and _, a letter first; not "
                              "system, nor sqlite_..."),
                    "the folder \"%s\" cannot be the name of a type", spec->name);
    else if (type && strcmp(type, spec->name) != 0)
        problem_add(spec->problems, ERROR, checks_at(spec->root, "type"),
                    must_format("write \"type: %s\", or rename the folder", spec->name),
                    "the type is called \"%s\" and its folder \"%s\"", type, spec->name);
}

/* A way to sleep that the platform takes, but not as one might think. */
static void check_sleep(struct checked *spec, const cJSON *platform, const char *sleep)
{
    const char *note = json_string(json_get(platform, "sleep_notes"), sleep, NULL);
    if (note)
        problem_add(spec->problems, WARNING, checks_at(spec->root, "sleep"), NULL, "%s", note);
}

static void check_platform(struct checked *spec)
{
    const char *name = json_string(spec->json, "platform", NULL);
    if (!name)
        return;
    const cJSON *platform = catalog_platform(spec->catalog, name), *way;
    if (!platform) {
        problem_add(spec->problems, ERROR, checks_at(spec->root, "platform"),
                    choice_hint(name, spec->catalog->platform_names->at,
                                spec->catalog->platform_names->count),
                    "\"%s\" is not a platform", name);
        return;
    }
    const char *sleep = json_string(spec->json, "sleep", NULL);
    if (!sleep)
        return;
    const char *ways[8];
    size_t count = 0;
    cJSON_ArrayForEach(way, json_get(platform, "sleep"))
    {
        if (strcmp(way->valuestring, sleep) == 0) {
            check_sleep(spec, platform, sleep);
            return;
        }
        if (count < 8)
            ways[count++] = way->valuestring;
    }
    problem_add(spec->problems, ERROR, checks_at(spec->root, "sleep"),
                choice_hint(sleep, ways, count), "%s cannot sleep \"%s\"", name, sleep);
}

static void check_commands(struct checked *spec)
{
    if (json_true(spec->json, "commands") &&
        strcmp(json_string(spec->json, "sleep", ""), "deep") == 0)
        problem_add(spec->problems, WARNING, checks_at(spec->root, "sleep"),
                    must_copy("a command waits for the next reading; sleep: none hears it at once"),
                    "a thing in deep sleep hears commands only while it is awake");
}

/* --- attributes and measures --- */

static void check_attribute(struct checked *spec, const cJSON *attribute)
{
    const char *name = attribute->string;
    const char *pattern = json_string(attribute, "pattern", NULL);
    const char *otherwise = json_string(attribute, "default", NULL);
    char why[128];
    size_t offset;
    if (json_get(json_get(spec->json, "measures"), name))
        problem_add(spec->problems, ERROR,
                    yaml_key(yaml_get(spec->root, "attributes"), name)->place, NULL,
                    "\"%s\" is a measure too; a column has one meaning", name);
    if (!pattern)
        return;
    const struct yaml_node *attributes = yaml_get(spec->root, "attributes");
    if (!pattern_valid(pattern, why, &offset)) {
        const struct yaml_node *node = yaml_get(yaml_get(attributes, name), "pattern");
        problem_add(spec->problems, ERROR, yaml_place_inside(spec->source, node, offset), NULL,
                    "this is not a regular expression: %s", why);
    } else if (otherwise && !pattern_matches(pattern, otherwise)) {
        problem_add(spec->problems, ERROR, checks_at(attributes, name, "default"), NULL,
                    "the default \"%s\" does not match the pattern %s", otherwise, pattern);
    }
}

static void check_range(struct checked *spec, const cJSON *measure, const struct yaml_node *node)
{
    const cJSON *valid = json_get(measure, "valid");
    const cJSON *least = json_get(valid, "min"), *most = json_get(valid, "max");
    if (!valid)
        return;
    if (!checks_is_numeric(measure)) {
        problem_add(spec->problems, ERROR, yaml_key(node, "valid")->place, NULL,
                    "a %s has no range", json_string(measure, "type", ""));
        return;
    }
    if (least && most && least->valuedouble > most->valuedouble)
        problem_add(spec->problems, ERROR, checks_at(node, "valid", "min"), NULL,
                    "min (%.15g) is larger than max (%.15g)", least->valuedouble,
                    most->valuedouble);
    if (strcmp(json_string(measure, "type", ""), "bigint") != 0)
        return;
    for (const cJSON *limit = valid->child; limit; limit = limit->next)
        if (limit->valuedouble != trunc(limit->valuedouble))
            problem_add(spec->problems, ERROR, checks_at(node, "valid", limit->string), NULL,
                        "a bigint's limit must be a whole number");
}

/* A reading without any measure would be valid, and no table has a place for it. */
static void check_optional(struct checked *spec)
{
    const cJSON *measures = json_get(spec->json, "measures"), *measure;
    cJSON_ArrayForEach(measure, measures)
    {
        if (!json_true(measure, "optional"))
            return;
    }
    if (!measures || !measures->child)
        return;
    problem_add(spec->problems, ERROR, yaml_key(spec->root, "measures")->place,
                must_copy("remove \"optional: true\" from one that each reading has"),
                "every measure is optional, so a reading could be empty");
}

static void check_ranges(struct checked *spec)
{
    const struct yaml_node *measures = yaml_get(spec->root, "measures");
    const cJSON *measure;
    cJSON_ArrayForEach(measure, json_get(spec->json, "measures"))
        check_range(spec, measure, yaml_get(measures, measure->string));
}

/* --- rule --- */

/* The place of a part of the statement in the file. Of a part that goes over the end of a line,
 * only the first character is marked. */
static struct place place_of_sql(const struct checked *spec, const struct yaml_node *node,
                                 const char *sql, struct rule_span span)
{
    struct place place = yaml_place_inside(spec->source, node, span.offset);
    size_t length = strnlen(sql + span.offset, span.length);
    bool one_line = length && !memchr(sql + span.offset, '\n', length);
    place.width = one_line ? utf8_length(sql + span.offset, length) : 1;
    return place;
}

static void check_fields(struct checked *spec, const struct yaml_node *node, const char *sql,
                         const struct rule_outline *outline)
{
    cJSON *known = json_object();
    const cJSON *member;
    cJSON_ArrayForEach(member, json_get(spec->json, "measures"))
        json_put_bool(known, member->string, true);
    cJSON_ArrayForEach(member, json_get(spec->json, "attributes"))
        json_put_bool(known, member->string, true);
    json_put_bool(known, "time", true);
    size_t most = spec->problems->errors + MOST_UNKNOWN_FIELDS;
    for (size_t i = 0; i < outline->field_count && spec->problems->errors < most; i++) {
        struct rule_span span = outline->fields[i];
        owned char *name = must_copy_bytes(sql + span.offset, span.length);
        if (!json_get(known, name))
            problem_add(spec->problems, ERROR, place_of_sql(spec, node, sql, span),
                        checks_hint_of_keys(name, known),
                        "\"%s\" is neither a measure nor an attribute", name);
    }
    cJSON_Delete(known);
}

/* The columns that every table has are added behind the list; the list must not name them, too. */
static void check_columns(struct checked *spec, const struct yaml_node *node, const char *sql,
                          const struct rule_outline *outline)
{
    static const char *const own[] = {"time", "thing", "expires"};
    for (size_t i = 0; i < outline->column_count; i++) {
        const struct rule_column *column = &outline->columns[i];
        for (size_t j = 0; j < sizeof own / sizeof *own; j++)
            if (column->length == strlen(own[j]) &&
                memcmp(column->name, own[j], column->length) == 0)
                problem_add(spec->problems, ERROR, place_of_sql(spec, node, sql, column->span),
                            must_copy("leave it out, or give it another name with AS"),
                            "\"%s\" is a column of every table already", own[j]);
    }
}

static void check_notes(struct checked *spec, const struct yaml_node *node, const char *sql,
                        const struct rule_outline *outline)
{
    for (size_t i = 0; i < outline->note_count; i++)
        problem_add(spec->problems, WARNING, place_of_sql(spec, node, sql, outline->notes[i].span),
                    NULL, "%s", outline->notes[i].message);
}

static void check_filter(struct checked *spec, const struct yaml_node *node, const char *sql,
                         const struct rule *rule)
{
    const struct rule_outline *outline = rule_outline(rule);
    const char *filter = rule_filter(rule);
    owned char *wanted = must_format("%s/+", spec->name);
    if (filter && strcmp(filter, wanted) == 0)
        return;
    struct rule_span list_end = {outline->list.offset + outline->list.length, 1};
    if (filter)
        problem_add(spec->problems, ERROR, place_of_sql(spec, node, sql, outline->filter),
                    must_format("write '%s'", wanted),
                    "things of this type publish to %s/<thing>, not to %s", spec->name, filter);
    else
        problem_add(spec->problems, ERROR, place_of_sql(spec, node, sql, list_end),
                    must_format("write FROM '%s'", wanted), "FROM and a topic filter are missing");
}

static void check_ranges_unused(struct checked *spec)
{
    const struct yaml_node *measures = yaml_get(spec->root, "measures");
    for (size_t i = 0; measures && measures->kind == YAML_MAP && i < measures->count; i++) {
        const struct yaml_node *valid = yaml_key(measures->items[i], "valid");
        if (valid)
            problem_add(spec->problems, WARNING, valid->place, NULL,
                        "the rule written by hand decides what is valid, not this range");
    }
}

static struct rule *compile_rule(struct checked *spec, const struct yaml_node *node,
                                 const char *sql)
{
    const char *name = json_string(json_get(spec->json, "rule"), "sql_version", "2015-10-08");
    struct rule_fault fault;
    enum rule_version version;
    rule_version_read(name, &version); /* the schema has reported an unknown version */
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    if (!rule)
        problem_add(spec->problems, ERROR,
                    place_of_sql(spec, node, sql, (struct rule_span){fault.offset, fault.length}),
                    *fault.hint ? must_copy(fault.hint) : NULL, "%s", fault.message);
    return rule;
}

static void check_rule(struct checked *spec)
{
    const struct yaml_node *node = yaml_get(yaml_get(spec->root, "rule"), "sql");
    const char *sql = json_string(json_get(spec->json, "rule"), "sql", NULL);
    struct rule *rule = sql && node ? compile_rule(spec, node, sql) : NULL;
    if (!rule)
        return;
    const struct rule_outline *outline = rule_outline(rule);
    if (outline->value)
        problem_add(spec->problems, ERROR, place_of_sql(spec, node, sql, outline->value_word), NULL,
                    "a rule fills columns; SELECT VALUE has none");
    check_filter(spec, node, sql, rule);
    check_fields(spec, node, sql, outline);
    check_columns(spec, node, sql, outline);
    check_notes(spec, node, sql, outline);
    check_ranges_unused(spec);
    rule_free(rule);
}

/* --- reading --- */

static enum status read_spec(const char *path, const char *name, const char *schema,
                             struct spec *spec, struct error *error)
{
    *spec = (struct spec){.name = must_copy(name), .source = {.name = must_copy(path)}};
    spec->problems.source = &spec->source;
    enum status status = read_file(path, YAML_LARGEST, &spec->source.bytes, error);
    if (status)
        return status;
    yaml_tree_load(&spec->source, &spec->yaml, &spec->problems);
    if (spec->yaml.root || !spec->problems.errors)
        spec->json = schema_check(schema_named(schema), schema_named(schema), spec->yaml.root,
                                  &spec->problems);
    return FINE;
}

/* The platform and the drivers that the spec names. */
static enum status read_what_it_names(const cJSON *spec, struct catalog *catalog,
                                      struct error *error)
{
    const cJSON *measure;
    const char *platform = json_string(spec, "platform", "");
    const char *display = json_string(json_get(spec, "display"), "driver", "");
    enum status status = catalog_read_platform(catalog, platform, error);
    if (!status)
        status = catalog_read_driver(catalog, display, error);
    cJSON_ArrayForEach(measure, json_get(spec, "measures"))
    {
        const char *driver = json_string(json_get(measure, "driver"), "name", "");
        if (!status)
            status = catalog_read_driver(catalog, driver, error);
    }
    return status;
}

enum status spec_read_type(const char *name, struct catalog *catalog, struct spec *spec,
                           struct error *error)
{
    owned char *path = must_format(TYPE_SPEC, name);
    if (!*name || *name == '.' || strchr(name, '/') || !path_exists(path)) {
        struct names *types = names_of_folders(TYPES_FOLDER, SPEC_FILE);
        *spec = (struct spec){0};
        fail(error, WRONG_INPUT, "there is no sensor type \"%s\"", name);
        owned char *hint = choice_hint(name, types->at, types->count);
        advise(error, types->count ? "%s" : "make new NAME=<type> makes one", hint);
        names_free(types);
        return WRONG_INPUT;
    }
    enum status status = read_spec(path, name, "sensortype", spec, error);
    if (!status)
        status = read_what_it_names(spec->json, catalog, error);
    if (status)
        return status;
    if (spec->yaml.root && spec->yaml.root->kind == YAML_MAP) {
        struct checked checked = {name,       &spec->source,   catalog,
                                  spec->json, spec->yaml.root, &spec->problems};
        check_identity(&checked);
        check_platform(&checked);
        check_commands(&checked);
        const cJSON *attribute;
        cJSON_ArrayForEach(attribute, json_get(spec->json, "attributes"))
            check_attribute(&checked, attribute);
        check_ranges(&checked);
        check_optional(&checked);
        check_drivers(&checked);
        check_rule(&checked);
        check_automation(&checked);
    }
    problems_sort(&spec->problems);
    return FINE;
}

enum status spec_read_system(struct spec *spec, struct error *error)
{
    enum status status = read_spec(SYSTEM_FILE, "system", "system", spec, error);
    problems_sort(&spec->problems);
    return status;
}

void spec_free(struct spec *spec)
{
    free(spec->name);
    cJSON_Delete(spec->json);
    yaml_tree_free(&spec->yaml);
    problems_free(&spec->problems);
    source_free(&spec->source);
    *spec = (struct spec){0};
}

enum status spec_require(const struct spec *spec, struct error *error)
{
    if (!spec->problems.errors)
        return FINE;
    struct text report = {0};
    problems_write(&spec->problems, false, &report);
    enum status status = fail(error, WRONG_INPUT, "%s has %zu error%s\n%.*s", spec->source.name,
                              spec->problems.errors, spec->problems.errors == 1 ? "" : "s",
                              (int)(report.length - 1), text_string(&report));
    text_free(&report);
    return status;
}
