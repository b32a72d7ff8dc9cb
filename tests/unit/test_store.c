/* The store, the same tests on SQLite and on a PostgreSQL server that is started for them. */
#include "../../hub/store.h"
#include "workplace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <signal.h>
#include <sys/resource.h>

static const char *url;
static char *cluster, *postgres_url;
static struct store *store;

/* --- a PostgreSQL server of our own: no TCP, a socket in its folder --- */

/* As the user postgres where we are root, which it refuses to run as. */
static int as_postgres(const char *command)
{
    const char *user = geteuid() ? "" : "setpriv --reuid=postgres --regid=postgres --clear-groups ";
    owned char *whole =
        must_format("cd / && PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n "
                    "1) %s%s >/dev/null 2>&1",
                    user, command);
    return system(whole); /* NOLINT(cert-env33-c): words of this file only */
}

static bool start_postgres(void)
{
    cluster = must_copy("/tmp/sensorforge-postgres-XXXXXX");
    if (!mkdtemp(cluster) || chmod(cluster, 0777))
        return false;
    owned char *make = must_format("initdb -D %s/data -A trust -U hub -E UTF8 --locale=C "
                                   "--no-sync",
                                   cluster);
    owned char *start = must_format("pg_ctl -D %s/data -w -o \"-k %s -c listen_addresses='' "
                                    "-c fsync=off\" -l %s/data/log start",
                                    cluster, cluster, cluster);
    postgres_url = must_format("postgresql://hub@/postgres?host=%s", cluster);
    return as_postgres(make) == 0 && as_postgres(start) == 0;
}

static void stop_postgres(void)
{
    owned char *stop = must_format("pg_ctl -D %s/data -m immediate stop", cluster);
    owned char *remove = must_format("rm -rf %s/data", cluster);
    struct error ignored = {0};
    as_postgres(stop);
    as_postgres(remove);
    remove_tree(cluster, &ignored);
    error_free(&ignored);
    free(cluster);
    free(postgres_url);
}

/* --- each test begins with an empty database --- */

static void must_open(void)
{
    assert_fine(store_open(url, false, &store, &error));
}

static void reopen(void)
{
    store_close(store);
    must_open();
}

static int open_sqlite(void **state)
{
    url = "sqlite:test.sqlite";
    int failed = clear_workplace(state);
    must_open();
    return failed;
}

static int open_postgres(void **state)
{
    (void)state;
    url = postgres_url;
    owned char *command = must_format("psql -h %s -U hub postgres -c 'DROP SCHEMA public CASCADE; "
                                      "CREATE SCHEMA public'",
                                      cluster);
    if (as_postgres(command))
        return -1;
    must_open();
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    store_close(store);
    store = NULL;
    return 0;
}

/* --- rows --- */

static const struct table_wish readings = {.name = "esp8266temp", .kind = TABLE_READINGS};
static const struct table_wish items = {
    .name = "iot-x-invalid", .kind = TABLE_ITEMS, .expires = true};

static struct store_table *make(const struct table_wish *wish)
{
    struct store_table *table = NULL;
    assert_fine(store_table(store, wish, &table, &error));
    assert_non_null(table);
    return table;
}

static struct store_table *make_readings(void)
{
    struct store_table *table = make(&readings);
    if (!table->column_count) {
        assert_fine(store_add_column(table, "zone", COLUMN_VARCHAR, &error));
        assert_fine(store_add_column(table, "temperature", COLUMN_DOUBLE, &error));
        assert_fine(store_add_column(table, "count", COLUMN_BIGINT, &error));
        assert_fine(store_add_column(table, "on", COLUMN_BOOLEAN, &error));
    }
    return table;
}

static struct cell text_cell(const char *text)
{
    return (struct cell){.set = true, .as.text = {text, strlen(text)}};
}

/* A temperature below -1000: no value. */
static void put_reading(struct store_table *table, const char *thing, int64_t time,
                        double temperature, uint64_t token)
{
    const struct cell cells[] = {text_cell("1"),
                                 {.set = temperature > -1000, .as.number = temperature},
                                 {.set = true, .as.integer = INT64_MIN},
                                 {.set = true, .as.integer = 1}};
    const struct row row = {.thing = thing,
                            .thing_length = strlen(thing),
                            .time = time,
                            .cells = cells,
                            .token = token};
    assert_fine(store_put(table, &row, &error));
}

static struct settlement settle(void)
{
    struct settlement settlement;
    assert_fine(store_settle(store, &settlement, &error));
    return settlement;
}

