/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/row_cert.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "manage/pin.h"
#include "trust/leaf.h"

#define PEM_BEGIN "-----BEGIN "

/* Whether a line end is written as two characters here. */
static bool
is_escape(const char *at)
{
	return at[0] == '\\' && (at[1] == 'n' || at[1] == 'r');
}

/* The same text with its line ends as they are in a file.  It does not grow. */
static size_t
unescape(const char *text, char *to)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (is_escape(text)) {
			text++;
			to[len++] = *text == 'n' ? '\n' : '\r';
		} else {
			to[len++] = *text;
		}
	}
	return len;
}

/* The same text without line ends and blanks. */
static size_t
squeeze(const char *text, char *to)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (is_escape(text)) {
			text++;
		} else if (strchr(" \t\r\n", *text) == NULL) {
			to[len++] = *text;
		}
	}
	return len;
}

static enum res
parse_base64(const char *text, size_t len, struct leaf **out, struct diag *why)
{
	uint8_t *der = malloc(BASE64_BYTES(len) + 1);
	size_t der_len = 0;
	enum res r;

	if (der == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	r = base64_parse(text, len, der, &der_len) == RES_OK
	    ? leaf_parse(der, der_len, out, why)
	    : diag_res(why, RES_SYNTAX,
	          "it is neither PEM, nor DER in base64, nor a SHA-256 "
	          "fingerprint of 64 hex digits");
	free(der);
	return r;
}

static enum res
parse(const char *text, struct leaf **out, struct diag *why)
{
	char *copy = malloc(strlen(text) + 1);
	size_t len;
	enum res r;

	if (copy == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	if (strstr(text, PEM_BEGIN) != NULL) {
		len = unescape(text, copy);
		r = leaf_parse((const uint8_t *)copy, len, out, why);
	} else {
		len = squeeze(text, copy);
		r = parse_base64(copy, len, out, why);
	}
	free(copy);
	return r;
}

/* Whether it can be the certificate of who from now on. */
static enum res
judge(const struct leaf *leaf, const struct identity *who, int64_t now,
    struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], ended[TIME_MAX + 1] = "?";
	const struct cert_info *info = leaf_info(leaf);
	struct identity found;
	const char *said = "";

	if (leaf_check(leaf, &said) != REASON_NONE ||
	    leaf_identity(leaf, &found, &said) != REASON_NONE) {
		return diag_res(
		    why, RES_REFUSED, "no device can use it: %s", said);
	}
	if (!identity_equal(&found, who)) {
		identity_format(&found, text);
		return diag_res(why, RES_REFUSED, "it is that of %s", text);
	}
	/* What cannot be read is CLOCK_NONE, which is before all. */
	if (info->not_after <= now) {
		if (info->not_after != CLOCK_NONE) {
			clock_format(info->not_after, ended);
		}
		return diag_res(why, RES_REFUSED, "it expired at %s", ended);
	}
	return RES_OK;
}

static enum res
read_whole(const char *text, const struct identity *who, int64_t now,
    struct pin *pin, struct diag *why)
{
	const struct cert_info *info;
	struct leaf *leaf = NULL;
	enum res r = parse(text, &leaf, why);

	if (r == RES_OK) {
		r = judge(leaf, who, now, why);
	}
	if (r == RES_OK) {
		info = leaf_info(leaf);
		memcpy(pin->fingerprint, info->fingerprint, HASH_LEN);
		memcpy(pin->key, info->key, HASH_LEN);
		pin->has_key = true;
		pin->not_before = info->not_before;
	}
	leaf_free(leaf);
	return r;
}

enum res
row_read_cert(const char *text, const struct identity *who, int64_t now,
    struct pin *out, struct diag *why)
{
	struct pin pin = {.not_before = CLOCK_NONE,
	    .added_at = now,
	    .ends_at = CLOCK_FOREVER};
	struct diag said = {""};
	enum res r = RES_OK;
	bool is_of_file;

	if (!fingerprint_parse(text, pin.fingerprint)) {
		r = read_whole(text, who, now, &pin, &said);
	}
	if (r != RES_OK) {
		/* What is said of files is true of a cell as well. */
		is_of_file =
		    strncmp(said.text, "the file ", strlen("the file ")) == 0;
		return diag_res(why, r, "the certificate: %s%s",
		    is_of_file ? "it " : "",
		    said.text + (is_of_file ? strlen("the file ") : 0));
	}
	*out = pin;
	return RES_OK;
}
