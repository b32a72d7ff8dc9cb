#include "valid.h"
#include "subject.h"

#include <string.h>

bool valid_type_name(const char *name)
{
    size_t length = strlen(name);
    if (subject_is_system(name))
        return false;
    if (strncmp(name, "sqlite_", 7) == 0) /* SQLite keeps these names (lang_createtable.html) */
        return false;
    return length >= 3 /* Timestream's least for a table */ && length <= 48 && name[0] >= 'a' &&
           name[0] <= 'z' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

bool valid_thing_name(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= 64 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-") ==
               length;
}
