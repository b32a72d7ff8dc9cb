#include "check_automation.h"

#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/paths.h"
#include "schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The two kinds of watches that have a condition, and what a spec calls their parts. */
static const struct kind {
    const char *list, *title, *on, *off;
} kinds[] = {
    {"control", "control", "switch_on", "switch_off"},
    {"alerts", "alert", "raise", "clear"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* One of them: its checked JSON, and its node. */
struct watch {
    const struct kind *kind;
    const cJSON *json;
    const struct yaml_node *node;
};

static double seconds_of(const cJSON *object, const char *member)
{
    const char *text = json_string(object, member, NULL);
    return text ? clock_duration(text) : -1;
}

static void check_presence(struct checked *spec)
{
    const char *silent = json_string(json_get(spec->json, "presence"), "silent_after", NULL);
    const char *every = json_string(spec->json, "publish_every", NULL);
    if (silent && every && clock_duration(silent) <= clock_duration(every))
        problem_add(spec->problems, ERROR, checks_at(spec->root, "presence", "silent_after"), NULL,
                    "silent_after (%s) must be longer than publish_every (%s)", silent, every);
}

/* --- what a watch looks at --- */

/* Every measure can be counted; the other statistics want numbers, and true counts as 1. */
static bool has_statistics(const cJSON *measure)
{
    return checks_is_numeric(measure) || strcmp(json_string(measure, "type", ""), "boolean") == 0;
}

static void check_of(struct checked *spec, const struct watch *watch)
{
    const cJSON *measures = json_get(spec->json, "measures");
    const cJSON *measure = json_get(watch->json, "measure");
    const char *of = json_string(measure, "of", NULL);
    bool counts = strcmp(json_string(measure, "statistic", ""), "count") == 0;
    if (of && !json_get(measures, of))
        problem_add(spec->problems, ERROR, checks_at(watch->node, "measure", "of"),
                    checks_hint_of_keys(of, measures), "\"%s\" is not a measure of this type", of);
    else if (of && !counts && !has_statistics(json_get(measures, of)))
        problem_add(spec->problems, ERROR, checks_at(watch->node, "measure", "of"),
                    must_copy("of a text only \"statistic: count\" is known"),
                    "\"%s\" is a %s; %s %s needs a number", of,
                    json_string(json_get(measures, of), "type", ""),
                    *watch->kind->title == 'a' ? "an" : "a", watch->kind->title);
}

static void check_by(struct checked *spec, const struct watch *watch)
{
    const cJSON *attributes = json_get(spec->json, "attributes");
    const char *by = json_string(json_get(watch->json, "measure"), "by", NULL);
    if (!by || strcmp(by, "thing") == 0 || json_get(attributes, by))
        return;
    char *hint = checks_hint_of_keys(by, attributes);
    problem_add(spec->problems, ERROR, checks_at(watch->node, "measure", "by"),
                hint ? hint : must_copy("write \"by: thing\", or add the attribute"),
                "\"%s\" is not an attribute of this type", by);
}

/* In a window that is shorter than the time between two readings there is mostly none. */
static void check_window(struct checked *spec, const struct watch *watch)
{
    const cJSON *measure = json_get(watch->json, "measure");
    const char *every = json_string(spec->json, "publish_every", NULL);
    double window = seconds_of(measure, "window");
    if (every && window > 0 && window < clock_duration(every))
        problem_add(spec->problems, ERROR, checks_at(watch->node, "measure", "window"),
                    must_copy("twice publish_every is usual, and what it is without a window"),
                    "a window of %s is shorter than publish_every (%s): most are empty",
                    json_string(measure, "window", ""), every);
}

/* --- its condition --- */

enum direction { NO_DIRECTION, RISES, FALLS };

static enum direction read_limit(const cJSON *limit, double *value, bool *inclusive)
{
    static const struct {
        const char *name;
        enum direction direction;
        bool inclusive;
    } words[] = {
        {"above", RISES, false},
        {"at_least", RISES, true},
        {"below", FALLS, false},
        {"at_most", FALLS, true},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (cJSON_IsNumber(json_get(limit, words[i].name))) {
            *value = json_number(limit, words[i].name, 0);
            *inclusive = words[i].inclusive;
            return words[i].direction;
        }
    return NO_DIRECTION;
}

/* A group without a reading in the window has no value, so a count is 1 at least. */
static void check_count(struct checked *spec, const struct watch *watch, const char *clause)
{
    double value;
    bool inclusive;
    enum direction direction = read_limit(json_get(watch->json, clause), &value, &inclusive);
    if (direction == FALLS && (inclusive ? value < 1 : value <= 1))
        problem_add(spec->problems, ERROR, checks_at(watch->node, clause),
                    must_copy("things that are silent are told by presence:, or use on_silence"),
                    "without a reading there is no value: a count is never below 1");
}

static void check_limits(struct checked *spec, const struct watch *watch)
{
    const struct kind *kind = watch->kind;
    double on, off;
    bool on_inclusive, off_inclusive;
    enum direction on_direction = read_limit(json_get(watch->json, kind->on), &on, &on_inclusive);
    enum direction off_direction =
        read_limit(json_get(watch->json, kind->off), &off, &off_inclusive);
    if (strcmp(json_string(json_get(watch->json, "measure"), "statistic", ""), "count") == 0) {
        check_count(spec, watch, kind->on);
        check_count(spec, watch, kind->off);
    }
    if (!on_direction || !off_direction)
        return;
    if (on_direction == off_direction)
        problem_add(spec->problems, ERROR, checks_at(watch->node, kind->off),
                    must_copy("above or at_least on one side, below or at_most on the other"),
                    "%s and %s look in the same direction", kind->on, kind->off);
    else if ((on_direction == RISES ? on < off : on > off) ||
             (on == off && on_inclusive && off_inclusive))
        problem_add(spec->problems, ERROR, checks_at(watch->node, kind->off), NULL,
                    "%s and %s overlap: both would hold at once", kind->on, kind->off);
}

/* --- what a control commands --- */

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

/* {zone} in a topic stands for the group's value. */
static void check_placeholders(struct checked *spec, const struct watch *watch, const char *topic,
                               const struct yaml_node *text)
{
    const char *by = json_string(json_get(watch->json, "measure"), "by", NULL);
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
}

static void check_topic(struct checked *spec, const struct watch *watch)
{
    const char *topic = json_string(json_get(watch->json, "publish"), "topic", NULL);
    if (!topic)
        return;
    const struct yaml_node *text = yaml_get(yaml_get(watch->node, "publish"), "topic");
    owned char *type = must_copy_bytes(topic, strcspn(topic, "/"));
    check_placeholders(spec, watch, topic, text);
    const char *by = json_string(json_get(watch->json, "measure"), "by", "");
    if (strcmp(type, spec->name) == 0 && strcmp(by, "thing") == 0 && strstr(topic, "/{thing}/"))
        problem_add(spec->problems, ERROR, text->place,
                    must_copy("a board that measures and switches decides by itself, in code/"),
                    "each thing would be commanded by its own readings");
    else
        check_commanded(spec, type, text->place);
}

/* Whether two topics of controls can be the same. A placeholder stands for one character or more,
 * none of which is a slash. */
static bool can_be_same(const char *left, const char *right)
{
    if (*left == '{' || *right == '{') {
        const char *open = *left == '{' ? left : right, *other = open == left ? right : left;
        const char *rest = open + strcspn(open, "}");
        rest += *rest == '}';
        while (*other && *other != '/') {
            other += *other == '{' ? strcspn(other, "}") : 0;
            other++;
            if (can_be_same(rest, other))
                return true;
        }
        return false;
    }
    if (!*left || !*right)
        return *left == *right;
    return *left == *right && can_be_same(left + 1, right + 1);
}

static const char *topic_of(const struct yaml_node *control)
{
    const struct yaml_node *topic = yaml_get(yaml_get(control, "publish"), "topic");
    return topic && topic->kind == YAML_SCALAR ? topic->text : NULL;
}

/* The first of a list's controls, up to the one at end, whose topic can be this one; NULL: none. */
static const struct yaml_node *find_same_topic(const struct yaml_node *list, size_t end,
                                               const char *topic)
{
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count && i < end; i++)
        if (topic_of(list->items[i]) && can_be_same(topic_of(list->items[i]), topic))
            return list->items[i];
    return NULL;
}

static void same_topic(struct checked *spec, const struct yaml_node *control,
                       const struct yaml_node *other, const char *type)
{
    const struct yaml_node *name = yaml_get(other, "name");
    problem_add(spec->problems, ERROR, checks_at(control, "publish", "topic"),
                must_copy("a topic keeps one retained message: one control for each thing"),
                "the control \"%s\"%s%s can command the same thing",
                name && name->kind == YAML_SCALAR ? name->text : "", *type ? " of " : "", type);
}

/* The controls of another type. Its spec is read as a tree, and only where it names the type that is
 * commanded, so that a project of many types costs little. */
static void check_other_type(struct checked *spec, const struct yaml_node *control,
                             const char *topic, const char *type)
{
    owned char *path = must_format(TYPE_SPEC, type);
    owned char *commanded = must_copy_bytes(topic, strcspn(topic, "/") + 1);
    struct error unread = {0};
    struct source source = {.name = must_copy(path)};
    struct problems ignored = {.source = &source};
    struct yaml yaml = {0};
    if (!read_file(path, YAML_LARGEST, &source.bytes, &unread) &&
        strstr(text_string(&source.bytes), commanded)) {
        yaml_tree_load(&source, &yaml, &ignored);
        const struct yaml_node *other =
            find_same_topic(yaml_get(yaml.root, "control"), SIZE_MAX, topic);
        if (other)
            same_topic(spec, control, other, type);
    }
    yaml_tree_free(&yaml);
    problems_free(&ignored);
    source_free(&source);
    error_free(&unread);
}

static void check_other_controls(struct checked *spec, const struct watch *watch, size_t index)
{
    const char *topic = json_string(json_get(watch->json, "publish"), "topic", NULL);
    if (!topic)
        return;
    const struct yaml_node *other = find_same_topic(yaml_get(spec->root, "control"), index, topic);
    if (other)
        same_topic(spec, watch->node, other, "");
    struct names *types = names_of_folders(TYPES_FOLDER, "spec.yaml");
    for (size_t i = 0; i < types->count; i++)
        if (strcmp(types->at[i], spec->name) != 0)
            check_other_type(spec, watch->node, topic, types->at[i]);
    names_free(types);
}

/* --- each of them --- */

static void check_watch(struct checked *spec, const struct watch *watch, size_t index)
{
    check_of(spec, watch);
    check_by(spec, watch);
    check_window(spec, watch);
    check_limits(spec, watch);
    if (watch->kind == &kinds[0]) {
        check_topic(spec, watch);
        check_other_controls(spec, watch, index);
    }
}

static bool is_called(const struct yaml_node *node, const char *name)
{
    const struct yaml_node *called = yaml_get(node, "name");
    return called && called->kind == YAML_SCALAR && strcmp(called->text, name) == 0;
}

/* The kind of a watch of that name that stands before this one; NULL: there is none. */
static const char *named_before(const struct checked *spec, const struct kind *kind, size_t end,
                                const char *name)
{
    for (const struct kind *other = kinds; other <= kind; other++) {
        const struct yaml_node *list = yaml_get(spec->root, other->list);
        for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count; i++) {
            if (other == kind && i == end)
                return NULL;
            if (is_called(list->items[i], name))
                return other->title;
        }
    }
    return NULL;
}

/* Whether the name can be the watch's: it is not taken. */
static bool check_name(struct checked *spec, const struct kind *kind, size_t index,
                       const struct yaml_node *name)
{
    const char *taken = named_before(spec, kind, index, name->text);
    if (taken)
        problem_add(spec->problems, ERROR, name->place, NULL, "there is %s %s \"%s\" already",
                    *taken == 'a' ? "an" : "a", taken, name->text);
    else if (strcmp(name->text, "presence") == 0)
        problem_add(spec->problems, ERROR, name->place, must_copy("choose another name"),
                    "presence is the name of what \"presence:\" says");
    else
        return true;
    return false;
}

/* The JSON has only what the schema accepts; the nodes are found by name. The schema limits the
 * length of the lists; what is beyond the limit is not checked. */
static void check_list(struct checked *spec, const struct kind *kind)
{
    const struct yaml_node *list = yaml_get(spec->root, kind->list);
    const cJSON *json;
    const cJSON *keyword = json_get(json_get(schema_named("sensortype"), "properties"), kind->list);
    size_t most = (size_t)json_number(keyword, "maxItems", 0);
    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->count && i < most; i++) {
        const struct yaml_node *name = yaml_get(list->items[i], "name");
        if (!name || name->kind != YAML_SCALAR || !check_name(spec, kind, i, name))
            continue;
        cJSON_ArrayForEach(json, json_get(spec->json, kind->list))
        {
            if (strcmp(json_string(json, "name", ""), name->text) == 0) {
                struct watch watch = {kind, json, list->items[i]};
                check_watch(spec, &watch, i);
                break;
            }
        }
    }
}

void check_automation(struct checked *spec)
{
    check_presence(spec);
    for (size_t i = 0; i < KINDS; i++)
        check_list(spec, &kinds[i]);
}
