/* lower() and upper(), by libunistring: the full case mappings of Unicode, in no language. The C
 * library's mappings depend on the locale of the process. */
#include "function.h"

#include <stdlib.h>
#include <unicase.h>

/* The most bytes that a mapping makes of one: U+0390 (2 bytes) becomes three characters of 2 bytes.
 */
enum { GROWTH = 3 };

typedef uint8_t *map_string(const uint8_t *string, size_t length, const char *language,
                            uninorm_t form, uint8_t *room, size_t *room_length);

static void change_case(struct rule_call *call, map_string *map)
{
    struct rule_value string;
    if (!rule_string_argument(call, 0, &string))
        return;
    size_t length = GROWTH * string.string.length;
    uint8_t *room = rule_take(call->memory, length);
    if (!room)
        return;
    uint8_t *made =
        map((const uint8_t *)string.string.at, string.string.length, NULL, NULL, room, &length);
    if (made == room)
        *call->result = rule_string((const char *)made, length);
    else /* the library allocates when room is too small, which it is not */
        free(made);
}

void function_lower(struct rule_call *call)
{
    change_case(call, u8_tolower);
}

void function_upper(struct rule_call *call)
{
    change_case(call, u8_toupper);
}
