#include "readable.h"
#include "common/base/memory.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_text(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < 0x20 && !strchr("\t\r\n", c)) || c == 0 || c == 0x7f)
            return false;
    }
    return utf8_valid(bytes, length, NULL);
}

void add_readable(struct text *out, const char *base64, size_t length)
{
    owned char *made = must_alloc(length + 4);
    int decoded = length < INT_MAX ? EVP_DecodeBlock((unsigned char *)made,
                                                     (const unsigned char *)base64, (int)length)
                                   : -1;
    for (size_t i = length; decoded > 0 && i > 0 && base64[i - 1] == '='; i--)
        decoded--; /* it counts what is padded */
    if (decoded > 0 && is_text(made, (size_t)decoded))
        text_add(out, made, (size_t)decoded);
    else
        text_add(out, base64, length);
}

void cut_text(struct text *text, size_t width)
{
    size_t length = 0, keep = width > 3 ? width - 3 : 0;
    if (utf8_length(text_string(text), text->length) <= width)
        return;
    for (; length < text->length; length++)
        if (((unsigned char)text->at[length] & 0xc0) != 0x80 && keep-- == 0)
            break;
    text->length = length;
    text->at[length] = '\0';
    text_add_string(text, "...");
}

size_t screen_width(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
