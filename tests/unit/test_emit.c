/* Template sets and what is written of them: errors with their places, only what changed. */
#include "workplace.h"

#include "common/base/json.h"
#include "generator/documents/emit.h"
#include "generator/documents/template_set.h"

static struct template_set *load(const char *set, const char *base)
{
    struct template_set *loaded = NULL;
    assert_fine(template_set_load("t", set, base, "type", &loaded, &error));
    return loaded;
}

static enum status render(const struct template_set *set, const char *data,
                          struct artifacts *artifacts)
{
    cJSON *model = cJSON_Parse(data);
    assert_non_null(model);
    enum status status = template_set_render(set, model, "", artifacts, &error);
    cJSON_Delete(model);
    return status;
}

static const char *bytes_of(const struct artifacts *artifacts, const char *path)
{
    for (size_t i = 0; i < artifacts->count; i++)
        if (strcmp(artifacts->at[i].path, path) == 0)
            return text_string(&artifacts->at[i].bytes);
    return NULL;
}

static void a_set_is_rendered(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    put("t/s/type/deep/er/b.txt.mustache", "{{name}} & {{> part}}");
    put("t/s/type/a.json.mustache", "{\"n\":\"{{name}}\",\n\n\"l\":[]}");
    put("t/s/type/copied", "{{as it is}}");
    put("t/s/type/nothing.mustache", "{{#none}}x{{/none}} \n");
    put("t/s/type/.hidden", "x");
    put("t/s/partials/part.mustache", "part of {{name}}");
    struct template_set *set = load("s", NULL);
    assert_fine(render(set, "{\"name\": \"a\\\"b\", \"none\": false}", &artifacts));
    assert_int_equal(artifacts.count, 3);
    assert_string_equal(artifacts.at[0].path, "a.json"); /* sorted */
    assert_string_equal(bytes_of(&artifacts, "a.json"),
                        "{\n  \"n\": \"a\\\"b\",\n  \"l\": []\n}\n");
    assert_string_equal(bytes_of(&artifacts, "copied"), "{{as it is}}");
    assert_string_equal(bytes_of(&artifacts, "deep/er/b.txt"), "a\"b & part of a\"b");
    artifacts_free(&artifacts);
    template_set_free(set);
    template_set_free(NULL);
}

static void a_base_comes_first(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    put("t/base/type/both.mustache", "base");
    put("t/base/type/only", "base {{");
    put("t/base/partials/p.mustache", "base");
    put("t/s/type/both.mustache", "own {{> p}}");
    struct template_set *set = load("s", "base");
    assert_fine(render(set, "{}", &artifacts));
    assert_string_equal(bytes_of(&artifacts, "both"), "own base");
    assert_string_equal(bytes_of(&artifacts, "only"), "base {{");
    artifacts_free(&artifacts);
    template_set_free(set);
}

static void escapes_follow_the_path(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    static const char *const outputs[][2] = {
        {"x.py", "\\'\\n"}, {"x.html", "'\n"}, {"x.txt", "'\n"}, {"x.yaml", "'\\n"}};
    for (size_t i = 0; i < 4; i++) {
        owned char *path = must_format("t/s/type/%s.mustache", outputs[i][0]);
        put(path, "{{v}}|");
    }
    struct template_set *set = load("s", NULL);
    assert_fine(render(set, "{\"v\": \"'\\n\"}", &artifacts));
    for (size_t i = 0; i < 4; i++) {
        owned char *wanted = must_format("%s|", outputs[i][1]);
        assert_string_equal(bytes_of(&artifacts, outputs[i][0]), wanted);
    }
    artifacts_free(&artifacts);
    template_set_free(set);
}

static void assert_render_fails(const char *template, const char *data, const char *message)
{
    struct artifacts artifacts = {0};
    put("t/s/type/x.json.mustache", template);
    struct template_set *set = load("s", NULL);
    assert_failed(render(set, data, &artifacts), WRONG_INPUT, message);
    artifacts_free(&artifacts);
    template_set_free(set);
}

static void rendering_is_strict(void **state)
{
    (void)state;
    put("t/s/partials/p.mustache", "\n {{b}}");
    assert_render_fails("{\n  \"a\": \"{{nome}}\"}", "{\"name\": 1}",
                        "t/s/type/x.json.mustache:2:9: the data has no 'nome', expected a name "
                        "that it has");
    assert_render_fails("{{> q}}", "{}",
                        "t/s/type/x.json.mustache:1:1: there is no partial 'q', expected one that "
                        "exists");
    assert_render_fails("{{> p}}", "{}",
                        "t/s/partials/p.mustache:2:2: the data has no 'b', expected a name that it "
                        "has");
}

