#include "values.h"
#include "common/base/clock.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool address_read(const char *string, unsigned char address[16])
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    memcpy(address, mapped, sizeof mapped);
    return inet_pton(AF_INET, string, address + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, string, address) == 1;
}

bool date_read(const char *string, double *seconds)
{
    int64_t milliseconds;
    char *end;
    bool is_date = strspn(string, "0123456789") == 4; /* a year; other digits are seconds */
    if (is_date && clock_read_partial(string, &milliseconds)) {
        *seconds = (double)milliseconds / 1000;
        return true;
    }
    *seconds = strtod(string, &end);
    return !is_date && end != string && !*end;
}
