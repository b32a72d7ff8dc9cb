#include "endpoint.h"
#include "url.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- overrides --- */

static bool overrides_are_off(const struct aws_settings *settings)
{
    const char *variable = environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    return says_true(variable ? variable
                              : profile_setting(settings->profiles, settings->profile,
                                                "ignore_configured_endpoint_urls", NULL));
}

static enum status of_services_section(const struct aws_settings *settings,
                                       const struct aws_service *service, const char **url,
                                       struct error *error)
{
    const char *section = profile_setting(settings->profiles, settings->profile, "services", NULL);
    *url = NULL;
    if (!section)
        return FINE;
    if (!section_exists(settings->profiles, "services", section)) {
        fail(error, WRONG_INPUT, "profile \"%s\" names services = %s, and there is no such section",
             settings->profile, section);
        return advise(error, "add [services %s] to ~/.aws/config, or remove the line", section);
    }
    *url =
        section_setting(settings->profiles, "services", section, service->section, "endpoint_url");
    return FINE;
}

/* *url is NULL when nothing overrides the endpoint. *where is what does, for messages; freed by the
 * caller. */
static enum status find_override(const struct aws_settings *settings,
                                 const struct aws_service *service, const char **url, char **where,
                                 struct error *error)
{
    *url = NULL;
    if (overrides_are_off(settings))
        return FINE;
    *where = must_format("AWS_ENDPOINT_URL_%s", service->variable);
    if ((*url = environment(*where)))
        return FINE;
    free(*where);
    *where = must_copy("AWS_ENDPOINT_URL");
    if ((*url = environment(*where)))
        return FINE;
    free(*where);
    *where = must_format("endpoint_url of profile \"%s\"", settings->profile);
    enum status status = of_services_section(settings, service, url, error);
    if (!status && !*url)
        *url = profile_setting(settings->profiles, settings->profile, "endpoint_url", NULL);
    return status;
}

/* --- URLs --- */

static bool is_endpoint(const struct url *url)
{
    return (strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "http") == 0) && *url->host &&
           !*url->user && !*url->query && !*url->fragment;
}

static void take_parts(struct url *url, struct endpoint *endpoint)
{
    const char *usual = strcmp(url->scheme, "https") == 0 ? "443" : "80";
    bool named = *url->port && strcmp(url->port, usual) != 0;
    endpoint->host = named ? must_format("%s:%s", url->host, url->port) : must_copy(url->host);
    endpoint->root = must_format("%s://%s", url->scheme, endpoint->host);
    endpoint->path = must_copy(url->path);
    for (size_t end = strlen(endpoint->path); end && endpoint->path[end - 1] == '/'; end--)
        endpoint->path[end - 1] = '\0';
}

static enum status read_url(const char *text, const char *where, struct endpoint *endpoint,
                            struct error *error)
{
    struct url url;
    bool valid;
    enum status status = url_read(text, &url, &valid, error);
    valid = valid && is_endpoint(&url);
    if (valid)
        take_parts(&url, endpoint);
    url_free(&url);
    if (status || valid)
        return status;
    fail(error, WRONG_INPUT, "%s is not the URL of an endpoint", where);
    return advise(error, "it looks like https://host or http://localhost:5000");
}

/* In government regions some services have FIPS endpoints under their usual hosts (as botocore
 * resolves them). */
static bool has_fips_host(const struct partition *partition, const struct aws_service *service)
{
    static const char *const same[] = {"cloudformation", "iam", "ingest.timestream", "logs", "sts"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(service->endpoint, same[i]) == 0)
            return strcmp(partition->name, "aws-us-gov") != 0;
    return true;
}

static char *usual_host(const struct aws_settings *settings, const struct aws_service *service)
{
    const struct partition *partition = settings->partition;
    const char *fips = settings->fips && has_fips_host(partition, service) ? "-fips" : "";
    if (service->global)
        return must_format("%s%s.%s", service->endpoint, fips, partition->global_hosts);
    return must_format("%s%s.%s.%s", service->endpoint, fips, settings->region, partition->suffix);
}

enum status endpoint_find(const struct aws_settings *settings, const struct aws_service *service,
                          const char *host, struct endpoint *endpoint, struct error *error)
{
    const char *url;
    owned char *where = NULL;
    *endpoint = (struct endpoint){.region = settings->region};
    if (service->global)
        endpoint->region = settings->partition->global_region;
    enum status status = find_override(settings, service, &url, &where, error);
    if (status)
        return status;
    endpoint->overridden = url != NULL;
    if (url)
        return read_url(url, where, endpoint, error);
    endpoint->host = host ? must_copy(host) : usual_host(settings, service);
    endpoint->root = must_format("https://%s", endpoint->host);
    endpoint->path = must_copy("");
    return FINE;
}

void endpoint_free(struct endpoint *endpoint)
{
    free(endpoint->root);
    free(endpoint->host);
    free(endpoint->path);
    *endpoint = (struct endpoint){0};
}
