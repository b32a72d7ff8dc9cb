/* Calls of PostgreSQL's server, on the connection of a store. */
#ifndef STORE_POSTGRES_CALL_H
#define STORE_POSTGRES_CALL_H

#include "backend.h"
#include "common/base/buffer.h"
#include "libpq.h"

enum { POSTGRES_NUMBER = 32 /* room for a number as text */ };

struct postgres_table;

struct postgres_store {
    struct store store; /* first */
    PGconn *connection;
    bool read_only, in_tables;    /* in_tables: store_tables_begin() began a transaction */
    bool timescale;               /* the database has the extension TimescaleDB */
    struct postgres_guard *guard; /* NULL: there is no timeout */
    struct postgres_table *tables;
    size_t table_count;
    struct settlement settlement; /* of the transaction */
    struct tokens rejected;       /* what settlement.rejected points to */
    struct buffer waiting;        /* records for the table _waiting, as binary COPY takes them */
    char sqlstate[6];             /* of the last failure; "": the connection failed */
};

/* A timeout for calls of the server. libpq's calls wait for ever for a server that is frozen; TCP's
 * timeouts do not help, for its kernel still acknowledges. A thread shuts the connection down when a
 * call takes longer, and the call fails. */
enum status postgres_guard_start(struct postgres_store *store, struct error *error);
void postgres_guard_stop(struct postgres_store *store);
void postgres_call_begins(struct postgres_store *store);
void postgres_call_ends(struct postgres_store *store);

/* Fills the error with what the server said of the result, or libpq of the connection (result
 * NULL). Returns REFUSED. */
enum status postgres_failed(struct postgres_store *store, const PGresult *result,
                            struct error *error);

/* Whether the last failure was due to the table that the statement names, so that other tables can be
 * used (PostgreSQL manual, "PostgreSQL Error Codes"). */
bool postgres_is_about_table(const struct postgres_store *store);

/* Keeps the first line; libpq's other lines are advice. */
void postgres_trim(struct text *text);

/* Runs one statement with parameters, as text, and gives its result, to be freed with pq.clear().
 * NULL on failure. */
enum status postgres_ask(struct postgres_store *store, const char *sql, int count,
                         const char *const *values, PGresult **result, struct error *error);

/* Runs one statement with parameters. *rows, if not NULL: how many rows it changed. */
enum status postgres_tell(struct postgres_store *store, const char *sql, int count,
                          const char *const *values, uint64_t *rows, struct error *error);

/* Runs statements without parameters. */
enum status postgres_run(struct postgres_store *store, const char *sql, struct error *error);

/* Asks for one truth value. */
enum status postgres_is_true(struct postgres_store *store, const char *sql, int count,
                             const char *const *values, bool *yes, struct error *error);

/* Writes the number, and returns made. */
const char *postgres_print(int64_t number, char made[POSTGRES_NUMBER]);

#endif
