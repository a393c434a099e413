/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "trust/crl.h"
#include "trust/scope.h"

bool
take_identity(const struct call *call, const char *text, struct identity *out)
{
	const char *why = NULL;

	if (identity_parse(text, strlen(text), out, &why) != RES_OK) {
		(void)misuse(call,
		    "\"%.120s\" is not an identity such as d:meter:0001 (%s)",
		    text, why);
		return false;
	}
	return true;
}

bool
take_type(const struct call *call, const char *text, struct device_type *out)
{
	const char *why = NULL;

	if (device_type_parse(text, strlen(text), out, &why) != RES_OK) {
		(void)misuse(call,
		    "\"%.120s\" is not a device type such as d:meter (%s)",
		    text, why);
		return false;
	}
	return true;
}

bool
take_number(const struct call *call, const char *option, int64_t low,
    int64_t high, int64_t *out)
{
	const char *text = call_option(call, option);

	if (text != NULL && text_number(text, low, high, out) != RES_OK) {
		(void)misuse(call, "--%s takes a number from %lld to %lld",
		    option, (long long)low, (long long)high);
		return false;
	}
	return true;
}

bool
take_window(const struct call *call, int64_t *out)
{
	const char *text = call_option(call, "window");
	int64_t span = 0;

	if (text == NULL) {
		return true;
	}
	if (strcmp(text, "none") == 0) {
		*out = CLOCK_FOREVER;
		return true;
	}
	if (span_parse(text, &span) != RES_OK || span == 0) {
		(void)misuse(call,
		    "--window takes a time of more than 0s, as in 90s, 15m, "
		    "48h, 7d, or none");
		return false;
	}
	*out = span;
	return true;
}

bool
take_since(const struct call *call, int64_t *out)
{
	const char *text = call_option(call, "since");
	int64_t span = 0;

	if (text == NULL || clock_parse(text, out) == RES_OK) {
		return true;
	}
	if (span_parse(text, &span) != RES_OK) {
		(void)misuse(call,
		    "--since takes a time as in 2026-11-21T14:00:00Z, or a "
		    "span before now as in 24h");
		return false;
	}
	*out = call->now - span;
	return true;
}

bool
take_enrol(const struct call *call, char *word)
{
	const char *text = call_option(call, "enrol");
	enum enrolment mode;

	if (text == NULL) {
		return true;
	}
	if (strcmp(text, "default") == 0) {
		word[0] = '\0';
		return true;
	}
	if (!enrolment_parse(text, &mode)) {
		(void)misuse(
		    call, "--enrol takes auto, approve, listed or default");
		return false;
	}
	text_set(word, WORD_MAX + 1, text);
	return true;
}

/* Whether the option was given with this value before the place at. */
static bool
is_repeated(
    const struct call *call, const char *option, const char *value, size_t at)
{
	const char *other;
	size_t from = 0;

	while ((other = call_next_option(call, option, &from)) != NULL &&
	    from < at) {
		if (strcmp(other, value) == 0) {
			return true;
		}
	}
	return false;
}

bool
take_scope(const struct call *call, char **out)
{
	const char *pattern, *why = NULL;
	struct json *array = json_array();
	size_t at = 0, count = 0;

	while ((pattern = call_next_option(call, "scope", &at)) != NULL) {
		if (scope_check(pattern, &why) != RES_OK) {
			(void)misuse(call,
			    "\"%.120s\" is not a scope such as d:meter:* (%s)",
			    pattern, why);
			goto out;
		}
		if (is_repeated(call, "scope", pattern, at)) {
			(void)misuse(
			    call, "--scope %.120s is given twice", pattern);
			goto out;
		}
		if (++count > SCOPE_PATTERNS_MAX) {
			(void)misuse(call, "--scope may be given %d times",
			    SCOPE_PATTERNS_MAX);
			goto out;
		}
		json_append_text(array, pattern);
	}
	if (count > 0 && (*out = json_print(array)) == NULL) {
		(void)misuse(call, "there is not enough memory");
		goto out;
	}
	json_free(array);
	return true;
out:
	json_free(array);
	return false;
}

/* One NAME=VALUE as {name, value}; NULL: not of that form. */
static struct json *
read_tag(const char *text)
{
	const char *equals = strchr(text, '=');
	struct json *tag;
	char *name;

	if (equals == NULL || equals == text ||
	    !text_is_printable_utf8(text, strlen(text))) {
		return NULL;
	}
	name = strndup(text, (size_t)(equals - text));
	tag = name == NULL ? NULL : json_object();
	json_add_text(tag, "name", name);
	json_add_text(tag, "value", equals + 1);
	free(name);
	return tag;
}

