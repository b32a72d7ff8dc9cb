#include "port.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "common/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tries what the broker does: it listens on every address of one family. 0, or errno. */
static int try_family(int family, int port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool new = family == AF_INET6;
    int yes = 1, result = 0, end = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end < 0)
        return 0; /* this machine does not have the family */
    setsockopt(end, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (new)
        setsockopt(end, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (bind(end, new ? (struct sockaddr *)&six : (struct sockaddr *)&four,
             new ? sizeof six : sizeof four) ||
        listen(end, 1))
        result = errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT ? 0 : errno;
    close(end);
    return result;
}

struct listener {
    unsigned long inode;
    unsigned user;
};

/* /proc/net/tcp and tcp6 (proc(5)): local address:port in hexadecimal, state 0A is listening. */
static bool find_listener(const char *table, int port, struct listener *listener)
{
    char line[512];
    FILE *open = fopen(table, "re");
    bool found = false;
    while (open && !found && fgets(line, sizeof line, open)) {
        unsigned there, state;
        found = sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*d %lu", &there, &state,
                       &listener->user, &listener->inode) == 4 &&
                (int)there == port && state == 0x0A;
    }
    if (open)
        fclose(open);
    return found;
}

/* Whether a process has this socket open. Only root can look at processes of other users. */
static bool holds(const char *id, unsigned long inode)
{
    owned char *folder = must_format("/proc/%s/fd", id),
               *wanted = must_format("socket:[%lu]", inode);
    DIR *listing = opendir(folder);
    bool found = false;
    for (struct dirent *entry; listing && !found && (entry = readdir(listing));) {
        char target[64];
        ssize_t length = readlinkat(dirfd(listing), entry->d_name, target, sizeof target - 1);
        if (length > 0) {
            target[length] = '\0';
            found = strcmp(target, wanted) == 0;
        }
    }
    if (listing)
        closedir(listing);
    return found;
}

/* "mosquitto (process 12)"; NULL when it is not known. The caller frees. */
static char *holder(unsigned long inode)
{
    DIR *listing = opendir("/proc");
    char *found = NULL;
    for (struct dirent *entry; listing && !found && (entry = readdir(listing));) {
        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
            !holds(entry->d_name, inode))
            continue;
        char name[64] = "?";
        owned char *path = must_format("/proc/%s/comm", entry->d_name);
        FILE *open = fopen(path, "re");
        if (open && fgets(name, sizeof name, open))
            name[strcspn(name, "\n")] = '\0';
        if (open)
            fclose(open);
        found = must_format("%s (process %s)", name, entry->d_name);
    }
    if (listing)
        closedir(listing);
    return found;
}

static enum status tell_holder(int port, struct error *error)
{
    struct listener listener;
    if (!find_listener("/proc/net/tcp6", port, &listener) &&
        !find_listener("/proc/net/tcp", port, &listener))
        return REFUSED;
    owned char *name = holder(listener.inode);
    const struct passwd *user = getpwuid(listener.user);
    if (name)
        return advise(error, "%s listens there: stop it", name);
    return advise(error, "a program of the user %s listens there: stop it",
                  user ? user->pw_name : "?");
}

enum status port_check(int port, struct error *error)
{
    int reason = try_family(AF_INET6, port);
    if (!reason)
        reason = try_family(AF_INET, port);
    if (!reason)
        return FINE;
    errno = reason;
    fail_errno(error, "the broker cannot listen on port %d", port);
    if (reason == EADDRINUSE)
        tell_holder(port, error);
    else if (reason == EACCES)
        advise(error, "ports below 1024 are for root");
    return advise(error, "or another one: mqtt_port in " SYSTEM_FILE ", and make package "
                         "for the things that there are");
}
