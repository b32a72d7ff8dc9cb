#include "postgres_call.h"
#include "common/base/clock.h"
#include "common/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const double longest_call = 15; /* seconds */

struct postgres_guard {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int socket;
    double began; /* of the call that waits, by the monotonic clock; 0: none */
    bool stop, timed_out;
};

static void *guard_calls(void *context)
{
    struct postgres_guard *guard = context;
    pthread_mutex_lock(&guard->mutex);
    while (!guard->stop) {
        const struct timespec until = clock_deadline(1);
        pthread_cond_timedwait(&guard->changed, &guard->mutex, &until);
        if (guard->began > 0 && clock_monotonic() - guard->began > longest_call) {
            guard->timed_out = true;
            shutdown(guard->socket, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

enum status postgres_guard_start(struct postgres_store *store, struct error *error)
{
    struct postgres_guard *guard = must_alloc(sizeof *guard);
    pthread_condattr_t steady;
    guard->socket = pq.socket(store->connection);
    pthread_mutex_init(&guard->mutex, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&guard->changed, &steady);
    pthread_condattr_destroy(&steady);
    int failed = pthread_create(&guard->thread, NULL, guard_calls, guard);
    if (failed) {
        free(guard);
        errno = failed;
        return fail_errno(error, "cannot start a thread");
    }
    store->guard = guard;
    return FINE;
}

void postgres_guard_stop(struct postgres_store *store)
{
    struct postgres_guard *guard = store->guard;
    if (!guard)
        return;
    pthread_mutex_lock(&guard->mutex);
    guard->stop = true;
    pthread_cond_signal(&guard->changed);
    pthread_mutex_unlock(&guard->mutex);
    pthread_join(guard->thread, NULL);
    pthread_cond_destroy(&guard->changed);
    pthread_mutex_destroy(&guard->mutex);
    free(guard);
    store->guard = NULL;
}

static void set_call(struct postgres_guard *guard, double began)
{
    if (!guard)
        return;
    pthread_mutex_lock(&guard->mutex);
    guard->began = began;
    pthread_mutex_unlock(&guard->mutex);
}

void postgres_call_begins(struct postgres_store *store)
{
    set_call(store->guard, clock_monotonic());
}

void postgres_call_ends(struct postgres_store *store)
{
    set_call(store->guard, 0);
}

void postgres_trim(struct text *text)
{
    text->length = strcspn(text_string(text), "\n");
    text->at[text->length] = '\0';
}

enum status postgres_failed(struct postgres_store *store, const PGresult *result,
                            struct error *error)
{
    const char *said = result ? pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *state = result ? pq.resultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    snprintf(store->sqlstate, sizeof store->sqlstate, "%s", state ? state : "");
    if (store->guard && store->guard->timed_out) {
        fail(error, REFUSED, "the database has not answered for %.0f s", longest_call);
        return advise(error, "is the server overloaded or stopped? The connection is made again");
    }
    fail(error, REFUSED, "the database refuses: %s",
         said ? said : pq.errorMessage(store->connection));
    postgres_trim(&error->message);
    return REFUSED;
}

bool postgres_is_about_table(const struct postgres_store *store)
{
    static const char *const states[] = {
        "22",    /* a value, or a trigger on one */
        "23",    /* a constraint that somebody added */
        "42",    /* a name, a type, a right */
        "44",    /* a view's condition */
        "0A",    /* something that a view or a foreign table does not support */
        "P0",    /* a trigger's own exception */
        "XX",    /* damage of its files */
        "55000", /* a view that takes no rows */
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strncmp(store->sqlstate, states[i], strlen(states[i])) == 0)
            return true;
    return false;
}

enum status postgres_ask(struct postgres_store *store, const char *sql, int count,
                         const char *const *values, PGresult **result, struct error *error)
{
    postgres_call_begins(store);
    *result = pq.execParams(store->connection, sql, count, NULL, values, NULL, NULL, 0);
    postgres_call_ends(store);
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
    postgres_call_begins(store);
    PGresult *result = pq.exec(store->connection, sql);
    postgres_call_ends(store);
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
