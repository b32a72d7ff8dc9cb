/* Any template with any data, under every escape, strict or not, with itself as its only partial.
 *
 * An input is a template and, behind its last line "---", the data as JSON; without that line all
 * of it is the template and there is no data. Besides what the sanitizers see, an accepted template
 * must render alike twice, and every message must name a place. */
#include "generator/documents/mustache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static enum status find_itself(void *context, const char *name, const struct mustache **found,
                               struct error *error)
{
    (void)name, (void)error;
    *found = context;
    return FINE;
}

static void must_hold(bool fact)
{
    if (!fact)
        abort();
}

static void check_error(enum status status, const struct error *error)
{
    must_hold(status == WRONG_INPUT && error->status == status);
    must_hold(begins_with(text_string(&error->message), "fuzz:"));
    must_hold(strstr(text_string(&error->message), ", expected "));
}

/* True when the rendering went well. */
static bool render(struct mustache *template, const cJSON *data, enum escape escape, bool strict)
{
    struct mustache_options options = {escape, strict, find_itself, template};
    struct text out = {0}, again = {0};
    struct error error = {0};
    enum status status = mustache_render(template, data, &options, &out, &error);
    if (status) {
        check_error(status, &error);
    } else if (out.length < 4096) {
        must_hold(!mustache_render(template, data, &options, &again, &error));
        must_hold(out.length == again.length);
        must_hold(!out.length || !memcmp(out.at, again.at, out.length));
    }
    text_free(&out);
    text_free(&again);
    error_free(&error);
    return !status;
}

static size_t data_start(const char *bytes, size_t size)
{
    for (size_t i = size; i >= 5; i--)
        if (!memcmp(bytes + i - 5, "\n---\n", 5))
            return i;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    const char *bytes = (const char *)input;
    size_t data_at = data_start(bytes, size), length = data_at ? data_at - 4 : size;
    struct mustache *template;
    struct error error = {0};
    enum status status = mustache_compile(&template, "fuzz", bytes, length, &error);
    if (status)
        check_error(status, &error);
    cJSON *data = data_at ? cJSON_ParseWithLength(bytes + data_at, size - data_at) : NULL;
    /* A rendering that meets a bound takes long, and would under every other escape. */
    if (!status && render(template, data, ESCAPE_NONE, false)) {
        for (int escape = ESCAPE_NONE; escape <= ESCAPE_TERRAFORM; escape++) {
            render(template, data, (enum escape)escape, false);
            render(template, data, (enum escape)escape, true);
        }
    }
    cJSON_Delete(data);
    mustache_free(template);
    error_free(&error);
    return 0;
}
