#include "target.h"

#include <string.h>

static const struct {
    const char *name;
    enum status (*open)(const cJSON *system, const struct account_options *options,
                        struct target *target, struct error *error);
} targets[] = {
    {"local", local_open},
    {"aws", aws_target_open},
};

enum status target_open(const char *name, const cJSON *system,
                        const struct account_options *options, struct target *target,
                        struct error *error)
{
    *target = (struct target){0};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i].name, name) == 0)
            return targets[i].open(system, options, target, error);
    return fail(error, WRONG_INPUT, "this version has no target \"%s\" (local, aws)", name);
}

void target_close(struct target *target)
{
    if (target->close)
        target->close(target);
    *target = (struct target){0};
}
