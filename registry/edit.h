/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit: what operators do to the registry, one function a verb.  Each makes
 * its changes with their events in one transaction and says in one sentence
 * what is wrong where it cannot.  The command line is one caller.
 *
 * Words (levels, modes, states, patterns, templates) must have been checked by
 * the rooms that own them before they come here.
 */
#ifndef REGISTRY_EDIT_H
#define REGISTRY_EDIT_H

#include "registry/registry.h"

/* Who does it, to which org, when. */
struct edit {
	struct registry *registry;
	const char *org;
	const char *actor; /* "operator" */
	const char *by;    /* whose words these are, for the events' details, as
	                      in "... by=alice"; NULL: not known */
	int64_t now;
};

enum starter_topics {
	STARTER_PLAIN = 0, /* {class}/{type}/{id}/# */
	STARTER_IOT_2,     /* the Watson IoT names */
};

/* The settings, topics and default rule that a new org starts with: rule cert,
 * enrol auto, client-id {class}:{type}:{id}, topics on, types open, ca-proof
 * off.  edit.org must exist; used by init and by org add. */
MUST_CHECK enum res edit_org_start(
    const struct edit *edit, enum starter_topics topics, struct diag *why);
/* RES_EXISTS also where the name differs from another org's in letter case
 * alone. */
MUST_CHECK enum res edit_org_add(
    const struct edit *edit, enum starter_topics topics, struct diag *why);
/* ORG_DEFAULT is refused. */
MUST_CHECK enum res edit_org_remove(const struct edit *edit, struct diag *why);

/* A setting's stored value, or NULL; keys as "certid set" spells them. */
const char *config_setting(
    const struct config *config, const char *org, const char *key);

#define CA_PREFIX_MIN 4 /* hex digits that stand for a CA */

/*
 * The CA that text stands for: an id, a unique prefix of an id (CA_PREFIX_MIN
 * digits or more) or of a fingerprint, or a name.  RES_NOTFOUND; RES_EXISTS
 * where a prefix fits several.  *out points into config.
 */
MUST_CHECK enum res config_find_ca(const struct config *config, const char *org,
    const char *text, struct ca_record **out, struct diag *why);

/* ca is completed: org, id, added_at.  Event ca-added. */
MUST_CHECK enum res edit_ca_add(
    const struct edit *edit, struct ca_record *ca, struct diag *why);
/* New state of a CA: event ca-activated or ca-deactivated.  Setting the state
 * that it has already is RES_OK and writes nothing.  RES_REFUSED for one that
 * is unproven: only a proof leads out of that. */
MUST_CHECK enum res edit_ca_state(const struct edit *edit, struct ca_record *ca,
    const char *state, struct diag *why);
/* Store ca's name, description, scope, enrol, crl_policy, crl_grace and
 * crl_url; event setting-changed with the CA's id as subject and what changed
 * as detail, URLs without their queries; RES_OK and no event where nothing did.
 * A new name of hex digits alone, four or more, is RES_REFUSED
 * here and in edit_ca_add(). */
MUST_CHECK enum res edit_ca_set(
    const struct edit *edit, struct ca_record *ca, struct diag *why);
MUST_CHECK enum res edit_ca_remove(
    const struct edit *edit, struct ca_record *ca, struct diag *why);

/* A new registration code, valid until expires_at; event setting-changed,
 * which does not tell the code. */
MUST_CHECK enum res edit_ca_code(const struct edit *edit, struct ca_record *ca,
    const char *code, int64_t expires_at, struct diag *why);
/* The code was shown to be signed: ca is active from now on and the code
 * burnt.  RES_REFUSED if it is not the stored one, or expired, whatever came
 * in between.  Event ca-proven. */
MUST_CHECK enum res edit_ca_prove(const struct edit *edit, struct ca_record *ca,
    const char *code, struct diag *why);
/* Store ca->crl, which was verified; its stored_at is set.  RES_REFUSED where
 * it is older than the stored one.  Storing the same one again is RES_OK and
 * writes nothing.  Event crl-updated. */
MUST_CHECK enum res edit_ca_crl(
    const struct edit *edit, struct ca_record *ca, struct diag *why);
/* What came of the last fetch: failure, or NULL; and if ca->crl is the stored
 * list, that it was fetched, or not, and when it was modified.  Event
 * crl-failed where there is a failure other than the last one told; none else.
 */
MUST_CHECK enum res edit_ca_crl_checked(const struct edit *edit,
    struct ca_record *ca, const char *failure, struct diag *why);
/* Note ca->told, and ca->crl.told if ca->crl is still the stored one, with the
 * event ca-expiring; RES_OK without an event where they are noted already. */
MUST_CHECK enum res edit_ca_told(const struct edit *edit, struct ca_record *ca,
    const char *detail, struct diag *why);

