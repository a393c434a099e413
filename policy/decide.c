/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

/* One walk through the steps.  Each step looks at the facts and answers with
 * pass(), skip() or fail(); only the last one can admit. */
struct walk {
	const struct policy *policy;
	const struct facts *facts;
	const struct type_policy *type; /* NULL: nothing is said about it */
	struct verdict *verdict;
	struct step *step; /* NULL: nobody wants a trace */
	char name[IDENTITY_TEXT_MAX + 1];
};

/* What each level asks for; where it asks for neither, either will do. */
static const struct demand {
	bool tls, certificate, token;
	const char *text;
} demands[] = {
    [LEVEL_CERT_TOKEN] = {true, true, true, "TLS, a certificate and a token"},
    [LEVEL_CERT] = {true, true, false, "TLS and a certificate"},
    [LEVEL_TOKEN] = {true, false, true, "TLS and a token"},
    [LEVEL_CERT_OR_TOKEN] = {true, false, false,
        "TLS and a certificate or a token"},
    [LEVEL_TLS_OPTIONAL] = {false, false, false, "a certificate or a token"},
};

static void PRINTF_LIKE(2, 0)
    say(struct walk *walk, const char *format, va_list args)
{
	if (walk->step != NULL) {
		(void)vsnprintf(walk->step->detail, STEP_DETAIL, format, args);
	}
}

static enum step_result PRINTF_LIKE(2, 3)
    pass(struct walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(walk, format, args);
	va_end(args);
	return STEP_PASS;
}

static enum step_result PRINTF_LIKE(2, 3)
    skip(struct walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(walk, format, args);
	va_end(args);
	return STEP_SKIPPED;
}

static enum step_result PRINTF_LIKE(3, 4)
    fail(struct walk *walk, enum reason reason, const char *format, ...)
{
	va_list args;

	/* A failure never admits, whatever the facts claim. */
	if (reason_admits(reason) || reason == REASON_NONE) {
		reason = REASON_REGISTRY_ERROR;
	}
	walk->verdict->reason = reason;
	va_start(args, format);
	say(walk, format, args);
	va_end(args);
	return STEP_FAIL;
}

/* Fail with what another room found. */
static enum step_result
fail_found(struct walk *walk, enum reason reason, const char *detail)
{
	return fail(
	    walk, reason, "%s", detail != NULL ? detail : reason_text(reason));
}

static enum step_result
look_who(struct walk *walk)
{
	if (walk->facts->has_certificate) {
		return pass(walk, "the client presents a certificate");
	}
	if (walk->facts->names_device) {
		return pass(walk,
		    "the client names a device, and presents no "
		    "certificate");
	}
	return fail_found(walk, REASON_NOT_A_DEVICE, NULL);
}

static enum step_result
look_certificate(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (!facts->has_certificate) {
		return facts->token == TOKEN_NONE
		    ? fail(walk, REASON_CERT_MISSING,
		          "the client presented neither a certificate nor a "
		          "token")
		    : skip(walk, "a token stands in its place");
	}
	if (facts->certificate == REASON_CERT_TOO_LARGE ||
	    facts->certificate == REASON_CERT_MALFORMED ||
	    facts->certificate == REASON_CERT_IS_CA) {
		return fail_found(
		    walk, facts->certificate, facts->certificate_detail);
	}
	return pass(walk, "the certificate is well formed, and no CA's");
}

static enum step_result
look_chain(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (!facts->has_certificate) {
		return skip(walk, "there is no certificate to verify");
	}
	if (facts->certificate != REASON_NONE) {
		return fail_found(
		    walk, facts->certificate, facts->certificate_detail);
	}
	return pass(walk, "a registered CA stands behind the certificate");
}

static enum step_result
look_identity(struct walk *walk)
{
	static const struct id_rule no_rule = {0};
	const struct facts *facts = walk->facts;
	const struct id_rule *rule =
	    walk->type == NULL ? &no_rule : &walk->type->id_rule;

	if (facts->identity != REASON_NONE) {
		return fail_found(
		    walk, facts->identity, facts->identity_detail);
	}
	if (facts->who.type.class == '\0') {
		return fail_found(walk, REASON_IDENTITY_NONE, NULL);
	}
	if (strchr(facts->who.id, ':') != NULL && !id_rule_admits_colon(rule)) {
		return fail(walk, REASON_IDENTITY_SYNTAX,
		    "the id of %s holds a ':', and the identity format of its "
		    "type is not mac-colon",
		    walk->name);
	}
	if (facts->has_certificate && !facts->in_scope) {
		return fail(walk, REASON_CA_SCOPE,
		    "the scope of the CA does not cover %s", walk->name);
	}
	return pass(walk, "the client is %s", walk->name);
}

