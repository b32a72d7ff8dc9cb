#include "url.h"
#include "libcurl.h"
#include "common/base/memory.h"

#include <stdlib.h>

static char *part_of(CURLU *url, CURLUPart part)
{
    char *found = NULL;
    if (curl.url_get(url, part, &found, 0) != CURLUE_OK)
        return must_copy("");
    char *copy = must_copy(found);
    curl.free(found);
    return copy;
}

enum status url_read(const char *text, struct url *url, bool *valid, struct error *error)
{
    *url = (struct url){0};
    *valid = false;
    enum status status = libcurl_load(error);
    if (status)
        return status;
    CURLU *parts = curl.url();
    *valid = parts && curl.url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK;
    if (*valid)
        *url = (struct url){
            .scheme = part_of(parts, CURLUPART_SCHEME),
            .user = part_of(parts, CURLUPART_USER),
            .host = part_of(parts, CURLUPART_HOST),
            .port = part_of(parts, CURLUPART_PORT),
            .path = part_of(parts, CURLUPART_PATH),
            .query = part_of(parts, CURLUPART_QUERY),
            .fragment = part_of(parts, CURLUPART_FRAGMENT),
        };
    curl.url_cleanup(parts);
    return FINE;
}

void url_free(struct url *url)
{
    free(url->scheme);
    free(url->user);
    free(url->host);
    free(url->port);
    free(url->path);
    free(url->query);
    free(url->fragment);
    *url = (struct url){0};
}
