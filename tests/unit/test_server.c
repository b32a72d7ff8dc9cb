/* A server's certificate, and what makes it fit no more, judged by OpenSSL. */
#include "generator/pki/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char *const names[] = {"iot.local", "192.168.7.9", "fe80::1"};
enum { NAMES = sizeof names / sizeof *names, DAY = 24 * 60 * 60 };

static struct authority authority, other_authority;
static EVP_PKEY *key, *other_key;
static struct error error;
static X509 *certificate;

static int set_up(void **state)
{
    struct certificate_subject subject = {.unit = "sensorforge-broker", .name = "home"};
    char serial[SERIAL_TEXT];
    (void)state;
    if (authority_make("Sensorforge test", 20, &authority, &error) ||
        authority_make("Sensorforge test", 20, &other_authority, &error) ||
        key_make(KEY_RSA_2048, &key, &error) || key_make(KEY_RSA_2048, &other_key, &error) ||
        serial_make(serial, &error))
        return -1;
    subject.key = key;
    return authority_sign_server(&authority, &subject, serial, 10, names, NAMES, &certificate,
                                 &error)
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    (void)state;
    authority_free(&authority);
    authority_free(&other_authority);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    X509_free(certificate);
    error_free(&error);
    return 0;
}

static bool serves(const struct authority *by, EVP_PKEY *of, const char *const *list, size_t count,
                   double seconds)
{
    bool fits = server_fits(by, certificate, of, list, count, seconds);
    assert_int_equal(ERR_peek_error(), 0);
    return fits;
}

static void it_is_a_server_of_all_its_names(void **state)
{
    (void)state;
    assert_int_equal(X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_int_equal(X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0), 0);
    assert_int_equal(X509_get_key_usage(certificate), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(X509_check_host(certificate, "iot.local", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(certificate, "192.168.7.9", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "192.168.7.9", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "fe80::1", 0), 1);
    assert_int_equal(X509_check_host(certificate, "fe80::1", 0, 0, NULL), 0);
    assert_int_equal(X509_check_host(certificate, "other.local", 0, 0, NULL), 0);
}

static void what_fits_and_what_does_not(void **state)
{
    static const char *const more[] = {"iot.local", "other.local"};
    static const char *const address[] = {"192.168.7.10"};
    (void)state;
    assert_true(serves(&authority, key, names, NAMES, 30 * DAY));
    assert_true(serves(&authority, key, NULL, 0, 3640.0 * DAY));
    assert_false(serves(&authority, key, names, NAMES, 3660.0 * DAY));
    assert_false(serves(&authority, key, more, 2, 0));
    assert_false(serves(&authority, key, address, 1, 0));
    assert_false(serves(&other_authority, key, names, NAMES, 0));
    assert_false(serves(&authority, other_key, names, NAMES, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_server_of_all_its_names),
        cmocka_unit_test(what_fits_and_what_does_not),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
