#include "resource.h"
#include "common/base/json.h"

#include <string.h>

/* `name` and `also` are properties with "Update requires: Replacement" in the CloudFormation
 * template reference. Of a thing type the reference says "No interruption", but its handler answers
 * NotUpdatable (terraform-provider-awscc issue 2392), and a thing type cannot be replaced under its
 * name while things have it. stacks_thing_types.c asks IoT itself. */
static const struct resource_kind kinds[] = {
    {.type = "AWS::IoT::ThingType",
     .title = "thing type",
     .name = "ThingTypeName",
     .fixed = "ThingTypeProperties"},
    {.type = "AWS::IoT::Policy", .title = "policy", .name = "PolicyName"},
    {.type = "AWS::IoT::TopicRule", .title = "rule", .name = "RuleName"},
    {.type = "AWS::Timestream::Database",
     .title = "database",
     .name = "DatabaseName",
     .data = true},
    {.type = "AWS::Timestream::Table",
     .title = "table",
     .name = "TableName",
     .also = "DatabaseName",
     .data = true},
    {.type = "AWS::DynamoDB::Table",
     .title = "table",
     .name = "TableName",
     .also = "KeySchema",
     .data = true},
    {.type = "AWS::Logs::LogGroup", .title = "log group", .name = "LogGroupName"},
    {.type = "AWS::IAM::Role", .title = "role", .name = "RoleName"},
    {.type = "AWS::CloudFormation::Stack", .title = "stack"},
};

const struct resource_kind *resource_kind(const char *type)
{
    static const struct resource_kind other = {.type = "", .title = "resource"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return &other;
}

const struct resource_kind *resource_kind_of(const cJSON *resource)
{
    return resource_kind(json_string(resource, "Type", ""));
}

const char *resource_name(const cJSON *resource)
{
    const char *property = resource_kind_of(resource)->name;
    const char *id = resource->string ? resource->string : "";
    return property ? json_string(json_get(resource, "Properties"), property, id) : id;
}

bool resource_is_retained(const cJSON *resource, const char *policy)
{
    return strcmp(json_string(resource, policy, "Delete"), "Retain") == 0;
}