static void broken_json_is_noticed(void **state)
{
    (void)state;
    assert_render_fails("{\"a\": {{a}}}", "{\"a\": \"x\"}",
                        "the template t/s/type/x.json.mustache rendered broken JSON: its "
                        "output:1:7: this is not JSON");
    assert_render_fails("{\"a\": 1,\n \"a\": 2}", "{}",
                        "the template t/s/type/x.json.mustache rendered broken JSON: its output "
                        "has the key \"a\" twice");
}

static void templates_that_do_not_load(void **state)
{
    (void)state;
    struct template_set *set = (struct template_set *)"x";
    assert_failed(template_set_load("t", "none", NULL, "type", &set, &error), WRONG_INPUT,
                  "there are no templates in t/none/type");
    assert_null(set);
    put("t/s/type/x.mustache", "a\n{{#b}}\n");
    assert_int_equal(template_set_load("t", "s", NULL, "type", &set, &error), WRONG_INPUT);
    assert_string_equal(
        text_string(&error.message),
        "t/s/type/x.mustache:3:1: the template ends inside 'b', expected its closing tag "
        "before");
    assert_null(set);
}

static void sets_with_a_scope(void **state)
{
    (void)state;
    put("t/b/type/x", "");
    put("t/a/type/x", "");
    put("t/c/system/x", "");
    struct names *names = template_set_names("t", "type");
    assert_int_equal(names->count, 2);
    assert_string_equal(names->at[0], "a");
    names_free(names);
}

/* --- writing --- */

static void want(struct artifacts *artifacts, const char *path, const char *bytes)
{
    struct text text = {0};
    text_add_string(&text, bytes);
    artifacts_put(artifacts, path, &text);
    assert_null(text.at); /* taken over */
}

static void assert_written(const struct artifacts *artifacts, const char *only, size_t written,
                           size_t unchanged, size_t removed)
{
    struct emit_report report = {0}, dry = {0};
    assert_fine(emit_write("out", artifacts, only, true, &dry, &error));
    assert_fine(emit_write("out", artifacts, only, false, &report, &error));
    assert_int_equal(report.written, written);
    assert_int_equal(report.unchanged, unchanged);
    assert_int_equal(report.removed, removed);
    assert_memory_equal(&report, &dry, sizeof report); /* a dry run says the same */
}

static struct stat facts_of(const char *path)
{
    struct stat facts;
    assert_int_equal(lstat(path, &facts), 0);
    return facts;
}

static void only_what_changed_is_written(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    want(&artifacts, "a", "1");
    want(&artifacts, "b/c", "2");
    assert_written(&artifacts, NULL, 2, 0, 0);
    assert_file("out/a", "1");
    assert_file("out/b/c", "2");
    struct stat a = facts_of("out/a"), c = facts_of("out/b/c"), index = facts_of("out/.index");
    want(&artifacts, "b/c", "new");
    assert_written(&artifacts, NULL, 1, 1, 0);
    assert_int_equal(facts_of("out/a").st_ino, a.st_ino);
    assert_int_equal(facts_of("out/a").st_mtim.tv_nsec, a.st_mtim.tv_nsec);
    assert_int_equal(facts_of("out/.index").st_ino, index.st_ino);
    assert_int_not_equal(facts_of("out/b/c").st_ino, c.st_ino);
    assert_file("out/b/c", "new");
    put("out/a", "someone's edit");
    assert_written(&artifacts, NULL, 1, 1, 0);
    assert_file("out/a", "1");
    artifacts_free(&artifacts);
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    struct emit_report report = {0};
    want(&artifacts, "a", "1");
    assert_fine(emit_write("out", &artifacts, NULL, true, &report, &error));
    assert_int_equal(report.written, 1);
    assert_false(path_exists("out"));
    artifacts_free(&artifacts);
}

