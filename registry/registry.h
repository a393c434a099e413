/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry: what is known of orgs, CAs, types, devices, events.
 *
 * All writing goes through registry_apply(): a batch of changes in one durable
 * transaction, each change with the event that tells of it.  Reading a page,
 * or one device, never looks at more rows than it gives back.
 *
 * A struct registry is for one thread at a time; open another for another
 * thread or process.  Several may be open on one file, by several processes.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "common/diag.h"
#include "registry/records.h"

#define REGISTRY_SCHEMA 1 /* the schema this program writes */

struct backend;
struct registry;

enum registry_mode {
	REGISTRY_READ = 0, /* must exist; nothing is ever written */
	REGISTRY_WRITE,    /* must exist; an older schema is migrated */
	REGISTRY_CREATE,   /* must not exist; made with the org "default" */
};

struct registry_options {
	const char *path;
	enum registry_mode mode;
	const struct backend *backend; /* NULL: SQLite */
	int busy_ms; /* how long a writer waits for another; 0: not at all */
};

/*
 * RES_NOTFOUND: no such file; RES_EXISTS: there is one already (CREATE);
 * RES_CORRUPT: not a registry, damaged, or of a newer schema; RES_UNAVAIL:
 * cannot be opened.  why says what to do.  Nothing is created or repaired but
 * with REGISTRY_CREATE, which makes the file with mode 0640 and, run by root,
 * gives it to the owner of its directory; a missing last directory is made,
 * mode 0750, with the owner of its parent.
 */
MUST_CHECK enum res registry_open(const struct registry_options *options,
    struct registry **out, struct diag *why);
void registry_close(struct registry *registry);

MUST_CHECK enum res registry_load(
    struct registry *registry, struct config *out, struct diag *why);

/*
 * One device.  RES_NOTFOUND is the answer "never seen"; then *case_clash
 * tells whether one is there that differs in letter case alone.  full: with
 * subject, tags and info.
 */
MUST_CHECK enum res registry_get(struct registry *registry, const char *org,
    const struct identity *who, bool full, struct device *out, bool *case_clash,
    struct diag *why);

/* Devices of one org in order of identity, compared byte by byte. */
struct device_query {
	const char *org;
	const struct device_type *type; /* NULL: all */
	const struct identity *gateway; /* attached to it; NULL: all */
	bool has_state;
	enum device_state state;
	bool has_seen_with; /* those that connected last exactly so */
	unsigned seen_with;
	bool is_locked;  /* those that are locked alone */
	bool is_waiting; /* those of which a certificate waits for approval */
	bool is_lapsed;  /* allowed ones whose window has ended at now */
	int64_t now;
	const struct identity *after; /* NULL: from the start; exclusive */
	int64_t limit;                /* rows at most; 0: all */
	bool full;
};

/* The record is lent for the call.  Not RES_OK ends the scan with that. */
typedef enum res device_visit(const struct device *device, void *context);

MUST_CHECK enum res registry_scan(struct registry *registry,
    const struct device_query *query, device_visit *visit, void *context,
    struct diag *why);

/* How many devices the query matches; after and limit do not count.  Reads a
 * few rows of tallies, however many devices there are; with gateway, at most
 * GATEWAY_DEVICES_MAX rows, with is_locked, is_waiting or has_seen_with as many
 * as it counts of one of these, with is_lapsed all that are allowed.  On the
 * path of a connection for one type. */
MUST_CHECK enum res registry_count(struct registry *registry,
    const struct device_query *query, int64_t *out, struct diag *why);

/* The tallies of an org, or of one type of it, in order of type: every device
 * is in exactly one.  Never looks at devices. */
typedef enum res tally_visit(const struct tally *tally, void *context);
MUST_CHECK enum res registry_tally(struct registry *registry, const char *org,
    const struct device_type *type, tally_visit *visit, void *context,
    struct diag *why);

/* What brokers counted, in order of source. */
typedef enum res metrics_visit(
    const struct metrics_record *metrics, void *context);
MUST_CHECK enum res registry_metrics(struct registry *registry,
    metrics_visit *visit, void *context, struct diag *why);

/* Events in order of seq. */
struct event_query {
	const char *org;  /* NULL: every org */
	const char *kind; /* NULL: all */
	int64_t after;    /* seq, exclusive; 0: from the start */
	int64_t since;    /* time, inclusive; CLOCK_NONE: any */
	int64_t limit;    /* rows at most; 0: all */
	bool newest;      /* the newest rows of limit, still in rising order */
};

typedef enum res event_visit(const struct event *event, void *context);

MUST_CHECK enum res registry_events(struct registry *registry,
    const struct event_query *query, event_visit *visit, void *context,
    struct diag *why);

/* The seq of the newest event of the org that has n newer ones of the org, if
 * it is behind after; else 0.  Walks over at most n + 1 entries of an index. */
