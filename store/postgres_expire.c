#include "postgres_expire.h"
#include "common/base/memory.h"
#include "postgres_table.h"

#include <stdlib.h>
#include <string.h>

enum { THINGS_AT_ONCE = 200 /* looked at in one call */ };

/* Moves expired_thing to the next thing of the table. *found: there is one. */
static enum status next_thing(struct postgres_store *store, struct postgres_table *own, bool *found,
                              struct error *error)
{
    owned char *sql = must_format("SELECT min(thing) FROM %s WHERE thing > $1::text", own->quoted);
    const char *const values[] = {text_string(&own->expired_thing)};
    PGresult *result;
    enum status status = postgres_ask(store, sql, 1, values, &result, error);
    if (status)
        return status;
    *found = !pq.getisnull(result, 0, 0);
    text_clear(&own->expired_thing);
    if (*found)
        text_add_string(&own->expired_thing, pq.getvalue(result, 0, 0));
    pq.clear(result);
    return FINE;
}

static enum status expire_readings(struct postgres_store *store, struct postgres_table *own,
                                   int64_t before, size_t most, bool *more, struct error *error)
{
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    owned char *sql =
        must_format("DELETE FROM %s WHERE thing = $1::text AND time IN (SELECT time FROM %s"
                    " WHERE thing = $1::text AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
                    own->quoted, own->quoted);
    enum status status = FINE;
    uint64_t deleted = 0, some;
    *more = true;
    for (int i = 0; i < THINGS_AT_ONCE && deleted < most && !status; i++) {
        if (!own->expired_partly)
            status = next_thing(store, own, more, error);
        if (status || !*more)
            break;
        const char *const values[] = {text_string(&own->expired_thing),
                                      postgres_print(before, time),
                                      postgres_print((int64_t)(most - deleted), limit)};
        status = postgres_tell(store, sql, 3, values, &some, error);
        deleted += status ? 0 : some;
        own->expired_partly = deleted == most;
    }
    return status;
}

static enum status drop_chunks(struct postgres_store *store, struct postgres_table *own,
                               int64_t before, struct error *error)
{
    char time[POSTGRES_NUMBER];
    const char *const values[] = {own->quoted, postgres_print(before, time)};
    PGresult *result;
    enum status status =
        postgres_ask(store, "SELECT drop_chunks($1::regclass, older_than => $2::bigint)", 2, values,
                     &result, error);
    pq.clear(result);
    return status;
}

enum status postgres_expire(struct store_table *table, int64_t now, size_t most, bool *more,
                            struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    struct postgres_table *own = (struct postgres_table *)table;
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    *more = false;
    if (table->kind == TABLE_READINGS) {
        int64_t before = now - (int64_t)(table->retention_seconds * 1000);
        if (table->retention_seconds <= 0)
            return FINE;
        return own->hypertable ? drop_chunks(store, own, before, error)
                               : expire_readings(store, own, before, most, more, error);
    }
    if (!table->expires)
        return FINE;
    const char *const values[] = {postgres_print(now / 1000, time),
                                  postgres_print((int64_t)most, limit)};
    uint64_t deleted = 0;
    owned char *sql =
        must_format("DELETE FROM %s WHERE (thing, time, id) IN (SELECT thing, time, id FROM %s"
                    " WHERE expires IS NOT NULL AND expires < $1::bigint LIMIT $2::bigint)",
                    own->quoted, own->quoted);
    enum status status = postgres_tell(store, sql, 2, values, &deleted, error);
    *more = deleted == most;
    return status;
}

enum status postgres_expire_log(struct store *base, const char *group, int64_t before, size_t most,
                                bool *more, struct error *error)
{
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    const char *const values[] = {group, postgres_print(before, time),
                                  postgres_print((int64_t)most, limit)};
    uint64_t deleted = 0;
    enum status status = postgres_tell(
        (struct postgres_store *)base,
        "DELETE FROM \"_log\" WHERE id IN (SELECT id FROM \"_log\" WHERE log_group = $1::text"
        " AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
        3, values, &deleted, error);
    *more = deleted == most;
    return status;
}
