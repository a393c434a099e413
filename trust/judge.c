/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A CA counts by its name and key, not by one of its certificates: what the
 * registry says of any certificate of the CA holds, whichever of them the
 * client sent.
 *
 * A CRL's thisUpdate was looked at when the CRL was registered.  A clock that
 * was set back since does not make the CRL know less.
 */
#include "trust/judge.h"

#include "common/clock.h"

/* What is told of a device's certificate, and of a CA's above it. */
struct objection {
	struct flaw of_leaf, of_ca;
};

static const struct objection expired = {
    {REASON_CERT_EXPIRED, "the certificate has expired"},
    {REASON_CA_EXPIRED, "a CA above the certificate has expired"}};
static const struct objection early = {
    {REASON_CERT_NOT_YET_VALID, "the certificate is not valid yet"},
    {REASON_CERT_INVALID, "a CA above the certificate is not valid yet"}};
static const struct objection revoked = {
    {REASON_CERT_REVOKED, "the CRL of its CA lists the certificate"},
    {REASON_CERT_REVOKED,
        "the CRL of its issuer lists a CA above the certificate"}};
static const struct objection missing = {
    {REASON_CRL_MISSING,
        "a CRL is required, and there is none about the certificate; "
        "register one of the CA that issued it"},
    {REASON_CRL_MISSING,
        "a CRL is required, and there is none about a CA above the "
        "certificate; register one of that CA's issuer"}};
static const struct objection stale = {
    {REASON_CRL_STALE,
        "the CRL of the certificate's CA is out of date; register the next "
        "one"},
    {REASON_CRL_STALE,
        "the CRL about a CA above the certificate is out of date; register "
        "the next one"}};

void
flaw_add(struct flaw *flaw, enum reason reason, const char *detail)
{
	if (flaw->reason == REASON_NONE || reason < flaw->reason) {
		flaw->reason = reason;
		flaw->detail = detail;
	}
}

/* One call of judge_path(). */
struct bench {
	const struct trust_set *set;
	const struct identity *who;
	int64_t now;
	bool required; /* a CA above the link at hand demands CRLs */
	struct judgement *out;
};

static void
object(struct bench *bench, const struct objection *objection, bool is_ca)
{
	const struct flaw *flaw =
	    is_ca ? &objection->of_ca : &objection->of_leaf;

	flaw_add(&bench->out->flaw, flaw->reason, flaw->detail);
}

static void
limit(struct bench *bench, int64_t until)
{
	if (until < bench->out->valid_until) {
		bench->out->valid_until = until;
	}
}

/* As OpenSSL has it: the last second is the one before notAfter. */
static void
judge_dates(
    struct bench *bench, int64_t not_before, int64_t not_after, bool is_ca)
{
	if (bench->now >= not_after) {
		object(bench, &expired, is_ca);
	}
	if (bench->now < not_before) {
		object(bench, &early, is_ca);
	}
	limit(bench, not_after);
}

/* What the CRLs of one CA say of one certificate. */
struct tally {
	bool is_listed;
	bool is_about;        /* there is one that is about it */
	bool has_stale;       /* there is one past nextUpdate and grace */
	bool is_clear;        /* there is one that is about it and fresh */
	int64_t clear_until;  /* the last of those to become stale */
	int64_t silent_until; /* the first of the other fresh ones */
};

static int64_t
fresh_until(const struct anchor *issuer)
{
	int64_t next = crl_info(issuer->crl)->next_update;

	return next > CLOCK_FOREVER - issuer->crl_grace
	    ? CLOCK_FOREVER
	    : next + issuer->crl_grace;
}

static void
count(struct tally *tally, enum crl_answer answer, int64_t until, int64_t now)
{
	tally->is_listed |= answer == CRL_LISTED;
	tally->is_about |= answer != CRL_SILENT;
	if (now >= until) {
		tally->has_stale = true;
	} else if (answer == CRL_CLEAR) {
		tally->is_clear = true;
		tally->clear_until =
		    until > tally->clear_until ? until : tally->clear_until;
	} else {
		tally->silent_until =
		    until < tally->silent_until ? until : tally->silent_until;
	}
}

