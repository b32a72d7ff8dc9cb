#include "profile.h"
#include "common/base/files.h"
#include "common/base/memory.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The format is that of Python's configparser, which the CLI reads these files with:
 *
 *   - a line whose first character is # or ; is a comment, also between the lines of a value;
 *   - "[header]" begins a section, "key = value" or "key: value" a setting; keys in any case;
 *   - a line that is indented deeper than its key goes on with the value;
 *   - a section or a key that comes twice is an error.
 *
 * A value that begins on the line after its key is a block of settings of its own. */

enum { LARGEST_FILE = 1 << 20 };

struct setting {
    char *key;
    char *value; /* with newlines where it has more lines */
};

struct section {
    enum profile_file file;
    char *header;      /* as written: "profile home" */
    char *kind, *name; /* "profile", "home"; NULL where the header has no two words */
    struct setting *settings;
    size_t count, room;
};

struct aws_profiles {
    char *paths[2];
    struct section *sections;
    size_t count, room;
};

/* --- the environment --- */

const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool says_true(const char *value)
{
    return value && strcasecmp(value, "true") == 0;
}

/* --- words --- */

struct words {
    char **at;
    size_t count, room;
};

static void add_word(struct words *words, struct text *word)
{
    words->at = must_grow(words->at, words->count + 1, &words->room, sizeof *words->at);
    words->at[words->count++] = text_take(word);
    words->at[words->count] = NULL;
}

/* Appends what is between the quotes. Returns the character behind them; NULL when they are not
 * closed. */
static const char *add_quoted(const char *at, struct text *word)
{
    char quote = *at++;
    for (; *at != quote; at++) {
        if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        if (!*at)
            return NULL;
        text_add_char(word, *at);
    }
    return at + 1;
}

static const char *add_whole_word(const char *at, struct text *word)
{
    while (at && *at && !strchr(" \t\r\n", *at)) {
        if (*at == '"' || *at == '\'') {
            at = add_quoted(at, word);
        } else if (*at == '\\') {
            if (!at[1])
                return NULL;
            text_add_char(word, at[1]);
            at += 2;
        } else {
            text_add_char(word, *at++);
        }
    }
    return at;
}

char **shell_words(const char *command)
{
    struct words words = {0};
    words.at = must_grow(words.at, 0, &words.room, sizeof *words.at);
    words.at[0] = NULL;
    for (const char *at = command + strspn(command, " \t\r\n"); *at; at += strspn(at, " \t\r\n")) {
        struct text word = {0};
        at = add_whole_word(at, &word);
        if (!at) {
            text_free(&word);
            shell_words_free(words.at);
            return NULL;
        }
        add_word(&words, &word);
    }
    return words.at;
}

void shell_words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

/* --- sections --- */

/* In the config file "profile home" is the profile home, and "default" too is one; in the
 * credentials file every header is a profile's name. */
static void read_header(struct section *section)
{
    bool config = section->file == CONFIG_FILE;
    if (!config || strcmp(section->header, "default") == 0) {
        section->kind = must_copy("profile");
        section->name = must_copy(section->header);
        return;
    }
    char **words = shell_words(section->header);
    if (words && words[0] && words[1] && !words[2]) {
        section->kind = must_copy(words[0]);
        section->name = must_copy(words[1]);
    }
    shell_words_free(words);
}

static struct section *find_header(const struct aws_profiles *profiles, enum profile_file file,
                                   const char *header)
{
    for (size_t i = 0; i < profiles->count; i++)
        if (profiles->sections[i].file == file && strcmp(profiles->sections[i].header, header) == 0)
            return &profiles->sections[i];
    return NULL;
}

static struct setting *find_setting(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcmp(section->settings[i].key, key) == 0)
            return &section->settings[i];
    return NULL;
}

/* --- reading --- */

struct reader {
    struct aws_profiles *profiles;
    enum profile_file file;
    const char *path;
    size_t line;
    size_t indent;   /* of the line that the setting began on */
    bool in_section; /* the last section is the one that is open */
    bool in_setting; /* and its last setting */
    struct text value;
};

static enum status wrong(const struct reader *reader, struct error *error, const char *what)
{
    return fail(error, WRONG_INPUT, "%s:%zu: %s", reader->path, reader->line, what);
}

static struct section *open_section(const struct reader *reader)
{
    return &reader->profiles->sections[reader->profiles->count - 1];
}

static void add_setting(struct section *section, char *key, char *value)
{
    section->settings =
        must_grow(section->settings, section->count, &section->room, sizeof *section->settings);
    section->settings[section->count++] = (struct setting){key, value};
}

