/* Any bytes as JSON: what json_normalize() makes of them is what json_parse() and json_layout() make. */
#include "common/base/json.h"
#include "workplace.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct error broken = {0}, error = {0};
    struct text slow = {0}, fast = {0};
    cJSON *value;
    enum status status = json_parse("input", (const char *)input, size, &value, &broken);
    if (!status)
        json_layout(value, &slow);
    must_hold(json_normalize("input", (const char *)input, size, &fast, &error) == status);
    must_hold(strcmp(text_string(&slow), text_string(&fast)) == 0);
    must_hold(strcmp(text_string(&broken.message), text_string(&error.message)) == 0);
    cJSON_Delete(value);
    text_free(&slow);
    text_free(&fast);
    error_free(&broken);
    error_free(&error);
    return 0;
}
