/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <string.h>
#include <utlist.h>

#include "plugin/outbox_private.h"

#define SAVE_MS 500 /* between two */

/* What is written in one transaction. */
struct batch {
	size_t count;
	struct receiver *receivers[HOOKS_MAX];
	struct progress progress[HOOKS_MAX];
	struct hook_record hooks[HOOKS_MAX]; /* lent */
	struct change changes[HOOKS_MAX];
};

static void
put(struct batch *batch, struct receiver *receiver)
{
	struct progress *progress = &batch->progress[batch->count];
	struct hook_record *hook = &batch->hooks[batch->count];

	if (!receiver_progress(receiver, progress)) {
		return;
	}
	*hook = receiver->hook;
	hook->cursor = progress->cursor;
	hook->delivered = progress->delivered;
	hook->dropped = progress->dropped;
	hook->failing_since = progress->failing_since;
	hook->failure = progress->failing_since == CLOCK_NONE
	    ? NULL
	    : progress->failure.text;
	batch->receivers[batch->count] = receiver;
	batch->changes[batch->count] = (struct change){
	    .kind = CHANGE_HOOK_PROGRESS,
	    .org = receiver->hook.org,
	    .of.hook = hook,
	    .time = clock_now(),
	};
	batch->count++;
}

/* A hook that was removed will be noticed. */
static enum res
apply(struct outbox *outbox, struct batch *batch, struct diag *why)
{
	size_t i;
	enum res r = batch->count == 0
	    ? RES_OK
	    : registry_apply(outbox->registry, batch->changes, batch->count,
	          APPLY_EACH, why);

	for (i = 0; r == RES_OK && i < batch->count; i++) {
		batch->receivers[i]->saved = batch->progress[i];
	}
	batch->count = 0;
	return r;
}

void
outbox_save(struct outbox *outbox, int64_t now_ms)
{
	struct batch batch = {.count = 0};
	struct receiver *receiver;
	struct diag why = {{0}};
	enum res r = RES_OK;

	DL_FOREACH(outbox->receivers, receiver)
	{
		put(&batch, receiver);
		if (r == RES_OK && batch.count == HOOKS_MAX) {
			r = apply(outbox, &batch, &why);
		}
		if (r != RES_OK) {
			break;
		}
	}
	if (r == RES_OK) {
		r = apply(outbox, &batch, &why);
	}
	outbox->save_ms = now_ms +
	    (outbox_is_well(outbox, &outbox->told_write, r, &why) ? SAVE_MS
	                                                          : FAILED_MS);
}