/* The lines of a block become settings as well, "s3" and "region" as "s3\nregion". */
static enum status read_block(struct reader *reader, const char *outer, const char *block,
                              struct error *error)
{
    struct section *section = open_section(reader);
    for (const char *line = block; *line; line += strcspn(line, "\n")) {
        line += strspn(line, "\n");
        size_t length = strcspn(line, "\n"), key = strcspn(line, "=");
        if (key >= length)
            return wrong(reader, error, "expected \"key = value\" in the lines above");
        const char *value = line + key + 1 + strspn(line + key + 1, " \t\r\f\v");
        size_t end = (size_t)(line + length - value);
        while (key && isspace((unsigned char)line[key - 1]))
            key--;
        add_setting(section, must_format("%s\n%.*s", outer, (int)key, line),
                    must_copy_bytes(value, value < line + length ? end : 0));
    }
    return FINE;
}

/* The value is without the empty lines at its end. */
static enum status end_setting(struct reader *reader, struct error *error)
{
    struct text *value = &reader->value;
    if (!reader->in_setting)
        return FINE;
    while (value->length && isspace((unsigned char)value->at[value->length - 1]))
        value->at[--value->length] = '\0';
    struct section *section = open_section(reader);
    struct setting *setting = &section->settings[section->count - 1];
    setting->value = must_copy(text_string(value));
    text_clear(value);
    reader->in_setting = false;
    if (setting->value[0] != '\n')
        return FINE;
    owned char *outer = must_copy(setting->key);
    owned char *block = must_copy(setting->value);
    return read_block(reader, outer, block, error);
}

static enum status begin_section(struct reader *reader, const char *line, const char *close,
                                 struct error *error)
{
    struct aws_profiles *profiles = reader->profiles;
    owned char *header = must_copy_bytes(line + 1, (size_t)(close - line - 1));
    if (find_header(profiles, reader->file, header))
        return wrong(reader, error, "this section has been there before");
    profiles->sections =
        must_grow(profiles->sections, profiles->count, &profiles->room, sizeof *profiles->sections);
    struct section *section = &profiles->sections[profiles->count++];
    *section = (struct section){.file = reader->file, .header = must_copy(header)};
    read_header(section);
    reader->in_section = true;
    return FINE;
}

static enum status begin_setting(struct reader *reader, const char *line, struct error *error)
{
    if (!reader->in_section)
        return wrong(reader, error, "expected a section ([default]) before this line");
    size_t length = strcspn(line, "=:");
    if (!line[length] || !length)
        return wrong(reader, error, "expected \"key = value\"");
    const char *value = line + length + 1;
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    char *key = must_copy_bytes(line, length);
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    struct section *section = open_section(reader);
    bool twice = find_setting(section, key) != NULL;
    add_setting(section, key, NULL);
    reader->in_setting = true;
    text_add_string(&reader->value, value + strspn(value, " \t\r\f\v"));
    return twice ? wrong(reader, error, "this key has been in the section before") : FINE;
}

/* line: without white space at its ends. */
static enum status read_line(struct reader *reader, const char *line, size_t indent,
                             struct error *error)
{
    if (*line == '#' || *line == ';')
        return FINE;
    if (!*line || (reader->in_setting && indent > reader->indent)) {
        if (reader->in_setting) {
            text_add_char(&reader->value, '\n');
            text_add_string(&reader->value, line);
        }
        return FINE;
    }
    enum status status = end_setting(reader, error);
    if (status)
        return status;
    reader->indent = indent;
    const char *close = *line == '[' ? strrchr(line, ']') : NULL;
    if (close && close > line + 1)
        return begin_section(reader, line, close, error);
    return begin_setting(reader, line, error);
}

static enum status read_lines(struct reader *reader, char *bytes, struct error *error)
{
    enum status status = FINE;
    for (char *line = bytes, *next; line && !status; line = next) {
        reader->line++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        size_t indent = 0, length = strlen(line);
        while (isspace((unsigned char)line[indent]))
            indent++;
        while (length > indent && isspace((unsigned char)line[length - 1]))
            line[--length] = '\0';
        status = read_line(reader, line + indent, indent, error);
    }
    return status ? status : end_setting(reader, error);
}

static enum status read_one(struct aws_profiles *profiles, enum profile_file file,
                            struct error *error)
{
    const char *path = profiles->paths[file];
    secret_owned struct secret bytes = {0};
    struct reader reader = {
        .profiles = profiles, .file = file, .path = path, .value = {.secret = true}};
    if (!path_exists(path) || is_folder(path) || strcmp(path, "/dev/null") == 0)
        return FINE; /* /dev/null, which people name to have no such file */
    enum status status = read_secret(path, LARGEST_FILE, &bytes, error);
    if (status)
        return status;
    if (!utf8_valid(bytes.at, bytes.length, NULL) || strlen(bytes.at) != bytes.length)
        return fail(error, WRONG_INPUT, "%s is no text in UTF-8", path);
    status = read_lines(&reader, bytes.at, error);
    text_free(&reader.value);
    return status;
}

