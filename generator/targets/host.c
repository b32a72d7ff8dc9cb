#include "host.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/names.h"
#include "common/base/subprocess.h"
#include "common/base/text.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* local.host of the system.yaml that ships (iot_system_infra/system.yaml). */
static const char placeholder[] = "iot.local";

enum { PATIENCE = 5 /* seconds; a resolver without a network waits for long */ };

/* --- addresses --- */

/* The address as text, without a scope; "" for a family that has none. */
static const char *address_text(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes = NULL;
    *text = '\0';
    if (address && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (bytes)
        inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
    return text;
}

static bool is_own(const char *address)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN];
    bool own = false;
    if (getifaddrs(&all))
        return false;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next)
        own |= strcmp(address_text(one->ifa_addr, text), address) == 0;
    freeifaddrs(all);
    return own;
}

static bool is_loopback(const char *address)
{
    return begins_with(address, "127.") || strcmp(address, "::1") == 0;
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* One that boards may reach; NULL: none. The caller frees it. */
static char *address_for_boards(void)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN], *found = NULL;
    if (getifaddrs(&all))
        return NULL;
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET && (one->ifa_flags & IFF_UP) &&
            !is_loopback(address_text(one->ifa_addr, text)))
            found = must_copy(text);
    freeifaddrs(all);
    return found;
}

/* --- what is wrong --- */

static bool is_local_name(const char *host)
{
    static const char ending[] = ".local";
    size_t length = strlen(host), tail = sizeof ending - 1;
    return length > tail && strcasecmp(host + length - tail, ending) == 0;
}

static char *fault_of_address(const char *host)
{
    if (is_loopback(host))
        return must_format("%s is each machine's own address: no board reaches this one by it",
                           host);
    if (!is_own(host))
        return must_format("%s is not an address of this machine", host);
    return NULL;
}

char *host_fault(const char *host, const char *deaf)
{
    if (is_address(host))
        return fault_of_address(host);
    if (strcasecmp(host, "localhost") == 0)
        return must_copy("localhost is each machine itself: no board reaches this one by it");
    if (is_local_name(host) && deaf)
        return must_format("boards of the platform %s do not resolve \"%s\" by themselves%s", deaf,
                           host,
                           strcmp(host, placeholder) == 0 ? ", which is the name that ships" : "");
    if (strcmp(host, placeholder) == 0)
        return must_format("\"%s\" is the name that ships", host);
    return NULL;
}

/* The addresses that getent prints in the first words of its lines, each once. */
static void take_address(void *context, char *line)
{
    struct names *addresses = context;
    line[strcspn(line, " \t")] = '\0';
    line[strcspn(line, "%")] = '\0'; /* the scope of fe80::1%eth0 */
    for (size_t i = 0; i < addresses->count; i++)
        if (strcmp(addresses->at[i], line) == 0)
            return;
    names_append(addresses, line);
}

/* What this machine's resolver says. It may wait for long, and getent can be stopped. */
static struct names *resolve(const char *host)
{
    const char *const words[] = {"getent", "ahosts", host, NULL};
    struct names *addresses = must_alloc(sizeof *addresses);
    struct text said = {0};
    struct error ignored = {0};
    int code = 0;
    if (!subprocess_capture(words, PATIENCE, &said, &code, NULL, &ignored) && !code) {
        owned char *lines = must_copy(text_string(&said));
        for (char *rest = lines, *line; (line = strsep(&rest, "\n"));)
            if (*line)
                take_address(addresses, line);
    }
    error_free(&ignored);
    text_free(&said);
    return addresses;
}

char *host_look(const char *host, const char *deaf, char **shown)
{
    char *fault = host_fault(host, deaf);
    *shown = must_copy(host);
    if (is_address(host) || strcasecmp(host, "localhost") == 0)
        return fault;
    struct names *addresses = resolve(host);
    bool own = false, outside = false;
    for (size_t i = 0; i < addresses->count; i++) {
        own |= is_own(addresses->at[i]);
        outside |= !is_loopback(addresses->at[i]);
    }
    if (addresses->count)
        must_replace(shown, addresses->at[0]);
    if (fault && own && outside && !deaf) {
        free(fault); /* whoever kept the name that ships gave it to this machine */
        fault = NULL;
    } else if (!fault && !addresses->count) {
        fault = must_format("%s cannot be resolved here", host);
    } else if (!fault && !own) {
        fault = must_format("%s is %s, which is not an address of this machine", host,
                            addresses->at[0]);
    } else if (!fault && !outside) {
        fault = must_format("%s is %s here: boards have to find another address by it", host,
                            addresses->at[0]);
    }
    names_free(addresses);
    return fault;
}

char *host_advice(void)
{
    owned char *address = address_for_boards();
    return must_format("write the address that boards reach this machine by into "
                       "iot_system_infra/system.yaml: local.host: %s",
                       address ? address : "192.168.1.5");
}