bool
take_tags(const struct call *call, char **out)
{
	struct json *array = json_array(), *tag;
	const char *text;
	size_t at = 0, count = 0;
	char *tags = NULL;

	while ((text = call_next_option(call, "tag", &at)) != NULL) {
		if ((tag = read_tag(text)) == NULL) {
			(void)misuse(call,
			    "--tag takes NAME=VALUE in printable UTF-8, not "
			    "\"%.120s\"",
			    text);
			goto out;
		}
		json_append(array, tag);
		count++;
	}
	if (count > 0) {
		tags = json_print(array);
		if (tags == NULL || strlen(tags) > JSON_MAX) {
			(void)misuse(call, "the tags are longer than %d bytes",
			    JSON_MAX);
			goto out;
		}
		*out = tags;
	}
	json_free(array);
	return true;
out:
	free(tags);
	json_free(array);
	return false;
}

#define LABEL_MAX 63
#define LABEL_BYTES                                                            \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

static enum res
check_label(const char *label, size_t len, const char **why)
{
	if (len == 0) {
		*why = "a label between its dots is empty";
		return RES_SYNTAX;
	}
	if (strspn(label, LABEL_BYTES) < len) {
		*why = "only letters, digits, hyphens and dots may stand in it";
		return RES_SYNTAX;
	}
	if (label[0] == '-' || label[len - 1] == '-') {
		*why = "a label begins or ends with a hyphen";
		return RES_SYNTAX;
	}
	if (len > LABEL_MAX) {
		*why = "a label is longer than 63 bytes";
		return RES_LIMIT;
	}
	return RES_OK;
}

/* What people write for a DNS name by mistake, said before its labels are
 * looked at one by one. */
static enum res
check_shape(const char *text, const char **why)
{
	size_t len = strlen(text);
	struct in6_addr address; /* room for either */

	if (inet_pton(AF_INET, text, &address) == 1 ||
	    inet_pton(AF_INET6, text, &address) == 1) {
		*why = "it is an IP address, and clients ask for names alone";
		return RES_SYNTAX;
	}
	if (len > 1 && text[len - 1] == '.' && text[len - 2] != '.') {
		*why = "write it without the dot at its end";
		return RES_SYNTAX;
	}
	return RES_OK;
}

enum res
suffix_parse(const char *text, char out[SUFFIX_MAX + 1], const char **why)
{
	size_t total = strlen(text), at = 0, len, i;
	enum res r = check_shape(text, why);

	if (r != RES_OK) {
		return r;
	}
	for (; at <= total; at += len + 1) {
		len = strcspn(text + at, ".");
		if ((r = check_label(text + at, len, why)) != RES_OK) {
			return r;
		}
	}
	if (total > SUFFIX_MAX) {
		*why = "with the name of an org before it, it would be longer "
		       "than a DNS name may be";
		return RES_LIMIT;
	}
	for (i = 0; i <= total; i++) {
		out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z'
		        ? text[i] - 'A' + 'a'
		        : text[i]);
	}
	return RES_OK;
}

void
window_format(int64_t window, char text[SPAN_TEXT_MAX + 1])
{
	if (window == CLOCK_FOREVER || window == CLOCK_NONE) {
		text_set(text, SPAN_TEXT_MAX + 1,
		    window == CLOCK_FOREVER ? "none" : "");
	} else {
		span_format(window, text);
	}
}

/* All of fd, which is known to hold size bytes; more or less is refused. */
static enum res
read_all(
    int fd, const char *path, uint8_t *bytes, size_t size, struct diag *why)
{
	size_t at = 0;
	ssize_t n;

	while (at <= size) {
		n = read(fd, bytes + at, size + 1 - at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return diag_res(why, RES_REFUSED,
			    "cannot read the file %.200s: %s", path,
			    strerror(errno));
		}
		if (n == 0) {
			break;
		}
		at += (size_t)n;
	}
	if (at != size) {
		return diag_res(why, RES_REFUSED,
		    "the file %.200s changed while it was read", path);
	}
	bytes[size] = 0;
	return RES_OK;
}

static enum res
blame_open(const char *path, const char *what, int error, struct diag *why)
{
	return error == ENOENT || error == ENOTDIR
	    ? diag_res(why, RES_REFUSED,
	          "there is no file %.200s: give the path of %s", path, what)
	    : diag_res(why, RES_REFUSED, "cannot open the file %.200s: %s",
	          path, strerror(error));
}

