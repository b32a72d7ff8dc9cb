/* The command line: its parser, and that help, man page and completions hold every command and
 * option of the one table. */
#include "workplace.h"

#include "generator/cli/cli.h"
#include "generator/cli/pages.h"

#include <fcntl.h>

/* --- what is made from the table --- */

/* Whether a text holds words, also where a line ends between two of them. */
static bool holds(const char *text, const char *words)
{
    struct text line = {0};
    for (; *text; text++) {
        bool blank = *text == ' ' || *text == '\n';
        if (!blank || (line.length && line.at[line.length - 1] != ' '))
            text_add_char(&line, blank ? ' ' : *text);
    }
    bool found = strstr(text_string(&line), words) != NULL;
    text_free(&line);
    return found;
}

static void assert_names(const char *where, const char *text, const struct command_option *options,
                         bool long_only)
{
    for (const struct command_option *option = options; option->name; option++) {
        owned char *name = must_format("%s%s", long_only ? "" : "--", option->name);
        if (!strstr(text, name))
            fail_msg("%s does not name --%s", where, option->name);
        if (!holds(text, option->help))
            fail_msg("%s does not say what --%s does", where, option->name);
    }
}

static void the_help_of_the_program(void **state)
{
    (void)state;
    struct text help = {0};
    pages_help(NULL, &help);
    assert_true(begins_with(help.at, "usage: sensorforge [OPTION...] COMMAND ..."));
    for (size_t i = 0; i < command_count; i++) {
        owned char *line = must_format("\n  %s ", commands[i].name);
        assert_non_null(strstr(help.at, line));
        assert_true(holds(help.at, commands[i].summary));
    }
    assert_names("help", help.at, global_options, false);
    text_free(&help);
}

static void the_help_of_each_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        struct text help = {0};
        owned char *usage = must_format("usage: sensorforge %s", commands[i].name);
        pages_help(&commands[i], &help);
        assert_true(begins_with(help.at, usage));
        assert_names(commands[i].name, help.at, commands[i].options, false);
        for (const char *at = help.at; *at; at += strcspn(at, "\n") + 1)
            if (strcspn(at, "\n") > 79)
                fail_msg("the help of %s has a line that is too long", commands[i].name);
        text_free(&help);
    }
}

static void the_help_of_a_row_with_nothing_but_what_it_needs(void **state)
{
    (void)state;
    static const struct command plain = {.name = "hello", .summary = "says hello"};
    struct text help = {0};
    pages_help(&plain, &help);
    assert_true(begins_with(help.at, "usage: sensorforge hello\n\nSays hello.\n"));
    text_free(&help);
}

/* roff writes a dash as "\-". */
static char *without_roff(const char *page)
{
    struct text plain = {0};
    for (; *page; page++)
        if (page[0] == '\\' && page[1] == '-')
            continue;
        else if (page[0] == '\\' && page[1] == 'f' && page[2])
            page += 2;
        else
            text_add_char(&plain, *page);
    return text_take(&plain);
}

static void the_man_page(void **state)
{
    (void)state;
    struct text page = {0};
    pages_man(&page);
    owned char *plain = without_roff(page.at);
    assert_true(begins_with(page.at, ".TH ") || strstr(page.at, "\n.TH "));
    for (size_t i = 0; i < command_count; i++) {
        if (!strstr(plain, commands[i].name))
            fail_msg("the man page does not name %s", commands[i].name);
        for (const struct command_option *option = commands[i].options; option->name; option++)
            if (!strstr(plain, option->name))
                fail_msg("the man page does not name --%s", option->name);
    }
    for (const struct command_option *option = global_options; option->name; option++)
        assert_non_null(strstr(plain, option->name));
    for (const char *at = page.at; (at = strstr(at, "\n'")); at++)
        fail_msg("a line begins with a quote, which roff takes for a request");
    text_free(&page);
}

static void the_completions(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh"};
    for (size_t shell = 0; shell < 2; shell++) {
        struct text script = {0};
        assert_true(pages_completion(shells[shell], &script));
        for (size_t i = 0; i < command_count; i++) {
            if (!strstr(script.at, commands[i].name))
                fail_msg("%s does not complete %s", shells[shell], commands[i].name);
            for (const struct command_option *option = commands[i].options; option->name; option++)
                if (!strstr(script.at, option->name))
                    fail_msg("%s does not complete --%s of %s", shells[shell], option->name,
                             commands[i].name);
        }
        for (const struct command_option *option = global_options; option->name; option++)
            assert_non_null(strstr(script.at, option->name));
        text_free(&script);
    }
    struct text nothing = {0};
    assert_false(pages_completion("fish", &nothing));
    text_free(&nothing);
}

static void the_table_holds_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &commands[i];
        assert_true(command->run && command->summary && (command->operands || !command->least));
        assert_true(command->most < 0 || command->least <= command->most);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(command->name, commands[j].name);
        for (const struct command_option *option = command->options; option->name; option++) {
            assert_true(option < command->options + MOST_OPTIONS - 1); /* the list has an end */
            for (const struct command_option *other = global_options; other->name; other++)
                assert_true(strcmp(option->name, other->name) != 0 &&
                            (!option->letter || option->letter != other->letter));
            for (const struct command_option *other = command->options; other < option; other++)
                assert_true(strcmp(option->name, other->name) != 0 &&
                            (!option->letter || option->letter != other->letter));
        }
    }
}

