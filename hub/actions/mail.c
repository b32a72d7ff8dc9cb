#include "mail.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE = 57, /* bytes that make 76 characters of base64 */
    LONGEST_HOST = 128
};

/* --- the message --- */

static void own_host(char host[LONGEST_HOST])
{
    if (gethostname(host, LONGEST_HOST) || !*host)
        snprintf(host, LONGEST_HOST, "localhost");
    host[LONGEST_HOST - 1] = '\0';
}

/* A line end in a value would begin another header, or the body. */
static void add_header(struct buffer *out, const char *name, const char *value)
{
    buffer_add_string(out, name);
    buffer_add_string(out, ": ");
    for (; *value; value++)
        buffer_add(out, (unsigned char)*value < 0x20 ? " " : value, 1);
    buffer_add_string(out, "\r\n");
}

/* RFC 5322, 3.6: a message must have From and Date, and should have an id that no other has. */
static void add_origin(struct buffer *out)
{
    char host[LONGEST_HOST], line[LONGEST_HOST + 64];
    uint64_t random[2] = {0};
    own_host(host);
    if (getrandom(random, sizeof random, 0) < 0)
        random[0] = (uint64_t)getpid();
    snprintf(line, sizeof line, "Sensorforge <sensorforge@%s>", host);
    add_header(out, "From", line);
    clock_write_mail(time(NULL), line);
    add_header(out, "Date", line);
    snprintf(line, sizeof line, "<%" PRId64 ".%016" PRIx64 "%016" PRIx64 "@%s>",
             clock_milliseconds(), random[0], random[1], host);
    add_header(out, "Message-ID", line);
}

/* Headers and body (RFC 5322, RFC 2045). The body is base64, because a message may be one long line
 * of any bytes. Auto-Submitted keeps mail servers from answering that the reader is absent (RFC
 * 3834). */
static void compose(const char *address, const char *subject, const char *body, size_t length,
                    struct buffer *out)
{
    add_origin(out);
    add_header(out, "To", address);
    add_header(out, "Subject", subject);
    add_header(out, "Auto-Submitted", "auto-generated");
    add_header(out, "MIME-Version", "1.0");
    add_header(out, "Content-Type", "text/plain; charset=utf-8");
    add_header(out, "Content-Transfer-Encoding", "base64");
    buffer_add_string(out, "\r\n");
    for (size_t i = 0; i < length; i += LINE) {
        buffer_add_base64(out, body + i, length - i < LINE ? length - i : LINE);
        buffer_add_string(out, "\r\n");
    }
}

/* --- sendmail --- */

/* Waits for a descriptor until the time is over; false when it is. */
static bool await(int file, short events, double until)
{
    struct pollfd waiting = {.fd = file, .events = events};
    for (;;) {
        double left = until - clock_monotonic();
        if (left <= 0)
            return false;
        int found = poll(&waiting, 1, (int)(left * 1000) + 1);
        if (found > 0)
            return true;
        if (found < 0 && errno != EINTR)
            return false;
    }
}

static bool write_all(int file, const char *bytes, size_t length, double until)
{
    while (length && await(file, POLLOUT, until)) {
        ssize_t written = write(file, bytes, length);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return length == 0;
}

/* False when there is no sendmail on the PATH or in /usr/sbin. It has a process group of its own,
 * so that what it starts can be ended with it. */
static bool start_sendmail(const char *address, int input, pid_t *child)
{
    char name[] = "sendmail", ignore[] = "-i", end[] = "--";
    char *const words[] = {name, ignore, end, (char *)(size_t)address, NULL};
    static const char *const paths[] = {"sendmail", "/usr/sbin/sendmail", "/usr/lib/sendmail"};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int code = ENOENT;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawn_file_actions_init(&files))
        return false;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    for (size_t i = 0; i < sizeof paths / sizeof *paths && code; i++)
        code = posix_spawnp(child, paths[i], &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code == 0;
}

/* Waits until the child ends. False: it did not end in time, and was killed. */
static bool wait_for_end(pid_t child, double until, int *state)
{
    int handle = pidfd_open(child, 0);
    bool ended = handle >= 0 && await(handle, POLLIN, until);
    if (!ended)
        kill(-child, SIGKILL);
    if (handle >= 0)
        close(handle);
    while (waitpid(child, state, 0) < 0 && errno == EINTR)
        ;
    return ended;
}

static bool through_sendmail(const char *address, const struct buffer *message, double seconds,
                             bool *there, char *why, size_t room)
{
    int ends[2], state = 0;
    pid_t child;
    double until = clock_monotonic() + seconds;
    *there = false;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    *there = start_sendmail(address, ends[0], &child);
    close(ends[0]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    bool done = *there && write_all(ends[1], message->at, message->length, until);
    close(ends[1]);
    if (!*there)
        return false;
    bool ended = wait_for_end(child, until, &state);
    done = done && ended && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    if (!ended)
        snprintf(why, room, "sendmail did not end within %g seconds", seconds);
    else if (!done)
        snprintf(why, room, "sendmail ended with code %d",
                 WIFEXITED(state) ? WEXITSTATUS(state) : -1);
    return done;
}

/* --- SMTP --- */

struct upload {
    const char *at;
    size_t left;
};

static size_t read_upload(char *to, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t length = size * count < upload->left ? size * count : upload->left;
    memcpy(to, upload->at, length);
    upload->at += length;
    upload->left -= length;
    return length;
}

static bool through_smtp(CURL *easy, const char *address, const struct buffer *message,
                         double seconds, char *why, size_t room)
{
    char host[LONGEST_HOST], from[LONGEST_HOST + 16];
    struct upload upload = {message->at, message->length};
    struct curl_slist *to = curl.slist_append(NULL, address);
    own_host(host);
    snprintf(from, sizeof from, "sensorforge@%s", host);
    curl.easy_reset(easy);
    curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
    curl.easy_setopt(easy, CURLOPT_URL, "smtp://localhost:25");
    curl.easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    curl.easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl.easy_setopt(easy, CURLOPT_READFUNCTION, read_upload);
    curl.easy_setopt(easy, CURLOPT_READDATA, &upload);
    CURLcode result = to ? curl.easy_perform(easy) : CURLE_OUT_OF_MEMORY;
    curl.slist_free_all(to);
    if (result != CURLE_OK)
        snprintf(why, room, "no sendmail is here, and the mail server of this machine: %s",
                 curl.easy_strerror(result));
    return result == CURLE_OK;
}

bool mail_send(CURL *easy, const char *address, const char *subject, const char *body,
               size_t length, double seconds, char *why, size_t room)
{
    struct buffer message = {0};
    bool there = false, done = false;
    compose(address, subject, body, length, &message);
    if (message.failed) {
        snprintf(why, room, "out of memory");
    } else {
        done = through_sendmail(address, &message, seconds, &there, why, room);
        if (!there)
            done = through_smtp(easy, address, &message, seconds, why, room);
    }
    buffer_free(&message);
    return done;
}
