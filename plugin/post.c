/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/post.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define USER_AGENT  "certid/" CERTID_VERSION
#define OLDEST_CURL 0x075700 /* CURLOPT_QUICK_EXIT */
#define STALL_MS    100      /* where libcurl cannot wait */
#define FLAW_MAX    300      /* bytes of a sentence */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A post and what moves it.  The post comes first: the caller has only that. */
struct transfer {
	struct post post;
	CURL *easy; /* NULL: it is over */
	struct curl_slist *headers;
	size_t answered; /* bytes */
	char error[CURL_ERROR_SIZE];
	struct transfer *prev, *next;
};

struct poster {
	CURLM *multi;
	char *cas;             /* SSL_CERT_FILE; NULL: libcurl's default */
	struct transfer *busy; /* in no order */
	struct transfer *over; /* in the order of ending */
};

/* A server may be quoted in it: what is not printable ASCII becomes '?'. */
static void fail(struct transfer *transfer, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
fail(struct transfer *transfer, const char *format, ...)
{
	char flaw[FLAW_MAX + 1], *at;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(flaw, sizeof(flaw), format, args);
	va_end(args);
	for (at = flaw; *at != '\0'; at++) {
		if (*at < 0x20 || *at > 0x7e) {
			*at = '?';
		}
	}
	transfer->post.delivered = false;
	diag_set(&transfer->post.why, "%s", flaw);
}

/* The body of the answer: its end is waited for, so that the connection can be
 * used again, unless there is too much of it. */
static size_t
discard(char *bytes, size_t one, size_t n, void *context)
{
	struct transfer *transfer = context;

	(void)bytes;
	(void)one; /* always 1 */
	transfer->answered += n;
	return transfer->answered > POST_ANSWER_MAX ? 0 : n;
}

/* Sentences of our own where libcurl's count milliseconds and bytes. */
static const struct {
	CURLcode code;
	const char *flaw;
} flaws[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "cannot find the address of the server"},
    {CURLE_OPERATION_TIMEDOUT, "the server does not answer in time"},
    {CURLE_PARTIAL_FILE, "the connection broke off"},
    {CURLE_RECV_ERROR, "the connection broke off"},
    {CURLE_SEND_ERROR, "the connection broke off"},
    {CURLE_GOT_NOTHING, "the server closed the connection without an answer"},
    {CURLE_UNSUPPORTED_PROTOCOL, "the answer is not HTTP"}, /* HTTP/0.9 */
    {CURLE_WEIRD_SERVER_REPLY, "the answer is not HTTP"},
    {CURLE_SSL_CACERT_BADFILE, "cannot read the CAs of servers"},
    {CURLE_OUT_OF_MEMORY, "no memory"},
};

static void
fail_by_code(struct transfer *transfer, CURLcode code)
{
	const char *flaw = curl_easy_strerror(code);
	size_t i;

	for (i = 0; i < COUNT(flaws); i++) {
		if (flaws[i].code == code) {
			flaw = flaws[i].flaw;
		}
	}
	if ((code == CURLE_PEER_FAILED_VERIFICATION ||
	        code == CURLE_SSL_CONNECT_ERROR) &&
	    transfer->error[0] != '\0') {
		flaw = transfer->error;
	}
	fail(transfer, "%s", flaw);
}

static void
fail_to_connect(struct transfer *transfer)
{
	long error = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
	fail(transfer, "cannot connect to the server%s%s",
	    error == 0 ? "" : ": ", error == 0 ? "" : strerror((int)error));
}

/* The status comes first: a server that said 2xx has the document, whatever
 * becomes of the rest of its answer. */
static void
judge(struct transfer *transfer, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(
	    transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 == 2) {
		transfer->post.delivered = true;
	} else if (status / 100 == 3) {
		fail(transfer,
		    "the server answered %ld: redirects are not followed",
		    status);
	} else if (status >= 200) {
		fail(transfer, "the server answered %ld", status);
	} else if (code == CURLE_COULDNT_CONNECT) {
		fail_to_connect(transfer);
	} else {
		fail_by_code(transfer,
		    code == CURLE_OK ? CURLE_WEIRD_SERVER_REPLY : code);
	}
}

/* ---- Options ---- */

struct number {
	CURLoption option;
	long value;
};

struct pointer {
	CURLoption option;
	const void *value;
};

/* What the environment may decide, or another version of libcurl may see
 * otherwise, is not left to defaults. */
