/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * objects: the registry's records as the JSON that programs rely on, and what
 * several commands must find out about them.
 */
#ifndef MANAGE_OBJECTS_H
#define MANAGE_OBJECTS_H

#include "common/json.h"
#include "identity/id_rule.h"
#include "manage/call.h"

struct json *org_json(const struct org *org);
/* Without "revoked", which takes a look at all CAs. */
struct json *ca_json(const struct ca_record *ca, int64_t now);
struct json *device_json(
    const struct config *config, const struct device *device, int64_t now);

/* The id of the CA with this fingerprint, as much of it as tells it if it was
 * removed. */
void ca_id_of(const struct config *config, const char *org,
    const uint8_t fingerprint[HASH_LEN], char id[HASH_TEXT_MAX + 1]);

/* NULL: not declared; no rule. who is "default" or a type. */
const struct type_record *type_of(const struct config *config, const char *org,
    const struct device_type *type);
const struct rule_record *rule_of(
    const struct config *config, const char *org, const char *who);

/* Whether the org refuses types that are not declared. */
bool types_are_declared(const struct config *config, const char *org);

/* The overlap of a type's pins that holds. */
int64_t overlap_of(const struct type_record *type);

/* "holds", "lapsed" or "waits". */
const char *pin_state(const struct pin *pin, int64_t now);

#define SEEN_TEXT_MAX 31
/* "TLS, certificate, token", as much of it as was; "" for 0. */
void seen_format(unsigned seen_with, char text[SEEN_TEXT_MAX + 1]);
struct json *seen_json(unsigned seen_with);

/* The format of a type's ids; type may be NULL.  False: the kind is unknown. */
MUST_CHECK bool read_id_rule(
    const struct type_record *type, struct id_rule *out);

/* The CA that the first argument stands for, in call->config; an exit code, an
 * error told. */
int find_ca(struct call *call, struct ca_record **out);

/* One device, whole; an exit code, an error told. */
int find_device(
    const struct call *call, const struct identity *who, struct device *out);

/* Devices of the call's org, of one type or of all. */
MUST_CHECK enum res count_devices(const struct call *call,
    const struct device_type *type, int64_t *out, struct diag *why);

/* Tags for people, "site=south, floor=2", as heap memory.  NULL: there are
 * none, or more than can be read. */
char *tags_format(const char *tags);

#endif /* MANAGE_OBJECTS_H */
