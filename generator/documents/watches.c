#include "watches.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"

#include <string.h>

/* Without a window: twice the time between two readings, so that one late reading leaves no group
 * without a value. */
enum { USUAL_WINDOW = 2 };

static void put_milliseconds(cJSON *watch, const char *name, double seconds)
{
    json_put_number(watch, name, 1000 * seconds);
}

/* 0 where the spec says nothing. */
static void put_duration(cJSON *watch, const char *name, const cJSON *from, const char *member)
{
    const char *text = json_string(from, member, NULL);
    put_milliseconds(watch, name, text ? clock_duration(text) : 0);
}

static void put_notify(cJSON *watch, const cJSON *from)
{
    cJSON *list = json_array();
    const cJSON *address;
    cJSON_ArrayForEach(address, json_get(from, "notify"))
    {
        cJSON *item = json_object();
        json_put_string(item, "address", address->valuestring);
        cJSON_AddItemToArray(list, item);
    }
    json_put(watch, "notify", list);
    put_duration(watch, "remind_every_ms", from, "remind_every");
}

static void put_json(cJSON *object, const char *name, const cJSON *value)
{
    struct text text = {0};
    json_compact(value, &text);
    json_put_string(object, name, text_string(&text));
    text_free(&text);
}

static void put_publish(cJSON *watch, const cJSON *from)
{
    cJSON *publish = from ? json_object() : cJSON_CreateNull();
    if (from) {
        json_put_string(publish, "topic", json_string(from, "topic", ""));
        put_json(publish, "on", json_get(from, "on"));
        put_json(publish, "off", json_get(from, "off"));
    }
    json_put(watch, "publish", publish);
}

static cJSON *presence_watch(const cJSON *presence)
{
    cJSON *watch = json_object();
    json_put_bool(watch, "presence", true);
    json_put_string(watch, "kind", "presence");
    json_put_string(watch, "name", "presence");
    put_duration(watch, "silent_after_ms", presence, "silent_after");
    json_put_bool(watch, "on_first", json_true(presence, "on_first"));
    put_publish(watch, NULL);
    put_notify(watch, presence);
    return watch;
}

/* {above: 35} as {"compare": "above", "value": 35}. The schema lets a threshold have one member. */
static void put_limit(cJSON *watch, const char *name, const cJSON *threshold)
{
    cJSON *limit = json_object();
    json_put_string(limit, "compare", threshold->child->string);
    json_put(limit, "value", cJSON_Duplicate(threshold->child, true));
    json_put(watch, name, limit);
}

static void put_measure(cJSON *watch, const cJSON *spec, const cJSON *from)
{
    const cJSON *measure = json_get(from, "measure");
    const char *of = json_string(measure, "of", ""), *window = json_string(measure, "window", NULL);
    double every = clock_duration(json_string(spec, "publish_every", ""));
    json_put_string(watch, "of", of);
    json_put_string(watch, "by", json_string(measure, "by", NULL));
    json_put_string(watch, "unit",
                    json_string(json_get(json_get(spec, "measures"), of), "unit", NULL));
    json_put_string(watch, "statistic", json_string(measure, "statistic", ""));
    put_milliseconds(watch, "window_ms", window ? clock_duration(window) : USUAL_WINDOW * every);
}

static cJSON *condition_watch(const cJSON *spec, const char *kind, const cJSON *from)
{
    bool control = strcmp(kind, "control") == 0;
    cJSON *watch = json_object();
    json_put_bool(watch, "presence", false);
    json_put_string(watch, "kind", kind);
    json_put_string(watch, "name", json_string(from, "name", ""));
    put_measure(watch, spec, from);
    put_duration(watch, "every_ms", from, "every");
    put_duration(watch, "for_ms", from, "for");
    put_limit(watch, "on", json_get(from, control ? "switch_on" : "raise"));
    put_limit(watch, "off", json_get(from, control ? "switch_off" : "clear"));
    json_put_string(watch, "on_silence", json_string(from, "on_silence", NULL));
    put_publish(watch, json_get(from, "publish"));
    put_notify(watch, from);
    return watch;
}

static void add_conditions(cJSON *watches, const cJSON *spec, const char *list, const char *kind)
{
    const cJSON *from;
    cJSON_ArrayForEach(from, json_get(spec, list))
    {
        cJSON_AddItemToArray(watches, condition_watch(spec, kind, from));
    }
}

/* The names of the columns that a reading has: those of the measures, or of the attributes. */
static cJSON *columns_of(const cJSON *spec, const char *part)
{
    cJSON *columns = json_array();
    const cJSON *from;
    cJSON_ArrayForEach(from, json_get(spec, part))
    {
        cJSON *column = json_object();
        json_put_string(column, "name", from->string);
        cJSON_AddItemToArray(columns, column);
    }
    return columns;
}

void watches_add(cJSON *type, const cJSON *spec)
{
    cJSON *automation = json_object(), *watches = json_array();
    const cJSON *presence = json_get(spec, "presence");
    if (presence)
        cJSON_AddItemToArray(watches, presence_watch(presence));
    add_conditions(watches, spec, "control", "control");
    add_conditions(watches, spec, "alerts", "alert");
    json_put(automation, "measures", columns_of(spec, "measures"));
    json_put(automation, "attributes", columns_of(spec, "attributes"));
    json_put(automation, "watches", watches);
    if (watches->child) {
        json_put(type, "automation", automation);
    } else {
        cJSON_Delete(automation);
        json_put(type, "automation", cJSON_CreateNull());
    }
}
