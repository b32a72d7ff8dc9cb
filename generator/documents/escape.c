/* One replacer per language says what stands for the byte at hand, if not the byte itself; one loop
 * copies all that stays in runs. Linear in the bytes; bytes that are not UTF-8 stay as they are. */
#include "escape.h"

#include <stdio.h>
#include <string.h>

/* What is left to escape. A replacer returns what stands for the first `taken` bytes of it (1
 * unless it says more), perhaps in `made`; NULL when the first byte stays. */
struct piece {
    const char *at;
    size_t left;
    size_t taken;
    char made[8];
};

typedef const char *replacer(struct piece *piece);

static const char *replace_html(struct piece *piece)
{
    switch (*piece->at) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

/* pairs: each byte that has a letter of its own behind a backslash, followed by that letter. */
static const char *backslashed(struct piece *piece, const char *pairs)
{
    for (; *pairs; pairs += 2) {
        if (*piece->at == pairs[0]) {
            snprintf(piece->made, sizeof piece->made, "\\%c", pairs[1]);
            return piece->made;
        }
    }
    return NULL;
}

static const char *code_point(struct piece *piece, unsigned code)
{
    snprintf(piece->made, sizeof piece->made, "\\u%04x", code & 0xFFFF);
    return piece->made;
}

static const char *replace_json(struct piece *piece)
{
    const char *letter = backslashed(piece, "\"\"\\\\\bb\ff\nn\rr\tt");
    unsigned char byte = (unsigned char)*piece->at;
    return letter || byte >= ' ' ? letter : code_point(piece, byte);
}

static const char *replace_python(struct piece *piece)
{
    const char *letter = backslashed(piece, "\\\\''\"\"\nn\rr\tt");
    unsigned char byte = (unsigned char)*piece->at;
    if (letter || (byte >= ' ' && byte != 0x7F))
        return letter;
    snprintf(piece->made, sizeof piece->made, "\\x%02x", byte);
    return piece->made;
}

/* YAML takes JSON's escapes, but has more that must be escaped: what YAML 1.1 reads as a line break
 * (NEL, LS, PS) and what it does not count as printable (DEL, the C1 controls, BOM, U+FFFE,
 * U+FFFF). */
static const char *replace_yaml(struct piece *piece)
{
    const unsigned char *bytes = (const unsigned char *)piece->at;
    if (*bytes == 0x7F)
        return code_point(piece, *bytes);
    if (piece->left >= 2 && bytes[0] == 0xC2 && bytes[1] >= 0x80 && bytes[1] < 0xA0) {
        piece->taken = 2;
        return code_point(piece, bytes[1]);
    }
    static const char unsafe[][4] = {"\u2028", "\u2029", "\uFEFF", "\xEF\xBF\xBE", "\xEF\xBF\xBF"};
    static const unsigned codes[] = {0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF};
    for (size_t i = 0; piece->left >= 3 && i < sizeof codes / sizeof *codes; i++) {
        if (!memcmp(bytes, unsafe[i], 3)) {
            piece->taken = 3;
            return code_point(piece, codes[i]);
        }
    }
    return replace_json(piece);
}

static const char *replace_terraform(struct piece *piece)
{
    bool before_brace = piece->left >= 2 && piece->at[1] == '{';
    if (before_brace && *piece->at == '$')
        return "$$";
    if (before_brace && *piece->at == '%')
        return "%%";
    return replace_json(piece);
}

static const struct {
    const char *name;
    replacer *replace;
} escapes[] = {
    [ESCAPE_NONE] = {"none", NULL},         [ESCAPE_HTML] = {"html", replace_html},
    [ESCAPE_JSON] = {"json", replace_json}, [ESCAPE_PYTHON] = {"python", replace_python},
    [ESCAPE_YAML] = {"yaml", replace_yaml}, [ESCAPE_TERRAFORM] = {"terraform", replace_terraform},
};

enum escape escape_for_path(const char *path)
{
    static const struct {
        const char *ending;
        enum escape escape;
    } endings[] = {
        {".tf.json", ESCAPE_TERRAFORM}, {".json", ESCAPE_JSON}, {".py", ESCAPE_PYTHON},
        {".yaml", ESCAPE_YAML},         {".yml", ESCAPE_YAML},  {".html", ESCAPE_HTML},
        {".htm", ESCAPE_HTML},
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(path, endings[i].ending))
            return endings[i].escape;
    return ESCAPE_NONE;
}

bool escape_named(const char *name, enum escape *escape)
{
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (!strcmp(name, escapes[i].name)) {
            *escape = (enum escape)i;
            return true;
        }
    }
    return false;
}

/* Most bytes are such that they stay as they are in every language. */
static bool stays_everywhere(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '-' && byte <= ':') || byte == ' ' || byte == '_';
}

void escape_text(struct text *out, enum escape escape, const char *bytes, size_t length)
{
    replacer *replace = escapes[escape].replace;
    size_t written = 0; /* bytes before this one are in out; those that stay are added by the run */
    for (size_t i = 0; replace && i < length;) {
        if (stays_everywhere(bytes[i])) {
            i++;
            continue;
        }
        struct piece piece = {.at = bytes + i, .left = length - i, .taken = 1};
        const char *instead = replace(&piece);
        if (instead) {
            text_add(out, bytes + written, i - written);
            text_add_string(out, instead);
            written = i + piece.taken;
        }
        i += piece.taken;
    }
    if (length > written)
        text_add(out, bytes + written, length - written);
}
