/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/options.h"

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r"

static enum res
set_path(char **path, const char *key, const char *value, struct diag *why)
{
	if (value[0] != '/') {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_%s %s: write a path that begins with /", key,
		    value);
	}
	if ((*path = strdup(value)) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the options");
	}
	return RES_OK;
}

static enum res
set_registry(struct options *options, const char *value, struct diag *why)
{
	return set_path(&options->registry, "registry", value, why);
}

static enum res
set_capath(struct options *options, const char *value, struct diag *why)
{
	return set_path(&options->capath, "capath", value, why);
}

static enum res
set_tls_verify(struct options *options, const char *value, struct diag *why)
{
	options->tls_verify = strcmp(value, "plugin") == 0;
	if (!options->tls_verify && strcmp(value, "broker") != 0) {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_tls_verify %s: write broker or plugin", value);
	}
	return RES_OK;
}

static enum res
set_others(struct options *options, const char *value, struct diag *why)
{
	static const char *const names[] = {[OTHERS_REFUSE] = "refuse",
	    [OTHERS_DEFER] = "defer",
	    [OTHERS_ALLOW] = "allow"};
	int i;

	for (i = 0; i < 3; i++) {
		if (strcmp(value, names[i]) == 0) {
			options->others = (enum others)i;
			return RES_OK;
		}
	}
	return diag_res(why, RES_SYNTAX,
	    "plugin_opt_others %s: write refuse, defer or allow", value);
}

static enum res
set_assume_tls(struct options *options, const char *value, struct diag *why)
{
	options->assume_tls = strcmp(value, "true") == 0;
	if (!options->assume_tls && strcmp(value, "false") != 0) {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_assume_tls %s: write true or false", value);
	}
	return RES_OK;
}

static const struct {
	const char *key;
	enum res (*set)(
	    struct options *options, const char *value, struct diag *why);
} table[] = {
    {"registry", set_registry},
    {"capath", set_capath},
    {"tls_verify", set_tls_verify},
    {"others", set_others},
    {"assume_tls", set_assume_tls},
};

#define KEYS (sizeof(table) / sizeof(table[0]))

/* Mosquitto keeps blanks at the end of a line: "defer " is "defer". */
static enum res
set_trimmed(
    struct options *options, size_t key, const char *raw, struct diag *why)
{
	const char *from = raw == NULL ? "" : raw + strspn(raw, BLANKS);
	size_t len = strlen(from);
	char *value;
	enum res r;

	while (len > 0 && strchr(BLANKS, from[len - 1]) != NULL) {
		len--;
	}
	if (len == 0) {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_%s has no value: write one or remove the line",
		    table[key].key);
	}
	if ((value = strndup(from, len)) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the options");
	}
	r = table[key].set(options, value, why);
	free(value);
	return r;
}

static enum res
set(struct options *options, const struct mosquitto_opt *opt, bool seen[KEYS],
    struct diag *why)
{
	size_t key = 0;

	while (key < KEYS && strcmp(opt->key, table[key].key) != 0) {
		key++;
	}
	if (key == KEYS) {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_%s is not known: the options are registry, "
		    "capath, tls_verify, others and assume_tls",
		    opt->key);
	}
	if (seen[key]) {
		return diag_res(why, RES_SYNTAX,
		    "plugin_opt_%s stands there twice: remove one line",
		    opt->key);
	}
	seen[key] = true;
	return set_trimmed(options, key, opt->value, why);
}

enum res
options_parse(const struct mosquitto_opt *list, int count, struct options *out,
    struct diag *why)
{
	struct options options = {0};
	bool seen[KEYS] = {false};
	enum res r = RES_OK;
	int i;

	for (i = 0; r == RES_OK && i < count; i++) {
		r = set(&options, &list[i], seen, why);
	}
	if (r == RES_OK && options.registry == NULL) {
		r = diag_res(why, RES_SYNTAX,
		    "plugin_opt_registry is missing: add the path of the "
		    "registry that \"certid init\" made");
	}
	if (r != RES_OK) {
		options_done(&options);
		return r;
	}
	*out = options;
	return RES_OK;
}

void
options_done(struct options *options)
{
	free(options->registry);
	free(options->capath);
	memset(options, 0, sizeof(*options));
}
