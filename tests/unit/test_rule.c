/* The rule language: what a statement may be, what must hold of all of them (over many that are
 * made by chance, from a seed), and the bounds. What each operator and function gives is in the
 * table of cases (test_rule_cases.c). */
#include "workplace.h"

#include "rule_print.h"

#include <pthread.h>
#include <time.h>

static struct rule_fault fault;

static struct rule *compiled(const char *sql, enum rule_version version)
{
    struct rule *rule = rule_compile(sql, strlen(sql), version, &fault);
    if (!rule)
        fail_msg("%s: %s at %zu", sql, fault.message, fault.offset);
    return rule;
}

static uint64_t always_7(void *context)
{
    (void)context;
    return 7;
}

static struct rule_message message_of(const char *topic, const char *payload)
{
    return (struct rule_message){.topic = topic,
                                 .payload = payload,
                                 .payload_length = strlen(payload),
                                 .client_id = "kitchen",
                                 .principal = "ba67293af50bf250",
                                 .account = "123456789012",
                                 .trace_id = "12345678-1234-1234-1234-123456789012",
                                 .time = 1481825251155,
                                 .random = always_7};
}

/* --- statements --- */

static void assert_fault(const char *sql, size_t offset, const char *message, const char *hint)
{
    struct rule *rule = rule_compile(sql, strlen(sql), RULE_2015_10_08, &fault);
    if (rule)
        fail_msg("%s: compiles", sql);
    assert_string_equal(fault.message, message);
    assert_string_equal(fault.hint, hint);
    assert_int_equal(fault.offset, offset);
    assert_true(fault.length > 0);
}

static void faults_of_clauses(void **state)
{
    (void)state;
    assert_fault("", 0, "a statement begins with SELECT or SET", "");
    assert_fault("  UPDATE t", 2, "a statement begins with SELECT or SET", "");
    assert_fault("SELECTED a FROM 'x'", 0, "a statement begins with SELECT or SET", "");
    assert_fault("SELECT", 6, "the statement ends where an expression should be", "");
    assert_fault("SELECT FROM 'x'", 7, "an expression should be here, not \"FROM\"", "");
    assert_fault("SELECT a b FROM 'x'", 9, "a comma, AS, FROM or the end should be here, not \"b\"",
                 "");
    assert_fault("SELECT a FROM x", 14, "a topic filter in quotes should be here, not \"x\"", "");
    assert_fault("SELECT a FROM", 13, "the statement ends where a topic filter in quotes should be",
                 "");
    assert_fault("SELECT a FROM 'x' LIMIT 1", 18, "WHERE or the end should be here, not \"LIMIT\"",
                 "a rule sees one message at a time");
    assert_fault("SELECT a FROM 'x' WHERE ", 24, "the statement ends where an expression should be",
                 "");
    assert_fault("SELECT a FROM 'x' WHERE b c", 26,
                 "an operator or the end should be here, not \"c\"", "");
    assert_fault("SELECT a AS 5 FROM 'x'", 12, "a name should be here, not \"5\"", "");
    assert_fault("SELECT VALUE a, b FROM 'x'", 16,
                 "SELECT VALUE takes one expression, without a name", "");
    assert_fault("SELECT a FROM 'x/#/y'", 14, "# must be the whole last level of a topic filter",
                 "");
    assert_fault("SELECT a FROM ''", 14, "a topic filter has at least one character", "");
    assert_fault("SELECT a FROM 'x/a+'", 14, "+ must be a whole level of a topic filter", "");
}

static void faults_of_expressions(void **state)
{
    (void)state;
    assert_fault("SELECT 'a FROM x", 7, "this string is not closed",
                 "close it with the same quote");
    assert_fault("SELECT a) FROM 'x'", 8, "a comma, AS, FROM or the end should be here, not \")\"",
                 "");
    assert_fault("SELECT (a FROM 'x'", 10, "\")\" should be here, not \"FROM\"", "");
    assert_fault("SELECT a FROM 'x' WHERE (b", 26, "the statement ends where \")\" should be", "");
    assert_fault("SELECT a FROM 'x' WHERE (b]", 26, "\")\" should be here, not \"]\"", "");
    assert_fault("SELECT a FROM 'x' WHERE a != 1", 26,
                 "an operator or the end should be here, not \"!=\"",
                 "\"not equal\" is written <>");
    assert_fault("SELECT a FROM 'x' WHERE a == 1", 26,
                 "an operator or the end should be here, not \"==\"", "\"equal\" is written =");
    assert_fault("SELECT a /* b */ FROM 'x'", 10, "an expression should be here, not \"*\"",
                 "there are no comments in this language");
    assert_fault("SELECT 2a FROM 'x'", 7, "a name directly after a number",
                 "a name begins with a letter or _");
    assert_fault("SELECT a.0 FROM 'x'", 9, "a name should be here, not \"0\"",
                 "get(object, 'name') reads members with other names");
    assert_fault("SELECT 1e9999 FROM 'x'", 7,
                 "this number is out of range (at most 9.99E999, at least 1E-999)", "");
    assert_fault("SELECT floo(a) FROM 'x'", 7, "there is no function floo()",
                 "did you mean floor()?");
    assert_fault("SELECT qqqqqqqqqqq(a) FROM 'x'", 7, "there is no function qqqqqqqqqqq()", "");
    assert_fault("SELECT floor(*) FROM 'x'", 13, "floor() does not take the whole payload",
                 "encode(*, 'base64') takes it");
    assert_fault("SELECT cast(a) FROM 'x'", 13, "AS and a type should be here, not \")\"",
                 "cast(value AS Int)");
    assert_fault("SELECT CASE a THEN 1 END FROM 'x'", 14, "WHEN should be here, not \"THEN\"", "");
    assert_fault("SELECT CASE WHEN a THEN 1 FROM 'x'", 26,
                 "WHEN, ELSE or END should be here, not \"FROM\"", "");
    assert_fault("SELECT a FROM 'x' WHERE NOT", 27,
                 "the statement ends where an expression should be", "");
}

static void faults_of_set(void **state)
{
    (void)state;
    assert_fault("SET a = 1 SELECT a", 4, "a variable should be here, not \"a\"",
                 "SET @name = expression");
    assert_fault("SET @ = 1 SELECT a", 4, "a variable is @ and a name of letters, digits and _",
                 "SET @limit = 40 SELECT ... WHERE temperature < @limit");
    assert_fault("SET @a = 1, @a = 2 SELECT a", 12, "@a is set already; a variable is set once",
                 "");
    assert_fault("SET @a = 1 SET @b = 2 SELECT a", 11, "SET stands once, before SELECT",
                 "separate the variables with commas");
    assert_fault("SET @a = 1 FROM 'x'", 11,
                 "a comma, an operator or SELECT should be here, not \"FROM\"", "");
    assert_fault("SET @Max = 1 SELECT @max", 20, "there is no variable @max",
                 "upper and lower case are different");
    assert_fault("SELECT @max", 7, "there is no variable @max",
                 "a variable is set before SELECT, and before it is used: SET @name = ...");
    assert_fault("SET @p = 'content_type' SELECT get_mqtt_property(@p) AS p", 49,
                 "get_mqtt_property() takes no variable in this place", "write the string itself");
}

/* What other languages and other emulators have: what to write instead. */
static void faults_of_foreign_words(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *hint; /* the hint holds this */
    } cases[] = {
        {"SELECT a FROM 'x' WHERE a != 1", "<>"},
        {"SELECT a FROM 'x' WHERE a == 1", "="},
        {"SELECT a FROM 'x' WHERE a LIKE 'b%'", "startswith"},
        {"SELECT a FROM 'x' WHERE a BETWEEN 1 AND 2", "AND"},
        {"SELECT a FROM 'x' WHERE a IS NULL", "isNull"},
        {"SELECT a FROM 'x' WHERE a IS NOT NULL", "isNull"},
        {"SELECT a FROM 'x' WHERE !a", "NOT"},
        {"SELECT a FROM 'x' WHERE a && b", "AND"},
        {"SELECT a FROM 'x' GROUP BY a", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *sql = cases[i].sql;
        assert_null(rule_compile(sql, strlen(sql), RULE_2016_03_23, &fault));
        if (!*fault.hint || !strstr(fault.hint, cases[i].hint))
            fail_msg("%s: %s (%s)", sql, fault.message, fault.hint);
    }
}

