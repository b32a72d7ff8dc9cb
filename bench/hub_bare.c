/* What sensorhub is measured against: the same spool into the same table, with nothing in between
 * but cJSON and a prepared statement. No rules, no types, no checks.
 *
 *   hub_bare SPOOL DATABASE THING-OFFSET
 *
 * Batches of 10,000, synchronous=FULL, the same primary key, cache and checkpoints. The thing is
 * what follows THING-OFFSET bytes of the topic. Prints seconds of the wall and of the processor. */
#include "common/base/clock.h"
#include "hub/spool/spool.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 10000 };

static struct spool_record records[MOST];

static void insert(sqlite3_stmt *statement, const struct spool_record *record, size_t offset)
{
    cJSON *reading = cJSON_ParseWithLength(record->payload, record->payload_length);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(reading, "time");
    const cJSON *zone = cJSON_GetObjectItemCaseSensitive(reading, "zone");
    const cJSON *temperature = cJSON_GetObjectItemCaseSensitive(reading, "temperature");
    if (!time || !zone || !temperature)
        abort();
    sqlite3_bind_text(statement, 1, record->topic + offset, (int)(record->topic_length - offset),
                      SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)time->valuedouble);
    sqlite3_bind_text(statement, 3, zone->valuestring, -1, SQLITE_STATIC);
    sqlite3_bind_double(statement, 4, temperature->valuedouble);
    sqlite3_step(statement);
    if (sqlite3_reset(statement))
        abort();
    cJSON_Delete(reading);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct spool_reader *reader;
    bool anew;
    sqlite3 *database;
    sqlite3_stmt *statement;
    size_t count;
    if (argc != 4 || spool_reader_open(argv[1], &(struct spool_place){0}, &reader, &anew, &error) ||
        sqlite3_open(argv[2], &database) ||
        sqlite3_exec(database,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;"
                     "CREATE TABLE t (thing VARCHAR NOT NULL, time BIGINT NOT NULL, zone VARCHAR,"
                     " temperature DOUBLE, PRIMARY KEY (thing, time)) WITHOUT ROWID",
                     NULL, NULL, NULL) ||
        sqlite3_prepare_v2(database, "INSERT INTO t VALUES (?1, ?2, ?3, ?4)", -1, &statement, NULL))
        return 1;
    double began = clock_monotonic();
    while (!spool_read(reader, records, MOST, &count, &error) && count) {
        sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
        for (size_t i = 0; i < count; i++)
            insert(statement, &records[i], (size_t)atoi(argv[3]));
        if (sqlite3_exec(database, "COMMIT", NULL, NULL, NULL))
            return 1;
    }
    printf("%.3f %.3f\n", clock_monotonic() - began, (double)clock() / CLOCKS_PER_SEC);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    spool_reader_close(reader);
    return 0;
}
