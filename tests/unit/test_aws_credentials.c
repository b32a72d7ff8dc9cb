/* Credentials without a network: the order of the places, what each of them may hold, and what is
 * said where one is wrong. Roles, containers and instances are tests/aws/credentials.py's. */
#include "workplace.h"

#include "common/base/json.h"
#include "aws/client.h"
#include "aws/printable.h"
#include "aws/sources.h"

static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_SECURITY_TOKEN",
                                        "AWS_CREDENTIAL_EXPIRATION",
                                        "AWS_PROFILE",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_IOT",
                                        "AWS_CA_BUNDLE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_USE_FIPS_ENDPOINT",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"};

static int begin(void **state)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_CONFIG_FILE", "config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials", 1);
    setenv("AWS_REGION", "eu-west-1", 1);
    return clear_workplace(state);
}

/* Opens, and says who it is: "KEY from SOURCE", or "STATUS: message". */
static char *identity(const char *profile, const char *otherwise)
{
    struct aws *aws;
    struct error fault = {0};
    enum status status = aws_open(
        &(struct aws_options){.rate = 10, .profile = profile, .otherwise_profile = otherwise}, &aws,
        &fault);
    char *made =
        status ? must_format("%d: %s", status, text_string(&fault.message))
               : must_format("%s from %s", aws->credentials.key_id, aws_credentials_source(aws));
    error_free(&fault);
    aws_close(aws);
    return made;
}

static void assert_identity(const char *profile, const char *wanted)
{
    owned char *found = identity(profile, NULL);
    assert_string_equal(found, wanted);
}

