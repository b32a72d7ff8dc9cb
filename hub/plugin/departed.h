/* What is left in the broker of a thing that was deleted: its session, the commands that wait in it,
 * and retained messages on its topics. A new thing of the same name gets none of it.
 *
 * delete leaves a note, iot_system_infra/local/departed/<thing>, with the thing's type in it. When it
 * is found, the retained messages are removed. The broker lets no plugin end the session of a client
 * that is away (mosquitto 2.0 breaks its list of sessions when such a client is kicked). So nothing
 * more is queued for a thing that has no record, and when a thing of that name connects for the first
 * time, it may receive nothing until it is connected: the broker asks the plugin about each message
 * that waits then, and drops those that are denied. The note is removed when the broker has saved its
 * sessions after that: after a kill before, the old session would be there again. */
#ifndef HUB_PLUGIN_DEPARTED_H
#define HUB_PLUGIN_DEPARTED_H

#include <stdbool.h>

struct departed;

/* project: the folder of the project. left() is called once for each note that is found; type is ""
 * where it is not known. */
struct departed *departed_open(const char *project,
                               void (*left)(void *context, const char *thing, const char *type),
                               void *context);
void departed_close(struct departed *departed);

/* Looks for new notes, and removes finished ones. Costs two calls of stat() where nothing
 * has changed. */
void departed_refresh(struct departed *departed);

/* Whether messages that are queued for this thing belong to a deleted one of the same name. True once
 * for each note; the caller drops the messages. */
bool departed_claim(struct departed *departed, const char *thing);

#endif
