#include "sign.h"
#include "aws.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/memory.h"

#include <ctype.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH = SHA256_DIGEST_LENGTH };

static void add_hex(const unsigned char hash[HASH], struct text *out)
{
    char digits[2 * HASH + 1];
    hex_lower(hash, HASH, digits);
    text_add(out, digits, 2 * HASH);
}

static void add_hash(const void *bytes, size_t length, struct text *out)
{
    unsigned char hash[HASH];
    SHA256(length ? bytes : "", length, hash);
    add_hex(hash, out);
}

/* --- path --- */

/* Removes the last segment of the path that begins at start and ends where the text does. */
static void drop_segment(struct text *path, size_t start)
{
    while (path->length > start && path->at[path->length - 1] != '/')
        path->length--;
    if (path->length > start)
        path->length--;
    path->at[path->length] = '\0';
}

/* Escaped once more, without empty and dotted segments (RFC 3986, 5.2.4; AWS drops "//" too). */
static void add_path(const char *path, struct text *out)
{
    size_t start = out->length;
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0)
            drop_segment(out, start);
        else if (length && !(length == 1 && *at == '.')) {
            text_add_char(out, '/');
            aws_escape_bytes(at, length, out);
        }
        at += length + (at[length] == '/');
    }
    if (out->length == start || ends_with(path, "/"))
        text_add_char(out, '/');
}

/* --- query and headers: pairs that are sorted --- */

struct pair {
    char *name, *value;
    size_t place; /* its place in the request: repeated headers keep their order */
};

struct pairs {
    struct pair *at;
    size_t count, room;
};

static void add_pair(struct pairs *pairs, char *name, char *value)
{
    pairs->at = must_grow(pairs->at, pairs->count, &pairs->room, sizeof *pairs->at);
    pairs->at[pairs->count] = (struct pair){name, value, pairs->count};
    pairs->count++;
}

/* Header values may hold a token, so they are wiped. */
static void free_pairs(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        explicit_bzero(pairs->at[i].value, strlen(pairs->at[i].value));
        free(pairs->at[i].name);
        free(pairs->at[i].value);
    }
    free(pairs->at);
}

static int by_name_and_value(const void *one, const void *other)
{
    const struct pair *a = one, *b = other;
    int names = strcmp(a->name, b->name);
    return names ? names : strcmp(a->value, b->value);
}

static int by_name_and_place(const void *one, const void *other)
{
    const struct pair *a = one, *b = other;
    int names = strcmp(a->name, b->name);
    return names ? names : (a->place > b->place) - (a->place < b->place);
}

static void add_query(const char *query, struct text *out)
{
    struct pairs pairs = {0};
    for (const char *at = query; *at;) {
        size_t length = strcspn(at, "&"), name = 0;
        while (name < length && at[name] != '=')
            name++;
        size_t value = name < length ? name + 1 : length;
        add_pair(&pairs, must_copy_bytes(at, name), must_copy_bytes(at + value, length - value));
        at += length + (at[length] == '&');
    }
    if (pairs.count)
        qsort(pairs.at, pairs.count, sizeof *pairs.at, by_name_and_value);
    for (size_t i = 0; i < pairs.count; i++)
        text_add_format(out, "%s%s=%s", i ? "&" : "", pairs.at[i].name, pairs.at[i].value);
    free_pairs(&pairs);
}

/* A header's value without white space at its ends, and with one space for each run of it. */
static char *trim_all(const char *value)
{
    char *trimmed = must_alloc(strlen(value) + 1), *end = trimmed;
    for (const char *c = value; *c; c++) {
        bool blank = isspace((unsigned char)*c);
        if (!blank)
            *end++ = *c;
        else if (end > trimmed && end[-1] != ' ')
            *end++ = ' ';
    }
    if (end > trimmed && end[-1] == ' ')
        end--;
    *end = '\0';
    return trimmed;
}

static void add_header(struct pairs *pairs, const char *header)
{
    size_t length = strcspn(header, ":");
    char *name = must_copy_bytes(header, length);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    add_pair(pairs, name, trim_all(header + length + (header[length] == ':')));
}

static void read_headers(const struct sign_request *request, const char *date, struct pairs *pairs)
{
    owned char *dated = must_format("X-Amz-Date:%s", date);
    add_header(pairs, dated);
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        add_header(pairs, request->headers[i]);
    qsort(pairs->at, pairs->count, sizeof *pairs->at, by_name_and_place);
}

