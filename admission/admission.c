/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/admission.h"

#include <string.h>

#define TOKEN_USERNAME "use-token-auth"

bool
admission_names_device(const char *client_id, const char *username)
{
	return (client_id != NULL &&
	           identity_is_candidate(client_id, strlen(client_id))) ||
	    (username != NULL &&
	        identity_is_candidate(username, strlen(username))) ||
	    (username != NULL && strcmp(username, TOKEN_USERNAME) == 0);
}

enum sight
admission_sight(enum res res, const struct device *device, bool case_clash)
{
	if (res == RES_NOTFOUND) {
		return case_clash ? SIGHT_CASE : SIGHT_FIRST;
	}
	if (res != RES_OK) {
		return SIGHT_FAILED;
	}
	switch (device->state) {
	case DEVICE_PROVISIONED:
		return SIGHT_KNOWN;
	case DEVICE_ALLOWED:
		return SIGHT_ALLOWED;
	case DEVICE_PENDING:
		return SIGHT_PENDING;
	}
	return SIGHT_FAILED;
}

/* A password is a token if the user name says so, and the client id says
 * whose; else it is for others.  No token has been given out yet, so none is
 * right. */
static bool
presents_token(const struct request *request)
{
	const char *name = request->username, *id = request->client_id;

	return request->password != NULL && name != NULL &&
	    (strcmp(name, TOKEN_USERNAME) == 0 ||
	        identity_is_candidate(name, strlen(name))) &&
	    (id == NULL || identity_is_candidate(id, strlen(id)));
}

/* Whom the client says it is: the certificate, or else its client id. */
static void
read_identity(const struct request *request, struct facts *facts)
{
	const char *id = request->client_id;

	if (request->leaf != NULL) {
		facts->identity = leaf_identity(
		    request->leaf, &facts->who, &facts->identity_detail);
		return;
	}
	if (request->malformed != NULL) {
		facts->has_certificate = true;
		facts->certificate = REASON_CERT_MALFORMED;
		facts->certificate_detail = request->malformed;
		facts->identity = REASON_IDENTITY_NONE;
		return;
	}
	if (id == NULL ||
	    identity_parse(id, strlen(id), &facts->who,
	        &facts->identity_detail) != RES_OK) {
		facts->identity = REASON_IDENTITY_SYNTAX;
		return;
	}
	facts->identity = REASON_NONE;
}

/* A CA's own enrolment mode narrows the one of the type. */
static void
read_ca(const struct snapshot *snapshot, const char *org,
    const struct trust_finding *finding, struct facts *facts)
{
	const struct ca_record *ca;

	if (!finding->has_ca) {
		return;
	}
	ca = snapshot_ca(snapshot, org, finding->ca);
	if (ca != NULL && ca->enrol[0] != '\0') {
		facts->has_ca_enrolment = true;
		/* A word that does not parse leaves the strictest mode. */
		(void)enrolment_parse(ca->enrol, &facts->ca_enrolment);
	}
}

/* Has the CA on which a leaf hung still a word for it?  If it is gone the leaf
 * is verified anew, and *path, which the caller has set to NULL, is another
 * one. */
static void
follow(const struct tenant *tenant, struct trust_path *known,
    const struct leaf *leaf, const struct chain *chain,
    const struct identity *who, int64_t now, struct trust_finding *out,
    struct trust_path **path)
{
	trust_recheck(tenant->trust, known, who, now, out);
	if (out->reason == REASON_CA_UNKNOWN && leaf != NULL) {
		trust_verify(tenant->trust, leaf, chain, who, now, out, path);
	}
}

static void
verify(const struct tenant *tenant, const struct request *request,
    const struct identity *who, struct trust_finding *out,
    struct trust_path **path)
{
	struct verdict_key key = {.generation = request->generation,
	    .tenant = tenant->number,
	    .any_chain = request->any_chain};

	if (request->path != NULL) {
		follow(tenant, request->path, request->leaf, request->chain,
		    who, request->now, out, path);
		if (out->reason == REASON_NONE && *path == NULL) {
			*path = trust_path_ref(request->path);
		}
		return;
	}
	if (request->verdicts == NULL) {
		trust_verify(tenant->trust, request->leaf, request->chain, who,
		    request->now, out, path);
		return;
	}
	memcpy(
	    key.fingerprint, leaf_info(request->leaf)->fingerprint, HASH_LEN);
	chain_digest(request->chain, key.chain);
	if (!verdicts_find(request->verdicts, &key, request->now, out, path)) {
		trust_verify(tenant->trust, request->leaf, request->chain, who,
		    request->now, out, path);
		verdicts_keep(
		    request->verdicts, &key, request->now, out, *path);
	}
}

void
admission_verify(const struct snapshot *snapshot, const char *org,
    const struct request *request, struct trust_finding *out,
    struct trust_path **path)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	struct identity who;
	const char *detail;

	*path = NULL;
	*out = (struct trust_finding){.reason = REASON_CA_UNKNOWN,
	    .detail = "the org is not there any more",
	    .valid_until = CLOCK_NONE};
	if (tenant != NULL) {
		verify(tenant, request,
		    leaf_identity(request->leaf, &who, &detail) == REASON_NONE
		        ? &who
		        : NULL,
		    out, path);
	}
}

