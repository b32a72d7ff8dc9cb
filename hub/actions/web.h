/* HTTP requests of actions: one POST, with libcurl. */
#ifndef HUB_ACTIONS_WEB_H
#define HUB_ACTIONS_WEB_H

#include "aws/libcurl.h"

#include <stdbool.h>
#include <stddef.h>

/* POSTs the body, with libcurl loaded. headers: lines, each ending in \n. Returns true when the
 * server answered with a code of 200 to 299. Otherwise why gets the reason, and *again says whether
 * a retry may succeed: the server was not reached, did not answer within `seconds`, or answered 429
 * or 500 and above. */
bool web_post(CURL *easy, const char *url, const char *headers, const char *body, size_t length,
              double seconds, bool *again, char *why, size_t room);

#endif