static void set_keys(const char *id)
{
    setenv("AWS_ACCESS_KEY_ID", id, 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
}

static void order(void **state)
{
    (void)state;
    put("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n"
                       "[both]\naws_access_key_id = BOTH\naws_secret_access_key = s\n"
                       "credential_process = sh -c 'exit 9'\n");
    put("config", "[profile both]\naws_access_key_id = LATER\naws_secret_access_key = s\n"
                  "[profile config]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n"
                  "[profile process]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n"
                  "credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", "
                  "\"SecretAccessKey\": \"s\"}'\n");
    assert_identity(NULL, "FILE from profile \"default\"");
    assert_identity("both", "BOTH from profile \"both\"");
    assert_identity("config", "CONFIG from profile \"config\"");
    assert_identity("process", "PROCESS from profile \"process\"");
    setenv("AWS_PROFILE", "config", 1);
    assert_identity(NULL, "CONFIG from profile \"config\"");
    setenv("AWS_DEFAULT_PROFILE", "both", 1);
    assert_identity(NULL, "BOTH from profile \"both\"");
    set_keys("ENVIRONMENT");
    assert_identity(NULL, "ENVIRONMENT from environment");
    assert_identity("config", "CONFIG from profile \"config\"");
}

/* The project's profile counts last, and need not be there where the environment has keys. */
static void project_profile(void **state)
{
    (void)state;
    put("config", "[profile home]\naws_access_key_id = HOME\naws_secret_access_key = s\n");
    owned char *home = identity(NULL, "home"), *missing = identity(NULL, "gone");
    assert_string_equal(home, "HOME from profile \"home\"");
    assert_string_equal(missing, "1: there is no profile \"gone\" in config or credentials");
    set_keys("ENVIRONMENT");
    owned char *ci = identity(NULL, "gone");
    assert_string_equal(ci, "ENVIRONMENT from environment");
    setenv("AWS_PROFILE", "gone", 1);
    assert_identity(NULL, "1: there is no profile \"gone\" in config or credentials");
}

static void what_is_missing(void **state)
{
    (void)state;
    assert_identity(NULL, "1: no credentials for AWS: not in the environment, not in profile "
                          "\"default\", and this machine has no role");
    setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    assert_identity(NULL, "1: the environment has AWS_ACCESS_KEY_ID, and no AWS_SECRET_ACCESS_KEY");
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow", 1);
    assert_identity(NULL, "1: AWS_CREDENTIAL_EXPIRATION is no time like 2026-11-21T10:12:00Z");
    put("config", "[profile half]\naws_access_key_id = AK\n[profile role]\nrole_arn = a\n"
                  "[profile two]\nrole_arn = a\nsource_profile = half\ncredential_source = "
                  "Environment\n[profile far]\nrole_arn = a\nsource_profile = nowhere\n"
                  "[profile odd]\nrole_arn = a\ncredential_source = Moon\n"
                  "[profile bare]\noutput = json\n[profile over]\nrole_arn = a\n"
                  "source_profile = bare\n");
    assert_identity("half", "1: profile \"half\" in config has aws_access_key_id, and no "
                            "aws_secret_access_key");
    assert_identity("role", "1: profile \"role\" has role_arn, and needs also source_profile or "
                            "credential_source");
    assert_identity("two", "1: profile \"two\" has role_arn, and needs only one of source_profile "
                           "and credential_source");
    assert_identity("far", "1: profile \"far\" has source_profile = nowhere, and there is no such "
                           "profile");
    assert_identity("odd",
                    "1: profile \"odd\" has credential_source = Moon; there are Environment, "
                    "Ec2InstanceMetadata and EcsContainer");
    assert_identity("over", "1: profile \"bare\", which is the source_profile of \"over\", has no "
                            "credentials");
}

static void circles(void **state)
{
    (void)state;
    put("config", "[profile a]\nrole_arn = x\nsource_profile = b\n"
                  "[profile b]\nrole_arn = x\nsource_profile = c\n"
                  "[profile c]\nrole_arn = x\nsource_profile = a\n"
                  "[profile self]\nrole_arn = x\nsource_profile = self\n");
    assert_identity("a", "1: profile \"c\" has source_profile = a: the chain of source profiles "
                         "never comes to an end");
    assert_identity("self", "1: profile \"self\" has source_profile = self: the chain of source "
                            "profiles never comes to an end");
}

static void long_chains(void **state)
{
    (void)state;
    struct text config = {0};
    for (int i = 0; i < 20; i++)
        text_add_format(&config, "[profile p%d]\nrole_arn = x\nsource_profile = p%d\n", i, i + 1);
    put("config", text_string(&config));
    assert_identity("p0", "1: profile \"p7\" has source_profile = p8: the chain of source profiles "
                          "never comes to an end");
    text_free(&config);
}

static void codes_without_a_person(void **state)
{
    (void)state;
    put("config", "[profile keys]\naws_access_key_id = A\naws_secret_access_key = s\n"
                  "[profile work]\nrole_arn = x\nsource_profile = keys\nmfa_serial = arn:mfa\n");
    assert_identity("work", "3: profile \"work\" needs the code of an MFA device, and there is "
                            "nobody to ask");
}

static void regions(void **state)
{
    (void)state;
    set_keys("A");
    setenv("AWS_REGION", "eu-west-1.evil.example", 1);
    assert_identity(NULL,
                    "1: \"eu-west-1.evil.example\" is not the name of a region, like eu-west-1");
    unsetenv("AWS_REGION");
    assert_identity(NULL, "1: which region of AWS?");
    setenv("AWS_DEFAULT_REGION", "cn-north-1", 1);
    struct aws *aws;
    assert_fine(aws_open(&(struct aws_options){.rate = 10}, &aws, &error));
    assert_string_equal(aws_region(aws), "cn-north-1");
    assert_string_equal(aws_partition(aws), "aws-cn");
    aws_close(aws);
    put("config", "[default]\nregion = us-gov-west-1\n");
    unsetenv("AWS_DEFAULT_REGION");
    assert_fine(aws_open(&(struct aws_options){.rate = 10}, &aws, &error));
    assert_string_equal(aws_region(aws), "us-gov-west-1");
    aws_close(aws);
    assert_fine(
        aws_open(&(struct aws_options){.rate = 10, .region = "eu-central-1"}, &aws, &error));
    assert_string_equal(aws_region(aws), "eu-central-1");
    assert_string_equal(aws_partition(aws), "aws");
    aws_close(aws);
}

/* --- hosts: as botocore resolves them --- */

static const struct aws_service iot = {
    .name = "iot", .endpoint = "iot", .variable = "IOT", .section = "iot"};
static const struct aws_service sts = {
    .name = "sts", .endpoint = "sts", .variable = "STS", .section = "sts"};
static const struct aws_service iam = {
    .name = "iam", .endpoint = "iam", .variable = "IAM", .section = "iam", .global = true};
static const struct aws_service timestream = {.name = "timestream",
                                              .endpoint = "ingest.timestream",
                                              .variable = "TIMESTREAM_WRITE",
                                              .section = "timestream_write"};

static void assert_endpoint(const struct aws_service *service, const char *region, bool fips,
                            const char *host, const char *wanted)
{
    struct aws_profiles *profiles;
    struct endpoint endpoint;
    assert_fine(profiles_read(&profiles, &error));
    struct aws_settings settings = {.profile = (char *)"default",
                                    .profiles = profiles,
                                    .region = (char *)region,
                                    .partition = region_partition(region),
                                    .fips = fips};
    assert_fine(endpoint_find(&settings, service, host, &endpoint, &error));
    owned char *made = must_format("%s%s %s", endpoint.root, endpoint.path, endpoint.region);
    assert_string_equal(made, wanted);
    assert_true(ends_with(endpoint.root, endpoint.host));
    endpoint_free(&endpoint);
    profiles_free(profiles);
}

static void hosts(void **state)
{
    (void)state;
    assert_endpoint(&iot, "eu-west-1", false, NULL,
                    "https://iot.eu-west-1.amazonaws.com eu-west-1");
    assert_endpoint(&iot, "cn-north-1", false, NULL,
                    "https://iot.cn-north-1.amazonaws.com.cn cn-north-1");
    assert_endpoint(&iot, "us-iso-east-1", false, NULL,
                    "https://iot.us-iso-east-1.c2s.ic.gov us-iso-east-1");
    assert_endpoint(&iot, "us-isob-east-1", false, NULL,
                    "https://iot.us-isob-east-1.sc2s.sgov.gov us-isob-east-1");
    assert_endpoint(&iot, "eusc-de-east-1", false, NULL,
                    "https://iot.eusc-de-east-1.amazonaws.eu eusc-de-east-1");
    assert_endpoint(&iot, "us-east-1", true, NULL,
                    "https://iot-fips.us-east-1.amazonaws.com us-east-1");
    assert_endpoint(&sts, "us-gov-west-1", true, NULL,
                    "https://sts.us-gov-west-1.amazonaws.com us-gov-west-1");
    assert_endpoint(&iam, "eu-west-1", false, NULL, "https://iam.amazonaws.com us-east-1");
    assert_endpoint(&iam, "us-gov-east-1", false, NULL,
                    "https://iam.us-gov.amazonaws.com us-gov-west-1");
    assert_endpoint(&iam, "cn-northwest-1", false, NULL,
                    "https://iam.cn-north-1.amazonaws.com.cn cn-north-1");
    assert_endpoint(&timestream, "eu-west-1", false, NULL,
                    "https://ingest.timestream.eu-west-1.amazonaws.com eu-west-1");
    assert_endpoint(&timestream, "eu-west-1", false,
                    "ingest-cell2.timestream.eu-west-1.amazonaws.com",
                    "https://ingest-cell2.timestream.eu-west-1.amazonaws.com eu-west-1");
}

static void overrides(void **state)
{
    (void)state;
    const char *usual = "https://iot.eu-west-1.amazonaws.com eu-west-1";
    put("config", "[default]\nendpoint_url = http://profile\nservices = dev\n"
                  "[services dev]\niot =\n  endpoint_url = https://section:443/\n");
    assert_endpoint(&iot, "eu-west-1", false, NULL, "https://section eu-west-1");
    assert_endpoint(&sts, "eu-west-1", false, NULL, "http://profile eu-west-1");
    setenv("AWS_ENDPOINT_URL", "http://localhost:5000/mock/", 1);
    assert_endpoint(&iot, "eu-west-1", false, NULL, "http://localhost:5000/mock eu-west-1");
    assert_endpoint(&iot, "eu-west-1", false, "cell", "http://localhost:5000/mock eu-west-1");
    setenv("AWS_ENDPOINT_URL_IOT", "http://[::1]:80", 1);
    assert_endpoint(&iot, "eu-west-1", false, NULL, "http://[::1] eu-west-1");
    assert_endpoint(&sts, "eu-west-1", false, NULL, "http://localhost:5000/mock eu-west-1");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE", 1);
    assert_endpoint(&iot, "eu-west-1", false, NULL, usual);
    unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    put("config", "[default]\nignore_configured_endpoint_urls = true\n");
    assert_endpoint(&iot, "eu-west-1", false, NULL, usual);
}

static void wrong_endpoints(void **state)
{
    (void)state;
    static const char *const wrong[] = {"localhost:5000",  "ftp://host",       "http://",
                                        "http://u:p@host", "http://host/?a=b", "http://host/#a",
                                        "nonsense"};
    struct aws_profiles *profiles;
    struct endpoint endpoint;
    put("config", "[default]\nservices = gone\n");
    assert_fine(profiles_read(&profiles, &error));
    struct aws_settings settings = {.profile = (char *)"default",
                                    .profiles = profiles,
                                    .region = (char *)"eu-west-1",
                                    .partition = region_partition("eu-west-1")};
    assert_failed(endpoint_find(&settings, &iot, NULL, &endpoint, &error), WRONG_INPUT,
                  "profile \"default\" names services = gone, and there is no such section");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("AWS_ENDPOINT_URL", wrong[i], 1);
        assert_failed(endpoint_find(&settings, &iot, NULL, &endpoint, &error), WRONG_INPUT,
                      "AWS_ENDPOINT_URL is not the URL of an endpoint");
        endpoint_free(&endpoint);
    }
    profiles_free(profiles);
}

