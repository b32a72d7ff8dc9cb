/* Help, man page and completions, all from the one table. */
#include "pages.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <ctype.h>
#include <string.h>

enum { PAGE_WIDTH = 78, HELP_COLUMN = 26 };

static const char about[] =
    "One YAML file describes a sensor type; from it come the cloud documents, the firmware package "
    "of each thing, and the local system that runs the same documents on this machine.";

static const char *const exit_codes[][2] = {
    {"0", "fine"},
    {"1", "the input is wrong (a spec, a file, a name)"},
    {"2", "the command line is wrong"},
    {"3", "the world refused (disk, lock, memory, a remote service)"},
};

/* name, meaning; the Makefile's variables are not among them */
static const char *const environment[][2] = {
    {"SENSORFORGE_WIFI_SSID", "name of the wifi network of new things"},
    {"SENSORFORGE_WIFI_PASSWORD", "its password"},
    {"NO_COLOR", "no colour, whatever the terminal"},
};

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_TYPES] = "Sensor types",     [GROUP_THINGS] = "Things",
    [GROUP_LOCAL] = "The local system", [GROUP_TRYING] = "Looking and trying",
    [GROUP_PROGRAM] = "This program",
};

/* --- help --- */

static void write_wrapped(const char *paragraphs, struct text *out)
{
    size_t column = 0;
    for (const char *at = paragraphs; *at;) {
        size_t length = strcspn(at, " \n");
        if (column && column + 1 + length > PAGE_WIDTH) {
            text_add_char(out, '\n');
            column = 0;
        }
        if (column) {
            text_add_char(out, ' ');
            column++;
        }
        text_add(out, at, length);
        column += length;
        at += length;
        if (*at == '\n') {
            text_add_string(out, "\n\n");
            column = 0;
        }
        at += *at != '\0';
    }
    text_add_char(out, '\n');
}

static void write_row(const char *left, const char *right, struct text *out)
{
    text_add_format(out, "  %s", left);
    size_t column = 2 + strlen(left);
    if (column + 2 > HELP_COLUMN) {
        text_add_char(out, '\n');
        column = 0;
    }
    while (*right) {
        size_t length = strcspn(right, " ");
        if (column > HELP_COLUMN && column + 1 + length > PAGE_WIDTH) {
            text_add_char(out, '\n');
            column = 0;
        }
        size_t blanks = column < HELP_COLUMN ? HELP_COLUMN - column : 1;
        text_add_repeated(out, ' ', blanks);
        text_add(out, right, length);
        column += blanks + length;
        right += length + strspn(right + length, " ");
    }
    text_add_char(out, '\n');
}

/* "-C, --directory DIR" */
static void option_title(const struct command_option *option, struct text *title)
{
    text_clear(title);
    if (option->letter)
        text_add_format(title, "-%c, ", option->letter);
    text_add_format(title, "--%s", option->name);
    if (option->argument)
        text_add_format(title, " %s", option->argument);
}

static void write_options(const struct command_option *options, struct text *out)
{
    struct text title = {0};
    for (const struct command_option *option = options; option->name; option++) {
        option_title(option, &title);
        write_row(text_string(&title), option->help, out);
    }
    text_free(&title);
}

static void write_examples(const char *examples, struct text *out)
{
    text_add_string(out, "\nExamples\n");
    for (const char *at = examples; *at;) {
        size_t length = strcspn(at, "\n");
        text_add_format(out, "  %.*s\n", (int)length, at);
        at += length + (at[length] == '\n');
    }
}

static void write_program_help(struct text *out)
{
    text_add_string(out, "usage: sensorforge [OPTION...] COMMAND ...\n\n");
    write_wrapped(about, out);
    for (int group = 0; group < GROUP_COUNT; group++) {
        text_add_format(out, "\n%s\n", group_titles[group]);
        for (size_t i = 0; i < command_count; i++)
            if ((int)commands[i].group == group)
                write_row(commands[i].name, commands[i].summary, out);
    }
    text_add_string(out, "\nOptions of every command\n");
    write_options(global_options, out);
    text_add_string(out,
                    "\nsensorforge COMMAND --help tells more; sensorforge man is the whole.\n");
}

