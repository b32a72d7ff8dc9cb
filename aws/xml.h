/* XML answers (CloudFormation, STS, IAM) as JSON, by expat.
 *
 * The root element is dropped, namespaces too; an element with elements inside becomes an object,
 * one with text a string, an empty one null; one whose children are all <member> becomes an array.
 * Text of white space only counts as none; text beside elements is dropped; elements of the same
 * name side by side become an array under it. So {"DescribeStacksResult": {"Stacks": [{"StackName":
 * "home", ...}]}}. Doctypes and entities of one's own are refused, and so is what is deeper than 64
 * or larger than 16 MB. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include "common/base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* WRONG_INPUT when it is not well-formed; *answer is the caller's. */
enum status xml_read(const char *bytes, size_t length, cJSON **answer, struct error *error);

#endif
