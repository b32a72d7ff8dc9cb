#include "pages.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>

/* One page; *token is the next one's, NULL behind the last. */
static enum status read_page(struct aws *aws, const struct aws_list *list, char **token,
                             enum status (*each)(void *context, const cJSON *item,
                                                 struct error *error),
                             void *context, struct error *error)
{
    struct aws_call call = {0};
    const cJSON *item;
    list->ask(aws, &call, *token, list->about);
    enum status status = aws_finish(aws, &call, NULL);
    if (status && aws_failed_with(&call, "ResourceNotFoundException")) {
        status = FINE;
    } else if (status) {
        *error = call.error;
        call.error = (struct error){0};
    }
    cJSON_ArrayForEach(item, json_get(call.answer, list->items))
    {
        if (!status)
            status = each(context, item, error);
    }
    const char *next = json_string(call.answer, list->token, "");
    free(*token);
    *token = *next && !status ? must_copy(next) : NULL;
    aws_call_free(&call);
    return status;
}

enum status aws_each(struct aws *aws, const struct aws_list *list,
                     enum status (*each)(void *context, const cJSON *item, struct error *error),
                     void *context, const bool *enough, struct error *error)
{
    char *token = NULL;
    enum status status;
    do
        status = read_page(aws, list, &token, each, context, error);
    while (token && !(enough && *enough));
    free(token);
    return status;
}
