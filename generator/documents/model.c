#include "model.h"
#include "common/base/calendar.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/spec/schema.h"
#include "rules.h"
#include "watches.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* AWS indexes three attributes of a thing type at most (CreateThingType). */
enum { MOST_SEARCHABLE = 3 };

void model_mark_last(cJSON *value)
{
    for (cJSON *child = value->child; child; child = child->next) {
        if (cJSON_IsArray(value) && cJSON_IsObject(child))
            json_put_bool(child, "last", !child->next);
        model_mark_last(child);
    }
}

static cJSON *copy(const cJSON *value)
{
    return value ? cJSON_Duplicate(value, true) : cJSON_CreateNull();
}

/* "esp8266_temp" -> "Esp8266Temp": what CloudFormation takes as a logical id. */
static char *title_of(const char *name)
{
    struct text title = {0};
    bool upper = true;
    for (; *name; name++) {
        if (isalnum((unsigned char)*name))
            text_add_char(&title, upper ? (char)toupper((unsigned char)*name) : *name);
        upper = !isalnum((unsigned char)*name);
    }
    return text_take(&title);
}

static void put_format(cJSON *object, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put_format(cJSON *object, const char *name, const char *format, ...)
{
    struct text value = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&value, format, arguments);
    va_end(arguments);
    json_put_string(object, name, text_string(&value));
    text_free(&value);
}

/* --- system --- */

/* https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html */
static const char *partition_of(const char *region)
{
    if (begins_with(region, "cn-"))
        return "aws-cn";
    return begins_with(region, "us-gov-") ? "aws-us-gov" : "aws";
}

/* Documents name a region also where system.yaml leaves it to the account's own configuration. */
static const char *const otherwise_region = "eu-west-1";

static cJSON *system_part(const struct system *system)
{
    const char *name = system->name;
    const char *region = system->aws.region ? system->aws.region : otherwise_region;
    owned char *title = title_of(name);
    owned char *terraform_id = must_copy(name);
    for (char *c = terraform_id; *c; c++)
        if (*c == '-')
            *c = '_';
    bool dynamodb = system->aws.store == STORE_DYNAMODB;
    cJSON *part = json_object();
    json_put_string(part, "name", name);
    json_put_string(part, "title", title);
    json_put_string(part, "terraform_id", terraform_id);
    json_put_string(part, "database", system->database);
    json_put_string(part, "target", system_target_name(system->target));
    json_put_string(part, "ntp", system->ntp);
    json_put(part, "local", copy(json_get(system->json, "local")));
    json_put_string(part, "region", region);
    json_put_string(part, "partition", partition_of(region));
    json_put_string(part, "account", system->aws.account);
    json_put_number(part, "requests_per_second", system->aws.requests_per_second);
    json_put_bool(part, "timestream", !dynamodb);
    json_put_bool(part, "dynamodb", dynamodb);
    put_format(part, "stack", "%s-system", name);
    return part;
}

cJSON *model_of_system(const struct system *system)
{
    cJSON *model = json_object();
    json_put(model, "system", system_part(system));
    model_mark_last(model);
    return model;
}

/* --- type: attributes and measures --- */

static void add_attributes(cJSON *type, const cJSON *spec)
{
    cJSON *attributes = json_array(), *searchable = json_array();
    const cJSON *written;
    cJSON_ArrayForEach(written, json_get(spec, "attributes"))
    {
        bool indexed = cJSON_GetArraySize(searchable) < MOST_SEARCHABLE;
        cJSON *attribute = json_object();
        json_put_string(attribute, "name", written->string);
        json_put_string(attribute, "default", json_string(written, "default", NULL));
        json_put_string(attribute, "pattern", json_string(written, "pattern", NULL));
        json_put_string(attribute, "description", json_string(written, "description", ""));
        json_put_bool(attribute, "searchable", indexed);
        cJSON_AddItemToArray(attributes, attribute);
        if (indexed) {
            cJSON *name = json_object();
            json_put_string(name, "name", written->string);
            cJSON_AddItemToArray(searchable, name);
        }
    }
    json_put_bool(type, "has_attributes", cJSON_GetArraySize(attributes) > 0);
    json_put(type, "attributes", attributes);
    json_put(type, "searchable_attributes", searchable);
}

