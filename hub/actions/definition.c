#include "definition.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/rule/topic_rule.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void definition_refuse(struct action *action, const char *format, ...)
{
    struct text why = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_formatv(&why, format, arguments);
    va_end(arguments);
    free(action->why_not);
    action->why_not = text_take(&why);
}

bool definition_is_template(const char *text)
{
    return strstr(text, "${") != NULL;
}

enum status definition_template(const struct action *action, const char *field, const char *text,
                                struct rule_template **made, struct error *error)
{
    return topic_rule_template(action->place, field, text, action->rule, made, error);
}

enum status definition_add_field(struct action *action, const char *name, const char *value,
                                 struct error *error)
{
    action->fields =
        must_realloc(action->fields, (action->field_count + 1) * sizeof *action->fields);
    struct action_field *field = &action->fields[action->field_count++];
    *field = (struct action_field){.name = must_copy(name), .length = strlen(name)};
    return definition_template(action, name, value, &field->value, error);
}

void definition_free(struct action *action)
{
    free(action->name);
    free(action->place);
    free(action->resource);
    free(action->why_not);
    rule_template_free(action->thing);
    rule_template_free(action->time);
    rule_template_free(action->target);
    rule_template_free(action->allowed);
    for (size_t i = 0; i < action->field_count; i++) {
        free(action->fields[i].name);
        rule_template_free(action->fields[i].value);
    }
    free(action->fields);
}
