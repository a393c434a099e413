/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/mailbox.h"

#include <stdlib.h>

struct news *
news_new(enum news_kind kind)
{
	struct news *news = calloc(1, sizeof(*news));

	if (news != NULL) {
		news->kind = kind;
	}
	return news;
}

void
news_free(struct news *news)
{
	if (news != NULL) {
		snapshot_unref(news->snapshot);
		device_done(&news->device);
		event_done(&news->event);
		free(news->client_id);
		free(news->payload);
		free(news);
	}
}

void
mailbox_init(struct mailbox *mailbox)
{
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->first = NULL;
	mailbox->last = NULL;
	mailbox->count = 0;
	atomic_init(&mailbox->full, false);
}

void
mailbox_done(struct mailbox *mailbox)
{
	struct news *news = mailbox_take(mailbox), *next;

	for (; news != NULL; news = next) {
		next = news->next;
		news_free(news);
	}
	pthread_mutex_destroy(&mailbox->lock);
}

void
mailbox_post(struct mailbox *mailbox, struct news *news)
{
	pthread_mutex_lock(&mailbox->lock);
	if (mailbox->last == NULL) {
		mailbox->first = news;
	} else {
		mailbox->last->next = news;
	}
	mailbox->last = news;
	mailbox->count++;
	atomic_store(&mailbox->full, true);
	pthread_mutex_unlock(&mailbox->lock);
}

bool
mailbox_has(const struct mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->full, memory_order_relaxed);
}

bool
mailbox_has_room(struct mailbox *mailbox)
{
	bool has_room;

	pthread_mutex_lock(&mailbox->lock);
	has_room = mailbox->count < MAILBOX_MAX;
	pthread_mutex_unlock(&mailbox->lock);
	return has_room;
}

struct news *
mailbox_take(struct mailbox *mailbox)
{
	struct news *news;

	pthread_mutex_lock(&mailbox->lock);
	news = mailbox->first;
	mailbox->first = NULL;
	mailbox->last = NULL;
	mailbox->count = 0;
	atomic_store(&mailbox->full, false);
	pthread_mutex_unlock(&mailbox->lock);
	return news;
}
