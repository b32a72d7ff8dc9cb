/* Mail: through this machine's sendmail where there is one, else to the mail server on its port 25.
 */
#ifndef HUB_ACTIONS_MAIL_H
#define HUB_ACTIONS_MAIL_H

#include "aws/libcurl.h"

#include <stdbool.h>
#include <stddef.h>

/* False with the reason in why, also when it takes longer than so many seconds. The body is text,
 * or any bytes. easy is for the mail server, and unused where there is a sendmail. */
bool mail_send(CURL *easy, const char *address, const char *subject, const char *body,
               size_t length, double seconds, char *why, size_t room);

#endif
