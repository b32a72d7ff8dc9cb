#include "work.h"
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

void work_fail(const struct work *work, const struct action *action, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    failure_add(work->failures, action->name, action->resource, "%s", message);
}

bool work_template(const struct work *work, const struct action *action,
                   const struct rule_template *template, struct rule_result *text)
{
    enum rule_outcome outcome = rule_template_run(template, work->scratch, text);
    if (outcome == RULE_SELECTED)
        return true;
    if (outcome == RULE_REFUSED)
        work_fail(work, action, "%s() needs %s, which is not here", text->function, text->service);
    else
        work_fail(work, action, "The message needs too much memory");
    return false;
}
