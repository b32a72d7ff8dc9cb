#include "chain.h"
#include "client.h"
#include "sources.h"
#include "sts.h"
#include "common/base/files.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_CHAIN = 8, LARGEST_TOKEN = 64 << 10 };

struct chain {
    struct credentials_provider provider; /* first: its functions get a pointer to it */
    const struct aws_settings *settings;
    struct limits *limits;
    bool forked; /* nobody can be asked: other processes would ask at the same time */
};

/* One walk along the chain. */
struct search {
    const struct chain *chain;
    const struct aws_settings *settings;
    const struct credentials_need *need;
    const char *visited[LONGEST_CHAIN]; /* profiles whose role is being assumed */
    size_t depth;
};

static struct secret secret_of(const char *string)
{
    return string ? secret_copy(string, strlen(string)) : (struct secret){0};
}

static const char *setting(const struct search *search, const char *profile, const char *key)
{
    const char *value = profile_setting(search->settings->profiles, profile, key, NULL);
    return value && *value ? value : NULL;
}

/* --- keys as they are --- */

static enum status half(const char *where, const char *there, const char *missing,
                        struct error *error)
{
    return fail(error, WRONG_INPUT, "%s has %s, and no %s", where, there, missing);
}

static enum status of_environment(struct aws_credentials *found, struct error *error)
{
    const char *id = environment("AWS_ACCESS_KEY_ID"), *key = environment("AWS_SECRET_ACCESS_KEY");
    const char *ends = environment("AWS_CREDENTIAL_EXPIRATION");
    const char *token = environment("AWS_SECURITY_TOKEN"); /* the older name comes first */
    time_t expires = 0;
    if (!id)
        return FINE;
    if (!key)
        return half("the environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", error);
    if (ends && !credentials_read_time(ends, &expires))
        return fail(error, WRONG_INPUT,
                    "AWS_CREDENTIAL_EXPIRATION is no time like 2026-11-21T10:12:00Z");
    *found = (struct aws_credentials){
        .key_id = must_copy(id),
        .secret_key = secret_of(key),
        .token = secret_of(token ? token : environment("AWS_SESSION_TOKEN")),
        .expires = expires,
        .source = must_copy("environment")};
    return FINE;
}

static enum status of_file(const struct search *search, enum profile_file file, const char *profile,
                           struct aws_credentials *found, struct error *error)
{
    const struct aws_profiles *all = search->settings->profiles;
    const char *id = profile_setting_of(all, file, profile, "aws_access_key_id");
    const char *key = profile_setting_of(all, file, profile, "aws_secret_access_key");
    const char *token = profile_setting_of(all, file, profile, "aws_security_token");
    if (!id)
        return FINE;
    owned char *where = must_format("profile \"%s\" in %s", profile, profile_file_name(all, file));
    if (!*id || !key || !*key)
        return half(where, "aws_access_key_id", "aws_secret_access_key", error);
    if (!token)
        token = profile_setting_of(all, file, profile, "aws_session_token");
    *found = (struct aws_credentials){.key_id = must_copy(id),
                                      .secret_key = secret_of(key),
                                      .token = secret_of(token && *token ? token : NULL),
                                      .source = must_format("profile \"%s\"", profile)};
    return FINE;
}

/* --- roles --- */

static char *session_name(const char *given)
{
    return given ? must_copy(given) : must_format("sensorforge-%lld", (long long)time(NULL));
}

static enum status read_role(struct aws_call *call, const char *result, const char *profile,
                             struct aws_credentials *found, struct error *error)
{
    owned char *source = must_format("profile \"%s\"", profile);
    const cJSON *answer = json_get(json_get(call->answer, result), "Credentials");
    return credentials_read(answer, "SessionToken", true, source, found, error);
}

static bool is_whole_number(const char *string)
{
    return string && *string && string[strspn(string, "0123456789")] == '\0';
}

