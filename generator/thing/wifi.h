/* Where wifi credentials come from, and what they may be.
 *
 * The network's name and its password are looked for one by one, in this order:
 *
 *   the caller's           --wifi-ssid (a password never comes from a command line)
 *   the environment        SENSORFORGE_WIFI_SSID, SENSORFORGE_WIFI_PASSWORD (the Makefile puts
 *                          wifissid= and wifipassword= there)
 *   secrets.yaml           wifi_ssid, wifi_password (the password is used for its own network only)
 *   a prompt               that does not echo the password */
#ifndef GENERATOR_THING_WIFI_H
#define GENERATOR_THING_WIFI_H

#include "common/base/error.h"
#include "common/base/secret.h"

#include <cjson/cJSON.h>

struct wifi {
    char *ssid;             /* the network's name: any bytes but NUL; NULL: not known */
    struct secret password; /* without NUL; "" is an open network */
};

/* {0} stays {0}. */
struct wifi wifi_copy(const struct wifi *wifi);

/* Overwrites the password, and frees both; {0} is fine. */
void wifi_free(struct wifi *wifi);

/* {"ssid": ..., "ssid_base64": null, "password": ...} for a template or a file. JSON is UTF-8: of a name
 * that is not, ssid_base64 has the bytes, and ssid is wifi_title(). The object borrows the password,
 * which must outlive it; the caller deletes it. */
cJSON *wifi_json(const struct wifi *wifi);

/* A name as people may see it: bytes that are not UTF-8 and control characters as \xE9. The caller frees
 * it. */
char *wifi_title(const char *ssid);

/* The name that base64 stands for; NULL when it stands for none. The caller frees it. */
char *wifi_decode(const char *base64);

/* ssid: the one of the command line; NULL: not given. ask: asks for what is found nowhere else; NULL:
 * nobody can be asked. WRONG_USAGE when something is missing and there is no answer; WRONG_INPUT when
 * a name or a password is not allowed. */
enum status wifi_find(const char *ssid, secret_asker *ask, struct wifi *wifi, struct error *error);

/* Name: 1 to 32 bytes (IEEE 802.11, 9.4.2.2), without NUL. Password: none, or 8 to 63 bytes of UTF-8 without control
 * characters, or 64 hexadecimal digits (IEEE 802.11, annex M). where (may be "") goes before the
 * message, which never holds the password. WRONG_INPUT otherwise. */
enum status wifi_check(const struct wifi *wifi, const char *where, struct error *error);

#endif