/* --- programs --- */

static void assert_process(const char *command, enum status wanted, const char *said)
{
    struct aws_credentials found = {0};
    enum status status = credentials_of_process(command, "profile \"x\"", &found, &error);
    assert_int_equal(status, wanted);
    if (status)
        assert_string_equal(text_string(&error.message), said);
    else
        assert_string_equal(found.key_id, said);
    credentials_free(&found);
}

static void processes(void **state)
{
    (void)state;
    assert_process("echo '{\"Version\":1,\"AccessKeyId\":\"A B\",\"SecretAccessKey\":\"s\","
                   "\"SessionToken\":\"t\",\"Expiration\":\"2026-11-21T10:12:00Z\"}'",
                   FINE, "A B");
    assert_process("echo '$HOME | nothing'", REFUSED,
                   "credential_process of profile \"x\" did not write JSON");
    assert_process("echo '{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}'", REFUSED,
                   "credential_process of profile \"x\" did not write \"Version\": 1");
    assert_process("echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'", REFUSED,
                   "profile \"x\" gave no credentials: SecretAccessKey is missing");
    assert_process("echo '{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
                   "\"Expiration\":\"soon\"}'",
                   REFUSED,
                   "profile \"x\" gave credentials whose Expiration is no time like "
                   "2026-11-21T10:12:00Z");
    assert_process("sh -c 'exit 7'", REFUSED,
                   "credential_process of profile \"x\" failed (exit code 7)");
    assert_process("sh -c 'kill -9 $$'", REFUSED,
                   "credential_process of profile \"x\" failed (exit code -1)");
    assert_process("./nowhere", REFUSED,
                   "credential_process of profile \"x\" cannot be run: No such file or directory");
    assert_process("'open", WRONG_INPUT,
                   "credential_process of profile \"x\" has a quote that is not closed");
    assert_process("head -c 100000 /dev/zero", REFUSED,
                   "credential_process of profile \"x\" failed (exit code -1)");
}

