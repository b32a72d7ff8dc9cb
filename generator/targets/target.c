#include "target.h"

#include <string.h>

static const struct {
    const char *name;
    enum status (*open)(const cJSON *system, const struct account_options *options,
                        struct target *target, struct error *error);
} targets[] = {
    [TARGET_LOCAL] = {"local", local_open},
    [TARGET_AWS] = {"aws", aws_target_open},
};

const char *target_kind_name(enum target_kind kind)
{
    return targets[kind].name;
}

bool target_kind_named(const char *name, enum target_kind *kind)
{
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        if (strcmp(targets[i].name, name) != 0)
            continue;
        *kind = (enum target_kind)i;
        return true;
    }
    return false;
}

enum status target_open(const char *name, const cJSON *system,
                        const struct account_options *options, struct target *target,
                        struct error *error)
{
    enum target_kind kind;
    *target = (struct target){0};
    if (target_kind_named(name, &kind))
        return targets[kind].open(system, options, target, error);
    return fail(error, WRONG_INPUT, "this version has no target \"%s\" (local, aws)", name);
}

void target_close(struct target *target)
{
    if (target->close)
        target->close(target);
    *target = (struct target){0};
}
