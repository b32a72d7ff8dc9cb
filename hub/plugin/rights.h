/* What a connection may do: the policy document of its type, the one that AWS would get, or of the
 * service that it is (principals.h), and the authority's list of revoked certificates. Files are
 * read again when they have changed; rights_allow() looks at none. */
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

/* Why a certificate of this serial number is worth nothing (a static text); NULL when it is not
 * revoked. Looks at the list's file. */
const char *rights_revoked(struct rights *rights, const char *serial,
                           void (*say)(const char *line));

/* Whether there is a policy: the type is plugged in, or the service has one. Looks at its files;
 * reads them when it is asked for the first time. */
bool rights_know(struct rights *rights, const struct identity *identity,
                 void (*say)(const char *line));

/* Calls topic() with each topic, without wildcards, that the policy of the type names for this thing. */
void rights_topics(const struct rights *rights, const struct identity *identity,
                   void (*topic)(const char *topic));

/* A decision for a thing or service that connected as client_id. words gets the reason when it is
 * no. */
bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words);

#endif