void
answer_done(struct answer *answer)
{
	trust_path_unref(answer->path);
	answer->path = NULL;
}

static void
read_chain(const struct snapshot *snapshot, const struct tenant *tenant,
    const struct request *request, struct facts *facts, struct answer *out)
{
	struct trust_finding finding = {0};

	if (request->objection != NULL) {
		facts->certificate = REASON_CERT_INVALID;
		facts->certificate_detail = request->objection;
		return;
	}
	verify(tenant, request,
	    facts->identity == REASON_NONE ? &facts->who : NULL, &finding,
	    &out->path);
	facts->certificate = finding.reason;
	facts->certificate_detail = finding.detail;
	facts->in_scope = finding.in_scope;
	read_ca(snapshot, tenant->policy.org, &finding, facts);
	out->has_ca = finding.has_ca;
	memcpy(out->ca, finding.ca, HASH_LEN);
	if (finding.reason == REASON_NONE) {
		out->valid_until = finding.valid_until;
	}
}

static void
read_device(
    const char *org, device_lookup *lookup, void *context, struct facts *facts)
{
	struct device device = {0};
	bool case_clash = false;
	enum res r = lookup(context, org, &facts->who, &device, &case_clash);

	facts->sight = admission_sight(r, &device, case_clash);
	if (r == RES_OK) {
		facts->locked = device.locked;
		facts->window_ends_at = device.window_ends_at;
		device_done(&device);
	}
}

void
admission_decide(const struct snapshot *snapshot, const char *org,
    const struct request *request, device_lookup *lookup, void *context,
    struct answer *out, struct trace *trace)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	char right_id[CLIENT_ID_MAX + 1];
	struct facts facts = {0};

	memset(out, 0, sizeof(*out));
	out->valid_until = CLOCK_NONE;
	if (tenant == NULL) {
		return;
	}
	facts.has_certificate = request->leaf != NULL;
	facts.names_device =
	    admission_names_device(request->client_id, request->username);
	facts.client_id = request->client_id;
	facts.tls = request->tls;
	facts.token = presents_token(request) ? TOKEN_WRONG : TOKEN_NONE;
	facts.can_record = request->can_record;
	facts.clock_is_set = request->clock_is_set;
	facts.now = request->now;

	read_identity(request, &facts);
	if (request->leaf != NULL) {
		read_chain(snapshot, tenant, request, &facts, out);
	}
	if (facts.identity == REASON_NONE) {
		out->has_identity = true;
		out->who = facts.who;
		if (request->client_id == NULL &&
		    client_template_render(&tenant->policy.client_template, org,
		        &facts.who, right_id)) {
			facts.client_id = right_id;
		}
	}
	/* Only a client whose certificate holds is worth a look-up. */
	if (facts.identity == REASON_NONE &&
	    (request->leaf == NULL || facts.certificate == REASON_NONE)) {
		read_device(org, lookup, context, &facts);
	}
	policy_decide(&tenant->policy, &facts, &out->verdict, trace);
	if (out->verdict.reason == facts.certificate) {
		out->detail = facts.certificate_detail;
	} else if (out->verdict.reason == facts.identity) {
		out->detail = facts.identity_detail;
	}
}

/* The certificate's side of a review: has its CA, or another one, still a
 * word for it, and until when? */
static void
review_trust(const struct tenant *tenant, const struct standing *standing,
    struct trust_finding *finding, struct trust_path **path)
{
	if (standing->is_restored) {
		*finding = (struct trust_finding){.reason = REASON_NONE,
		    .in_scope = true,
		    .valid_until = CLOCK_FOREVER};
		return;
	}
	if (standing->path == NULL) {
		return; /* refused */
	}
	follow(tenant, standing->path, standing->leaf, standing->chain,
	    standing->who, standing->now, finding, path);
}

void
admission_review(const struct snapshot *snapshot, const char *org,
    const struct standing *standing, struct answer *out)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	struct trust_finding finding = {0};
	struct facts facts = {0};

	memset(out, 0, sizeof(*out));
	out->valid_until = CLOCK_NONE;
	out->has_identity = true;
	out->who = *standing->who;
	if (tenant == NULL) {
		out->verdict.reason = REASON_CA_UNKNOWN; /* went with its org */
		return;
	}
	review_trust(tenant, standing, &finding, &out->path);
	out->has_ca = finding.has_ca;
	memcpy(out->ca, finding.ca, HASH_LEN);
	if (finding.reason == REASON_NONE) {
		out->valid_until = finding.valid_until;
	}

	facts.has_certificate = true;
	facts.names_device = true;
	facts.client_id = standing->client_id;
	facts.tls = true;
	facts.certificate = finding.reason;
	facts.in_scope = finding.in_scope;
	facts.identity = REASON_NONE;
	facts.who = *standing->who;
	facts.sight = standing->sight;
	facts.locked = standing->locked;
	facts.window_ends_at = CLOCK_FOREVER;
	facts.now = standing->now;
	facts.clock_is_set = true;
	/* can_record stays false: a review never writes a device. */
	policy_decide(&tenant->policy, &facts, &out->verdict, NULL);
	if (out->verdict.reason == REASON_REGISTRY_BUSY) {
		out->verdict.reason = REASON_DEVICE_UNLISTED;
	}
	out->verdict.action = ACTION_NONE;
}
