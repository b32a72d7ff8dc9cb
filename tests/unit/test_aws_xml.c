/* XML answers as JSON. */
#include "workplace.h"

#include "common/base/json.h"
#include "aws/xml.h"

static void assert_read(const char *xml, const char *wanted)
{
    cJSON *answer;
    struct text made = {0};
    assert_fine(xml_read(xml, strlen(xml), &answer, &error));
    json_compact(answer, &made);
    assert_string_equal(text_string(&made), wanted);
    text_free(&made);
    cJSON_Delete(answer);
}

static void assert_refused(const char *xml, const char *message)
{
    cJSON *answer;
    assert_failed(xml_read(xml, strlen(xml), &answer, &error), WRONG_INPUT, message);
    assert_null(answer);
}

static void answers(void **state)
{
    (void)state;
    assert_read("<R/>", "{}");
    assert_read(
        "<?xml version=\"1.0\"?>\n<R xmlns=\"http://a/\">\n <A>x</A>\n <B/>\n <C> </C>\n</R>\n",
        "{\"A\":\"x\",\"B\":null,\"C\":null}");
    assert_read(
        "<R><Stacks><member><Name>a</Name></member><member><Name>b</Name></member></Stacks>"
        "<Tags><member>one</member></Tags><Empty>\n</Empty></R>",
        "{\"Stacks\":[{\"Name\":\"a\"},{\"Name\":\"b\"}],\"Tags\":[\"one\"],\"Empty\":null}");
    assert_read("<R><m><member><member>a</member></member><member/></m></R>",
                "{\"m\":[[\"a\"],null]}");
    assert_read("<R><member>a</member><Token>b</Token></R>", "{\"member\":\"a\",\"Token\":\"b\"}");
}

static void names_that_come_again(void **state)
{
    (void)state;
    assert_read("<R><M><entry><key>a</key></entry><entry><key>b</key></entry><entry/></M></R>",
                "{\"M\":{\"entry\":[{\"key\":\"a\"},{\"key\":\"b\"},null]}}");
    assert_read("<R><a>1</a><a>2</a><b>3</b><c/><c/></R>",
                "{\"a\":[\"1\",\"2\"],\"b\":\"3\",\"c\":[null,null]}");
    assert_read("<R><a><member>1</member></a><a><member>2</member></a></R>",
                "{\"a\":[[\"1\"],[\"2\"]]}");
}

static void names_and_text(void **state)
{
    (void)state;
    assert_read("<n:R xmlns:n=\"urn:x\"><n:A n:b=\"c\">x</n:A></n:R>", "{\"A\":\"x\"}");
    assert_read("<R><A>a &lt;b&gt; &amp;amp; &#x4b;&#252;</A></R>",
                "{\"A\":\"a <b> &amp; K\xc3\xbc\"}");
    assert_read("<R><A><![CDATA[{\"a\": \"<b>\"}]]></A></R>",
                "{\"A\":\"{\\\"a\\\": \\\"<b>\\\"}\"}");
    assert_read("<R><A>  two\n lines </A></R>", "{\"A\":\"  two\\n lines \"}");
    assert_read("<R><A>before<!-- c --><B>x</B>after</A></R>", "{\"A\":{\"B\":\"x\"}}");
    assert_read("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><R><A>K\xfc\xfc\xfc</A></R>",
                "{\"A\":\"K\xc3\xbc\xc3\xbc\xc3\xbc\"}");
}

static void what_is_refused(void **state)
{
    (void)state;
    assert_refused("", "line 1 of the XML: no element found");
    assert_refused("nothing", "line 1 of the XML: syntax error");
    assert_refused("<R>\n<A></R>", "line 2 of the XML: mismatched tag");
    assert_refused("<R><A>half", "line 1 of the XML: no element found");
    assert_refused("<R/><R/>", "line 1 of the XML: junk after document element");
    assert_refused("<R>&nothing;</R>", "line 1 of the XML: undefined entity");
    assert_refused("<!DOCTYPE R [<!ENTITY a \"b\">]><R>&a;</R>",
                   "the XML has a doctype, which no answer of AWS has");
    assert_refused("<!DOCTYPE html><html></html>",
                   "the XML has a doctype, which no answer of AWS has");
}

static void depth(void **state)
{
    (void)state;
    struct text xml = {0};
    for (int i = 0; i < 64; i++)
        text_add_string(&xml, "<a>");
    text_add_string(&xml, "x");
    for (int i = 0; i < 64; i++)
        text_add_string(&xml, "</a>");
    cJSON *answer;
    assert_fine(xml_read(xml.at, xml.length, &answer, &error));
    cJSON_Delete(answer);
    struct text deeper = {0};
    text_add_format(&deeper, "<a>%s</a>", text_string(&xml));
    assert_refused(text_string(&deeper), "the XML is nested too deeply (at most 64 levels)");
    text_free(&deeper);
    text_free(&xml);
}

static void size(void **state)
{
    (void)state;
    cJSON *answer;
    assert_failed(xml_read("", ((size_t)16 << 20) + 1, &answer, &error), WRONG_INPUT,
                  "the XML is larger than 16 MB");
}

static int clean(void **state)
{
    (void)state;
    error_free(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),        cmocka_unit_test(names_that_come_again),
        cmocka_unit_test(names_and_text), cmocka_unit_test(what_is_refused),
        cmocka_unit_test(depth),          cmocka_unit_test(size),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
