#include "commands.h"
#include "things.h"

static enum status rotate(struct target *target, struct subject *subject, const char *name,
                          struct record **record, struct package_size *size, struct error *error)
{
    return rotate_thing(target, subject->plan, name, &subject->changes, record, size, error);
}

enum status command_rotate(struct context *context)
{
    static const struct subject_command command = {.action = rotate,
                                                   .would = "would get a new key and certificate",
                                                   .verb = "rotated",
                                                   .ask = true};
    return each_subject(context, &command);
}
