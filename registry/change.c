/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/change.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"

#define NOUN_MAX 255

/* What a change is about, by the record that it carries. */
enum about {
	ABOUT_ORG = 0,
	ABOUT_CA,
	ABOUT_TYPE,
	ABOUT_RULE,
	ABOUT_TOPIC,
	ABOUT_SETTING,
	ABOUT_DEVICE,
};

static const enum about abouts[] = {
    [CHANGE_ORG_ADD] = ABOUT_ORG,
    [CHANGE_ORG_REMOVE] = ABOUT_ORG,
    [CHANGE_CA_ADD] = ABOUT_CA,
    [CHANGE_CA_SET] = ABOUT_CA,
    [CHANGE_CA_STATE] = ABOUT_CA,
    [CHANGE_CA_CODE] = ABOUT_CA,
    [CHANGE_CA_PROVE] = ABOUT_CA,
    [CHANGE_CA_CRL] = ABOUT_CA,
    [CHANGE_CA_CRL_CHECKED] = ABOUT_CA,
    [CHANGE_CA_TOLD] = ABOUT_CA,
    [CHANGE_CA_REMOVE] = ABOUT_CA,
    [CHANGE_TYPE_SET] = ABOUT_TYPE,
    [CHANGE_TYPE_UNSET] = ABOUT_TYPE,
    [CHANGE_RULE_SET] = ABOUT_RULE,
    [CHANGE_RULE_UNSET] = ABOUT_RULE,
    [CHANGE_TOPIC_ADD] = ABOUT_TOPIC,
    [CHANGE_TOPIC_REMOVE] = ABOUT_TOPIC,
    [CHANGE_SETTING_SET] = ABOUT_SETTING,
    [CHANGE_DEVICE_ADD] = ABOUT_DEVICE,
    [CHANGE_DEVICE_PROVISION] = ABOUT_DEVICE,
    [CHANGE_DEVICE_LOCK] = ABOUT_DEVICE,
    [CHANGE_DEVICE_APPROVE] = ABOUT_DEVICE,
    [CHANGE_DEVICE_REMOVE] = ABOUT_DEVICE,
    [CHANGE_DEVICE_SEEN] = ABOUT_DEVICE,
    [CHANGE_EVENT] = ABOUT_DEVICE,
};

static enum res
defect(struct diag *why)
{
	return diag_res(why, RES_REFUSED, "the change is not complete");
}

static enum res
check_json(const char *text, char kind, struct diag *why)
{
	return text == NULL ? RES_OK : json_check(text, kind, JSON_MAX, why);
}

static enum res
check_org(const struct change *change, struct diag *why)
{
	const struct org *org = change->of.org;

	if (!text_is_name(org->name)) {
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is no name for an org: 1 to %d letters, digits, "
		    "'.', '_' or '-', a letter or digit first",
		    org->name, NAME_MAX_LEN);
	}
	/* The event would go with the org that it tells of. */
	if (change->kind == CHANGE_ORG_REMOVE && change->actor != NULL &&
	    (change->org == NULL || strcmp(change->org, org->name) == 0)) {
		return defect(why);
	}
	return RES_OK;
}

static bool
is_told(int days)
{
	return days >= TOLD_EXPIRED && days <= TOLD_MAX;
}

static bool
has_crl_terms(const struct ca_record *ca)
{
	return crl_policy_is_word(ca->crl_policy) && ca->crl_grace >= 0 &&
	    (ca->crl_url == NULL || ca->crl_url[0] != '\0');
}

static bool
has_crl(const struct ca_record *ca)
{
	const struct crl_record *crl = &ca->crl;

	return crl->der != NULL && crl->der_len > 0 &&
	    crl_number_is_whole(crl->number) &&
	    crl->this_update != CLOCK_NONE && crl->next_update != CLOCK_NONE &&
	    crl->entries >= 0 && crl->stored_at != CLOCK_NONE;
}

/* The list of a new CA comes later, by a change of its own. */
static bool
is_new_ca(const struct ca_record *ca)
{
	return ca->der != NULL && ca->der_len > 0 && ca->subject != NULL &&
	    has_crl_terms(ca) && is_told(ca->told) && ca->crl.der == NULL &&
	    (ca->code[0] == '\0' || ca->code_expires_at != CLOCK_NONE) &&
	    (ca->crl_failure == NULL || ca->crl_failure[0] != '\0');
}

static bool
has_code(const struct ca_record *ca)
{
	return ca->code[0] != '\0' && ca->code_expires_at != CLOCK_NONE;
}

static bool
has_answer_to_code(const struct ca_record *ca)
{
	return ca->code[0] != '\0';
}

static bool
has_outcome(const struct ca_record *ca)
{
	return ca->crl_failure == NULL || ca->crl_failure[0] != '\0';
}

static bool
has_told(const struct ca_record *ca)
{
	return is_told(ca->told) &&
	    (ca->crl.der == NULL || is_told(ca->crl.told));
}

/* Whether the record has what its change wants; NULL: it wants nothing. */
static bool (*const is_whole_ca[])(const struct ca_record *ca) = {
    [CHANGE_CA_ADD] = is_new_ca,
    [CHANGE_CA_SET] = has_crl_terms,
    [CHANGE_CA_STATE] = NULL,
    [CHANGE_CA_CODE] = has_code,
    [CHANGE_CA_PROVE] = has_answer_to_code,
    [CHANGE_CA_CRL] = has_crl,
    [CHANGE_CA_CRL_CHECKED] = has_outcome,
    [CHANGE_CA_TOLD] = has_told,
    [CHANGE_CA_REMOVE] = NULL,
};