static void what_needs_the_later_version(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "SELECT [a] AS x FROM 'x'",           "SELECT {'a': 1} AS x FROM 'x'",
        "SELECT (SELECT b FROM c) AS x",      "SELECT encode(*, 'base64') AS x",
        "SELECT cast(a AS Boolean) FROM 'x'", "SELECT * WHERE isUndefined(a)"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        assert_null(rule_compile(statements[i], strlen(statements[i]), RULE_2015_10_08, &fault));
        assert_non_null(strstr(fault.message, "needs SQL version 2016-03-23"));
        rule_free(compiled(statements[i], RULE_2016_03_23));
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    assert_fault("SELECT '\xff' FROM 'x'", 8, "this is not UTF-8", "");
    assert_null(rule_compile("SELECT \0", 8, RULE_2015_10_08, &fault));
    assert_string_equal(fault.message, "this is a NUL byte");
    assert_int_equal(fault.offset, 7);
}

static void assert_printed(const char *sql, const char *wanted)
{
    struct rule *rule = compiled(sql, RULE_2016_03_23);
    struct text printed = {0};
    rule_print(rule, &printed);
    assert_string_equal(text_string(&printed), wanted);
    text_free(&printed);
    rule_free(rule);
}

static void canonical_spelling(void **state)
{
    (void)state;
    assert_printed("select*from'x'where(a)", "SELECT * FROM 'x' WHERE a");
    assert_printed("SELECT ((a+b))*c, -(-a), - 5, NOT(a=b) as N FROM \"x\"",
                   "SELECT (a + b) * c, --a, -5, NOT a = b AS N FROM 'x'");
    assert_printed("SELECT a-(b-c), (a-b)-c, a-b-c FROM 'x'",
                   "SELECT a - (b - c), (a - b) - c, a - b - c FROM 'x'");
    assert_printed("SELECT (a OR b) AND (NOT c), (NOT a) = b FROM 'x'",
                   "SELECT (a OR b) AND NOT c, (NOT a) = b FROM 'x'");
    assert_printed("SELECT \"it's\", 'say \"hi\" it''s', '' FROM 'x'",
                   "SELECT \"it's\", 'say \"hi\" it''s', '' FROM 'x'");
    assert_printed("SELECT Upper ( a ) as u, CAST(a as INT) FROM 'x'",
                   "SELECT upper(a) AS u, cast(a AS int) FROM 'x'");
    assert_printed("SELECT VALUE (-value) FROM 'x'", "SELECT VALUE (-value) FROM 'x'");
    assert_printed("SELECT value, value.a, value[0], value * 2, value NOT IN (1) FROM 'x'",
                   "SELECT value, value.a, value[0], value * 2, value NOT IN (1) FROM 'x'");
    assert_printed("SELECT a AS b.'c d' FROM 'x'", "SELECT a AS b.'c d' FROM 'x'");
    assert_printed("set @a=b,@c=@a select@c.d,(@a)from'x'",
                   "SET @a = b, @c = @a SELECT @c.d, @a FROM 'x'");
    assert_printed("SELECT (select a.b from c as a where(a.d)) AS e FROM 'x'",
                   "SELECT (SELECT a.b FROM c AS a WHERE a.d) AS e FROM 'x'");
    assert_printed("SELECT 0e3, 1.5e1, 15, 12e-1 FROM 'x'", "SELECT 0E0, 15E0, 15, 1.2 FROM 'x'");
    assert_printed("SELECT (a.b).c, a.b.c, 1.50, 1E+2, 100000000000000000000 FROM 'x'",
                   "SELECT (a.b).c, a.b.c, 1.50, 1E+2, 100000000000000000000 FROM 'x'");
}

static void assert_outline(const char *sql, const char *wanted)
{
    struct rule *rule = compiled(sql, RULE_2016_03_23);
    const struct rule_outline *outline = rule_outline(rule);
    const struct rule_span clauses[] = {outline->list, outline->filter, outline->condition};
    struct text got = {0};
    for (size_t i = 0; i < 3; i++)
        text_add_format(&got, "%.*s|", (int)clauses[i].length, sql + clauses[i].offset);
    for (size_t i = 0; i < outline->field_count; i++)
        text_add_format(&got, " %.*s", (int)outline->fields[i].length,
                        sql + outline->fields[i].offset);
    text_add_char(&got, '|');
    for (size_t i = 0; i < outline->column_count; i++)
        text_add_format(&got, " %.*s@%zu", (int)outline->columns[i].length,
                        outline->columns[i].name, outline->columns[i].span.offset);
    assert_string_equal(text_string(&got), wanted);
    text_free(&got);
    rule_free(rule);
}

static void outlines(void **state)
{
    (void)state;
    assert_outline("SELECT t, zone FROM 'x/+' WHERE t < 40",
                   "t, zone|x/+|t < 40| t zone t| t@7 zone@10");
    assert_outline("SELECT * FROM 'x'", "*|x|||");
    assert_outline("  SELECT\n\tt\nFROM\n'x/+'\nWHERE\n  t > 1\n", "t|x/+|t > 1| t t| t@10");
    assert_outline("SELECT a.b.c, d AS e, floor(f), get(g, 1) AS h.i, j[0], 1 + k FROM 'x'",
                   "a.b.c, d AS e, floor(f), get(g, 1) AS h.i, j[0], 1 + k|x|| a d f g j k|"
                   " c@7 e@19 floor@22 h@45 j@50 1 + k@56");
    assert_outline("SELECT (SELECT v FROM list WHERE w > 1) AS b, c FROM 'x' WHERE d",
                   "(SELECT v FROM list WHERE w > 1) AS b, c|x|d| c d| b@43 c@46");
    assert_outline("SELECT 1", "1|||| 1@7");
    assert_outline("SET @a = b SELECT @a, c, @a.d FROM 'x'", "@a, c, @a.d|x|| b c| a@18 c@22 d@25");
}

/* wanted: what each note is about and begins with; NULL: there are no notes. */
static void assert_notes(const char *sql, const char *about, const char *message)
{
    struct rule *rule = compiled(sql, RULE_2016_03_23);
    const struct rule_outline *outline = rule_outline(rule);
    if (outline->note_count != (about ? 1 : 0))
        fail_msg("%s: %zu notes", sql, outline->note_count);
    if (about) {
        const struct rule_note *note = &outline->notes[0];
        owned char *got = must_copy_bytes(sql + note->span.offset, note->span.length);
        assert_string_equal(got, about);
        assert_non_null(strstr(note->message, message));
    }
    rule_free(rule);
}

static void notes(void **state)
{
    (void)state;
    assert_notes("SELECT floor(1, 2), concat() FROM 'x'", "floor", "always Undefined");
    assert_notes("SELECT get_dynamodb('t', 'p', 1, 'r') AS a, get_secret('a', 'b', 'r') AS b, "
                 "get_secret('a', 'b', 'r') AS c FROM 'x'",
                 NULL, NULL);
    assert_notes("SET @d = get_dynamodb('t', 'p', 1, 'r') SELECT @d.a, @d.b FROM 'x'", NULL, NULL);
    assert_notes("SELECT get_dynamodb('t', 'p', 1, 'r') AS a, get_dynamodb('t', 'p', 2, 'r') AS b "
                 "FROM 'x'",
                 "get_dynamodb", "one call of this function");
}