static void begin(void)
{
    assert_fine(store_begin(store, &error));
}

static void commit(uint64_t position)
{
    assert_fine(store_commit(store, position, "{}", &error));
}

/* Rows as "thing time temperature|"; or "thing time item|" */
static bool write_row(void *context, const struct row *row)
{
    struct text *out = context;
    text_add_format(out, "%.*s %" PRId64 " ", (int)row->thing_length, row->thing, row->time);
    if (row->item)
        text_add_format(out, "%.*s|", (int)row->item_length, row->item);
    else if (row->cells[1].set)
        text_add_format(out, "%g|", row->cells[1].as.number);
    else
        text_add_string(out, "-|");
    return true;
}

static void assert_rows(struct store_table *table, const char *thing, int64_t from, int64_t until,
                        size_t limit, const char *wanted)
{
    struct text rows = {0};
    const struct store_query query = {thing, from, until, limit};
    assert_fine(store_query(table, &query, write_row, &rows, &error));
    assert_string_equal(text_string(&rows), wanted);
    text_free(&rows);
}

static void assert_all(struct store_table *table, const char *wanted)
{
    assert_rows(table, NULL, INT64_MIN, INT64_MAX, 0, wanted);
}

/* --- tests --- */

static void keeps_what_is_committed(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    uint64_t position;
    char counts[LONGEST_COUNTS];
    assert_fine(store_position(store, &position, counts, &error));
    assert_int_equal(position, 0);
    begin();
    put_reading(table, "a", 1, 20.5, 0);
    settle();
    assert_fine(store_put_log(store, 5, "group", "text", 4, &error));
    assert_fine(store_commit(store, 117654586319913536, "{\"readings\": 1}", &error));
    begin();
    put_reading(table, "a", 2, 21, 0);
    settle();
    reopen(); /* without a commit */
    table = make_readings();
    assert_fine(store_position(store, &position, counts, &error));
    assert_true(position == 117654586319913536);
    assert_string_equal(counts, "{\"readings\": 1}");
    assert_int_equal(table->column_count, 4);
    assert_all(table, "a 1 20.5|");
}

static void keeps_every_kind(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    put_reading(table, "a", -1, -0.1, 0);
    settle();
    commit(1);
    reopen();
    table = make_readings();
    assert_int_equal(table->columns[0].kind, COLUMN_VARCHAR);
    assert_int_equal(table->columns[1].kind, COLUMN_DOUBLE);
    assert_int_equal(table->columns[2].kind, COLUMN_BIGINT);
    assert_int_equal(table->columns[3].kind, COLUMN_BOOLEAN);
    assert_string_equal(table->columns[3].name, "on");
    assert_all(table, "a -1 -0.1|");
}

static void stores_a_reading_once(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    put_reading(table, "a", 1, 20, 10);
    put_reading(table, "a", 1, 20, 11);
    put_reading(table, "a", 1, 21, 12);
    put_reading(table, "b", 1, 21, 13);
    struct settlement settlement = settle();
    assert_int_equal(settlement.stored, 2);
    assert_int_equal(settlement.duplicates, 1);
    assert_int_equal(settlement.rejected_count, 1);
    assert_int_equal(settlement.rejected[0], 12);
    commit(1);
    begin();
    put_reading(table, "a", 1, 20, 20);
    put_reading(table, "b", 1, 22, 21);
    put_reading(table, "c", 1, 22, 22);
    settlement = settle();
    assert_int_equal(settlement.stored, 1);
    assert_int_equal(settlement.duplicates, 1);
    assert_int_equal(settlement.rejected_count, 1);
    assert_int_equal(settlement.rejected[0], 21);
    commit(2);
    assert_all(table, "c 1 22|b 1 21|a 1 20|");
}

static void adds_a_value_where_there_was_none(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    put_reading(table, "a", 1, -2000, 1);
    settle();
    commit(1);
    assert_all(table, "a 1 -|");
    begin();
    put_reading(table, "a", 1, 20, 2);
    assert_int_equal(settle().rejected_count, 0);
    commit(2);
    assert_all(table, "a 1 20|");
}

