/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_trust: certid ca code|verify|crl: proof of possession, and revocation.
 */
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/health.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "trust/ca.h"
#include "trust/proof.h"
#include "trust/trust.h"

_Static_assert(CRL_NUMBER_MAX == CRL_NUMBER_LEN, "one length of CRL numbers");
_Static_assert(PROOF_CODE_LEN <= PROOF_CODE_MAX, "codes fit into a record");

static bool
is_in_state(const struct ca_record *ca, enum ca_state state)
{
	return strcmp(ca->state, ca_state_name(state)) == 0;
}

static int
tell_code(const struct call *call, const struct ca_record *ca, const char *code,
    int64_t expires_at)
{
	struct json *object = json_object();
	char time[TIME_MAX + 1];

	if (!is_in_state(ca, CA_UNPROVEN)) {
		caution("the CA %s is %s: it needs no proof, and one %s",
		    ca->id, ca->state,
		    is_in_state(ca, CA_ACTIVE) ? "changes nothing"
		                               : "activates it");
	}
	clock_format(expires_at, time);
	json_add_text(object, "ca", ca->id);
	json_add_text(object, "registration_code", code);
	json_add_time(object, "expires_at", expires_at);
	return report(call, object,
	    "the registration code of the CA %s (%s), valid until %s:\n\n"
	    "    %s\n\n"
	    "Make a key and a request whose common name is the code, sign it "
	    "with the key of\nthe CA, and hand the certificate in with "
	    "\"certid ca verify %s FILE\".\n"
	    "\"certid help ca code\" shows how to do that with openssl.",
	    ca->id, ca->subject, time, code, ca->id);
}

int
run_ca_code(struct call *call)
{
	char code[PROOF_CODE_LEN + 1];
	int64_t expires_at = call->now + PROOF_CODE_LIFE;
	struct edit edit = call_edit(call);
	struct ca_record *ca = NULL;
	struct diag why = {""};
	int result = find_ca(call, &ca);
	enum res r;

	if (result != EXIT_DONE) {
		return result;
	}
	/* Without random numbers there is no code, but there is a registry. */
	if (proof_code_new(code, &why) != RES_OK) {
		return refuse(EXIT_REFUSED, "%s", why.text);
	}
	r = edit_ca_code(&edit, ca, code, expires_at, &why);
	return r != RES_OK ? fail(r, &why)
	                   : tell_code(call, ca, code, expires_at);
}

/* Whether there is a code to prove; an exit code, an error told. */
static int
check_code(const struct call *call, const struct ca_record *ca)
{
	char time[TIME_MAX + 1];

	if (ca->code[0] == '\0' && is_in_state(ca, CA_ACTIVE)) {
		return refuse(EXIT_REFUSED,
		    "the CA %s is proven, or needed no proof, already: it is "
		    "active",
		    ca->id);
	}
	if (ca->code[0] == '\0') {
		return refuse(EXIT_REFUSED,
		    "no registration code is given out for the CA %s: begin "
		    "with certid ca code %s",
		    ca->id, ca->id);
	}
	if (call->now >= ca->code_expires_at) {
		clock_format(ca->code_expires_at, time);
		return refuse(EXIT_REFUSED,
		    "the registration code of the CA %s expired at %s: certid "
		    "ca code %s gives a new one",
		    ca->id, time, ca->id);
	}
	return EXIT_DONE;
}

/* The code may be lost, or another one than was thought. */
static int
blame_proof(
    const struct ca_record *ca, const char *path, const struct diag *why)
{
	struct diag whole;

	diag_set(&whole, "%s (certid ca code %s gives out a new code)",
	    why->text, ca->id);
	return blame_file(path, &whole);
}

/* Whether the file proves it. */
static int
check_proof(const struct call *call, const struct ca_record *ca)
{
	const char *path = call_arg(call, 1);
	uint8_t *bytes = NULL;
	struct diag why = {""};
	size_t len = 0;
	enum res r = read_file(call, path, "the certificate that the CA signed",
	    CA_FILE_MAX, &bytes, &len, &why);

	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = proof_check(
	    bytes, len, ca->der, ca->der_len, ca->code, call->now, &why);
	free(bytes);
	return r == RES_OK ? EXIT_DONE : blame_proof(ca, path, &why);
}

