/* Hash functions, by OpenSSL. MD2 is implemented here (RFC 1319), since Debian's OpenSSL 3 is built
 * without it. Results are hexadecimal in lower case, as in the guide's examples. */
#include "function.h"
#include "common/base/hex.h"

#include <openssl/evp.h>
#include <string.h>

static void give(struct rule_call *call, const unsigned char *hash, size_t length)
{
    char *made = rule_take(call->memory, 2 * length + 1);
    if (!made)
        return;
    hex_lower(hash, length, made);
    *call->result = rule_string(made, 2 * length);
}

/* Undefined also when OpenSSL refuses the algorithm, as its FIPS provider refuses MD5. */
static void hash(struct rule_call *call, const EVP_MD *algorithm)
{
    struct rule_value string;
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (rule_string_argument(call, 0, &string) &&
        EVP_Digest(string.string.at, string.string.length, made, &length, algorithm, NULL))
        give(call, made, length);
}

void function_md5(struct rule_call *call)
{
    hash(call, EVP_md5());
}

void function_sha1(struct rule_call *call)
{
    hash(call, EVP_sha1());
}

void function_sha224(struct rule_call *call)
{
    hash(call, EVP_sha224());
}

void function_sha256(struct rule_call *call)
{
    hash(call, EVP_sha256());
}

void function_sha384(struct rule_call *call)
{
    hash(call, EVP_sha384());
}

void function_sha512(struct rule_call *call)
{
    hash(call, EVP_sha512());
}

/* --- MD2 (RFC 1319) --- */

enum { BLOCK = 16, ROUNDS = 18 };

/* A permutation of 0 to 255, made from the digits of pi (RFC 1319, 3.2). */
static const unsigned char shuffled[256] = {
    41,  46,  67,  201, 162, 216, 124, 1,   61,  54,  84,  161, 236, 240, 6,   19,  98,  167, 5,
    243, 192, 199, 115, 140, 152, 147, 43,  217, 188, 76,  130, 202, 30,  155, 87,  60,  253, 212,
    224, 22,  103, 66,  111, 24,  138, 23,  229, 18,  190, 78,  196, 214, 218, 158, 222, 73,  160,
    251, 245, 142, 187, 47,  238, 122, 169, 104, 121, 145, 21,  178, 7,   63,  148, 194, 16,  137,
    11,  34,  95,  33,  128, 127, 93,  154, 90,  144, 50,  39,  53,  62,  204, 231, 191, 247, 151,
    3,   255, 25,  48,  179, 72,  165, 181, 209, 215, 94,  146, 42,  172, 86,  170, 198, 79,  184,
    56,  210, 150, 164, 125, 182, 118, 252, 107, 226, 156, 116, 4,   241, 69,  157, 112, 89,  100,
    113, 135, 32,  134, 91,  207, 101, 230, 45,  168, 2,   27,  96,  37,  173, 174, 176, 185, 246,
    28,  70,  97,  105, 52,  64,  126, 15,  85,  71,  163, 35,  221, 81,  175, 58,  195, 92,  249,
    206, 186, 197, 234, 38,  44,  83,  13,  110, 133, 40,  132, 9,   211, 223, 205, 244, 65,  129,
    77,  82,  106, 220, 55,  200, 108, 193, 171, 250, 36,  225, 123, 8,   12,  189, 177, 74,  120,
    136, 149, 139, 227, 99,  232, 109, 233, 203, 213, 254, 59,  0,   29,  57,  242, 239, 183, 14,
    102, 88,  208, 228, 166, 119, 114, 248, 235, 117, 75,  10,  49,  68,  80,  180, 143, 237, 31,
    26,  219, 153, 141, 51,  159, 17,  131, 20,
};

struct md2 {
    unsigned char state[3 * BLOCK];
    unsigned char checksum[BLOCK];
    unsigned char last; /* the last byte of the checksum that was computed */
};

static void mix(struct md2 *md2, const unsigned char block[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++) {
        md2->state[BLOCK + i] = block[i];
        md2->state[2 * BLOCK + i] = block[i] ^ md2->state[i];
    }
    unsigned char before = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < sizeof md2->state; i++)
            before = md2->state[i] ^= shuffled[before];
        before = (unsigned char)(before + round);
    }
}

static void add_block(struct md2 *md2, const unsigned char block[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        md2->last = md2->checksum[i] ^= shuffled[block[i] ^ md2->last];
    mix(md2, block);
}

void function_md2(struct rule_call *call)
{
    struct rule_value string;
    if (!rule_string_argument(call, 0, &string))
        return;
    struct md2 md2 = {.last = 0};
    const char *at = string.string.at;
    size_t left = string.string.length;
    unsigned char block[BLOCK];
    for (; left >= BLOCK; at += BLOCK, left -= BLOCK) {
        memcpy(block, at, BLOCK);
        add_block(&md2, block);
    }
    memset(block, (int)(BLOCK - left), BLOCK); /* each byte of the padding is its length */
    memcpy(block, at, left);
    add_block(&md2, block);
    memcpy(block, md2.checksum, BLOCK);
    mix(&md2, block);
    give(call, md2.state, BLOCK);
}