static void add_dimensions(cJSON *type)
{
    cJSON *dimensions = json_array(), *thing = json_object();
    const cJSON *attribute;
    json_put_string(thing, "name", "thing");
    json_put_string(thing, "value", "${topic(2)}");
    cJSON_AddItemToArray(dimensions, thing);
    cJSON_ArrayForEach(attribute, json_get(type, "attributes"))
    {
        const char *name = json_string(attribute, "name", "");
        cJSON *dimension = json_object();
        json_put_string(dimension, "name", name);
        put_format(dimension, "value", "${%s}", name);
        cJSON_AddItemToArray(dimensions, dimension);
    }
    json_put(type, "dimensions", dimensions);
}

/* Once. */
static void add_name(cJSON *list, const char *name)
{
    const cJSON *known;
    cJSON_ArrayForEach(known, list)
    {
        if (strcmp(json_string(known, "name", ""), name) == 0)
            return;
    }
    cJSON *item = json_object();
    json_put_string(item, "name", name);
    cJSON_AddItemToArray(list, item);
}

/* A value as Python source: what JSON writes, but for True, False and None. */
static char *python_literal(const cJSON *value)
{
    if (cJSON_IsBool(value))
        return must_copy(cJSON_IsTrue(value) ? "True" : "False");
    if (!value || cJSON_IsNull(value))
        return must_copy("None");
    struct text literal = {0};
    json_compact(value, &literal);
    return text_take(&literal);
}

/* All parameters that the driver knows, as written or by default. */
static cJSON *driver_parameters(const cJSON *section, const cJSON *driver)
{
    cJSON *parameters = json_array();
    const cJSON *known;
    cJSON_ArrayForEach(known, json_get(driver, "parameters"))
    {
        const cJSON *value = json_get(section, known->string);
        if (!value)
            value = json_get(known, "default");
        if (!value)
            continue;
        owned char *literal = python_literal(value);
        cJSON *parameter = json_object();
        json_put_string(parameter, "name", known->string);
        json_put_string(parameter, "literal", literal);
        cJSON_AddItemToArray(parameters, parameter);
    }
    return parameters;
}

/* The instance that reads this measure: one for each driver with the same parameters, so that a
 * sensor of two quantities is opened and read once. */
static int driver_instance(cJSON *drivers, cJSON *modules, const cJSON *section,
                           const cJSON *driver)
{
    const char *name = json_string(section, "name", "");
    cJSON *parameters = driver_parameters(section, driver), *known;
    int instance = 0;
    cJSON_ArrayForEach(known, drivers)
    {
        if (strcmp(json_string(known, "name", ""), name) == 0 &&
            cJSON_Compare(json_get(known, "parameters"), parameters, true)) {
            cJSON_Delete(parameters);
            return instance;
        }
        instance++;
    }
    cJSON *added = json_object();
    json_put_string(added, "name", name);
    json_put_number(added, "instance", instance);
    json_put(added, "parameters", parameters);
    cJSON_AddItemToArray(drivers, added);
    add_name(modules, name);
    return instance;
}

static cJSON *measure_driver(const char *measure, const cJSON *section, const cJSON *driver,
                             int instance)
{
    const cJSON *quantities = json_get(driver, "quantities");
    const char *quantity = json_string(section, "quantity", NULL);
    if (!quantity)
        quantity = json_get(quantities, measure) ? measure : quantities->child->string;
    cJSON *used = json_object();
    json_put_string(used, "name", json_string(section, "name", ""));
    json_put_string(used, "measure", measure);
    json_put_string(used, "quantity", quantity);
    json_put_number(used, "instance", instance);
    return used;
}

static void add_measures(cJSON *type, const cJSON *spec, const struct catalog *catalog)
{
    static const char *const kinds[] = {"double", "bigint", "boolean", "varchar"};
    cJSON *measures = json_array(), *drivers = json_array(), *modules = json_array();
    const cJSON *written;
    cJSON_ArrayForEach(written, json_get(spec, "measures"))
    {
        const char *kind = json_string(written, "type", "");
        const cJSON *section = json_get(written, "driver"), *used = NULL;
        cJSON *measure = json_object();
        json_put_string(measure, "name", written->string);
        json_put_string(measure, "type", kind);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            owned char *flag = must_format("is_%s", kinds[i]);
            json_put_bool(measure, flag, strcmp(kind, kinds[i]) == 0);
        }
        json_put_bool(measure, "optional", json_true(written, "optional"));
        json_put_string(measure, "unit", json_string(written, "unit", NULL));
        json_put_string(measure, "description", json_string(written, "description", ""));
        json_put(measure, "minimum", copy(json_get(json_get(written, "valid"), "min")));
        json_put(measure, "maximum", copy(json_get(json_get(written, "valid"), "max")));
        if (section)
            used = catalog_driver(catalog, json_string(section, "name", ""));
        json_put(measure, "driver",
                 used ? measure_driver(written->string, section, used,
                                       driver_instance(drivers, modules, section, used))
                      : cJSON_CreateNull());
        json_put(measure, "simulate", copy(json_get(written, "simulate")));
        cJSON_AddItemToArray(measures, measure);
    }
    json_put(type, "measures", measures);
    json_put(type, "drivers", drivers);
    json_put(type, "driver_modules", modules);
}

