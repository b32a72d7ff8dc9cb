/* The things of a CSV file (csv.h): all rows are checked before the first thing is made.
 *
 * Columns: name and type; one for each attribute; wifissid and wifipassword where things have a
 * wifi of their own. An empty attribute gets its default.
 *
 *   roster_read()     reads the file
 *   roster_check()    checks every row; things that exist already are compared with theirs
 *   roster_lock()     only one command makes things of a file at a time
 *   roster_prepare()  what the packages of each type share
 *   roster_make()     makes the things (bulk.h)
 *   roster_update()   changes a thing that exists and differs from its row
 *
 * What a row says of a thing that exists is what its columns say: a column that is missing, and a wifi
 * that is empty, say nothing. */
#ifndef GENERATOR_THING_ROSTER_H
#define GENERATOR_THING_ROSTER_H

#include "bulk.h"
#include "csv.h"
#include "generator/project/project.h"
#include "package.h"
#include "wifi.h"

#include <stddef.h>

/* A type that rows name, and what its packages share: the model at first, the rest after
 * roster_prepare(). */
struct roster_type {
    char *name;
    struct package_plan plan;
};

/* A value of a thing that exists, and the one that its row has. */
struct difference {
    size_t change; /* the roster_change that it belongs to */
    char *column;
    char *was, *is; /* NULL: a secret, which is not shown */
};

/* A thing that exists and differs from its row. */
struct roster_change {
    char *name;
    size_t line;
    enum target_kind target;         /* where the thing was made */
    const struct package_plan *plan; /* of its type; the roster's */
    struct attributes attributes;    /* complete, as the row wants them */
    struct wifi wifi;                /* what the row says of it; NULL: nothing */
};

struct roster {
    /* Set by the caller: */
    struct project *project;
    struct target *target;
    const char *file;  /* its name, for messages */
    const char *ssid;  /* of the wifi of rows without one, see wifi_find(); may be NULL */
    secret_asker *ask; /* likewise */
    /* Takes an error of one row; the others are checked all the same. */
    void (*complain)(void *context, const struct error *error);
    void *context;

    struct csv table;
    struct roster_type **types; /* pointers, because things refer to the plans */
    size_t type_count, type_room;
    struct making *things;         /* those that do not exist */
    size_t *lines;                 /* of each thing, in the file */
    size_t count;                  /* of them */
    size_t existed;                /* rows whose thing exists already */
    struct roster_change *changes; /* of those, the ones that differ */
    size_t change_count, change_room;
    struct difference *differences; /* in the order of the changes */
    size_t difference_count, difference_room;
    size_t wrong;     /* errors that were given to complain() */
    struct wifi wifi; /* of rows without one; looked for when the first row needs it */
    int lock;         /* -1: not locked */
};

/* Begins with the caller's members set and the others 0, but lock, which is -1. Errors are those of
 * csv_read(). The caller frees the roster, also after a failure. */
enum status roster_read(struct roster *roster, const char *path, struct error *error);
void roster_free(struct roster *roster);

/* WRONG_INPUT when a column is missing or rows are wrong: then no thing may be made. */
enum status roster_check(struct roster *roster, struct error *error);

/* REFUSED when another command has the lock. */
enum status roster_lock(struct roster *roster, struct error *error);

/* Completes the plans of all types that rows name; after roster_check(). */
enum status roster_prepare(struct roster *roster, struct error *error);

/* Makes one thing of the changes as its row says, with its package. The board needs that package.
 * WRONG_INPUT when the thing is of another target than the roster's. */
enum status roster_update(struct roster *roster, const struct roster_change *change,
                          struct package_size *size, struct error *error);

/* See bulk_make(). */
enum status roster_make(struct roster *roster, bulk_observer *observer, void *context,
                        struct error *error);

/* --- inside the room: roster_update.c --- */

/* Compares the row with the record of the thing that it names, and keeps what differs. complete: the
 * row's attributes with defaults. own: the wifi of the row; what is NULL is not said. */
void roster_compare(struct roster *roster, const struct csv_row *row, const struct record *record,
                    const struct package_plan *plan, const struct attributes *complete,
                    const struct wifi *own);
void roster_free_changes(struct roster *roster);

#endif
