/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOUN_MAX 511

bool
change_is_told(const struct change *change)
{
	switch ((int)change->kind) {
	case CHANGE_DEVICE_SEEN:
	case CHANGE_HOOK_PROGRESS:
	case CHANGE_METRICS:
	case CHANGE_METRICS_PURGE:
	case CHANGE_EVENTS_PURGE:
		return false;
	default:
		return true;
	}
}

const char *
change_event_org(const struct change *change)
{
	return change->org != NULL ? change->org : change->of.org->name;
}

/* An answer of one change, not a failure of the whole apply. */
static bool
is_answer(enum res res)
{
	return res == RES_OK || res == RES_NOTFOUND || res == RES_EXISTS ||
	    res == RES_LIMIT || res == RES_REFUSED || res == RES_SYNTAX;
}

/* What a change is about, in words: "device d:meter:1". */
static void
name(const struct change *change, char noun[NOUN_MAX + 1])
{
	char text[IDENTITY_TEXT_MAX + 1];

	switch (change_about(change)) {
	case ABOUT_ORG:
		(void)snprintf(
		    noun, NOUN_MAX + 1, "org %s", change->of.org->name);
		break;
	case ABOUT_CA:
		text_hex(text, change->of.ca->fingerprint, CA_ID_MIN / 2);
		(void)snprintf(noun, NOUN_MAX + 1, "CA %s", text);
		break;
	case ABOUT_TYPE:
		device_type_format(&change->of.type->type, text);
		(void)snprintf(noun, NOUN_MAX + 1, "type %s", text);
		break;
	case ABOUT_RULE:
		(void)snprintf(
		    noun, NOUN_MAX + 1, "rule for %s", change->of.rule->who);
		break;
	case ABOUT_TOPIC:
		(void)snprintf(noun, NOUN_MAX + 1, "topic rule %s %s %s",
		    change->of.topic->who, change->of.topic->access,
		    change->of.topic->filter);
		break;
	case ABOUT_SETTING:
		(void)snprintf(
		    noun, NOUN_MAX + 1, "setting %s", change->of.setting->key);
		break;
	case ABOUT_DEVICE:
		identity_format(&change->of.device->who, text);
		(void)snprintf(noun, NOUN_MAX + 1, "device %s", text);
		break;
	case ABOUT_HOOK:
		(void)snprintf(
		    noun, NOUN_MAX + 1, "hook %s", change->of.hook->id);
		break;
	case ABOUT_ADMIN:
		(void)snprintf(
		    noun, NOUN_MAX + 1, "admin %s", change->of.admin->name);
		break;
	case ABOUT_METRICS:
		(void)snprintf(noun, NOUN_MAX + 1, "metrics of %s",
		    change->of.metrics->source);
		break;
	case ABOUT_OLD_METRICS:
		(void)snprintf(noun, NOUN_MAX + 1, "metrics of that age");
		break;
	case ABOUT_EVENTS:
		(void)snprintf(noun, NOUN_MAX + 1, "event of that age");
		break;
	}
}

enum res
change_no_org(const char *org, struct diag *why)
{
	return diag_res(why, RES_NOTFOUND,
	    "there is no org %s: add it with certid org add %s", org, org);
}

enum res
change_name_taken(struct change *change, struct diag *why)
{
	if (change->kind == CHANGE_CA_ADD) {
		change->of.ca->id[0] = '\0'; /* it got none after all */
	}
	return diag_res(why, RES_EXISTS,
	    "another CA of the org %s has the name %s: choose another name",
	    change->org, change->of.ca->name);
}

enum res
change_full(const struct change *change, enum change_fullness what,
    int64_t most, struct diag *why)
{
	const struct device *device = change->of.device;
	char text[IDENTITY_TEXT_MAX + 1];

	switch (what) {
	case CHANGE_FULL_TYPE:
		device_type_format(&device->who.type, text);
		return diag_res(why, RES_LIMIT,
		    "the org %s has %" PRId64 " device%s of the type %s, the "
		    "most that it may have: remove some, or raise max-devices "
		    "of the type",
		    change->org, most, most == 1 ? "" : "s", text);
	case CHANGE_FULL_ORG:
		return diag_res(why, RES_LIMIT,
		    "the org %s has %" PRId64 " device%s, the most that it may "
		    "have: remove some, or raise its "
		    "setting " SETTING_MAX_DEVICES,
		    change->org, most, most == 1 ? "" : "s");
	case CHANGE_FULL_GATEWAY:
		break;
	}
	identity_format(&device->gateway, text);
	return diag_res(why, RES_LIMIT,
	    "%" PRId64 " devices are attached to the gateway %s in the org %s, "
	    "the most that may be: detach some first",
	    most, text, change->org);
}

