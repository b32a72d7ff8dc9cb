/* Base64 and hexadecimal. */
#include "workplace.h"

#include "common/base/base64.h"
#include "common/base/hex.h"

/* RFC 4648, section 10, and bytes that use the whole alphabet. */
static const struct {
    const char *bytes;
    size_t length;
    const char *base64, *hexadecimal;
} vectors[] = {
    {"", 0, "", ""},
    {"f", 1, "Zg==", "66"},
    {"fo", 2, "Zm8=", "666F"},
    {"foo", 3, "Zm9v", "666F6F"},
    {"foob", 4, "Zm9vYg==", "666F6F62"},
    {"fooba", 5, "Zm9vYmE=", "666F6F6261"},
    {"foobar", 6, "Zm9vYmFy", "666F6F626172"},
    {"\0", 1, "AA==", "00"},
    {"\xff\xff\xff", 3, "////", "FFFFFF"},
    {"\xfb\xef\xbe", 3, "++++", "FBEFBE"},
    {"\0\x10\x83\x10\x51\x87", 6, "ABCDEFGH", "001083105187"},
};

static void vectors_of_the_rfc(void **state)
{
    (void)state;
    char made[64], bytes[64];
    size_t count;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        size_t length = strlen(vectors[i].base64);
        base64_encode(vectors[i].bytes, vectors[i].length, made);
        assert_string_equal(made, vectors[i].base64);
        assert_int_equal(base64_encoded_length(vectors[i].length), length);
        assert_true(base64_decode(made, length, bytes, &count));
        assert_int_equal(count, vectors[i].length);
        assert_memory_equal(bytes, vectors[i].bytes, count);
        assert_true(count <= base64_decoded_length(length));
        hex_upper(vectors[i].bytes, vectors[i].length, made);
        assert_string_equal(made, vectors[i].hexadecimal);
    }
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t length = 1; length <= 9; length++) {
            unsigned char bytes[9], back[9], made[16];
            size_t count;
            for (size_t i = 0; i < length; i++)
                bytes[i] = (unsigned char)(byte + 37 * i);
            base64_encode(bytes, length, (char *)made);
            assert_true(base64_decode((char *)made, strlen((char *)made), back, &count));
            assert_int_equal(count, length);
            assert_memory_equal(back, bytes, length);
        }
    }
}

static void what_is_not_base64(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z",      "Zg",        "Zg=",      "Zm9",   "=",        "==",   "===",  "====",
        "Z===",   "Zg===",     "Zg==Zg==", "Zm=v",  "=Zg=",     "Zg=A", "Zh==", "Zm9=",
        "Zm9v\n", "Zm9vZg=\n", "Zm 9",     " Zm9v", "Zm9v    ", "Zm-v", "Zm_v", "Zm9\x80",
        "Zm9,",   "Zm9:",      "Zm9@",     "Zm9[",  "Zm9`",     "Zm9{", "Zm9.",
    };
    char bytes[16];
    size_t count;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (base64_decode(wrong[i], strlen(wrong[i]), bytes, &count))
            fail_msg("\"%s\" was read", wrong[i]);
    assert_false(base64_decode("Zm\0v", 4, bytes, &count));
}

/* More than one block of the encoder. */
static void a_long_text(void **state)
{
    (void)state;
    enum { LENGTH = (7 << 20) + 1 };
    owned char *bytes = must_alloc(LENGTH), *back = must_alloc(LENGTH + 2);
    owned char *made = must_alloc(base64_encoded_length(LENGTH) + 1);
    size_t count;
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = (char)(i * 2654435761U >> 24);
    base64_encode(bytes, LENGTH, made);
    assert_int_equal(strlen(made), base64_encoded_length(LENGTH));
    assert_true(base64_decode(made, strlen(made), back, &count));
    assert_int_equal(count, LENGTH);
    assert_memory_equal(back, bytes, LENGTH);
}

static void hexadecimal(void **state)
{
    (void)state;
    char made[64] = "";
    hex_lower("\x01\xab\xff", 3, made);
    assert_string_equal(made, "01abff");
    memset(made, '.', 20);
    hex_number(0x0123456789abcdef, 16, made);
    assert_memory_equal(made, "0123456789abcdef.", 17);
    hex_number(0x0123456789abcdef, 3, made);
    assert_memory_equal(made, "def3", 4);
    hex_number(7, 4, made);
    assert_memory_equal(made, "00074", 5);
    hex_number(7, 0, made);
    assert_memory_equal(made, "0007", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_rfc), cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(what_is_not_base64), cmocka_unit_test(a_long_text),
        cmocka_unit_test(hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