static void write_command_help(const struct command *command, struct text *out)
{
    const char *operands = command->operands ? command->operands : "";
    text_add_format(out, "usage: sensorforge %s%s%s%s\n\n", command->name,
                    command->options[0].name ? " [OPTION...]" : "", *operands ? " " : "", operands);
    text_add_char(out, (char)toupper((unsigned char)command->summary[0]));
    text_add_format(out, "%s.\n", command->summary + 1);
    if (command->details) {
        text_add_char(out, '\n');
        write_wrapped(command->details, out);
    }
    if (command->options[0].name) {
        text_add_string(out, "\nOptions\n");
        write_options(command->options, out);
    }
    text_add_string(out, "\nOptions of every command\n");
    write_options(global_options, out);
    if (command->examples)
        write_examples(command->examples, out);
}

void pages_help(const struct command *command, struct text *out)
{
    if (command)
        write_command_help(command, out);
    else
        write_program_help(out);
}

/* --- man page (man(7)) --- */

/* Backslashes, dashes, and a dot or quote that would begin a line are escaped. */
static void write_roff(const char *string, struct text *out)
{
    for (const char *c = string; *c; c++) {
        bool line_start = c == string || c[-1] == '\n';
        if (line_start && (*c == '.' || *c == '\''))
            text_add_string(out, "\\&");
        if (*c == '\\')
            text_add_string(out, "\\e");
        else if (*c == '-')
            text_add_string(out, "\\-");
        else if (*c == '\n')
            text_add_string(out, "\n.PP\n");
        else
            text_add_char(out, *c);
    }
}

static void write_roff_item(const char *title, const char *body, struct text *out)
{
    text_add_string(out, ".TP\n.B ");
    write_roff(title, out);
    text_add_char(out, '\n');
    write_roff(body, out);
    text_add_char(out, '\n');
}

static void write_roff_options(const struct command_option *options, struct text *out)
{
    struct text title = {0};
    for (const struct command_option *option = options; option->name; option++) {
        option_title(option, &title);
        write_roff_item(text_string(&title), option->help, out);
    }
    text_free(&title);
}

static void write_roff_command(const struct command *command, struct text *out)
{
    text_add_string(out, ".SS ");
    write_roff(command->name, out);
    if (command->operands && *command->operands) {
        text_add_char(out, ' ');
        write_roff(command->operands, out);
    }
    text_add_char(out, '\n');
    text_add_char(out, (char)toupper((unsigned char)command->summary[0]));
    write_roff(command->summary + 1, out);
    text_add_string(out, ".\n");
    if (command->details) {
        text_add_string(out, ".PP\n");
        write_roff(command->details, out);
        text_add_char(out, '\n');
    }
    write_roff_options(command->options, out);
    for (const char *at = command->examples ? command->examples : ""; *at;) {
        size_t length = strcspn(at, "\n");
        owned char *line = must_copy_bytes(at, length);
        text_add_string(out, ".PP\n.RS\n.nf\n");
        write_roff(line, out);
        text_add_string(out, "\n.fi\n.RE\n");
        at += length + (at[length] == '\n');
    }
}