/* --- what a service says, on its way to a terminal --- */

static void assert_clean(const char *said, const char *wanted)
{
    struct text made = {0};
    printable_add(said, &made);
    assert_string_equal(text_string(&made), wanted);
    text_free(&made);
}

static void cleaning(void **state)
{
    (void)state;
    assert_clean("", "");
    assert_clean("User is\nnot  authorized\r\n", "User is not authorized");
    assert_clean("\x1b[31mred\x1b[0m\a", "[31mred [0m");
    assert_clean("K\xc3\xbc \xc2\x9b"
                 "31m",
                 "K\xc3\xbc 31m");
    assert_clean("good \xff bad", "good...");
    char longer[2001];
    memset(longer, 'x', 2000);
    longer[2000] = '\0';
    struct text made = {0};
    printable_add(longer, &made);
    assert_int_equal(made.length, 603);
    text_free(&made);
}

/* --- calls that nobody waits for --- */

static void count_done(struct aws_call *call, void *context)
{
    (void)call;
    ++*(int *)context;
}

static void submit_one(struct aws *aws, struct aws_call *call, double pause, int *done)
{
    *call = (struct aws_call){.done = count_done, .context = done, .pause = pause};
    aws_submit(aws, call, &(struct aws_request){.service = &iot, .operation = "ListThings"});
}

