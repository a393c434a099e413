/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/type_caution.h"

#include <string.h>

#include "identity/id_rule.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "policy/policy.h"

#define LOOKS_MAX 1000 /* devices of one state */

/* What the settings of pins mean together. */
static void
caution_pins(const struct type_record *record, const char *name)
{
	bool rotates = record->rotate[0] != '\0' &&
	    strcmp(record->rotate, rotation_name(ROTATE_NONE)) != 0;
	bool pins = record->pin[0] != '\0' &&
	    strcmp(record->pin, pin_mode_name(PIN_NONE)) != 0;

	if (rotates && !pins) {
		caution("with --pin none only those devices of %s are held to "
		        "a certificate, and rotate it, that have one by "
		        "certid device pin",
		    name);
	}
	if (!rotates && record->overlap != CLOCK_NONE) {
		caution("an overlap counts only where certificates of %s "
		        "rotate: see --rotate",
		    name);
	}
	if (strcmp(record->pin, pin_mode_name(PIN_LISTED)) == 0 &&
	    strcmp(record->enrol, enrolment_name(ENROL_LISTED)) != 0) {
		caution("with --pin listed a device of %s is refused until its "
		        "certificate is listed: certid device add --cert, or "
		        "certid device pin",
		    name);
	}
}

static void
caution_numbers(const struct type_view *view)
{
	int64_t most = view->record->max_devices;

	if (most > 0 && view->devices > most) {
		caution(
		    "there are %lld devices of %s already: none is removed, "
		    "and no new one admitted",
		    (long long)view->devices, view->name);
	}
}

/* Devices whose ids do not follow a rule. */
struct misfits {
	const struct id_rule *rule;
	int64_t looks, count;
};

static enum res
look(const struct device *device, void *context)
{
	struct misfits *misfits = context;
	const char *why = NULL;

	misfits->looks++;
	misfits->count += !id_rule_check(misfits->rule, device->who.id, &why) ||
	    (strchr(device->who.id, ':') != NULL &&
	        !id_rule_admits_colon(misfits->rule));
	return RES_OK;
}

/* Of the devices of one state; whether that is all of them. */
static bool
count_misfits(const struct call *call, const struct type_view *view,
    enum device_state state, const struct id_rule *rule, int64_t *out)
{
	struct device_query query = {.org = call->org,
	    .type = &view->type,
	    .has_state = true,
	    .state = state,
	    .limit = LOOKS_MAX};
	struct misfits misfits = {.rule = rule};

	/* A warning that cannot be given is no failure of what was done. */
	if (registry_scan(call->registry, &query, look, &misfits, NULL) !=
	    RES_OK) {
		misfits.count = 0;
	}
	*out += misfits.count;
	return misfits.looks < LOOKS_MAX;
}

static void
caution_format(const struct call *call, const struct type_view *view)
{
	int64_t coming = 0, known = 0;
	struct id_rule rule;
	bool all;

	if ((call_option(call, "id-format") == NULL &&
	        call_option(call, "id-length") == NULL &&
	        call_option(call, "id-prefix") == NULL) ||
	    !read_id_rule(view->record, &rule)) {
		return;
	}
	all = count_misfits(call, view, DEVICE_ALLOWED, &rule, &coming);
	all = count_misfits(call, view, DEVICE_PENDING, &rule, &coming) && all;
	if (coming > 0) {
		caution("%s%lld device%s of %s that %s yet to connect %s not "
		        "follow this format, and will be refused",
		    all ? "" : "at least ", (long long)coming,
		    coming == 1 ? "" : "s", view->name,
		    coming == 1 ? "has" : "have", coming == 1 ? "does" : "do");
	}
	all = count_misfits(call, view, DEVICE_PROVISIONED, &rule, &known);
	if (known > 0) {
		caution("%s%lld provisioned device%s of %s %s not follow this "
		        "format, and will be admitted all the same",
		    all ? "" : "at least ", (long long)known,
		    known == 1 ? "" : "s", view->name,
		    known == 1 ? "does" : "do");
	}
}

void
type_caution(const struct call *call, const struct type_view *view)
{
	caution_pins(view->record, view->name);
	caution_numbers(view);
	caution_format(call, view);
}