static void add_display(cJSON *type, const cJSON *spec, const struct catalog *catalog)
{
    const cJSON *section = json_get(spec, "display");
    const char *name = json_string(section, "driver", "");
    const cJSON *driver = catalog_driver(catalog, name);
    cJSON *display = driver ? json_object() : cJSON_CreateNull();
    if (driver) {
        json_put_string(display, "name", name);
        json_put(display, "parameters", driver_parameters(section, driver));
        add_name(json_get(type, "driver_modules"), name);
    }
    json_put(type, "display", display);
}

static void add_missing(cJSON *needs, const cJSON *uses, const cJSON *carries)
{
    const cJSON *used, *carried;
    cJSON_ArrayForEach(used, uses)
    {
        bool there = false;
        cJSON_ArrayForEach(carried, carries)
        {
            there |= strcmp(used->valuestring, carried->valuestring) == 0;
        }
        if (!there)
            add_name(needs, used->valuestring);
    }
}

/* The modules that this type's packages import and the platform's builds of MicroPython do not
 * have. */
static void add_needs(cJSON *type, const struct catalog *catalog)
{
    const cJSON *platform = catalog_platform(catalog, json_string(type, "platform", "")), *module;
    const cJSON *carries = json_get(platform, "carries");
    cJSON *needs = json_array();
    add_missing(needs, json_get(platform, "uses"), carries);
    cJSON_ArrayForEach(module, json_get(type, "driver_modules"))
    {
        const cJSON *driver = catalog_driver(catalog, json_string(module, "name", ""));
        add_missing(needs, json_get(driver, "uses"), carries);
    }
    json_put(type, "needs", needs);
}

/* Whether a driver works between two readings, so that it has to stay in the board's memory. */
static void add_drivers_stay(cJSON *type, const struct catalog *catalog)
{
    const cJSON *module;
    bool stay = false;
    cJSON_ArrayForEach(module, json_get(type, "driver_modules")) stay |=
        json_true(catalog_driver(catalog, json_string(module, "name", "")), "awake");
    json_put_bool(type, "drivers_stay", stay);
}

/* Who reads the measures: drivers, and for those without one the type's own code. */
static void add_readers(cJSON *type)
{
    const cJSON *measure;
    bool unread = false;
    owned char *code = must_format(TYPE_CODE "/sensor.py", json_string(type, "name", ""));
    cJSON_ArrayForEach(measure, json_get(type, "measures")) unread |=
        cJSON_IsNull(json_get(measure, "driver"));
    json_put_bool(type, "has_drivers", cJSON_GetArraySize(json_get(type, "drivers")) > 0);
    json_put_bool(type, "own_code", unread && path_exists(code));
}

/* What the platform says of its pins, for the simulator. */
static void add_board(cJSON *type, const struct catalog *catalog)
{
    static const char *const members[] = {"pins",
                                          "input_only",
                                          "wake_pin",
                                          "without_pull_up",
                                          "without_pull_down",
                                          "without_interrupt"};
    const cJSON *platform = catalog_platform(catalog, json_string(type, "platform", ""));
    cJSON *board = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_put(board, members[i], copy(json_get(platform, members[i])));
    json_put(type, "board", board);
}

/* --- type: policy --- */

/* action, and the topic or client that it is about: prefix, the thing's name, suffix. */
struct permission {
    const char *sid, *action, *kind, *suffix;
    bool of_topic, attached, commands;
};

static const struct permission permissions[] = {
    {"Connect", "iot:Connect", "client/", "", false, true, false},
    {"Publish", "iot:Publish", "topic/", "", true, false, false},
    {"ListenForCommands", "iot:Subscribe", "topicfilter/", "/command", true, false, true},
    {"ReceiveCommands", "iot:Receive", "topic/", "/command", true, false, true},
};