static void notes_of_or(void **state)
{
    (void)state;
    static const char missing[] = "the whole OR is Undefined";
    assert_notes("SELECT a FROM 'x' WHERE t > 40 OR h > 80", "t > 40", missing);
    assert_notes("SELECT a FROM 'x' WHERE true OR h > 80", "h > 80", missing);
    assert_notes("SELECT a FROM 'x' WHERE b AND (t.x > 40 OR t.y > 80)", "t.x > 40", missing);
    assert_notes("SELECT a FROM 'x' WHERE t > 40 OR t < 0 OR s = 'on'", "t > 40", missing);
    assert_notes("SET @t = t, @h = h SELECT a FROM 'x' WHERE @t > 40 OR @h > 80", "@t > 40",
                 missing);
    assert_notes("SELECT a FROM 'x' WHERE isUndefined(h) OR NOT t > 40", "NOT t > 40", missing);
    assert_notes("SELECT a FROM 'x' WHERE isNull(t) OR CASE h WHEN 1 THEN true ELSE false END",
                 "CASE h WHEN 1 THEN true ELSE false END", missing);
    assert_notes("SELECT a FROM 'x' WHERE isNull(t) OR CASE WHEN h THEN b ELSE false END",
                 "CASE WHEN h THEN b ELSE false END", missing);
}

/* Nothing is said of what is Undefined together, or cannot be Undefined. */
static void no_notes_of_or(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "t > 40 OR t < 0",
        "t.x > 40 OR t.x < 0",
        "t.x[1] > 40 OR t.x[1] < 0",
        "a < b OR b < a - 5",
        "isUndefined(t) OR isNull(h) OR exists (SELECT b FROM h)",
        "get_or_default(t, 0) > 40 OR nanvl(h, 0) > 80",
        "timestamp() > 5 OR clientid() = 'x'",
        "CASE WHEN isUndefined(t) THEN false ELSE true END OR isNull(h)",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        owned char *sql = must_format("SELECT a FROM 'x' WHERE %s", fine[i]);
        assert_notes(sql, NULL, NULL);
    }
}

/* --- topics --- */

static void topic_filters(void **state)
{
    (void)state;
    assert_true(rule_topic_matches("a/b", "a/b"));
    assert_false(rule_topic_matches("a/b", "a/B"));
    assert_false(rule_topic_matches("a/b", "a/b/"));
    assert_false(rule_topic_matches("a/b", "a"));
    assert_true(rule_topic_matches("a/+", "a/b"));
    assert_true(rule_topic_matches("a/+", "a/"));
    assert_false(rule_topic_matches("a/+", "a"));
    assert_false(rule_topic_matches("a/+", "a/b/c"));
    assert_true(rule_topic_matches("+/+", "/x"));
    assert_true(rule_topic_matches("a/+/c", "a/b/c"));
    assert_true(rule_topic_matches("a/#", "a/b/c"));
    assert_true(rule_topic_matches("a/#", "a"));
    assert_false(rule_topic_matches("a/#", "ab"));
    assert_true(rule_topic_matches("#", "a/b"));
    assert_false(rule_topic_matches("#", "$aws/things"));
    assert_false(rule_topic_matches("+/things", "$aws/things"));
    assert_true(rule_topic_matches("$aws/+", "$aws/things"));
}

/* A rule looks at the plain beginning of its filter first; both ways say the same. */
static void rules_match_as_filters_do(void **state)
{
    (void)state;
    static const char *const filters[] = {"a/b", "a/+", "a/#", "#", "+", "+/b", "a", "a/+/c", "/"};
    static const char *const topics[] = {"a", "a/", "a/b", "ab", "a/b/c",
                                         "/", "",   "$a",  "b",  "a/x/c"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        owned char *sql = must_format("SELECT * FROM '%s'", filters[i]);
        struct rule *rule = compiled(sql, RULE_2015_10_08);
        assert_string_equal(rule_filter(rule), filters[i]);
        for (size_t j = 0; j < sizeof topics / sizeof *topics; j++)
            if (rule_matches(rule, topics[j]) != rule_topic_matches(filters[i], topics[j]))
                fail_msg("%s, %s", filters[i], topics[j]);
        rule_free(rule);
    }
    struct rule *rule = compiled("SELECT *", RULE_2015_10_08);
    assert_null(rule_filter(rule));
    assert_false(rule_matches(rule, "a"));
    rule_free(rule);
}

/* --- running --- */

static void assert_run(const char *sql, enum rule_version version, const char *payload,
                       enum rule_outcome outcome, const char *wanted)
{
    struct rule *rule = compiled(sql, version);
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_message message = message_of("x/y", payload);
    struct rule_result result;
    rule_begin(scratch, &message);
    enum rule_outcome got = rule_run(rule, scratch, &result);
    if (got != outcome)
        fail_msg("%s: outcome %d, not %d", sql, (int)got, (int)outcome);
    if (outcome == RULE_SELECTED) {
        owned char *bytes = must_copy_bytes(result.bytes, result.length);
        assert_string_equal(bytes, wanted);
    }
    if (outcome == RULE_REFUSED)
        assert_string_equal(result.function, wanted);
    rule_scratch_free(scratch);
    rule_free(rule);
}

static void outcomes(void **state)
{
    (void)state;
    assert_run("SELECT a FROM 'y'", RULE_2015_10_08, "{}", RULE_NO_MATCH, NULL);
    assert_run("SELECT a FROM 'x/+' WHERE a > 1", RULE_2015_10_08, "{\"a\":1}", RULE_NOT_SELECTED,
               NULL);
    assert_run("SELECT a FROM 'x/+' WHERE b > 1", RULE_2015_10_08, "{\"a\":1}", RULE_NOT_SELECTED,
               NULL);
    assert_run("SELECT a FROM 'x/+'", RULE_2015_10_08, "{\"a\":10.0}", RULE_SELECTED,
               "{\"a\":10.0}");
    assert_run("SELECT a FROM 'x/+'", RULE_2016_03_23, "{\"a\":10.0}", RULE_SELECTED, "{\"a\":10}");
    assert_run("SELECT * FROM 'x/+'", RULE_2016_03_23, "\x01\xff", RULE_SELECTED, "\x01\xff");
    assert_run("SELECT VALUE b FROM 'x/+'", RULE_2016_03_23, "{}", RULE_SELECTED, "");
    assert_run("SELECT aws_lambda('arn', *) AS l FROM 'x/+'", RULE_2016_03_23, "{}", RULE_REFUSED,
               "aws_lambda");
    assert_run("SELECT a FROM 'x/+' WHERE get_thing_shadow('t', 'r').state = 1", RULE_2016_03_23,
               "{}", RULE_REFUSED, "get_thing_shadow");
}

/* What is refused is not in the way where it is not needed. */
static void refused_where_it_would_run(void **state)
{
    (void)state;
    assert_run("SELECT CASE a WHEN 1 THEN 'one' ELSE aws_lambda('arn', *) END AS b FROM 'x/+'",
               RULE_2016_03_23, "{\"a\":1}", RULE_SELECTED, "{\"b\":\"one\"}");
    assert_run("SELECT a FROM 'x/+' WHERE a = 2 AND aws_lambda('arn', *) = 1", RULE_2016_03_23,
               "{\"a\":1}", RULE_NOT_SELECTED, NULL);
}