static enum status ask_code(const struct search *search, const char *profile, const char *serial,
                            struct secret *code, struct error *error)
{
    if (search->chain->forked)
        return fail(
            error, REFUSED,
            "the session of profile \"%s\" has ended; run the same command again: it goes on "
            "where this one stopped",
            profile);
    if (!search->settings->ask) {
        fail(error, REFUSED,
             "profile \"%s\" needs the code of an MFA device, and there is nobody to ask", profile);
        return advise(error, "run the command in a terminal, or give it keys that need no code");
    }
    owned char *question = must_format("MFA code for %s: ", serial);
    return search->settings->ask(question, false, code)
               ? FINE
               : fail(error, WRONG_USAGE, "the code of the MFA device was not given");
}

/* When it cannot be kept, the next command asks for a code again. */
static void keep_session(const struct search *search, const struct cached_role *role,
                         const struct aws_call *call)
{
    const struct aws_settings *settings = search->settings;
    struct error error = {0};
    if (credentials_to_cache(role, json_get(call->answer, "AssumeRoleResult"), &error) &&
        settings->log) {
        owned char *line = must_format("the session is not kept: %s", text_string(&error.message));
        settings->log(settings->log_context, line);
    }
    error_free(&error);
}

/* A client for one call of STS. The client that waits for the credentials cannot be used for it. */
static enum status open_client(const struct search *search,
                               const struct aws_credentials *credentials, struct aws **client,
                               struct error *error)
{
    return client_open_for_one(search->settings, search->chain->limits, credentials,
                               search->need->clock_ahead, client, error);
}

static enum status assume(const struct search *search, const char *profile,
                          const struct cached_role *role, const struct aws_credentials *source,
                          struct aws_credentials *found, struct error *error)
{
    struct aws *client;
    struct aws_call call = {0};
    secret_owned struct secret code = {0};
    owned char *session = session_name(role->session);
    enum status status =
        role->mfa_serial ? ask_code(search, profile, role->mfa_serial, &code, error) : FINE;
    if (status || (status = open_client(search, source, &client, error)))
        return status;
    sts_assume_role(client, &call,
                    &(struct sts_role){.arn = role->arn,
                                       .session = session,
                                       .external_id = role->external_id,
                                       .seconds = role->seconds,
                                       .mfa_serial = role->mfa_serial,
                                       .mfa_code = code.at});
    status = aws_finish(client, &call, error);
    if (!status)
        status = read_role(&call, "AssumeRoleResult", profile, found, error);
    if (!status && role->mfa_serial)
        keep_session(search, role, &call);
    aws_call_free(&call);
    aws_close(client);
    return status;
}

static struct cached_role role_of(const struct search *search, const char *profile)
{
    const char *seconds = setting(search, profile, "duration_seconds");
    return (struct cached_role){.arn = setting(search, profile, "role_arn"),
                                .external_id = setting(search, profile, "external_id"),
                                .seconds = is_whole_number(seconds) ? seconds : NULL,
                                .mfa_serial = setting(search, profile, "mfa_serial"),
                                .session = setting(search, profile, "role_session_name")};
}

static bool was_kept(const struct search *search, const char *profile,
                     const struct cached_role *role, struct aws_credentials *found)
{
    owned char *source = must_format("profile \"%s\"", profile);
    return role->mfa_serial && !search->need->refused &&
           credentials_of_cache(role, time(NULL) + search->need->clock_ahead, source, found);
}

static bool is_role(const struct search *search, const char *profile)
{
    return setting(search, profile, "role_arn") &&
           !setting(search, profile, "web_identity_token_file");
}

static bool has_keys(const struct search *search, const char *profile)
{
    return setting(search, profile, "aws_access_key_id") ||
           setting(search, profile, "aws_secret_access_key");
}

static enum status of_profile(struct search *search, const char *profile, bool alone,
                              struct aws_credentials *found, struct error *error);
static enum status of_role(struct search *search, const char *profile,
                           struct aws_credentials *found, struct error *error);