void pages_man(struct text *out)
{
    text_add_string(out, ".TH SENSORFORGE 1 \"" RELEASED "\" \"Sensorforge " VERSION
                         "\" \"User Commands\"\n"
                         ".SH NAME\nsensorforge \\- things, types and packages from one YAML file\n"
                         ".SH SYNOPSIS\n.B sensorforge\n[\\fIoption\\fR ...] \\fIcommand\\fR ...\n"
                         ".SH DESCRIPTION\n");
    write_roff(about, out);
    text_add_string(out, "\n.SH COMMANDS\n");
    for (size_t i = 0; i < command_count; i++)
        write_roff_command(&commands[i], out);
    text_add_string(out, ".SH OPTIONS OF EVERY COMMAND\n");
    write_roff_options(global_options, out);
    text_add_string(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        write_roff_item(exit_codes[i][0], exit_codes[i][1], out);
    text_add_string(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        write_roff_item(environment[i][0], environment[i][1], out);
    text_add_string(out, ".SH FILES\n");
    write_roff_item(SYSTEM_FILE, "the central system", out);
    write_roff_item(TYPES_FOLDER "/TYPE/" SPEC_FILE, "a sensor type", out);
    write_roff_item(TYPES_FOLDER "/TYPE/sensors/THING/", "a thing's package", out);
    write_roff_item(THINGS_FOLDER "/THING/", "a thing's record, key and certificate", out);
    write_roff_item(SECRETS_FILE, "wifi credentials", out);
}

/* --- completion --- */

/* What lists the words of a kind, in any shell; NULL: the shell's own files or folders, or nothing.
 */
static const struct {
    const char *name, *words;
} kinds[] = {
    [COMPLETE_NOTHING] = {NULL, NULL},
    [COMPLETE_TYPES] = {"types",
                        "command ls " TYPES_FOLDER "/*/spec.yaml 2>/dev/null | cut -d/ -f2"},
    [COMPLETE_THINGS] = {"things", "command ls -d " THINGS_FOLDER "/*/ 2>/dev/null | cut -d/ -f2"},
    [COMPLETE_PLATFORMS] = {"platforms",
                            "command ls templates/firmware/*/platform.yaml 2>/dev/null "
                            "| cut -d/ -f3"},
    [COMPLETE_SETS] = {"sets", "command ls -d templates/*/type templates/*/system 2>/dev/null "
                               "| cut -d/ -f2 | sort -u"},
    [COMPLETE_TARGETS] = {"targets", "echo local aws"},
    [COMPLETE_ESCAPES] = {"escapes", "echo html json python yaml terraform none"},
    [COMPLETE_SHELLS] = {"shells", "echo bash zsh"},
    [COMPLETE_COMMANDS] = {"commands", "echo $commands"},
    [COMPLETE_FILES] = {NULL, NULL},
    [COMPLETE_FOLDERS] = {NULL, NULL},
};

static void write_option_words(const struct command_option *options, struct text *out)
{
    for (const struct command_option *option = options; option->name; option++)
        text_add_format(out, "--%s ", option->name);
}

/* compgen's own words for files and folders, and ours for the rest. */
static void write_bash_reply(enum completion completion, struct text *out)
{
    const char *words = kinds[completion].words;
    if (words)
        text_add_format(out, "COMPREPLY=($(compgen -W \"$(%s)\" -- \"$word\"))", words);
    else if (completion == COMPLETE_FILES || completion == COMPLETE_FOLDERS)
        text_add_format(out, "COMPREPLY=($(compgen -%c -- \"$word\"))",
                        completion == COMPLETE_FILES ? 'f' : 'd');
    else
        text_add_string(out, ":");
}

static void write_bash_values(const char *command, const struct command_option *options,
                              struct text *out)
{
    for (const struct command_option *option = options; option->name; option++) {
        if (!option->argument)
            continue;
        text_add_format(out, "    %s:--%s", command, option->name);
        if (option->letter)
            text_add_format(out, "|%s:-%c", command, option->letter);
        text_add_string(out, ") ");
        write_bash_reply(option->completion, out);
        text_add_string(out, "; return ;;\n");
    }
}

static void write_command_names(struct text *out)
{
    for (size_t i = 0; i < command_count; i++)
        text_add_format(out, "%s%s", i ? " " : "", commands[i].name);
}

static void write_bash(struct text *out)
{
    text_add_string(
        out, "# bash completion of sensorforge, made by: sensorforge completion bash\n"
             "_sensorforge() {\n"
             "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
             "  local command='' options='' i commands='");
    write_command_names(out);
    text_add_string(out, "'\n"
                         "  COMPREPLY=()\n"
                         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                         "    case \"${COMP_WORDS[i]}\" in\n"
                         "    -C|--directory) i=$((i + 1)) ;;\n"
                         "    -*) ;;\n"
                         "    *) command=\"${COMP_WORDS[i]}\"; break ;;\n"
                         "    esac\n"
                         "  done\n"
                         "  case \"$command:$before\" in\n");
    write_bash_values("*", global_options, out);
    for (size_t i = 0; i < command_count; i++)
        write_bash_values(commands[i].name, commands[i].options, out);
    text_add_string(out, "  esac\n  case \"$command\" in\n    '') options=\"$commands\"\n"
                         "      [[ $word != -* ]] || options='");
    write_option_words(global_options, out);
    text_add_string(out, "' ;;\n");
    for (size_t i = 0; i < command_count; i++) {
        text_add_format(out, "    %s) options='", commands[i].name);
        write_option_words(commands[i].options, out);
        write_option_words(global_options, out);
        text_add_string(out, "'\n      [[ $word == -* ]] || { ");
        write_bash_reply(commands[i].completion, out);
        text_add_string(out, "; return; } ;;\n");
    }
    text_add_string(out, "  esac\n"
                         "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                         "}\n"
                         "complete -F _sensorforge sensorforge\n");
}

/* A description inside of '...[...]' of _arguments. */
static void write_zsh_text(const char *string, struct text *out)
{
    for (const char *c = string; *c; c++) {
        if (strchr("[]:\\", *c))
            text_add_char(out, '\\');
        if (*c == '\'')
            text_add_string(out, "'\\'");
        text_add_char(out, *c);
    }
}

static void write_zsh_action(enum completion completion, struct text *out)
{
    if (kinds[completion].name)
        text_add_format(out, "{_sensorforge_words %s}", kinds[completion].name);
    else
        text_add_string(out, completion == COMPLETE_FILES     ? "_files"
                             : completion == COMPLETE_FOLDERS ? "_files -/"
                                                              : "()");
}

static void write_zsh_words(struct text *out)
{
    text_add_string(out, "_sensorforge_words() {\n  local commands='");
    write_command_names(out);
    text_add_string(out, "'\n  case $1 in\n");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].name)
            text_add_format(out, "    %s) compadd -- $(%s) ;;\n", kinds[i].name, kinds[i].words);
    text_add_string(out, "  esac\n}\n");
}