static enum res
check_ca(const struct change *change, struct diag *why)
{
	const struct ca_record *ca = change->of.ca;
	enum res r = RES_OK;

	if (ca->name[0] != '\0' && !text_is_name(ca->name)) {
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is no name for a CA: 1 to %d letters, digits, "
		    "'.', '_' or '-', a letter or digit first",
		    ca->name, NAME_MAX_LEN);
	}
	if (is_whole_ca[change->kind] != NULL &&
	    !is_whole_ca[change->kind](ca)) {
		return defect(why);
	}
	if (change->kind == CHANGE_CA_CRL && ca->crl.der_len > CRL_BYTES_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the CRL is too large: %d bytes are the most",
		    CRL_BYTES_MAX);
	}
	if (change->kind != CHANGE_CA_REMOVE) {
		r = check_json(ca->scope, '[', why);
	}
	return r == RES_OK ? check_json(ca->tags, '[', why) : r;
}

static enum res
check_type(const struct device_type *type, struct diag *why)
{
	char text[TYPE_TEXT_MAX + 1];
	struct device_type back;
	const char *said;

	device_type_format(type, text);
	if (device_type_parse(text, strlen(text), &back, &said) != RES_OK) {
		return diag_res(why, RES_SYNTAX, "\"%s\" is no device type: %s",
		    text, said);
	}
	return RES_OK;
}

static enum res
check_device(const struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	char text[IDENTITY_TEXT_MAX + 1];
	struct identity back;
	const char *said;
	enum res r;

	identity_format(&device->who, text);
	if (identity_parse(text, strlen(text), &back, &said) != RES_OK) {
		return diag_res(
		    why, RES_SYNTAX, "\"%s\" is no identity: %s", text, said);
	}
	if (change->kind == CHANGE_DEVICE_PROVISION &&
	    device->state != DEVICE_PROVISIONED &&
	    device->state != DEVICE_PENDING) {
		return defect(why);
	}
	r = check_json(device->tags, '[', why);
	return r == RES_OK ? check_json(device->info, '{', why) : r;
}

static enum res
check(const struct change *change, struct diag *why)
{
	if ((size_t)change->kind >= sizeof(abouts) / sizeof(abouts[0]) ||
	    change->of.org == NULL ||
	    (change->actor != NULL &&
	        (change->event_kind == NULL ||
	            change->event_subject == NULL))) {
		return defect(why);
	}
	if (abouts[change->kind] != ABOUT_ORG && change->org == NULL) {
		return defect(why);
	}
	if (change->actor != NULL &&
	    (strlen(change->actor) > WORD_MAX ||
	        strlen(change->event_kind) > WORD_MAX)) {
		return diag_res(why, RES_LIMIT, "a word of the event is long");
	}
	switch (abouts[change->kind]) {
	case ABOUT_ORG:
		return check_org(change, why);
	case ABOUT_CA:
		return check_ca(change, why);
	case ABOUT_TYPE:
		return check_type(&change->of.type->type, why);
	case ABOUT_TOPIC:
		return change->of.topic->filter == NULL ? defect(why) : RES_OK;
	case ABOUT_SETTING:
		return change->of.setting->value == NULL ? defect(why) : RES_OK;
	case ABOUT_DEVICE:
		return check_device(change, why);
	case ABOUT_RULE:
		break;
	}
	return RES_OK;
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

	switch (abouts[change->kind]) {
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

static enum res
answer_limit(const struct change *change, struct diag *why)
{
	return abouts[change->kind] == ABOUT_CA
	    ? diag_res(why, RES_LIMIT,
	          "the org %s has %d CAs, the most that one may have: remove "
	          "one first",
	          change->org, CAS_MAX)
	    : diag_res(why, RES_LIMIT,
	          "the org %s has %d topic rules, the most that one may have: "
	          "remove one first",
	          change->org, TOPICS_MAX);
}

static enum res
answer_refused(const struct change *change, const char *noun, struct diag *why)
{
	char id[CA_ID_MIN + 1] = "";

	if (abouts[change->kind] != ABOUT_CA) {
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
	if (abouts[change->kind] == ABOUT_ORG) {
		return diag_res(
		    why, RES_EXISTS, "there is an %s already", noun);
	}
	if (change->kind == CHANGE_CA_CRL) {
		return diag_res(why, RES_EXISTS,
		    "the CRL of the %s in the org %s is stored already", noun,
		    change->org);
	}
	return diag_res(why, RES_EXISTS, "the %s is in the org %s already%s",
	    noun, change->org,
	    abouts[change->kind] == ABOUT_DEVICE
	        ? ", or one whose letter case alone differs"
	        : "");
}

enum res
change_answer(const struct change *change, enum res res, struct diag *why)
{
	bool about_org = abouts[change->kind] == ABOUT_ORG;
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
	change->result = check(change, why);
	if (change->result == RES_OK) {
		change->result = make(self, change, why);
	}
	if (change->result != RES_OK || change->actor == NULL ||
	    change->kind == CHANGE_DEVICE_SEEN) {
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
