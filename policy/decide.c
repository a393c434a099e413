/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/walk.h"

/* How a connection was made; the registry stores the same bits. */
#define WITH_TLS         1u
#define WITH_CERTIFICATE 2u
#define WITH_TOKEN       4u

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

/* What who explains a decision cannot tell apart. */
#define DETAIL_NO_TLS                                                          \
	"the client does not use TLS, or the broker does not tell: see "       \
	"plugin_opt_assume_tls"

static void PRINTF_LIKE(2, 0)
    say(struct walk *walk, const char *format, va_list args)
{
	if (walk->step != NULL) {
		(void)vsnprintf(walk->step->detail, STEP_DETAIL, format, args);
	}
}

enum step_result
walk_pass(struct walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(walk, format, args);
	va_end(args);
	return STEP_PASS;
}

enum step_result
walk_skip(struct walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(walk, format, args);
	va_end(args);
	return STEP_SKIPPED;
}

enum step_result
walk_fail(struct walk *walk, enum reason reason, const char *format, ...)
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

enum step_result
walk_fail_found(struct walk *walk, enum reason reason, const char *detail)
{
	return walk_fail(
	    walk, reason, "%s", detail != NULL ? detail : reason_text(reason));
}

static enum step_result
look_who(struct walk *walk)
{
	if (walk->facts->has_certificate) {
		return walk_pass(walk, "the client presents a certificate");
	}
	if (walk->facts->names_device) {
		return walk_pass(walk,
		    "the client names a device, and presents no "
		    "certificate");
	}
	return walk_fail_found(walk, REASON_NOT_A_DEVICE, NULL);
}

/* Where the level is token, a certificate that is not there is not missed. */
static enum step_result
look_in_its_place(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (facts->token != TOKEN_NONE) {
		return walk_skip(walk, "a token stands in its place");
	}
	if (walk->verdict->level == LEVEL_TOKEN) {
		return walk_skip(walk, "the level token asks for none");
	}
	return walk_fail(walk, REASON_CERT_MISSING,
	    "the client presented neither a certificate nor a token%s%s",
	    facts->token_detail == NULL ? "" : ": ",
	    facts->token_detail == NULL ? "" : facts->token_detail);
}

static enum step_result
look_certificate(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (!facts->has_certificate) {
		return look_in_its_place(walk);
	}
	if (facts->certificate == REASON_CERT_TOO_LARGE ||
	    facts->certificate == REASON_CERT_MALFORMED ||
	    facts->certificate == REASON_CERT_IS_CA) {
		return walk_fail_found(
		    walk, facts->certificate, facts->certificate_detail);
	}
	return walk_pass(walk, "the certificate is well formed, and no CA's");
}

static enum step_result
look_chain(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (!facts->has_certificate) {
		return walk_skip(walk, "there is no certificate to verify");
	}
	if (facts->certificate != REASON_NONE) {
		return walk_fail_found(
		    walk, facts->certificate, facts->certificate_detail);
	}
	return walk_pass(walk, "a registered CA stands behind the certificate");
}

const struct id_rule *
walk_id_rule(const struct walk *walk)
{
	static const struct id_rule none = {0};

	return walk->type == NULL ? &none : &walk->type->id_rule;
}

static enum step_result
look_identity(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (facts->identity != REASON_NONE) {
		return walk_fail_found(
		    walk, facts->identity, facts->identity_detail);
	}
	if (facts->who.type.class == '\0') {
		return walk_fail_found(walk, REASON_IDENTITY_NONE, NULL);
	}
	if (strchr(facts->who.id, ':') != NULL &&
	    !id_rule_admits_colon(walk_id_rule(walk))) {
		return walk_fail(walk, REASON_IDENTITY_SYNTAX,
		    "the id of %s holds a ':', and the identity format of its "
		    "type is not mac-colon",
		    walk->name);
	}
	if (facts->token_of_other) {
		return walk_fail(walk, REASON_IDENTITY_CONFLICT,
		    "the certificate is of %s, and the token is presented for "
		    "another device",
		    walk->name);
	}
	if (facts->has_certificate && !facts->in_scope) {
		return walk_fail(walk, REASON_CA_SCOPE,
		    "the scope of the CA does not cover %s", walk->name);
	}
	return walk_pass(walk, "the client is %s", walk->name);
}

