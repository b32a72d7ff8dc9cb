/* Where wifi credentials come from, and what they may be.
 *
 * In this order, for name and password each: what the caller was given, the environment
 * (SENSORFORGE_WIFI_SSID, SENSORFORGE_WIFI_PASSWORD: the Makefile puts wifissid= and wifipassword=
 * there), secrets.yaml (wifi_ssid, wifi_password; its password only for its network), a prompt that
 * does not echo. A password never comes from a command line. */
#ifndef GENERATOR_THING_WIFI_H
#define GENERATOR_THING_WIFI_H

#include "common/base/error.h"
#include "common/base/secret.h"

struct wifi {
    struct secret ssid, password; /* both strings without NUL; password "" is an open network */
};

void wifi_free(struct wifi *wifi);

/* ssid (NULL: not given) is the --wifi-ssid of the command line. ask: for what is found nowhere
 * else; NULL: nobody can be asked. WRONG_USAGE when something is missing and there is nobody to ask; WRONG_INPUT when it
 * cannot be. */
enum status wifi_find(const char *ssid, secret_asker *ask, struct wifi *wifi, struct error *error);

/* Name: 1 to 32 bytes of UTF-8. Password: none, or 8 to 63 bytes of UTF-8 without control
 * characters, or 64 hexadecimal digits (IEEE 802.11, annex M). where (may be "") goes before the
 * message, which never holds the password. */
enum status wifi_check(const char *ssid, const char *password, const char *where,
                       struct error *error);

#endif