/* One message, several rules; results stay until the next message. */
static void results_stay(void **state)
{
    (void)state;
    struct rule *one = compiled("SELECT a, upper(b) AS b FROM 'x/+'", RULE_2015_10_08);
    struct rule *other = compiled("SELECT *, 2 AS c FROM 'x/#'", RULE_2016_03_23);
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (int i = 0; i < 1000; i++) {
        owned char *payload = must_format("{\"a\":%d.0,\"b\":\"b%d\"}", i, i);
        owned char *first = must_format("{\"a\":%d.0,\"b\":\"B%d\"}", i, i);
        owned char *second = must_format("{\"a\":%d,\"b\":\"b%d\",\"c\":2}", i, i);
        struct rule_message message = message_of("x/y", payload);
        struct rule_result results[2];
        rule_begin(scratch, &message);
        assert_int_equal(rule_run(one, scratch, &results[0]), RULE_SELECTED);
        assert_int_equal(rule_run(other, scratch, &results[1]), RULE_SELECTED);
        assert_int_equal(results[0].length, strlen(first));
        assert_memory_equal(results[0].bytes, first, strlen(first));
        assert_int_equal(results[1].length, strlen(second));
        assert_memory_equal(results[1].bytes, second, strlen(second));
    }
    rule_scratch_free(scratch);
    rule_free(one);
    rule_free(other);
}

static void templates(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"${topic()}/republish", "x/y/republish"},
        {"plain", "plain"},
        {"", ""},
        {"${a}-${b.c}-${missing}${nothing}.", "1-two-."},
        {"a${'}'}b${{'k': [a, \"}\"]}}c", "a}b{\"k\":[1,\"}\"]}c"},
        {"$${a} $ {a} }", "$1 $ {a} }"},
        {"${ CASE a WHEN 1 THEN 'one' END }", "one"},
    };
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_message message =
        message_of("x/y", "{\"a\":1,\"b\":{\"c\":\"two\"},\"nothing\":null}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rule_template *template =
            rule_template_compile(cases[i][0], strlen(cases[i][0]), RULE_2016_03_23, NULL, &fault);
        struct rule_result result;
        assert_non_null(template);
        rule_begin(scratch, &message);
        assert_int_equal(rule_template_run(template, scratch, &result), RULE_SELECTED);
        assert_int_equal(result.length, strlen(cases[i][1]));
        assert_memory_equal(result.bytes, cases[i][1], result.length);
        rule_template_free(template);
    }
    assert_null(rule_template_compile("ab${a", 5, RULE_2016_03_23, NULL, &fault));
    assert_string_equal(fault.message, "the statement ends where \"}\" should be");
    assert_int_equal(fault.offset, 5);
    assert_null(rule_template_compile("ab${}", 5, RULE_2016_03_23, NULL, &fault));
    assert_int_equal(fault.offset, 4);
    rule_scratch_free(scratch);
}

/* --- variables --- */

static uint64_t next_number(void *context)
{
    return ++*(uint64_t *)context;
}

static char *run_template(const char *text, const struct rule *rule, struct rule_scratch *scratch)
{
    struct rule_result result;
    struct rule_template *template =
        rule_template_compile(text, strlen(text), rule_version_of(rule), rule, &fault);
    assert_non_null(template);
    assert_int_equal(rule_template_run(template, scratch, &result), RULE_SELECTED);
    rule_template_free(template);
    return must_copy_bytes(result.bytes, result.length);
}

/* A variable has one value for a message: in the statement, its templates, and each time. */
static void variables_keep_their_value(void **state)
{
    (void)state;
    uint64_t random = 0;
    struct rule *rule =
        compiled("SET @id = newuuid(), @n = n SELECT @id AS id FROM 'x/+'", RULE_2016_03_23);
    struct rule *other = compiled("SET @n = -n SELECT VALUE @n FROM 'x/+'", RULE_2016_03_23);
    struct rule_scratch *scratch = rule_scratch_new(0);
    owned char *before = NULL;
    for (int i = 0; i < 100; i++) {
        owned char *payload = must_format("{\"n\":%d}", i);
        struct rule_message message = message_of("x/y", payload);
        struct rule_result result, negative;
        message.random = next_number;
        message.random_context = &random;
        rule_begin(scratch, &message);
        assert_int_equal(rule_run(rule, scratch, &result), RULE_SELECTED);
        assert_int_equal(rule_run(other, scratch, &negative), RULE_SELECTED);
        owned char *selected = must_copy_bytes(result.bytes, result.length);
        owned char *made = run_template("{\"id\":\"${@id}\"}", rule, scratch);
        owned char *again = run_template("{\"id\":\"${@id}\"}", rule, scratch);
        owned char *number = run_template("${@n}/${@n + 1}", rule, scratch);
        owned char *wanted = must_format("%d/%d", i, i + 1);
        assert_string_equal(made, selected);
        assert_string_equal(again, selected);
        assert_string_equal(number, wanted);
        assert_true(!before || strcmp(before, selected) != 0);
        free(before);
        before = must_copy(selected);
    }
    rule_scratch_free(scratch);
    rule_free(rule);
    rule_free(other);
}

/* Also where the statement does not select the message, or cannot run. */
static void templates_without_a_run(void **state)
{
    (void)state;
    struct rule *rule =
        compiled("SET @t = t, @s = get_secret('a', 'b', 'r') SELECT @s FROM 'x'", RULE_2016_03_23);
    struct rule_scratch *scratch = rule_scratch_new(0);
    struct rule_message message = message_of("x", "{\"t\":{\"a\":7}}");
    struct rule_result result;
    rule_begin(scratch, &message);
    owned char *made = run_template("${@t.a}", rule, scratch);
    assert_string_equal(made, "7");
    assert_int_equal(rule_run(rule, scratch, &result), RULE_REFUSED);
    assert_string_equal(result.function, "get_secret");
    assert_string_equal(result.service, "AWS Secrets Manager");
    rule_scratch_free(scratch);
    rule_free(rule);
}

/* All variables together have at most 128 KiB, as JSON. */
static void variables_are_bounded(void **state)
{
    (void)state;
    static const struct {
        size_t length; /* of the String in the payload */
        enum rule_outcome outcome;
    } cases[] = {{128 * 1024 - 2, RULE_SELECTED},
                 {128 * 1024 - 1, RULE_OUT_OF_MEMORY},
                 {64 * 1024, RULE_SELECTED},
                 {200 * 1024, RULE_OUT_OF_MEMORY}};
    struct rule *one = compiled("SET @s = s SELECT VALUE length(@s) FROM 'x'", RULE_2016_03_23);
    struct rule *two =
        compiled("SET @s = s, @a = @s SELECT VALUE length(@a) FROM 'x'", RULE_2016_03_23);
    struct rule *none = compiled("SET @s = s SELECT VALUE length(s) FROM 'x'", RULE_2016_03_23);
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text payload = {0};
        struct rule_result result;
        text_add_string(&payload, "{\"s\":\"");
        text_add_repeated(&payload, 'a', cases[i].length);
        text_add_string(&payload, "\"}");
        struct rule_message message = message_of("x", payload.at);
        rule_begin(scratch, &message);
        assert_int_equal(rule_run(none, scratch, &result), RULE_SELECTED);
        assert_int_equal(rule_run(one, scratch, &result), cases[i].outcome);
        rule_begin(scratch, &message);
        assert_int_equal(rule_run(two, scratch, &result), RULE_OUT_OF_MEMORY);
        text_free(&payload);
    }
    rule_scratch_free(scratch);
    rule_free(one);
    rule_free(two);
    rule_free(none);
}

/* Basic Ingest. */
static void topics_of_rules(void **state)
{
    (void)state;
    static const char *const topics[][2] = {{"$aws/rules/mine/a/b", "mine"},
                                            {"$aws/rules/mine", "mine"},
                                            {"$aws/rules/mine/", "mine"},
                                            {"$aws/rules/", NULL},
                                            {"$aws/rules//a", NULL},
                                            {"$aws/rule/mine/a", NULL},
                                            {"aws/rules/mine/a", NULL},
                                            {"a", NULL},
                                            {"", NULL}};
    struct rule *rule = compiled("SELECT * FROM '$aws/#'", RULE_2016_03_23);
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        size_t length = 0;
        const char *name = rule_ingest(topics[i][0], &length);
        if (name && topics[i][1]) {
            assert_int_equal(length, strlen(topics[i][1]));
            assert_memory_equal(name, topics[i][1], length);
        } else {
            assert_true(!name && !topics[i][1]);
        }
        assert_int_equal(rule_matches(rule, topics[i][0]), !name && topics[i][0][0] == '$');
    }
    rule_free(rule);
}