/* Given up by the caller, dropped at the end, and left to the parent after a fork. */
static void given_up(void **state)
{
    (void)state;
    struct aws *aws;
    struct aws_call calls[3];
    int done = 0;
    set_keys("A");
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1); /* where nobody listens */
    setenv("SENSORFORGE_AWS_BACKOFF", "0.001", 1);
    assert_fine(aws_open(&(struct aws_options){.rate = 10}, &aws, &error));
    for (size_t i = 0; i < 3; i++)
        submit_one(aws, &calls[i], 0, &done);
    aws_call_free(&calls[1]);
    assert_int_equal(aws_finish(aws, &calls[0], NULL), REFUSED);
    assert_true(aws_failed_with(&calls[0], "NoAnswer"));
    aws_run(aws);
    assert_int_equal(done, 2);
    submit_one(aws, &calls[1], 100, &done);
    aws_after_fork(aws); /* as if this were the child */
    assert_null(calls[1].transfer);
    aws_run(aws);
    submit_one(aws, &calls[1], 0, &done);
    aws_run(aws);
    assert_int_equal(done, 3);
    aws_call_free(&calls[2]);
    submit_one(aws, &calls[2], 100, &done);
    aws_close(aws);
    assert_null(calls[2].transfer);
    assert_int_equal(done, 3);
    for (size_t i = 0; i < 3; i++)
        aws_call_free(&calls[i]);
}

/* --- a provider of the test's own --- */

struct fake {
    struct credentials_provider provider; /* first */
    time_t lasts;                         /* seconds that what it gives lasts; 0: for ever */
    bool fails, forked, closed;
    int asked;
};

static enum status fake_find(struct credentials_provider *provider,
                             const struct credentials_need *need, struct aws_credentials *found,
                             struct error *fault)
{
    struct fake *fake = (struct fake *)provider;
    assert_false(need->refused);
    assert_int_equal(need->clock_ahead, 0);
    fake->asked++;
    *found = (struct aws_credentials){0};
    if (fake->fails)
        return (fail)(fault, REFUSED, "the provider gives none");
    *found = (struct aws_credentials){.key_id = must_format("KEY%d", fake->asked),
                                      .secret_key = secret_copy("s", 1),
                                      .expires = fake->lasts ? time(NULL) + fake->lasts : 0,
                                      .source = must_copy("test")};
    return FINE;
}

static void fake_after_fork(struct credentials_provider *provider)
{
    ((struct fake *)provider)->forked = true;
}

static void fake_close(struct credentials_provider *provider)
{
    ((struct fake *)provider)->closed = true;
}

static enum status open_with(struct fake *fake, struct aws **aws)
{
    struct aws_settings *settings;
    fake->provider = (struct credentials_provider){fake_find, fake_after_fork, fake_close};
    assert_fine(settings_read(&(struct aws_options){0}, &settings, &error));
    return client_open(settings, limits_open(settings->rate), &fake->provider, aws, &error);
}

/* Before a fork, credentials that end within FRESH_SECONDS are found anew. Where there are no others
 * yet, the old ones serve until they end. */
