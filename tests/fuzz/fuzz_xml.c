/* Any bytes as an answer in XML. What is read is JSON that can be written and read again, not
 * deeper than the limit; what is not read has a message. */
#include "common/base/json.h"
#include "aws/xml.h"
#include "workplace.h"

/* Its depth; no member without a name, no list of nothing. */
static int check(const cJSON *value, bool member)
{
    int deepest = 0;
    must_hold(cJSON_IsNull(value) || cJSON_IsString(value) || cJSON_IsObject(value) ||
              cJSON_IsArray(value));
    must_hold(!member || (value->string && *value->string));
    must_hold(!cJSON_IsArray(value) || value->child);
    for (const cJSON *child = value->child; child; child = child->next) {
        int depth = check(child, cJSON_IsObject(value));
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct error error = {0};
    struct text once = {0}, again = {0};
    cJSON *answer;
    enum status status = xml_read((const char *)input, size, &answer, &error);
    must_hold(status == FINE || (status == WRONG_INPUT && !answer && error.message.length));
    if (!status) {
        cJSON *same;
        must_hold(check(answer, false) <= 128); /* an element may be a list in a list */
        json_compact(answer, &once);
        must_hold(utf8_valid(once.at, once.length, NULL));
        same = cJSON_ParseWithLength(once.at, once.length);
        must_hold(same);
        json_compact(same, &again);
        must_hold(strcmp(text_string(&once), text_string(&again)) == 0);
        cJSON_Delete(same);
    }
    json_wipe(answer);
    text_free(&once);
    text_free(&again);
    error_free(&error);
    return 0;
}
