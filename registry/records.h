/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * records: what the registry holds, as plain structs.
 *
 * Words that other rooms give a meaning (levels, modes, CA states) are stored
 * as those rooms spell them; this room only keeps them.  A char * is heap
 * memory of the record, freed by its _done(); fixed arrays are text with NUL.
 */
#ifndef REGISTRY_RECORDS_H
#define REGISTRY_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/text.h"
#include "identity/identity.h"
#include "identity/pin.h"
#include "identity/secret.h"

#define ORG_DEFAULT         "default"
#define WORD_MAX            31
#define ADDRESS_MAX         63
#define SERIAL_MAX          42
#define CA_ID_MIN           16 /* hex digits of a CA's id, more on a tie */
#define CAS_MAX             64 /* an org */
#define CAS_SUBJECT_MAX     10 /* of one subject */
#define CRL_NUMBER_LEN      40 /* hex digits of a CRL number */
#define CRL_BYTES_MAX       (8 << 20) /* of a CRL's DER */
#define PROOF_CODE_MAX      64        /* of a registration code */
#define TOLD_EXPIRED        (-1)
#define TOLD_MAX            90          /* days */
#define TOPICS_MAX          256         /* topic rules, an org */
#define JSON_MAX            (64 * 1024) /* bytes of info and of tags */
#define RATE_MAX            1000000     /* new identities a minute */
#define DEVICES_MAX         1000000000  /* that a quota may name */
#define ADDRESSES_MAX       64          /* CIDR blocks of a type */
#define GATEWAY_DEVICES_MAX 500         /* attached to one gateway */
#define HOOKS_MAX           32          /* an org */
#define HOOK_ID_LEN         8           /* hex digits */
#define URL_MAX             2048
#define SECRET_MAX          1024         /* bytes of a hook's secret */
#define ADMINS_MAX          256          /* an org */
#define ADMIN_NAME_MAX      255          /* bytes of a user name or identity */
#define METRICS_MAX         (256 * 1024) /* bytes of one source's metrics */

struct org {
	char name[NAME_MAX_LEN + 1];
	int64_t created_at;
};

/* A CA's revocation list.  Its DER is freed with the CA's record. */
struct crl_record {
	uint8_t *der; /* NULL: there is none, and the rest means nothing */
	size_t der_len;
	uint8_t fingerprint[HASH_LEN];
	char number[CRL_NUMBER_LEN + 1]; /* lower-case hex digits, all of them:
	                                    the order of the text is that of the
	                                    numbers */
	int64_t this_update, next_update;
	int64_t entries;
	int64_t stored_at;
	bool fetched;        /* from the CA's crl_url */
	int64_t modified_at; /* as the server said; CLOCK_NONE: it did not */
	int told;            /* see ca_record */
};

struct ca_record {
	char org[NAME_MAX_LEN + 1];
	char id[HASH_TEXT_MAX + 1]; /* set by the registry when it is added */
	uint8_t fingerprint[HASH_LEN];
	uint8_t *der;
	size_t der_len;
	char *subject;
	int64_t not_before, not_after;
	char name[NAME_MAX_LEN + 1]; /* "" is none; unique in the org */
	char *description;           /* NULL is none */
	char state[WORD_MAX + 1];    /* active, inactive, unproven */
	char *scope;                 /* JSON array of patterns; "[]" is any */
	char enrol[WORD_MAX + 1];    /* a mode, or "" */
	int64_t rate;                /* new identities a minute; 0: no limit */
	char *tags;                  /* JSON array of {name, value} */
	int64_t added_at;
	char code[PROOF_CODE_MAX + 1]; /* registration code; "" is none */
	int64_t code_expires_at;       /* CLOCK_NONE without one */
	int told; /* days before the end that an event told of: 90, 30, 7, 1;
	             TOLD_EXPIRED: that it has come; 0: none so far */
	char crl_policy[WORD_MAX + 1]; /* off, if-present, required */
	int64_t crl_grace;             /* seconds after nextUpdate */
	char *crl_url;                 /* NULL: none */
	char *crl_failure;             /* why the last fetch failed; NULL: it
	                                  did not */
	struct crl_record crl;
};

struct type_record {
	char org[NAME_MAX_LEN + 1];
	struct device_type type;
	char enrol[WORD_MAX + 1];     /* a mode, or "" */
	int64_t window;               /* seconds; CLOCK_FOREVER: no end;
	                                 CLOCK_NONE: the default */
	char id_format[WORD_MAX + 1]; /* a kind, or "" */
	int id_length;                /* 0: any */
	char id_prefix[IDENTITY_ID_MAX + 1];
	char pin[WORD_MAX + 1];    /* none, first, listed; "": none */
	char rotate[WORD_MAX + 1]; /* none, same-key, same-ca, approve; "":
	                              none */
	int64_t overlap;           /* seconds; CLOCK_NONE: the default */
	int64_t max_devices;       /* 0: no limit */
	char *addresses; /* JSON array of CIDR blocks; NULL: any address */
	bool privileged; /* gateways that register devices */
};

struct rule_record {
	char org[NAME_MAX_LEN + 1];
	char who[TYPE_TEXT_MAX + 8]; /* "default" or "d:meter" */
	char level[WORD_MAX + 1];
};

struct topic_record {
	char org[NAME_MAX_LEN + 1];
	char who[TYPE_TEXT_MAX + 8]; /* "all", "d", "g" or "d:meter" */
	char access[WORD_MAX + 1];
	char *filter;
};

struct setting_record {
	char org[NAME_MAX_LEN + 1];
	char key[WORD_MAX + 1];
	char *value;
};

