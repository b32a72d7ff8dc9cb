/* Things on their way into an account, many at once.
 *
 * Each goes through the steps of the table below; a step is one call, and its answer says which
 * comes next:
 *
 *   look           is the name free, or ours already (from a command that was killed)?
 *   make_thing     with its type, its attributes and our claim
 *   certificate    made inactive, or the one that an earlier command recorded, or found
 *   attach_policy, attach_thing
 *                  here the package is installed on this machine
 *   verify         nobody took the name meanwhile
 *   activate       last: a thing that failed half-way has no live key anywhere
 *
 * What is not idempotent is the making of a certificate (IoT API reference,
 * CreateCertificateFromCsr). Its id is recorded at once. Where an answer may have been lost (a call
 * that was repeated inside, or a command that was killed), the account is searched for inactive
 * certificates that bear the enrolment's mark before one is made, or before it is activated; those
 * are parked until the others are through, because a search waits for its own calls. */
#include "aws_target.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/hint.h"
#include "common/base/memory.h"
#include "aws/iot.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

enum step {
    LOOK,
    UPDATE_THING,
    MAKE_THING,
    SEARCH, /* parked */
    FETCH_CERTIFICATE,
    MAKE_CERTIFICATE,
    SWEEP, /* parked */
    ATTACH_POLICY,
    ATTACH_THING,
    VERIFY,
    ACTIVATE,
    THROUGH,
};

struct passage {
    struct aws_target *target;
    const struct enrol_events *events;
    struct enrolment *enrolment;
    struct aws_call call;
    enum step step;
    unsigned looks;
    bool swept;    /* in this command */
    bool hopeless; /* every other call would fail with the same error */
};

static void go(struct passage *passage, enum step step);

/* --- what a step needs --- */

static const char *certificate_id(const struct passage *passage)
{
    return passage->enrolment->registration->certificate_id;
}

static const char *certificate_arn(const struct passage *passage)
{
    const char *arn = passage->enrolment->registration->certificate_arn;
    return arn ? arn : "";
}

cJSON *claimed_attributes(const char *claim, const struct attributes *attributes)
{
    cJSON *all = attributes_json(attributes);
    json_put_string(all, CLAIM_ATTRIBUTE, claim);
    return all;
}

/* Whether the account cannot be reached, or refuses these credentials. */
static bool is_hopeless(const struct aws_call *call)
{
    static const char *const codes[] = {
        "ExpiredToken",          "ExpiredTokenException",     "InvalidClientTokenId",
        "SignatureDoesNotMatch", "InvalidSignatureException", "UnrecognizedClientException",
        "AccessDeniedException", "UnauthorizedException",     "MissingAuthenticationToken"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (aws_failed_with(call, codes[i]))
            return true;
    return !call->http_status;
}

/* Ends the enrolment with the error of the call. */
static void give_up(struct passage *passage)
{
    passage->hopeless = is_hopeless(&passage->call);
    passage->enrolment->error = passage->call.error;
    passage->call.error = (struct error){0};
    passage->step = THROUGH;
}

static void give_up_with(struct passage *passage, enum status status, const char *message,
                         const char *advice)
{
    fail(&passage->enrolment->error, status, "%s", message);
    if (advice)
        advise(&passage->enrolment->error, "%s", advice);
    passage->step = THROUGH;
}

static void keep_certificate(struct passage *passage, const char *id, const char *arn)
{
    struct registration *registration = passage->enrolment->registration;
    must_replace(&registration->certificate_id, id);
    must_replace(&registration->certificate_arn, arn);
    passage->events->remember(passage->enrolment);
}

static bool keep_pem(struct passage *passage, const char *pem)
{
    struct enrolment *enrolment = passage->enrolment;
    X509_free(enrolment->certificate);
    enrolment->certificate = NULL;
    return !certificate_from_pem(pem, strlen(pem), &enrolment->certificate, &enrolment->error);
}

/* --- answers --- */

static void name_taken(struct passage *passage)
{
    const struct enrolment *enrolment = passage->enrolment;
    const char *claim = thing_claim(passage->call.answer);
    bool of_others = claim_is_others(passage->target->system, claim), by_us = *claim && !of_others;
    owned char *message =
        must_format("%s is in the account already, %s (%s)", enrolment->thing,
                    by_us       ? "made elsewhere"
                    : of_others ? "made by another system"
                                : "and was not made by sensorforge",
                    json_string(passage->call.answer, "thingTypeName", "a thing without a type"));
    owned char *advice =
        by_us ? hint_format("make rotate name=%s gives it a new key here; make delete name=%s "
                            "removes it; or choose another name",
                            enrolment->thing, enrolment->thing)
              : must_copy("another name, or delete that thing first where it was made");
    passage->enrolment->nothing_left = !enrolment->renewal;
    give_up_with(passage, WRONG_INPUT, message, advice);
}

/* Whether the thing has all wanted attributes. A person may have added others; those stay. */
static bool has_all(const cJSON *there, const struct attributes *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *value = json_string(there, wanted->at[i].name, NULL);
        if (!value || strcmp(value, wanted->at[i].value) != 0)
            return false;
    }
    return true;
}

