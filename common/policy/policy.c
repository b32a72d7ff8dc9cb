/* Decisions. Each statement is checked in turn: first its actions (one bit), then its resources,
 * then its conditions. A statement that denies ends the search.
 *
 * A pattern is matched from left to right. At a "*" the matcher remembers its place; after a
 * mismatch it goes back to the last "*" only and lets it take one character more. Going back to an
 * earlier "*" cannot find a match that this does not find. So matching a name costs at most the
 * product of the name's and the pattern's lengths.
 *
 * The value of a variable is compared literally: a "*" or "?" in a client id is not a wildcard. A
 * variable without a value matches nothing. Where "does not match" makes a statement apply
 * (NotResource, StringNotEquals), a Deny statement applies and an Allow statement does not: an
 * unresolved variable never grants anything. */
#include "common/base/clock.h"
#include "parts.h"
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum match { NO, YES, UNRESOLVED };

struct evaluation {
    const struct policy_context *context;
    char current_time[CLOCK_TEXT], epoch_time[24]; /* formatted when a key asks for them */
};

/* --- subjects --- */

/* The text that is matched: several byte ranges, treated as if they were concatenated. */
struct subject {
    struct stretch {
        const char *at;
        size_t length;
    } stretches[3];
    size_t length; /* of all of them */
    bool ignore_case;
};

static struct subject subject_of(const char *bytes, size_t length)
{
    return (struct subject){.stretches = {{bytes, length}}, .length = length};
}

static struct subject subject_of_request(const struct policy_request *request)
{
    const char *kind = policy_resource_kind(request->action);
    struct subject subject = {0};
    if (!*kind) /* the action has no resource: only the resource "*" matches */
        return subject_of("*", 1);
    subject.stretches[0] = (struct stretch){request->arn, strlen(request->arn)};
    subject.stretches[1] = (struct stretch){kind, strlen(kind)};
    subject.stretches[2] = (struct stretch){request->name, strlen(request->name)};
    for (size_t i = 0; i < 3; i++)
        subject.length += subject.stretches[i].length;
    return subject;
}

/* Whether the subject has these bytes at offset. */
static bool subject_has(const struct subject *subject, size_t offset, const char *bytes,
                        size_t length)
{
    if (length > subject->length - offset)
        return false;
    for (size_t i = 0; i < 3 && length; i++) {
        const struct stretch *stretch = &subject->stretches[i];
        if (offset >= stretch->length) {
            offset -= stretch->length;
            continue;
        }
        size_t some = stretch->length - offset < length ? stretch->length - offset : length;
        if (subject->ignore_case ? strncasecmp(stretch->at + offset, bytes, some) != 0
                                 : memcmp(stretch->at + offset, bytes, some) != 0)
            return false;
        bytes += some;
        length -= some;
        offset = 0;
    }
    return true;
}

static char subject_byte(const struct subject *subject, size_t offset)
{
    size_t i = 0;
    while (offset >= subject->stretches[i].length)
        offset -= subject->stretches[i++].length;
    return subject->stretches[i].at[offset];
}

/* The offset after the character at offset: "?" matches one UTF-8 character, not one byte. */
static size_t subject_next(const struct subject *subject, size_t offset)
{
    do
        offset++;
    while (offset < subject->length && (subject_byte(subject, offset) & 0xC0) == 0x80);
    return offset;
}

/* --- values of keys --- */

static const char *value_among(const struct policy_values *list, size_t count, const char *name,
                               size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(list[i].name, name) == 0)
            return index < list[i].count ? list[i].values[index] : NULL;
    return NULL;
}

static const char *attribute_value(const struct policy_context *context, const char *name)
{
    for (size_t i = 0; i < context->attribute_count; i++)
        if (strcmp(context->attributes[i].name, name) == 0)
            return context->attributes[i].value;
    return NULL;
}

static const char *current_time(struct evaluation *evaluation)
{
    if (!evaluation->context->time)
        return NULL;
    clock_write((int64_t)evaluation->context->time, evaluation->current_time);
    return evaluation->current_time;
}