/* Event type-changed with what changed, none where nothing did. */
MUST_CHECK enum res edit_type_set(
    const struct edit *edit, struct type_record *type, struct diag *why);
MUST_CHECK enum res edit_type_unset(
    const struct edit *edit, const struct device_type *type, struct diag *why);
/* who: "default" or a type. */
MUST_CHECK enum res edit_rule_set(const struct edit *edit, const char *who,
    const char *level, struct diag *why);
MUST_CHECK enum res edit_rule_unset(
    const struct edit *edit, const char *who, struct diag *why);
MUST_CHECK enum res edit_topic_add(const struct edit *edit, const char *who,
    const char *access, const char *filter, struct diag *why);
MUST_CHECK enum res edit_topic_remove(const struct edit *edit, const char *who,
    const char *access, const char *filter, struct diag *why);
MUST_CHECK enum res edit_setting(const struct edit *edit, const char *key,
    const char *value, struct diag *why);

/* device is completed: org, state allowed, created_at.  Event device-allowed.
 * With RES_EXISTS why
 * names the device that is there, the same or one that differs in letter case;
 * to find that one may read all devices of the org. */
MUST_CHECK enum res edit_device_add(
    const struct edit *edit, struct device *device, struct diag *why);
/* Many devices were added, within a transaction that is open, by changes that
 * nobody was told of: one event, import, tells of them, with this detail.  last
 * is one of them. */
MUST_CHECK enum res edit_devices_imported(const struct edit *edit,
    const struct identity *last, const char *detail, struct diag *why);
/* Idempotent: RES_OK and no event where it is so already. */
MUST_CHECK enum res edit_device_lock(const struct edit *edit,
    const struct identity *who, bool locked, struct diag *why);
/* A pending device gets the state allowed, without a window; it is held to pins
 * from then on, or with NULL to those that it has.  Event device-approved.
 * RES_REFUSED if it is not pending. */
MUST_CHECK enum res edit_device_approve(const struct edit *edit,
    const struct identity *who, const struct pins *pins, struct diag *why);
/* The certificate that waits is approved: pins, as policy_pins_approve() makes
 * them, take the place of before.  Event device-approved.  RES_REFUSED if
 * before is not what is stored (any more). */
MUST_CHECK enum res edit_device_approve_pins(const struct edit *edit,
    const struct identity *who, const struct pins *before,
    const struct pins *pins, struct diag *why);
MUST_CHECK enum res edit_device_remove(
    const struct edit *edit, const struct identity *who, struct diag *why);

/* token replaces the one that there is; with is_set false it is revoked, and
 * RES_NOTFOUND where there is none.  Event token-changed. */
MUST_CHECK enum res edit_device_token(const struct edit *edit,
    const struct identity *who, const struct token_hash *token,
    struct diag *why);
/* Hold the device to these pins alone, or to none.  Event pin-changed, and none
 * where they are so already. */
MUST_CHECK enum res edit_device_pins(const struct edit *edit,
    const struct identity *who, const struct pins *pins, struct diag *why);
/* Tags and info where they are not NULL, and of an allowed device
 * window_ends_at where it is not CLOCK_NONE.  Event device-changed, none where
 * all is so already.  RES_REFUSED: a window of one that is not allowed. */
MUST_CHECK enum res edit_device_set(
    const struct edit *edit, struct device *device, struct diag *why);
/* gateway NULL: detach.  RES_REFUSED: who is no device, or gateway no gateway;
 * RES_NOTFOUND: one of them is not registered; RES_LIMIT.  Event
 * device-attached or device-detached, none where it is so already. */
MUST_CHECK enum res edit_device_attach(const struct edit *edit,
    const struct identity *who, const struct identity *gateway,
    struct diag *why);

/* hook is completed: org, id, created_at, cursor (the last event there is: it
 * gets what happens from now on).  Event setting-changed, subject "hook ID". */
MUST_CHECK enum res edit_hook_add(
    const struct edit *edit, struct hook_record *hook, struct diag *why);
/* By id, a unique prefix of one, or URL.  RES_NOTFOUND, RES_EXISTS where it
 * fits several.  *out points into config. */
MUST_CHECK enum res config_find_hook(const struct config *config,
    const char *org, const char *text, struct hook_record **out,
    struct diag *why);
/* As config_find_hook().  Event setting-changed. */
MUST_CHECK enum res edit_hook_remove(const struct edit *edit,
    const struct config *config, const char *text, struct diag *why);

/* Event setting-changed, subject "admin NAME".  Adding one that is there is
 * RES_EXISTS.  RES_SYNTAX, RES_LIMIT: no name. */
MUST_CHECK enum res edit_admin_add(
    const struct edit *edit, const char *name, struct diag *why);
MUST_CHECK enum res edit_admin_remove(
    const struct edit *edit, const char *name, struct diag *why);

#endif /* REGISTRY_EDIT_H */