/* The rest of an option's description, after its name. */
static void write_zsh_option(const struct command_option *option, struct text *out)
{
    text_add_char(out, '[');
    write_zsh_text(option->help, out);
    text_add_char(out, ']');
    if (option->argument) {
        text_add_format(out, ":%s:", option->argument);
        write_zsh_action(option->completion, out);
    }
    text_add_char(out, '\'');
}

static void write_zsh_options(const struct command_option *options, struct text *out)
{
    for (const struct command_option *option = options; option->name; option++) {
        text_add_format(out, " \\\n        '--%s%s", option->name, option->argument ? "=" : "");
        write_zsh_option(option, out);
        if (!option->letter)
            continue;
        text_add_format(out, " \\\n        '-%c", option->letter);
        write_zsh_option(option, out);
    }
}

static void write_zsh(struct text *out)
{
    text_add_string(out, "#compdef sensorforge\n"
                         "# zsh completion of sensorforge, made by: sensorforge completion zsh\n"
                         "_sensorforge_commands() {\n  local -a commands=(\n");
    for (size_t i = 0; i < command_count; i++) {
        text_add_format(out, "    '%s:", commands[i].name);
        write_zsh_text(commands[i].summary, out);
        text_add_string(out, "'\n");
    }
    text_add_string(out, "  )\n  _describe command commands\n}\n");
    write_zsh_words(out);
    text_add_string(out, "_sensorforge() {\n  local state line\n  _arguments -C");
    write_zsh_options(global_options, out);
    text_add_string(out, " \\\n        '(-)1: :_sensorforge_commands' '(-)*:: :->rest'\n"
                         "  [[ $state == rest ]] || return\n  case $line[1] in\n");
    for (size_t i = 0; i < command_count; i++) {
        text_add_format(out, "    %s) _arguments", commands[i].name);
        write_zsh_options(commands[i].options, out);
        write_zsh_options(global_options, out);
        text_add_string(out, " \\\n        '*: :");
        write_zsh_action(commands[i].completion, out);
        text_add_string(out, "' ;;\n");
    }
    text_add_string(out,
                    "  esac\n}\n"
                    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _sensorforge \"$@\"\n"
                    "else compdef _sensorforge sensorforge; fi\n");
}

bool pages_completion(const char *shell, struct text *out)
{
    if (strcmp(shell, "bash") == 0)
        write_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        write_zsh(out);
    else
        return false;
    return true;
}