static const char *epoch_time(struct evaluation *evaluation)
{
    if (!evaluation->context->time)
        return NULL;
    snprintf(evaluation->epoch_time, sizeof evaluation->epoch_time, "%lld",
             (long long)evaluation->context->time);
    return evaluation->epoch_time;
}

/* The value of a key at index; NULL when it has no more values. */
static const char *key_value(struct evaluation *evaluation, const struct key *key, size_t index)
{
    const struct policy_context *context = evaluation->context;
    if (key->kind == KEY_CERTIFICATE)
        return index < POLICY_MOST_VALUES
                   ? value_among(context->certificate, context->certificate_count, key->name, index)
                   : NULL;
    if (key->kind == KEY_OTHER)
        return value_among(context->others, context->other_count, key->name, index);
    if (index)
        return NULL;
    switch (key->kind) {
    case KEY_CLIENT_ID:
        return context->client_id;
    case KEY_SOURCE_IP:
        return context->source_ip;
    case KEY_DOMAIN:
        return context->domain;
    case KEY_THING_NAME:
        return context->thing_name;
    case KEY_THING_TYPE:
        return context->thing_type;
    case KEY_ATTACHED:
        return context->thing_attached ? "true" : "false";
    case KEY_CERTIFICATE_ID:
        return context->certificate_id;
    case KEY_CURRENT_TIME:
        return current_time(evaluation);
    case KEY_EPOCH_TIME:
        return epoch_time(evaluation);
    default:
        return attribute_value(context, key->name);
    }
}

/* The value of a variable, or its default; NULL: unresolved. The value of a certificate's field is
 * not used when it contains a wildcard or is too long ("X.509 Certificate policy variable
 * limitations"). */
static const char *variable_value(struct evaluation *evaluation, const struct piece *piece)
{
    size_t index = piece->key.index == ALL_VALUES ? 0 : (size_t)piece->key.index;
    const char *value = key_value(evaluation, &piece->key, index);
    if (value && piece->key.kind == KEY_CERTIFICATE &&
        (strpbrk(value, "*$+?#") || strlen(value) > POLICY_LONGEST_VALUE))
        return NULL;
    return value ? value : piece->text;
}

/* --- matching --- */

/* Moves *offset past what the piece matches; false: it does not match there. text is the piece's
 * text or the variable's value. */
static bool piece_fits(const struct subject *subject, const struct piece *piece, const char *text,
                       size_t *offset)
{
    if (piece->kind == PIECE_ONE) {
        if (*offset == subject->length)
            return false;
        *offset = subject_next(subject, *offset);
        return true;
    }
    size_t length = piece->kind == PIECE_TEXT ? piece->length : strlen(text);
    if (!subject_has(subject, *offset, text, length))
        return false;
    *offset += length;
    return true;
}

static enum match pattern_matches(struct evaluation *evaluation, const struct pattern *pattern,
                                  const struct subject *subject)
{
    size_t at = 0, piece = 0, run_piece = SIZE_MAX, run_at = 0;
    for (;;) {
        const struct piece *now = piece < pattern->count ? &pattern->pieces[piece] : NULL;
        const char *text = now ? now->text : NULL;
        if (now && now->kind == PIECE_RUN) {
            run_piece = piece++;
            run_at = at;
            continue;
        }
        if (now && now->kind == PIECE_VARIABLE && !(text = variable_value(evaluation, now)))
            return UNRESOLVED;
        if (!now && (at == subject->length || run_piece + 1 == piece))
            return YES; /* a "*" at the end of the pattern matches the rest */
        if (now && piece_fits(subject, now, text, &at)) {
            piece++;
            continue;
        }
        if (run_piece == SIZE_MAX || run_at == subject->length)
            return NO;
        at = ++run_at;
        piece = run_piece + 1;
    }
}

