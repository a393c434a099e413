/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/control.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "manage/execute.h"

/* One message that waits; everything is its own. */
struct waiting {
	struct waiting *next;
	uint64_t serial;
	char *client_id, *org, *name, *payload;
	size_t len;
	bool is_new;
};

struct control {
	pthread_t thread;
	char *registry;
	struct mailbox *mailbox;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t wake;
	struct waiting *first, *last;
	size_t count, bytes;
	atomic_bool stopping; /* read without it, too */
};

static void
free_waiting(struct waiting *waiting)
{
	if (waiting != NULL) {
		free(waiting->client_id);
		free(waiting->org);
		free(waiting->name);
		free(waiting->payload);
		free(waiting);
	}
}

static struct waiting *
copy_waiting(const struct asker *asker, const void *payload, size_t len)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL) {
		return NULL;
	}
	waiting->serial = asker->serial;
	waiting->is_new = asker->is_new;
	waiting->client_id = strdup(asker->client_id);
	waiting->org = strdup(asker->org);
	waiting->name = strdup(asker->name);
	waiting->payload = malloc(len + 1);
	waiting->len = len;
	if (waiting->client_id == NULL || waiting->org == NULL ||
	    waiting->name == NULL || waiting->payload == NULL) {
		free_waiting(waiting);
		return NULL;
	}
	if (len > 0) {
		memcpy(waiting->payload, payload, len);
	}
	waiting->payload[len] = '\0';
	return waiting;
}

static void
append(struct control *control, struct waiting *waiting)
{
	waiting->next = NULL;
	if (control->last == NULL) {
		control->first = waiting;
	} else {
		control->last->next = waiting;
	}
	control->last = waiting;
}

/* What else this session asks comes after one of each other's. */
static void
defer_session(struct control *control, uint64_t serial)
{
	struct waiting *waiting = control->first, *next;
	struct waiting *later = NULL, **end = &later;

	control->first = control->last = NULL;
	for (; waiting != NULL; waiting = next) {
		next = waiting->next;
		if (waiting->serial != serial) {
			append(control, waiting);
		} else {
			waiting->next = NULL;
			*end = waiting;
			end = &waiting->next;
		}
	}
	for (; later != NULL; later = next) {
		next = later->next;
		append(control, later);
	}
}

/* The next message; NULL: it is time to stop. */
static struct waiting *
take(struct control *control)
{
	struct waiting *waiting = NULL;

	pthread_mutex_lock(&control->lock);
	while (control->first == NULL && !control->stopping) {
		pthread_cond_wait(&control->wake, &control->lock);
	}
	if (!control->stopping) {
		waiting = control->first;
		control->first = waiting->next;
		defer_session(control, waiting->serial);
		control->count--;
		control->bytes -= waiting->len;
	}
	pthread_mutex_unlock(&control->lock);
	return waiting;
}

/* Without memory for the answer there is none; the asker's patience ends. */
static void
answer(struct control *control, struct waiting *waiting)
{
	const struct admin admin = {.registry = control->registry,
	    .org = waiting->org,
	    .name = waiting->name,
	    .is_new = waiting->is_new,
	    .stopping = &control->stopping};
	struct news *news = news_new(NEWS_REPLY);

	if (news == NULL) {
		return;
	}
	news->payload = execute(&admin, waiting->payload, waiting->len);
	if (news->payload == NULL) {
		news_free(news);
		return;
	}
	news->serial = waiting->serial;
	news->client_id = waiting->client_id;
	waiting->client_id = NULL;
	mailbox_post(control->mailbox, news);
}

static void *
run(void *context)
{
	struct control *control = context;
	struct waiting *waiting;

	while ((waiting = take(control)) != NULL) {
		answer(control, waiting);
		free_waiting(waiting);
	}
	return NULL;
}

static void
free_control(struct control *control)
{
	struct waiting *waiting;

	while ((waiting = control->first) != NULL) {
		control->first = waiting->next;
		free_waiting(waiting);
	}
	pthread_cond_destroy(&control->wake);
	pthread_mutex_destroy(&control->lock);
	free(control->registry);
	free(control);
}

enum res
control_start(const struct control_options *options, struct control **out,
    struct diag *why)
{
	struct control *control = calloc(1, sizeof(*control));
	sigset_t all, old;
	int error;

	if (control == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	pthread_mutex_init(&control->lock, NULL);
	pthread_cond_init(&control->wake, NULL);
	control->mailbox = options->mailbox;
	control->registry = strdup(options->registry);
	if (control->registry == NULL) {
		free_control(control);
		return diag_res(why, RES_NOMEM, "no memory");
	}
	/* Signals are the broker's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&control->thread, NULL, run, control);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		free_control(control);
		return diag_res(why, RES_UNAVAIL,
		    "cannot start the thread for admins: %s", strerror(error));
	}
	*out = control;
	return RES_OK;
}

void
control_stop(struct control *control)
{
	if (control == NULL) {
		return;
	}
	pthread_mutex_lock(&control->lock);
	control->stopping = true;
	pthread_cond_signal(&control->wake);
	pthread_mutex_unlock(&control->lock);
	pthread_join(control->thread, NULL);
	free_control(control);
}

static size_t
count_session(const struct control *control, uint64_t serial)
{
	const struct waiting *waiting;
	size_t n = 0;

	for (waiting = control->first; waiting != NULL;
	     waiting = waiting->next) {
		n += waiting->serial == serial;
	}
	return n;
}

/* Takes waiting if there is room for it. */
static bool
queue(struct control *control, struct waiting *waiting)
{
	bool has_room;

	pthread_mutex_lock(&control->lock);
	has_room = control->count < CONTROL_WAITING_MAX &&
	    control->bytes + waiting->len <= CONTROL_BYTES_MAX &&
	    count_session(control, waiting->serial) < CONTROL_SESSION_MAX;
	if (has_room) {
		append(control, waiting);
		control->count++;
		control->bytes += waiting->len;
		pthread_cond_signal(&control->wake);
	}
	pthread_mutex_unlock(&control->lock);
	return has_room;
}

enum res
control_submit(struct control *control, const struct asker *asker,
    const void *payload, size_t len)
{
	struct waiting *waiting;

	if (len > CONTROL_PAYLOAD_MAX) {
		return RES_LIMIT;
	}
	waiting = copy_waiting(asker, payload, len);
	if (waiting == NULL) {
		return RES_NOMEM;
	}
	if (!queue(control, waiting)) {
		free_waiting(waiting);
		return RES_LIMIT;
	}
	return RES_OK;
}
