/* The store, the same tests on SQLite and on a PostgreSQL server that is started for them. */
#include "store/read.h"
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

static const struct table_definition readings = {.name = "esp8266temp", .kind = TABLE_READINGS};
static const struct table_definition items = {
    .name = "iot-x-invalid", .kind = TABLE_ITEMS, .expires = true};
static const struct table_definition bare = {.name = "bare", .kind = TABLE_READINGS};

static struct store_table *make(const struct table_definition *definition)
{
    struct store_table *table = NULL;
    assert_fine(store_table(store, definition, &table, &error));
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

static size_t bare_columns; /* how many the table called bare has */

/* The whole numbers of each row, 0 where there is none: "1 2|" */
static bool write_integers(void *context, const struct row *row)
{
    struct text *out = context;
    for (size_t i = 0; i < bare_columns; i++)
        text_add_format(out, "%s%" PRId64, i ? " " : "",
                        row->cells[i].set ? row->cells[i].as.integer : 0);
    text_add_char(out, '|');
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

static void put_item_called(struct store_table *table, const char *id, const char *item)
{
    const struct row row = {.thing = "a",
                            .thing_length = 1,
                            .time = 1,
                            .id = id,
                            .id_length = strlen(id),
                            .item = item,
                            .item_length = strlen(item),
                            .expires = 10};
    assert_fine(store_put(table, &row, &error));
}

/* With the longest keys that there are: an index of PostgreSQL has room for them. */
static void takes_the_longest_keys(void **state)
{
    (void)state;
    char thing[LONGEST_THING], id[LONGEST_ID];
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof thing + sizeof id; i++) { /* nothing that can be compressed */
        random = random * 1664525 + 1013904223;
        char c = (char)(33 + (random >> 16) % 94);
        if (i < sizeof thing)
            thing[i] = c;
        else
            id[i - sizeof thing] = c;
    }
    const struct row row = {.thing = thing,
                            .thing_length = sizeof thing,
                            .time = 1,
                            .id = id,
                            .id_length = sizeof id,
                            .item = "{}",
                            .item_length = 2};
    struct store_table *table = make(&items);
    begin();
    assert_fine(store_put(table, &row, &error));
    assert_int_equal(settle().stored, 1);
    commit(1);
}

static void tells_items_apart_by_id(void **state)
{
    (void)state;
    struct table_definition definition = items;
    definition.by_id = true;
    struct store_table *table = make(&definition);
    struct expired expired;
    for (int i = 0; i < 2; i++) {
        begin();
        put_item_called(table, "x", "{\"x\":0}");
        put_item_called(table, "y", "{}");
        put_item_called(table, "x", "{\"x\":1}");
        put_item(table, 1, "[]", 99);
        assert_int_equal(settle().stored, 4);
        commit((uint64_t)i + 1);
        assert_all(table, "a 1 {}|a 1 {\"x\":1}|a 1 []|");
        reopen();
        table = make(&definition);
    }
    assert_fine(store_expire(table, 50000, 1, &expired, &error));
    assert_true(expired.more);
    assert_fine(store_expire(table, 50000, 5, &expired, &error));
    assert_all(table, "a 1 []|");
}

/* Fields may be called like columns of ours, of the temporary table, or of the database. Those that
 * a database has no column for are refused before it is asked. */
static void fields_may_be_called_anything(void **state)
{
    (void)state;
    static const char *const names[] = {"expires", "item", "n",     "id",  "t",  "i", "c0",
                                        "oid",     "key",  "rowid", "_id", "\"", "$", "%"};
    enum { COUNT = sizeof names / sizeof *names };
    struct cell cells[COUNT];
    struct row row = {.thing = "a", .thing_length = 1, .time = 1, .cells = cells};
    struct store_table *table = make(&bare);
    for (int i = 0; i < COUNT; i++) {
        assert_true(store_may_add_column(table, names[i]));
        assert_fine(
            store_add_column(table, names[i], i % 2 ? COLUMN_DOUBLE : COLUMN_BIGINT, &error));
        cells[i].set = true;
        if (i % 2 == 0)
            cells[i].as.integer = i;
        else
            cells[i].as.number = i;
    }
    for (int i = 0; i < 3; i++) {
        begin();
        assert_fine(store_put(table, &row, &error));
        struct settlement settlement = settle();
        assert_int_equal(settlement.stored + settlement.duplicates, 1);
        assert_int_equal(settlement.rejected_count, 0);
        commit((uint64_t)i + 1);
        reopen();
        table = make(&bare);
        assert_int_equal(table->column_count, COUNT);
    }
    assert_all(table, "a 1 1|");
    assert_false(store_may_add_column(table, "Time"));
    assert_false(store_may_add_column(table, "EXPIRES"));
    assert_false(store_may_add_column(table, ""));
}

/* What a database cannot call a column is refused, or can be added and found again. */
static void names_that_a_database_has_not(void **state)
{
    (void)state;
    static const char *const own[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
    char names[6 + LONGEST_COLUMN][LONGEST_COLUMN + 1];
    struct store_table *table = make(&bare);
    size_t added = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (i < 6) {
            snprintf(names[i], sizeof names[i], "%s", own[i]);
        } else {
            memset(names[i], 'x', i - 5);
            names[i][i - 5] = '\0';
        }
        if (store_may_add_column(table, names[i])) {
            assert_fine(store_add_column(table, names[i], COLUMN_DOUBLE, &error));
            added++;
        } else {
            assert_int_equal(store_add_column(table, names[i], COLUMN_DOUBLE, &error), WRONG_INPUT);
        }
    }
    assert_int_equal(added, url == postgres_url ? 63 : MOST_COLUMNS);
    reopen();
    table = make(&bare);
    assert_int_equal(table->column_count, added);
    assert_int_equal(table->columns[added - 1].length, url == postgres_url ? 63 : 250);
}

/* A name that PostgreSQL would cut off: the table would not be found again. */
static void long_names_of_tables(void **state)
{
    (void)state;
    const struct table_definition longest = {
        .name = "iot-a23456789-123456789-123456789-123456789-123456789-123456789",
        .kind = TABLE_ITEMS};
    const struct table_definition longer = {
        .name = "iot-a23456789-123456789-123456789-123456789-123456789-1234567890",
        .kind = TABLE_ITEMS};
    struct store_table *table = make(&longest);
    if (url == postgres_url)
        assert_int_equal(store_table(store, &longer, &table, &error), WRONG_INPUT);
    else
        make(&longer);
    reopen();
    make(&longest);
}

/* Partial rows of a thing and time, in one batch and in several: what comes first stays, what is
 * missing is added in its turn, and who disagrees is rejected with all that he says. */
static void merges_partial_rows(void **state)
{
    (void)state;
    static const struct partial {
        int batch, a, b, c; /* 0: no value */
    } partial[] = {{0, 1, 0, 0}, {0, 0, 2, 0}, {0, 1, 3, 4}, {0, 0, 2, 5},
                   {0, 9, 0, 0}, {0, 0, 0, 6}, {0, 1, 2, 5}, {0, 0, 0, 0},
                   {1, 0, 0, 0}, {1, 1, 2, 5}, {1, 0, 0, 6}, {1, 0, 2, 0}};
    static const uint64_t wanted[] = {2, 4, 5, 10};
    struct store_table *table = make(&bare);
    size_t rejected = 0, i = 0;
    uint64_t stored = 0, duplicates = 0;
    for (const char *name = "b\0c\0a"; i < 3; i++, name += 2)
        assert_fine(store_add_column(table, name, COLUMN_BIGINT, &error));
    for (int batch = 0; batch < 2; batch++) {
        begin();
        for (i = 0; i < sizeof partial / sizeof *partial; i++) {
            const struct partial *at = &partial[i];
            const struct cell cells[] = {{.set = at->b, .as.integer = at->b},
                                         {.set = at->c, .as.integer = at->c},
                                         {.set = at->a, .as.integer = at->a}};
            const struct row row = {
                .thing = "a", .thing_length = 1, .time = 1, .cells = cells, .token = i};
            if (at->batch == batch)
                assert_fine(store_put(table, &row, &error));
        }
        struct settlement settlement = settle();
        stored += settlement.stored;
        duplicates += settlement.duplicates;
        for (i = 0; i < settlement.rejected_count; i++) {
            assert_true(rejected < 4);
            assert_int_equal(settlement.rejected[i], wanted[rejected++]);
        }
        commit((uint64_t)batch + 1);
    }
    assert_int_equal(rejected, 4);
    assert_int_equal(stored, 1);
    assert_int_equal(duplicates, 7);
    struct text rows = {0};
    const struct store_query query = {"a", 0, 9, 0};
    bare_columns = 3;
    assert_fine(store_query(table, &query, write_integers, &rows, &error));
    assert_string_equal(text_string(&rows), "2 5 1|");
    text_free(&rows);
}

/* The same rows, made by a generator of numbers, fare alike on both: what is told is compared with
 * what each row alone should come to. */
static void many_partial_rows(void **state)
{
    (void)state;
    enum { ROWS = 2000, THINGS = 40, COLUMNS = 5 };
    int64_t model[THINGS][COLUMNS] = {0};
    bool there[THINGS] = {false};
    uint32_t random = 1;
    struct store_table *table = make(&bare);
    for (int i = 0; i < COLUMNS; i++)
        assert_fine(
            store_add_column(table, (char[]){(char)('a' + i), '\0'}, COLUMN_BIGINT, &error));
    for (int batch = 0; batch < 4; batch++) {
        uint64_t wrong[ROWS], stored = 0;
        size_t wrongs = 0;
        begin();
        for (uint64_t token = 0; token < ROWS; token++) {
            struct cell cells[COLUMNS] = {0};
            bool agrees = true;
            random = random * 1664525 + 1013904223;
            uint32_t thing = (random >> 8) % THINGS, bits = random >> 16;
            for (int i = 0; i < COLUMNS; i++, bits >>= 2) {
                cells[i].set = (bits & 3) == 0;
                cells[i].as.integer = 1 + (random >> 28 == 0);
                agrees &=
                    !cells[i].set || !model[thing][i] || model[thing][i] == cells[i].as.integer;
            }
            for (int i = 0; i < COLUMNS; i++)
                if (agrees && cells[i].set)
                    model[thing][i] = cells[i].as.integer;
            const struct row row = {
                .thing = &"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[thing],
                .thing_length = 1,
                .time = 1,
                .cells = cells,
                .token = token};
            stored += !there[thing];
            there[thing] = true;
            if (!agrees)
                wrong[wrongs++] = token;
            assert_fine(store_put(table, &row, &error));
        }
        struct settlement settlement = settle();
        assert_int_equal(settlement.stored, stored);
        assert_int_equal(settlement.rejected_count, wrongs);
        assert_int_equal(settlement.duplicates, ROWS - stored - wrongs);
        assert_memory_equal(settlement.rejected, wrong, wrongs * sizeof *wrong);
        commit((uint64_t)batch + 1);
    }
    struct text rows = {0}, wanted = {0};
    const struct store_query query = {NULL, 0, 9, 0};
    bare_columns = COLUMNS;
    assert_fine(store_query(table, &query, write_integers, &rows, &error));
    for (int thing = THINGS - 1; thing >= 0; thing--)
        for (int i = 0; i < COLUMNS; i++)
            text_add_format(&wanted, "%" PRId64 "%s", model[thing][i], i + 1 < COLUMNS ? " " : "|");
    assert_string_equal(text_string(&rows), text_string(&wanted));
    text_free(&rows);
    text_free(&wanted);
}

/* --- rows as named values --- */

/* "thing time name=value ...|"; a text has quotes, no value is "-". Ends at the second row. */
static bool write_values(void *context, const struct read_row *row)
{
    struct text *out = context;
    bool first = !out->length;
    text_add_format(out, "%.*s %" PRId64, (int)row->thing_length, row->thing, row->time);
    for (size_t i = 0; i < row->count; i++) {
        const struct read_value *value = &row->values[i];
        const char *quote = value->kind == READ_TEXT ? "\"" : "";
        const char *before = value->kind == READ_NULL   ? "-"
                             : value->kind == READ_JSON ? "JSON "
                                                        : quote;
        text_add_format(out, " %s=%s%.*s%s", value->name, before, (int)value->length, value->bytes,
                        quote);
    }
    text_add_char(out, '|');
    return first;
}

static void assert_values(struct store_table *table, const char *wanted)
{
    struct text rows = {0};
    const struct store_query query = {NULL, INT64_MIN, INT64_MAX, 0};
    assert_fine(read_rows(table, &query, write_values, &rows, &error));
    assert_string_equal(text_string(&rows), wanted);
    text_free(&rows);
}

static void reads_readings_as_values(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    assert_values(table, "");
    begin();
    put_reading(table, "a", 1, 0, 0);
    put_reading(table, "a", 2, 1e21, 0);
    put_reading(table, "a", 3, -9999, 0);
    settle();
    commit(1);
    assert_values(table, "a 3 zone=\"1\" temperature=- count=-9223372036854775808 on=true|"
                         "a 2 zone=\"1\" temperature=1e+21 count=-9223372036854775808 on=true|");
}

static void reads_items_as_values(void **state)
{
    (void)state;
    struct store_table *table = make(&items);
    begin();
    put_item(table, 1,
             "{\"time\":7,\"n\":1.5,\"s\":\"\\u00e4\",\"o\":{\"a\":[1,2]},\"thing\":1,"
             "\"e\":[],\"t\":true,\"z\":null,\"y\":\"\"}",
             0);
    put_item(table, 2, "{}", 0);
    settle();
    commit(1);
    assert_values(table, "a 2|a 1 n=1.5 s=\"\xc3\xa4\" o=JSON {\"a\":[1,2]} e=JSON [] t=true z=- "
                         "y=\"\"|");
}

/* Adds the texts and JSON of a row with their NULs as "0". */
static bool write_nuls(void *context, const struct read_row *row)
{
    struct text *out = context;
    for (size_t i = 0; i < row->count; i++)
        for (size_t k = 0; k <= row->values[i].length; k++) {
            char c = row->values[i].bytes[k];
            text_add_char(out, k == row->values[i].length ? '|' : c ? c : '0');
        }
    return true;
}

static void reads_texts_with_nul(void **state)
{
    (void)state;
    struct text rows = {0};
    const struct store_query query = {NULL, INT64_MIN, INT64_MAX, 0};
    struct store_table *table = make(&items);
    begin();
    put_item(table, 1,
             "{\"a\":\"x\\u0000y\",\"b\":\"\\u0000\",\"c\":\"\\\\u0000\","
             "\"d\":[\"\\u0000\",1],\"e\":\"z\"}",
             0);
    settle();
    commit(1);
    assert_fine(read_rows(table, &query, write_nuls, &rows, &error));
    assert_string_equal(text_string(&rows), "x0y|0|\\u0000|[\"\\u0000\",1]|z|");
    text_free(&rows);
}

static void tell_database(const char *sql)
{
    if (url == postgres_url) {
        owned char *command = must_format("psql -q -h %s -U hub -d postgres -v ON_ERROR_STOP=1 -c "
                                          "\"%s\"",
                                          cluster, sql);
        assert_int_equal(as_postgres(command), 0);
        return;
    }
    sqlite3 *other;
    assert_int_equal(sqlite3_open("test.sqlite", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
}

/* An administrator's columns of a table are left alone, whenever they were added. */
static void foreign_columns_are_left_alone(void **state)
{
    (void)state;
    const char *const columns[] = {
        "note VARCHAR(20)", "made NUMERIC DEFAULT 7", "level BIGINT NOT NULL DEFAULT 3",
        url == postgres_url ? "twice DOUBLE PRECISION GENERATED ALWAYS AS (time * 2) STORED"
                            : "twice DOUBLE GENERATED ALWAYS AS (time * 2)"};
    struct store_table *table = make_readings();
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const char *quote = url == postgres_url ? "\\\"" : "\""; /* a shell reads it */
        owned char *sql = must_format("ALTER TABLE %s%s%s ADD COLUMN %s", quote, readings.name,
                                      quote, columns[i]);
        tell_database(sql);
        for (int again = 0; again < 2; again++) {
            begin();
            put_reading(table, "a", (int)(2 * i) + again, 1, 0);
            struct settlement settlement = settle();
            assert_int_equal(settlement.stored, 1);
            commit(1);
            reopen();
            table = make_readings();
        }
    }
    assert_false(store_may_add_column(table, "note"));
    assert_false(store_may_add_column(table, "twice"));
}

/* --- records that wait --- */

static void put_waiting(const char *type, uint64_t number, const void *payload, size_t length)
{
    const struct waiting_record record = {.number = number,
                                          .time = (int64_t)number * 10,
                                          .topic = "x/a\xc3\xa4/no",
                                          .topic_length = 6,
                                          .client_id = "ab",
                                          .client_id_length = 1,
                                          .principal = "",
                                          .payload = payload,
                                          .payload_length = (uint32_t)length};
    assert_fine(store_put_waiting(store, type, &record, &error));
}

static bool write_waiting(void *context, const struct waiting_record *record)
{
    struct text *out = context;
    text_add_format(out, "%" PRIu64 " %" PRIu64 " %" PRId64 " %.*s %.*s [%.*s] %u", record->id,
                    record->number, record->time, (int)record->topic_length, record->topic,
                    (int)record->client_id_length, record->client_id, (int)record->principal_length,
                    record->principal, record->payload_length);
    for (uint32_t i = 0; i < record->payload_length; i++)
        text_add_format(out, " %02x", ((const unsigned char *)record->payload)[i]);
    text_add_char(out, '|');
    return record->number != 5;
}

static void write_sum(void *context, const struct waiting_sum *sum)
{
    text_add_format(context, "%s %" PRIu64 " %" PRIu64 " %" PRId64 "|", sum->type, sum->count,
                    sum->bytes, sum->since);
}

static void assert_waiting(const char *type, size_t most, const char *wanted)
{
    struct text out = {0};
    if (type)
        assert_fine(store_read_waiting(store, type, most, write_waiting, &out, &error));
    else
        assert_fine(store_sum_waiting(store, write_sum, &out, &error));
    assert_string_equal(text_string(&out), wanted);
    text_free(&out);
}

static void keeps_records_that_wait(void **state)
{
    (void)state;
    begin();
    put_waiting("two", 3, "\0\xff", 2);
    put_waiting("one", 1, "a", 1);
    put_waiting("one", 2, NULL, 0);
    settle();
    put_waiting("one", 7, "b", 1); /* after the settling, too */
    commit(7);
    begin();
    put_waiting("one", 8, "b", 1); /* not committed */
    reopen();
    assert_waiting("two", 9, "1 3 30 x/a\xc3\xa4/ a [] 2 00 ff|");
    assert_waiting("one", 9,
                   "2 1 10 x/a\xc3\xa4/ a [] 1 61|3 2 20 x/a\xc3\xa4/ a [] 0|"
                   "4 7 70 x/a\xc3\xa4/ a [] 1 62|");
    assert_waiting("one", 1, "2 1 10 x/a\xc3\xa4/ a [] 1 61|");
    assert_waiting(NULL, 0, "one 3 2 10|two 1 2 30|");
    begin();
    assert_fine(store_drop_waiting(store, "one", 3, &error));
    settle();
    commit(7);
    reopen();
    assert_waiting("one", 9, "4 7 70 x/a\xc3\xa4/ a [] 1 62|");
    assert_waiting(NULL, 0, "one 1 1 70|two 1 2 30|");
}

/* One that fills several messages to the server, and stops reading in the middle. */
static void many_records_that_wait(void **state)
{
    (void)state;
    enum { COUNT = 3000, LENGTH = 1000 };
    char payload[LENGTH] = {0};
    struct text out = {0};
    begin();
    for (int i = 1; i <= COUNT; i++)
        put_waiting("x", (uint64_t)i, payload, LENGTH);
    commit(COUNT);
    assert_fine(store_read_waiting(store, "x", COUNT, write_waiting, &out, &error));
    assert_int_equal(out.length, 5 * (sizeof "1 1 10 x/a__/ a [] 1000|" - 1 + 3 * LENGTH));
    text_free(&out);
    assert_waiting(NULL, 0, "x 3000 3000000 10|");
}

static void a_database_of_an_earlier_version_is_upgraded_once(void **state)
{
    (void)state;
    assert_null(store_upgraded(store));
    store_close(store);
    tell_database(url == postgres_url ? "DROP TABLE _waiting" : "DROP TABLE \"_waiting\"");
    must_open();
    assert_non_null(strstr(store_upgraded(store), "_waiting"));
    reopen();
    assert_null(store_upgraded(store));
    assert_waiting(NULL, 0, "");
}

/* Declared columns are made with the table, and added to one that is there or open. */
static void declares_columns(void **state)
{
    (void)state;
    static const struct column declared[] = {{"zone", 4, COLUMN_VARCHAR},
                                             {"temperature", 11, COLUMN_DOUBLE},
                                             {"count", 5, COLUMN_BIGINT},
                                             {"on", 2, COLUMN_BOOLEAN}};
    struct table_definition definition = readings;
    definition.declared = declared;
    for (size_t count = 2; count <= 4; count++) {
        definition.declared_count = count;
        assert_fine(store_tables_begin(store, &error));
        struct store_table *table = make(&definition);
        assert_fine(store_tables_end(store, &error));
        assert_int_equal(table->column_count, count);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(table->columns[i].name, declared[i].name);
            assert_int_equal(table->columns[i].kind, declared[i].kind);
        }
        if (count == 3)
            reopen();
    }
    begin();
    put_reading(make(&definition), "a", 1, 2, 0);
    assert_int_equal(settle().stored, 1);
    commit(1);
}

/* --- a table's own trouble --- */

/* Others are made in the same transaction. */
static void one_table_that_cannot_be_made(void **state)
{
    (void)state;
    struct table_definition taken = readings;
    struct store_table *table;
    tell_database("CREATE VIEW taken AS SELECT 1 AS thing");
    taken.name = "taken";
    for (int again = 0; again < 2; again++) {
        assert_fine(store_tables_begin(store, &error));
        assert_int_equal(store_table(store, &taken, &table, &error), WRONG_INPUT);
        assert_non_null(strstr(text_string(&error.message), "taken"));
        error_free(&error);
        if (url != postgres_url) {
            taken.name = "sqlite_temp";
            assert_int_equal(store_table(store, &taken, &table, &error), WRONG_INPUT);
            assert_non_null(strstr(text_string(&error.message), "reserved"));
            error_free(&error);
            taken.name = "taken";
        }
        table = make_readings();
        assert_fine(store_tables_end(store, &error));
        begin();
        put_reading(table, "a", again, 1, 0);
        assert_int_equal(settle().stored, 1);
        commit(1);
    }
    tell_database("DROP VIEW taken");
    make(&taken);
}

static void a_table_that_takes_no_rows_is_named(void **state)
{
    (void)state;
    struct store_table *table = make_readings();
    const struct cell cells[4] = {0};
    const struct row row = {.thing = "a", .thing_length = 1, .time = 1, .cells = cells};
    struct settlement settlement;
    tell_database(url == postgres_url
                      ? "ALTER TABLE esp8266temp ADD COLUMN owner TEXT NOT NULL"
                      : "CREATE TRIGGER no BEFORE INSERT ON esp8266temp BEGIN SELECT RAISE(ABORT, "
                        "'no'); END");
    begin();
    enum status status = store_put(table, &row, &error);
    if (!status)
        status = store_settle(store, &settlement, &error);
    assert_int_equal(status, REFUSED);
    assert_string_equal(store_troubled(store), readings.name);
    reopen();
    assert_null(store_troubled(store));
}

/* A role that made its own tables; one table is another's. */
static void rights_that_are_missing(void **state)
{
    (void)state;
    struct store_table *table;
    owned char *guest = must_format("postgresql://guest@/postgres?host=%s", cluster);
    store_close(store);
    tell_database(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE ROLE guest LOGIN; GRANT "
        "ALL ON SCHEMA public TO guest; CREATE TABLE esp8266temp (thing TEXT, time "
        "BIGINT, PRIMARY KEY (thing, time)); GRANT SELECT, INSERT, UPDATE ON esp8266temp "
        "TO guest");
    assert_fine(store_open(guest, false, &store, &error));
    assert_fine(store_tables_begin(store, &error));
    assert_int_equal(store_table(store, &readings, &table, &error), WRONG_INPUT);
    assert_non_null(strstr(text_string(&error.message), readings.name));
    assert_non_null(strstr(text_string(&error.advice), "GRANT"));
    error_free(&error);
    make(&bare);
    assert_fine(store_tables_end(store, &error));
    tell_database("GRANT DELETE ON esp8266temp TO guest");
    assert_non_null(make(&readings));
}

static void refuses_another_kind_of_table(void **state)
{
    (void)state;
    struct store_table *table;
    make(&readings);
    struct table_definition definition = readings;
    definition.kind = TABLE_ITEMS;
    assert_int_equal(store_table(store, &definition, &table, &error), WRONG_INPUT);
    make(&items);
    definition = items;
    definition.kind = TABLE_READINGS;
    assert_int_equal(store_table(store, &definition, &table, &error), WRONG_INPUT);
    assert_true(make(&readings) == make(&readings));
}

/* What was there before items had an id. */
static void an_items_table_without_id_is_another(void **state)
{
    (void)state;
    sqlite3 *other;
    struct store_table *table;
    assert_int_equal(sqlite3_open("test.sqlite", &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other,
                     "CREATE TABLE \"iot-x-invalid\" (thing VARCHAR NOT NULL, time BIGINT"
                     " NOT NULL, expires BIGINT, item JSON NOT NULL, PRIMARY KEY"
                     " (thing, time))",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(store_table(store, &items, &table, &error), WRONG_INPUT);
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
    const struct table_definition one = {.name = "one", .kind = TABLE_READINGS};
    assert_all(make(&one), ""); /* as a query of ours might call something */
    const struct table_definition absent = {.name = "absent", .kind = TABLE_READINGS};
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
    struct table_definition definition = readings;
    definition.retention_seconds = 1;
    make_readings();
    struct store_table *table = make(&definition);
    struct store_table *kept = make(&items);
    struct expired expired = {.more = true};
    uint64_t all = 0;
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
    for (; expired.more; pieces++, all += expired.count)
        assert_fine(store_expire(table, 9500, 5, &expired, &error));
    assert_int_equal(all, 27);
    assert_string_equal(expired.unit, "rows");
    assert_int_equal(expired.before, 8500);
    assert_true(pieces > 3 && pieces < 12);
    assert_all(table, "c 9000 9|b 9000 9|a 9000 9|");
    assert_fine(store_expire(kept, 5000, 5, &expired, &error));
    assert_false(expired.more);
    assert_int_equal(expired.count, 1);
    assert_all(kept, "a 3 {}|a 2 {}|");
    assert_fine(store_expire_log(store, "g", 2, 1, &expired, &error));
    assert_true(expired.more);
    assert_fine(store_expire_log(store, "g", 2, 1, &expired, &error));
    assert_false(expired.more);
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

/* What would be written into it, nobody would see. */
static void a_deleted_database_is_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"test.sqlite", "test.sqlite-wal"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct store_table *table = make_readings();
        begin();
        put_reading(table, "a", (int)i, 1, 0);
        settle();
        commit(1);
        assert_fine(store_check(store, &error));
        begin();
        put_reading(table, "b", (int)i, 1, 0);
        settle();
        assert_int_equal(unlink(files[i]), 0);
        assert_int_equal(store_commit(store, 2, "{}", &error), REFUSED);
        assert_non_null(strstr(text_string(&error.message), "deleted or replaced"));
        error_free(&error);
        store_close(store);
        must_open();
        assert_int_equal(unlink(files[i]), 0);
        assert_int_equal(store_check(store, &error), REFUSED);
        error_free(&error);
        store_close(store);
        must_open();
        assert_int_equal(unlink(files[i]), 0);
        assert_int_equal(store_begin(store, &error), REFUSED);
        error_free(&error);
        reopen();
    }
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
        BOTH(tells_items_apart_by_id),
        BOTH(takes_the_longest_keys),
        BOTH(fields_may_be_called_anything),
        BOTH(names_that_a_database_has_not),
        BOTH(long_names_of_tables),
        BOTH(merges_partial_rows),
        BOTH(many_partial_rows),
        BOTH(refuses_another_kind_of_table),
        BOTH(foreign_columns_are_left_alone),
        BOTH(keeps_records_that_wait),
        BOTH(many_records_that_wait),
        BOTH(a_database_of_an_earlier_version_is_upgraded_once),
        BOTH(declares_columns),
        BOTH(one_table_that_cannot_be_made),
        BOTH(a_table_that_takes_no_rows_is_named),
        cmocka_unit_test_setup_teardown(rights_that_are_missing, open_postgres, close_store),
        BOTH(answers_queries),
        BOTH(reads_readings_as_values),
        BOTH(reads_items_as_values),
        BOTH(reads_texts_with_nul),
        BOTH(deletes_what_is_too_old),
        BOTH(rows_after_settling_count_too),
        BOTH(many_rows_at_once),
        cmocka_unit_test_setup_teardown(an_items_table_without_id_is_another, open_sqlite,
                                        close_store),
        cmocka_unit_test_setup_teardown(a_locked_database_is_refused, open_sqlite, close_store),
        cmocka_unit_test_setup_teardown(a_full_database_is_refused, open_sqlite, close_store),
        cmocka_unit_test_setup_teardown(one_writer_only, open_postgres, close_store),
        cmocka_unit_test_setup_teardown(a_deleted_database_is_refused, open_sqlite, close_store),
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