static enum step_result
look_client_id(struct walk *walk)
{
	const struct client_template *template = &walk->policy->client_template;
	const char *given = walk->facts->client_id;
	char right[CLIENT_ID_MAX + 1], shown[128], quoted[72] = "missing";

	if (client_template_admits(
	        template, walk->policy->org, &walk->facts->who, given)) {
		return walk_pass(
		    walk, "the client id is the one of the identity");
	}
	if (!client_template_render(
	        template, walk->policy->org, &walk->facts->who, right)) {
		return walk_fail(walk, REASON_CLIENT_ID,
		    "the org's client id template gives %s no client id",
		    walk->name);
	}
	text_quote(shown, sizeof(shown), right, strlen(right));
	if (given != NULL) {
		text_quote(quoted, sizeof(quoted), given, strlen(given));
	}
	return walk_fail(walk, REASON_CLIENT_ID,
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
	return walk_fail(walk, reason, "the rule %s is %s and demands %s; %s",
	    type, level_name(walk->verdict->level),
	    demands[walk->verdict->level].text, found);
}

static enum step_result
look_level(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	const struct demand *demand = &demands[walk->verdict->level];

	if (demand->tls && !facts->tls) {
		return fail_level(walk, REASON_LEVEL_TLS,
		    facts->tls_unknown           ? DETAIL_TLS_UNKNOWN
		        : facts->has_certificate ? "the client does not use TLS"
		                                 : DETAIL_NO_TLS);
	}
	/* Then a token, right or wrong, changes nothing. */
	if (facts->has_certificate && !demand->token) {
		return walk_pass(walk, "the certificate meets the level %s",
		    level_name(walk->verdict->level));
	}
	if (demand->certificate && !facts->has_certificate) {
		return fail_level(walk, REASON_LEVEL_CERT,
		    "the client presented no certificate");
	}
	/* The last step says so. */
	if (facts->token == TOKEN_WRONG && facts->sight == SIGHT_FAILED) {
		return walk_skip(walk, "the device's token is not known");
	}
	if (facts->token == TOKEN_WRONG) {
		return fail_level(walk, REASON_TOKEN_WRONG,
		    facts->token_detail != NULL
		        ? facts->token_detail
		        : "the token that the client presented is not valid");
	}
	if (facts->token != TOKEN_RIGHT) {
		return fail_level(walk, REASON_LEVEL_TOKEN,
		    facts->token == TOKEN_NONE && facts->token_detail != NULL
		        ? facts->token_detail
		        : "the client presented no token");
	}
	return walk_pass(walk, "%s the level %s",
	    demand->certificate ? "the certificate and the token meet"
	                        : "the token meets",
	    level_name(walk->verdict->level));
}

bool
level_is_met(enum level level, unsigned seen_with)
{
	bool certificate = (seen_with & WITH_CERTIFICATE) != 0;
	bool token = (seen_with & WITH_TOKEN) != 0;
	const struct demand *demand;

	if ((size_t)level >= sizeof(demands) / sizeof(demands[0])) {
		return false;
	}
	demand = &demands[level];
	return (certificate || token) &&
	    (!demand->tls || (seen_with & WITH_TLS) != 0) &&
	    (!demand->certificate || certificate) && (!demand->token || token);
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
    {"device", walk_device},
    {"registry", walk_registry},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))
_Static_assert(STEPS <= STEP_MAX, "struct trace holds every step");
#define STEPS_BEHIND 2 /* the last two */

/* The type's policy and the level that holds for it. */
static void
start(struct walk *walk)
{
	struct verdict *verdict = walk->verdict;

	identity_format(&walk->facts->who, walk->name);
	if (walk->is_behind || walk->facts->identity == REASON_NONE) {
		walk->type = policy_type(walk->policy, &walk->facts->who.type);
	}
	verdict->level_is_default =
	    walk->type == NULL || !walk->type->has_level;
	verdict->level =
	    verdict->level_is_default ? walk->policy->level : walk->type->level;
	if ((size_t)verdict->level >= sizeof(demands) / sizeof(demands[0])) {
		verdict->level = LEVEL_CERT_TOKEN;
	}
	verdict->pins = walk->facts->pins;
}

static void
run(struct walk *walk, size_t first, struct trace *trace)
{
	enum step_result result = STEP_SKIPPED;
	size_t i;

	memset(walk->verdict, 0, sizeof(*walk->verdict));
	start(walk);
	if (trace != NULL) {
		memset(trace, 0, sizeof(*trace));
		trace->count = STEPS - first;
		for (i = first; i < STEPS; i++) {
			trace->steps[i - first].name = steps[i].name;
		}
	}
	for (i = first; i < STEPS && result != STEP_FAIL; i++) {
		walk->step = trace == NULL ? NULL : &trace->steps[i - first];
		result = steps[i].look(walk);
		if (walk->step != NULL) {
			walk->step->result = result;
		}
	}
}

void
policy_decide(const struct policy *policy, const struct facts *facts,
    struct verdict *out, struct trace *trace)
{
	struct walk walk = {.policy = policy, .facts = facts, .verdict = out};

	run(&walk, 0, trace);
}

void
policy_decide_behind(const struct policy *policy, const struct facts *facts,
    struct verdict *out, struct trace *trace)
{
	struct walk walk = {.policy = policy,
	    .facts = facts,
	    .verdict = out,
	    .is_behind = true};

	run(&walk, STEPS - STEPS_BEHIND, trace);
}
