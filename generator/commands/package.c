#include "commands.h"
#include "things.h"

static enum status rebuild(struct target *target, struct subject *subject, const char *name,
                           struct record **record, struct package_size *size, struct error *error)
{
    return rebuild_thing(target, subject->plan, name, &subject->changes, record, size, error);
}

enum status command_package(struct context *context)
{
    return each_subject(context, rebuild, "would get a new package", "rebuilt", false);
}
