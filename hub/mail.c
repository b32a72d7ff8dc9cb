#include "mail.h"
#include "buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 57 /* bytes that make 76 characters of base64 */, SECONDS_FOR_A_MAIL = 30 };

/* Headers and body (RFC 5322, RFC 2045): base64, because a message may be one long line of any
 * bytes. */
static void compose(const char *address, const char *subject, const char *body, size_t length,
                    struct buffer *out)
{
    char date[64];
    struct tm parts;
    time_t now = time(NULL);
    localtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &parts);
    buffer_add_string(out, "To: ");
    buffer_add_string(out, address);
    buffer_add_string(out, "\r\nSubject: ");
    buffer_add_string(out, subject);
    buffer_add_string(out, "\r\nDate: ");
    buffer_add_string(out, date);
    buffer_add_string(out, "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t i = 0; i < length; i += LINE) {
        buffer_add_base64(out, body + i, length - i < LINE ? length - i : LINE);
        buffer_add_string(out, "\r\n");
    }
}

/* --- sendmail --- */

static bool write_all(int file, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* False when there is no sendmail on the PATH or in /usr/sbin. */
static bool start_sendmail(const char *address, int input, pid_t *child)
{
    char name[] = "sendmail", ignore[] = "-i", end[] = "--";
    char *const words[] = {name, ignore, end, (char *)(size_t)address, NULL};
    static const char *const paths[] = {"sendmail", "/usr/sbin/sendmail", "/usr/lib/sendmail"};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    int code = ENOENT;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&files))
        return false;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    for (size_t i = 0; i < sizeof paths / sizeof *paths && code; i++)
        code = posix_spawnp(child, paths[i], &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code == 0;
}

static bool through_sendmail(const char *address, const struct buffer *message, bool *there,
                             char *why, size_t room)
{
    int ends[2], state = 0;
    pid_t child;
    *there = false;
    if (pipe2(ends, O_CLOEXEC))
        return false;
    *there = start_sendmail(address, ends[0], &child);
    close(ends[0]);
    bool done = *there && write_all(ends[1], message->at, message->length);
    close(ends[1]);
    if (!*there)
        return false;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    done = done && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    if (!done)
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

static bool through_smtp(CURL *curl, const char *address, const struct buffer *message, char *why,
                         size_t room)
{
    char host[128] = "localhost", from[160];
    struct upload upload = {message->at, message->length};
    struct curl_slist *to = curl_slist_append(NULL, address);
    gethostname(host, sizeof host - 1);
    snprintf(from, sizeof from, "sensorhub@%s", host);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS_FOR_A_MAIL);
    curl_easy_setopt(curl, CURLOPT_URL, "smtp://localhost:25");
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    CURLcode result = to ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    curl_slist_free_all(to);
    if (result != CURLE_OK)
        snprintf(why, room, "no sendmail is here, and the mail server of this machine: %s",
                 curl_easy_strerror(result));
    return result == CURLE_OK;
}

bool mail_send(CURL *curl, const char *address, const char *subject, const char *body,
               size_t length, char *why, size_t room)
{
    struct buffer message = {0};
    bool there = false, done = false;
    compose(address, subject, body, length, &message);
    if (message.failed) {
        snprintf(why, room, "out of memory");
    } else {
        done = through_sendmail(address, &message, &there, why, room);
        if (!there)
            done = through_smtp(curl, address, &message, why, room);
    }
    buffer_free(&message);
    return done;
}