static void look_answered(struct passage *passage)
{
    const struct enrolment *enrolment = passage->enrolment;
    if (aws_failed_with(&passage->call, "ResourceNotFoundException")) {
        if (!enrolment->renewal) {
            passage->step = MAKE_THING;
            return;
        }
        owned char *message = must_format("%s is not in the account any more", enrolment->thing);
        owned char *advice = hint_format("make delete name=%s, then create it again; or are these "
                                         "the credentials of another account?",
                                         enrolment->thing);
        give_up_with(passage, WRONG_INPUT, message, advice);
    } else if (passage->call.error.status) {
        give_up(passage);
    } else if (strcmp(thing_claim(passage->call.answer), enrolment->claim) != 0) {
        name_taken(passage);
    } else {
        const cJSON *there = json_get(passage->call.answer, "attributes");
        passage->step = has_all(there, enrolment->attributes) ? SEARCH : UPDATE_THING;
    }
}

static void update_answered(struct passage *passage)
{
    if (passage->call.error.status)
        give_up(passage);
    else
        passage->step = SEARCH;
}

static void no_such_type(struct passage *passage)
{
    const struct enrolment *enrolment = passage->enrolment;
    passage->enrolment->nothing_left =
        passage->step == MAKE_THING && !enrolment->renewal && !enrolment->resumed;
    give_up(passage);
    advise(&passage->enrolment->error, "is the type plugged in? make sensortype NAME=%s TARGET=aws",
           passage->enrolment->type);
}

static void make_thing_answered(struct passage *passage)
{
    if (aws_failed_with(&passage->call, "ResourceAlreadyExistsException") && passage->looks < 3)
        passage->step = LOOK; /* it is ours and the answer was lost, or somebody was quicker */
    else if (aws_failed_with(&passage->call, "ResourceNotFoundException"))
        no_such_type(passage);
    else if (passage->call.error.status)
        give_up(passage);
    else
        passage->step = SEARCH;
}

static void fetch_answered(struct passage *passage)
{
    const cJSON *description = json_get(passage->call.answer, "certificateDescription");
    if (aws_failed_with(&passage->call, "ResourceNotFoundException"))
        passage->step = MAKE_CERTIFICATE; /* deleted by hand since */
    else if (passage->call.error.status)
        give_up(passage);
    else if (!keep_pem(passage, json_string(description, "certificatePem", "")))
        passage->step = THROUGH;
    else
        passage->step = needs_sweep(passage->enrolment->registration) && !passage->swept
                            ? SWEEP
                            : ATTACH_POLICY;
}

static void make_certificate_answered(struct passage *passage)
{
    const cJSON *answer = passage->call.answer;
    if (passage->call.error.status) {
        give_up(passage);
        return;
    }
    /* A certificate that an earlier command made may be in the list only now. */
    bool doubtful = passage->call.uncertain || passage->enrolment->resumed;
    if (doubtful)
        note_sweep(passage->enrolment->registration);
    keep_certificate(passage, json_string(answer, "certificateId", ""),
                     json_string(answer, "certificateArn", ""));
    if (passage->enrolment->error.status ||
        !keep_pem(passage, json_string(answer, "certificatePem", "")))
        passage->step = THROUGH;
    else
        passage->step = doubtful ? SWEEP : ATTACH_POLICY;
}

