/* Serial numbers of certificates as text. */
#include "pki_internal.h"

#include "common/base/hex.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

enum status serial_make(char serial[SERIAL_TEXT], struct error *error)
{
    unsigned char bytes[SERIAL_BYTES];
    do { /* without a leading zero byte, which other programs would not print */
        if (RAND_bytes(bytes, sizeof bytes) != 1)
            return openssl_fail(error, REFUSED, "cannot make a random serial number");
    } while (bytes[0] == 0);
    hex_upper(bytes, sizeof bytes, serial);
    return FINE;
}

enum status serial_from_text(const char *text, ASN1_INTEGER **serial, struct error *error)
{
    unsigned char bytes[LONGEST_SERIAL];
    size_t length = 0;
    BIGNUM *number = OPENSSL_hexstr2buf_ex(bytes, sizeof bytes, &length, text, '\0') == 1
                         ? BN_bin2bn(bytes, (int)length, NULL)
                         : NULL;
    *serial = number && !BN_is_zero(number) ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    BN_free(number);
    if (!*serial)
        return openssl_fail(error, WRONG_INPUT, "\"%s\" is no serial number", text);
    return FINE;
}

bool serial_to_text(const ASN1_INTEGER *serial, char text[SERIAL_TEXT])
{
    int length = ASN1_STRING_length(serial);
    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || length < 1 || length > LONGEST_SERIAL)
        return false;
    hex_upper(ASN1_STRING_get0_data(serial), (size_t)length, text);
    return true;
}