static void renewal(void **state)
{
    (void)state;
    static const struct {
        time_t lasts;
        bool fails;
        enum status status;
        int asked; /* when it was opened, and before the fork */
        const char *key;
    } cases[] = {
        {0, false, FINE, 1, "KEY1"},
        {FRESH_SECONDS + 60, false, FINE, 1, "KEY1"},
        {FRESH_SECONDS - 60, false, FINE, 2, "KEY2"},
        {FRESH_SECONDS - 60, true, FINE, 2, "KEY1"},
        {-60, false, FINE, 2, "KEY2"},
        {-60, true, REFUSED, 2, "KEY1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake fake = {.lasts = cases[i].lasts};
        struct aws *aws;
        assert_fine(open_with(&fake, &aws));
        fake.fails = cases[i].fails;
        assert_int_equal(aws_before_fork(aws, &error), cases[i].status);
        assert_string_equal(aws->credentials.key_id, cases[i].key);
        assert_int_equal(fake.asked, cases[i].asked);
        aws_after_fork(aws); /* as if this were the child */
        assert_true(fake.forked && !fake.closed);
        aws_close(aws);
        assert_true(fake.closed);
        error_free(&error);
    }
}

static void no_credentials(void **state)
{
    (void)state;
    struct fake fake = {.fails = true};
    struct aws *aws;
    assert_failed(open_with(&fake, &aws), REFUSED, "the provider gives none");
    assert_null(aws);
    assert_true(fake.closed);
}

/* --- rates --- */

static void rates(void **state)
{
    (void)state;
    struct limits *limits = limits_open(10);
    struct limit *one = limit_of(limits, "iot CreateThing", 1),
                 *other = limit_of(limits, "iot AttachPolicy", 1);
    assert_ptr_not_equal(one, other);
    assert_ptr_equal(one, limit_of(limits, "iot CreateThing", 1));
    for (int i = 0; i < 10; i++)
        assert_true(limit_take(one) == 0);
    double wait = limit_take(one);
    assert_true(wait > 0 && wait <= 0.1);
    assert_true(limit_take(other) == 0);
    limit_was_throttled(limits, one);
    limit_was_throttled(limits, one); /* the same second: all in flight are told the same */
    assert_true(limit_rate(one) > 4.99 && limit_rate(one) < 5.01);
    assert_true(limit_rate(other) > 9.99);
    double before = limit_rate(one);
    limit_went_well(limits, one);
    assert_true(limit_rate(one) > before && limit_rate(one) < before + 0.11);
    for (int i = 0; i < 100; i++)
        limit_went_well(limits, one);
    assert_true(limit_rate(one) > 9.99 && limit_rate(one) < 10.01);
    for (int i = 0; i < 200; i++) {
        owned char *name = must_format("iot Operation%d", i);
        struct limit *limit = limit_of(limits, name, 1);
        assert_true(i < 126 ? limit != NULL : limit == NULL);
    }
    limits_close(limits);
}

static void rates_of_reads(void **state)
{
    (void)state;
    struct limits *limits = limits_open(10);
    struct limit *one = limit_of(limits, "iot DescribeThing", READS_FASTER);
    assert_true(limit_rate(one) > 39.99 && limit_rate(one) < 40.01);
    for (int i = 0; i < 40; i++)
        assert_true(limit_take(one) == 0);
    assert_true(limit_take(one) > 0);
    limit_was_throttled(limits, one);
    assert_true(limit_rate(one) > 19.99 && limit_rate(one) < 20.01);
    limit_went_well(limits, one);
    assert_true(limit_rate(one) > 20.09 && limit_rate(one) < 20.11);
    for (int i = 0; i < 300; i++)
        limit_went_well(limits, one);
    assert_true(limit_rate(one) > 39.99 && limit_rate(one) < 40.01);
    limits_close(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order, begin),
        cmocka_unit_test_setup(renewal, begin),
        cmocka_unit_test_setup(no_credentials, begin),
        cmocka_unit_test_setup(project_profile, begin),
        cmocka_unit_test_setup(what_is_missing, begin),
        cmocka_unit_test_setup(circles, begin),
        cmocka_unit_test_setup(long_chains, begin),
        cmocka_unit_test_setup(codes_without_a_person, begin),
        cmocka_unit_test_setup(regions, begin),
        cmocka_unit_test_setup(hosts, begin),
        cmocka_unit_test_setup(overrides, begin),
        cmocka_unit_test_setup(wrong_endpoints, begin),
        cmocka_unit_test(processes),
        cmocka_unit_test(cleaning),
        cmocka_unit_test_setup(given_up, begin),
        cmocka_unit_test(rates),
        cmocka_unit_test(rates_of_reads),
    };
    return cmocka_run_group_tests(tests, go_to_workplace, leave_workplace);
}