static const struct number rules[] = {
    {CURLOPT_POST, 1},
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_QUICK_EXIT, 1}, /* leave a look-up that hangs */
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_CA_CACHE_TIMEOUT, 0}, /* a CA taken out: at once */
    {CURLOPT_CONNECTTIMEOUT_MS, POST_CONNECT_MS},
};

static const struct pointer ways[] = {
    {CURLOPT_PROTOCOLS_STR, "https"},
    {CURLOPT_PROXY, ""},
    {CURLOPT_USERAGENT, USER_AGENT},
    {CURLOPT_ACCEPT_ENCODING, NULL},
};

static CURLcode
set_numbers(CURL *easy, const struct number *numbers, size_t n)
{
	CURLcode code = CURLE_OK;
	size_t i;

	for (i = 0; code == CURLE_OK && i < n; i++) {
		code =
		    curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	}
	return code;
}

static CURLcode
set_pointers(CURL *easy, const struct pointer *pointers, size_t n)
{
	CURLcode code = CURLE_OK;
	size_t i;

	for (i = 0; code == CURLE_OK && i < n; i++) {
		code = curl_easy_setopt(
		    easy, pointers[i].option, pointers[i].value);
	}
	return code;
}

/* The CAs that came along, or those of a file: no directory besides. */
static CURLcode
set_cas(const struct poster *poster, CURL *easy, const char *pem)
{
	const struct pointer none[] = {
	    {CURLOPT_CAINFO, pem == NULL ? poster->cas : NULL},
	    {CURLOPT_CAPATH, NULL},
	};
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	char *copy;
	CURLcode code = CURLE_OK;

	if (pem != NULL || poster->cas != NULL) {
		code = set_pointers(easy, none, COUNT(none));
	}
	if (code != CURLE_OK || pem == NULL) {
		return code;
	}
	if ((copy = strdup(pem)) == NULL) { /* a blob is not const */
		return CURLE_OUT_OF_MEMORY;
	}
	blob.data = copy;
	blob.len = strlen(copy);
	code = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	free(copy);
	return code;
}

static CURLcode
set_headers(struct transfer *transfer, const struct post_request *request)
{
	struct curl_slist *longer;
	const char *header = "Expect:"; /* no waiting for a 100 */
	size_t i = 0;

	while (header != NULL) {
		longer = curl_slist_append(transfer->headers, header);
		if (longer == NULL) {
			return CURLE_OUT_OF_MEMORY;
		}
		transfer->headers = longer;
		header = i < POST_HEADERS_MAX ? request->headers[i++] : NULL;
	}
	return curl_easy_setopt(
	    transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* The length must be known before the body is copied. */
static CURLcode
set_body(CURL *easy, const char *body)
{
	CURLcode code = curl_easy_setopt(
	    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));

	return code == CURLE_OK
	    ? curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body)
	    : code;
}

static CURLcode
set_place(struct transfer *transfer, const struct post_request *request)
{
	const struct pointer pointers[] = {
	    {CURLOPT_URL, request->url},
	    {CURLOPT_ERRORBUFFER, transfer->error},
	    {CURLOPT_WRITEDATA, transfer},
	    {CURLOPT_PRIVATE, transfer},
	};
	const struct number limit[] = {{CURLOPT_TIMEOUT_MS, request->whole_ms}};
	CURL *easy = transfer->easy;
	CURLcode code = set_pointers(easy, pointers, COUNT(pointers));

	if (code == CURLE_OK) {
		code = set_numbers(easy, limit, COUNT(limit));
	}
	return code == CURLE_OK
	    ? curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard)
	    : code;
}

/* Nobody is asked if there is an option that libcurl does not take. */
static CURLcode
set_all(const struct poster *poster, struct transfer *transfer,
    const struct post_request *request)
{
	CURL *easy = transfer->easy;
	CURLcode code = set_numbers(easy, rules, COUNT(rules));

	if (code == CURLE_OK) {
		code = set_pointers(easy, ways, COUNT(ways));
	}
	if (code == CURLE_OK) {
		code = set_place(transfer, request);
	}
	if (code == CURLE_OK) {
		code = set_body(easy, request->body);
	}
	if (code == CURLE_OK) {
		code = set_headers(transfer, request);
	}
	return code == CURLE_OK ? set_cas(poster, easy, request->ca_pem) : code;
}

/* ---- Life of a post ---- */

