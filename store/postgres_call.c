#include "postgres_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void postgres_trim(struct text *text)
{
    text->length = strcspn(text_string(text), "\n");
    text->at[text->length] = '\0';
}

enum status postgres_failed(struct postgres_store *store, const PGresult *result,
                            struct error *error)
{
    const char *said = result ? pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    fail(error, REFUSED, "the database refuses: %s",
         said ? said : pq.errorMessage(store->connection));
    postgres_trim(&error->message);
    return REFUSED;
}

enum status postgres_ask(struct postgres_store *store, const char *sql, int count,
                         const char *const *values, PGresult **result, struct error *error)
{
    *result = pq.execParams(store->connection, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType state = pq.resultStatus(*result);
    if (state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK)
        return FINE;
    enum status status = postgres_failed(store, *result, error);
    pq.clear(*result);
    *result = NULL;
    return status;
}

enum status postgres_tell(struct postgres_store *store, const char *sql, int count,
                          const char *const *values, uint64_t *rows, struct error *error)
{
    PGresult *result;
    enum status status = postgres_ask(store, sql, count, values, &result, error);
    if (status)
        return status;
    if (rows)
        *rows = strtoull(pq.cmdTuples(result), NULL, 10);
    pq.clear(result);
    return FINE;
}

enum status postgres_run(struct postgres_store *store, const char *sql, struct error *error)
{
    PGresult *result = pq.exec(store->connection, sql);
    ExecStatusType state = pq.resultStatus(result);
    enum status status = FINE;
    if (state != PGRES_COMMAND_OK && state != PGRES_TUPLES_OK)
        status = postgres_failed(store, result, error);
    pq.clear(result);
    return status;
}

enum status postgres_is_true(struct postgres_store *store, const char *sql, int count,
                             const char *const *values, bool *yes, struct error *error)
{
    PGresult *result;
    enum status status = postgres_ask(store, sql, count, values, &result, error);
    if (status)
        return status;
    *yes = pq.ntuples(result) == 1 && strcmp(pq.getvalue(result, 0, 0), "t") == 0;
    pq.clear(result);
    return FINE;
}

const char *postgres_print(int64_t number, char made[POSTGRES_NUMBER])
{
    snprintf(made, POSTGRES_NUMBER, "%" PRId64, number);
    return made;
}