/* --- decimals --- */

static struct rule_decimal decimal(const char *text)
{
    struct rule_decimal read;
    if (!rule_decimal_read(text, strlen(text), &read))
        fail_msg("%s", text);
    return read;
}

static void assert_decimal(bool made, struct rule_decimal got, const char *wanted)
{
    char printed[RULE_LONGEST_NUMBER + 1];
    assert_int_equal(made, wanted != NULL);
    if (!wanted)
        return;
    printed[rule_decimal_print(got, printed)] = '\0';
    assert_string_equal(printed, wanted);
}

/* Results as IEEE 754's decimal128 gives them (Python's decimal with 34 digits, ROUND_HALF_EVEN).
 */
static void arithmetic(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right, *sum, *difference, *product, *quotient, *remainder;
    } cases[] = {
        {"0.1", "0.2", "0.3", "-0.1", "0.02", "0.5", "0.1"},
        {"10.0", "5", "15.0", "5.0", "50.0", "2.0", "0.0"},
        {"1", "3", "4", "-2", "3", "0.3333333333333333333333333333333333", "1"},
        {"-7.5", "2", "-5.5", "-9.5", "-15.0", "-3.75", "-1.5"},
        {"9999999999999999999999999999999999", "1", "1.000000000000000000000000000000000E+34",
         "9999999999999999999999999999999998", "9999999999999999999999999999999999",
         "9999999999999999999999999999999999", "0"},
        {"1234567890123456789012345678901234", "9876543210987654321098765432109876",
         "1.111111110111111111011111111101111E+34", "-8641975320864197532086419753208642",
         "1.219326311370217952261850327338667E+67", "0.1249999988609375000142382812498220",
         "1234567890123456789012345678901234"},
        /* Exactly half a unit of the last digit, behind an even and an odd one; and a little more.
         */
        {"1234567890123456789012345678901234", "0.5", "1234567890123456789012345678901234",
         "1234567890123456789012345678901234", "617283945061728394506172839450617.0",
         "2469135780246913578024691357802468", "0.0"},
        {"1234567890123456789012345678901233", "0.5", "1234567890123456789012345678901234",
         "1234567890123456789012345678901232", "617283945061728394506172839450616.5",
         "2469135780246913578024691357802466", "0.0"},
        {"1234567890123456789012345678901232", "0.5000000001", "1234567890123456789012345678901233",
         "1234567890123456789012345678901231", "617283945185185183518518518351850.6",
         "2469135779753086422074074073387649", "0.0926612351"},
        {"1234567890123456789012345678901233", "-0.5000000001",
         "1234567890123456789012345678901232", "1234567890123456789012345678901234",
         "-617283945185185183518518518351851.1", "-2469135779753086422074074073387651",
         "0.0926612349"},
        {"1e30", "-1e-10", "1000000000000000000000000000000.000",
         "1000000000000000000000000000000.000", "-1E+20", "-1E+40", "0E-10"},
        {"1e40", "1e-40", "1.000000000000000000000000000000000E+40",
         "1.000000000000000000000000000000000E+40", "1", "1E+80", "0E-40"},
        {"5", "0", "5", "5", "0", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rule_decimal left = decimal(cases[i].left), right = decimal(cases[i].right), got;
        bool made = rule_decimal_add(left, right, &got);
        assert_decimal(made, got, cases[i].sum);
        made = rule_decimal_subtract(left, right, &got);
        assert_decimal(made, got, cases[i].difference);
        made = rule_decimal_multiply(left, right, &got);
        assert_decimal(made, got, cases[i].product);
        made = rule_decimal_divide(left, right, &got);
        assert_decimal(made, got, cases[i].quotient);
        made = rule_decimal_remainder(left, right, &got);
        assert_decimal(made, got, cases[i].remainder);
    }
}

/* 1 + 10^-33 has 34 digits. */
static void every_power_of_ten(void **state)
{
    (void)state;
    for (int power = 1; power < 34; power++) {
        struct rule_decimal sum;
        owned char *small = must_format("1e-%d", power), *wanted = must_format("1.%0*d", power, 1);
        bool made = rule_decimal_add(decimal(small), decimal("1"), &sum);
        assert_decimal(made, sum, wanted);
    }
}

static void decimals_round(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        int places;
        const char *down, *floor, *ceiling, *half_up, *half_even;
    } cases[] = {
        {"2.5", 0, "2", "2", "3", "3", "2"},
        {"-2.5", 0, "-2", "-3", "-2", "-3", "-2"},
        {"3.5", 0, "3", "3", "4", "4", "4"},
        {"-3.5", 0, "-3", "-4", "-3", "-4", "-4"},
        {"0.25", 1, "0.2", "0.2", "0.3", "0.3", "0.2"},
        {"0.35", 1, "0.3", "0.3", "0.4", "0.4", "0.4"},
        {"0.3500000000000000000000000000000001", 1, "0.3", "0.3", "0.4", "0.4", "0.4"},
        {"0.2500000000000000000000000000000001", 1, "0.2", "0.2", "0.3", "0.3", "0.3"},
        {"2.51", 1, "2.5", "2.5", "2.6", "2.5", "2.5"},
        {"7", 2, "7", "7", "7", "7", "7"},
        {"1e-50", 0, "0", "0", "1", "0", "0"},
        {"-1e-50", 0, "0", "-1", "0", "0", "0"},
        {"99.99", 1, "99.9", "99.9", "100.0", "100.0", "100.0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rule_decimal number = decimal(cases[i].number);
        const char *wanted[] = {cases[i].down, cases[i].floor, cases[i].ceiling, cases[i].half_up,
                                cases[i].half_even};
        for (int j = 0; j < 5; j++)
            assert_decimal(true, rule_decimal_round(number, cases[i].places, (enum rule_rounding)j),
                           wanted[j]);
    }
}

static void decimals_print_and_convert(void **state)
{
    (void)state;
    static const char *const same[] = {"0",        "0.0",    "10.0",   "-1.50",
                                       "0.000001", "1E-7",   "1.5E-9", "1E+12",
                                       "12E-2",    "1E+999", "1E-999", "9223372036854775808"};
    static const char *const wanted[] = {"0",        "0.0",    "10.0",   "-1.50",
                                         "0.000001", "1E-7",   "1.5E-9", "1E+12",
                                         "0.12",     "1E+999", "1E-999", "9223372036854775808"};
    char plain[16];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        size_t length = 0;
        for (const char *at = same[i]; *at && length < sizeof plain; at++)
            if (*at != '+')
                plain[length++] = *at;
        struct rule_decimal got;
        if (strlen(same[i]) < sizeof plain) {
            assert_true(rule_decimal_read(plain, length, &got));
            assert_decimal(true, got, wanted[i]);
        }
    }
    struct rule_decimal got;
    static const char *const wrong[] = {"",   "-",  "1.",  ".5",     "1e",  "+1",
                                        " 1", "1 ", "0x1", "1e5000", "1e+5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(rule_decimal_read(wrong[i], strlen(wrong[i]), &got));
    assert_decimal(rule_decimal_of_double(3, &got), got, "3.0");
    assert_decimal(rule_decimal_of_double(0.1, &got), got, "0.1");
    assert_decimal(rule_decimal_of_double(-1.5e300, &got), got, "-1.5E+300");
    assert_decimal(rule_decimal_of_double(1.5707963267948966, &got), got, "1.5707963267948966");
    assert_false(rule_decimal_of_double(1.0 / 0.0, &got));
    assert_true(rule_decimal_to_double(decimal("54.98")) == 54.98);
    assert_true(rule_decimal_to_double(decimal("-1e-300")) == -1e-300);
}

