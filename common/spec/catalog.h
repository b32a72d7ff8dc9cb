/* What ships: the platforms and drivers under templates/firmware/, as their data files say.
 *
 * A platform is a folder with a platform.yaml, a driver a folder of drivers/ with a driver.yaml.
 * Both are read on first use and kept. No C file names one. */
#ifndef COMMON_SPEC_CATALOG_H
#define COMMON_SPEC_CATALOG_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct catalog {
    char *folder;     /* templates/firmware */
    cJSON *platforms; /* {"esp8266": {...}, ...}, as schemas/platform.schema.json */
    cJSON *drivers;   /* {"ds18x20": {...}, ...}, as schemas/driver.schema.json */
    struct names *platform_names, *driver_names; /* for messages; sorted */
};

struct names {
    const char **at; /* count words */
    size_t count, room;
};

/* Reads all of them. WRONG_INPUT with every problem in the message when a file is wrong. */
enum status catalog_load(const char *templates, struct catalog *catalog, struct error *error);
void catalog_free(struct catalog *catalog);

/* NULL when there is none of that name. */
const cJSON *catalog_platform(const struct catalog *catalog, const char *name);
const cJSON *catalog_driver(const struct catalog *catalog, const char *name);

/* kind: "sensor" or "display". */
bool driver_is(const cJSON *driver, const char *kind);

/* The sorted names of the folders in folder that hold a file called file; freed with names_free().
 */
struct names *folders_with(const char *folder, const char *file);
void names_free(struct names *names);

#endif
