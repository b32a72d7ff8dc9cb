/* The authority's revocation list (RFC 5280, 5), with OpenSSL's own X509_CRL: the old list is taken
 * up, grows and is signed again.
 *
 * OpenSSL finds a serial in a sorted list by bisection, but sorts again after each addition. So all
 * serials are looked up first and added afterwards: n new ones in a list of m cost
 * (n + m) log (n + m), and bulk deletion stays quick. */
#include "pki_internal.h"

#include "common/base/memory.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

static const char list_label[] = "X509 CRL";

static enum status list_decode(const struct text *der, X509_CRL **list, struct error *error)
{
    const unsigned char *at = (const unsigned char *)text_string(der), *begin = at;
    X509_CRL *read = d2i_X509_CRL(NULL, &at, (long)der->length);
    if (!read || at != begin + der->length) {
        X509_CRL_free(read);
        return fail_openssl(error, WRONG_INPUT, "the revocation list is broken");
    }
    *list = read;
    return FINE;
}

static enum status list_check(const struct authority *authority, X509_CRL *list,
                              struct error *error)
{
    if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(authority->certificate)) ||
        X509_CRL_verify(list, authority->key) != 1)
        return fail_openssl(error, WRONG_INPUT,
                            "the revocation list is signed by another authority");
    return FINE;
}

static enum status list_read(const struct authority *authority, const char *pem, size_t length,
                             X509_CRL **list, struct error *error)
{
    struct text der = {0};
    X509_CRL *read = NULL;
    enum status status;
    if (!(status = pem_to_der(list_label, pem, length, &der, error)) &&
        !(status = list_decode(&der, &read, error)) &&
        !(status = list_check(authority, read, error)))
        *list = read;
    else
        X509_CRL_free(read);
    text_free(&der);
    return status;
}

static enum status list_new(const struct authority *authority, X509_CRL **list, struct error *error)
{
    X509_CRL *made = X509_CRL_new();
    if (made && X509_CRL_set_version(made, X509_CRL_VERSION_2) &&
        X509_CRL_set_issuer_name(made, X509_get_subject_name(authority->certificate))) {
        *list = made;
        return FINE;
    }
    X509_CRL_free(made);
    return fail_openssl(error, REFUSED, "cannot make a revocation list");
}

static ASN1_INTEGER *serial_number(const char *serial, struct error *error)
{
    unsigned char bytes[LONGEST_SERIAL];
    size_t length;
    if (serial_read(serial, bytes, &length, error))
        return NULL;
    BIGNUM *number = BN_bin2bn(bytes, (int)length, NULL);
    ASN1_INTEGER *made = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    BN_free(number);
    if (!made)
        fail_openssl(error, REFUSED, "cannot read the serial number \"%s\"", serial);
    return made;
}

struct numbers {
    ASN1_INTEGER **at;
    size_t count;
};

static void numbers_free(struct numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        ASN1_INTEGER_free(numbers->at[i]);
    free(numbers->at);
    *numbers = (struct numbers){0};
}

/* The serials that the list does not have yet. */
static enum status numbers_collect(X509_CRL *list, const char *const *serials, size_t count,
                                   struct numbers *numbers, struct error *error)
{
    numbers->at = must_array(count, sizeof *numbers->at);
    for (size_t i = 0; i < count; i++) {
        X509_REVOKED *found;
        ASN1_INTEGER *number = serial_number(serials[i], error);
        if (!number)
            return error->status;
        if (X509_CRL_get0_by_serial(list, &found, number))
            ASN1_INTEGER_free(number);
        else
            numbers->at[numbers->count++] = number;
    }
    return FINE;
}

static int number_compare(const void *one, const void *other)
{
    return ASN1_INTEGER_cmp(*(ASN1_INTEGER *const *)one, *(ASN1_INTEGER *const *)other);
}

/* Without a reason: "unspecified" is said by leaving it out (RFC 5280, 5.3.1). */
static bool entry_add(X509_CRL *list, ASN1_INTEGER *number, ASN1_TIME *when)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    if (entry && X509_REVOKED_set_serialNumber(entry, number) &&
        X509_REVOKED_set_revocationDate(entry, when) && X509_CRL_add0_revoked(list, entry))
        return true;
    X509_REVOKED_free(entry);
    return false;
}

