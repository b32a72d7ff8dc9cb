/* Which certificates belong to somebody who is there. That a certificate is signed by the authority
 * is not enough: it must be a principal of a record.
 *
 *   a thing      certificates/<thing>/thing.json: the certificate of an active record, and during a
 *                rotation also the one that is being replaced, until the rotation is finished
 *   a service    iot_system_infra/local/identities/<name>.json: a program of the system itself
 *
 *     {"fingerprint": "...",          SHA-256 of its certificate, lower-case hexadecimal
 *      "policyDocument": "{...}"}     what it may do: an AWS IoT policy, as CreatePolicy takes it
 *
 * A record is read when its thing connects for the first time, and again when the file has changed;
 * otherwise a question costs one stat(). */
#ifndef HUB_PLUGIN_PRINCIPALS_H
#define HUB_PLUGIN_PRINCIPALS_H

#include "identity.h"

#include <stdbool.h>

struct principals;

/* project: the folder of the project. */
struct principals *principals_open(const char *project);
void principals_close(struct principals *principals);

/* Why the certificate of this identity is nobody's (a static text); NULL when it is somebody's. A
 * record that has become unreadable keeps its last state, and say takes a line. */
const char *principals_refuse(struct principals *principals, const struct identity *identity,
                              void (*say)(const char *line));

/* The identity of a thing by its name alone, for its session while it is away. False when there is
 * no such thing, or it is being deleted. */
bool principals_find(struct principals *principals, const char *thing, struct identity *identity,
                     void (*say)(const char *line));

/* Whether things or services came or went since this was asked the last time. A record that was
 * changed in its place is not noticed here. */
bool principals_changed(struct principals *principals);

#endif