static bool repeats(const struct pairs *pairs, size_t i)
{
    return i > 0 && strcmp(pairs->at[i].name, pairs->at[i - 1].name) == 0;
}

static void add_headers(const struct pairs *pairs, struct text *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (repeats(pairs, i)) {
            text_add_char(out, ',');
        } else {
            text_add_string(out, i ? "\n" : "");
            text_add_string(out, pairs->at[i].name);
            text_add_char(out, ':');
        }
        text_add_string(out, pairs->at[i].value);
    }
    text_add_string(out, "\n\n");
}

static void add_signed_names(const struct pairs *pairs, struct text *out)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!repeats(pairs, i))
            text_add_format(out, "%s%s", i ? ";" : "", pairs->at[i].name);
}

static void add_canonical(const struct sign_request *request, const struct pairs *headers,
                          struct text *out)
{
    text_add_format(out, "%s\n", request->method);
    add_path(request->path, out);
    text_add_char(out, '\n');
    add_query(request->query, out);
    text_add_char(out, '\n');
    add_headers(headers, out);
    add_signed_names(headers, out);
    text_add_char(out, '\n');
    add_hash(request->body, request->length, out);
}

/* --- signature --- */

static bool hmac(const void *key, size_t length, const char *data, unsigned char made[HASH])
{
    unsigned size = HASH;
    return HMAC(EVP_sha256(), key, (int)length, (const unsigned char *)data, strlen(data), made,
                &size);
}

/* The key of a day, region and service. Four hashes of a few bytes take some microseconds, so it is
 * derived anew each time and does not stay in memory. */
static bool derive_key(const struct sign_scope *scope, const char *day, unsigned char key[HASH])
{
    size_t length = 4 + scope->secret_key->length;
    secret_owned struct secret first = {must_alloc(length + 1), length};
    unsigned char step[HASH];
    memcpy(first.at, "AWS4", 4);
    memcpy(first.at + 4, scope->secret_key->at, scope->secret_key->length);
    bool fine = hmac(first.at, length, day, key) && hmac(key, HASH, scope->region, step) &&
                hmac(step, HASH, scope->service, key) && hmac(key, HASH, "aws4_request", step);
    memcpy(key, step, HASH);
    explicit_bzero(step, sizeof step);
    return fine;
}

static bool add_signature(const struct sign_scope *scope, const char *day, const char *to_sign,
                          struct text *out)
{
    unsigned char key[HASH], signature[HASH];
    bool fine = derive_key(scope, day, key) && hmac(key, HASH, to_sign, signature);
    explicit_bzero(key, sizeof key);
    if (fine)
        add_hex(signature, out);
    return fine;
}

enum status sign(const struct sign_request *request, const struct sign_scope *scope, char date[17],
                 struct text *canonical, struct text *to_sign, struct text *authorization,
                 struct error *error)
{
    struct pairs headers = {0};
    struct text whole = {.secret = true}, string = {0}; /* a header may be a token */
    char now[CLOCK_TEXT], day[9];
    clock_write_basic(scope->time, now);
    if (strlen(now) != 16)
        return fail(error, REFUSED,
                    "the clock of this machine shows a year that a signature cannot have");
    memcpy(date, now, 17);
    memcpy(day, now, 8);
    day[8] = '\0';

    read_headers(request, date, &headers);
    add_canonical(request, &headers, &whole);
    owned char *place = must_format("%s/%s/%s/aws4_request", day, scope->region, scope->service);
    text_add_format(&string, "AWS4-HMAC-SHA256\n%s\n%s\n", date, place);
    add_hash(whole.at, whole.length, &string);
    text_add_format(authorization,
                    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=", scope->key_id, place);
    add_signed_names(&headers, authorization);
    text_add_string(authorization, ", Signature=");
    bool fine = add_signature(scope, day, text_string(&string), authorization);

    if (canonical)
        text_add(canonical, whole.at, whole.length);
    if (to_sign)
        text_add(to_sign, string.at, string.length);
    free_pairs(&headers);
    text_free(&whole);
    text_free(&string);
    return fine ? FINE : fail(error, REFUSED, "cannot sign a request: OpenSSL's HMAC failed");
}
