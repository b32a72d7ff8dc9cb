/* The client of an AWS account: signed HTTPS requests and their answers.
 *
 * The function of an API operation (iot.h, cloudformation.h, ...) prepares a call and submits it. The
 * call is under way until its `done` has been called from aws_run() or aws_finish(). Many calls may
 * be under way at once: they share connections (libcurl's multi interface), and at most `in_flight`
 * of them are on the wire.
 *
 * Retries are those of the SDKs' standard mode: after throttling, 5xx, resets and timeouts, with
 * jittered back-off, five attempts in all (ten when throttled). So an operation may have been carried
 * out although its call failed, or even twice; the callers know which ones are not idempotent.
 *
 * A token bucket for each operation keeps calls at `rate` a second (AWS counts each operation by
 * itself), those that only read at four times as many. Throttling makes the bucket slower, success
 * slowly faster again. Buckets are shared with processes forked after aws_open().
 *
 * A successful answer without the members that the operation must give comes from a captive portal
 * or a broken proxy, and counts as no answer.
 *
 * Two variables of the environment are for tests of faults, which do not want to wait, both in
 * seconds: SENSORFORGE_AWS_BACKOFF, the base of the back-off (0.5), and SENSORFORGE_AWS_TIMEOUT, the
 * longest time of one attempt (60).
 *
 * Everything here is used by one thread. Secrets (keys, tokens) are wiped, and never in messages. */
#ifndef AWS_AWS_H
#define AWS_AWS_H

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/base/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct aws;
struct aws_call;

struct aws_options {
    const char *profile;           /* --profile; NULL: AWS_PROFILE, then otherwise_profile */
    const char *region;            /* the project's; NULL: as the CLI finds it */
    const char *otherwise_profile; /* system.yaml's; NULL: "default" */
    double rate;       /* calls a second of one operation, above 0. READS_FASTER times as many of an
                          operation that only reads */
    size_t in_flight;  /* calls on the wire at the same time; 0: 16 */
    secret_asker *ask; /* asks a person for the code of an MFA device; NULL: nobody can be asked */
    /* Takes one line without a newline and without secrets ("iot CreateThing 200 in 84 ms"), for
     * --verbose; may be NULL. */
    void (*log)(void *context, const char *line);
    void *log_context;
};

/* Finds region, endpoint overrides and credentials; no call is made unless finding the credentials
 * needs one. WRONG_INPUT when configuration is wrong or missing, with what to do. */
enum status aws_open(const struct aws_options *options, struct aws **aws, struct error *error);
void aws_close(struct aws *aws); /* NULL is fine */

const char *aws_region(const struct aws *aws);
const char *aws_partition(const struct aws *aws); /* "aws", "aws-cn", "aws-us-gov" */
const char *aws_profile(const struct aws *aws);   /* the profile's name, for advice */
/* Seconds that AWS's clock was ahead of this machine's in the last answer. */
double aws_clock_ahead(const struct aws *aws);
const char *aws_credentials_source(const struct aws *aws); /* "environment", "profile home", ... */

/* The protocols of the services (botocore's names). */
enum aws_protocol { AWS_REST_JSON, AWS_JSON, AWS_QUERY };

/* An API of AWS: how it is reached and spoken to. */
struct aws_service {
    const char *name;     /* signing name: "iot" */
    const char *prefix;   /* of its actions in IAM policies; NULL: the name */
    const char *endpoint; /* what its hosts begin with (botocore's endpoints.json): "iot" */
    const char *variable; /* AWS_ENDPOINT_URL_<variable>: "IOT" */
    const char *section;  /* of `services` in ~/.aws/config: "iot" */
    const char *target;   /* AWS_JSON: prefix of X-Amz-Target ("DynamoDB_20120810"); else NULL */
    const char *version;  /* AWS_QUERY: "2010-05-15"; else NULL */
    const char *json;     /* AWS_JSON: "1.0" or "1.1"; else NULL */
    enum aws_protocol protocol;
    bool global; /* one endpoint for the partition (iam) */
};

struct aws_call {
    /* Set by the caller before the operation's function: */
    void (*done)(struct aws_call *call, void *context); /* may be NULL */
    void *context;
    double pause; /* seconds to wait before it is sent; 0 for at once */

    /* The answer, valid once it is done: */
    struct error error;  /* error.status is FINE when it went well; freed by aws_call_free() */
    int http_status;     /* 0 when there was no answer */
    char code[96];       /* the service's error code: "ResourceNotFoundException"; "NoAnswer" when
                            there was no whole answer; "" when it went well */
    char request_id[80]; /* the service's, for its support; "" when there is none */
    cJSON *answer;       /* JSON, or XML as JSON (xml.h); an empty object for an empty body */
    unsigned attempts;
    bool uncertain; /* an attempt got no whole answer: the operation may have been carried out */

    /* Inside client.c: */
    struct aws_transfer *transfer;
};

/* Frees answer and error (wiping both), so that the call can be used again; `done`, context and
 * pause stay. A call that is under way is given up: its `done` will not be called. {0} is fine. */
void aws_call_free(struct aws_call *call);

/* Whether the call ended with this code of the service. */
bool aws_failed_with(const struct aws_call *call, const char *code);

/* For the service files. body: for AWS_REST_JSON a JSON object or NULL (no body); for AWS_JSON the
 * object; for AWS_QUERY an object whose members become parameters: strings and numbers as they are,
 * an array as Name.member.N, an object as Name.Key. The call takes over body. path: REST_JSON only,
 * with every label already escaped by aws_escape(); query: "a=b&c=d", escaped likewise, or NULL. */
struct aws_request {
    const struct aws_service *service;
    const char *operation; /* "CreateThing" */
    const char *method;    /* NULL: POST */
    const char *path;      /* NULL: "/" */
    const char *query;
    const char *host;           /* instead of the service's own, unless the endpoint is overridden
                                   (Timestream's cells); NULL: the service's own */
    const char *const *headers; /* "Name: value", NULL at the end; or NULL */
    cJSON *body;
    /* The members that an answer must have, with spaces between them: "thingName thingArn". One that
     * is missing, null or "" makes it no answer. NULL: none. */
    const char *wanted;
    bool changes;   /* the operation changes something; else it only reads */
    bool secret;    /* body or answer holds secrets */
    bool anonymous; /* not signed (AssumeRoleWithWebIdentity) */
};

/* service lasts as long as the program, all else is copied. Never calls `done` itself. */
void aws_submit(struct aws *aws, struct aws_call *call, const struct aws_request *request);

/* Percent-encodes all but RFC 3986's unreserved characters. */
void aws_escape(const char *string, struct text *out);
void aws_escape_bytes(const char *bytes, size_t length, struct text *out);

/* Runs until nothing is under way any more. */
void aws_run(struct aws *aws);

/* Runs until this call is done; other calls go on meanwhile. Returns the status of its error, and
 * moves the error into *error unless that is NULL. */
enum status aws_finish(struct aws *aws, struct aws_call *call, struct error *error);

/* Before fork(): renews credentials that expire within 15 minutes. Fails only when they have expired
 * and no others are found. */
enum status aws_before_fork(struct aws *aws, struct error *error);

/* After fork(), in the child: makes connections of its own. Calls that were under way stay with the
 * parent; the child drops them. Nobody is asked for a code any more. */
void aws_after_fork(struct aws *aws);

#endif
