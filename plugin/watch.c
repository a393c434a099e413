/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/watch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void
drop(struct watch **watches, struct watch *watch, struct fetcher *fetcher)
{
	HASH_DEL(*watches, watch);
	fetcher_abandon(fetcher, watch->fetch);
	ca_record_done(&watch->ca);
	free(watch);
}

void
watches_free(struct watch **watches, struct fetcher *fetcher)
{
	struct watch *watch, *next;

	HASH_ITER(hh, *watches, watch, next)
	{
		drop(watches, watch, fetcher);
	}
}

/* The watch of a CA, a new one if need be; NULL: no memory. */
static struct watch *
watch_of(struct watch **watches, const struct ca_record *ca, int64_t now_ms)
{
	char key[WATCH_KEY_MAX + 1], hash[HASH_TEXT_MAX + 1];
	struct watch *watch;

	text_hex(hash, ca->fingerprint, HASH_LEN);
	(void)snprintf(key, sizeof(key), "%s:%s", ca->org, hash);
	HASH_FIND_STR(*watches, key, watch);
	if (watch != NULL) {
		return watch;
	}
	if ((watch = calloc(1, sizeof(*watch))) == NULL) {
		return NULL;
	}
	memcpy(watch->key, key, sizeof(key));
	watch->due_ms = now_ms;
	HASH_ADD_STR(*watches, key, watch);
	if (watch->hh.tbl == NULL) {
		free(watch);
		return NULL;
	}
	return watch;
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* What another URL did is of no more interest. */
static void
start_over(struct watch *watch, struct fetcher *fetcher, int64_t now_ms)
{
	fetcher_abandon(fetcher, watch->fetch);
	watch->fetch = NULL;
	watch->due_ms = now_ms;
	watch->vain = 0;
	watch->said.text[0] = '\0';
}

/* Keep no more of a CRL than that there is one. */
static void
let_go(struct crl_record *crl)
{
	uint8_t *smaller = crl->der == NULL ? NULL : realloc(crl->der, 1);

	if (smaller != NULL) {
		crl->der = smaller;
		crl->der_len = 1;
	}
}

int64_t
watch_wait_ms(unsigned vain, int64_t left, uint32_t dice)
{
	int64_t wait = WATCH_WAIT_MAX_MS;
	unsigned doublings = vain - 1;

	if (vain == 0 && left < WATCH_WAIT_MAX_MS / 500) {
		wait = left < 0 ? 0 : left * 500;
	} else if (vain > 0 && doublings < 20) {
		wait = (int64_t)WATCH_RETRY_MS << doublings;
	}
	if (wait > WATCH_WAIT_MAX_MS) {
		wait = WATCH_WAIT_MAX_MS;
	}
	wait -= wait * (int64_t)(dice % (WATCH_JITTER + 1)) / 1000;
	return wait < WATCH_WAIT_MIN_MS ? WATCH_WAIT_MIN_MS : wait;
}

static uint32_t
roll(void)
{
	uint32_t dice;

	/* Without entropy, at boot, brokers may as well call together. */
	return getrandom(&dice, sizeof(dice), GRND_NONBLOCK) == sizeof(dice)
	    ? dice
	    : 0;
}

/* Somebody else has stored a list, which may run out before the next fetch. */
static void
hurry(struct watch *watch, int64_t next_update, int64_t now_ms)
{
	int64_t left = next_update - clock_now();
	int64_t due_ms = now_ms + watch_wait_ms(0, left > 0 ? left : 0, roll());

	if (due_ms < watch->due_ms) {
		watch->due_ms = due_ms;
	}
}

enum res
watches_update(struct watch **watches, struct config *config,
    struct fetcher *fetcher, int64_t now_ms)
{
	struct watch *watch, *next;
	size_t i;

	HASH_ITER(hh, *watches, watch, next)
	{
		watch->found = false;
	}
	for (i = 0; i < config->ca_count; i++) {
		watch = watch_of(watches, &config->cas[i], now_ms);
		if (watch == NULL) {
			return RES_NOMEM;
		}
		if (!is_same(watch->ca.crl_url, config->cas[i].crl_url)) {
			start_over(watch, fetcher, now_ms);
		} else if (config->cas[i].crl.der != NULL &&
		    memcmp(watch->ca.crl.fingerprint,
		        config->cas[i].crl.fingerprint, HASH_LEN) != 0) {
			hurry(watch, config->cas[i].crl.next_update, now_ms);
		}
		ca_record_done(&watch->ca);
		watch->ca = config->cas[i];
		config->cas[i] = (struct ca_record){0};
		let_go(&watch->ca.crl);
		watch->found = true;
	}
	HASH_ITER(hh, *watches, watch, next)
	{
		if (!watch->found) {
			drop(watches, watch, fetcher);
		}
	}
	return RES_OK;
}

struct watch *
watches_due(struct watch *watches, int64_t now_ms)
{
	struct watch *watch, *next, *due = NULL;

	HASH_ITER(hh, watches, watch, next)
	{
		if (watch->ca.crl_url != NULL && watch->fetch == NULL &&
		    watch->due_ms <= now_ms &&
		    (due == NULL || watch->due_ms < due->due_ms)) {
			due = watch;
		}
	}
	return due;
}

/* Once the stored CRL has run out, whatever the server has is of interest. */
enum res
watch_begin(struct watch *watch, struct fetcher *fetcher, int64_t now)
{
	const struct crl_record *crl = &watch->ca.crl;
	struct fetch_request request = {
	    .url = watch->ca.crl_url,
	    .modified_at = CLOCK_NONE,
	    .owner = watch,
	};

	if (crl->der != NULL && crl->fetched && now < crl->next_update) {
		request.modified_at = crl->modified_at;
	}
	return fetcher_begin(fetcher, &request, &watch->fetch);
}

void
watch_schedule(struct watch *watch, bool failed, int64_t next_update,
    int64_t now, int64_t now_ms)
{
	int64_t left = failed || next_update <= now ? 0 : next_update - now;

	if (left > 0) {
		watch->vain = 0;
	} else if (watch->vain < UINT_MAX) {
		watch->vain++;
	}
	watch->due_ms = now_ms + watch_wait_ms(watch->vain, left, roll());
}

void
watch_name(const struct watch *watch, char name[WATCH_NAME_MAX + 1])
{
	const struct ca_record *ca = &watch->ca;

	(void)snprintf(name, WATCH_NAME_MAX + 1, "%s (%s%sorg %s)", ca->id,
	    ca->name, ca->name[0] == '\0' ? "" : ", ", ca->org);
}

/* ---- Ends ---- */

/* Stages go down from 90 to 1, then to TOLD_EXPIRED; 0 is none. */
static bool
is_news(int stage, int told)
{
	return stage != 0 && (told == 0 || stage < told);
}

static void
describe(struct diag *detail, const char *what, int stage, int64_t end)
{
	char when[TIME_MAX + 1];

	clock_format(end, when);
	if (stage == TOLD_EXPIRED) {
		diag_set(detail, "%s has expired, at %s", what, when);
	} else {
		diag_set(detail, "%s expires within %d day%s, at %s", what,
		    stage, stage == 1 ? "" : "s", when);
	}
}

bool
watch_ending(const struct ca_record *ca, int64_t now, struct ending *out)
{
	int stage = expiry_stage(ca->not_after, now),
	    crl = ca_record_crl_stage(ca, now);
	bool is_ca = is_news(stage, ca->told);

	if (!is_ca && !is_news(crl, ca->crl.told)) {
		return false;
	}
	out->told = is_ca ? stage : ca->told;
	out->crl_told = is_ca ? ca->crl.told : crl;
	if (is_ca) {
		describe(&out->detail, "the CA", stage, ca->not_after);
	} else {
		describe(&out->detail, "its CRL", crl, ca->crl.next_update);
	}
	return true;
}
