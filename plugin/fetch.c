/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/fetch.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/fetch_private.h"
#include "trust/crl.h"

#define FILE_PREFIX "file://"
#define USER_AGENT  "mosquitto-certid/" CERTID_VERSION
#define OLDEST_CURL 0x075700 /* CURLOPT_QUICK_EXIT */
#define BUFFER_MIN  (16 * 1024)
#define STALL_MS    100 /* where libcurl cannot wait */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A fetch and what moves it.  The fetch comes first: the caller has only
 * that. */
struct transfer {
	struct fetch fetch;
	CURL *easy; /* NULL: it is over */
	size_t size, max;
	bool conditional;
	bool too_large, no_memory;
	char error[CURL_ERROR_SIZE];
	struct transfer *next;
};

struct fetcher {
	CURLM *multi;
	struct fetch_limits limits;
	char *cas;            /* SSL_CERT_FILE; NULL: libcurl's default */
	struct transfer *all; /* in the order of beginning */
};

static void
fail_too_large(struct transfer *transfer)
{
	fetch_fail(
	    &transfer->fetch, "it is larger than %zu bytes", transfer->max);
}

static bool
make_room(struct transfer *transfer, size_t len)
{
	struct fetch *fetch = &transfer->fetch;
	size_t size = transfer->size == 0 ? BUFFER_MIN : transfer->size;
	uint8_t *bytes;

	while (size < len) {
		size *= 2;
	}
	if (size == transfer->size) {
		return true;
	}
	if ((bytes = realloc(fetch->bytes, size)) == NULL) {
		transfer->no_memory = true;
		return false;
	}
	fetch->bytes = bytes;
	transfer->size = size;
	return true;
}

/* The body of an answer.  One that is no file is not read; how long a body
 * will be is not known beforehand where it comes in chunks. */
static size_t
receive(char *bytes, size_t one, size_t n, void *context)
{
	struct transfer *transfer = context;
	struct fetch *fetch = &transfer->fetch;
	long status = 0;

	(void)one; /* always 1 */
	if (curl_easy_getinfo(
	        transfer->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
	    status != 200) {
		return 0;
	}
	if (n > transfer->max - fetch->len) {
		transfer->too_large = true;
		return 0;
	}
	if (!make_room(transfer, fetch->len + n)) {
		return 0;
	}
	memcpy(fetch->bytes + fetch->len, bytes, n);
	fetch->len += n;
	return n;
}

/* Sentences of our own where libcurl's count milliseconds and bytes: the same
 * trouble is to read the same every time. */
static const struct {
	CURLcode code;
	const char *flaw;
} flaws[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "cannot find the address of the server"},
    {CURLE_OPERATION_TIMEDOUT, "the server is too slow"},
    {CURLE_PARTIAL_FILE, "the connection broke off"},
    {CURLE_RECV_ERROR, "the connection broke off"},
    {CURLE_SEND_ERROR, "the connection broke off"},
    {CURLE_GOT_NOTHING, "the server closed the connection without an answer"},
    {CURLE_UNSUPPORTED_PROTOCOL, "the answer is not HTTP"}, /* HTTP/0.9 */
    {CURLE_WEIRD_SERVER_REPLY, "the answer is not HTTP"},
    {CURLE_SSL_CACERT_BADFILE,
        "cannot read the CAs of servers: see SSL_CERT_FILE"},
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
	fetch_fail(&transfer->fetch, "%s", flaw);
}

static void
fail_to_connect(struct transfer *transfer)
{
	long error = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);
	fetch_fail(&transfer->fetch, "cannot connect to the server%s%s",
	    error == 0 ? "" : ": ", error == 0 ? "" : strerror((int)error));
}

static void
fail_by_status(struct transfer *transfer, long status)
{
	const char *more = "";

	if (status == 304) {
		more = ", which it was not asked for";
	} else if (status / 100 == 3) {
		more = ": redirects are not followed, set --crl-url to the "
		       "last address";
	}
	fetch_fail(&transfer->fetch, "the server answered %ld%s", status, more);
}

static void
judge(struct transfer *transfer, CURLcode code)
{
	struct fetch *fetch = &transfer->fetch;
	curl_off_t modified_at = -1;
	long status = 0;

	(void)curl_easy_getinfo(
	    transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(
	    transfer->easy, CURLINFO_FILETIME_T, &modified_at);
	if (status == 304 && transfer->conditional && code == CURLE_OK) {
		fetch->outcome = FETCH_UNCHANGED;
	} else if (status != 0 && status != 200) {
		fail_by_status(transfer, status);
	} else if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		fail_too_large(transfer);
	} else if (transfer->no_memory) {
		fail_by_code(transfer, CURLE_OUT_OF_MEMORY);
	} else if (code == CURLE_COULDNT_CONNECT) {
		fail_to_connect(transfer);
	} else if (code != CURLE_OK) {
		fail_by_code(transfer, code);
	} else if (fetch->len == 0) {
		fetch_fail(&transfer->fetch, "the answer is empty");
	} else {
		fetch->outcome = FETCH_DONE;
		fetch->modified_at = fetch_settled(modified_at);
	}
}