static void attach_policy_answered(struct passage *passage)
{
    if (aws_failed_with(&passage->call, "ResourceNotFoundException"))
        no_such_type(passage);
    else if (passage->call.error.status)
        give_up(passage);
    else
        passage->step = ATTACH_THING;
}

static void attach_thing_answered(struct passage *passage)
{
    if (passage->call.error.status) {
        give_up(passage);
        return;
    }
    fault_point("enrol:attached");
    passage->events->install(&passage->enrolment, 1);
    passage->step = passage->enrolment->error.status ? THROUGH : VERIFY;
}

static void verify_answered(struct passage *passage)
{
    if (passage->call.error.status)
        give_up(passage);
    else if (strcmp(thing_claim(passage->call.answer), passage->enrolment->claim) != 0)
        name_taken(passage);
    else
        passage->step = ACTIVATE;
}

static void activate_answered(struct passage *passage)
{
    if (passage->call.error.status) {
        give_up(passage);
        return;
    }
    fault_point("enrol:active");
    passage->step = THROUGH;
    passage->events->activated(passage->enrolment);
}

/* --- the steps --- */

static void look(struct passage *passage)
{
    passage->looks++;
    iot_describe_thing(passage->target->aws, &passage->call, passage->enrolment->thing);
}

static void update_thing(struct passage *passage)
{
    const struct enrolment *enrolment = passage->enrolment;
    cJSON *attributes = claimed_attributes(enrolment->claim, enrolment->attributes);
    iot_update_thing(passage->target->aws, &passage->call, enrolment->thing, attributes);
    cJSON_Delete(attributes);
}

static void make_thing(struct passage *passage)
{
    const struct enrolment *enrolment = passage->enrolment;
    cJSON *attributes = claimed_attributes(enrolment->claim, enrolment->attributes);
    iot_create_thing(passage->target->aws, &passage->call, enrolment->thing, enrolment->type,
                     attributes);
    cJSON_Delete(attributes);
}

static void fetch_certificate(struct passage *passage)
{
    iot_describe_certificate(passage->target->aws, &passage->call, certificate_id(passage));
}

static void make_certificate(struct passage *passage)
{
    struct enrolment *enrolment = passage->enrolment;
    struct text request = {0};
    if (request_make(&enrolment->subject, &request, &enrolment->error))
        passage->step = THROUGH;
    else
        iot_create_certificate(passage->target->aws, &passage->call, text_string(&request));
    text_free(&request);
}

static void attach_policy(struct passage *passage)
{
    iot_attach_policy(passage->target->aws, &passage->call, passage->enrolment->policy,
                      certificate_arn(passage));
}

static void attach_thing(struct passage *passage)
{
    iot_attach_thing_principal(passage->target->aws, &passage->call, passage->enrolment->thing,
                               certificate_arn(passage));
}

static void activate(struct passage *passage)
{
    iot_update_certificate(passage->target->aws, &passage->call, certificate_id(passage), true);
}

static const struct {
    void (*ask)(struct passage *passage); /* makes the call; NULL: the step makes none, and waits */
    void (*answered)(struct passage *passage); /* chooses the next step */
} steps[] = {
    [LOOK] = {look, look_answered},
    [UPDATE_THING] = {update_thing, update_answered},
    [MAKE_THING] = {make_thing, make_thing_answered},
    [SEARCH] = {NULL, NULL},
    [FETCH_CERTIFICATE] = {fetch_certificate, fetch_answered},
    [MAKE_CERTIFICATE] = {make_certificate, make_certificate_answered},
    [SWEEP] = {NULL, NULL},
    [ATTACH_POLICY] = {attach_policy, attach_policy_answered},
    [ATTACH_THING] = {attach_thing, attach_thing_answered},
    [VERIFY] = {look, verify_answered},
    [ACTIVATE] = {activate, activate_answered},
    [THROUGH] = {NULL, NULL},
};

static void answered(struct aws_call *call, void *context)
{
    struct passage *passage = context;
    steps[passage->step].answered(passage);
    aws_call_free(call);
    go(passage, passage->step);
}

