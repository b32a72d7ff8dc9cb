#include "target.h"

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