static enum status of_named_source(const struct search *search, const char *profile,
                                   const char *name, struct aws_credentials *found,
                                   struct error *error)
{
    enum status status;
    if (strcmp(name, "Environment") == 0)
        status = of_environment(found, error);
    else if (strcmp(name, "EcsContainer") == 0)
        status = credentials_of_container(search->settings, found, error);
    else if (strcmp(name, "Ec2InstanceMetadata") == 0)
        status = credentials_of_instance(search->settings, found, error);
    else
        return fail(error, WRONG_INPUT,
                    "profile \"%s\" has credential_source = %s; there are Environment, "
                    "Ec2InstanceMetadata and EcsContainer",
                    profile, name);
    if (!status && !found->key_id)
        status = fail(error, REFUSED,
                      "profile \"%s\" has credential_source = %s, and there are no credentials "
                      "there",
                      profile, name);
    return status;
}

static bool was_visited(const struct search *search, const char *profile)
{
    for (size_t i = 0; i < search->depth; i++)
        if (strcmp(search->visited[i], profile) == 0)
            return true;
    return false;
}

/* A profile may name itself as its source: then its own keys assume its role. */
static enum status of_source_profile(struct search *search, const char *profile, const char *name,
                                     struct aws_credentials *found, struct error *error)
{
    bool itself = strcmp(profile, name) == 0;
    if (!profile_exists(search->settings->profiles, name))
        return fail(error, WRONG_INPUT,
                    "profile \"%s\" has source_profile = %s, and there is no such profile", profile,
                    name);
    if ((was_visited(search, name) && !(itself && has_keys(search, name))) ||
        search->depth == LONGEST_CHAIN)
        return fail(error, WRONG_INPUT,
                    "profile \"%s\" has source_profile = %s: the chain of source profiles never "
                    "comes to an end",
                    profile, name);
    if (!has_keys(search, name) && is_role(search, name))
        return of_role(search, name, found, error);
    enum status status = of_profile(search, name, true, found, error);
    if (!status && !found->key_id)
        status = fail(error, WRONG_INPUT,
                      "profile \"%s\", which is the source_profile of \"%s\", has no credentials",
                      name, profile);
    return status;
}

static enum status of_role(struct search *search, const char *profile,
                           struct aws_credentials *found, struct error *error)
{
    const char *name = setting(search, profile, "source_profile");
    const char *place = setting(search, profile, "credential_source");
    struct aws_credentials source = {0};
    if (!name == !place)
        return fail(error, WRONG_INPUT,
                    "profile \"%s\" has role_arn, and needs %s source_profile %s credential_source",
                    profile, name ? "only one of" : "also", name ? "and" : "or");
    search->visited[search->depth++] = profile;
    struct cached_role role = role_of(search, profile);
    if (was_kept(search, profile, &role, found))
        return FINE;
    enum status status = name ? of_source_profile(search, profile, name, &source, error)
                              : of_named_source(search, profile, place, &source, error);
    if (!status)
        status = assume(search, profile, &role, &source, found, error);
    credentials_free(&source);
    return status;
}

/* --- web identity --- */

/* The variable of the environment, or else the profile's setting. alone: only the setting. */
static const char *identity_setting(const struct search *search, const char *profile, bool alone,
                                    const char *variable, const char *key)
{
    const char *value = alone ? NULL : environment(variable);
    return value ? value : setting(search, profile, key);
}