/* --- JSON --- */

static void assert_json(const char *json, const char *wanted)
{
    struct rule_memory memory = {.limit = 1 << 24};
    struct rule_value value;
    bool read = rule_json_read(&memory, json, strlen(json), &value);
    if (read != (wanted != NULL))
        fail_msg("%s: %s", json, read ? "is read" : "is not read");
    if (read) {
        struct rule_output output = {.memory = &memory};
        rule_json_write(&output, RULE_2015_10_08, &value);
        owned char *got = must_copy_bytes(output.at, output.length);
        assert_string_equal(got, wanted);
    }
    rule_memory_free(&memory);
}

static void json_is_read(void **state)
{
    (void)state;
    assert_json(" { } ", "{}");
    assert_json("[ ]", "[]");
    assert_json("{\"a\" : [1, -2, 3.50, true, false, null, \"x\", {}, []]}",
                "{\"a\":[1,-2,3.50,true,false,null,\"x\",{},[]]}");
    assert_json("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
    assert_json("\"\\u00e4\\n\\\"\\/\\ud83d\\ude00\"", "\"\xc3\xa4\\n\\\"/\xf0\x9f\x98\x80\"");
    assert_json("\"\\u0000\\u001f\x7f\"", "\"\\u0000\\u001f\x7f\"");
    assert_json("9223372036854775807", "9223372036854775807");
    assert_json("-9223372036854775808", "-9223372036854775808");
    assert_json("123456789012345678901234567890", "123456789012345678901234567890");
    assert_json("-0", "0");
    assert_json("1E+2", "1E+2");
    assert_json("0.1234567890123456789012345678901234567", "0.1234567890123456789012345678901235");
    assert_json("[1e5000]", "[]");
}

static void json_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "{",
                                        "}",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{'a':1}",
                                        "01",
                                        "-",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "+1",
                                        "tru",
                                        "nul",
                                        "\"a",
                                        "\"\n\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "[1 2]",
                                        "{\"a\" 1}",
                                        "1 1",
                                        "\"\xff\"",
                                        "\"\xed\xa0\x80\"",
                                        "\xef\xbb\xbf{}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_json(wrong[i], NULL);
    char deep[131];
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    deep[130] = '\0';
    assert_json(deep, NULL);
    deep[129] = '\0';
    assert_json(deep + 1, deep + 1);
}

/* An object of many members is looked up and merged in another way than a small one. */
static void large_objects(void **state)
{
    (void)state;
    struct text json = {0};
    struct rule_memory memory = {.limit = 1 << 24};
    struct rule_value value;
    text_add_char(&json, '{');
    for (int i = 0; i < 3000; i++)
        text_add_format(&json, "%s\"m%d\":%d", i ? "," : "", i % 2000, i);
    text_add_char(&json, '}');
    assert_true(rule_json_read(&memory, json.at, json.length, &value));
    assert_int_equal(value.object.count, 2000);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        size_t length = (size_t)snprintf(name, sizeof name, "m%d", i);
        const struct rule_value *member = rule_get(&value, name, length);
        assert_non_null(member);
        assert_int_equal(member->integer, i < 1000 ? i + 2000 : i);
        assert_int_equal(value.object.members[i].value.integer, i < 1000 ? i + 2000 : i);
    }
    assert_null(rule_get(&value, "m2000", 5));
    rule_memory_free(&memory);
    text_free(&json);
}

/* --- bounds --- */

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void repeat(struct text *sql, const char *part, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_add_string(sql, part);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    static const char *const openers[] = {
        "(",     "NOT ", "-", "floor(", "CASE ", "a[", "{'a': ", "[", "EXISTS (SELECT VALUE ",
        "1 IN ("};
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        struct text sql = {0};
        text_add_string(&sql, "SELECT ");
        repeat(&sql, openers[i], (RULE_LONGEST - 16) / strlen(openers[i]));
        assert_null(rule_compile(sql.at, sql.length, RULE_2016_03_23, &fault));
        assert_string_equal(fault.message, "this is nested too deeply (at most 128 levels)");
        text_free(&sql);
    }
    struct text sql = {0};
    text_add_string(&sql, "SELECT ");
    text_add_repeated(&sql, '(', RULE_DEEPEST);
    text_add_char(&sql, 'a');
    text_add_repeated(&sql, ')', RULE_DEEPEST);
    rule_free(compiled(sql.at, RULE_2015_10_08));
    text_free(&sql);
}

static void length_is_bounded(void **state)
{
    (void)state;
    struct text sql = {0};
    text_add_string(&sql, "SELECT a");
    repeat(&sql, " + a", 1 << 18);
    assert_null(rule_compile(sql.at, sql.length, RULE_2015_10_08, &fault));
    assert_string_equal(fault.message, "this is too long (at most 65536 bytes)");
    text_free(&sql);
}

/* The longest statements of several kinds: they compile, run and print, and it does not take long:
 * a generous limit, since a quadratic step would take minutes. */
static void long_statements(void **state)
{
    (void)state;
    static const char *const parts[][2] = {{"SELECT a", " + a"},       {"SELECT a", ", a"},
                                           {"SELECT 1", " + 1"},       {"SELECT a", ".a"},
                                           {"SELECT a", " AND a = 1"}, {"SELECT a", ", a AS b.c"},
                                           {"SELECT a", "[0]"},        {"SELECT 'x'", " + 'x'"}};
    double began = seconds();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct text sql = {0}, printed = {0};
        text_add_string(&sql, parts[i][0]);
        repeat(&sql, parts[i][1], (RULE_LONGEST - 20) / strlen(parts[i][1]));
        struct rule *rule = compiled(sql.at, RULE_2016_03_23);
        struct rule_scratch *scratch = rule_scratch_new(0);
        struct rule_message message = message_of("x", "{\"a\":{\"a\":1}}");
        struct rule_result result;
        rule_begin(scratch, &message);
        rule_select(rule, scratch, &result);
        rule_print(rule, &printed);
        text_free(&printed);
        text_free(&sql);
        rule_scratch_free(scratch);
        rule_free(rule);
    }
    assert_true(seconds() - began < 20);
}

/* Nested SELECTs over written arrays multiply; a text in a text in a text doubles its backslashes.
 */
static void hostile_runs(void **state)
{
    (void)state;
    struct text sql = {0};
    text_add_string(&sql, "SELECT ");
    repeat(&sql, "(SELECT VALUE ", 20);
    text_add_string(&sql, "1");
    repeat(&sql, " FROM [1,2,3,4,5,6,7,8,9,10])", 20);
    text_add_string(&sql, " AS a FROM 'x/+'");
    assert_run(sql.at, RULE_2016_03_23, "{}", RULE_OUT_OF_MEMORY, NULL);
    text_clear(&sql);
    text_add_string(&sql, "SELECT ");
    repeat(&sql, "{'a': ", 60);
    text_add_string(&sql, "b + ''");
    repeat(&sql, "} + ''", 60);
    text_add_string(&sql, " AS a FROM 'x/+'");
    assert_run(sql.at, RULE_2016_03_23, "{\"b\":\"\\\\\"}", RULE_OUT_OF_MEMORY, NULL);
    text_free(&sql);
    assert_run("SELECT regexp_matches(a, '(a+)+$') AS a, 1 AS b FROM 'x/+'", RULE_2015_10_08,
               "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}", RULE_SELECTED,
               "{\"b\":1}");
}