static enum match any_matches(struct evaluation *evaluation, const struct patterns *patterns,
                              const struct subject *subject)
{
    enum match answer = NO;
    for (size_t i = 0; i < patterns->count; i++) {
        enum match match = pattern_matches(evaluation, &patterns->at[i], subject);
        if (match == YES)
            return YES;
        if (match == UNRESOLVED)
            answer = UNRESOLVED;
    }
    return answer;
}

/* --- comparing --- */

/* The six parts are matched separately: a wildcard does not match beyond its part. */
static enum match arn_matches(struct evaluation *evaluation, const struct operand *operand,
                              const char *value)
{
    enum match answer = YES;
    for (size_t i = 0; i < ARN_PARTS; i++) {
        const char *end = i + 1 < ARN_PARTS ? strchr(value, ':') : value + strlen(value);
        if (!end)
            return NO;
        struct subject subject = subject_of(value, (size_t)(end - value));
        enum match match = pattern_matches(evaluation, &operand->parts[i], &subject);
        if (match == NO)
            return NO;
        if (match == UNRESOLVED)
            answer = UNRESOLVED;
        value = end + 1;
    }
    return answer;
}

static enum match number_matches(enum relation relation, double value, double wanted)
{
    switch (relation) {
    case EQUAL:
        return value == wanted ? YES : NO;
    case LESS:
        return value < wanted ? YES : NO;
    case LESS_OR_EQUAL:
        return value <= wanted ? YES : NO;
    case GREATER:
        return value > wanted ? YES : NO;
    default:
        return value >= wanted ? YES : NO;
    }
}

static enum match address_matches(const struct operand *operand, const char *value)
{
    unsigned char address[16];
    int whole = operand->prefix / 8, rest = operand->prefix % 8;
    if (!address_read(value, address) || memcmp(address, operand->address, (size_t)whole) != 0)
        return NO;
    unsigned char differs = rest ? (unsigned char)(address[whole] ^ operand->address[whole]) : 0;
    return differs >> (8 - rest) ? NO : YES;
}

static enum match operand_matches(struct evaluation *evaluation,
                                  const struct comparator *comparator,
                                  const struct operand *operand, const char *value)
{
    struct subject subject;
    char *end;
    double number;
    switch (comparator->comparison) {
    case COMPARE_ARN:
        return arn_matches(evaluation, operand, value);
    case COMPARE_NUMBER:
        number = strtod(value, &end);
        if (end == value || *end)
            return NO;
        return number_matches(comparator->relation, number, operand->number);
    case COMPARE_DATE:
        if (!date_read(value, &number))
            return NO;
        return number_matches(comparator->relation, number, operand->number);
    case COMPARE_ADDRESS:
        return address_matches(operand, value);
    default:
        subject = subject_of(value, strlen(value));
        subject.ignore_case = comparator->ignore_case;
        return pattern_matches(evaluation, &operand->parts[0], &subject);
    }
}

/* --- conditions --- */

/* Whether one value of the key satisfies the condition. Of several operands one must match; with a
 * negated operator none may match ("Conditions with multiple keys or values"). */
static bool value_holds(struct evaluation *evaluation, const struct condition *condition,
                        const char *value, bool denies)
{
    enum match answer = NO;
    for (size_t i = 0; i < condition->count && answer != YES; i++) {
        enum match match =
            operand_matches(evaluation, condition->comparator, &condition->operands[i], value);
        if (match != NO)
            answer = match;
    }
    if (!condition->comparator->negated)
        return answer == YES;
    return answer == NO || (answer == UNRESOLVED && denies);
}

static bool null_holds(const struct condition *condition, bool absent)
{
    for (size_t i = 0; i < condition->count; i++)
        if (condition->operands[i].truth == absent)
            return true;
    return false;
}

/* An operator without ForAnyValue or ForAllValues is meant for keys with one value. For a key with
 * several values (.List, iot:ConnectAttributes) one value must satisfy it; with a negated operator
 * all values must. */
