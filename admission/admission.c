/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/admission.h"

#include <string.h>

#include "admission/facts.h"

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

/* The identity that a name is; false: it is none. */
static bool
read_name(const char *name, struct identity *out, const char **why)
{
	return name != NULL &&
	    identity_parse(name, strlen(name), out, why) == RES_OK;
}

/* A password is a token if the user name says so, or says whose; else it is
 * for others. */
static bool
presents_token(const struct request *request)
{
	const char *name = request->username, *why;
	struct identity ignored;

	return request->password != NULL && name != NULL &&
	    (strcmp(name, TOKEN_USERNAME) == 0 ||
	        read_name(name, &ignored, &why));
}

/* Why what it presents is no token: a password that may be meant as one. */
static const char *
find_stray_password(const struct request *request)
{
	return request->password == NULL || presents_token(request)
	    ? NULL
	    : "the password is no token: the user name must be " TOKEN_USERNAME
	      " or the identity";
}

/* Whom the client names by its words alone. */
static bool
read_claim(const struct tenant *tenant, const struct request *request,
    struct identity *out, const char **why)
{
	const char *id = request->client_id;

	return read_name(request->username, out, why) ||
	    (id != NULL &&
	        client_template_read(&tenant->policy.client_template,
	            tenant->policy.org, id, out)) ||
	    read_name(id, out, why);
}

/* Whom the client says it is: the certificate, or else its words. */
static void
read_identity(const struct tenant *tenant, const struct request *request,
    struct facts *facts)
{
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
	facts->identity =
	    read_claim(tenant, request, &facts->who, &facts->identity_detail)
	    ? REASON_NONE
	    : REASON_IDENTITY_SYNTAX;
}

/* Whether the token is presented for another device than the one of the
 * certificate.  A client id that is the certificate's, with a suffix perhaps,
 * is nobody else's. */
static bool
is_of_other(const struct tenant *tenant, const struct request *request,
    const struct facts *facts)
{
	const struct policy *policy = &tenant->policy;
	struct identity claimed;
	const char *why;

	if (request->leaf == NULL || facts->identity != REASON_NONE) {
		return false;
	}
	if (strcmp(request->username, TOKEN_USERNAME) == 0 &&
	    (request->client_id == NULL ||
	        client_template_admits(&policy->client_template, policy->org,
	            &facts->who, request->client_id))) {
		return false;
	}
	return read_claim(tenant, request, &claimed, &why) &&
	    !identity_equal(&claimed, &facts->who);
}

/* Why a device has no token.  The client is not told which it is. */
static const char *
describe_missing_token(enum sight sight)
{
	switch (sight) {
	case SIGHT_FIRST:
		return "no such device is registered";
	case SIGHT_CASE:
		return "no such device is registered, but one in other upper "
		       "and lower case";
	case SIGHT_FAILED:
	case SIGHT_ALLOWED:
	case SIGHT_PENDING:
	case SIGHT_KNOWN:
		break;
	}
	return "the device has no token";
}

/* One comparison for each token, also where there is nothing to compare. */
static void
read_token(const struct request *request, const struct device *device,
    struct facts *facts, struct answer *out)
{
	static const struct token_hash none;
	const struct token_hash *kept =
	    facts->token_of_other ? &none : &device->token;
	bool same = token_matches(kept, request->password);