static void memory_is_bounded(void **state)
{
    (void)state;
    struct rule *rule = compiled("SELECT * FROM 'x'", RULE_2015_10_08);
    struct text payload = {0};
    text_add_char(&payload, '[');
    repeat(&payload, "1,", 100000);
    text_add_string(&payload, "1]");
    struct rule_message message = message_of("x", payload.at);
    struct rule_result result;
    for (size_t limit = 1; limit < 64 << 20; limit *= 2) {
        struct rule_scratch *scratch = rule_scratch_new(limit);
        rule_begin(scratch, &message);
        enum rule_outcome outcome = rule_run(rule, scratch, &result);
        assert_int_equal(outcome, limit < 4 << 20    ? RULE_OUT_OF_MEMORY
                                  : limit > 32 << 20 ? RULE_SELECTED
                                                     : outcome);
        rule_scratch_free(scratch);
    }
    text_free(&payload);
    rule_free(rule);
}

/* Threads share a rule, each with a scratch of its own. */
struct worker {
    const struct rule *rule;
    int wrong;
};

static void *work(void *data)
{
    struct worker *worker = data;
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (int i = 0; i < 2000; i++) {
        char payload[64], wanted[64];
        snprintf(payload, sizeof payload, "{\"a\":\"x%dy\",\"b\":%d}", i, i);
        snprintf(wanted, sizeof wanted, "{\"a\":\"<%d>\",\"c\":%d}", i, 2 * i);
        struct rule_message message = message_of("x", payload);
        struct rule_result result;
        rule_begin(scratch, &message);
        worker->wrong += rule_run(worker->rule, scratch, &result) != RULE_SELECTED ||
                         result.length != strlen(wanted) ||
                         memcmp(result.bytes, wanted, result.length) != 0;
    }
    rule_scratch_free(scratch);
    return NULL;
}

