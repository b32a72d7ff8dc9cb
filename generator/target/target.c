#include "target.h"
#include "../../common/json.h"

#include <string.h>

static const struct {
    const char *name;
    enum status (*open)(const cJSON *system, struct target *target, struct error *error);
} targets[] = {
    {"local", local_open},
};

enum status target_open(const cJSON *system, struct target *target, struct error *error)
{
    const char *name = json_string(system, "target", "local");
    *target = (struct target){0};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, name) == 0)
            return targets[i].open(system, target, error);
    fail(error, WRONG_INPUT, "this version cannot make things real on the target \"%s\"", name);
    return advise(
        error, "sensorforge generate writes the documents for it; --target local is this machine");
}

void target_close(struct target *target)
{
    if (target->close)
        target->close(target);
    *target = (struct target){0};
}
