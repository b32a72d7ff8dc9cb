/* What a connection may do: the policy document of its type, the one that AWS would get, and the
 * authority's list of revoked certificates. Files are read again when they have changed, at most so
 * often as rights_refresh() is called; a decision reads none. */
#ifndef HUB_PLUGIN_RIGHTS_H
#define HUB_PLUGIN_RIGHTS_H

#include "../../common/policy.h"
#include "identity.h"

#include <stdbool.h>

struct rights;

/* project: the folder of the project; NULL without memory. */
struct rights *rights_open(const char *project);
void rights_close(struct rights *rights);

/* Looks at the files. True when a right may have been lost, so that all connections have to be
 * looked at again. What cannot be read (say: takes one line) keeps its last state; a list of
 * revoked certificates that never could be read revokes everybody. */
bool rights_refresh(struct rights *rights, void (*say)(const char *line));

bool rights_revoked(const struct rights *rights, const char *serial);

/* Whether the type is plugged in; reads its documents when it is asked for the first time. */
bool rights_know(struct rights *rights, const char *type, void (*say)(const char *line));

/* A decision for a thing that connected as client_id. words gets the reason when it is no. */
bool rights_allow(struct rights *rights, const struct identity *identity, const char *client_id,
                  enum policy_action action, const char *name, struct text *words);

#endif