MUST_CHECK enum res registry_event_before(struct registry *registry,
    const char *org, int64_t after, int64_t n, int64_t *out, struct diag *why);

/* The seq of the last event, 0 if none: it rises with every change that
 * somebody else might have to follow.  Cheap. */
MUST_CHECK enum res registry_mark(
    struct registry *registry, int64_t *out, struct diag *why);

enum change_kind {
	CHANGE_ORG_ADD,    /* org; RES_EXISTS */
	CHANGE_ORG_REMOVE, /* org, with all that is in it; RES_NOTFOUND */
	CHANGE_CA_ADD,     /* ca, without a CRL; its id is set; RES_EXISTS
	                      (fingerprint or name taken), RES_LIMIT (CAS_MAX,
	                      CAS_SUBJECT_MAX) */
	CHANGE_CA_SET, /* ca: name, description, scope, enrol, rate, crl_policy,
	                  crl_grace, crl_url of the one with its
	                  fingerprint; another crl_url clears crl_failure
	                  and crl.modified_at; RES_NOTFOUND, RES_EXISTS
	                  (name taken) */
	CHANGE_CA_STATE, /* ca.state of the one with its fingerprint, whose
	                    code, if it has one, is burnt;
	                    RES_NOTFOUND, RES_EXISTS (it is so already),
	                    RES_REFUSED (it is unproven) */
	CHANGE_CA_CODE,  /* ca.code and code_expires_at, in the place of
	                    older ones; RES_NOTFOUND */
	CHANGE_CA_PROVE, /* active, and no code any more, if ca.code is the
	                    stored one and change.time is before its end;
	                    RES_NOTFOUND, RES_REFUSED */
	CHANGE_CA_CRL,   /* ca.crl, told of none, and crl_failure cleared;
	                    RES_NOTFOUND, RES_REFUSED (the stored one has a
	                    higher number, or the same and no earlier
	                    thisUpdate), RES_EXISTS (it is the stored one),
	                    RES_LIMIT (CRL_BYTES_MAX) */
	CHANGE_CA_CRL_CHECKED, /* ca.crl_failure, NULL where all was well; and
	                        if ca.crl is the stored list, whether it is
	                        fetched, and modified_at; RES_NOTFOUND,
	                        RES_EXISTS (it is so already) */
	CHANGE_CA_TOLD,        /* ca.told, and ca.crl.told if that CRL is still
	                          the stored one; RES_NOTFOUND, RES_EXISTS (they
	                          are so already) */
	CHANGE_CA_REMOVE,      /* ca.fingerprint; RES_NOTFOUND */
	CHANGE_TYPE_SET,       /* type, added or replaced */
	CHANGE_TYPE_UNSET,     /* type.type; RES_NOTFOUND */
	CHANGE_RULE_SET,       /* rule, added or replaced */
	CHANGE_RULE_UNSET,     /* rule.who; RES_NOTFOUND */
	CHANGE_TOPIC_ADD,      /* topic; RES_EXISTS, RES_LIMIT (TOPICS_MAX) */
	CHANGE_TOPIC_REMOVE,   /* topic, all three equal; RES_NOTFOUND */
	CHANGE_SETTING_SET,    /* setting, added or replaced */
	CHANGE_DEVICE_ADD,     /* device, as it is; RES_EXISTS (also by case),
	                      RES_LIMIT (max_devices of its type, the org's
	                      setting max-devices; the gateway has
	                      GATEWAY_DEVICES_MAX), RES_REFUSED (its gateway is
	                      not registered) */
	CHANGE_DEVICE_PROVISION, /* device, provisioned or pending: added if
	                         absent; a provisioned one also takes the place
	                         of an allowed one, which gets the times, the
	                         address, seen_with, the certificate's data,
	                         pins, and the gateway if device has one; else
	                         RES_EXISTS (also by case); RES_LIMIT and
	                         RES_REFUSED as DEVICE_ADD, and RES_REFUSED for
	                         one that is attached to another gateway than
	                         device's */
	CHANGE_DEVICE_LOCK,      /* device.locked; RES_NOTFOUND, RES_EXISTS (it
	                         is so already) */
	CHANGE_DEVICE_APPROVE,   /* device.who: pending to allowed without end,
	                         and device.pins, if there are any, in the place
	                         of any; RES_NOTFOUND, RES_REFUSED (not
	                         pending) */
	CHANGE_DEVICE_REMOVE,    /* device.who; of a gateway, its devices are
	                         detached; RES_NOTFOUND */
	CHANGE_DEVICE_SEEN,  /* device: last_seen_at, last_address, seen_with;
	                        the certificate's data, where there was none;
	                        no event; RES_NOTFOUND */
	CHANGE_DEVICE_TOKEN, /* device.token, in the place of any; RES_NOTFOUND,
	                       RES_EXISTS (there is none already) */
	CHANGE_DEVICE_PINS,  /* device.pins, in the place of change.pins_before,
	                       which the stored ones must equal; NULL: of any;
	                       RES_NOTFOUND, RES_REFUSED (they do not),
	                       RES_EXISTS  (they are so already) */
	CHANGE_DEVICE_ATTACH, /* device.gateway, or has_gateway false: none;
	                       RES_NOTFOUND, RES_EXISTS (it is so already),
	                       RES_LIMIT (GATEWAY_DEVICES_MAX), RES_REFUSED (the
	                       gateway is not registered) */
	CHANGE_DEVICE_SET,    /* device.tags and info where they are not NULL,
	                         window_ends_at where it is not CLOCK_NONE;
	                         RES_NOTFOUND, RES_REFUSED (a window, and it is
	                         not allowed), RES_EXISTS (all is so already) */
	CHANGE_HOOK_ADD,      /* hook; RES_EXISTS (id), RES_LIMIT (HOOKS_MAX) */
	CHANGE_HOOK_REMOVE,   /* hook.id; RES_NOTFOUND */
	CHANGE_HOOK_PROGRESS, /* hook: cursor, delivered, dropped, failure,
	                       failing_since of the one with its id; no event;
	                       RES_NOTFOUND */
	CHANGE_ADMIN_ADD,     /* admin; RES_EXISTS, RES_LIMIT (ADMINS_MAX) */
	CHANGE_ADMIN_REMOVE,  /* admin.name; RES_NOTFOUND */
	CHANGE_METRICS, /* metrics, in the place of those of its source; no
	                 event; RES_LIMIT (METRICS_MAX) */
	CHANGE_METRICS_PURGE, /* forget metrics that were written before
	                         change.time; no event; RES_NOTFOUND (there were
	                         none) */
	CHANGE_EVENTS_PURGE,  /* forget events of the org that are older than
	                       change.time, PURGE_MAX of them at most; no event;
	                       RES_NOTFOUND (there was none) */
	CHANGE_EVENT,         /* device: nothing but the event about it, which
	                         need not be registered (any more) */
};

