#include "commands.h"
#include "things.h"

static enum status rebuild(struct target *target, struct subject *subject, const char *name,
                           struct record **record, struct package_size *size, struct error *error)
{
    return rebuild_thing(target, subject->plan, name, &subject->changes, record, size, error);
}

enum status command_package(struct context *context)
{
    static const struct subject_command command = {.action = rebuild,
                                                   .would = "would get a new package",
                                                   .verb = "rebuilt",
                                                   .skip_current = true};
    return each_subject(context, &command);
}