static bool condition_holds(struct evaluation *evaluation, const struct condition *condition,
                            bool denies)
{
    bool one = condition->key.index != ALL_VALUES, negated = condition->comparator->negated;
    bool all = condition->quantifier == FOR_ALL || (condition->quantifier == PLAIN && negated);
    size_t first = one ? (size_t)condition->key.index : 0;
    const char *value = key_value(evaluation, &condition->key, first);
    if (condition->comparator->comparison == COMPARE_NULL)
        return null_holds(condition, !value);
    if (!value && condition->quantifier == PLAIN)
        return negated || condition->if_exists;
    for (size_t i = first; value; i++) {
        bool holds = value_holds(evaluation, condition, value, denies);
        if (holds != all)
            return holds;
        value = one ? NULL : key_value(evaluation, &condition->key, i + 1);
    }
    return all;
}

/* --- which thing a connection is of --- */

void policy_associate(struct policy_context *context, const struct policy_attachment *attachments,
                      size_t count)
{
    context->thing_name = context->client_id;
    context->thing_attached = false;
    for (size_t i = 0; i < count; i++) {
        bool named = context->client_id && strcmp(attachments[i].thing, context->client_id) == 0;
        if (attachments[i].exclusive)
            context->thing_name = attachments[i].thing;
        if (attachments[i].exclusive || named)
            context->thing_attached = true;
    }
}

/* --- statements --- */

static bool resource_applies(struct evaluation *evaluation, const struct statement *statement,
                             const struct subject *subject)
{
    enum match match = any_matches(evaluation, &statement->resources, subject);
    if (!statement->not_resources)
        return match == YES;
    return match == NO || (match == UNRESOLVED && !statement->allows);
}

static bool conditions_hold(struct evaluation *evaluation, const struct statement *statement)
{
    for (size_t i = 0; i < statement->condition_count; i++)
        if (!condition_holds(evaluation, &statement->conditions[i], !statement->allows))
            return false;
    return true;
}

struct policy_decision policy_decide(struct policy *const *policies, size_t count,
                                     const struct policy_request *request,
                                     const struct policy_context *context)
{
    struct evaluation evaluation;
    evaluation.context = context;
    struct subject subject = subject_of_request(request);
    struct policy_decision decision = {POLICY_DENIED, false, 0, 0, NULL};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < policies[i]->count; j++) {
            const struct statement *statement = &policies[i]->statements[j];
            bool known = statement->allows && decision.verdict == POLICY_ALLOWED;
            if (known || !(statement->actions >> request->action & 1) ||
                !resource_applies(&evaluation, statement, &subject))
                continue;
            bool holds = conditions_hold(&evaluation, statement);
            if (!holds && (!statement->allows || decision.found))
                continue;
            decision = (struct policy_decision){POLICY_DENIED, true, i, j, statement->sid};
            if (holds && !statement->allows)
                decision.verdict = POLICY_FORBIDDEN;
            else if (holds)
                decision.verdict = POLICY_ALLOWED;
            if (decision.verdict == POLICY_FORBIDDEN)
                return decision;
        }
    }
    return decision;
}

static void describe_statement(const struct policy_decision *decision, struct text *out)
{
    if (decision->sid)
        text_add_format(out, "statement \"%s\"", decision->sid);
    else
        text_add_format(out, "statement %zu", decision->statement + 1);
}

void policy_describe(const struct policy_decision *decision, const struct policy_request *request,
                     struct text *out)
{
    const char *action = policy_action_name(request->action);
    const char *kind = policy_resource_kind(request->action);
    if (decision->verdict == POLICY_ALLOWED)
        text_add_string(out, "allowed by ");
    else if (decision->verdict == POLICY_FORBIDDEN)
        text_add_string(out, "denied by ");
    else if (decision->found)
        text_add_string(out, "denied: a condition does not hold of ");
    else
        text_add_format(out, "denied: no statement allows %s on %s%s", action, kind,
                        *kind ? request->name : "anything");
    if (decision->found)
        describe_statement(decision, out);
}
