/* What creating things in an account is measured against: the same calls, and nothing else.
 *
 *   bare_calls URL COUNT IN_FLIGHT REQUEST TYPE
 *
 * URL is a mock of AWS that checks no signatures ("http://127.0.0.1:5000"); REQUEST a file with one
 * signing request (PEM), used for all; TYPE the thing type, and the name of the policy. For each of
 * COUNT things the seven calls that creating one takes go out one after the other; IN_FLIGHT things
 * at a time, over connections that are kept. It prints the seconds that it took. No key is made,
 * nothing is signed, parsed (but for the certificate's id and ARN, by a search) or written. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_IN_FLIGHT = 256, CALLS = 7, ROOM = 1 << 14 };

struct thing {
    CURL *easy;
    struct curl_slist *headers;
    size_t number;
    int call;
    size_t length;
    char answer[ROOM], url[1024], body[ROOM + 64], id[128], arn[256], principal[300];
};

static const char *base, *type;
static char request[ROOM]; /* as a JSON string */
static size_t next_number, count;
static struct thing things[MOST_IN_FLIGHT];

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "bare_calls: cannot %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_request(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t length = 0;
    must(file, "read the signing request");
    for (int c; (c = fgetc(file)) != EOF && length + 2 < sizeof request;) {
        if (c == '\n') {
            request[length++] = '\\';
            c = 'n';
        }
        request[length++] = (char)c;
    }
    fclose(file);
}

static size_t take(char *bytes, size_t size, size_t many, void *owner)
{
    struct thing *thing = owner;
    size_t length = size * many;
    must(thing->length + length < sizeof thing->answer, "keep an answer");
    memcpy(thing->answer + thing->length, bytes, length);
    thing->length += length;
    thing->answer[thing->length] = '\0';
    return length;
}

/* The string behind a name in the answer. */
static void find(const struct thing *thing, const char *name, char *value, size_t room)
{
    char start[64];
    snprintf(start, sizeof start, "\"%s\": \"", name);
    const char *at = strstr(thing->answer, start);
    must(at, "find a value in an answer");
    at += strlen(start);
    size_t length = strcspn(at, "\"");
    must(length < room, "keep a value");
    memcpy(value, at, length);
    value[length] = '\0';
}

static void prepare(struct thing *thing, const char *method, bool principal)
{
    curl_slist_free_all(thing->headers);
    thing->headers = curl_slist_append(
        NULL, "Authorization: AWS4-HMAC-SHA256 Credential=AKIABENCH/20260101/eu-west-1/iot/"
              "aws4_request, SignedHeaders=host, Signature=0");
    thing->headers = curl_slist_append(thing->headers, "Content-Type: application/json");
    thing->headers = curl_slist_append(thing->headers, "Expect:");
    if (principal) {
        snprintf(thing->principal, sizeof thing->principal, "x-amzn-principal: %s", thing->arn);
        thing->headers = curl_slist_append(thing->headers, thing->principal);
    }
    curl_easy_setopt(thing->easy, CURLOPT_URL, thing->url);
    curl_easy_setopt(thing->easy, CURLOPT_HTTPHEADER, thing->headers);
    curl_easy_setopt(thing->easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(thing->easy, CURLOPT_POSTFIELDS, *thing->body ? thing->body : NULL);
    curl_easy_setopt(thing->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(thing->body));
    if (!*thing->body)
        curl_easy_setopt(thing->easy, CURLOPT_HTTPGET, 1L);
}

__attribute__((format(printf, 3, 4))) static void print(char *to, size_t room, const char *format,
                                                        ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(to, room, format, list);
    va_end(list);
    must(length >= 0 && (size_t)length < room, "write a request");
}

static void ask(CURLM *multi, struct thing *thing)
{
    static const char *const methods[CALLS] = {"GET", "POST", "POST", "PUT", "PUT", "GET", "PUT"};
    *thing->body = '\0';
    thing->length = 0;
    switch (thing->call) {
    case 1:
        print(thing->url, sizeof thing->url, "%s/things/bare%zu", base, thing->number);
        print(thing->body, sizeof thing->body,
              "{\"thingTypeName\":\"%s\",\"attributePayload\":{\"attributes\":{\"zone\":\"1\"}}}",
              type);
        break;
    case 2:
        print(thing->url, sizeof thing->url, "%s/certificates", base);
        print(thing->body, sizeof thing->body, "{\"certificateSigningRequest\":\"%s\"}", request);
        break;
    case 3:
        print(thing->url, sizeof thing->url, "%s/target-policies/%s", base, type);
        print(thing->body, sizeof thing->body, "{\"target\":\"%s\"}", thing->arn);
        break;
    case 4:
        print(thing->url, sizeof thing->url, "%s/things/bare%zu/principals", base, thing->number);
        break;
    case 6:
        print(thing->url, sizeof thing->url, "%s/certificates/%s?newStatus=ACTIVE", base,
              thing->id);
        break;
    default: /* is the name free, and later: is it still ours? */
        print(thing->url, sizeof thing->url, "%s/things/bare%zu", base, thing->number);
    }
    prepare(thing, methods[thing->call], thing->call == 4);
    must(!curl_multi_add_handle(multi, thing->easy), "ask");
}

/* Whether there is more to ask for. */
static bool answered(struct thing *thing)
{
    long status = 0;
    curl_easy_getinfo(thing->easy, CURLINFO_RESPONSE_CODE, &status);
    must(status == (thing->call == 0 ? 404 : 200), "get the right answer");
    if (thing->call == 2) {
        find(thing, "certificateId", thing->id, sizeof thing->id);
        find(thing, "certificateArn", thing->arn, sizeof thing->arn);
    }
    if (++thing->call < CALLS)
        return true;
    thing->call = 0;
    thing->number = next_number++;
    return thing->number < count;
}

static void run(CURLM *multi, size_t in_flight)
{
    size_t open = 0;
    for (; open < in_flight && next_number < count; open++) {
        struct thing *thing = &things[open];
        thing->number = next_number++;
        thing->easy = curl_easy_init();
        must(thing->easy, "begin");
        curl_easy_setopt(thing->easy, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(thing->easy, CURLOPT_WRITEDATA, thing);
        curl_easy_setopt(thing->easy, CURLOPT_PRIVATE, thing);
        ask(multi, thing);
    }
    while (open) {
        int running, left;
        CURLMsg *message;
        must(!curl_multi_perform(multi, &running) && !curl_multi_poll(multi, NULL, 0, 100, NULL),
             "wait");
        while ((message = curl_multi_info_read(multi, &left))) {
            struct thing *thing = NULL;
            must(message->msg == CURLMSG_DONE && message->data.result == CURLE_OK, "get an answer");
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &thing);
            curl_multi_remove_handle(multi, thing->easy);
            if (answered(thing))
                ask(multi, thing);
            else
                open--;
        }
    }
}

int main(int word_count, char **words)
{
    must(word_count == 6, "go on: usage: bare_calls URL COUNT IN_FLIGHT REQUEST TYPE");
    base = words[1];
    count = strtoul(words[2], NULL, 10);
    size_t in_flight = strtoul(words[3], NULL, 10);
    must(in_flight > 0 && in_flight <= MOST_IN_FLIGHT, "have so many in flight");
    read_request(words[4]);
    type = words[5];
    CURLM *multi = curl_multi_init();
    must(multi, "begin");
    double began = now();
    run(multi, in_flight);
    printf("%.3f\n", now() - began);
    return 0;
}
