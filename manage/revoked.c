/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/revoked.h"

#include <stdlib.h>
#include <string.h>

#include "manage/health.h"
#include "trust/trust.h"

struct revoked {
	const struct config *config;
	struct crl **crls; /* one a CA, in the order of config->cas */
	bool *marks;       /* the same */
};

void
revoked_free(struct revoked *revoked)
{
	size_t i;

	if (revoked == NULL) {
		return;
	}
	for (i = 0; revoked->crls != NULL && i < revoked->config->ca_count;
	     i++) {
		crl_unref(revoked->crls[i]);
	}
	free(revoked->crls);
	free(revoked->marks);
	free(revoked);
}

static enum res
read_crls(struct revoked *revoked, struct diag *why)
{
	const struct ca_record *ca;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < revoked->config->ca_count; i++) {
		ca = &revoked->config->cas[i];
		if (ca->crl.der != NULL) {
			r = crl_restore(ca->crl.der, ca->crl.der_len, ca->der,
			    ca->der_len, &revoked->crls[i], why);
		}
	}
	return r;
}

/* One with this CRL into a set; its state and scope are no matter here. */
static enum res
add(const struct ca_record *ca, struct crl *crl, struct trust_set *set,
    struct diag *why)
{
	struct ca_terms terms = {.crl = crl};

	if (!crl_policy_parse(ca->crl_policy, &terms.crl_policy)) {
		return diag_res(why, RES_CORRUPT,
		    "the registry holds a CRL policy that this version does "
		    "not understand: \"%s\" of the CA %s; set it anew with "
		    "certid ca set",
		    ca->crl_policy, ca->id);
	}
	return trust_set_add(set, ca->der, ca->der_len, &terms, why);
}

/* Mark those of the org of the i-th CA, the first one of it. */
static enum res
mark_org(struct revoked *revoked, size_t i, struct diag *why)
{
	const struct ca_record *cas = revoked->config->cas;
	size_t n = revoked->config->ca_count, j;
	struct trust_set *set = NULL;
	enum res r = trust_set_new(&set);

	if (r != RES_OK) {
		return diag_res(why, r, "there is not enough memory");
	}
	for (j = i; r == RES_OK && j < n; j++) {
		if (strcmp(cas[j].org, cas[i].org) == 0) {
			r = add(&cas[j], revoked->crls[j], set, why);
		}
	}
	for (j = i; r == RES_OK && j < n; j++) {
		if (strcmp(cas[j].org, cas[i].org) == 0) {
			revoked->marks[j] =
			    trust_is_revoked(set, cas[j].fingerprint);
		}
	}
	trust_set_free(set);
	return r;
}

/* The configuration has its CAs in the order of their orgs. */
static enum res
mark(struct revoked *revoked, struct diag *why)
{
	const struct ca_record *cas = revoked->config->cas;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < revoked->config->ca_count; i++) {
		if (i == 0 || strcmp(cas[i].org, cas[i - 1].org) != 0) {
			r = mark_org(revoked, i, why);
		}
	}
	return r;
}

enum res
revoked_new(const struct config *config, struct revoked **out, struct diag *why)
{
	struct revoked *revoked = calloc(1, sizeof(*revoked));
	enum res r;

	if (revoked == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	revoked->config = config;
	revoked->crls = calloc(config->ca_count + 1, sizeof(*revoked->crls));
	revoked->marks = calloc(config->ca_count + 1, sizeof(*revoked->marks));
	r = revoked->crls == NULL || revoked->marks == NULL
	    ? diag_res(why, RES_NOMEM, "there is not enough memory")
	    : read_crls(revoked, why);
	if (r == RES_OK) {
		r = mark(revoked, why);
	}
	if (r == RES_OK) {
		*out = revoked;
		revoked = NULL;
	}
	revoked_free(revoked);
	return r;
}

/* Whether the CRL of one CA lists another one; i and j may be the same. */
static bool
lists(const struct revoked *revoked, size_t i, size_t j)
{
	const struct ca_record *cas = revoked->config->cas;
	struct trust_set *set = NULL;
	bool is_listed;

	if (revoked->crls[i] == NULL || strcmp(cas[i].org, cas[j].org) != 0 ||
	    trust_set_new(&set) != RES_OK) {
		return false;
	}
	is_listed = add(&cas[i], revoked->crls[i], set, NULL) == RES_OK &&
	    (i == j || add(&cas[j], NULL, set, NULL) == RES_OK) &&
	    trust_is_revoked(set, cas[j].fingerprint);
	trust_set_free(set);
	return is_listed;
}

static void
describe(const struct revoked *revoked, size_t at, struct diag *out)
{
	const struct config *config = revoked->config;
	char label[CA_LABEL_MAX + 1];
	size_t i = 0;

	while (i < config->ca_count && !lists(revoked, i, at)) {
		i++;
	}
	if (i == config->ca_count) {
		diag_set(out,
		    "is revoked: a CA that is revoked issued it; its devices "
		    "are refused");
		return;
	}
	if (i == at) {
		diag_set(out,
		    "is revoked: it is listed in the CRL of its own; its "
		    "devices are refused");
		return;
	}
	ca_label(&config->cas[i], label);
	diag_set(out,
	    "is revoked: it is listed in the CRL of the CA %s; its devices are "
	    "refused",
	    label);
}

bool
revoked_has(
    const struct revoked *revoked, const struct ca_record *ca, struct diag *out)
{
	size_t i;

	for (i = 0; revoked != NULL && i < revoked->config->ca_count; i++) {
		if (strcmp(revoked->config->cas[i].org, ca->org) == 0 &&
		    memcmp(revoked->config->cas[i].fingerprint, ca->fingerprint,
		        HASH_LEN) == 0) {
			if (revoked->marks[i] && out != NULL) {
				describe(revoked, i, out);
			}
			return revoked->marks[i];
		}
	}
	return false;
}
