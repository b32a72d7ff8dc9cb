/* The part of a type's model that its automation.json is made from. */
#ifndef GENERATOR_DOCUMENTS_WATCHES_H
#define GENERATOR_DOCUMENTS_WATCHES_H

#include <cjson/cJSON.h>

/* Puts "automation" into the model of a type (model.h has its layout): null when the spec has no
 * presence, control or alerts. spec is the JSON of a checked spec. */
void watches_add(cJSON *type, const cJSON *spec);

#endif
