/* Signatures, against botocore's: tests/unit/sign-cases.json, made by tests/aws/make_sign_cases.py.
 */
#include "workplace.h"

#include "common/base/json.h"
#include "aws/aws.h"
#include "aws/sign.h"

#include <openssl/evp.h>

static cJSON *cases;

static int read_cases(void **state)
{
    (void)state;
    owned char *path = from_root("tests/unit/sign-cases.json");
    return json_read(path, 1 << 20, &cases, &error) != FINE;
}

static int drop_cases(void **state)
{
    (void)state;
    cJSON_Delete(cases);
    free(root_folder);
    error_free(&error);
    return 0;
}

/* Base64, or "x*100" for so many of a character. */
static char *body_of(const cJSON *one, size_t *length)
{
    const char *given = json_string(one, "body", "");
    if (given[0] && given[1] == '*') {
        *length = strtoul(given + 2, NULL, 10);
        char *body = must_alloc(*length + 1);
        memset(body, given[0], *length);
        return body;
    }
    size_t padding = ends_with(given, "==") ? 2 : ends_with(given, "=");
    char *body = must_alloc(strlen(given) + 1);
    int made =
        EVP_DecodeBlock((unsigned char *)body, (const unsigned char *)given, (int)strlen(given));
    assert_true(made >= 0);
    *length = (size_t)made - padding;
    return body;
}

struct signature {
    char date[17];
    struct text canonical, to_sign, authorization;
};

static void free_signature(struct signature *made)
{
    text_free(&made->canonical);
    text_free(&made->to_sign);
    text_free(&made->authorization);
}

static void sign_case(const cJSON *one, struct signature *made)
{
    const char *headers[16] = {0};
    size_t count = 0, length;
    const cJSON *header;
    owned char *body = body_of(one, &length);
    cJSON_ArrayForEach(header, json_get(one, "headers")) headers[count++] = header->valuestring;
    const char *key = json_string(cases, "secret_key", NULL);
    secret_owned struct secret secret = secret_copy(key, strlen(key));
    struct sign_request request = {json_string(one, "method", NULL),
                                   json_string(one, "path", NULL),
                                   json_string(one, "query", NULL),
                                   headers,
                                   body,
                                   length};
    struct sign_scope scope = {json_string(one, "region", NULL), json_string(one, "service", NULL),
                               json_string(cases, "key_id", NULL), &secret,
                               (time_t)json_number(one, "time", 0)};
    *made = (struct signature){0};
    assert_fine(sign(&request, &scope, made->date, &made->canonical, &made->to_sign,
                     &made->authorization, &error));
}

static void assert_same(const cJSON *one, const char *what, const char *made)
{
    const char *wanted = json_string(one, what, "");
    if (strcmp(made, wanted) != 0)
        fail_msg("%s: %s is\n%s\nbotocore has\n%s", json_string(one, "name", ""), what, made,
                 wanted);
}

static void as_botocore_signs(void **state)
{
    (void)state;
    const cJSON *one;
    size_t count = 0;
    cJSON_ArrayForEach(one, json_get(cases, "cases"))
    {
        struct signature made;
        sign_case(one, &made);
        assert_same(one, "canonical", text_string(&made.canonical));
        assert_same(one, "to_sign", text_string(&made.to_sign));
        assert_same(one, "authorization", text_string(&made.authorization));
        assert_same(one, "date", made.date);
        free_signature(&made);
        count++;
    }
    assert_true(count >= 30);
}

/* What only the caller wants to look at need not be given. */
static void intermediates_are_optional(void **state)
{
    (void)state;
    const cJSON *one = cJSON_GetArrayItem(json_get(cases, "cases"), 0);
    struct text authorization = {0};
    char date[17];
    secret_owned struct secret secret = secret_copy("key", 3);
    struct sign_request request = {"GET", "/", "", NULL, NULL, 0};
    struct sign_scope scope = {"eu-west-1", "iot", "AKID", &secret,
                               (time_t)json_number(one, "time", 0)};
    assert_fine(sign(&request, &scope, date, NULL, NULL, &authorization, &error));
    assert_true(begins_with(text_string(&authorization),
                            "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/iot/aws4_request, "
                            "SignedHeaders=x-amz-date, Signature="));
    text_free(&authorization);
}

static void years_without_a_date(void **state)
{
    (void)state;
    struct text authorization = {0};
    char date[17];
    secret_owned struct secret secret = secret_copy("key", 3);
    struct sign_request request = {"GET", "/", "", NULL, NULL, 0};
    struct sign_scope scope = {"eu-west-1", "iot", "AKID", &secret, INT64_MAX};
    assert_int_equal(sign(&request, &scope, date, NULL, NULL, &authorization, &error), REFUSED);
    assert_string_equal(text_string(&authorization), "");
    text_free(&authorization);
}

static void escaping(void **state)
{
    (void)state;
    struct text made = {0};
    aws_escape("aZ0-._~ /:@%+\xc3\xbc", &made);
    assert_string_equal(text_string(&made), "aZ0-._~%20%2F%3A%40%25%2B%C3%BC");
    text_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_botocore_signs),
        cmocka_unit_test(intermediates_are_optional),
        cmocka_unit_test(years_without_a_date),
        cmocka_unit_test(escaping),
    };
    return cmocka_run_group_tests(tests, read_cases, drop_cases);
}
