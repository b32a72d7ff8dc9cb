#include "settings.h"
#include "common/base/memory.h"
#include "common/base/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USUAL_IN_FLIGHT = 16 };

/* Seconds. */
static const double usual_backoff = 0.5, usual_timeout = 60;

static double number_of(const char *variable, double usual)
{
    const char *given = environment(variable);
    double number = given ? strtod(given, NULL) : usual;
    return number >= 0 && number <= 3600 ? number : usual;
}

/* As botocore/configprovider.py: AWS_DEFAULT_PROFILE is the older name, and comes first. */
static const char *profile_of(const struct aws_options *options)
{
    static const char *const variables[] = {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"};
    if (options->profile)
        return options->profile;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (environment(variables[i]))
            return environment(variables[i]);
    return options->otherwise_profile ? options->otherwise_profile : "default";
}

/* A machine that has keys in its environment need not know the project's profile. */
static enum status check_profile(const struct aws_settings *settings,
                                 const struct aws_options *options, struct error *error)
{
    bool named =
        options->profile || environment("AWS_DEFAULT_PROFILE") || environment("AWS_PROFILE");
    if (profile_exists(settings->profiles, settings->profile) ||
        strcmp(settings->profile, "default") == 0 || (!named && environment("AWS_ACCESS_KEY_ID")))
        return FINE;
    struct text names = {0};
    profile_names(settings->profiles, &names);
    fail(error, WRONG_INPUT, "there is no profile \"%s\" in %s or %s", settings->profile,
         profile_file_name(settings->profiles, CONFIG_FILE),
         profile_file_name(settings->profiles, CREDENTIALS_FILE));
    if (names.length)
        advise(error, "there are: %s", text_string(&names));
    else
        advise(error, "make one: aws configure --profile %s", settings->profile);
    text_free(&names);
    return WRONG_INPUT;
}

static enum status find_region(struct aws_settings *settings, const char *region,
                               struct error *error)
{
    if (!region)
        region = environment("AWS_REGION");
    if (!region)
        region = environment("AWS_DEFAULT_REGION");
    if (!region)
        region = profile_setting(settings->profiles, settings->profile, "region", NULL);
    if (!region || !*region) {
        fail(error, WRONG_INPUT, "which region of AWS?");
        advise(error,
               "set `region` under `aws` in " SYSTEM_FILE ", or AWS_REGION, or\n"
               "`region` of profile \"%s\" (aws configure set region eu-west-1 --profile %s)",
               settings->profile, settings->profile);
        return WRONG_INPUT;
    }
    if (!region_valid(region))
        return fail(error, WRONG_INPUT, "\"%s\" is not the name of a region, like eu-west-1",
                    region);
    settings->region = must_copy(region);
    settings->partition = region_partition(region);
    return FINE;
}

static enum status find_certificates(struct aws_settings *settings, struct error *error)
{
    const char *path = environment("AWS_CA_BUNDLE");
    const char *fips = environment("AWS_USE_FIPS_ENDPOINT");
    if (!path)
        path = profile_setting(settings->profiles, settings->profile, "ca_bundle", NULL);
    settings->fips = says_true(
        fips ? fips
             : profile_setting(settings->profiles, settings->profile, "use_fips_endpoint", NULL));
    if (!path || !*path)
        return FINE;
    if (access(path, R_OK) != 0)
        return fail_errno(error, "the authorities in %s (AWS_CA_BUNDLE, ca_bundle) cannot be read",
                          path);
    settings->certificates = must_copy(path);
    return FINE;
}

enum status settings_read(const struct aws_options *options, struct aws_settings **settings,
                          struct error *error)
{
    struct aws_settings *made = must_alloc(sizeof *made);
    enum status status;
    *made = (struct aws_settings){
        .profile = must_copy(profile_of(options)),
        .is_explicit = options->profile != NULL,
        .rate = options->rate,
        .in_flight = options->in_flight ? options->in_flight : USUAL_IN_FLIGHT,
        .backoff = number_of("SENSORFORGE_AWS_BACKOFF", usual_backoff),
        .timeout_ms = lround(number_of("SENSORFORGE_AWS_TIMEOUT", usual_timeout) * 1000),
        .ask = options->ask,
        .log = options->log,
        .log_context = options->log_context,
    };
    *settings = made;
    if ((status = profiles_read(&made->profiles, error)) ||
        (status = check_profile(made, options, error)) ||
        (status = find_region(made, options->region, error)))
        return status;
    return find_certificates(made, error);
}

void settings_free(struct aws_settings *settings)
{
    if (!settings)
        return;
    profiles_free(settings->profiles);
    free(settings->profile);
    free(settings->region);
    free(settings->certificates);
    free(settings);
}
