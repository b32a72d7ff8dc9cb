#include "postgres_copy.h"
#include "common/base/memory.h"

#include <endian.h>

void copy_add_16(struct buffer *rows, uint16_t number)
{
    number = htobe16(number);
    buffer_add(rows, &number, sizeof number);
}

void copy_add_32(struct buffer *rows, uint32_t number)
{
    number = htobe32(number);
    buffer_add(rows, &number, sizeof number);
}

void copy_add_number(struct buffer *rows, int64_t number)
{
    uint64_t turned = htobe64((uint64_t)number);
    copy_add_32(rows, sizeof turned);
    buffer_add(rows, &turned, sizeof turned);
}

void copy_add_bytes(struct buffer *rows, const char *bytes, size_t length)
{
    copy_add_32(rows, (uint32_t)length);
    buffer_add(rows, bytes, length);
}

/* Header, rows and trailer are those of the PostgreSQL manual, "COPY", "Binary Format". */
enum status copy_send(struct postgres_store *store, const char *into, struct buffer *rows,
                      struct error *error)
{
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0", end[] = "\377\377";
    owned char *sql = must_format("COPY %s FROM STDIN (FORMAT binary)", into);
    postgres_call_begins(store);
    PGresult *result = pq.exec(store->connection, sql);
    bool sent = pq.resultStatus(result) == PGRES_COPY_IN &&
                pq.putCopyData(store->connection, header, sizeof header) == 1 &&
                pq.putCopyData(store->connection, rows->at, (int)rows->length) == 1 &&
                pq.putCopyData(store->connection, end, 2) == 1 &&
                pq.putCopyEnd(store->connection, NULL) == 1;
    enum status status = FINE;
    if (!sent)
        status = postgres_failed(store, result, error);
    pq.clear(result);
    while ((result = pq.getResult(store->connection))) {
        if (!status && pq.resultStatus(result) != PGRES_COMMAND_OK)
            status = postgres_failed(store, result, error);
        pq.clear(result);
    }
    postgres_call_ends(store);
    buffer_clear(rows);
    return status;
}
