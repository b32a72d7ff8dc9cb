/* DER (X.690) by hand: just enough to write and to take apart requests, certificates and keys. */
#ifndef GENERATOR_PKI_DER_H
#define GENERATOR_PKI_DER_H

#include "common/base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OBJECT = 0x06, /* object identifier */
    DER_UTF8_STRING = 0x0C,
    DER_PRINTABLE_STRING = 0x13,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_IMPLICIT_0 = 0x80, /* [0], [2] and [7] around bytes */
    DER_IMPLICIT_2 = 0x82,
    DER_IMPLICIT_7 = 0x87,
    DER_CONSTRUCTED_0 = 0xA0, /* [0], [1] and [3] around other elements */
    DER_CONSTRUCTED_1 = 0xA1,
    DER_CONSTRUCTED_3 = 0xA3,
};

/* Bytes that belong to somebody else. */
struct der_view {
    const unsigned char *at;
    size_t length;
};

/* --- writing: what is inside goes first, its head is put before it afterwards --- */

/* Appends one element with these contents. */
void der_add(struct text *der, enum der_tag tag, const void *bytes, size_t length);

/* Appends finished DER. */
void der_add_view(struct text *der, struct der_view view);

/* Makes everything from offset begin (an earlier der->length) to the end the contents of one
 * element. Moves those bytes; a text that holds a secret needs six bytes of room for each level. */
void der_wrap(struct text *der, size_t begin, enum der_tag tag);

/* An INTEGER >= 0 from big-endian bytes: leading zeros dropped, one added where the top bit is set
 * (X.690, 8.3). */
void der_add_unsigned(struct text *der, const unsigned char *bytes, size_t length);

/* A BIT STRING of whole bytes. */
void der_add_bits(struct text *der, const void *bytes, size_t length);

/* --- reading --- */

/* Takes the next element off the front of *rest. False, and *rest as it was, when there is none
 * with this tag or its length is not the shortest form or goes past the end. whole (head and
 * contents) and inside (contents) may be NULL. */
bool der_next(struct der_view *rest, enum der_tag tag, struct der_view *whole,
              struct der_view *inside);

/* As der_next() for a BIT STRING of whole bytes; inside is without the count of unused bits. */
bool der_next_bits(struct der_view *rest, struct der_view *inside);

bool der_equal(struct der_view one, struct der_view other);

/* The bytes of a text, valid until its next change. */
struct der_view der_view_of(const struct text *text);

#endif