static cJSON *one_named(const char *name)
{
    cJSON *list = json_array(), *item = json_object();
    json_put_string(item, "name", name);
    cJSON_AddItemToArray(list, item);
    return list;
}

static cJSON *policy_statements(const char *type, bool commands)
{
    cJSON *statements = json_array();
    for (size_t i = 0; i < sizeof permissions / sizeof *permissions; i++) {
        const struct permission *permission = &permissions[i];
        if (permission->commands && !commands)
            continue;
        cJSON *statement = json_object(), *resources = json_array(), *resource = json_object();
        put_format(resource, "prefix", "%s%s%s", permission->kind, permission->of_topic ? type : "",
                   permission->of_topic ? "/" : "");
        json_put_string(resource, "suffix", permission->suffix);
        cJSON_AddItemToArray(resources, resource);
        json_put_string(statement, "sid", permission->sid);
        json_put_bool(statement, "attached", permission->attached);
        json_put(statement, "actions", one_named(permission->action));
        json_put(statement, "resources", resources);
        cJSON_AddItemToArray(statements, statement);
    }
    return statements;
}

/* The same statements as an IoT policy document with ARNs filled in. */
static cJSON *policy_document(const cJSON *statements, const cJSON *system)
{
    const char *partition = json_string(system, "partition", "");
    const char *region = json_string(system, "region", "");
    const char *account = json_string(system, "account", "");
    cJSON *document = json_object(), *list = json_array();
    const cJSON *statement;
    json_put_string(document, "Version", "2012-10-17");
    cJSON_ArrayForEach(statement, statements)
    {
        const cJSON *resource = json_get(statement, "resources")->child;
        cJSON *written = json_object();
        json_put_string(written, "Sid", json_string(statement, "sid", ""));
        json_put_string(written, "Effect", "Allow");
        json_put_string(written, "Action",
                        json_string(json_get(statement, "actions")->child, "name", ""));
        put_format(written, "Resource", "arn:%s:iot:%s:%s:%s${iot:Connection.Thing.ThingName}%s",
                   partition, region, account, json_string(resource, "prefix", ""),
                   json_string(resource, "suffix", ""));
        if (json_true(statement, "attached")) {
            cJSON *condition = json_object(), *values = json_object(), *truth = json_array();
            cJSON_AddItemToArray(truth, cJSON_CreateString("true"));
            json_put(values, "iot:Connection.Thing.IsAttached", truth);
            json_put(condition, "Bool", values);
            json_put(written, "Condition", condition);
        }
        cJSON_AddItemToArray(list, written);
    }
    json_put(document, "Statement", list);
    return document;
}

static void add_policy(cJSON *type, const cJSON *system)
{
    const char *name = json_string(type, "name", "");
    cJSON *policy = json_object();
    cJSON *statements = policy_statements(name, json_true(type, "commands"));
    cJSON *document = policy_document(statements, system);
    struct text line = {0};
    json_compact(document, &line);
    json_put_string(policy, "name", name);
    json_put_string(policy, "document", text_string(&line));
    json_put(policy, "statements", statements);
    json_put(type, "policy", policy);
    text_free(&line);
    cJSON_Delete(document);
}

/* --- type: names --- */

enum { LONGEST_ROLE_NAME = 64 }; /* IAM's limit */

/* prefix-name-suffix, or where that is too long for IAM, cut and told apart by a checksum (FNV-1a).
 */
static char *role_name(const char *prefix, const char *name, const char *suffix)
{
    char *whole = must_format("%s-%s-%s", prefix, name, suffix);
    if (strlen(whole) <= LONGEST_ROLE_NAME)
        return whole;
    unsigned sum = 2166136261u;
    for (const char *c = whole; *c; c++)
        sum = (sum ^ (unsigned char)*c) * 16777619u;
    int room = LONGEST_ROLE_NAME - (int)strlen(suffix) - 10;
    char *cut = must_format("%.*s-%08x-%s", room, whole, sum, suffix);
    free(whole);
    return cut;
}

static void put_role(cJSON *roles, const char *kind, const cJSON *system, const char *name)
{
    owned char *role_title = role_name(json_string(system, "name", ""), name, kind);
    cJSON *role = json_object();
    json_put_string(role, "name", role_title);
    put_format(role, "arn", "arn:%s:iam::%s:role/%s", json_string(system, "partition", ""),
               json_string(system, "account", ""), role_title);
    json_put(roles, kind, role);
}

