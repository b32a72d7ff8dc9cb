/* What ships: the platforms and drivers under templates/firmware/, as their data files say.
 *
 * A platform is a folder with a platform.yaml, a driver a folder of drivers/ with a driver.yaml. No
 * C file names one. Reading all of them takes longer than most commands take altogether, so the
 * files that nobody needs are not read. */
#ifndef COMMON_SPEC_CATALOG_H
#define COMMON_SPEC_CATALOG_H

#include "common/base/error.h"
#include "common/base/names.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct catalog {
    char *folder;                                /* templates/firmware */
    struct names *platform_names, *driver_names; /* of all that there are; sorted */
    cJSON *platforms; /* those read: {"esp8266": {...}, ...}, as schemas/platform.schema.json */
    cJSON *drivers;   /* those read: {"ds18x20": {...}, ...}, as schemas/driver.schema.json; each
                         parameter has a title, for messages */
};

/* Finds the names of all. */
void catalog_open(const char *templates, struct catalog *catalog);
void catalog_free(struct catalog *catalog);

/* Reads one, unless that was done before. WRONG_INPUT with every problem in the message when its
 * file is wrong; FINE when there is none of that name. */
enum status catalog_read_platform(struct catalog *catalog, const char *name, struct error *error);
enum status catalog_read_driver(struct catalog *catalog, const char *name, struct error *error);

/* Opens, and reads all of them; likewise. */
enum status catalog_load(const char *templates, struct catalog *catalog, struct error *error);

/* One that was read; NULL when there is none of that name. */
const cJSON *catalog_platform(const struct catalog *catalog, const char *name);
const cJSON *catalog_driver(const struct catalog *catalog, const char *name);

/* kind: "sensor" or "display". */
bool driver_is(const cJSON *driver, const char *kind);

#endif
