/* What a connection may do. It is decided by the policy document of its type, which is the same as
 * on AWS, and by the authority's list of revoked certificates. Files are read again when they have
 * changed. rights_allow() does not look at files. */
#ifndef HUB_PLUGIN_RIGHTS_H
#define HUB_PLUGIN_RIGHTS_H

#include "common/policy/policy.h"
#include "identity.h"

#include <stdbool.h>

struct rights;

/* project: the folder of the project. Ends the program when memory is exhausted. */
struct rights *rights_open(const char *project);
void rights_close(struct rights *rights);

/* Looks at all files. For a file that cannot be read, say() gets one line, and its last content
 * stays in force. While the list of revoked certificates never could be read, all certificates
 * count as revoked. */
void rights_refresh(struct rights *rights, void (*say)(const char *line));

/* Whether a file changed since the last call, so that a client may have lost a right: then all
 * connections must be checked again. */
bool rights_changed(struct rights *rights);

/* Whether the certificate of this serial number is revoked. Looks at the list first. */
bool rights_revoked(struct rights *rights, const char *serial, void (*say)(const char *line));

/* Whether the type is deployed. Looks at its files. */
bool rights_know(struct rights *rights, const char *type, void (*say)(const char *line));

/* Decides for a thing that connected as client_id. False: words gets the reason. */
bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words);

#endif