/* A stack's name has no underscore (CreateStack: [a-zA-Z][-a-zA-Z0-9]*), a type's no hyphen. */
static char *stack_name(const char *prefix, const char *type)
{
    char *made = must_format("%s-%s", prefix, type);
    for (char *c = made; *c; c++)
        if (*c == '_')
            *c = '-';
    return made;
}

/* What DynamoDB sorts the items of a thing by. A valid reading has its time to itself, as in
 * Timestream; invalid ones may share theirs, and have an id (rules.c). */
static void put_sort_key(cJSON *keys, const char *role, const char *attribute, const char *kind)
{
    cJSON *key = json_object();
    json_put_string(key, "attribute", attribute);
    json_put_string(key, "attribute_type", kind);
    json_put(keys, role, key);
}

static void add_names(cJSON *type, const cJSON *system, const char *name)
{
    const char *prefix = json_string(system, "name", "");
    const char *database = json_string(system, "database", "");
    cJSON *tables = json_object(), *keys = json_object(), *roles = json_object();
    put_format(type, "topic_filter", "%s/+", name);
    owned char *stack = stack_name(prefix, name);
    json_put_string(type, "stack", stack);
    put_format(type, "log_group", "/sensorforge/%s/%s", prefix, name);
    json_put_string(type, "table", name);
    put_format(tables, "valid", "%s-%s", database, name);
    put_format(tables, "invalid", "%s-%s-invalid", database, name);
    json_put(type, "tables", tables);
    put_sort_key(keys, "valid", "time", "N");
    put_sort_key(keys, "invalid", "id", "S");
    json_put(type, "sort_keys", keys);
    put_role(roles, "rule", system, name);
    put_role(roles, "error", system, name);
    json_put(type, "roles", roles);
}

static void add_retention(cJSON *type, const cJSON *spec)
{
    const cJSON *written = json_get(spec, "retention");
    cJSON *retention = json_object();
    double magnetic = clock_duration(json_string(written, "magnetic", ""));
    json_put_number(retention, "memory_hours",
                    clock_duration(json_string(written, "memory", "")) / HOUR);
    json_put_number(retention, "magnetic_days", magnetic / DAY);
    json_put_number(retention, "magnetic_seconds", magnetic);
    json_put(type, "retention", retention);
    json_put_number(type, "log_retention_days",
                    clock_duration(json_string(written, "logs", "")) / DAY);
}

static cJSON *type_part(const cJSON *system, const cJSON *spec, const struct catalog *catalog)
{
    const char *name = json_string(spec, "type", ""), *sleep = json_string(spec, "sleep", "");
    owned char *title = title_of(name);
    cJSON *type = json_object();
    json_put_string(type, "name", name);
    json_put_string(type, "title", title);
    json_put_string(type, "description", json_string(spec, "description", ""));
    json_put_string(type, "platform", json_string(spec, "platform", ""));
    json_put_number(type, "publish_every_seconds",
                    clock_duration(json_string(spec, "publish_every", "")));
    json_put_string(type, "sleep", sleep);
    json_put_bool(type, "sleeps_deep", strcmp(sleep, "deep") == 0);
    json_put_bool(type, "stays_awake", strcmp(sleep, "none") == 0);
    json_put_bool(type, "commands", json_true(spec, "commands"));
    json_put_bool(type, "listens", json_true(spec, "commands") || strcmp(sleep, "none") == 0);
    add_names(type, system, name);
    add_attributes(type, spec);
    json_put_bool(type, "portal", json_true(spec, "portal"));
    add_measures(type, spec, catalog);
    add_display(type, spec, catalog);
    add_needs(type, catalog);
    add_drivers_stay(type, catalog);
    add_readers(type);
    add_board(type, catalog);
    add_retention(type, spec);
    add_dimensions(type);
    rules_add(type, spec, json_true(system, "dynamodb"));
    add_policy(type, system);
    return type;
}

cJSON *model_of_type(const struct system *system, const cJSON *spec, const struct catalog *catalog)
{
    cJSON *model = model_of_system(system);
    cJSON *type = type_part(json_get(model, "system"), spec, catalog), *control;
    json_put(model, "type", type);
    watches_add(type, spec);
    model_mark_last(model);
    /* After model_mark_last(): the messages of a control are the person's own JSON, and get no
     * "last". */
    json_put(type, "presence", copy(json_get(spec, "presence")));
    json_put(type, "control", copy(json_get(spec, "control")));
    cJSON_ArrayForEach(control, json_get(type, "control"))
        json_put_bool(control, "last", !control->next);
    return model;
}