static void adds_a_column_in_a_transaction(void **state)
{
    (void)state;
    struct store_table *table = make(&readings);
    const struct cell cells[] = {text_cell("1"), {.set = true, .as.number = 5}};
    struct row row = {.thing = "a", .thing_length = 1, .cells = cells};
    begin();
    assert_fine(store_add_column(table, "zone", COLUMN_VARCHAR, &error));
    row.time = 1;
    assert_fine(store_put(table, &row, &error));
    assert_fine(store_add_column(table, "tem\"per'ature", COLUMN_DOUBLE, &error));
    row.time = 2;
    assert_fine(store_put(table, &row, &error));
    assert_int_equal(settle().stored, 2);
    commit(1);
    assert_all(table, "a 2 5|a 1 -|");
    begin();
    assert_fine(store_add_column(table, "gone", COLUMN_DOUBLE, &error));
    reopen(); /* and it is not there */
    table = make(&readings);
    assert_int_equal(table->column_count, 2);
    assert_string_equal(table->columns[1].name, "tem\"per'ature");
}

static void put_item(struct store_table *table, int64_t time, const char *item, int64_t expires)
{
    const struct row row = {.thing = "a",
                            .thing_length = 1,
                            .time = time,
                            .item = item,
                            .item_length = strlen(item),
                            .expires = expires};
    assert_fine(store_put(table, &row, &error));
}

static void replaces_items(void **state)
{
    (void)state;
    struct store_table *table = make(&items);
    begin();
    put_item(table, 1, "{\"x\":1}", 100);
    put_item(table, 1, "{\"x\":\"\\u0000\"}", 100);
    put_item(table, 2, "{}", 0);
    assert_int_equal(settle().stored, 3);
    commit(1);
    assert_all(table, "a 2 {}|a 1 {\"x\":\"\\u0000\"}|");
    begin();
    put_item(table, 1, "{\"x\":3}", 200);
    settle();
    commit(2);
    assert_rows(table, "a", 1, 2, 0, "a 1 {\"x\":3}|");
}

static void refuses_another_kind_of_table(void **state)
{
    (void)state;
    struct store_table *table;
    make(&readings);
    struct table_wish wish = readings;
    wish.kind = TABLE_ITEMS;
    assert_int_equal(store_table(store, &wish, &table, &error), WRONG_INPUT);
    make(&items);
    wish = items;
    wish.kind = TABLE_READINGS;
    assert_int_equal(store_table(store, &wish, &table, &error), WRONG_INPUT);
    assert_true(make(&readings) == make(&readings));
}

static void answers_queries(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    for (int i = 0; i < 5; i++) {
        put_reading(table, "a", 10 * i, i, 0);
        put_reading(table, "b's", 10 * i + 1, i, 0);
    }
    settle();
    commit(1);
    assert_rows(table, "a", 10, 30, 0, "a 20 2|a 10 1|");
    assert_rows(table, "b's", INT64_MIN, INT64_MAX, 2, "b's 41 4|b's 31 3|");
    assert_rows(table, NULL, 20, 40, 3, "b's 31 3|a 30 3|b's 21 2|");
    assert_rows(table, "nobody", INT64_MIN, INT64_MAX, 0, "");
    struct store *other;
    struct store_table *seen;
    const struct table_wish absent = {.name = "absent", .kind = TABLE_READINGS};
    assert_fine(store_open(url, true, &other, &error));
    assert_fine(store_table(other, &absent, &seen, &error));
    assert_null(seen);
    assert_fine(store_table(other, &readings, &seen, &error));
    assert_rows(seen, "a", 10, 30, 0, "a 20 2|a 10 1|");
    store_close(other);
}

/* In pieces, of each thing, and nothing that is not too old. */
static void deletes_what_is_too_old(void **state)
{
    (void)state;
    struct table_wish wish = readings;
    wish.retention_seconds = 1;
    make_readings();
    struct store_table *table = make(&wish);
    struct store_table *kept = make(&items);
    bool more = true;
    begin();
    for (int i = 0; i < 10; i++)
        for (int thing = 'a'; thing < 'd'; thing++)
            put_reading(table, (char[]){(char)thing, '\0'}, i * 1000, i, 0);
    put_item(kept, 1, "{}", 4);
    put_item(kept, 2, "{}", 6);
    put_item(kept, 3, "{}", 0);
    settle();
    assert_fine(store_put_log(store, 1, "g", "old", 3, &error));
    assert_fine(store_put_log(store, 2, "g", "new", 3, &error));
    commit(1);
    int pieces = 0;
    for (; more; pieces++)
        assert_fine(store_expire(table, 9500, 5, &more, &error));
    assert_true(pieces > 3 && pieces < 12);
    assert_all(table, "c 9000 9|b 9000 9|a 9000 9|");
    assert_fine(store_expire(kept, 5000, 5, &more, &error));
    assert_false(more);
    assert_all(kept, "a 3 {}|a 2 {}|");
    assert_fine(store_expire_log(store, "g", 2, 1, &more, &error));
    assert_true(more);
    assert_fine(store_expire_log(store, "g", 2, 1, &more, &error));
    assert_false(more);
}

