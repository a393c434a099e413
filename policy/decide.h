/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * decide: the one decision.  (policy, facts) -> verdict, a pure function: no
 * I/O, no clock, no registry, no allocation.  The broker and "certid explain"
 * call the same one.
 *
 * The caller brings facts; whatever it did not find out stays zero, and zero
 * refuses.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/reason.h"
#include "identity/pin.h"
#include "policy/policy.h"

enum token {
	TOKEN_NONE = 0, /* none was presented */
	TOKEN_WRONG,
	TOKEN_RIGHT,
};

/* What the registry knows of the identity. */
enum sight {
	SIGHT_FAILED = 0, /* could not look */
	SIGHT_FIRST,      /* not there */
	SIGHT_CASE,       /* not there, but one that differs in letter case */
	SIGHT_ALLOWED,    /* added by an operator, not seen yet */
	SIGHT_PENDING,    /* waits for approval */
	SIGHT_KNOWN,      /* provisioned */
};

struct facts {
	/* Who is asking. */
	bool has_certificate;
	bool names_device; /* client id or user name begins like an identity */
	const char *client_id; /* NULL: not given, which refuses */
	bool tls;
	bool tls_unknown; /* tls is false because the broker does not tell */
	enum token token;
	const char *token_detail; /* constant: why it is wrong, or why what was
	                             presented is none; or NULL */
	bool token_of_other; /* it is presented for another identity than the
	                        certificate's */

	/* What identity/ and trust/ found; REASON_NONE is no objection. */
	enum reason certificate; /* certificate and chain */
	enum reason identity;
	const char *certificate_detail; /* constants for the trace, or NULL */
	const char *identity_detail;
	struct identity who;
	bool in_scope; /* of the CA; counts with a certificate only */
	bool has_ca_enrolment;
	enum enrolment ca_enrolment;

	/* What the registry knows. */
	enum sight sight;
	bool locked;
	int64_t window_ends_at; /* CLOCK_FOREVER: no end */
	struct pins pins;       /* of the device */
	bool can_record;        /* a change can be queued now */

	/* What a new identity must meet. */
	struct pin presented; /* the certificate */
	bool pins_unknowable; /* of a session from disk, whose certificate
	                         nobody knows: it is held to no pins */
	bool is_again;        /* a session that was admitted before: see
	                         policy_pins_again() */
	const char *address;  /* it comes from; NULL: not known */
	bool counted;         /* the next two are known, as far as
	                         policy_counts() asks for them */
	int64_t org_devices, type_devices;
	bool within_rate; /* the CA may bring one more now */

	int64_t now;
	bool clock_is_set; /* the wall clock is not behind the build */
};

enum action {
	ACTION_NONE = 0,
	ACTION_PROVISION, /* write the device as provisioned */
	ACTION_PEND, /* write the device as pending; refused all the same */
	ACTION_PINS, /* write the pins of the device, admitted or refused */
};

struct verdict {
	enum reason reason; /* reason_admits() says which way */
	enum action action;
	enum level level;      /* that was demanded */
	bool level_is_default; /* no rule of the type's own */
	struct pins pins;      /* to be written with any action */
};

enum step_result {
	STEP_SKIPPED = 0, /* not reached, or does not apply */
	STEP_PASS,
	STEP_FAIL,
};

#define STEP_MAX    9
#define STEP_DETAIL 240

/* What was looked at, in order, for a person. */
struct trace {
	size_t count;
	struct step {
		const char *name;
		enum step_result result;
		char detail[STEP_DETAIL];
	} steps[STEP_MAX];
};

/* What is wrong where tls_unknown, for the log. */
#define DETAIL_TLS_UNKNOWN                                                     \
	"the broker does not tell whether this client uses TLS: see "          \
	"plugin_opt_assume_tls"

/*
 * Fill *out.  trace may be NULL; it gets the steps, in this order:
 * who, certificate, chain, identity, client-id, level, device, registry.
 * A maximum without a count is refused with registry-error, and so is a token
 * of which nothing could be found out.  A device that is new, or added and not
 * seen, is written, as pending too, only if nothing at all stands against it.
 */
void policy_decide(const struct policy *policy, const struct facts *facts,
    struct verdict *out, struct trace *trace);

/* Whether a new identity of this type is counted: there is a maximum for the
 * org or the type. */
bool policy_counts(const struct policy *policy, const struct device_type *type);

/*
 * What becomes of a device that a gateway publishes for, which has not been
 * seen: the steps device and registry alone.  Of the facts count: who, sight,
 * locked, window_ends_at, can_record, now, clock_is_set, counted and the
 * numbers, within_rate, address (the gateway's), has_ca_enrolment.  The type's
 * enrolment mode holds as for one that comes by itself.  Its pins are not
 * asked for: it presents no certificate.
 */
void policy_decide_behind(const struct policy *policy,
    const struct facts *facts, struct verdict *out, struct trace *trace);

/* Whether a connection that was made like this (SEEN_ bits: 1 TLS, 2 a
 * certificate, 4 a token that was right) meets a level. */
bool level_is_met(enum level level, unsigned seen_with);

#endif /* POLICY_DECIDE_H */