static void left_overs_are_removed_and_nothing_else(void **state)
{
    (void)state;
    struct artifacts before = {0}, after = {0};
    want(&before, "kept", "1");
    want(&before, "old/deep/gone", "2");
    want(&before, "old/shared", "3");
    assert_written(&before, NULL, 3, 0, 0);
    put("out/old/foreign", "mine");
    put("out/other", "mine");
    want(&after, "kept", "1");
    assert_written(&after, NULL, 0, 1, 2);
    assert_false(path_exists("out/old/deep") || path_exists("out/old/shared"));
    assert_file("out/old/foreign", "mine");
    assert_file("out/other", "mine");
    assert_file("out/.index", "kept\n");
    assert_written(&after, NULL, 0, 1, 0);
    artifacts_free(&before);
    artifacts_free(&after);
}

static void removing_may_be_limited(void **state)
{
    (void)state;
    struct artifacts both = {0}, one = {0};
    want(&both, "a/x", "1");
    want(&both, "b/x", "2");
    assert_written(&both, NULL, 2, 0, 0);
    want(&one, "a/y", "1");
    assert_written(&one, "a/", 1, 0, 1);
    assert_false(path_exists("out/a/x"));
    assert_file("out/b/x", "2");
    struct artifacts none = {0};
    assert_written(&none, NULL, 0, 0, 2); /* b/x was not forgotten */
    artifacts_free(&both);
    artifacts_free(&one);
}

/* An index that someone has tampered with must not lead out of the folder. */
static void an_index_does_not_lead_outside(void **state)
{
    (void)state;
    struct artifacts none = {0};
    owned char *index =
        must_format("../victim\n%s/victim\na/../../victim\n..\n\nmissing\n", workplace);
    put("victim", "safe");
    put("out/.index", index);
    assert_written(&none, NULL, 0, 0, 0);
    assert_file("victim", "safe");
}

static void writing_is_refused(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    struct emit_report report = {0};
    put("out/a", "a file where a folder must be");
    want(&artifacts, "a/b", "1");
    assert_int_equal(emit_write("out", &artifacts, NULL, false, &report, &error), REFUSED);
    assert_file("out/a", "a file where a folder must be");
    artifacts_free(&artifacts);
}

static void differences(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    struct text diff = {0};
    want(&artifacts, "a", "one\ntwo\n");
    want(&artifacts, "gone", "x\n");
    assert_written(&artifacts, NULL, 2, 0, 0);
    assert_fine(emit_diff("out", &artifacts, NULL, &diff, &error));
    assert_string_equal(text_string(&diff), "");
    artifacts_free(&artifacts);
    want(&artifacts, "a", "one\n2\n");
    want(&artifacts, "new", "n\n");
    assert_fine(emit_diff("out", &artifacts, NULL, &diff, &error));
    assert_string_equal(text_string(&diff), "--- a/out/a\n+++ b/out/a\n@@ -1,2 +1,2 @@\n one\n"
                                            "-two\n+2\n--- a/out/new\n+++ b/out/new\n"
                                            "@@ -0,0 +1 @@\n+n\n--- a/out/gone\n+++ b/out/gone\n"
                                            "@@ -1 +0,0 @@\n-x\n");
    assert_file("out/a", "one\ntwo\n");
    text_free(&diff);
    artifacts_free(&artifacts);
}

static void a_folder_is_taken_in(void **state)
{
    (void)state;
    struct artifacts artifacts = {0};
    put("code/sensor.py", "own");
    put("code/lib/x.py", "x");
    put("code/README.md", "for people");
    put("code/.git", "x");
    want(&artifacts, "sensor.py", "template's");
    assert_fine(template_set_add_folder(&artifacts, "code", ".md", &error));
    assert_fine(template_set_add_folder(&artifacts, "nowhere", ".md", &error));
    artifacts_sort(&artifacts);
    assert_int_equal(artifacts.count, 2);
    assert_string_equal(artifacts.at[0].path, "lib/x.py");
    assert_string_equal(bytes_of(&artifacts, "sensor.py"), "own");
    artifacts_free(&artifacts);
}

#define TEST(function) cmocka_unit_test_setup(function, clear_workplace)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_is_rendered),         TEST(a_base_comes_first),
        TEST(escapes_follow_the_path),   TEST(rendering_is_strict),
        TEST(broken_json_is_noticed),    TEST(templates_that_do_not_load),
        TEST(sets_with_a_scope),         TEST(only_what_changed_is_written),
        TEST(a_dry_run_changes_nothing), TEST(left_overs_are_removed_and_nothing_else),
        TEST(removing_may_be_limited),   TEST(an_index_does_not_lead_outside),
        TEST(writing_is_refused),        TEST(differences),
        TEST(a_folder_is_taken_in),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
