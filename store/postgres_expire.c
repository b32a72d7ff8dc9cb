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
                                   size_t most, struct expired *expired, struct error *error)
{
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    owned char *sql =
        must_format("DELETE FROM %s WHERE thing = $1::text AND time IN (SELECT time FROM %s"
                    " WHERE thing = $1::text AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
                    own->quoted, own->quoted);
    enum status status = FINE;
    uint64_t some;
    expired->more = true;
    for (int i = 0; i < THINGS_AT_ONCE && expired->count < most && !status; i++) {
        if (!own->expired_partly)
            status = next_thing(store, own, &expired->more, error);
        if (status || !expired->more)
            break;
        const char *const values[] = {text_string(&own->expired_thing),
                                      postgres_print(expired->before, time),
                                      postgres_print((int64_t)(most - expired->count), limit)};
        status = postgres_tell(store, sql, 3, values, &some, error);
        expired->count += status ? 0 : some;
        own->expired_partly = expired->count == most;
    }
    return status;
}

static enum status drop_chunks(struct postgres_store *store, struct postgres_table *own,
                               struct expired *expired, struct error *error)
{
    char time[POSTGRES_NUMBER];
    const char *const values[] = {own->quoted, postgres_print(expired->before, time)};
    PGresult *result;
    enum status status =
        postgres_ask(store, "SELECT drop_chunks($1::regclass, older_than => $2::bigint)", 2, values,
                     &result, error);
    expired->unit = "chunks (a week each)";
    expired->count = status ? 0 : (uint64_t)pq.ntuples(result);
    pq.clear(result);
    return status;
}

static enum status expire_items(struct postgres_store *store, struct postgres_table *own,
                                int64_t now, size_t most, struct expired *expired,
                                struct error *error)
{
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    const char *const values[] = {postgres_print(now / 1000, time),
                                  postgres_print((int64_t)most, limit)};
    owned char *sql =
        must_format("DELETE FROM %s WHERE (thing, time, id) IN (SELECT thing, time, id FROM %s"
                    " WHERE expires IS NOT NULL AND expires < $1::bigint LIMIT $2::bigint)",
                    own->quoted, own->quoted);
    enum status status = postgres_tell(store, sql, 2, values, &expired->count, error);
    expired->more = !status && expired->count == most;
    return status;
}

enum status postgres_expire(struct store_table *table, int64_t now, size_t most,
                            struct expired *expired, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)table->store;
    struct postgres_table *own = (struct postgres_table *)table;
    enum status status = table->kind == TABLE_ITEMS
                             ? expire_items(store, own, now, most, expired, error)
                         : own->hypertable ? drop_chunks(store, own, expired, error)
                                           : expire_readings(store, own, most, expired, error);
    if (!status)
        return FINE;
    *expired = (struct expired){.unit = expired->unit};
    if (postgres_is_about_table(store))
        store->store.troubled = table->name;
    return status;
}

enum status postgres_expire_log(struct store *base, const char *group, int64_t before, size_t most,
                                struct expired *expired, struct error *error)
{
    char time[POSTGRES_NUMBER], limit[POSTGRES_NUMBER];
    const char *const values[] = {group, postgres_print(before, time),
                                  postgres_print((int64_t)most, limit)};
    enum status status = postgres_tell(
        (struct postgres_store *)base,
        "DELETE FROM \"_log\" WHERE id IN (SELECT id FROM \"_log\" WHERE log_group = $1::text"
        " AND time < $2::bigint ORDER BY time LIMIT $3::bigint)",
        3, values, &expired->count, error);
    expired->more = !status && expired->count == most;
    return status;
}