static enum step_result
look_client_id(struct walk *walk)
{
	const struct client_template *template = &walk->policy->client_template;
	const char *given = walk->facts->client_id;
	char right[CLIENT_ID_MAX + 1], shown[128], quoted[72] = "missing";

	if (client_template_admits(
	        template, walk->policy->org, &walk->facts->who, given)) {
		return pass(walk, "the client id is the one of the identity");
	}
	if (!client_template_render(
	        template, walk->policy->org, &walk->facts->who, right)) {
		return fail(walk, REASON_CLIENT_ID,
		    "the org's client id template gives %s no client id",
		    walk->name);
	}
	text_quote(shown, sizeof(shown), right, strlen(right));
	if (given != NULL) {
		text_quote(quoted, sizeof(quoted), given, strlen(given));
	}
	return fail(walk, REASON_CLIENT_ID,
	    "the client id is %s, but must %s %s", quoted,
	    template->any_suffix ? "begin with" : "be", shown);
}

static enum step_result
fail_level(struct walk *walk, enum reason reason, const char *found)
{
	char type[TYPE_TEXT_MAX + 1] = "default";

	if (!walk->verdict->level_is_default) {
		device_type_format(&walk->facts->who.type, type);
	}
	return fail(walk, reason, "the rule %s is %s and demands %s; %s", type,
	    level_name(walk->verdict->level),
	    demands[walk->verdict->level].text, found);
}

static enum step_result
look_level(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	const struct demand *demand = &demands[walk->verdict->level];

	if (demand->tls && !facts->tls) {
		return fail_level(walk, REASON_LEVEL_TLS,
		    "the client does not use TLS, or is not known to");
	}
	/* Then a token, right or wrong, changes nothing. */
	if (facts->has_certificate && !demand->token) {
		return pass(walk, "the certificate meets the level %s",
		    level_name(walk->verdict->level));
	}
	if (demand->certificate && !facts->has_certificate) {
		return fail_level(walk, REASON_LEVEL_CERT,
		    "the client presented no certificate");
	}
	if (facts->token == TOKEN_WRONG) {
		return fail_level(walk, REASON_TOKEN_WRONG,
		    "the token that the client presented is not valid");
	}
	if (facts->token != TOKEN_RIGHT) {
		return fail_level(
		    walk, REASON_LEVEL_TOKEN, "the client presented no token");
	}
	return pass(walk, "the token meets the level %s",
	    level_name(walk->verdict->level));
}

/* The mode of the type or the org, unless the CA's is stricter. */
static enum enrolment
mode_of(const struct walk *walk)
{
	const struct facts *facts = walk->facts;
	enum enrolment mode = walk->type != NULL && walk->type->has_enrolment
	    ? walk->type->enrolment
	    : walk->policy->enrolment;

	if (facts->has_ca_enrolment && facts->ca_enrolment < mode) {
		mode = facts->ca_enrolment;
	}
	return mode;
}

static enum step_result
enrol(struct walk *walk)
{
	switch (mode_of(walk)) {
	case ENROL_AUTO:
		walk->verdict->action = ACTION_PROVISION;
		return pass(walk, "first seen, and the enrolment mode is auto");
	case ENROL_APPROVE:
		walk->verdict->action = ACTION_PEND;
		if (!walk->facts->can_record) {
			return pass(walk,
			    "first seen, and must be recorded to "
			    "wait for approval");
		}
		return fail(walk, REASON_DEVICE_PENDING,
		    "first seen, and the enrolment mode is approve: recorded; "
		    "certid device approve %s admits it",
		    walk->name);
	case ENROL_LISTED:
		break;
	}
	return fail(walk, REASON_DEVICE_UNLISTED,
	    "first seen, and the enrolment mode is listed; certid device add "
	    "%s admits it",
	    walk->name);
}

static enum step_result
take_up(struct walk *walk)
{
	int64_t end = walk->facts->window_ends_at;
	char text[TIME_MAX + 1];

	clock_format(end, text);
	if (walk->facts->now >= end) {
		return fail(walk, REASON_WINDOW_EXPIRED,
		    "the window for the first connection ended at %s; for a "
		    "new one certid device remove %s, then add it again",
		    text, walk->name);
	}
	walk->verdict->action = ACTION_PROVISION;
	return pass(walk, "added by an operator, with a window until %s",
	    end == CLOCK_FOREVER ? "further notice" : text);
}

