/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * change: what every back end does alike with a change: whether it may be
 * written down, and the sentence for one that was not.
 */
#ifndef REGISTRY_CHANGE_H
#define REGISTRY_CHANGE_H

#include "registry/registry.h"

/* What a change is about, by the record that it carries. */
enum about {
	ABOUT_ORG = 0,
	ABOUT_CA,
	ABOUT_TYPE,
	ABOUT_RULE,
	ABOUT_TOPIC,
	ABOUT_SETTING,
	ABOUT_DEVICE,
	ABOUT_HOOK,
	ABOUT_ADMIN,
	ABOUT_METRICS,
	ABOUT_OLD_METRICS,
	ABOUT_EVENTS,
};

enum about change_about(const struct change *change);

/* change_check.c: whether it is complete and would read back. */
MUST_CHECK enum res change_check(const struct change *change, struct diag *why);

/*
 * The loop of apply: make() each change, tell() of those that were made and
 * have an actor.  A change that would not read back is answered before:
 * RES_SYNTAX, RES_LIMIT, or RES_REFUSED if it is not complete.  Not RES_OK:
 * undo all, then call changes_undone().
 */
typedef enum res change_step(
    void *self, struct change *change, struct diag *why);
MUST_CHECK enum res change_run(struct change *changes, size_t n,
    enum apply_mode mode, change_step *make, change_step *tell, void *self,
    struct diag *why);
void changes_undone(struct change *changes, size_t n);

/* Whether a change that is made is told of: one of a registry's own
 * book-keeping is not. */
bool change_is_told(const struct change *change);

/* The setting that limits an org's devices: "none" (0) or a number. */
#define SETTING_MAX_DEVICES "max-devices"
MUST_CHECK bool change_read_limit(const char *text, int64_t *out);

/* The org that its event is written in. */
const char *change_event_org(const struct change *change);

/* Set why to the sentence for an answer and return it. */
enum res change_answer(
    const struct change *change, enum res res, struct diag *why);
enum res change_no_org(const char *org, struct diag *why);
/* What there are as many of as there may be, and how many. */
enum change_fullness {
	CHANGE_FULL_TYPE = 0,
	CHANGE_FULL_ORG,
	CHANGE_FULL_GATEWAY,
};
enum res change_full(const struct change *change, enum change_fullness what,
    int64_t most, struct diag *why);
enum res change_no_gateway(const struct change *change, struct diag *why);
/* The device is attached to another gateway. */
enum res change_elsewhere(const struct change *change, struct diag *why);
enum res change_name_taken(struct change *change, struct diag *why);

/*
 * The id of a new CA, in ca->id, and its limits, seen from the CAs that its
 * org has.  change_ca_other() is called once for each of them.
 */
struct ca_census {
	size_t count, same_subject;
	size_t common; /* hex digits shared with another, at most */
};
void change_ca_other(struct ca_census *census, const struct ca_record *ca,
    const uint8_t other[HASH_LEN], const char *other_subject);
MUST_CHECK enum res change_ca_settle(
    const struct ca_census *census, struct change *change, struct diag *why);

/* Whether the list of a CHANGE_CA_CRL may take the place of the one there,
 * whose number is "" where there is none: RES_REFUSED if it is older,
 * RES_EXISTS if it is the same. */
MUST_CHECK enum res change_crl_compare(const struct change *change,
    const struct crl_record *there, struct diag *why);

#endif /* REGISTRY_CHANGE_H */