static enum status of_web_identity(const struct search *search, const char *profile, bool alone,
                                   struct aws_credentials *found, struct error *error)
{
    struct aws *client;
    struct aws_call call = {0};
    secret_owned struct secret token = {0};
    const char *path = identity_setting(search, profile, alone, "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "web_identity_token_file");
    const char *arn = identity_setting(search, profile, alone, "AWS_ROLE_ARN", "role_arn");
    if (!path)
        return FINE;
    if (!arn)
        return fail(error, WRONG_INPUT,
                    "there is a web identity's token (%s), and no role to assume with it: set "
                    "AWS_ROLE_ARN, or role_arn of profile \"%s\"",
                    path, profile);
    enum status status = read_secret(path, LARGEST_TOKEN, &token, error);
    if (status || (status = open_client(search, NULL, &client, error)))
        return status;
    owned char *session = session_name(
        identity_setting(search, profile, alone, "AWS_ROLE_SESSION_NAME", "role_session_name"));
    sts_assume_role_with_web_identity(
        client, &call,
        &(struct sts_role){.arn = arn, .session = session, .web_identity = token.at});
    status = aws_finish(client, &call, error);
    if (!status)
        status = read_role(&call, "AssumeRoleWithWebIdentityResult", profile, found, error);
    if (!status) {
        free(found->source);
        found->source = must_copy("web identity");
    }
    aws_call_free(&call);
    aws_close(client);
    return status;
}

/* --- the chain --- */

static bool signs_in(const struct search *search, const char *profile)
{
    return setting(search, profile, "sso_session") || setting(search, profile, "sso_start_url") ||
           setting(search, profile, "sso_account_id") || setting(search, profile, "sso_role_name");
}

/* found->key_id stays NULL when the profile has no credentials. alone: without the environment. */
static enum status of_profile(struct search *search, const char *profile, bool alone,
                              struct aws_credentials *found, struct error *error)
{
    owned char *source = must_format("profile \"%s\"", profile);
    const char *process = setting(search, profile, "credential_process");
    enum status status = of_web_identity(search, profile, alone, found, error);
    if (!status && !found->key_id && signs_in(search, profile))
        return credentials_of_cli(profile, source, found, error);
    if (!status && !found->key_id)
        status = of_file(search, CREDENTIALS_FILE, profile, found, error);
    if (!status && !found->key_id && setting(search, profile, "login_session"))
        return credentials_of_cli(profile, source, found, error);
    if (!status && !found->key_id && process)
        return credentials_of_process(process, source, found, error);
    if (!status && !found->key_id)
        status = of_file(search, CONFIG_FILE, profile, found, error);
    return status;
}

static enum status nothing_found(const char *profile, struct error *error)
{
    fail(error, WRONG_INPUT,
         "no credentials for AWS: not in the environment, not in profile \"%s\", and this machine "
         "has no role",
         profile);
    return advise(error,
                  "run aws configure --profile %s (or aws configure sso), or set AWS_ACCESS_KEY_ID "
                  "and AWS_SECRET_ACCESS_KEY,\nor name another profile with --profile",
                  profile);
}

static enum status find(struct search *search, struct aws_credentials *found, struct error *error)
{
    const char *profile = search->settings->profile;
    bool explicit = search->settings->is_explicit;
    enum status status = explicit ? FINE : of_environment(found, error);
    if (!status && !found->key_id && is_role(search, profile))
        return of_role(search, profile, found, error);
    if (!status && !found->key_id)
        status = of_profile(search, profile, explicit, found, error);
    if (!status && !found->key_id)
        status = credentials_of_container(search->settings, found, error);
    if (!status && !found->key_id)
        status = credentials_of_instance(search->settings, found, error);
    if (!status && !found->key_id)
        status = nothing_found(profile, error);
    return status;
}

static enum status chain_find(struct credentials_provider *provider,
                              const struct credentials_need *need, struct aws_credentials *found,
                              struct error *error)
{
    const struct chain *chain = (const struct chain *)provider;
    struct search search = {.chain = chain, .settings = chain->settings, .need = need};
    *found = (struct aws_credentials){0};
    enum status status = find(&search, found, error);
    if (status)
        credentials_free(found);
    return status;
}

static void chain_after_fork(struct credentials_provider *provider)
{
    ((struct chain *)provider)->forked = true;
}

static void chain_close(struct credentials_provider *provider)
{
    free(provider);
}

struct credentials_provider *chain_open(const struct aws_settings *settings, struct limits *limits)
{
    struct chain *chain = must_alloc(sizeof *chain);
    *chain = (struct chain){
        .provider = {.find = chain_find, .after_fork = chain_after_fork, .close = chain_close},
        .settings = settings,
        .limits = limits};
    return &chain->provider;
}
