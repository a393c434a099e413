/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * admission: the walk of one connection, certificate to verdict.  identity/
 * and trust/ look at the certificate, the caller's look-up at the registry,
 * policy/ decides.  The broker and "certid explain" both come through here.
 *
 * No I/O but the look-up; any thread, one request at a time per look-up.
 */
#ifndef ADMISSION_ADMISSION_H
#define ADMISSION_ADMISSION_H

#include "admission/snapshot.h"
#include "admission/verdicts.h"
#include "policy/decide.h"
#include "registry/records.h"
#include "trust/trust.h"

/* Where facts about devices come from. */
struct source {
	void *context;
	/* As registry_get(); anything but RES_OK and RES_NOTFOUND refuses with
	 * registry-error. */
	enum res (*find)(void *context, const char *org,
	    const struct identity *who, struct device *out, bool *case_clash);
	/* How many devices there are of a type, or of all (NULL), counting
	 * those that are on their way to the registry. */
	enum res (*count)(void *context, const char *org,
	    const struct device_type *type, int64_t *out);
	/* Whether the CA, which has a rate, may bring one more identity now;
	 * NULL: yes. */
	bool (*within_rate)(
	    void *context, const char *org, const struct ca_record *ca);
};

struct request {
	const struct leaf *leaf;   /* NULL: no certificate */
	const char *malformed;     /* it presented one that cannot be read, and
	                              why; leaf is NULL then.  NULL: no */
	const struct chain *chain; /* NULL: none known */
	bool any_chain;            /* it is not known, and any with which the
	                              leaf held will do: a resumed session */
	struct trust_path *path;   /* what was found of the leaf a moment ago,
	                              where chain is missing; NULL: nothing */
	const char *objection;     /* why the certificate does not count,
	                              whatever it says; constant.  NULL: no */
	struct verdicts *verdicts; /* NULL: none are kept */
	uint64_t generation;       /* of the snapshot, for verdicts */
	const char *client_id;     /* as in CONNECT; NULL: the right one */
	const char *username;      /* as in CONNECT, or NULL */
	const char *password;      /* as in CONNECT, or NULL */
	const char *address;       /* it comes from; NULL: not known */
	bool tls;
	bool tls_unknown;  /* tls is false because the broker does not tell */
	bool can_record;   /* the registry takes a new device now */
	bool clock_is_set; /* see facts */
	int64_t now;
};

/* What came of it. */
struct answer {
	struct verdict verdict;
	bool has_identity;
	struct identity who;
	bool has_ca;
	uint8_t ca[HASH_LEN];
	int64_t valid_until;     /* of the chain; CLOCK_NONE: none verified */
	struct trust_path *path; /* of the chain; answer_done() drops it */
	const char *detail;      /* constant, for the log and not for the
	                            client: why the certificate, identity, TLS
	                            or token failed; NULL: nothing to add */
	unsigned seen_with;      /* SEEN_ bits of this connection */
	struct token_hash token; /* that it presented, where it was right */
	struct pin presented;    /* its certificate, where one was verified */
	bool was_known; /* a device was there, in whatever state; then: */
	struct pins pins_before; /* what verdict.pins takes the place of */
	struct token_hash device_token;
	bool has_gateway;
	struct identity gateway; /* that it is attached to */
};

void answer_done(struct answer *answer);

/*
 * What trust/ says of the request's certificate, which must be there, for an
 * org: looked up in its verdicts, or verified and kept there.  The
 * certificate's identity, if it has one, goes to scopes.  path as for
 * trust_verify().
 */
void admission_verify(const struct snapshot *snapshot, const char *org,
    const struct request *request, struct trust_finding *out,
    struct trust_path **path);

/* *out starts as a refusal; trace may be NULL. */
void admission_decide(const struct snapshot *snapshot, const char *org,
    const struct request *request, const struct source *source,
    struct answer *out, struct trace *trace);

/*
 * A gateway that was admitted publishes for a device that was not seen before:
 * one that an operator attached to it, or, if it is privileged, any.  Admitted
 * (known, provisioned): it may from now on, and verdict.action says what to
 * write; refused: the message is denied.  A device that is attached to another
 * gateway, that is pending, or that was provisioned without a gateway is
 * refused with device-unlisted, or device-pending: an operator sees to it.  ca
 * is the one that anchors the gateway: its enrolment mode and rate hold; NULL:
 * none does that is known, and the mode is listed.
 */
struct behind {
	const struct identity *gateway, *who;
	const uint8_t *ca;
	const char *address;
	bool can_record, clock_is_set;
	int64_t now;
};
void admission_behind(const struct snapshot *snapshot, const char *org,
    const struct behind *behind, const struct source *source,
    struct answer *out);

/*
 * The decision for a session that was admitted before, after the snapshot or
 * the device changed.  The chain that its certificate had at CONNECT is looked
 * at again; if its CA is gone, leaf (may be NULL) is verified anew, and
 * answer.path is another one.  A device that is no longer provisioned is
 * refused: to be written again it has to connect again.  A token counts while
 * it is the device's and has not expired; answer.valid_until is the earlier end
 * of what the level asks for.
 *
 * Where a device has pins the certificate must be in a slot, else pin-mismatch:
 * its rotation takes it up, and that is written, when it connects again.  Where
 * it has none, and the mode is first, the certificate becomes the first one:
 * verdict.action is ACTION_PINS, and verdict.pins are to be written in the
 * place of pins_before.  The session stands, also if that cannot be done now.
 * No other action is asked for.
 */
struct standing {
	const struct leaf *leaf;
	const struct chain *chain; /* that came with it, or NULL */
	struct trust_path *path;   /* NULL refuses, but for is_restored */
	const struct identity *who;
	const char *client_id;
	bool is_restored;   /* from disk: it only receives, and its device is
	                       judged when it returns */
	unsigned seen_with; /* as it was admitted */
	struct token_hash token; /* that it presented; not set: none */
	struct pin presented;    /* its certificate */
	enum sight sight;        /* of the device now */
	bool locked;
	struct token_hash device_token; /* of the device now */
	struct pins pins;               /* of the device now */
	int64_t now;
};
void admission_review(const struct snapshot *snapshot, const char *org,
    const struct standing *standing, struct answer *out);

/* What a look-up found, in the decision's words. */
enum sight admission_sight(
    enum res res, const struct device *device, bool case_clash);

/* Does this client, by its words alone, claim to be a device? */
bool admission_names_device(const char *client_id, const char *username);

#endif /* ADMISSION_ADMISSION_H */