/* Out of libcurl, but not yet the caller's. */
static void
stop(struct poster *poster, struct transfer *transfer)
{
	if (transfer->easy != NULL) {
		(void)curl_multi_remove_handle(poster->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
}

static void
finish(struct poster *poster, struct transfer *transfer)
{
	stop(poster, transfer);
	DL_DELETE(poster->busy, transfer);
	DL_APPEND(poster->over, transfer);
}

enum res
poster_begin(struct poster *poster, const struct post_request *request,
    struct post **out)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	CURLcode code;

	if (transfer == NULL) {
		return RES_NOMEM;
	}
	if ((transfer->easy = curl_easy_init()) == NULL) {
		free(transfer);
		return RES_NOMEM;
	}
	transfer->post.owner = request->owner;
	DL_APPEND(poster->busy, transfer);
	*out = &transfer->post;
	code = set_all(poster, transfer, request);
	if (code == CURLE_OK &&
	    curl_multi_add_handle(poster->multi, transfer->easy) != CURLM_OK) {
		code = CURLE_OUT_OF_MEMORY;
	}
	if (code != CURLE_OK) {
		fail_by_code(transfer, code);
		finish(poster, transfer);
	}
	return RES_OK;
}

void
post_free(struct post *post)
{
	free(post); /* the transfer that it is in, at the same place */
}

void
poster_abandon(struct poster *poster, struct post *post)
{
	struct transfer *transfer;

	DL_FOREACH(poster->busy, transfer)
	{
		if (&transfer->post == post) {
			finish(poster, transfer);
			break;
		}
	}
	DL_FOREACH(poster->over, transfer)
	{
		if (&transfer->post == post) {
			DL_DELETE(poster->over, transfer);
			post_free(post);
			return;
		}
	}
}

struct post *
poster_take(struct poster *poster)
{
	struct transfer *transfer = poster->over;

	if (transfer == NULL) {
		return NULL;
	}
	DL_DELETE(poster->over, transfer);
	return &transfer->post;
}

static void
finish_all(struct poster *poster)
{
	const CURLMsg *message;
	struct transfer *transfer;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(poster->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		code = message->data.result;
		transfer = NULL;
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &transfer);
		judge(transfer, code);
		finish(poster, transfer);
	}
}

void
poster_turn(struct poster *poster, int ms)
{
	int wait = poster->over != NULL ? 0 : ms, running;

	(void)curl_multi_perform(poster->multi, &running);
	finish_all(poster);
	if (poster->over != NULL) {
		wait = 0;
	}
	if (curl_multi_poll(poster->multi, NULL, 0, wait, NULL) != CURLM_OK) {
		(void)poll(NULL, 0, wait < STALL_MS ? wait : STALL_MS);
	}
	(void)curl_multi_perform(poster->multi, &running);
	finish_all(poster);
}

void
poster_wake(struct poster *poster)
{
	(void)curl_multi_wakeup(poster->multi);
}

void
poster_free(struct poster *poster)
{
	struct post *post;

	if (poster == NULL) {
		return;
	}
	while (poster->busy != NULL) {
		finish(poster, poster->busy);
	}
	while ((post = poster_take(poster)) != NULL) {
		post_free(post);
	}
	(void)curl_multi_cleanup(poster->multi);
	free(poster->cas);
	free(poster);
}

static enum res
check_curl(struct diag *why)
{
	const curl_version_info_data *is;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return diag_res(
		    why, RES_UNAVAIL, "libcurl cannot be initialized");
	}
	is = curl_version_info(CURLVERSION_NOW);
	if (is->version_num < OLDEST_CURL ||
	    (is->features & CURL_VERSION_SSL) == 0 ||
	    (is->features & CURL_VERSION_ASYNCHDNS) == 0) {
		return diag_res(why, RES_UNAVAIL,
		    "libcurl %s will not do: it must be 7.87.0 or later, with "
		    "TLS and AsynchDNS",
		    is->version);
	}
	return RES_OK;
}

enum res
poster_new(struct poster **out, struct diag *why)
{
	const char *cas = getenv("SSL_CERT_FILE");
	struct poster *poster;
	enum res r = check_curl(why);

	if (r != RES_OK) {
		return r;
	}
	if ((poster = calloc(1, sizeof(*poster))) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	if ((poster->multi = curl_multi_init()) == NULL ||
	    curl_multi_setopt(poster->multi, CURLMOPT_MAXCONNECTS,
	        (long)POST_KEPT_MAX) != CURLM_OK ||
	    (cas != NULL && cas[0] != '\0' &&
	        (poster->cas = strdup(cas)) == NULL)) {
		poster_free(poster);
		return diag_res(why, RES_NOMEM, "no memory");
	}
	*out = poster;
	return RES_OK;
}