static void threads_share_a_rule(void **state)
{
    (void)state;
    struct rule *rule =
        compiled("SELECT regexp_replace(a, 'x([0-9]+)y', '<$1>') AS a, b + b AS c FROM "
                 "'x' WHERE b + b >= b",
                 RULE_2015_10_08);
    struct worker workers[4] = {{rule, 0}, {rule, 0}, {rule, 0}, {rule, 0}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    rule_free(rule);
}

/* --- properties, over statements made by chance --- */

enum { STATEMENTS = 3000 };

struct chance {
    uint64_t state;
};

static unsigned below(struct chance *chance, unsigned limit)
{
    chance->state = chance->state * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(chance->state >> 33) % limit;
}

static const char *pick(struct chance *chance, const char *const *words, size_t count)
{
    return words[below(chance, (unsigned)count)];
}

#define PICK(chance, ...)                                                                          \
    pick(chance, (const char *const[]){__VA_ARGS__},                                               \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void make_expression(struct chance *chance, int depth, struct text *sql);

static void make_leaf(struct chance *chance, struct text *sql)
{
    text_add_string(sql,
                    PICK(chance, "a", "b", "c", "d", "e", "o.p", "o", "l", "l[1]", "l[0].p", "gone",
                         "1", "0", "-3", "2.50", "1e3", "10.0", "0.1", "9223372036854775807", "'x'",
                         "''", "'5'", "'true'", "\"it's\"", "'a''b'", "true", "false", "null",
                         "undefined", "timestamp()", "topic(2)", "clientid()"));
}

static void make_many(struct chance *chance, int depth, const char *open, const char *close,
                      struct text *sql)
{
    text_add_string(sql, open);
    unsigned count = 1 + below(chance, 3);
    for (unsigned i = 0; i < count; i++) {
        text_add_string(sql, i ? ", " : "");
        make_expression(chance, depth, sql);
    }
    text_add_string(sql, close);
}

static void make_case(struct chance *chance, int depth, struct text *sql)
{
    text_add_string(sql, "CASE ");
    if (below(chance, 2))
        make_expression(chance, depth, sql);
    text_add_string(sql, " WHEN ");
    make_expression(chance, depth, sql);
    text_add_string(sql, " THEN ");
    make_expression(chance, depth, sql);
    if (below(chance, 2)) {
        text_add_string(sql, " ELSE ");
        make_expression(chance, depth, sql);
    }
    text_add_string(sql, " END");
}

static void make_nested(struct chance *chance, int depth, struct text *sql)
{
    text_add_string(sql, PICK(chance, "(SELECT VALUE ", "(SELECT ", "(SELECT *, "));
    make_expression(chance, depth, sql);
    text_add_string(sql,
                    PICK(chance, " FROM l)", " FROM o)", " FROM l WHERE p > 1)", " FROM gone)"));
}

static void make_expression(struct chance *chance, int depth, struct text *sql)
{
    unsigned kind = depth > 0 ? below(chance, 14) : 0;
    depth--;
    switch (kind) {
    case 0:
    case 1:
        make_leaf(chance, sql);
        return;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        make_expression(chance, depth, sql);
        text_add_format(sql, " %s ",
                        PICK(chance, "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">",
                             ">=", "AND", "OR", "||", "and"));
        make_expression(chance, depth, sql);
        return;
    case 7:
        text_add_string(sql, PICK(chance, "NOT (", "(", "-(", "("));
        make_expression(chance, depth, sql);
        text_add_char(sql, ')');
        return;
    case 8:
        make_many(chance, depth,
                  PICK(chance, "floor(", "upper(", "nanvl(", "concat(", "isNull(", "length(",
                       "abs(", "get(", "substring(", "isUndefined(", "cast(1 AS Int) + round("),
                  ")", sql);
        return;
    case 9:
        make_case(chance, depth, sql);
        return;
    case 10:
        make_expression(chance, depth, sql);
        make_many(chance, depth, PICK(chance, " IN (", " NOT IN (", " IN ["), "", sql);
        text_add_char(sql, strrchr(sql->at, '[') > strrchr(sql->at, '(') ? ']' : ')');
        return;
    case 11:
        make_many(chance, depth, "[", "]", sql);
        return;
    case 12:
        text_add_string(sql, "{'k': ");
        make_expression(chance, depth, sql);
        text_add_string(sql, ", \"p\": 1}");
        return;
    default:
        make_nested(chance, depth, sql);
    }
}

static const char sample[] =
    "{\"a\":1,\"b\":2.5,\"c\":\"x\",\"d\":true,\"e\":null,\"o\":{\"p\":7,\"q\":[]},"
    "\"l\":[{\"p\":1},{\"p\":2.0},3],\"f\":10.0}";

/* As it was made, or NULL: a bracket of the wrong kind may come out of the IN above. */
static struct rule *made_by_chance(struct chance *chance, struct text *sql,
                                   enum rule_version version)
{
    text_clear(sql);
    text_add_string(sql, "SELECT ");
    make_expression(chance, 4, sql);
    text_add_string(sql, " AS x, ");
    make_expression(chance, 3, sql);
    text_add_string(sql, " FROM 'x' WHERE ");
    make_expression(chance, 2, sql);
    text_add_string(sql, " = 1 OR true");
    return rule_compile(sql->at, sql->length, version, &fault);
}

static void printed_reads_back(void **state)
{
    (void)state;
    struct chance chance = {1};
    struct text sql = {0}, printed = {0}, again = {0};
    size_t tried = 0;
    for (int i = 0; i < STATEMENTS; i++) {
        struct rule *rule = made_by_chance(&chance, &sql, RULE_2016_03_23);
        if (!rule)
            continue;
        tried++;
        text_clear(&printed);
        text_clear(&again);
        rule_print(rule, &printed);
        struct rule *second = rule_compile(printed.at, printed.length, RULE_2016_03_23, &fault);
        if (!second)
            fail_msg("%s\n%s: %s", sql.at, printed.at, fault.message);
        rule_print(second, &again);
        assert_string_equal(printed.at, again.at);
        if (!rule_same(rule, second))
            fail_msg("%s\n%s: another tree", sql.at, printed.at);
        rule_free(rule);
        rule_free(second);
    }
    assert_true(tried > STATEMENTS / 2);
    text_free(&sql);
    text_free(&printed);
    text_free(&again);
}

static enum rule_outcome run_into(const struct rule *rule, struct rule_scratch *scratch,
                                  struct text *out)
{
    struct rule_message message = message_of("x", sample);
    struct rule_result result;
    rule_begin(scratch, &message);
    enum rule_outcome outcome = rule_select(rule, scratch, &result);
    text_clear(out);
    text_add(out, result.bytes, outcome == RULE_SELECTED ? result.length : 0);
    return outcome;
}

/* Computing ahead, and once for two uses, changes nothing. */
static void folding_agrees(void **state)
{
    (void)state;
    struct chance chance = {2};
    struct text sql = {0}, one = {0}, other = {0};
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (int i = 0; i < 2 * STATEMENTS; i++) {
        enum rule_version version = i % 2 ? RULE_2016_03_23 : RULE_2015_10_08;
        struct rule *rule = made_by_chance(&chance, &sql, version);
        struct rule *plain = rule_compile_plainly(sql.at, sql.length, version, &fault);
        if (!rule || !plain) {
            assert_true(!rule && !plain);
            continue;
        }
        assert_true(rule_same(rule, plain));
        assert_int_equal(run_into(rule, scratch, &one), run_into(plain, scratch, &other));
        if (strcmp(text_string(&one), text_string(&other)) != 0)
            fail_msg("%s\n%s\n%s", sql.at, one.at, other.at);
        rule_free(rule);
        rule_free(plain);
    }
    rule_scratch_free(scratch);
    text_free(&sql);
    text_free(&one);
    text_free(&other);
}

/* The questions that the generator's rules ask are answered in a shorter way than they are written.
 */
static void questions_of_type(void **state)
{
    (void)state;
    static const char *const questions[] = {
        "x - 0 = x",
        "x + '' = x",
        "NOT x - 0 = x",
        "(x + '' = x) = true",
        "x - 0 = y",
        "x - 1 = x",
        "x + 'a' = x",
        "CASE isUndefined(NOT x) WHEN true THEN true ELSE NOT x END",
        "CASE isUndefined(NOT (x = y)) WHEN true THEN true ELSE NOT (x = y) END",
        "CASE isUndefined(NOT x IN [y]) WHEN true THEN true ELSE NOT x IN [y] END",
        "CASE isUndefined(NOT (x AND y)) WHEN true THEN true ELSE NOT (x AND y) END",
        "CASE isUndefined(NOT x) WHEN true THEN true ELSE NOT y END",
        "CASE isUndefined(x) WHEN true THEN true ELSE NOT x END",
        "CASE isUndefined(NOT x) WHEN true THEN false ELSE NOT x END"};
    static const char *const values[] = {
        "1",        "0",    "2.50",  "1e3",  "10.0", "\"\"", "\"5\"",
        "\"true\"", "true", "false", "null", "[1]",  "{}",   "12345678901234567890123",
        "-0.0",     "[]",   "\"x\""};
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        owned char *sql =
            must_format("SELECT VALUE [%s] WHERE CASE WHEN %s THEN true ELSE true END",
                        questions[i], questions[i]);
        struct rule *rule = compiled(sql, RULE_2016_03_23);
        struct rule *plain = rule_compile_plainly(sql, strlen(sql), RULE_2016_03_23, &fault);
        for (size_t j = 0; j <= sizeof values / sizeof *values; j++) {
            bool missing = j == sizeof values / sizeof *values;
            owned char *payload =
                missing ? must_copy("{\"y\":2}") : must_format("{\"x\":%s,\"y\":2}", values[j]);
            struct rule_message message = message_of("x", payload);
            struct rule_result result;
            rule_begin(scratch, &message);
            assert_int_equal(rule_select(rule, scratch, &result), RULE_SELECTED);
            owned char *got = must_copy_bytes(result.bytes, result.length);
            assert_int_equal(rule_select(plain, scratch, &result), RULE_SELECTED);
            owned char *wanted = must_copy_bytes(result.bytes, result.length);
            if (strcmp(got, wanted) != 0)
                fail_msg("%s of %s: %s, not %s", questions[i], payload, got, wanted);
        }
        rule_free(rule);
        rule_free(plain);
    }
    rule_scratch_free(scratch);
}

/* NOT NOT x is x, where x is a Boolean or a text that says one; else Undefined. */
static void not_not(void **state)
{
    (void)state;
    struct chance chance = {3};
    struct text expression = {0}, sql = {0}, once = {0}, twice = {0};
    struct rule_scratch *scratch = rule_scratch_new(0);
    for (int i = 0; i < STATEMENTS; i++) {
        text_clear(&expression);
        make_expression(&chance, 3, &expression);
        text_clear(&sql);
        text_add_format(&sql, "SELECT VALUE (%s)", expression.at);
        struct rule *plain = rule_compile(sql.at, sql.length, RULE_2016_03_23, &fault);
        if (!plain)
            continue;
        text_clear(&sql);
        text_add_format(&sql, "SELECT VALUE NOT NOT (%s)", expression.at);
        struct rule *doubled = compiled(sql.at, RULE_2016_03_23);
        run_into(plain, scratch, &once);
        run_into(doubled, scratch, &twice);
        const char *value = text_string(&once);
        if (strcmp(value, "\"true\"") == 0)
            value = "true";
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            value = "";
        if (strcmp(value, text_string(&twice)) != 0)
            fail_msg("%s: %s, %s", sql.at, text_string(&once), text_string(&twice));
        rule_free(plain);
        rule_free(doubled);
    }
    rule_scratch_free(scratch);
    text_free(&expression);
    text_free(&sql);
    text_free(&once);
    text_free(&twice);
}

/* However little memory there is, a run ends with its result or says that there was none. */
static void little_memory(void **state)
{
    (void)state;
    struct chance chance = {4};
    struct text sql = {0}, whole = {0}, got = {0};
    struct rule_scratch *enough = rule_scratch_new(0);
    for (int i = 0; i < STATEMENTS / 10; i++) {
        struct rule *rule = made_by_chance(&chance, &sql, RULE_2016_03_23);
        if (!rule)
            continue;
        enum rule_outcome outcome = run_into(rule, enough, &whole);
        for (size_t limit = 64; limit < 8192; limit += 64) {
            struct rule_scratch *scratch = rule_scratch_new(limit);
            enum rule_outcome limited = run_into(rule, scratch, &got);
            if (limited != RULE_OUT_OF_MEMORY) {
                assert_int_equal(limited, outcome);
                assert_string_equal(text_string(&got), text_string(&whole));
            }
            rule_scratch_free(scratch);
        }
        rule_free(rule);
    }
    rule_scratch_free(enough);
    text_free(&sql);
    text_free(&whole);
    text_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_clauses),
        cmocka_unit_test(faults_of_expressions),
        cmocka_unit_test(faults_of_set),
        cmocka_unit_test(faults_of_foreign_words),
        cmocka_unit_test(what_needs_the_later_version),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(canonical_spelling),
        cmocka_unit_test(outlines),
        cmocka_unit_test(notes),
        cmocka_unit_test(notes_of_or),
        cmocka_unit_test(no_notes_of_or),
        cmocka_unit_test(topic_filters),
        cmocka_unit_test(rules_match_as_filters_do),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(refused_where_it_would_run),
        cmocka_unit_test(results_stay),
        cmocka_unit_test(templates),
        cmocka_unit_test(variables_keep_their_value),
        cmocka_unit_test(templates_without_a_run),
        cmocka_unit_test(variables_are_bounded),
        cmocka_unit_test(topics_of_rules),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(every_power_of_ten),
        cmocka_unit_test(decimals_round),
        cmocka_unit_test(decimals_print_and_convert),
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(json_is_refused),
        cmocka_unit_test(large_objects),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(long_statements),
        cmocka_unit_test(hostile_runs),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(threads_share_a_rule),
        cmocka_unit_test(printed_reads_back),
        cmocka_unit_test(folding_agrees),
        cmocka_unit_test(questions_of_type),
        cmocka_unit_test(not_not),
        cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