/* The machine's own files are out of reach here: a name that is not among the
 * inline ones is not looked for anywhere else. */
static enum res
read_inline(const struct inline_files *files, const char *name, size_t max,
    uint8_t **out, size_t *len, struct diag *why)
{
	const struct inline_file *file = NULL;
	uint8_t *bytes;
	size_t i;

	for (i = 0; i < files->count && file == NULL; i++) {
		if (strcmp(files->list[i].name, name) == 0) {
			file = &files->list[i];
		}
	}
	if (file == NULL) {
		return diag_res(why, RES_REFUSED,
		    "no file \"%.200s\" came with the command, and no other is "
		    "read for one that comes over MQTT",
		    name);
	}
	if (file->len > max) {
		return diag_res(why, RES_REFUSED,
		    "the file %.200s is too large: at most %zu bytes are taken",
		    name, max);
	}
	bytes = malloc(file->len + 1);
	if (bytes == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	memcpy(bytes, file->bytes, file->len);
	bytes[file->len] = 0;
	*out = bytes;
	*len = file->len;
	return RES_OK;
}

static enum res
read_path(const char *path, const char *what, size_t max, uint8_t **out,
    size_t *len, struct diag *why)
{
	/* Not to hang on a pipe that nobody writes to. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *bytes = NULL;
	struct stat stat;
	enum res r;

	if (fd < 0 || fstat(fd, &stat) != 0) {
		r = blame_open(path, what, errno, why);
		goto out;
	}
	if (!S_ISREG(stat.st_mode)) {
		r = diag_res(why, RES_REFUSED, "%.200s is %s", path,
		    S_ISDIR(stat.st_mode) ? "a directory: give a file"
		                          : "not a regular file");
		goto out;
	}
	if (stat.st_size > (off_t)max) {
		r = diag_res(why, RES_REFUSED,
		    "the file %.200s is too large: at most %zu bytes are taken",
		    path, max);
		goto out;
	}
	bytes = malloc((size_t)stat.st_size + 1);
	if (bytes == NULL) {
		r = diag_res(why, RES_NOMEM, "there is not enough memory");
		goto out;
	}
	r = read_all(fd, path, bytes, (size_t)stat.st_size, why);
	if (r == RES_OK) {
		*out = bytes;
		*len = (size_t)stat.st_size;
		bytes = NULL;
	}
out:
	free(bytes);
	if (fd >= 0) {
		(void)close(fd);
	}
	return r;
}

enum res
read_file(const struct call *call, const char *path, const char *what,
    size_t max, uint8_t **out, size_t *len, struct diag *why)
{
	return call->files != NULL
	    ? read_inline(call->files, path, max, out, len, why)
	    : read_path(path, what, max, out, len, why);
}

/* Where "https://" is followed by a host and by what should be its port, up to
 * the path; NULL: there is no such thing. */
static const char *
find_port(const char *url)
{
	const char *host = url + strlen("https://"), *colon = NULL;
	size_t len;

	if (strncmp(url, "https://", strlen("https://")) != 0) {
		return NULL;
	}
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL) {
		return NULL; /* a user name, which is the worse mistake */
	}
	colon = memrchr(host, ':', len);
	return colon == NULL || colon == host ||
	        memchr(colon, ']', len - (size_t)(colon - host)) != NULL
	    ? NULL
	    : colon + 1;
}

static bool
is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	long port = len > 0 && len <= 5 ? strtol(text, NULL, 10) : 0;

	return port > 0 && port <= 65535 && strcspn(text, "/?#") == len;
}

bool
take_url_text(const struct call *call, const char *url)
{
	const char *port = find_port(url);
	struct diag why = {""};

	if (call->files != NULL && strncmp(url, "file:", 5) == 0) {
		(void)misuse(call,
		    "--crl-url: a file of the broker's machine is for its own "
		    "operator to name, not for a command that comes over MQTT");
		return false;
	}
	if (strncmp(url, "https://", strlen("https://")) == 0 &&
	    strchr(url, '#') != NULL) {
		(void)misuse(call,
		    "--crl-url: a fragment, \"#...\", is not for a server: "
		    "leave it out");
		return false;
	}
	if (port != NULL && !is_port(port)) {
		(void)misuse(call,
		    "--crl-url: the port behind the host is not a number from "
		    "1 to 65535");
		return false;
	}
	if (crl_url_check(url, &why) != RES_OK) {
		(void)misuse(call, "--crl-url: %s", why.text);
		return false;
	}
	return true;
}
