#include "check_automation.h"

#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

static void check_presence(struct checked *spec)
{
    const char *silent = json_string(json_get(spec->json, "presence"), "silent_after", NULL);
    const char *every = json_string(spec->json, "publish_every", NULL);
    if (silent && every && clock_duration(silent) <= clock_duration(every))
        problem_add(spec->problems, ERROR, checks_at(spec->root, "presence", "silent_after"), NULL,
                    "silent_after (%s) must be longer than publish_every (%s)", silent, every);
}

/* Whether the type that a control commands is there and listens. Only that much of its spec is
 * read, so that two types may control each other. */
static void check_commanded(struct checked *spec, const char *type, struct place place)
{
    owned char *path = must_format(TYPE_SPEC, type);
    struct error unread = {0};
    struct source source = {.name = must_copy(path)};
    struct problems ignored = {.source = &source};
    struct yaml yaml = {0};
    if (read_file(path, YAML_LARGEST, &source.bytes, &unread)) {
        struct names *types = names_of_folders(TYPES_FOLDER, SPEC_FILE);
        problem_add(spec->problems, ERROR, place, choice_hint(type, types->at, types->count),
                    "there is no type \"%s\" to command", type);
        names_free(types);
    } else {
        yaml_tree_load(&source, &yaml, &ignored);
        const struct yaml_node *listens = yaml_get(yaml.root, "commands");
        if (!listens || listens->kind != YAML_SCALAR || yaml_meaning(listens, NULL) != YAML_TRUE)
            problem_add(spec->problems, ERROR, place,
                        must_format("add \"commands: true\" to %s", path),
                        "things of type \"%s\" do not listen to commands", type);
    }
    yaml_tree_free(&yaml);
    problems_free(&ignored);
    source_free(&source);
    error_free(&unread);
}

static void check_control_topic(struct checked *spec, const cJSON *control,
                                const struct yaml_node *node)
{
    const char *topic = json_string(json_get(control, "publish"), "topic", NULL);
    const char *by = json_string(json_get(control, "measure"), "by", NULL);
    if (!topic)
        return;
    const struct yaml_node *text = yaml_get(yaml_get(node, "publish"), "topic");
    for (const char *brace = topic; (brace = strchr(brace, '{')); brace++) {
        size_t length = strcspn(brace + 1, "}");
        owned char *name = must_copy_bytes(brace + 1, length);
        struct place place = yaml_place_inside(spec->source, text, (size_t)(brace - topic));
        place.width = utf8_length(name, length) + 2;
        if (!by || strcmp(name, by) != 0)
            problem_add(spec->problems, ERROR, place,
                        by ? must_format("write {%s}", by)
                           : must_copy("add \"by: <attribute>\" to measure"),
                        "{%s} is not what this control groups by", name);
    }
    owned char *type = must_copy_bytes(topic, strcspn(topic, "/"));
    check_commanded(spec, type, text->place);
}

static void check_thresholds(struct checked *spec, const cJSON *control,
                             const struct yaml_node *node)
{
    const cJSON *on = json_get(control, "switch_on"), *off = json_get(control, "switch_off");
    const cJSON *on_above = json_get(on, "above"), *off_below = json_get(off, "below");
    const cJSON *on_below = json_get(on, "below"), *off_above = json_get(off, "above");
    bool downwards = on_above && off_below, upwards = on_below && off_above;
    if (!cJSON_GetArraySize(on) || !cJSON_GetArraySize(off))
        return;
    if (!downwards && !upwards)
        problem_add(spec->problems, ERROR, checks_at(node, "switch_off"),
                    must_copy("on above and off below, or on below and off above"),
                    "switch_on and switch_off look in the same direction");
    else if ((downwards && on_above->valuedouble < off_below->valuedouble) ||
             (upwards && on_below->valuedouble > off_above->valuedouble))
        problem_add(spec->problems, ERROR, checks_at(node, "switch_off"), NULL,
                    "switch_on and switch_off overlap: both would hold at once");
}

static void check_control(struct checked *spec, const cJSON *control, const struct yaml_node *node)
{
    const cJSON *measures = json_get(spec->json, "measures");
    const cJSON *attributes = json_get(spec->json, "attributes");
    const char *of = json_string(json_get(control, "measure"), "of", NULL);
    const char *by = json_string(json_get(control, "measure"), "by", NULL);
    if (of && !json_get(measures, of))
        problem_add(spec->problems, ERROR, checks_at(node, "measure", "of"),
                    checks_hint_of_keys(of, measures), "\"%s\" is not a measure of this type", of);
    else if (of && !checks_is_numeric(json_get(measures, of)))
        problem_add(spec->problems, ERROR, checks_at(node, "measure", "of"), NULL,
                    "\"%s\" is a %s; a control needs a number", of,
                    json_string(json_get(measures, of), "type", ""));
    if (by && !json_get(attributes, by))
        problem_add(spec->problems, ERROR, checks_at(node, "measure", "by"),
                    checks_hint_of_keys(by, attributes), "\"%s\" is not an attribute of this type",
                    by);
    check_control_topic(spec, control, node);
    check_thresholds(spec, control, node);
}

static bool named_before(const struct yaml_node *list, size_t end, const char *name)
{
    for (size_t i = 0; i < end; i++) {
        const struct yaml_node *other = yaml_get(list->items[i], "name");
        if (other && other->kind == YAML_SCALAR && strcmp(other->text, name) == 0)
            return true;
    }
    return false;
}

/* The JSON has only the controls that the schema accepts; their nodes are found by name. The schema
 * limits the length of the list; controls beyond the limit are not checked. */
static void check_controls(struct checked *spec)
{
    const struct yaml_node *list = yaml_get(spec->root, "control");
    const cJSON *control;
    size_t most = (size_t)json_number(
        json_get(json_get(schema_named("sensortype"), "properties"), "control"), "maxItems", 0);
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count && i < most; i++) {
        const struct yaml_node *name = yaml_get(list->items[i], "name");
        if (!name || name->kind != YAML_SCALAR)
            continue;
        if (named_before(list, i, name->text)) {
            problem_add(spec->problems, ERROR, name->place, NULL,
                        "there is a control \"%s\" already", name->text);
            continue;
        }
        cJSON_ArrayForEach(control, json_get(spec->json, "control"))
        {
            if (strcmp(json_string(control, "name", ""), name->text) == 0) {
                check_control(spec, control, list->items[i]);
                break;
            }
        }
    }
}

void check_automation(struct checked *spec)
{
    check_presence(spec);
    check_controls(spec);
}