/* --- the parser, by whole command lines --- */

enum { MOST_WORDS = 16 };

/* Runs a command line of words between blanks ("_" stands for a blank in a word); what it writes to
 * standard output is added to out, standard error to messages. Returns the exit code. */
static int run(const char *line, struct text *out, struct text *messages)
{
    owned char *copy = must_copy(line);
    char *words[MOST_WORDS + 1] = {NULL}, *rest = NULL;
    int count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word && count < MOST_WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    int saved_out = dup(STDOUT_FILENO), saved_error = dup(STDERR_FILENO);
    int to_out = open("stdout", O_CREAT | O_TRUNC | O_RDWR, 0600);
    int to_error = open("stderr", O_CREAT | O_TRUNC | O_RDWR, 0600);
    fflush(stdout);
    fflush(stderr);
    dup2(to_out, STDOUT_FILENO);
    dup2(to_error, STDERR_FILENO);
    int code = cli_run(count, words);
    fflush(stderr);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_error, STDERR_FILENO);
    close(saved_out);
    close(saved_error);
    close(to_out);
    close(to_error);
    text_clear(out);
    text_clear(messages);
    assert_fine(read_file("stdout", 1 << 20, out, &error));
    assert_fine(read_file("stderr", 1 << 20, messages, &error));
    return code;
}

static void assert_run(const char *line, int code, const char *out, const char *messages)
{
    struct text got_out = {0}, got_messages = {0};
    int got = run(line, &got_out, &got_messages);
    assert_string_equal(text_string(&got_messages), messages);
    if (out)
        assert_string_equal(text_string(&got_out), out);
    assert_int_equal(got, code);
    text_free(&got_out);
    text_free(&got_messages);
}

static void wrong_command_lines(void **state)
{
    (void)state;
    assert_run("sensorforge", 2, "",
               "error: a command is missing\n       sensorforge --help lists them\n");
    assert_run("sensorforge chekc", 2, "",
               "error: there is no command \"chekc\"\n       did you mean \"check\"?\n"
               "       sensorforge --help lists them\n");
    assert_run("sensorforge create --form x", 2, "",
               "error: there is no option --form\n       did you mean --from?\n"
               "       sensorforge create --help lists them\n");
    assert_run("sensorforge --xyzzyx=5", 2, "",
               "error: there is no option --xyzzyx\n       sensorforge --help lists them\n");
    assert_run(
        "sensorforge create --from", 2, "",
        "error: --from needs a value\n       --from FILE: create the things of a CSV file\n");
    assert_run("sensorforge version --quiet=yes", 2, "", "error: --quiet takes no value\n");
    assert_run("sensorforge show", 2, "",
               "error: show needs NAME\n       usage: sensorforge show NAME\n");
    assert_run("sensorforge show a b", 2, "",
               "error: \"b\" is one word too many for show\n       usage: sensorforge show NAME\n");
    assert_run("sensorforge version -vz", 2, "",
               "error: there is no option -z\n       sensorforge version --help lists them\n");
}

static void versions(void **state)
{
    (void)state;
    assert_run("sensorforge version", 0, "sensorforge " VERSION "\n", "");
    assert_run("sensorforge --version", 0, "sensorforge " VERSION "\n", "");
    assert_run("sensorforge version -vq", 0, "sensorforge " VERSION "\n", "");
}

static void help_wins(void **state)
{
    (void)state;
    struct text out = {0}, messages = {0};
    assert_int_equal(run("sensorforge show --help", &out, &messages), 0);
    assert_true(begins_with(text_string(&out), "usage: sensorforge show"));
    assert_int_equal(run("sensorforge -h", &out, &messages), 0);
    assert_true(begins_with(text_string(&out), "usage: sensorforge [OPTION...]"));
    text_free(&out);
    text_free(&messages);
}

/* Values stand behind "=", in the next word, or behind the letter; after "--" nothing is an option.
 */
static void ways_to_write_an_option(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "sensorforge render --escape html t d.json", "sensorforge render t --escape=html d.json",
        "sensorforge render -e html t d.json", "sensorforge render -ehtml t d.json",
        "sensorforge render -e html --escape=html -- t d.json"};
    put("t", "{{a}}");
    put("d.json", "{\"a\": \"<\"}");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_run(lines[i], 0, "&lt;", "");
    put("-e", "{{a}}!");
    assert_run("sensorforge render -- -e d.json", 0, "<!", "");
}

static void outside_of_a_project(void **state)
{
    (void)state;
    owned char *message =
        must_format("error: %s is not in a Sensorforge project\n       a project has "
                    "iot_system_infra/system.yaml; name its folder with -C DIR\n",
                    workplace);
    assert_run("sensorforge types", 1, "", message);
    assert_run("sensorforge -C nowhere types", 1, "",
               "error: cannot go to the folder nowhere: No such file or directory\n");
}

#define TEST(function) cmocka_unit_test_setup(function, clear_workplace)

int main(void)
{
    unsetenv("NO_COLOR");
    const struct CMUnitTest tests[] = {
        TEST(the_help_of_the_program),
        TEST(the_help_of_each_command),
        TEST(the_help_of_a_row_with_nothing_but_what_it_needs),
        TEST(the_man_page),
        TEST(the_completions),
        TEST(the_table_holds_together),
        TEST(wrong_command_lines),
        TEST(versions),
        TEST(help_wins),
        TEST(ways_to_write_an_option),
        TEST(outside_of_a_project),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
