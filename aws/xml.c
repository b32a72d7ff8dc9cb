#include "xml.h"
#include "common/base/json.h"
#include "common/base/memory.h"

#include <expat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, LARGEST = 16 << 20 };

/* An element that is open. What is inside of it is gathered as an object; elements of the same
 * name, one after the other, are gathered as an array there. */
struct element {
    cJSON *inside; /* NULL as long as there is no element inside */
    bool members;  /* all of them are called "member" */
    bool repeated; /* the last thing inside is such an array */
};

struct reader {
    XML_Parser parser;
    struct element open[DEEPEST];
    size_t depth;
    struct text text; /* since the last tag */
    cJSON *root;
    const char *fault; /* why reading was stopped; NULL when expat has found an error */
};

/* --- expat's memory: the answer may hold keys, so it is wiped --- */

static const XML_Memory_Handling_Suite wiping = {must_alloc, must_move_wiped, free_wiped};

/* --- handlers --- */

static void stop(struct reader *reader, const char *fault)
{
    reader->fault = fault;
    XML_StopParser(reader->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon && colon[1] ? colon + 1 : name; /* "a:" is a name as well */
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct reader *reader = context;
    (void)attributes;
    if (reader->depth == DEEPEST) {
        stop(reader, "is nested too deeply (at most 64 levels)");
        return;
    }
    if (reader->depth) {
        struct element *parent = &reader->open[reader->depth - 1];
        if (!parent->inside) {
            parent->inside = json_object();
            parent->members = true;
        }
        parent->members = parent->members && strcmp(local_name(name), "member") == 0;
    }
    reader->open[reader->depth++] = (struct element){0};
    text_clear(&reader->text);
}

static bool is_blank(const char *string)
{
    return string[strspn(string, " \t\r\n")] == '\0';
}

static cJSON *last_of(const cJSON *object)
{
    return object->child ? object->child->prev : NULL; /* cJSON keeps the last one there */
}

/* Makes an array of the last thing inside, in its place. */
static void wrap_last(cJSON *object)
{
    cJSON *last = cJSON_DetachItemViaPointer(object, last_of(object)), *array = json_array();
    cJSON_AddItemToObject(object, last->string, array);
    cJSON_free(last->string);
    last->string = NULL;
    cJSON_AddItemToArray(array, last);
}

static void add_inside(struct element *element, const char *name, cJSON *value)
{
    const cJSON *last = last_of(element->inside);
    bool again = last && strcmp(last->string, name) == 0;
    if (again && !element->repeated)
        wrap_last(element->inside);
    element->repeated = again;
    if (again)
        cJSON_AddItemToArray(last_of(element->inside), value);
    else
        cJSON_AddItemToObject(element->inside, name, value);
}

/* For an element with nothing but <member> inside, the array of them. */
static cJSON *list_of(struct element *element)
{
    if (!element->repeated)
        wrap_last(element->inside);
    cJSON *array = cJSON_DetachItemViaPointer(element->inside, element->inside->child);
    cJSON_free(array->string);
    array->string = NULL;
    cJSON_Delete(element->inside);
    return array;
}

static cJSON *value_of(struct reader *reader, struct element *element)
{
    if (element->inside)
        return element->members ? list_of(element) : element->inside;
    const char *text = text_string(&reader->text);
    cJSON *value = is_blank(text) ? cJSON_CreateNull() : cJSON_CreateString(text);
    if (!value)
        out_of_memory();
    return value;
}

static void on_end(void *context, const char *name)
{
    struct reader *reader = context;
    if (reader->fault)
        return;
    cJSON *value = value_of(reader, &reader->open[--reader->depth]);
    text_clear(&reader->text);
    if (reader->depth)
        add_inside(&reader->open[reader->depth - 1], local_name(name), value);
    else
        reader->root = value;
}

static void on_text(void *context, const char *bytes, int length)
{
    struct reader *reader = context;
    text_add(&reader->text, bytes, (size_t)length);
}

static void on_doctype(void *context, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(context, "has a doctype, which no answer of AWS has");
}

/* --- the whole --- */

static void free_reader(struct reader *reader)
{
    XML_ParserFree(reader->parser);
    for (size_t i = 0; i < reader->depth; i++)
        json_wipe(reader->open[i].inside);
    json_wipe(reader->root);
    text_free(&reader->text);
}

static enum status read_whole(struct reader *reader, const char *bytes, size_t length,
                              struct error *error)
{
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    if (XML_Parse(reader->parser, bytes, (int)length, true) == XML_STATUS_OK)
        return FINE;
    if (reader->fault)
        return fail(error, WRONG_INPUT, "the XML %s", reader->fault);
    return fail(error, WRONG_INPUT, "line %lu of the XML: %s",
                XML_GetCurrentLineNumber(reader->parser),
                XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

enum status xml_read(const char *bytes, size_t length, cJSON **answer, struct error *error)
{
    struct reader reader = {.text = {.secret = true}};
    *answer = NULL;
    if (length > LARGEST)
        return fail(error, WRONG_INPUT, "the XML is larger than 16 MB");
    reader.parser = XML_ParserCreate_MM(NULL, &wiping, NULL);
    if (!reader.parser)
        return fail(error, REFUSED, "expat cannot begin");
    enum status status = read_whole(&reader, bytes, length, error);
    if (!status) {
        *answer = cJSON_IsNull(reader.root) ? json_object() : reader.root;
        if (*answer == reader.root)
            reader.root = NULL;
    }
    free_reader(&reader);
    return status;
}