int
run_ca_verify(struct call *call)
{
	char code[PROOF_CODE_MAX + 1];
	struct edit edit = call_edit(call);
	struct ca_record *ca = NULL;
	struct diag why = {""};
	int result = find_ca(call, &ca);
	enum res r;

	if (result == EXIT_DONE) {
		result = check_code(call, ca);
	}
	if (result == EXIT_DONE) {
		result = check_proof(call, ca);
	}
	if (result != EXIT_DONE) {
		return result;
	}
	/* The one that was proven, should another one be stored by now. */
	text_set(code, sizeof(code), ca->code);
	r = edit_ca_prove(&edit, ca, code, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	return report(call, ca_json(ca, call->now),
	    "the CA %s (%s) is proven, and active", ca->id, ca->subject);
}

/* Move what was parsed into *out, which owns der from then on. */
static void
fill_crl(const struct call *call, const struct crl_info *info, uint8_t *der,
    size_t der_len, struct crl_record *out)
{
	*out = (struct crl_record){
	    .der = der,
	    .der_len = der_len,
	    .this_update = info->this_update,
	    .next_update = info->next_update,
	    .entries = (int64_t)info->entries,
	    .stored_at = call->now,
	    .modified_at = CLOCK_NONE,
	};
	memcpy(out->fingerprint, info->fingerprint, HASH_LEN);
	text_set(out->number, sizeof(out->number), info->number);
}

/* The CRL in the file of the second argument; an exit code, an error told. */
static int
read_crl(
    const struct call *call, const struct ca_record *ca, struct crl_record *out)
{
	const char *path = call_arg(call, 1);
	struct crl *crl = NULL;
	uint8_t *bytes = NULL, *der = NULL;
	size_t len = 0, der_len = 0;
	struct diag why = {""};
	enum res r =
	    read_file(call, path, "the CRL", CRL_FILE_MAX, &bytes, &len, &why);

	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = crl_parse(bytes, len, ca->der, ca->der_len, call->now,
	    ca->crl_grace, &crl, &der, &der_len, &why);
	free(bytes);
	if (r != RES_OK) {
		return blame_file(path, &why);
	}
	fill_crl(call, crl_info(crl), der, der_len, out);
	crl_unref(crl);
	return EXIT_DONE;
}

static int
tell_crl(const struct call *call, const struct ca_record *ca, bool already)
{
	char number[CRL_NUMBER_LEN + sizeof("0x")], time[TIME_MAX + 1];

	crl_record_number_format(ca->crl.number, number);
	clock_format(ca->crl.next_update, time);
	if (health_of_crl(ca, call->now) == CRL_UNASKED) {
		caution("under the CRL policy %s of the CA %s its CRL is not "
		        "looked at: see certid help ca set",
		    ca->crl_policy, ca->id);
	}
	health_caution(ca, call->now);
	return already
	    ? report(call, ca_json(ca, call->now),
	          "the CRL %s of the CA %s (%s) is stored already", number,
	          ca->id, ca->subject)
	    : report(call, ca_json(ca, call->now),
	          "stored the CRL %s of the CA %s (%s): %lld %s, next update "
	          "at %s",
	          number, ca->id, ca->subject, (long long)ca->crl.entries,
	          ca->crl.entries == 1 ? "entry" : "entries", time);
}

int
run_ca_crl(struct call *call)
{
	struct edit edit = call_edit(call);
	struct crl_record crl = {0}, old;
	struct ca_record *ca = NULL;
	struct diag why = {""};
	int result = find_ca(call, &ca);
	bool already;
	enum res r;

	if (result == EXIT_DONE) {
		result = read_crl(call, ca, &crl);
	}
	if (result != EXIT_DONE) {
		return result;
	}
	old = ca->crl;
	already = old.der != NULL &&
	    memcmp(old.fingerprint, crl.fingerprint, HASH_LEN) == 0;
	ca->crl = crl;
	r = edit_ca_crl(&edit, ca, &why);
	/* What is stored already stays with its dates and its origin. */
	if (already) {
		ca->crl = old;
		free(crl.der);
	} else {
		free(old.der);
		free(ca->crl_failure);
		ca->crl_failure = NULL;
	}
	return r != RES_OK ? fail(r, &why) : tell_crl(call, ca, already);
}