#define PURGE_MAX 1000 /* events forgotten by one change */

struct change {
	enum change_kind kind;
	const char *org; /* must exist; of ORG_*: where the event is written,
	                    which after ORG_REMOVE must be another one; of
	                    METRICS: does not count */
	union {
		struct org *org;
		struct ca_record *ca;
		struct type_record *type;
		struct rule_record *rule;
		struct topic_record *topic;
		struct setting_record *setting;
		struct device *device;
		struct hook_record *hook;
		struct admin_record *admin;
		struct metrics_record *metrics;
	} of;                           /* lent */
	const struct pins *pins_before; /* DEVICE_PINS */
	int64_t time;                   /* of the event */
	const char *actor;              /* NULL: no event is written */
	const char *event_kind;
	const char *event_subject;
	const char *event_detail; /* may be NULL */
	enum res result;          /* set by registry_apply() */
};

enum apply_mode {
	APPLY_ALL = 0, /* the first change that does not succeed undoes all;
	                  its result is returned */
	APPLY_EACH,    /* changes stand alone: RES_OK even if some of them were
	                  answered RES_EXISTS, RES_NOTFOUND, RES_LIMIT,
	                  RES_REFUSED or RES_SYNTAX, see result */
};

/*
 * A transaction of several registry_apply(), for more changes than fit into
 * memory: what they do is seen by nobody else, and other writers wait, until
 * registry_commit() brings it onto the disk or registry_rollback() undoes it.
 * In between, an apply that fails with APPLY_ALL leaves its own changes undone
 * or not: roll back.  RES_UNAVAIL, RES_BUSY; RES_REFUSED: one is open already,
 * or none is.  registry_close() rolls back.
 */
MUST_CHECK enum res registry_begin(struct registry *registry, struct diag *why);
MUST_CHECK enum res registry_commit(
    struct registry *registry, struct diag *why);
void registry_rollback(struct registry *registry);

/*
 * One transaction, on the disk when RES_OK comes back.  RES_BUSY: another
 * writer did not end within busy_ms; nothing was done.  RES_UNAVAIL: disk
 * full, I/O; then nothing counts as done, though a failed commit may
 * yet be found done later: changes must bear being applied twice.  An org that
 * does not exist is RES_NOTFOUND.  A change that could not be read back is
 * RES_SYNTAX or RES_LIMIT: an identity, tags or info that do not parse; one
 * that lacks what it is about is RES_REFUSED: a CA without a policy for CRLs.
 */
MUST_CHECK enum res registry_apply(struct registry *registry,
    struct change *changes, size_t n, enum apply_mode mode, struct diag *why);

#endif /* REGISTRY_REGISTRY_H */
