/* What a connection may do: the policy document of its type, the one that AWS would get, and the
 * authority's list of revoked certificates. Files are read again when they have changed;
 * rights_allow() looks at none. */
#ifndef HUB_PLUGIN_RIGHTS_H
#define HUB_PLUGIN_RIGHTS_H

#include "common/policy/policy.h"
#include "identity.h"

#include <stdbool.h>

struct rights;

/* project: the folder of the project; NULL without memory. */
struct rights *rights_open(const char *project);
void rights_close(struct rights *rights);

/* Looks at all files. What cannot be read (say: takes one line) keeps its last state; a list of
 * revoked certificates that never could be read revokes everybody. */
void rights_refresh(struct rights *rights, void (*say)(const char *line));

/* Whether a right may have been lost since this was asked the last time, whoever looked at the
 * files meanwhile: all connections have to be looked at again then. */
bool rights_changed(struct rights *rights);

/* Looks at the list, too. */
bool rights_revoked(struct rights *rights, const char *serial, void (*say)(const char *line));

/* Whether the type is plugged in. Looks at its files; reads them when it is asked for the first
 * time. */
bool rights_know(struct rights *rights, const char *type, void (*say)(const char *line));

/* A decision for a thing that connected as client_id. words gets the reason when it is no. */
bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words);

#endif
