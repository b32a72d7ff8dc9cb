#include "capabilities.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/subprocess.h"
#include "programs.h"
#include "service.h"

#include <string.h>

enum { SECONDS = 60 };

static void say_findings(const struct reporter *reporter, const cJSON *findings)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, findings)
        report_line(reporter, "warning: %s: %s", json_string(item, "place", ""),
                    json_string(item, "message", ""));
}

void capabilities_check(const struct reporter *reporter, const char *const *types, size_t count)
{
    owned char *hub = !reporter || !count ? NULL : programs_path(service_names[HUB]);
    struct text said = {0};
    struct error error = {0};
    int code = 0;
    if (!hub)
        return;
    owned const char **words = must_array(count + 4, sizeof *words);
    words[0] = hub;
    words[1] = "check";
    words[2] = "--json";
    memcpy(words + 3, types, count * sizeof *words);
    if (subprocess_capture(words, SECONDS, &said, &code, NULL, &error)) {
        report_line(reporter, "warning: %s", text_string(&error.message));
    } else {
        cJSON *findings = cJSON_Parse(text_string(&said));
        if (cJSON_IsArray(findings))
            say_findings(reporter, findings);
        else if (said.length) /* an error message: it could not check at all */
            report_line(reporter, "%.*s", (int)strcspn(said.at, "\n"), said.at);
        cJSON_Delete(findings);
    }
    text_free(&said);
    error_free(&error);
}
