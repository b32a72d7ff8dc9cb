#include "target.h"

#include <string.h>

enum status target_open(enum target_kind kind, const struct system *system,
                        const struct account_options *options, struct target *target,
                        struct error *error)
{
    *target = (struct target){0};
    return kind == TARGET_AWS ? aws_target_open(system, options, target, error)
                              : local_open(system, options, target, error);
}

void target_close(struct target *target)
{
    if (target->close)
        target->close(target);
    *target = (struct target){0};
}

const char *claim_system(const char *claim)
{
    const char *made = strchr(claim, '@'), *system = made ? strchr(made + 1, '@') : NULL;
    return system ? system + 1 : "";
}

bool claim_is_others(const char *system, const char *claim)
{
    const char *named = claim_system(claim);
    return *named && system && strcmp(named, system) != 0;
}