/* Options of one kind, in a row. */
struct number {
	CURLoption option;
	long value;
};

struct pointer {
	CURLoption option;
	const void *value;
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

/* What holds for every server.  What the environment may decide, or another
 * version of libcurl may see otherwise, is not left to defaults. */
static CURLcode
set_rules(CURL *easy)
{
	static const struct number numbers[] = {
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
	    {CURLOPT_FORBID_REUSE, 1},     /* the next fetch is far away */
	    {CURLOPT_FILETIME, 1},
	};
	static const struct pointer pointers[] = {
	    {CURLOPT_PROTOCOLS_STR, "https"},
	    {CURLOPT_PROXY, ""},
	    {CURLOPT_USERAGENT, USER_AGENT},
	    {CURLOPT_ACCEPT_ENCODING, NULL},
	};
	CURLcode code = set_numbers(easy, numbers, COUNT(numbers));

	return code == CURLE_OK ? set_pointers(easy, pointers, COUNT(pointers))
	                        : code;
}

static CURLcode
set_limits(CURL *easy, const struct fetch_limits *limits)
{
	const struct number numbers[] = {
	    {CURLOPT_CONNECTTIMEOUT_MS, limits->connect_ms},
	    {CURLOPT_TIMEOUT_MS, limits->whole_ms},
	    {CURLOPT_LOW_SPEED_LIMIT, FETCH_SLOW_BYTES},
	    {CURLOPT_LOW_SPEED_TIME, limits->slow_s},
	};
	CURLcode code = set_numbers(easy, numbers, COUNT(numbers));

	return code == CURLE_OK
	    ? curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
	          (curl_off_t)limits->bytes_max)
	    : code;
}

/* The CAs of the file alone, where there is one: no directory besides. */
static CURLcode
set_cas(CURL *easy, const char *file)
{
	const struct pointer pointers[] = {
	    {CURLOPT_CAINFO, file},
	    {CURLOPT_CAPATH, NULL},
	};

	return file == NULL ? CURLE_OK
	                    : set_pointers(easy, pointers, COUNT(pointers));
}

static CURLcode
set_condition(CURL *easy, int64_t modified_at)
{
	CURLcode code;

	if (modified_at == CLOCK_NONE) {
		return CURLE_OK;
	}
	code = curl_easy_setopt(
	    easy, CURLOPT_TIMEVALUE_LARGE, (curl_off_t)modified_at);
	return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_TIMECONDITION,
	                              (long)CURL_TIMECOND_IFMODSINCE)
	                        : code;
}

static CURLcode
set_place(struct transfer *transfer, const char *url)
{
	const struct pointer pointers[] = {
	    {CURLOPT_URL, url},
	    {CURLOPT_ERRORBUFFER, transfer->error},
	    {CURLOPT_WRITEDATA, transfer},
	    {CURLOPT_PRIVATE, transfer},
	};
	CURLcode code = set_pointers(transfer->easy, pointers, COUNT(pointers));

	return code == CURLE_OK
	    ? curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, receive)
	    : code;
}