enum res
change_no_gateway(const struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];

	identity_format(&change->of.device->gateway, text);
	return diag_res(why, RES_REFUSED,
	    "the gateway %s is not registered in the org %s: add it first",
	    text, change->org);
}

enum res
change_elsewhere(const struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];

	identity_format(&change->of.device->who, text);
	return diag_res(why, RES_REFUSED,
	    "the device %s in the org %s is attached to another gateway: "
	    "detach it first",
	    text, change->org);
}

static enum res
answer_limit(const struct change *change, struct diag *why)
{
	static const struct {
		const char *what;
		int most;
	} limits[] = {
	    [ABOUT_CA] = {"CAs", CAS_MAX},
	    [ABOUT_TOPIC] = {"topic rules", TOPICS_MAX},
	    [ABOUT_HOOK] = {"hooks", HOOKS_MAX},
	    [ABOUT_ADMIN] = {"admins", ADMINS_MAX},
	};
	enum about about = change_about(change);

	return diag_res(why, RES_LIMIT,
	    "the org %s has %d %s, the most that one may have: remove one "
	    "first",
	    change->org, limits[about].most, limits[about].what);
}

static enum res
answer_refused(const struct change *change, const char *noun, struct diag *why)
{
	char id[CA_ID_MIN + 1] = "";

	if (change->kind == CHANGE_DEVICE_PINS) {
		return diag_res(why, RES_REFUSED,
		    "the pins of the %s in the org %s are others by now, and "
		    "nothing was changed: look at them again",
		    noun, change->org);
	}
	if (change->kind == CHANGE_DEVICE_SET) {
		return diag_res(why, RES_REFUSED,
		    "the %s in the org %s is not allowed, but pending or "
		    "provisioned: a window is for one that has yet to connect",
		    noun, change->org);
	}
	if (change_about(change) != ABOUT_CA) {
		return diag_res(why, RES_REFUSED,
		    "the %s in the org %s is not pending: there is nothing to "
		    "approve",
		    noun, change->org);
	}
	text_hex(id, change->of.ca->fingerprint, CA_ID_MIN / 2);
	if (change->kind == CHANGE_CA_STATE &&
	    strcmp(change->of.ca->state, "active") != 0) {
		return diag_res(why, RES_REFUSED,
		    "the CA %s waits for proof of possession and admits nobody "
		    "as it is: nothing was changed",
		    id);
	}
	return change->kind == CHANGE_CA_PROVE
	    ? diag_res(why, RES_REFUSED,
	          "the code is not the one that was given out last, or it has "
	          "expired: print a new one with certid ca code %s",
	          id)
	    : diag_res(why, RES_REFUSED,
	          "the CA %s waits for proof of possession: certid ca code %s, "
	          "then certid ca verify %s FILE",
	          id, id, id);
}

static enum res
answer_exists(const struct change *change, const char *noun, struct diag *why)
{
	if (change_about(change) == ABOUT_ORG) {
		return diag_res(
		    why, RES_EXISTS, "there is an %s already", noun);
	}
	if (change->kind == CHANGE_CA_CRL) {
		return diag_res(why, RES_EXISTS,
		    "the CRL of the %s in the org %s is stored already", noun,
		    change->org);
	}
	if (change->kind == CHANGE_DEVICE_TOKEN) {
		return diag_res(why, RES_EXISTS,
		    "the %s in the org %s has no token", noun, change->org);
	}
	if (change->kind == CHANGE_DEVICE_PINS) {
		return diag_res(why, RES_EXISTS,
		    "the %s in the org %s has these pins already", noun,
		    change->org);
	}
	if (change->kind == CHANGE_DEVICE_SET) {
		return diag_res(why, RES_EXISTS,
		    "the %s in the org %s is so already", noun, change->org);
	}
	if (change->kind == CHANGE_DEVICE_ATTACH) {
		return diag_res(why, RES_EXISTS,
		    "the %s in the org %s is attached %s", noun, change->org,
		    change->of.device->has_gateway ? "to this gateway already"
		                                   : "to no gateway");
	}
	return diag_res(why, RES_EXISTS, "the %s is in the org %s already%s",
	    noun, change->org,
	    change_about(change) == ABOUT_DEVICE
	        ? ", or one whose letter case alone differs"
	        : "");
}