/* A list that is too old still revokes what it lists. */
static void
judge_tally(struct bench *bench, const struct tally *tally, bool is_ca)
{
	if (tally->is_listed) {
		object(bench, &revoked, is_ca);
	} else if (tally->is_clear) {
		limit(bench, tally->clear_until);
	} else if (bench->required && !tally->is_about) {
		object(bench, &missing, is_ca);
	} else if (tally->has_stale) {
		object(bench, &stale, is_ca);
	} else {
		limit(bench, tally->silent_until);
	}
}

static void
judge_revocation(struct bench *bench, const struct link *link,
    const struct ca_key *issuer, bool is_ca)
{
	struct tally tally = {
	    .clear_until = CLOCK_NONE, .silent_until = CLOCK_FOREVER};
	const struct anchor *ca = bench->set->anchors;
	const struct anchor *end = ca + bench->set->count;
	enum crl_answer answer;

	for (; ca < end; ca++) {
		if (ca->crl_policy == CRL_OFF ||
		    !ca_key_equal(&ca->key, issuer)) {
			continue;
		}
		bench->required |= ca->crl_policy == CRL_REQUIRED;
		if (ca->crl != NULL) {
			answer = crl_look(
			    ca->crl, link->serial, link->serial_len, is_ca);
			count(&tally, answer, fresh_until(ca), bench->now);
		}
	}
	judge_tally(bench, &tally, is_ca);
}

/* An intermediate that is registered is bound by its state and scope; one
 * certificate of it that is active is enough, and one whose scope covers. */
static void
judge_intermediate(struct bench *bench, const struct ca_key *key)
{
	const struct anchor *idle = NULL, *ca = bench->set->anchors;
	const struct anchor *end = ca + bench->set->count;
	bool active = false, covered = false;

	for (; ca < end; ca++) {
		if (!ca_key_equal(&ca->key, key)) {
			continue;
		}
		if (ca->is_revoked) {
			object(bench, &revoked, true);
		}
		if (ca->state == CA_ACTIVE) {
			active = true;
			covered |= anchor_covers(ca, bench->who);
		} else if (idle == NULL) {
			idle = ca;
		}
	}
	bench->out->out_of_scope |= active && !covered;
	if (!active && idle != NULL) {
		bench->out->blocker = idle;
	}
}

static void
judge_anchor(struct bench *bench, const struct anchor *anchor)
{
	if (anchor->state != CA_ACTIVE) {
		bench->out->blocker = anchor;
	}
	bench->out->out_of_scope = !anchor_covers(anchor, bench->who);
	judge_dates(bench, anchor->not_before, anchor->not_after, true);
	if (anchor->is_revoked) {
		flaw_add(&bench->out->flaw, REASON_CERT_REVOKED,
		    "the CA is revoked: it is listed in the CRL of a "
		    "registered CA that issued it");
	}
}

/* From the CA down, so that what it demands is known below. */
static void
judge_links(
    struct bench *bench, const struct path *path, const struct ca_key *issuer)
{
	const struct link *link;
	size_t i;

	for (i = path->count; i-- > 0;) {
		link = &path->links[i];
		judge_dates(bench, link->not_before, link->not_after, i > 0);
		judge_revocation(bench, link, issuer, i > 0);
		if (i > 0) {
			judge_intermediate(bench, &link->key);
			issuer = &link->key;
		}
	}
}

void
judge_path(const struct trust_set *set, const struct path *path,
    const struct identity *who, int64_t now, struct judgement *out)
{
	struct bench bench = {set, who, now, false, out};
	const struct anchor *anchor = set_find(set, path->ca);

	*out = (struct judgement){.anchor = anchor,
	    .flaw = {.reason = REASON_NONE},
	    .out_of_scope = true,
	    .valid_until = CLOCK_FOREVER};
	if (anchor != NULL) {
		judge_anchor(&bench, anchor);
		judge_links(&bench, path, &anchor->key);
	}
}
