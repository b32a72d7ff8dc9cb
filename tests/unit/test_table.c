/* Tables for people. */
#include "workplace.h"

#include "generator/cli/table.h"

static void columns_are_as_wide_as_their_cells(void **state)
{
    (void)state;
    static const char *const columns[] = {"NAME", "TYPE", "ZONE"};
    static const char *const rows[][3] = {
        {"kitchen", "t", "1"}, {"k\xc3\xbc", "climate", ""}, {"", "", "long last cell"}};
    struct table table = {.columns = columns, .column_count = 3};
    struct text out = {0};
    for (size_t i = 0; i < 3; i++)
        table_add(&table, rows[i]);
    table_write(&table, 0, &out);
    assert_string_equal(text_string(&out), "NAME     TYPE     ZONE\n"
                                           "kitchen  t        1\n"
                                           "k\xc3\xbc       climate  \n"
                                           "                  long last cell\n");
    table_free(&table);
    text_free(&out);
}

static void the_last_column_is_continued(void **state)
{
    (void)state;
    static const char *const columns[] = {"A", "TEXT"};
    static const char *const row[] = {"x", "one two thr\xc3\xa9\xc3\xa9 four five-is-longer"};
    struct table table = {.columns = columns, .column_count = 2};
    struct text out = {0};
    table_add(&table, row);
    table_write(&table, 24, &out);
    assert_string_equal(text_string(&out), "A  TEXT\n"
                                           "x  one two thr\xc3\xa9\xc3\xa9 four\n"
                                           "   five-is-longer\n");
    text_clear(&out);
    table_write(&table, 20, &out); /* too narrow to continue anything */
    assert_string_equal(text_string(&out),
                        "A  TEXT\nx  one two thr\xc3\xa9\xc3\xa9 four five-is-longer\n");
    table_free(&table);
    text_free(&out);
}

static void a_table_without_rows(void **state)
{
    (void)state;
    static const char *const columns[] = {"A", "B"};
    struct table table = {.columns = columns, .column_count = 2};
    struct text out = {0};
    table_write(&table, 0, &out);
    assert_string_equal(text_string(&out), "A  B\n");
    table_free(&table);
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_cells),
        cmocka_unit_test(the_last_column_is_continued),
        cmocka_unit_test(a_table_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
