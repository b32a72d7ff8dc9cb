/* Lists that come in pages, whatever the service calls its token. */
#ifndef AWS_PAGES_H
#define AWS_PAGES_H

#include "aws.h"

struct aws_list {
    /* Asks for the page of a token (NULL: the first); about is the caller's. */
    void (*ask)(struct aws *aws, struct aws_call *call, const char *token, const void *about);
    const void *about;
    const char *items; /* the answer's member that holds them: "things" */
    const char *token; /* and the one that names the next page: "nextToken" */
};

/* Hands every item to each() until that fails, or sets *enough (which may be NULL where each never
 * has enough). What is listed not being there at all (ResourceNotFoundException) is an empty list.
 */
enum status aws_each(struct aws *aws, const struct aws_list *list,
                     enum status (*each)(void *context, const cJSON *item, struct error *error),
                     void *context, const bool *enough, struct error *error);

#endif
