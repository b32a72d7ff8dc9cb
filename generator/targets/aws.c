/* An AWS account as a target: things are things of AWS IoT Core, certificates are AWS's own. */
#include "account.h"
#include "aws_target.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/paths.h"
#include "aws/iot.h"
#include "aws/sts.h"
#include "generator/pki/pki.h"

#include <stdlib.h>
#include <string.h>

enum {
    ENDPOINT_PORT = 8883,
    GROUP = 64 /* things: long enough that the account is kept busy, short enough that a killed
                  command leaves few half-made */
};

/* Amazon Root CA 1, valid until 2038-01-17, SHA-256
 * 8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904f e1cb97c6ae98196e: signs the certificates of the
 * endpoints of type iot:Data-ATS (IoT developer guide, "Server authentication"). */
static const char amazon_root[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDQTCCAimgAwIBAgITBmyfz5m/jAo54vB4ikPmljZbyjANBgkqhkiG9w0BAQsF\n"
    "ADA5MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6\n"
    "b24gUm9vdCBDQSAxMB4XDTE1MDUyNjAwMDAwMFoXDTM4MDExNzAwMDAwMFowOTEL\n"
    "MAkGA1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJv\n"
    "b3QgQ0EgMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALJ4gHHKeNXj\n"
    "ca9HgFB0fW7Y14h29Jlo91ghYPl0hAEvrAIthtOgQ3pOsqTQNroBvo3bSMgHFzZM\n"
    "9O6II8c+6zf1tRn4SWiw3te5djgdYZ6k/oI2peVKVuRF4fn9tBb6dNqcmzU5L/qw\n"
    "IFAGbHrQgLKm+a/sRxmPUDgH3KKHOVj4utWp+UhnMJbulHheb4mjUcAwhmahRWa6\n"
    "VOujw5H5SNz/0egwLX0tdHA114gk957EWW67c4cX8jJGKLhD+rcdqsq08p8kDi1L\n"
    "93FcXmn/6pUCyziKrlA4b9v7LWIbxcceVOF34GfID5yHI9Y/QCB/IIDEgEw+OyQm\n"
    "jgSubJrIqg0CAwEAAaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMC\n"
    "AYYwHQYDVR0OBBYEFIQYzIU07LwMlJQuCFmcx7IQTgoIMA0GCSqGSIb3DQEBCwUA\n"
    "A4IBAQCY8jdaQZChGsV2USggNiMOruYou6r4lK5IpDB/G/wkjUu0yKGX9rbxenDI\n"
    "U5PMCCjjmCXPI6T53iHTfIUJrU6adTrCC2qJeHZERxhlbI1Bjjt/msv0tadQ1wUs\n"
    "N+gDS63pYaACbvXy8MWy7Vu33PqUXHeeE6V/Uq2V8viTO96LXFvKWlJbYK8U90vv\n"
    "o/ufQJVtMVT8QtPHRh8jrdkPSHCa2XV4cdFyQzR1bldZwgJcJmApzyMZFo6IQ6XU\n"
    "5MsI+yMRQ+hDKXJioaldXgjUkK642M4UwtBV8ob2xJNDd2ZhwLnoQdeXeGADbkpy\n"
    "rqXRfboQnoZsG4q5WTP468SQvvG5\n"
    "-----END CERTIFICATE-----\n";

enum status account_find(struct aws_target *state, struct error *error)
{
    struct aws_call call = {0};
    if (state->account)
        return FINE;
    sts_get_caller_identity(state->aws, &call);
    enum status status = aws_finish(state->aws, &call, error);
    const char *account =
        json_string(json_get(call.answer, "GetCallerIdentityResult"), "Account", NULL);
    if (!status && !account)
        status = fail(error, REFUSED, "AWS does not say which account these credentials are of");
    if (!status)
        state->account = must_copy(account);
    aws_call_free(&call);
    return status;
}

static enum status aws_place(struct target *target, const char *thing,
                             struct registration *registration, struct error *error)
{
    struct aws_target *state = target->state;
    enum status status = account_find(state, error);
    if (status)
        return status;
    const char *region = registration->region, *account = registration->account;
    if (!region && !account) {
        registration->account = must_copy(state->account);
        registration->region = must_copy(aws_region(state->aws));
        return FINE;
    }
    if (account && strcmp(account, state->account) != 0) {
        fail(error, WRONG_INPUT, "%s was made in the account %s; these credentials (%s) are of %s",
             thing, account, aws_credentials_source(state->aws), state->account);
        return advise(error, "choose others by PROFILE=... or AWS_PROFILE");
    }
    if (region && strcmp(region, aws_region(state->aws)) != 0) {
        fail(error, WRONG_INPUT, "%s was made in the region %s, and this is %s", thing, region,
             aws_region(state->aws));
        return advise(error, "set aws.region to %s in " SYSTEM_FILE, region);
    }
    return FINE;
}

enum status account_host(struct aws_target *state, const char **host, struct error *error)
{
    struct aws_call call = {0};
    enum status status = FINE;
    if (!state->host) {
        iot_describe_endpoint(state->aws, &call);
        status = aws_finish(state->aws, &call, error);
        const char *address = json_string(call.answer, "endpointAddress", NULL);
        if (!status && !address)
            status =
                fail(error, REFUSED, "AWS IoT named no endpoint (request %s)", call.request_id);
        if (!status)
            state->host = must_copy(address);
        aws_call_free(&call);
    }
    *host = state->host;
    return status;
}

static enum status aws_endpoint(struct target *target, const char **host, int *port,
                                struct error *error)
{
    *port = ENDPOINT_PORT;
    return account_host(target->state, host, error);
}

static enum status aws_authority(struct target *target, struct text *der, struct error *error)
{
    (void)target;
    X509 *root = NULL;
    enum status status = certificate_from_pem(amazon_root, sizeof amazon_root - 1, &root, error);
    if (!status)
        status = certificate_to_der(root, der, error);
    X509_free(root);
    return status;
}

static enum status aws_amend(struct target *target, const char *thing, const char *claim,
                             const struct attributes *attributes, struct error *error)
{
    struct aws_target *state = target->state;
    struct aws_call call = {0};
    iot_describe_thing(state->aws, &call, thing);
    enum status status = aws_finish(state->aws, &call, error);
    if (!status && strcmp(thing_claim(call.answer), claim) != 0)
        status = fail(error, WRONG_INPUT,
                      "%s of the account is another thing than the one of this project", thing);
    aws_call_free(&call);
    if (status)
        return status;
    cJSON *all = claimed_attributes(claim, attributes);
    iot_update_thing(state->aws, &call, thing, all);
    status = aws_finish(state->aws, &call, error);
    aws_call_free(&call);
    cJSON_Delete(all);
    return status;
}

static enum status aws_parent(struct target *target, struct error *error)
{
    struct aws_target *state = target->state;
    return aws_before_fork(state->aws, error);
}

static void aws_child(struct target *target)
{
    struct aws_target *state = target->state;
    aws_after_fork(state->aws);
}

static void aws_target_close(struct target *target)
{
    struct aws_target *state = target->state;
    search_free(state);
    error_free(&state->hopeless);
    aws_close(state->aws);
    free(state->host);
    free(state->account);
    free(state);
}

enum status aws_target_open(const struct system *system, const struct account_options *options,
                            struct target *target, struct error *error)
{
    struct aws *aws = NULL;
    enum status status = account_open(system, options, &aws, error);
    if (status)
        return status;
    struct aws_target *state = must_alloc(sizeof *state);
    state->aws = aws;
    state->system = system->name;
    *target = (struct target){.kind = TARGET_AWS,
                              .system = system->name,
                              .state = state,
                              .remote = true,
                              .group = GROUP,
                              .place = aws_place,
                              .look = aws_look,
                              .list = aws_list_things,
                              .endpoint = aws_endpoint,
                              .authority = aws_authority,
                              .enrol = aws_enrol,
                              .amend = aws_amend,
                              .retire = aws_retire,
                              .before_fork = aws_parent,
                              .after_fork = aws_child,
                              .close = aws_target_close};
    return FINE;
}