	facts->token = TOKEN_WRONG;
	if (!kept->is_set) {
		facts->token_detail = describe_missing_token(facts->sight);
	} else if (!same) {
		facts->token_detail = "the token is not the device's";
	} else if (request->now >= kept->expires_at) {
		facts->token_detail = "the token has expired";
	} else {
		facts->token = TOKEN_RIGHT;
		out->token = *kept;
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
		facts_follow(tenant, request->path, request->leaf,
		    request->chain, who, request->now, out, path);
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

/* The certificate, as its device may come to be held to it. */
static void
describe_pin(const struct leaf *leaf, const struct trust_finding *finding,
    struct pin *out)
{
	const struct cert_info *info = leaf_info(leaf);

	*out = (struct pin){.has_key = true,
	    .has_ca = finding->has_ca,
	    .not_before = info->not_before,
	    .added_at = CLOCK_NONE,
	    .ends_at = CLOCK_FOREVER};
	memcpy(out->fingerprint, info->fingerprint, HASH_LEN);
	memcpy(out->key, info->key, HASH_LEN);
	memcpy(out->ca, finding->ca, HASH_LEN);
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
	out->has_ca = finding.has_ca;
	memcpy(out->ca, finding.ca, HASH_LEN);
	if (finding.has_ca) {
		facts_take_ca(facts,
		    snapshot_ca(snapshot, tenant->policy.org, finding.ca));
	}
	if (finding.reason == REASON_NONE) {
		out->valid_until = finding.valid_until;
		out->seen_with |= SEEN_CERT;
		describe_pin(request->leaf, &finding, &out->presented);
		facts->presented = out->presented;
	}
}

/* What the registry knows.  Only a client whose certificate holds, or that has
 * a token in the place of one, is worth a look. */
static void
read_registry(const struct snapshot *snapshot, const struct tenant *tenant,
    const struct request *request, const struct source *source,
    struct facts *facts, struct answer *out)
{
	const char *org = tenant->policy.org;
	bool has_token = presents_token(request);
	struct device device = {0};

	if (facts->identity == REASON_NONE &&
	    (request->leaf == NULL ? has_token
	                           : facts->certificate == REASON_NONE)) {
		facts_look_up(facts, source, org, &device, out);
	}
	if (facts->identity == REASON_NONE && request->leaf != NULL &&
	    facts->certificate == REASON_NONE) {
		facts_count(facts, source, &tenant->policy,
		    snapshot_ca(snapshot, org, out->ca));
	}
	if (has_token) {
		facts->token_of_other = is_of_other(tenant, request, facts);
		read_token(request, &device, facts, out);
	} else {
		facts->token_detail = find_stray_password(request);
	}
	device_done(&device);
}

/* What came of it, beside the verdict. */
static void
conclude(const struct facts *facts, struct answer *out)
{
	enum reason reason = out->verdict.reason;

	if (facts->token == TOKEN_RIGHT) {
		out->seen_with |= SEEN_TOKEN;
		if (facts_need_token(facts, out->verdict.level)) {
			out->valid_until = facts_earlier(
			    out->valid_until, out->token.expires_at);
		}
	}
	if (reason == facts->certificate) {
		out->detail = facts->certificate_detail;
	} else if (reason == facts->identity) {
		out->detail = facts->identity_detail;
	} else if (reason == REASON_LEVEL_TLS) {
		out->detail = facts->tls_unknown ? DETAIL_TLS_UNKNOWN : NULL;
	} else if (reason == REASON_TOKEN_WRONG ||
	    reason == REASON_LEVEL_TOKEN || reason == REASON_CERT_MISSING) {
		out->detail = facts->token_detail;
	} else if (reason == REASON_IDENTITY_CONFLICT) {
		out->detail = "the token is presented for another device than "
		              "the certificate's";
	}
}

void
admission_decide(const struct snapshot *snapshot, const char *org,
    const struct request *request, const struct source *source,
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
	out->seen_with = request->tls ? SEEN_TLS : 0;
	facts.has_certificate = request->leaf != NULL;
	facts.names_device =
	    admission_names_device(request->client_id, request->username);
	facts.client_id = request->client_id;
	facts.address = request->address;
	facts.tls = request->tls;
	facts.tls_unknown = request->tls_unknown;
	facts.can_record = request->can_record;
	facts.clock_is_set = request->clock_is_set;
	facts.now = request->now;

	read_identity(tenant, request, &facts);
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
	read_registry(snapshot, tenant, request, source, &facts, out);
	policy_decide(&tenant->policy, &facts, &out->verdict, trace);
	conclude(&facts, out);
}