enum device_state {
	DEVICE_PENDING = 0, /* waits for approval */
	DEVICE_ALLOWED,     /* added by an operator, not seen yet */
	DEVICE_PROVISIONED,
};

const char *device_state_name(enum device_state state);
bool device_state_parse(const char *name, enum device_state *out);

/* How a device connected last, as bits; 0: it never did. */
#define SEEN_TLS   1u
#define SEEN_CERT  2u
#define SEEN_TOKEN 4u
#define SEEN_MAX   7u

/*
 * A device or gateway.  What a decision needs is in the fixed part; subject,
 * tags and info are read only where DEVICE_FULL is asked for.
 */
struct device {
	char org[NAME_MAX_LEN + 1];
	struct identity who;
	enum device_state state;
	bool locked;
	int64_t created_at;
	int64_t provisioned_at; /* CLOCK_NONE: not yet */
	int64_t last_seen_at;   /* CLOCK_NONE: never */
	int64_t window_ends_at; /* CLOCK_FOREVER: no end */
	char last_address[ADDRESS_MAX + 1];
	unsigned seen_with;
	struct token_hash token;
	struct pins pins;
	bool has_gateway;
	struct identity gateway; /* that it is attached to */
	bool has_ca, has_fingerprint;
	uint8_t ca[HASH_LEN];          /* that admitted it first */
	uint8_t fingerprint[HASH_LEN]; /* of the first certificate */
	char serial[SERIAL_MAX + 1];
	int64_t not_after; /* of the first certificate; CLOCK_NONE: unknown */
	char *subject;
	char *tags; /* JSON array, NULL is "[]" */
	char *info; /* JSON object, NULL is "{}" */
};

struct event {
	int64_t seq; /* rises by one or more; never used again */
	char org[NAME_MAX_LEN + 1];
	int64_t time;
	char actor[WORD_MAX + 1]; /* "broker" or "operator" */
	char kind[WORD_MAX + 1];
	char *subject; /* an identity, a CA's id, a type, a key */
	char *detail;  /* a sentence, NULL is none */
};

/* A receiver of events. */
struct hook_record {
	char org[NAME_MAX_LEN + 1];
	char id[HOOK_ID_LEN + 1];
	char *url;
	char *kinds; /* JSON array of kinds of events; "[]": every kind */
	char format[WORD_MAX + 1]; /* cloudevents, watson */
	char *secret;              /* NULL: nothing is signed */
	char *ca_pem;              /* trusted in the place of the system's CAs;
	                              NULL: these */
	int64_t created_at;
	/* What came of it so far, kept by whoever delivers. */
	int64_t cursor; /* seq: all up to here are delivered or dropped */
	int64_t delivered, dropped;
	char *failure; /* why the last attempt failed; NULL: it did not */
	int64_t failing_since; /* CLOCK_NONE */
};

/* Who may manage the org over MQTT: an identity of this org, or the user name
 * of a client that another plugin or file authenticates. */
struct admin_record {
	char org[NAME_MAX_LEN + 1];
	char name[ADMIN_NAME_MAX + 1];
	int64_t added_at;
};

/* What one broker counted, as it wrote it down. */
struct metrics_record {
	char source[ADDRESS_MAX + 1];
	int64_t written_at;
	char *body; /* Prometheus text format */
};

/* How many devices of one type are alike. */
struct tally {
	struct device_type type;
	enum device_state state;
	unsigned seen_with;
	int64_t count;
};

/* Everything but devices and events, of all orgs, read at one moment.  The
 * arrays are ordered by org, then by key; topics in the order of adding. */
struct config {
	int64_t mark; /* the last event's seq at that moment */
	struct org *orgs;
	size_t org_count;
	struct ca_record *cas;
	size_t ca_count;
	struct type_record *types;
	size_t type_count;
	struct rule_record *rules;
	size_t rule_count;
	struct topic_record *topics;
	size_t topic_count;
	struct setting_record *settings;
	size_t setting_count;
	struct hook_record *hooks;
	size_t hook_count;
	struct admin_record *admins;
	size_t admin_count;
};

/* Whether a word is a CA's crl_policy, and a text a CRL's number. */
bool crl_policy_is_word(const char *word);
bool crl_number_is_whole(const char *number);
/* A CRL's number without leading zeros: "0x1a". */
void crl_record_number_format(
    const char *number, char text[CRL_NUMBER_LEN + sizeof("0x")]);

void ca_record_done(struct ca_record *ca);
void type_record_done(struct type_record *type);
void hook_record_done(struct hook_record *hook);
void topic_record_done(struct topic_record *topic);
void setting_record_done(struct setting_record *setting);
void device_done(struct device *device);
void event_done(struct event *event);
void config_done(struct config *config);

/* When to warn of the end of a CA's CRL, as expiry_stage(); 0 without one.  One
 * that is fetched comes anew long before its end, so there is something to tell
 * only on its last day, and in the last quarter of its life; one that is stored
 * by hand is for expiry_stage_by_hand(). */
int ca_record_crl_stage(const struct ca_record *ca, int64_t now);

/* Deep copies; on failure out is empty.  RES_NOMEM. */
MUST_CHECK enum res ca_record_copy(
    const struct ca_record *from, struct ca_record *out);
MUST_CHECK enum res type_record_copy(
    const struct type_record *from, struct type_record *out);
MUST_CHECK enum res hook_record_copy(
    const struct hook_record *from, struct hook_record *out);
MUST_CHECK enum res device_copy(const struct device *from, struct device *out);

/* A device with the safe values: pending, no times, no certificate. */
void device_init(
    struct device *device, const char *org, const struct identity *who);

#endif /* REGISTRY_RECORDS_H */
