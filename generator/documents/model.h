/* clang-format off */
/* Spec -> model: the one JSON document that every template sees.
 *
 * All defaults are filled in and all names derived here, once, so that every output agrees. Each
 * object in a list carries "last" (true on the last one), because Mustache cannot tell and JSON
 * wants commas. Durations are numbers with their unit in the name. `sensorforge model TYPE` prints it.
 *
 * {
 *   "system": {
 *     "name": "home",
 *     "title": "Home",                       name as a part of a CloudFormation logical id
 *     "terraform_id": "home",                name as a part of a Terraform identifier
 *     "stack": "home-system",
 *     "database": "iot",
 *     "target": "local",
 *     "ntp": "pool.ntp.org",                 where boards ask for the time
 *     "local": {"host": "iot.local", "mqtt_port": 8883, ...},          as in system.yaml
 *     "region": "eu-west-1", "partition": "aws", "account": "000000000000",
 *     "requests_per_second": 10,
 *     "timestream": true, "dynamodb": false  the store: exactly one is true
 *   },
 *   "type": {
 *     "name": "esp8266temp", "title": "Esp8266temp", "description": "...",
 *     "platform": "esp8266",
 *     "publish_every_seconds": 300, "sleep": "deep", "commands": false,
 *     "sleeps_deep": true, "stays_awake": false,             whether sleep is deep, or none
 *     "listens": false,                      whether its boards hold a connection: with commands, or awake
 *     "portal": false,
 *     "topic_filter": "esp8266temp/+",
 *     "stack": "home-esp8266temp",
 *     "log_group": "/sensorforge/home/esp8266temp", "log_retention_days": 30,
 *     "table": "esp8266temp",                in the central database (Timestream)
 *     "tables": {"valid": "iot-esp8266temp", "invalid": "iot-esp8266temp-invalid"},    (DynamoDB)
 *     "sort_keys": {"valid": {"attribute": "time", "attribute_type": "N"},
 *                   "invalid": {"attribute": "id", "attribute_type": "S"}},            (DynamoDB)
 *     "roles": {"rule": {"name": "home-esp8266temp-rule", "arn": "arn:aws:iam::..."},
 *               "error": {...}},             names have at most 64 characters, IAM's limit
 *     "has_attributes": true,
 *     "attributes": [{"name": "zone", "default": "1", "pattern": "...", "description": "...",
 *                     "searchable": true, "last": true}],
 *                                            default, pattern: null when there is none;
 *                                            searchable: the first three (AWS's limit)
 *     "searchable_attributes": [{"name": "zone", "last": true}],
 *     "measures": [{"name": "temperature", "type": "double", "unit": "celsius", "description": "",
 *                   "is_double": true, "is_bigint": false, "is_boolean": false, "is_varchar": false,
 *                   "optional": false,     whether a reading without it is valid
 *                   "minimum": -55, "maximum": 40,                       or null, as unit
 *                   "driver": {"name": "ds18x20", "measure": "temperature",
 *                              "quantity": "temperature", "instance": 0},
 *                   "simulate": {...},                                   or null, as driver
 *                   "last": true}],
 *     "drivers": [{"name": "ds18x20", "instance": 0,   one for each distinct name and parameters
 *                  "parameters": [{"name": "pin", "literal": "14", "last": true}], "last": true}],
 *                                            literal: the value as Python source writes it
 *     "display": {"name": "ssd1306", "parameters": [...]},       as in drivers; or null
 *     "driver_modules": [{"name": "ds18x20", "last": true}],     each driver once, a display's too
 *     "needs": [{"name": "umqtt.simple", "last": true}],         modules that the platform's own
 *                                            builds of MicroPython do not carry
 *     "drivers_stay": false,                 whether a driver works between two readings, so that it
 *                                            has to stay in the board's memory
 *     "has_drivers": true,                   whether a driver reads a measure
 *     "own_code": false,                     whether code/sensor.py does: those without a driver
 *     "board": {"pins": [...], "input_only": [...], "wake_pin": 16, "without_pull_up": [...],
 *               "without_pull_down": [...], "without_interrupt": [...]},
 *                                            as in platform.yaml, for the simulator
 *     "retention": {"memory_hours": 24, "magnetic_days": 365, "magnetic_seconds": 31536000},
 *     "dimensions": [{"name": "thing", "value": "${topic(2)}", "last": false},
 *                    {"name": "zone", "value": "${zone}", "last": true}],
 *     "timestamp": "${floor(nanvl(time, timestamp()))}",
 *     "rules": {"valid": {"name": "esp8266temp_valid", "sql": "SELECT ...",
 *                         "sql_version": "2015-10-08"},
 *               "invalid": {...},
 *               "written": false},         whether a person wrote the valid one
 *     "policy": {"name": "esp8266temp",
 *                "document": "{...}",        the whole policy on one line, ARNs filled in
 *                "statements": [{"sid": "Connect",
 *                                "attached": true,     only while the certificate is attached to
 *                                                      the thing that connects
 *                                "actions": [{"name": "iot:Connect", "last": true}],
 *                                "resources": [{"prefix": "client/", "suffix": "", "last": true}],
 *                                                      prefix, the thing's name, suffix
 *                                "last": false}]},
 *     "presence": {...}, "control": [...],   as in the spec; presence may be null
 *     "automation": {                        what its automation.json says; null without a watch
 *       "measures": [{"name": "temperature", "last": true}],
 *       "attributes": [{"name": "zone", "last": true}],
 *       "watches": [{"presence": true, "kind": "presence", "name": "presence",
 *                    "silent_after_ms": 1200000, "on_first": false,
 *                    "remind_every_ms": 0,                           0: never
 *                    "notify": [{"address": "mailto:...", "last": true}],
 *                    "publish": null, "last": false},
 *                   {"presence": false, "kind": "control", "name": "cooling",   or "alert"
 *                    "of": "temperature", "by": "zone", "unit": "celsius",      by, unit: or null
 *                    "statistic": "mean", "every_ms": 60000, "window_ms": 600000, "for_ms": 0,
 *                    "on": {"compare": "above", "value": 35},
 *                    "off": {"compare": "at_most", "value": 20},
 *                    "on_silence": null,                             or "on", "off"
 *                    "publish": {"topic": "...", "on": "{...}", "off": "{...}"},    JSON as text;
 *                                                                    null for an alert
 *                    "remind_every_ms": 0, "notify": [], "last": true}]}
 *   }
 * }
 *
 * The model of one thing, for firmware, has beside them:
 *
 *   "thing": {"name": "kitchen",
 *             "made": 1795801758, "until": 2111334558,     seconds since 1970: no clock is right that
 *                                                          says less (the package was made a day
 *                                                          later) or more (the certificate's end)
 *             "attributes": [{"name": "zone", "value": "1", "last": true}],
 *             "topic": "esp8266temp/kitchen",
 *             "command_topic": "esp8266temp/kitchen/command"},           or null
 *   "wifi": {"ssid": "...", "ssid_base64": null, "password": "..."},       base64: of a name that is
 *                                                                          not UTF-8
 *   "endpoint": {"host": "iot.local", "port": 8883}
 */
/* clang-format on */
#ifndef GENERATOR_DOCUMENTS_MODEL_H
#define GENERATOR_DOCUMENTS_MODEL_H

#include "common/spec/catalog.h"
#include "common/spec/system.h"

#include <cjson/cJSON.h>

/* The model of the system alone ("system" only), for templates of scope system. system is the JSON
 * of a checked system.yaml. The caller deletes. */
cJSON *model_of_system(const struct system *system);

/* The model of a type within a system: both the JSON of checked specs. The caller deletes. */
cJSON *model_of_type(const struct system *system, const cJSON *spec, const struct catalog *catalog);

/* Sets "last" on every object of every list below value. */
void model_mark_last(cJSON *value);

#endif
