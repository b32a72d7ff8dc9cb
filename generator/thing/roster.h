/* The things of a CSV file (csv.h): all rows are checked before the first thing is made.
 *
 * Columns: name and type; one for each attribute; wifissid and wifipassword where things have a
 * wifi of their own. An empty attribute gets its default.
 *
 *   roster_read()     reads the file
 *   roster_check()    checks every row; things that exist already are left out
 *   roster_lock()     only one command makes things of a file at a time
 *   roster_prepare()  what the packages of each type share
 *   roster_make()     makes the things (bulk.h) */
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
    struct making *things; /* those that do not exist */
    size_t *lines;         /* of each thing, in the file */
    size_t count;          /* of them */
    size_t existed;        /* rows whose thing exists already */
    size_t wrong;          /* errors that were given to complain() */
    struct wifi wifi;      /* of rows without one; looked for when the first row needs it */
    int lock;              /* -1: not locked */
};

/* Begins with the caller's members set and the others 0, but lock, which is -1. Errors are those of
 * csv_read(). The caller frees the roster, also after a failure. */
enum status roster_read(struct roster *roster, const char *path, struct error *error);
void roster_free(struct roster *roster);

/* WRONG_INPUT when a column is missing or rows are wrong: then no thing may be made. */
enum status roster_check(struct roster *roster, struct error *error);

/* REFUSED when another command has the lock. */
enum status roster_lock(struct roster *roster, struct error *error);

enum status roster_prepare(struct roster *roster, struct error *error);

/* See bulk_make(). */
enum status roster_make(struct roster *roster, bulk_observer *observer, void *context,
                        struct error *error);

#endif
