/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <string.h>

#include "registry/change.h"
#include "registry/memory_private.h"

static bool
is_name_taken(const struct state *state, const struct ca_record *ca)
{
	const struct ca_record *other;
	size_t i;

	for (i = 0; ca->name[0] != '\0' && i < state->lists[LIST_CAS].count;
	     i++) {
		other = state_item(state, LIST_CAS, i);
		if (strcmp(other->org, ca->org) == 0 &&
		    strcmp(other->name, ca->name) == 0 &&
		    memcmp(other->fingerprint, ca->fingerprint, HASH_LEN) !=
		        0) {
			return true;
		}
	}
	return false;
}

static enum res
add_ca(struct state *state, struct change *change, struct ca_record *ca,
    struct diag *why)
{
	struct ca_census census = {0};
	const struct ca_record *other;
	enum res r;
	size_t i;

	for (i = 0; i < state->lists[LIST_CAS].count; i++) {
		other = state_item(state, LIST_CAS, i);
		if (strcmp(other->org, ca->org) == 0) {
			change_ca_other(
			    &census, ca, other->fingerprint, other->subject);
		}
	}
	r = change_ca_settle(&census, change, why);
	if (r != RES_OK) {
		return r;
	}
	if (is_name_taken(state, ca)) {
		return change_name_taken(change, why);
	}
	memcpy(ca->id, change->of.ca->id, sizeof(ca->id));
	ca->scope = ca->scope == NULL ? (char[]){"[]"} : ca->scope;
	ca->tags = ca->tags == NULL ? (char[]){"[]"} : ca->tags;
	ca->crl = (struct crl_record){0};
	if (ca->code[0] == '\0') {
		ca->code_expires_at = CLOCK_NONE;
	}
	return memory_add(state, LIST_CAS, ca, why);
}

/* The record there becomes a copy of next, which may share texts with it. */
static enum res
replace(struct ca_record *there, const struct ca_record *next, struct diag *why)
{
	struct ca_record copy;

	if (ca_record_copy(next, &copy) != RES_OK) {
		return memory_none(why);
	}
	ca_record_done(there);
	*there = copy;
	return RES_OK;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static enum res
set_ca(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	const struct ca_record *ca = change->of.ca;
	struct ca_record next = *there;
	char any[] = "[]";

	memcpy(next.name, ca->name, sizeof(next.name));
	if (is_name_taken(state, &next)) {
		return change_name_taken(change, why);
	}
	memcpy(next.enrol, ca->enrol, sizeof(next.enrol));
	memcpy(next.crl_policy, ca->crl_policy, sizeof(next.crl_policy));
	next.description = ca->description;
	next.scope = ca->scope == NULL ? any : ca->scope;
	next.rate = ca->rate;
	next.crl_grace = ca->crl_grace;
	if (!is_same(there->crl_url, ca->crl_url)) {
		next.crl_url = ca->crl_url;
		next.crl_failure = NULL;
		next.crl.modified_at = CLOCK_NONE;
	}
	return replace(there, &next, why);
}

static void
set_code(struct ca_record *there, const char *code, int64_t expires_at)
{
	text_set(there->code, sizeof(there->code), code);
	there->code_expires_at = expires_at;
}

static enum res
set_state(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	const struct ca_record *ca = change->of.ca;

	(void)state;
	if (strcmp(there->state, ca->state) == 0) {
		return change_answer(change, RES_EXISTS, why);
	}
	if (strcmp(there->state, "unproven") == 0) {
		return change_answer(change, RES_REFUSED, why);
	}
	memcpy(there->state, ca->state, sizeof(there->state));
	set_code(there, "", CLOCK_NONE);
	return RES_OK;
}

static enum res
new_code(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	(void)state;
	(void)why;
	set_code(there, change->of.ca->code, change->of.ca->code_expires_at);
	return RES_OK;
}

static enum res
prove(const struct state *state, struct change *change, struct ca_record *there,
    struct diag *why)
{
	(void)state;
	if (strcmp(there->code, change->of.ca->code) != 0 ||
	    there->code_expires_at <= change->time) {
		return change_answer(change, RES_REFUSED, why);
	}
	text_set(there->state, sizeof(there->state), "active");
	set_code(there, "", CLOCK_NONE);
	return RES_OK;
}

static enum res
set_crl(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	struct ca_record next = *there;
	enum res r;

	(void)state;
	r = change_crl_compare(change, &there->crl, why);
	if (r != RES_OK) {
		return r;
	}
	next.crl = change->of.ca->crl;
	next.crl.told = 0;
	next.crl_failure = NULL;
	return replace(there, &next, why);
}

static enum res
set_failure(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	const struct crl_record *crl = &change->of.ca->crl;
	struct ca_record next = *there;
	bool same_crl = crl->number[0] != '\0' && there->crl.der != NULL &&
	    memcmp(crl->fingerprint, there->crl.fingerprint, HASH_LEN) == 0;

	(void)state;
	if (is_same(there->crl_failure, change->of.ca->crl_failure) &&
	    (!same_crl ||
	        (crl->fetched == there->crl.fetched &&
	            crl->modified_at == there->crl.modified_at))) {
		return change_answer(change, RES_EXISTS, why);
	}
	next.crl_failure = change->of.ca->crl_failure;
	if (same_crl) {
		next.crl.fetched = crl->fetched;
		next.crl.modified_at = crl->modified_at;
	}
	return replace(there, &next, why);
}

/* A list that came in between has its own end: it is left alone. */
static enum res
set_told(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why)
{
	const struct ca_record *ca = change->of.ca;
	bool same_crl = ca->crl.der != NULL && there->crl.der != NULL &&
	    memcmp(ca->crl.fingerprint, there->crl.fingerprint, HASH_LEN) == 0;

	(void)state;
	if (ca->told == there->told &&
	    (!same_crl || ca->crl.told == there->crl.told)) {
		return change_answer(change, RES_EXISTS, why);
	}
	there->told = ca->told;
	there->crl.told = same_crl ? ca->crl.told : there->crl.told;
	return RES_OK;
}

/* What a change makes of the CA that is there. */
typedef enum res alter_ca(const struct state *state, struct change *change,
    struct ca_record *there, struct diag *why);

static alter_ca *const alters[] = {
    [CHANGE_CA_SET] = set_ca,
    [CHANGE_CA_STATE] = set_state,
    [CHANGE_CA_CODE] = new_code,
    [CHANGE_CA_PROVE] = prove,
    [CHANGE_CA_CRL] = set_crl,
    [CHANGE_CA_CRL_CHECKED] = set_failure,
    [CHANGE_CA_TOLD] = set_told,
};

enum res
memory_change_ca(struct state *state, struct change *change, struct diag *why)
{
	struct ca_record ca = *change->of.ca, *there;
	size_t at = 0;

	text_set(ca.org, sizeof(ca.org), change->org);
	if (change->kind == CHANGE_CA_ADD) {
		return add_ca(state, change, &ca, why);
	}
	there = state_find(state, LIST_CAS, &ca, &at);
	if (there == NULL) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	if (change->kind == CHANGE_CA_REMOVE) {
		state_take_out(state, LIST_CAS, at);
		return RES_OK;
	}
	return alters[change->kind](state, change, there, why);
}
