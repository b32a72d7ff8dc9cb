#include "postgres_waiting.h"
#include "postgres_copy.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum status postgres_put_waiting(struct store *base, const char *type,
                                 const struct waiting_record *record, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    struct buffer *rows = &store->waiting;
    copy_add_16(rows, 7);
    copy_add_bytes(rows, type, strlen(type));
    copy_add_number(rows, (int64_t)record->number);
    copy_add_number(rows, record->time);
    copy_add_bytes(rows, record->topic, record->topic_length);
    copy_add_bytes(rows, record->client_id, record->client_id_length);
    copy_add_bytes(rows, record->principal, record->principal_length);
    copy_add_bytes(rows, record->payload, record->payload_length);
    return rows->failed || rows->length >= COPY_BYTES ? postgres_send_waiting(store, error) : FINE;
}

enum status postgres_send_waiting(struct postgres_store *store, struct error *error)
{
    if (store->waiting.failed)
        return fail_memory(error);
    if (!store->waiting.length)
        return FINE;
    return copy_send(store,
                     "\"_waiting\" (type, number, time, topic, client_id, principal, payload)",
                     &store->waiting, error);
}

/* --- reading; results are binary --- */

static uint64_t read_number(const PGresult *result, int at)
{
    uint64_t number;
    memcpy(&number, pq.getvalue(result, 0, at), sizeof number);
    return be64toh(number);
}

static const char *read_bytes(const PGresult *result, int at, uint32_t *length)
{
    *length = (uint32_t)pq.getlength(result, 0, at);
    return pq.getvalue(result, 0, at);
}

static void read_record(const PGresult *result, struct waiting_record *record)
{
    record->id = read_number(result, 0);
    record->number = read_number(result, 1);
    record->time = (int64_t)read_number(result, 2);
    record->topic = read_bytes(result, 3, &record->topic_length);
    record->client_id = read_bytes(result, 4, &record->client_id_length);
    record->principal = read_bytes(result, 5, &record->principal_length);
    record->payload = read_bytes(result, 6, &record->payload_length);
}

enum status postgres_read_waiting(struct store *base, const char *type, size_t most,
                                  bool (*each)(void *context, const struct waiting_record *record),
                                  void *context, struct error *error)
{
    struct postgres_store *store = (struct postgres_store *)base;
    char limit[POSTGRES_NUMBER];
    const char *const values[] = {type, postgres_print((int64_t)most, limit)};
    struct waiting_record record;
    enum status status = FINE;
    PGresult *result;
    bool wanted = true;
    postgres_call_begins(store);
    if (!pq.sendQueryParams(store->connection,
                            "SELECT " WAITING_COLUMNS " FROM \"_waiting\" WHERE type = $1::text"
                            " ORDER BY id LIMIT $2::bigint",
                            2, NULL, values, NULL, NULL, 1) ||
        !pq.setSingleRowMode(store->connection))
        status = postgres_failed(store, NULL, error);
    while ((result = pq.getResult(store->connection))) {
        ExecStatusType state = pq.resultStatus(result);
        if (state == PGRES_SINGLE_TUPLE && wanted && !status) {
            read_record(result, &record);
            wanted = each(context, &record);
        } else if (state != PGRES_SINGLE_TUPLE && state != PGRES_TUPLES_OK && !status) {
            status = postgres_failed(store, result, error);
        }
        pq.clear(result);
    }
    postgres_call_ends(store);
    return status;
}

enum status postgres_drop_waiting(struct store *base, const char *type, uint64_t upto,
                                  struct error *error)
{
    char number[POSTGRES_NUMBER];
    const char *const values[] = {type, postgres_print((int64_t)upto, number)};
    return postgres_tell((struct postgres_store *)base,
                         "DELETE FROM \"_waiting\" WHERE type = $1::text AND id <= $2::bigint", 2,
                         values, NULL, error);
}

enum status postgres_sum_waiting(struct store *base,
                                 void (*each)(void *context, const struct waiting_sum *sum),
                                 void *context, struct error *error)
{
    PGresult *list;
    enum status status = postgres_ask((struct postgres_store *)base,
                                      "SELECT type, count(*), sum(octet_length(payload)), min(time)"
                                      " FROM \"_waiting\" GROUP BY type ORDER BY type",
                                      0, NULL, &list, error);
    if (status)
        return status;
    for (int i = 0; i < pq.ntuples(list); i++) {
        const struct waiting_sum sum = {.type = pq.getvalue(list, i, 0),
                                        .count = strtoull(pq.getvalue(list, i, 1), NULL, 10),
                                        .bytes = strtoull(pq.getvalue(list, i, 2), NULL, 10),
                                        .since = strtoll(pq.getvalue(list, i, 3), NULL, 10)};
        each(context, &sum);
    }
    pq.clear(list);
    return FINE;
}
