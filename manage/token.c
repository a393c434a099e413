/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * token: certid device token.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/streams.h"
#include "manage/words.h"
#include "policy/policy.h"

static bool
take_expiry(const struct call *call, int64_t *out)
{
	const char *text = call_option(call, "expires");
	int64_t span = 0;

	if (text == NULL) {
		*out = CLOCK_FOREVER;
		return true;
	}
	if (span_parse(text, &span) != RES_OK || span == 0) {
		(void)misuse(call,
		    "--expires takes a time of more than 0s, as in 90s, 15m, "
		    "48h, 7d");
		return false;
	}
	*out = call->now + span;
	return true;
}

/* A token that the level does not ask for helps nobody in. */
static void
caution_level(const struct call *call, const struct identity *who)
{
	char type[TYPE_TEXT_MAX + 1];
	const struct rule_record *rule;

	device_type_format(&who->type, type);
	rule = rule_of(&call->config, call->org, type);
	if (rule == NULL) {
		rule = rule_of(&call->config, call->org, "default");
	}
	if (rule == NULL || strcmp(rule->level, level_name(LEVEL_CERT)) == 0) {
		caution("the level of the type %s is cert, which asks for no "
		        "token and takes none in the place of a certificate: "
		        "certid help rule set",
		    type);
	}
}

/* Without a certificate the client id alone tells the org. */
static void
caution_org(const struct call *call)
{
	const char *template =
	    config_setting(&call->config, call->org, "client-id");

	if (strcmp(call->org, ORG_DEFAULT) != 0 &&
	    (template == NULL || strstr(template, "{org}") == NULL)) {
		caution("the client-id template of the org %s has no {org}: "
		        "without a certificate its devices are looked for in "
		        "the org default, where the token is not theirs: "
		        "certid help set",
		    call->org);
	}
}

static void
hint(const struct device *before, const struct token_hash *token,
    const char *name)
{
	char until[TIME_MAX + 1] = "", since[TIME_MAX + 1] = "";

	if (token->expires_at != CLOCK_FOREVER) {
		clock_format(token->expires_at, until);
	}
	if (before->token.is_set) {
		clock_format(before->token.created_at, since);
	}
	(void)fprintf(complaints(),
	    "certid: this is the token of %s, valid %s%s, and shown this once: "
	    "it is the password, and use-token-auth the user name%s%s%s\n",
	    name, until[0] == '\0' ? "without end" : "until ", until,
	    since[0] == '\0' ? "" : "; the token of ", since,
	    since[0] == '\0' ? "" : " is no longer valid");
}

static int
tell(const struct call *call, const struct device *before,
    const struct token_hash *token, const char *text)
{
	char name[IDENTITY_TEXT_MAX + 1];
	struct json *object;

	identity_format(&before->who, name);
	caution_level(call, &before->who);
	caution_org(call);
	if (call->json) {
		object = json_object();
		json_add_text(object, "identity", name);
		json_add_text(object, "token", text);
		json_add_time(object, "expires_at", token->expires_at);
		return print_json(object);
	}
	(void)fprintf(answers(), "%s\n", text);
	(void)fflush(answers());
	hint(before, token, name);
	return EXIT_DONE;
}

static int
give_out(struct call *call, const struct device *device, int64_t expires_at)
{
	struct edit edit = call_edit(call);
	char text[TOKEN_TEXT_MAX + 1];
	struct token_hash token;
	struct diag why = {""};
	enum res r;
	int code;

	r = token_make(text, &token);
	if (r != RES_OK) {
		return refuse(
		    EXIT_REFUSED, "there is no randomness to make a token of");
	}
	token.created_at = call->now;
	token.expires_at = expires_at;
	r = edit_device_token(&edit, &device->who, &token, &why);
	code = r == RES_OK ? tell(call, device, &token, text) : fail(r, &why);
	explicit_bzero(text, sizeof(text));
	return code;
}

static int
revoke(struct call *call, struct device *device)
{
	struct edit edit = call_edit(call);
	struct token_hash none = {.is_set = false};
	struct diag why = {""};
	enum res r;

	r = edit_device_token(&edit, &device->who, &none, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	device->token = none;
	return report(call, device_json(&call->config, device, call->now),
	    "revoked the token of the device %s", call_arg(call, 0));
}

int
run_device_token(struct call *call)
{
	struct device device = {.tags = NULL};
	bool revokes = call_option(call, "revoke") != NULL;
	int64_t expires_at = CLOCK_FOREVER;
	struct identity who;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who) ||
	    !take_expiry(call, &expires_at)) {
		return EXIT_USAGE;
	}
	if (revokes && call_option(call, "expires") != NULL) {
		return misuse(call, "give --expires or --revoke, not both");
	}
	code = find_device(call, &who, &device);
	if (code == EXIT_DONE) {
		code = revokes ? revoke(call, &device)
		               : give_out(call, &device, expires_at);
	}
	device_done(&device);
	return code;
}
