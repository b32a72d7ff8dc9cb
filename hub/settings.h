/* What sensorhub takes from iot_system_infra/system.yaml. */
#ifndef HUB_SETTINGS_H
#define HUB_SETTINGS_H

#include "common/spec/spec.h"

struct settings {
    struct spec system;
    const char *store;   /* store_open() reads it */
    const char *account; /* what accountid() is in a rule */
    const cJSON *notify; /* {"<SNS topic>": ["mailto:...", "https://..."]}; may be NULL */
    int mqtt_port;
};

/* Of the project in the working folder. */
enum status settings_read(struct settings *settings, struct error *error);
void settings_free(struct settings *settings);

#endif