static void
stop(struct fetcher *fetcher, struct transfer *transfer)
{
	if (transfer->easy != NULL) {
		(void)curl_multi_remove_handle(fetcher->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
}

/* Nobody is asked if there is an option that libcurl does not take. */
static void
ask_server(struct fetcher *fetcher, struct transfer *transfer,
    const struct fetch_request *request)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if ((transfer->easy = curl_easy_init()) != NULL &&
	    (code = set_rules(transfer->easy)) == CURLE_OK &&
	    (code = set_limits(transfer->easy, &fetcher->limits)) == CURLE_OK &&
	    (code = set_cas(transfer->easy, fetcher->cas)) == CURLE_OK &&
	    (code = set_condition(transfer->easy, request->modified_at)) ==
	        CURLE_OK &&
	    (code = set_place(transfer, request->url)) == CURLE_OK &&
	    curl_multi_add_handle(fetcher->multi, transfer->easy) == CURLM_OK) {
		return;
	}
	fail_by_code(transfer, code == CURLE_OK ? CURLE_OUT_OF_MEMORY : code);
	stop(fetcher, transfer);
}

/* ---- The fetcher ---- */

static size_t
count_all(const struct fetcher *fetcher)
{
	const struct transfer *transfer;
	size_t n = 0;

	for (transfer = fetcher->all; transfer != NULL;
	     transfer = transfer->next) {
		n++;
	}
	return n;
}

static void
append(struct fetcher *fetcher, struct transfer *transfer)
{
	struct transfer **end = &fetcher->all;

	while (*end != NULL) {
		end = &(*end)->next;
	}
	*end = transfer;
}

enum res
fetcher_begin(struct fetcher *fetcher, const struct fetch_request *request,
    const struct fetch **out)
{
	struct transfer *transfer;
	struct diag why;

	if (count_all(fetcher) >= FETCH_AT_ONCE) {
		return RES_LIMIT;
	}
	if ((transfer = calloc(1, sizeof(*transfer))) == NULL) {
		return RES_NOMEM;
	}
	transfer->fetch.owner = request->owner;
	transfer->fetch.modified_at = CLOCK_NONE;
	transfer->max = fetcher->limits.bytes_max;
	transfer->conditional = request->modified_at != CLOCK_NONE;
	append(fetcher, transfer);
	*out = &transfer->fetch;
	if (crl_url_check(request->url, &why) != RES_OK) {
		/* It may hold anything, a password too. */
		fetch_set_label(&transfer->fetch, "crl-url");
		fetch_fail(&transfer->fetch, "%s", why.text);
		return RES_OK;
	}
	fetch_set_label(&transfer->fetch, request->url);
	if (strncmp(request->url, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
		fetch_file(&transfer->fetch, request->url + strlen(FILE_PREFIX),
		    transfer->max, request->modified_at);
	} else {
		ask_server(fetcher, transfer, request);
	}
	return RES_OK;
}

void
fetch_free(struct fetch *fetch)
{
	if (fetch != NULL) {
		free(fetch->bytes);
		free(fetch); /* the transfer that it is in, at the same place */
	}
}

void
fetcher_abandon(struct fetcher *fetcher, const struct fetch *fetch)
{
	struct transfer **at = &fetcher->all, *found;

	while ((found = *at) != NULL && &found->fetch != fetch) {
		at = &found->next;
	}
	if (found != NULL) {
		*at = found->next;
		stop(fetcher, found);
		fetch_free(&found->fetch);
	}
}

struct fetch *
fetcher_take(struct fetcher *fetcher)
{
	struct transfer **at = &fetcher->all, *found;

	while ((found = *at) != NULL && found->easy != NULL) {
		at = &found->next;
	}
	if (found == NULL) {
		return NULL;
	}
	*at = found->next;
	return &found->fetch;
}

bool
fetcher_has_over(const struct fetcher *fetcher)
{
	const struct transfer *transfer = fetcher->all;

	while (transfer != NULL && transfer->easy != NULL) {
		transfer = transfer->next;
	}
	return transfer != NULL;
}

static void
finish_all(struct fetcher *fetcher)
{
	const CURLMsg *message;
	struct transfer *transfer;
	CURLcode code;
	int left;

	while (
	    (message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		code = message->data.result;
		transfer = NULL;
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &transfer);
		judge(transfer, code);
		stop(fetcher, transfer);
	}
}

void
fetcher_turn(struct fetcher *fetcher, int ms)
{
	int wait = fetcher_has_over(fetcher) ? 0 : ms, running;

	if (curl_multi_poll(fetcher->multi, NULL, 0, wait, NULL) != CURLM_OK) {
		(void)poll(NULL, 0, wait < STALL_MS ? wait : STALL_MS);
	}
	(void)curl_multi_perform(fetcher->multi, &running);
	finish_all(fetcher);
}

void
fetcher_wake(struct fetcher *fetcher)
{
	(void)curl_multi_wakeup(fetcher->multi);
}

void
fetcher_free(struct fetcher *fetcher)
{
	if (fetcher == NULL) {
		return;
	}
	while (fetcher->all != NULL) {
		fetcher_abandon(fetcher, &fetcher->all->fetch);
	}
	(void)curl_multi_cleanup(fetcher->multi);
	free(fetcher->cas);
	free(fetcher);
}

/* Whether libcurl is what this file relies on.  One that looks names up in the
 * calling thread would stand still with the DNS. */
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
fetcher_new(
    const struct fetch_limits *limits, struct fetcher **out, struct diag *why)
{
	struct fetcher *fetcher;
	const char *cas = getenv("SSL_CERT_FILE");
	enum res r = check_curl(why);

	if (r != RES_OK) {
		return r;
	}
	if ((fetcher = calloc(1, sizeof(*fetcher))) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	fetcher->limits = *limits;
	if ((fetcher->multi = curl_multi_init()) == NULL ||
	    (cas != NULL && cas[0] != '\0' &&
	        (fetcher->cas = strdup(cas)) == NULL)) {
		fetcher_free(fetcher);
		return diag_res(why, RES_NOMEM, "no memory");
	}
	*out = fetcher;
	return RES_OK;
}
