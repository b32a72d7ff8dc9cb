#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_ANSWER = 16384 /* bytes of a body; a larger one ends the request */ };

/* The answer's body is not used: only its size is limited. */
static size_t count_answer(char *bytes, size_t size, size_t count, void *context)
{
    size_t *taken = context;
    (void)bytes;
    *taken += size * count;
    return *taken > LARGEST_ANSWER ? 0 : size * count;
}

static struct curl_slist *make_headers(const char *lines)
{
    struct curl_slist *list = NULL;
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        char *line = strndup(lines, length);
        struct curl_slist *grown = line ? curl.slist_append(list, line) : NULL;
        free(line);
        if (!grown) {
            curl.slist_free_all(list);
            return NULL;
        }
        list = grown;
        lines += length + (lines[length] == '\n');
    }
    return list;
}

static bool may_succeed_later(CURLcode result, long code)
{
    if (result == CURLE_OK)
        return code == 429 || code >= 500;
    return result != CURLE_WRITE_ERROR && result != CURLE_URL_MALFORMAT &&
           result != CURLE_UNSUPPORTED_PROTOCOL;
}

bool web_post(CURL *easy, const char *url, const char *headers, const char *body, size_t length,
              double seconds, bool *again, char *why, size_t room)
{
    size_t taken = 0;
    long code = 0;
    struct curl_slist *list = make_headers(headers);
    curl.easy_reset(easy);
    curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000));
    curl.easy_setopt(easy, CURLOPT_URL, url);
    curl.easy_setopt(easy, CURLOPT_POST, 1L);
    curl.easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl.easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_answer);
    curl.easy_setopt(easy, CURLOPT_WRITEDATA, &taken);
    CURLcode result = list || !*headers ? curl.easy_perform(easy) : CURLE_OUT_OF_MEMORY;
    curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    curl.slist_free_all(list);
    *again = may_succeed_later(result, code);
    if (result != CURLE_OK)
        snprintf(why, room, "%s", curl.easy_strerror(result));
    else
        snprintf(why, room, "the answer was %ld", code);
    return result == CURLE_OK && code >= 200 && code < 300;
}