/* What a device must meet that is to be written as provisioned or pending. */
static enum step_result
look_new(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	char text[TYPE_TEXT_MAX + 1], clock[TIME_MAX + 1];
	char format[ID_RULE_TEXT_MAX + 1];
	const char *why = NULL;

	device_type_format(&facts->who.type, text);
	if (walk->policy->types_declared &&
	    (walk->type == NULL || !walk->type->is_declared)) {
		return fail(walk, REASON_TYPE_UNKNOWN,
		    "the type %s is not declared; certid type set %s declares "
		    "it",
		    text, text);
	}
	if (walk->type != NULL &&
	    !id_rule_check(&walk->type->id_rule, facts->who.id, &why)) {
		id_rule_format(&walk->type->id_rule, format);
		return fail(walk, REASON_ID_FORMAT,
		    "%s: the type %s demands %s", why, text, format);
	}
	if (facts->sight == SIGHT_CASE) {
		return fail(walk, REASON_IDENTITY_CASE,
		    "the registry holds %s in other upper and lower case",
		    walk->name);
	}
	if (!facts->clock_is_set) {
		clock_format(facts->now, clock);
		return fail(walk, REASON_CLOCK_UNSET,
		    "the clock says %s, which is before this program was "
		    "built; set it to admit new devices",
		    clock);
	}
	return facts->sight == SIGHT_ALLOWED ? take_up(walk) : enrol(walk);
}

static enum step_result
look_device(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (facts->locked) {
		return fail(walk, REASON_DEVICE_LOCKED,
		    "locked; certid device unlock %s admits it", walk->name);
	}
	switch (facts->sight) {
	case SIGHT_KNOWN:
		return pass(walk, "the registry knows %s", walk->name);
	case SIGHT_PENDING:
		return fail(walk, REASON_DEVICE_PENDING,
		    "waits for approval; certid device approve %s admits it",
		    walk->name);
	case SIGHT_FIRST:
		if (!facts->has_certificate) {
			return fail(walk, REASON_DEVICE_UNLISTED,
			    "first seen, and a token alone makes no new "
			    "device; certid device add %s admits it",
			    walk->name);
		}
		return look_new(walk);
	case SIGHT_CASE:
	case SIGHT_ALLOWED:
		return look_new(walk);
	case SIGHT_FAILED:
		break;
	}
	return skip(walk, "nothing is known about the device");
}

static enum step_result
admit(struct walk *walk, enum reason reason, const char *detail)
{
	walk->verdict->reason = reason;
	return pass(walk, "%s", detail);
}

static enum step_result
look_registry(struct walk *walk)
{
	enum action action = walk->verdict->action;

	if (action == ACTION_NONE) {
		return walk->facts->sight == SIGHT_KNOWN
		    ? admit(walk, REASON_KNOWN, "there is nothing to write")
		    : fail_found(walk, REASON_REGISTRY_ERROR, NULL);
	}
	if (action == ACTION_PROVISION && walk->facts->can_record) {
		return admit(walk, REASON_PROVISIONED,
		    "the device is written as provisioned");
	}
	walk->verdict->action = ACTION_NONE;
	return fail_found(walk, REASON_REGISTRY_BUSY, NULL);
}

static const struct {
	const char *name;
	enum step_result (*look)(struct walk *walk);
} steps[] = {
    {"who", look_who},
    {"certificate", look_certificate},
    {"chain", look_chain},
    {"identity", look_identity},
    {"client-id", look_client_id},
    {"level", look_level},
    {"device", look_device},
    {"registry", look_registry},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))
_Static_assert(STEPS <= STEP_MAX, "struct trace holds every step");

/* The type's policy and the level that holds for it. */
static void
start(struct walk *walk)
{
	struct verdict *verdict = walk->verdict;

	identity_format(&walk->facts->who, walk->name);
	if (walk->facts->identity == REASON_NONE) {
		walk->type = policy_type(walk->policy, &walk->facts->who.type);
	}
	verdict->level_is_default =
	    walk->type == NULL || !walk->type->has_level;
	verdict->level =
	    verdict->level_is_default ? walk->policy->level : walk->type->level;
	if ((size_t)verdict->level >= sizeof(demands) / sizeof(demands[0])) {
		verdict->level = LEVEL_CERT_TOKEN;
	}
}

void
policy_decide(const struct policy *policy, const struct facts *facts,
    struct verdict *out, struct trace *trace)
{
	struct walk walk = {.policy = policy, .facts = facts, .verdict = out};
	enum step_result result = STEP_SKIPPED;
	size_t i;

	memset(out, 0, sizeof(*out));
	start(&walk);
	if (trace != NULL) {
		memset(trace, 0, sizeof(*trace));
		trace->count = STEPS;
		for (i = 0; i < STEPS; i++) {
			trace->steps[i].name = steps[i].name;
		}
	}
	for (i = 0; i < STEPS && result != STEP_FAIL; i++) {
		walk.step = trace == NULL ? NULL : &trace->steps[i];
		result = steps[i].look(&walk);
		if (walk.step != NULL) {
			walk.step->result = result;
		}
	}
}
