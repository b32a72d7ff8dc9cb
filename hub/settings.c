#include "settings.h"
#include "common/base/json.h"

enum status settings_read(struct settings *settings, struct error *error)
{
    *settings = (struct settings){0};
    enum status status = spec_read_system(&settings->system, error);
    if (!status)
        status = spec_require(&settings->system, error);
    if (status)
        return status;
    const cJSON *local = json_get(settings->system.json, "local");
    settings->store = json_string(local, "store", "sqlite");
    settings->notify = json_get(local, "notify");
    settings->mqtt_port = (int)json_number(local, "mqtt_port", 8883);
    settings->account = json_string(json_get(settings->system.json, "aws"), "account", NULL);
    return FINE;
}

void settings_free(struct settings *settings)
{
    spec_free(&settings->system);
    *settings = (struct settings){0};
}
