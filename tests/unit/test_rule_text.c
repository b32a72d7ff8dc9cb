/* The outline of AWS IoT SQL statements. */
#include "workplace.h"

#include "../../common/rule_text.h"

static void append(struct text *out, const char *sql, struct span span)
{
    text_add_format(out, "|%.*s", (int)span.length, sql + span.offset);
}

/* "list|topic|condition|field|field ..." */
static void assert_outline(const char *sql, const char *wanted)
{
    struct rule_text outline;
    const char *why = NULL;
    size_t at = 0;
    struct text got = {0};
    if (!rule_text_read(sql, &outline, &why, &at))
        fail_msg("%s: %s", sql, why);
    assert_null(why);
    append(&got, sql, outline.list);
    append(&got, sql, outline.topic);
    append(&got, sql, outline.condition);
    for (size_t i = 0; i < outline.field_count; i++)
        append(&got, sql, outline.fields[i]);
    assert_string_equal(text_string(&got) + 1, wanted);
    text_free(&got);
    rule_text_free(&outline);
    assert_null(outline.fields);
}

static void clauses(void **state)
{
    (void)state;
    assert_outline("SELECT t, zone FROM 'x/+' WHERE t < 40", "t, zone|x/+|t < 40|t|zone|t");
    assert_outline("select * from \"x/+\"", "*|x/+|");
    assert_outline("  SELECT\n\tt\nFROM\n'x/+'\nWHERE\n  t > 1\n", "t|x/+|t > 1|t|t");
    assert_outline("SELECT t FROM ''", "t|||t");
    assert_outline("SELECT*FROM'x'WHERE(t)", "*|x|(t)|t");
}

static void fields(void **state)
{
    (void)state;
    assert_outline("SELECT a.b.c AS d, e[0].f FROM 'x'", "a.b.c AS d, e[0].f|x||a|e");
    assert_outline("SELECT floor(a) AS b, topic(2) AS thing FROM 'x'",
                   "floor(a) AS b, topic(2) AS thing|x||a");
    assert_outline("SELECT a FROM 'x' WHERE a = 'from WHERE b' AND c <> \"it's\"",
                   "a|x|a = 'from WHERE b' AND c <> \"it's\"|a|a|c");
    assert_outline(
        "SELECT CASE a WHEN 1 THEN true ELSE null END AS x FROM 'x' WHERE NOT b IN [1, c]",
        "CASE a WHEN 1 THEN true ELSE null END AS x|x|NOT b IN [1, c]|a|b|c");
    assert_outline("SELECT a FROM 'x' WHERE exists (a) OR b = undefined",
                   "a|x|exists (a) OR b = undefined|a|a|b");
    assert_outline("SELECT 1.5e3 + 2a FROM 'x'", "1.5e3 + 2a|x|");
    assert_outline("SELECT a_1, \xc3\xbc FROM 'x'", "a_1, \xc3\xbc|x||a_1|\xc3\xbc");
}

static void columns(void **state)
{
    (void)state;
    static const char sql[] = "SELECT a, b.c, d AS e, floor(f), get(g, 1) AS h, * , i FROM 'x'";
    struct rule_text outline;
    const char *why;
    size_t at;
    struct text got = {0};
    assert_true(rule_text_read(sql, &outline, &why, &at));
    for (size_t i = 0; i < outline.column_count; i++)
        append(&got, sql, outline.columns[i]);
    assert_string_equal(text_string(&got), "|a|c|e|h|i");
    text_free(&got);
    rule_text_free(&outline);
}

/* A nested SELECT has names of its own, and a FROM that does not end the list. */
static void nested(void **state)
{
    (void)state;
    assert_outline("SELECT (SELECT v FROM list WHERE w > 1) AS b, c FROM 'x' WHERE d",
                   "(SELECT v FROM list WHERE w > 1) AS b, c|x|d|c|d");
    assert_outline("SELECT get((SELECT v FROM (a)), 0), e FROM 'x'",
                   "get((SELECT v FROM (a)), 0), e|x||e");
}

static void assert_refused(const char *sql, const char *wanted, size_t offset)
{
    struct rule_text outline;
    const char *why = NULL;
    size_t at = 9999;
    assert_false(rule_text_read(sql, &outline, &why, &at));
    assert_string_equal(why, wanted);
    assert_int_equal(at, offset);
    rule_text_free(&outline);
}

static void what_is_no_statement(void **state)
{
    (void)state;
    assert_refused("", "a statement begins with SELECT", 0);
    assert_refused("  UPDATE t", "a statement begins with SELECT", 2);
    assert_refused("SELECTED a FROM 'x'", "a statement begins with SELECT", 0);
    assert_refused("SELECT a", "FROM and a topic filter are missing", 8);
    assert_refused("SELECT FROM 'x'", "SELECT needs something to select before FROM", 7);
    assert_refused("SELECT a FROM x", "a topic filter in quotes must follow FROM", 14);
    assert_refused("SELECT a FROM", "a topic filter in quotes must follow FROM", 13);
    assert_refused("SELECT a FROM 'x' LIMIT 1", "only WHERE may follow the topic filter", 18);
    assert_refused("SELECT a FROM 'x' WHERE", "WHERE needs a condition", 23);
    assert_refused("SELECT a FROM 'x' WHERE  ", "WHERE needs a condition", 25);
    assert_refused("SELECT 'a FROM x", "this text has no closing quote", 7);
    assert_refused("SELECT a FROM 'x' WHERE b = \"c", "this text has no closing quote", 28);
}

static void a_value_alone(void **state)
{
    (void)state;
    assert_refused("SELECT VALUE a FROM 'x'", "a rule fills columns; SELECT VALUE has none", 7);
}

static void brackets(void **state)
{
    (void)state;
    assert_refused("SELECT a) FROM 'x'", "this bracket was not opened", 8);
    assert_refused("SELECT (a FROM 'x'", "a bracket is not closed before this", 18);
    assert_refused("SELECT a FROM 'x' WHERE (b", "a bracket is not closed before the end", 26);
    assert_refused("SELECT a FROM 'x' WHERE (b]", "this bracket closes one of another kind", 26);
    assert_refused("SELECT a[{b]} FROM 'x'", "this bracket closes one of another kind", 11);
    struct text sql = {0};
    text_add_string(&sql, "SELECT ");
    text_add_repeated(&sql, '(', 100);
    text_add_char(&sql, 'a');
    text_add_repeated(&sql, ')', 100);
    text_add_string(&sql, " FROM 'x'");
    struct rule_text outline;
    const char *why;
    size_t at;
    assert_true(rule_text_read(sql.at, &outline, &why, &at));
    rule_text_free(&outline);
    text_clear(&sql);
    text_add_string(&sql, "SELECT ");
    text_add_repeated(&sql, '(', 101);
    assert_refused(sql.at, "brackets are nested too deeply (at most 100)", 107);
    text_free(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clauses),       cmocka_unit_test(fields),
        cmocka_unit_test(nested),        cmocka_unit_test(what_is_no_statement),
        cmocka_unit_test(brackets),      cmocka_unit_test(columns),
        cmocka_unit_test(a_value_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
