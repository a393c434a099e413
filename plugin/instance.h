/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * instance: one loaded plugin, with everything that its callbacks share.
 *
 * Mosquitto may load the plugin several times; each has its own instance, and
 * nothing is static.  All of it belongs to the broker's thread; the worker has
 * its own things and is spoken to through worker.h.
 */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include <pthread.h>

#include "plugin/behind.h"
#include "plugin/broker.h"
#include "plugin/control.h"
#include "plugin/handshake.h"
#include "plugin/homes.h"
#include "plugin/keeper.h"
#include "plugin/limits.h"
#include "plugin/listeners.h"
#include "plugin/metrics.h"
#include "plugin/options.h"
#include "plugin/outbox.h"
#include "plugin/pending.h"
#include "plugin/publish.h"
#include "plugin/report.h"
#include "plugin/session.h"
#include "plugin/worker.h"

#define TURN_SLICE_MS 5     /* for looking at sessions again, in one TICK */
#define RELOAD_MS     1000  /* of a reload, where no TICK tells its end */
#define SWEEP_MS      500   /* how often dates are looked at */
#define SWEEP_MAX     256   /* records dropped in one sweep */
#define FORGET_MS     60000 /* a session that cannot come back is kept */
#define TICKLESS_MS   3000  /* between CONNECTs without a TICK: too long */

struct instance {
	pthread_t thread; /* the broker's */
	struct mosquitto_plugin_id_t *id;
	struct broker broker;
	struct options options;
	struct registry *registry; /* for look-ups at CONNECT */
	struct worker *worker;
	struct keeper *keeper;
	struct outbox *outbox;
	struct control *control;
	struct handshake *handshake; /* NULL: the broker verifies alone */
	struct listeners *listeners; /* NULL: not known */
	struct verdicts *verdicts;
	struct snapshot *snapshot;
	uint64_t generation; /* of the snapshot; rises with each */
	uint64_t walked;     /* generation at the start of the walk */
	struct sessions sessions;
	struct pending pending;
	struct limits limits;
	struct behind_table behind;
	struct homes homes;
	struct report report;
	struct metrics metrics;
	struct told told;             /* of metrics */
	char source[ADDRESS_MAX + 1]; /* what we are called in them */
	int64_t now;                  /* wall clock of the last turn */
	int64_t now_ms;               /* monotonic clock of the last turn */
	int64_t swept_ms;             /* of the last sweep */
	uint64_t turn;                /* rises with each TICK */
	int64_t reloading_ms;         /* between RELOAD and the next TICK */
	bool reviewing;               /* sessions wait for a look */
	bool pins_due;                /* of some, that could not be queued */
	bool told_bypass; /* the log has the warning about bypassed clients */
	bool told_tickless;
	bool told_unmarked;     /* the same of handshakes that passed us by */
	int64_t told_lookup_ms; /* of the last complaint about the registry */
	int64_t tickless_ms; /* of the first CONNECT since the last TICK; 0 */
};

/* Whether we are on the broker's thread.  2.1's http_api calls from another
 * one, with a client that is none; such calls touch nothing here. */
bool instance_is_home(const struct instance *instance);

/* Whether it is known of each client without a certificate if it uses TLS, or
 * of all that they do. */
bool instance_knows_tls(const struct instance *instance);

/* struct source of admission.h, and its find(): what is queued first, then the
 * registry. */
struct source instance_source(struct instance *instance);
enum res instance_lookup(void *context, const char *org,
    const struct identity *who, struct device *out, bool *case_clash);

/* auth.c: MOSQ_EVT_BASIC_AUTH and MOSQ_EVT_EXT_AUTH_START. */
int auth_basic(int event, void *event_data, void *userdata);
int auth_extended(int event, void *event_data, void *userdata);

/* acl.c: MOSQ_EVT_ACL_CHECK. */
int acl_check(int event, void *event_data, void *userdata);

/* turn.c: MOSQ_EVT_TICK, _RELOAD, _DISCONNECT; 2.1's CONNECT, which comes when
 * a client has been let in, by whomever, and CLIENT_OFFLINE. */
int turn_tick(int event, void *event_data, void *userdata);
int turn_reload(int event, void *event_data, void *userdata);
int turn_arrive(int event, void *event_data, void *userdata);
int turn_leave(int event, void *event_data, void *userdata);

/* Read the clocks and take the worker's first news: the snapshot. */
void turn_start(struct instance *instance);

/* The broker ends: what was counted goes to the worker. */
void turn_stop(struct instance *instance);

/* Read the clocks and take the worker's news.  Where TICK does not come (2.0
 * with per_listener_settings true), do its work too, but for closing sessions,
 * and say so in the log. */
void turn_at_connect(struct instance *instance);

/*
 * review.c: look at a device's session again, after the settings or its
 * device changed or time passed.  One that is no longer in good standing is
 * marked, so that nothing is allowed any more, and is closed by the next TICK.
 */
void review_session(struct instance *instance, struct session *session);

/* What the registry says of a device now, for all sessions of it. */
void review_device(
    struct instance *instance, const struct device *device, bool found);

/* The same, and what came of writing it. */
void review_recorded(struct instance *instance, const struct device *device,
    bool found, enum res result);

/* Close, in this TICK, the sessions that lost their standing. */
void review_kick(struct instance *instance);

/* Is it in good standing at this moment? Reviews it if it has to. */
bool review_stands(struct instance *instance, struct session *session);

#endif /* PLUGIN_INSTANCE_H */