/* Adds each number once, however often it was given; *added counts them. */
static bool numbers_add(X509_CRL *list, const struct numbers *numbers, ASN1_TIME *when,
                        size_t *added)
{
    if (numbers->count)
        qsort(numbers->at, numbers->count, sizeof *numbers->at, number_compare);
    for (size_t i = 0; i < numbers->count; i++) {
        if (i > 0 && ASN1_INTEGER_cmp(numbers->at[i - 1], numbers->at[i]) == 0)
            continue;
        if (!entry_add(list, numbers->at[i], when))
            return false;
        ++*added;
    }
    return true;
}

static enum status entries_add(X509_CRL *list, const char *const *serials, size_t count,
                               size_t *added, struct error *error)
{
    struct numbers numbers = {0};
    ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL));
    enum status status = numbers_collect(list, serials, count, &numbers, error);
    if (!status &&
        (!now || !X509_CRL_set1_lastUpdate(list, now) || !numbers_add(list, &numbers, now, added)))
        status = fail_openssl(error, REFUSED, "cannot add to the revocation list");
    ASN1_TIME_free(now);
    numbers_free(&numbers);
    return status;
}

/* CRL number (RFC 5280, 5.2.3): 1 for the first list, then one more each time. */
static enum status number_raise(X509_CRL *list, bool first, struct error *error)
{
    ASN1_INTEGER *number =
        first ? ASN1_INTEGER_new() : X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
    if (!number)
        return fail_openssl(error, WRONG_INPUT, "the revocation list has no number");
    BIGNUM *value = ASN1_INTEGER_to_BN(number, NULL);
    enum status status = FINE;
    if (!value || !BN_add_word(value, 1) || !BN_to_ASN1_INTEGER(value, number) ||
        X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, X509V3_ADD_REPLACE) != 1)
        status = fail_openssl(error, REFUSED, "cannot number the revocation list");
    BN_free(value);
    ASN1_INTEGER_free(number);
    return status;
}

static enum status issuer_stamp(const struct authority *authority, X509_CRL *list,
                                struct error *error)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(authority->certificate);
    AUTHORITY_KEYID *key_id = AUTHORITY_KEYID_new();
    enum status status = FINE;
    if (!id || !key_id || !(key_id->keyid = ASN1_OCTET_STRING_dup(id)) ||
        X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, key_id, 0, X509V3_ADD_REPLACE) !=
            1 ||
        !X509_CRL_set1_nextUpdate(list, X509_get0_notAfter(authority->certificate)))
        status = fail_openssl(error, REFUSED, "cannot name the authority in the revocation list");
    AUTHORITY_KEYID_free(key_id);
    return status;
}

static enum status list_write(const struct authority *authority, X509_CRL *list, struct text *pem,
                              struct error *error)
{
    unsigned char *der = NULL;
    int length;
    if (!X509_CRL_sort(list) || X509_CRL_sign(list, authority->key, digest_sha256()) <= 0 ||
        (length = i2d_X509_CRL(list, &der)) < 0)
        return fail_openssl(error, REFUSED, "cannot sign the revocation list");
    der_to_pem(list_label, (const char *)der, (size_t)length, pem);
    OPENSSL_free(der);
    return FINE;
}

enum status authority_revoke(const struct authority *authority, const char *old_pem, size_t length,
                             const char *const *serials, size_t count, struct text *pem,
                             size_t *added, struct error *error)
{
    X509_CRL *list = NULL;
    size_t fresh = 0;
    bool first = length == 0;
    enum status status = first ? list_new(authority, &list, error)
                               : list_read(authority, old_pem, length, &list, error);
    if (!status && !(status = entries_add(list, serials, count, &fresh, error)) &&
        !(status = number_raise(list, first, error)) &&
        !(status = issuer_stamp(authority, list, error)) &&
        !(status = list_write(authority, list, pem, error)) && added)
        *added = fresh;
    X509_CRL_free(list);
    return status;
}