enum res
change_answer(const struct change *change, enum res res, struct diag *why)
{
	bool about_org = change_about(change) == ABOUT_ORG;
	char noun[NOUN_MAX + 1];

	name(change, noun);
	if (res == RES_LIMIT) {
		return answer_limit(change, why);
	}
	if (res == RES_REFUSED) {
		return answer_refused(change, noun, why);
	}
	if (res == RES_NOTFOUND && about_org) {
		return diag_res(why, res,
		    "there is no org %s: certid org list shows those that "
		    "there are",
		    change->of.org->name);
	}
	if (res == RES_NOTFOUND) {
		return diag_res(why, res, "there is no %s in the org %s", noun,
		    change->org);
	}
	return answer_exists(change, noun, why);
}

enum res
change_crl_compare(const struct change *change, const struct crl_record *there,
    struct diag *why)
{
	const struct crl_record *crl = &change->of.ca->crl;
	char number[CRL_NUMBER_LEN + sizeof("0x")], date[TIME_MAX + 1];
	int order;

	if (there->number[0] == '\0') {
		return RES_OK;
	}
	if (memcmp(crl->fingerprint, there->fingerprint, HASH_LEN) == 0) {
		return change_answer(change, RES_EXISTS, why);
	}
	order = strcmp(crl->number, there->number);
	if (order > 0 ||
	    (order == 0 && crl->this_update > there->this_update)) {
		return RES_OK;
	}
	crl_record_number_format(there->number, number);
	clock_format(there->this_update, date);
	return diag_res(why, RES_REFUSED,
	    "the CRL is older than the one that is stored (number %s of %s), "
	    "and nothing was changed: get the newest list from the CA",
	    number, date);
}

void
change_ca_other(struct ca_census *census, const struct ca_record *ca,
    const uint8_t other[HASH_LEN], const char *other_subject)
{
	char mine[HASH_TEXT_MAX + 1], theirs[HASH_TEXT_MAX + 1];
	size_t common = 0;

	text_hex(mine, ca->fingerprint, HASH_LEN);
	text_hex(theirs, other, HASH_LEN);
	while (common < HASH_TEXT_MAX && mine[common] == theirs[common]) {
		common++;
	}
	census->common = common > census->common ? common : census->common;
	census->same_subject += strcmp(ca->subject, other_subject) == 0;
	census->count++;
}

enum res
change_ca_settle(
    const struct ca_census *census, struct change *change, struct diag *why)
{
	struct ca_record *ca = change->of.ca;
	char hex[HASH_TEXT_MAX + 1];
	size_t len = census->common + 1;

	if (census->common == HASH_TEXT_MAX) {
		return change_answer(change, RES_EXISTS, why);
	}
	if (census->count >= CAS_MAX) {
		return change_answer(change, RES_LIMIT, why);
	}
	if (census->same_subject >= CAS_SUBJECT_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the org %s has %d CAs with this subject, the most that "
		    "one may have: remove one first",
		    change->org, CAS_SUBJECT_MAX);
	}
	len = len < CA_ID_MIN ? CA_ID_MIN : len;
	text_hex(hex, ca->fingerprint, HASH_LEN);
	memcpy(ca->id, hex, len);
	ca->id[len] = '\0';
	return RES_OK;
}

/*
 * A change whose event cannot be written ends the whole: it must not stand
 * without.
 */
static enum res
run_one(struct change *change, change_step *make, change_step *tell, void *self,
    struct diag *why)
{
	change->result = change_check(change, why);
	if (change->result == RES_OK) {
		change->result = make(self, change, why);
	}
	if (change->result != RES_OK || change->actor == NULL ||
	    !change_is_told(change)) {
		return change->result;
	}
	return tell(self, change, why);
}

enum res
change_run(struct change *changes, size_t n, enum apply_mode mode,
    change_step *make, change_step *tell, void *self, struct diag *why)
{
	struct diag said;
	enum res r;
	size_t i;

	for (i = 0; i < n; i++) {
		r = run_one(&changes[i], make, tell, self, &said);
		if (r == RES_OK ||
		    (mode == APPLY_EACH && changes[i].result != RES_OK &&
		        is_answer(r))) {
			continue;
		}
		return diag_res(why, r, "%s", said.text);
	}
	return RES_OK;
}

void
changes_undone(struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (changes[i].result == RES_OK) {
			changes[i].result = RES_UNAVAIL;
		}
	}
}