static void rows_after_settling_count_too(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    put_reading(table, "a", 1, 1, 0);
    settle();
    put_reading(table, "a", 2, 2, 0);
    put_reading(table, "a", 1, 1, 0);
    commit(1);
    assert_all(table, "a 2 2|a 1 1|");
}

static void many_rows_at_once(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    for (int i = 0; i < 30000; i++)
        put_reading(table, i % 3 ? "thing-with-a-longer-name" : "b", i / 2, i % 2, (uint64_t)i);
    struct settlement settlement = settle();
    assert_int_equal(settlement.stored + settlement.duplicates + settlement.rejected_count, 30000);
    assert_int_equal(settlement.stored, 25000);
    assert_int_equal(settlement.rejected_count, 5000);
    commit(1);
}

static void a_locked_database_is_refused(void **state)
{
    (void)state;
    sqlite3 *other;
    make_readings();
    assert_int_equal(sqlite3_open("test.sqlite", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_begin(store, &error), REFUSED);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_fine(store_begin(store, &error));
}

/* No page more: what SQLite says of a disk that is full. */
static void a_full_database_is_refused(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    begin();
    put_reading(table, "a", 1, 1, 0);
    settle();
    commit(1);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1 << 18;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = store_begin(store, &error);
    for (int i = 0; i < 100000 && !status; i++) {
        const struct cell cells[4] = {text_cell("a zone with a long name to fill pages quickly")};
        const struct row row = {.thing = "b", .thing_length = 1, .time = i, .cells = cells};
        status = store_put(table, &row, &error);
    }
    if (!status)
        status = store_commit(store, 2, "{}", &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, REFUSED);
    reopen();
    table = make_readings();
    uint64_t position;
    char counts[LONGEST_COUNTS];
    assert_fine(store_position(store, &position, counts, &error));
    assert_int_equal(position, 1);
    assert_all(table, "a 1 1|");
}

static void one_writer_only(void **state)
{
    (void)state;
    struct store *other;
    assert_int_equal(store_open(url, false, &other, &error), REFUSED);
    assert_null(other);
}

static void no_password_in_messages(void **state)
{
    (void)state;
    static const char *const urls[] = {"postgresql://u:sesame@127.0.0.1:1/x",
                                       "postgresql://u:sesame%zz@127.0.0.1/x",
                                       "postgresql://u:sesame@127.0.0.1/x?sesame=sesame"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct store *none;
        assert_int_not_equal(store_open(urls[i], false, &none, &error), FINE);
        assert_null(strstr(text_string(&error.message), "sesame"));
    }
}

static void a_stopped_server_is_refused(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    owned char *stop = must_format("pg_ctl -D %s/data -m immediate -w restart", cluster);
    struct row row = {.thing = "a", .thing_length = 1, .time = 1};
    struct settlement settlement;
    const struct cell cells[4] = {0};
    row.cells = cells;
    begin();
    assert_fine(store_put(table, &row, &error));
    assert_int_equal(as_postgres(stop), 0);
    assert_int_equal(store_settle(store, &settlement, &error), REFUSED);
    reopen();
    table = make_readings();
    assert_all(table, "");
}

#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, open_sqlite, close_store),                               \
    {                                                                                              \
        "postgres " #test, test, open_postgres, close_store, NULL                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(keeps_what_is_committed),
        BOTH(keeps_every_kind),
        BOTH(stores_a_reading_once),
        BOTH(adds_a_value_where_there_was_none),
        BOTH(adds_a_column_in_a_transaction),
        BOTH(replaces_items),
        BOTH(refuses_another_kind_of_table),
        BOTH(answers_queries),
        BOTH(deletes_what_is_too_old),
        BOTH(rows_after_settling_count_too),
        BOTH(many_rows_at_once),
        cmocka_unit_test_setup_teardown(a_locked_database_is_refused, open_sqlite, close_store),
        cmocka_unit_test_setup_teardown(a_full_database_is_refused, open_sqlite, close_store),
        cmocka_unit_test_setup_teardown(one_writer_only, open_postgres, close_store),
        cmocka_unit_test_setup_teardown(a_stopped_server_is_refused, open_postgres, close_store),
        cmocka_unit_test(no_password_in_messages),
    };
    if (!start_postgres()) {
        print_error("a PostgreSQL server could not be started: is the package there?\n");
        stop_postgres();
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
    stop_postgres();
    return failed;
}
