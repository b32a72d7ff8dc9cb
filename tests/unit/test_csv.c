/* CSV files as tables. */
#include "heap.h"

#include "generator/thing/csv.h"

static struct csv table;

static int forget(void **state)
{
    (void)state;
    csv_wipe(&table);
    return 0;
}

/* "a|b" for the header, and behind it "/line:x|y" for each row. */
static void assert_table(const char *csv, const char *wanted)
{
    struct text got = {0};
    forget(NULL);
    put("t.csv", csv);
    assert_fine(csv_read("t.csv", &table, &error));
    for (size_t i = 0; i < table.column_count; i++)
        text_add_format(&got, "%s%s", i ? "|" : "", table.columns[i]);
    for (size_t i = 0; i < table.count; i++) {
        text_add_format(&got, "/%zu:", table.rows[i].line);
        for (size_t j = 0; j < table.column_count; j++)
            text_add_format(&got, "%s%s", j ? "|" : "", table.rows[i].fields[j]);
    }
    assert_string_equal(text_string(&got), wanted);
    text_free(&got);
}

static void rows(void **state)
{
    (void)state;
    assert_table("name,type\nk,t\na,u\n", "name|type/2:k|t/3:a|u");
    assert_table("name,type\r\nk,t\r\n", "name|type/2:k|t");
    assert_table("name,type\nk,t", "name|type/2:k|t"); /* no newline at the end */
    assert_table("name\n", "name");
    assert_table("name,zone\nk,\n,1\n", "name|zone/2:k|/3:|1");
    assert_table("\xef\xbb\xbfname\nk\n", "name/2:k"); /* as spreadsheets write it */
}

static void quotes(void **state)
{
    (void)state;
    assert_table("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "a|b/2:x,y|say \"hi\"");
    assert_table("a,b\n\"one\ntwo\n\",z\nc,d\n", "a|b/2:one\ntwo\n|z/5:c|d");
    assert_table("\"a b\",\"\"\"\"\n1,2\n", "a b|\"/2:1|2");
    assert_table("a\n\"\"\n", "a/2:");
}

static void spaces_are_kept(void **state)
{
    (void)state;
    assert_table("a,b\n  x , y\t\n", "a|b/2:  x | y\t");
    assert_table("a,b\n\" x \",$&'\\#\n", "a|b/2: x |$&'\\#");
}

static void lines_are_counted(void **state)
{
    (void)state;
    assert_table("\n\na,b\n\n1,2\n\n\n3,4\n", "a|b/5:1|2/8:3|4");
    assert_table("a,b\r1,2\r3,4\r", "a|b/1:1|2/1:3|4"); /* no line feed: all in one line */
}

static void fields_by_name(void **state)
{
    (void)state;
    assert_table("name,zone\nk,2\n", "name|zone/2:k|2");
    assert_string_equal(csv_field(&table, &table.rows[0], "zone"), "2");
    assert_null(csv_field(&table, &table.rows[0], "Zone"));
}

static void assert_refused(const char *csv, size_t length, const char *message)
{
    forget(NULL);
    put_bytes("t.csv", csv, length);
    assert_failed(csv_read("t.csv", &table, &error), WRONG_INPUT, message);
}

#define REFUSED_WITH(csv, message) assert_refused((csv), sizeof(csv) - 1, (message))

static void what_is_no_table(void **state)
{
    (void)state;
    REFUSED_WITH("", "t.csv is empty; expected a header such as name,type,zone");
    REFUSED_WITH("\n\n", "t.csv is empty; expected a header such as name,type,zone");
    REFUSED_WITH("a,b\n1,2\n\n3\n", "t.csv:4: 1 field; the header has 2");
    REFUSED_WITH("a\n1,2,3\n", "t.csv:2: 3 fields; the header has 1");
    REFUSED_WITH("a,b\n\"x\ny\",1,2\n", "t.csv:2: 3 fields; the header has 2");
    REFUSED_WITH("a,b\r1\r", "t.csv:1: 1 field; the header has 2");
    REFUSED_WITH("a,b,a\n", "t.csv:1: the column \"a\" is there twice");
    REFUSED_WITH("a\nx\"y\n", "t.csv:2: a quote in the wrong place");
    REFUSED_WITH("a\n\"x\"y\n", "t.csv:2: a quote in the wrong place");
    REFUSED_WITH("a\n1\n\"x\n\n", "t.csv:3: a quoted field that begins here does not end");
    REFUSED_WITH("a\n\xe4\n", "t.csv:2: a field is not UTF-8 text");
    REFUSED_WITH("a\nx\0y\n", "t.csv:2: a field is not UTF-8 text");
    REFUSED_WITH("a,b\n\xff\n", "t.csv:2: a field is not UTF-8 text"); /* and too short */
    REFUSED_WITH("\xff,b\n1\n", "t.csv:1: a field is not UTF-8 text");
    forget(NULL);
    assert_failed(csv_read("none.csv", &table, &error), WRONG_INPUT, "none.csv: no such file");
}

static void passwords_are_overwritten(void **state)
{
    (void)state;
    char password[33];
    make_password(password);
    struct text text = {.secret = true};
    text_add_string(&text, "name,wifipassword\n");
    for (int i = 1; i < 200; i++) { /* fields that grow, so that the buffer of libcsv does too */
        text_add_format(&text, "%d%*s,%s\n", i, 50 * i, "x", password);
    }
    assert_fine(write_file("t.csv", text.at, text.length, FILE_SECRET, &error));
    text_free(&text);
    assert_fine(csv_read("t.csv", &table, &error));
    assert_int_equal(table.count, 199);
    assert_string_equal(csv_field(&table, &table.rows[198], "wifipassword"), password);
    assert_true(memory_holds(password, 32));
    csv_wipe(&table);
    assert_false(memory_holds(password, 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows, forget),
        cmocka_unit_test_teardown(quotes, forget),
        cmocka_unit_test_teardown(spaces_are_kept, forget),
        cmocka_unit_test_teardown(lines_are_counted, forget),
        cmocka_unit_test_teardown(fields_by_name, forget),
        cmocka_unit_test_teardown(what_is_no_table, forget),
        cmocka_unit_test_teardown(passwords_are_overwritten, forget),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
