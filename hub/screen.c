#include "screen.h"
#include "common/base/base64.h"
#include "common/base/memory.h"

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

void screen_add_payload(struct text *out, const char *base64, size_t length)
{
    owned char *made = must_alloc(base64_decoded_length(length));
    size_t count;
    if (base64_decode(base64, length, made, &count) && count && is_text(made, count))
        text_add(out, made, count);
    else
        text_add(out, base64, length);
}

void screen_cut(struct text *text, size_t width)
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