/* Only a resumed enrolment searches: an earlier command may have left a certificate of it. */
static void go(struct passage *passage, enum step step)
{
    if (step == SEARCH && certificate_id(passage))
        step = FETCH_CERTIFICATE;
    else if (step == SEARCH && !passage->enrolment->resumed)
        step = MAKE_CERTIFICATE;
    passage->step = step;
    if (!steps[step].ask)
        return;
    passage->call = (struct aws_call){.done = answered, .context = passage};
    steps[step].ask(passage);
}

/* --- what was parked --- */

static enum status remove_double(void *context, const char *id, const char *arn,
                                 struct error *error)
{
    struct passage *passage = context;
    if (strcmp(id, certificate_id(passage)) == 0)
        return FINE;
    return remove_certificate(passage->target, &(struct removed_certificate){.id = id, .arn = arn},
                              error);
}

/* Uses the first certificate that is found. keep_certificate() records it before it is used. */
static enum status adopt(void *context, const char *id, const char *arn, struct error *error)
{
    struct passage *passage = context;
    if (certificate_id(passage))
        return remove_double(context, id, arn, error);
    note_sweep(passage->enrolment->registration);
    keep_certificate(passage, id, arn);
    return passage->enrolment->error.status;
}

static void unpark(struct passage *passage)
{
    struct enrolment *enrolment = passage->enrolment;
    bool searching = passage->step == SEARCH;
    enum status status = search_certificates(
        passage->target, enrolment->mark, enrolment->key_digest, enrolment->since,
        searching ? adopt : remove_double, passage, &enrolment->error);
    if (status) {
        passage->step = THROUGH;
        return;
    }
    end_sweep(enrolment->registration);
    passage->swept = true;
    if (!searching)
        go(passage, ATTACH_POLICY);
    else
        go(passage, certificate_id(passage) ? FETCH_CERTIFICATE : MAKE_CERTIFICATE);
}

static bool unpark_all(struct passage *passages, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (passages[i].step != SEARCH && passages[i].step != SWEEP)
            continue;
        any = true;
        unpark(&passages[i]);
    }
    return any;
}

/* Removes the certificate of a thing whose name somebody else has taken in the meantime. It was
 * never active. */
static void take_back(struct passage *passage)
{
    struct enrolment *enrolment = passage->enrolment;
    struct error error = {0};
    const struct retired_certificate made = {.mark = enrolment->mark,
                                             .key_digest = enrolment->key_digest,
                                             .registration = enrolment->registration};
    const struct retirement retirement = {.thing = enrolment->thing,
                                          .claim = enrolment->claim,
                                          .since = enrolment->since,
                                          .certificates = &made,
                                          .count = 1};
    struct target target = {.state = passage->target};
    bool worth = enrolment->resumed || certificate_id(passage);
    if (worth && aws_retire(&target, &retirement, &error)) {
        enrolment->nothing_left = false; /* the record stays, so that delete finds what is left */
        advise(&enrolment->error, "%s; then make delete name=%s", text_string(&error.message),
               enrolment->thing);
    }
    error_free(&error);
}

/* --- all of them --- */

/* When nothing got through because the account cannot be reached, or refuses these credentials, the
 * next things would only fail more slowly. */
static void notice_hopelessness(struct aws_target *target, const struct passage *passages,
                                size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!passages[i].hopeless)
            return;
    if (count < 2)
        return;
    const struct error *error = &passages[0].enrolment->error;
    fail(&target->hopeless, error->status, "%s", text_string(&error->message));
    if (error->advice.length)
        advise(&target->hopeless, "%s", text_string(&error->advice));
}

void aws_enrol(struct target *target, struct enrolment **list, size_t count,
               const struct enrol_events *events)
{
    struct aws_target *state = target->state;
    struct passage *passages = must_array(count ? count : 1, sizeof *passages);
    for (size_t i = 0; i < count; i++) {
        passages[i] = (struct passage){.target = state, .events = events, .enrolment = list[i]};
        if (state->hopeless.status)
            give_up_with(
                &passages[i], state->hopeless.status, text_string(&state->hopeless.message),
                state->hopeless.advice.length ? text_string(&state->hopeless.advice) : NULL);
        else
            go(&passages[i], LOOK);
    }
    do
        aws_run(state->aws);
    while (unpark_all(passages, count));
    for (size_t i = 0; i < count; i++)
        if (list[i]->nothing_left)
            take_back(&passages[i]);
    notice_hopelessness(state, passages, count);
    free(passages);
}
