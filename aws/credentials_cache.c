/* The sessions that the AWS CLI keeps, so that a person who gave the code of an MFA device to one
 * command is not asked by the next, whether that is this program or the CLI.
 *
 * They are files in ~/.aws/cli/cache, each AssumeRole's result as JSON. A file's name is the SHA-1
 * of the role's parameters as Python's json.dumps(sort_keys=True) writes them: all ASCII, a blank
 * after "," and ":". Source: botocore/credentials.py (AssumeRoleCredentialFetcher,
 * CachedCredentialFetcher), botocore/utils.py (JSONFileCache). Like the CLI, this takes no session
 * with less than 15 minutes left. Only roles that need a code are kept: the others cost one call.
 */
#include "sources.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SESSION = 64 << 10 };

/* --- the name of a file --- */

/* A code point above ASCII, as UTF-16 in escapes. */
static void add_escaped(unsigned long point, struct text *out)
{
    if (point > 0xFFFF)
        text_add_format(out, "\\u%04lx\\u%04lx", 0xD800 + ((point - 0x10000) >> 10),
                        0xDC00 + ((point - 0x10000) & 0x3FF));
    else
        text_add_format(out, "\\u%04lx", point);
}

/* Reads one character of valid UTF-8. */
static unsigned long next_point(const char **at)
{
    unsigned char first = (unsigned char)*(*at)++;
    int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    unsigned long point = more ? first & (0x3FU >> more) : first;
    while (more--)
        point = point << 6 | ((unsigned char)*(*at)++ & 0x3FU);
    return point;
}

static void add_string(const char *string, struct text *out)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    text_add_char(out, '"');
    while (*string) {
        unsigned long point = next_point(&string);
        const char *found = point < 0x80 ? strchr(plain, (int)point) : NULL;
        if (found)
            text_add_format(out, "\\%c", letters[found - plain]);
        else if (point >= ' ' && point <= '~')
            text_add_char(out, (char)point);
        else
            add_escaped(point, out);
    }
    text_add_char(out, '"');
}

static void add_member(const char *name, const char *value, struct text *out)
{
    if (!value)
        return;
    text_add_format(out, "%s\"%s\": ", out->length > 1 ? ", " : "", name);
    add_string(value, out);
}

/* Its members in the order of their names. */
static char *parameters_of(const struct cached_role *role)
{
    struct text made = {0};
    text_add_char(&made, '{');
    if (role->seconds)
        text_add_format(&made, "\"DurationSeconds\": %llu", strtoull(role->seconds, NULL, 10));
    add_member("ExternalId", role->external_id, &made);
    add_member("RoleArn", role->arn, &made);
    add_member("RoleSessionName", role->session, &made);
    add_member("SerialNumber", role->mfa_serial, &made);
    text_add_char(&made, '}');
    return text_take(&made);
}

static bool is_utf8(const char *string)
{
    size_t bad;
    return !string || utf8_valid(string, strlen(string), &bad);
}

/* NULL when a setting is not UTF-8: then there is no such file. */
static char *path_of(const struct cached_role *role)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char digits[2 * sizeof hash + 1];
    unsigned length = 0;
    if (!is_utf8(role->arn) || !is_utf8(role->external_id) || !is_utf8(role->session) ||
        !is_utf8(role->mfa_serial))
        return NULL;
    owned char *parameters = parameters_of(role);
    if (!EVP_Digest(parameters, strlen(parameters), hash, &length, EVP_sha1(), NULL))
        return NULL;
    hex_lower(hash, length, digits);
    return must_format("%s/.aws/cli/cache/%s.json", home_folder(), digits);
}

/* --- reading and writing --- */

static bool take(const cJSON *kept, time_t now, const char *source, struct aws_credentials *found)
{
    struct error ignored = {0};
    enum status status = credentials_read(json_get(kept, "Credentials"), "SessionToken", true,
                                          source, found, &ignored);
    error_free(&ignored);
    if (!status && found->expires - now >= FRESH_SECONDS)
        return true;
    credentials_free(found);
    return false;
}

bool credentials_of_cache(const struct cached_role *role, time_t now, const char *source,
                          struct aws_credentials *found)
{
    owned char *path = path_of(role);
    secret_owned struct secret bytes = {0};
    struct error ignored = {0};
    cJSON *kept = NULL;
    if (!path)
        return false;
    bool good = read_secret(path, LARGEST_SESSION, &bytes, &ignored) == FINE &&
                json_parse(path, bytes.at, bytes.length, &kept, &ignored) == FINE &&
                take(kept, now, source, found);
    error_free(&ignored);
    json_wipe(kept);
    return good;
}

enum status credentials_to_cache(const struct cached_role *role, const cJSON *result,
                                 struct error *error)
{
    owned char *path = path_of(role);
    if (!path)
        return FINE;
    owned char *folder = path_folder(path);
    struct text bytes = {.secret = true};
    enum status status = make_folders(folder, FOLDER_SECRET, error);
    if (status)
        return status;
    json_compact(result, &bytes);
    status = write_file(path, bytes.at, bytes.length, FILE_SECRET, error);
    text_free(&bytes);
    return status;
}
