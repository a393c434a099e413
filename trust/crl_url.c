/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A URL that two programs read two ways could lead to another host than the
 * one that the operator saw; so what stands before the path is read strictly.
 */
#include <string.h>

#include "trust/crl.h"

#define HTTPS    "https://"
#define FILE_URL "file:///"

static const char digits[] = "0123456789";
static const char host_bytes[] = "0123456789.-_abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char address_bytes[] = "0123456789:.abcdefABCDEF";

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= 0x20 || *text > 0x7e) {
			return false;
		}
	}
	return true;
}

/* The end of a name, an IPv4 address or an IPv6 address in brackets (RFC 3986
 * 3.2.2); text itself if there is none. */
static const char *
skip_host(const char *text)
{
	size_t n;

	if (*text != '[') {
		return text + strspn(text, host_bytes);
	}
	n = strspn(text + 1, address_bytes);
	return n > 0 && text[1 + n] == ']' ? text + 1 + n + 1 : text;
}

/* The end of ":PORT", if there is one; NULL for one that is no port. */
static const char *
skip_port(const char *text)
{
	long port = 0;
	size_t i, n;

	if (*text != ':') {
		return text;
	}
	n = strspn(text + 1, digits);
	for (i = 1; i <= n && n <= 5; i++) {
		port = port * 10 + (text[i] - '0');
	}
	return port > 0 && port <= 65535 ? text + 1 + n : NULL;
}

static enum res
check_https(const char *text, struct diag *why)
{
	const char *end = skip_host(text);

	if (end == text || (end = skip_port(end)) == NULL ||
	    (*end != '\0' && *end != '/' && *end != '?')) {
		return diag_res(why, RES_SYNTAX,
		    "the URL does not begin with https://HOST or "
		    "https://HOST:PORT; write no user name or password in it");
	}
	return RES_OK;
}

static enum res
check_path(const char *text, struct diag *why)
{
	if (*text == '\0' || strpbrk(text, "%?#") != NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the URL of a file is file:/// and a path, in which '%%', "
		    "'?' and '#' cannot stand");
	}
	return RES_OK;
}

enum res
crl_url_check(const char *text, struct diag *why)
{
	if (strlen(text) > CRL_URL_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the URL is longer than %d bytes", CRL_URL_MAX);
	}
	if (!is_printable(text)) {
		return diag_res(why, RES_SYNTAX,
		    "the URL holds a blank or a byte that is not printable "
		    "ASCII; write such bytes as %%XX");
	}
	if (strncmp(text, HTTPS, strlen(HTTPS)) == 0) {
		return check_https(text + strlen(HTTPS), why);
	}
	if (strncmp(text, FILE_URL, strlen(FILE_URL)) == 0) {
		return check_path(text + strlen(FILE_URL), why);
	}
	return diag_res(why, RES_SYNTAX,
	    "the URL does not begin with https:// or file:///; no other is "
	    "fetched");
}