/* --- the files --- */

const char *home_folder(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user = home && *home ? NULL : getpwuid(getuid());
    return home && *home ? home : user ? user->pw_dir : "/";
}

static char *find_file(const char *variable, const char *usual)
{
    const char *given = getenv(variable);
    const char *path = given && *given ? given : usual;
    if (path[0] == '~' && (path[1] == '/' || !path[1]))
        return must_format("%s%s", home_folder(), path + 1);
    return must_copy(path);
}

enum status profiles_read(struct aws_profiles **profiles, struct error *error)
{
    struct aws_profiles *made = must_alloc(sizeof *made);
    made->paths[CREDENTIALS_FILE] = find_file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
    made->paths[CONFIG_FILE] = find_file("AWS_CONFIG_FILE", "~/.aws/config");
    enum status status = read_one(made, CREDENTIALS_FILE, error);
    if (!status)
        status = read_one(made, CONFIG_FILE, error);
    if (status) {
        profiles_free(made);
        made = NULL;
    }
    *profiles = made;
    return status;
}

static void free_section(struct section *section)
{
    for (size_t i = 0; i < section->count; i++) {
        char *value = section->settings[i].value;
        if (value)
            explicit_bzero(value, strlen(value));
        free(value);
        free(section->settings[i].key);
    }
    free(section->settings);
    free(section->header);
    free(section->kind);
    free(section->name);
}

void profiles_free(struct aws_profiles *profiles)
{
    if (!profiles)
        return;
    for (size_t i = 0; i < profiles->count; i++)
        free_section(&profiles->sections[i]);
    free(profiles->sections);
    free(profiles->paths[CREDENTIALS_FILE]);
    free(profiles->paths[CONFIG_FILE]);
    free(profiles);
}

/* --- looking up --- */

/* The last of the sections that make the same profile ([default] and [profile default]). */
static const struct section *find_section(const struct aws_profiles *profiles,
                                          enum profile_file file, const char *kind,
                                          const char *name)
{
    for (size_t i = profiles->count; i-- > 0;) {
        const struct section *section = &profiles->sections[i];
        if (section->file == file && section->kind && strcmp(section->kind, kind) == 0 &&
            strcmp(section->name, name) == 0)
            return section;
    }
    return NULL;
}

const char *profile_file_name(const struct aws_profiles *profiles, enum profile_file file)
{
    return profiles->paths[file];
}

static const char *value_in(const struct section *section, const char *key, const char *nested)
{
    owned char *whole = nested ? must_format("%s\n%s", key, nested) : must_copy(key);
    const struct setting *setting = section ? find_setting(section, whole) : NULL;
    return setting ? setting->value : NULL;
}

bool profile_exists(const struct aws_profiles *profiles, const char *name)
{
    return find_section(profiles, CREDENTIALS_FILE, "profile", name) ||
           find_section(profiles, CONFIG_FILE, "profile", name);
}

bool section_exists(const struct aws_profiles *profiles, const char *kind, const char *name)
{
    return find_section(profiles, CONFIG_FILE, kind, name) != NULL;
}

void profile_names(const struct aws_profiles *profiles, struct text *out)
{
    for (size_t i = 0; i < profiles->count; i++) {
        const struct section *section = &profiles->sections[i];
        if (!section->kind || strcmp(section->kind, "profile") != 0)
            continue;
        const struct section *first =
            find_section(profiles, CREDENTIALS_FILE, "profile", section->name);
        if (!first)
            first = find_section(profiles, CONFIG_FILE, "profile", section->name);
        if (section == first)
            text_add_format(out, "%s%s", out->length ? ", " : "", section->name);
    }
}

const char *profile_setting_of(const struct aws_profiles *profiles, enum profile_file file,
                               const char *profile, const char *key)
{
    return value_in(find_section(profiles, file, "profile", profile), key, NULL);
}

const char *profile_setting(const struct aws_profiles *profiles, const char *profile,
                            const char *key, const char *nested)
{
    const struct section *first = find_section(profiles, CREDENTIALS_FILE, "profile", profile);
    const char *value = value_in(first, key, nested);
    if (value || (first && find_setting(first, key)))
        return value;
    return value_in(find_section(profiles, CONFIG_FILE, "profile", profile), key, nested);
}

const char *section_setting(const struct aws_profiles *profiles, const char *kind, const char *name,
                            const char *key, const char *nested)
{
    return value_in(find_section(profiles, CONFIG_FILE, kind, name), key, nested);
}
