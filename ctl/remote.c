/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "ctl/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mosquitto.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/message.h"
#include "identity/secret.h"
#include "manage/execute.h"
#include "manage/words.h"
#include "trust/leaf.h"

#define HOST_MAX       255
#define PORT_TLS       8883
#define PORT_PLAIN     1883
#define KEEPALIVE      60
#define PATIENCE       30 /* seconds, without --timeout */
#define PATIENCE_MAX   3600
#define LOOP_MS        100
#define CERT_MAX       (64 * 1024) /* bytes of a file with certificates */
#define PASSWORD_MAX   1024
#define CLIENT_ID_MAX  255
#define SYSTEM_CAS     "/etc/ssl/certs"
#define NOT_AUTHORIZED 0x87 /* MQTT 5, 2.4 */

/* Where to, and as whom. */
struct target {
	char host[HOST_MAX + 1];
	int port;
	bool tls;
	char client_id[CLIENT_ID_MAX + 1];
	const char *name; /* by which one would be an admin, for sentences */
	char password[PASSWORD_MAX + 1];
	int64_t patience; /* seconds */
};

/* How far it came. */
struct exchange {
	const char *message;
	bool reached;   /* somebody was at the other end */
	bool connected; /* the broker accepted us */
	int refused;    /* reason code of a CONNACK or PUBACK; 0: none */
	char *answer;   /* heap; NULL: none yet */
	bool no_memory;
	char tls[200]; /* what OpenSSL said last; "" */
};

/* ---- Options ---- */

/* The value of an option of the connection; the command may have one of the
 * same name.  NULL: not given. */
static const char *
own_option(const struct call *call, const char *name)
{
	const struct given *given;
	size_t i;

	for (i = 0; i < call->words.given_count; i++) {
		given = &call->words.given[i];
		if (given->option->use == USE_REMOTE &&
		    strcmp(given->option->name, name) == 0) {
			return given->value;
		}
	}
	return NULL;
}

static bool
is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1) {
		return (ntohl(four.s_addr) >> 24) == 127;
	}
	if (inet_pton(AF_INET6, host, &six) == 1) {
		return IN6_IS_ADDR_LOOPBACK(&six);
	}
	return strcmp(host, "localhost") == 0;
}

/* The host, of which "[::1]" is written in brackets; *rest: what follows. */
static bool
take_host(const char *text, char host[HOST_MAX + 1], const char **rest)
{
	bool in_brackets = text[0] == '[';
	size_t len;

	text += in_brackets ? 1 : 0;
	len = strcspn(text, in_brackets ? "]" : ":");
	*rest = text + len + (in_brackets && text[len] == ']' ? 1 : 0);
	return (!in_brackets || text[len] == ']') && len > 0 &&
	    strcspn(text, "/?#@% ") >= len &&
	    text_copy(host, HOST_MAX + 1, text, len);
}

static int
take_broker(const struct call *call, struct target *out)
{
	const char *url = own_option(call, "broker"), *rest = url;
	int64_t port;

	if (strncmp(url, "mqtts://", 8) == 0) {
		out->tls = true;
		rest = url + 8;
	} else if (strncmp(url, "mqtt://", 7) == 0) {
		rest = url + 7;
	}
	port = out->tls ? PORT_TLS : PORT_PLAIN;
	if (rest == url || !take_host(rest, out->host, &rest) ||
	    (rest[0] == ':' &&
	        text_number(rest + 1, 1, 65535, &port) != RES_OK) ||
	    (rest[0] != ':' && rest[0] != '\0')) {
		return misuse(call,
		    "--broker takes mqtts://HOST or mqtts://HOST:PORT, not "
		    "\"%.120s\"",
		    url);
	}
	if (!out->tls && !is_loopback(out->host)) {
		return misuse(call,
		    "mqtt:// goes without TLS, so that everybody on the way to "
		    "%.80s could read and change what is sent: use mqtts://, "
		    "or a loopback address",
		    out->host);
	}
	out->port = (int)port;
	return EXIT_DONE;
}

static int
take_patience(const struct call *call, struct target *out)
{
	const char *text = own_option(call, "timeout");

	out->patience = PATIENCE;
	if (text != NULL &&
	    (span_parse(text, &out->patience) != RES_OK || out->patience < 1 ||
	        out->patience > PATIENCE_MAX)) {
		return misuse(
		    call, "--timeout takes a time from 1s to 1h, as in 30s");
	}
	return EXIT_DONE;
}

static int
take_password(const struct call *call, struct target *out)
{
	const char *path = own_option(call, "password-file");
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0, line;
	bool fits;

	if (path == NULL) {
		return EXIT_DONE;
	}
	if (read_file(call, path, "the password", CERT_MAX, &bytes, &len,
	        &why) != RES_OK) {
		return refuse(EXIT_REFUSED, "%s", why.text);
	}
	line = strcspn((char *)bytes, "\r\n");
	fits = text_copy(
	    out->password, sizeof(out->password), (char *)bytes, line);
	explicit_bzero(bytes, len);
	free(bytes);
	return fits ? EXIT_DONE
	            : refuse(EXIT_REFUSED,
	                  "the password in %.200s is longer than %d bytes",
	                  path, PASSWORD_MAX);
}

/* The identity of the certificate is the client id that devices have. */
static int
read_identity(const struct call *call, const char *path, struct target *out)
{
	struct identity who;
	struct diag why = {""};
	struct leaf *leaf = NULL;
	const char *said = "";
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum reason reason;
	enum res r = read_file(
	    call, path, "your certificate", CERT_MAX, &bytes, &len, &why);

	if (r == RES_OK) {
		r = leaf_parse(bytes, len, &leaf, &why);
		free(bytes);
		if (r != RES_OK) {
			return blame_file(path, &why);
		}
	}
	if (r != RES_OK) {
		return refuse(EXIT_REFUSED, "%s", why.text);
	}
	reason = leaf_identity(leaf, &who, &said);
	leaf_free(leaf);
	if (reason != REASON_NONE) {
		return refuse(EXIT_REFUSED,
		    "%.200s names no identity (%s): say the MQTT client id "
		    "with --client-id",
		    path, said);
	}
	identity_format(&who, out->client_id);
	return EXIT_DONE;
}

static int
take_client_id(const struct call *call, struct target *out)
{
	const char *given = own_option(call, "client-id");
	const char *cert = own_option(call, "cert");
	char random[2 * 8 + 1];

	if (given != NULL) {
		return text_copy(out->client_id, sizeof(out->client_id), given,
		           strlen(given))
		    ? EXIT_DONE
		    : misuse(call, "--client-id takes at most %d bytes",
		          CLIENT_ID_MAX);
	}
	if (cert != NULL) {
		return read_identity(call, cert, out);
	}
	if (secret_random_hex(random, 8) != RES_OK) {
		return refuse(EXIT_REFUSED, "there is no randomness");
	}
	(void)snprintf(
	    out->client_id, sizeof(out->client_id), "certid-%s", random);
	return EXIT_DONE;
}

static int
check_pairs(const struct call *call, const struct target *target)
{
	bool cert = own_option(call, "cert") != NULL;
	bool user = own_option(call, "username") != NULL;

	if (cert != (own_option(call, "key") != NULL)) {
		return misuse(call,
		    "--cert and --key go together, and stand before the "
		    "command");
	}
	if (!user && own_option(call, "password-file") != NULL) {
		return misuse(call, "--password-file wants --username");
	}
	if (!cert && !user) {
		return misuse(call,
		    "the broker must know who you are: use --cert and --key, "
		    "or --username and --password-file, before the command");
	}
	if (!target->tls && (cert || own_option(call, "ca-file") != NULL)) {
		return misuse(call,
		    "mqtt:// goes without TLS: --cert, --key and --ca-file are "
		    "for mqtts://");
	}
	return EXIT_DONE;
}

static int
take_target(const struct call *call, struct target *out)
{
	int code = take_broker(call, out);

	if (code == EXIT_DONE) {
		code = check_pairs(call, out);
	}
	if (code == EXIT_DONE) {
		code = take_patience(call, out);
	}
	if (code == EXIT_DONE) {
		code = take_password(call, out);
	}
	if (code == EXIT_DONE) {
		code = take_client_id(call, out);
	}
	out->name = own_option(call, "username") != NULL
	    ? own_option(call, "username")
	    : out->client_id;
	return code;
}

/* A file that libmosquitto reads: it does not tell what is wrong with it. */
static int
check_readable(const struct call *call, const char *option, const char *what)
{
	const char *path = own_option(call, option);
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (path != NULL &&
	    read_file(call, path, what, 4 << 20, &bytes, &len, &why) !=
	        RES_OK) {
		return refuse(EXIT_REFUSED, "%s", why.text);
	}
	if (bytes != NULL) {
		explicit_bzero(bytes, len);
		free(bytes);
	}
	return EXIT_DONE;
}

/* ---- Callbacks of libmosquitto, all within mosquitto_loop() ---- */

static void
on_connect(struct mosquitto *client, void *context, int code, int flags,
    const mosquitto_property *properties)
{
	struct exchange *exchange = context;

	(void)flags;
	(void)properties;
	if (code != 0) {
		exchange->refused = code;
		return;
	}
	exchange->connected = true;
	if (mosquitto_publish_v5(client, NULL, CONTROL_TOPIC,
	        (int)strlen(exchange->message), exchange->message, 1, false,
	        NULL) != MOSQ_ERR_SUCCESS) {
		exchange->no_memory = true;
	}
}

static void
on_publish(struct mosquitto *client, void *context, int id, int code,
    const mosquitto_property *properties)
{
	struct exchange *exchange = context;

	(void)client;
	(void)id;
	(void)properties;
	if (code >= 0x80) {
		exchange->refused = code;
	}
}

static void
on_message(struct mosquitto *client, void *context,
    const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
	struct exchange *exchange = context;

	(void)client;
	(void)properties;
	if (exchange->answer != NULL || message->payloadlen <= 0 ||
	    strcmp(message->topic, CONTROL_RESPONSE) != 0) {
		return;
	}
	exchange->answer =
	    strndup(message->payload, (size_t)message->payloadlen);
	exchange->no_memory |= exchange->answer == NULL;
}

static void
on_log(struct mosquitto *client, void *context, int level, const char *text)
{
	struct exchange *exchange = context;

	(void)client;
	(void)level;
	if (strncmp(text, "OpenSSL Error", strlen("OpenSSL Error")) == 0) {
		(void)snprintf(
		    exchange->tls, sizeof(exchange->tls), "%.199s", text);
	}
}

/* ---- The exchange ---- */

static int
out_of_memory(void)
{
	struct diag why = {""};

	return fail(RES_NOMEM, &why);
}

static int
prepare(const struct call *call, const struct target *target,
    struct mosquitto *client)
{
	const char *user = own_option(call, "username");
	const char *ca_file = own_option(call, "ca-file");
	int rc = mosquitto_int_option(
	    client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

	if (rc == MOSQ_ERR_SUCCESS && user != NULL) {
		rc = mosquitto_username_pw_set(client, user,
		    target->password[0] == '\0' ? NULL : target->password);
	}
	if (rc == MOSQ_ERR_SUCCESS && target->tls && ca_file == NULL) {
		rc = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
	}
	/* libmosquitto wants one of the two, also where OpenSSL knows where to
	 * look. */
	if (rc == MOSQ_ERR_SUCCESS && target->tls) {
		rc = mosquitto_tls_set(client, ca_file,
		    ca_file == NULL ? SYSTEM_CAS : NULL,
		    own_option(call, "cert"), own_option(call, "key"), NULL);
	}
	if (rc == MOSQ_ERR_NOMEM) {
		return out_of_memory();
	}
	return rc == MOSQ_ERR_SUCCESS
	    ? EXIT_DONE
	    : refuse(EXIT_REFUSED,
	          "the options of the connection cannot be used: %s",
	          mosquitto_strerror(rc));
}

static bool
is_over(const struct exchange *exchange)
{
	return exchange->answer != NULL || exchange->refused != 0 ||
	    exchange->no_memory;
}

/* Wait until the connection is there, or is known not to come: libmosquitto
 * would say neither of one that TLS goes over. */
static bool
wait_reached(struct mosquitto *client, int64_t end)
{
	struct pollfd wanted = {
	    .fd = mosquitto_socket(client), .events = POLLOUT};
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int64_t left = end - clock_monotonic_ms();

	return wanted.fd >= 0 && left > 0 && poll(&wanted, 1, (int)left) > 0 &&
	    getpeername(wanted.fd, (struct sockaddr *)&peer, &len) == 0;
}

/* Whether somebody takes connections there.  libmosquitto says the same of a
 * host that refuses them and of one that ends the handshake at once. */
static bool
is_there(const struct target *target)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL, *at;
	char port[8];
	bool found = false;
	int fd;

	(void)snprintf(port, sizeof(port), "%d", target->port);
	if (getaddrinfo(target->host, port, &hints, &list) != 0) {
		return false;
	}
	for (at = list; at != NULL && !found; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		found =
		    fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0;
		if (fd >= 0) {
			(void)close(fd);
		}
	}
	freeaddrinfo(list);
	return found;
}

/* Until there is an answer, an end or no more time.  What libmosquitto said
 * last; *error is the errno of it. */
static int
talk(struct mosquitto *client, const struct target *target,
    struct exchange *exchange, int *error)
{
	int64_t end = clock_monotonic_ms() + 1000 * target->patience;
	int rc;

	errno = 0;
	rc = mosquitto_connect_async(
	    client, target->host, target->port, KEEPALIVE);
	*error = errno;
	if (rc != MOSQ_ERR_SUCCESS) {
		exchange->reached = rc == MOSQ_ERR_ERRNO && is_there(target);
		return rc;
	}
	exchange->reached = wait_reached(client, end);
	if (!exchange->reached && clock_monotonic_ms() < end) {
		*error = ECONNREFUSED;
		return MOSQ_ERR_ERRNO;
	}
	while (rc == MOSQ_ERR_SUCCESS && !is_over(exchange) &&
	    clock_monotonic_ms() < end) {
		rc = mosquitto_loop(client, LOOP_MS, 1);
	}
	return rc;
}

/* What OpenSSL says of a key of the same kind as the certificate's, and of one
 * of another. */
static bool
is_wrong_key(const char *tls)
{
	return strstr(tls, "key values mismatch") != NULL ||
	    strstr(tls, "key type mismatch") != NULL ||
	    strstr(tls, "no certificate assigned") != NULL;
}

/* Why there is no connection. */
static int
blame_connection(const struct call *call, const struct target *target,
    const struct exchange *exchange, int rc, int error)
{
	const char *tls = exchange->tls;

	if (strstr(tls, "certificate verify failed") != NULL) {
		return refuse(EXIT_NO_REGISTRY,
		    "the certificate of the broker %.80s is not trusted, or is "
		    "for another name: name its CA with --ca-file, and the "
		    "broker as in its certificate",
		    target->host);
	}
	if (is_wrong_key(tls)) {
		return refuse(EXIT_REFUSED,
		    "the key %.200s is not that of the certificate %.200s",
		    own_option(call, "key"), own_option(call, "cert"));
	}
	if (strstr(tls, "alert") != NULL) {
		return refuse(EXIT_REFUSED,
		    "the broker %.80s refused the certificate %.120s: %s",
		    target->host, own_option(call, "cert"), tls);
	}
	if (tls[0] != '\0') {
		return refuse(EXIT_NO_REGISTRY,
		    "cannot speak TLS with %.80s port %d: %s", target->host,
		    target->port, tls);
	}
	if (rc == MOSQ_ERR_SUCCESS) {
		return refuse(EXIT_NO_REGISTRY,
		    "cannot reach %.80s port %d: no answer within %llds",
		    target->host, target->port, (long long)target->patience);
	}
	if (exchange->reached && rc != MOSQ_ERR_SUCCESS) {
		return refuse(EXIT_REFUSED,
		    "the broker %.80s closed the connection: it may not know "
		    "who %.80s is",
		    target->host, target->name);
	}
	return refuse(EXIT_NO_REGISTRY, "cannot reach %.80s port %d: %s",
	    target->host, target->port,
	    rc == MOSQ_ERR_ERRNO && error != 0 ? strerror(error)
	                                       : mosquitto_strerror(rc));
}

/* Why there is no answer. */
static int
blame(const struct call *call, const struct target *target,
    const struct exchange *exchange, int rc, int error)
{
	if (exchange->no_memory) {
		return out_of_memory();
	}
	if (exchange->refused != 0 && !exchange->connected) {
		return refuse(EXIT_REFUSED,
		    "the broker %.80s does not let %.80s in: %s; its log has "
		    "the reason",
		    target->host, target->name,
		    mosquitto_reason_string(exchange->refused));
	}
	if (exchange->refused == NOT_AUTHORIZED) {
		return refuse(EXIT_REFUSED,
		    "%.80s is no admin on the broker %.80s: on its machine, "
		    "see \"certid admin list\"",
		    target->name, target->host);
	}
	if (exchange->refused != 0) {
		return refuse(EXIT_REFUSED,
		    "the broker %.80s did not take the command: %s",
		    target->host, mosquitto_reason_string(exchange->refused));
	}
	if (!exchange->connected) {
		return blame_connection(call, target, exchange, rc, error);
	}
	if (rc != MOSQ_ERR_SUCCESS) {
		return refuse(EXIT_REFUSED,
		    "the broker %.80s closed the connection before it "
		    "answered; what was asked for may have been done",
		    target->host);
	}
	return refuse(EXIT_REFUSED,
	    "no answer from the broker %.80s within %llds: it has no plugin of "
	    "certid, or %.80s is no admin there",
	    target->host, (long long)target->patience, target->name);
}

static int
ask(const struct call *call, const struct target *target, const char *message)
{
	struct exchange exchange = {.message = message};
	struct mosquitto *client =
	    mosquitto_new(target->client_id, true, &exchange);
	int code, rc, error = 0;

	if (client == NULL) {
		return out_of_memory();
	}
	mosquitto_connect_v5_callback_set(client, on_connect);
	mosquitto_publish_v5_callback_set(client, on_publish);
	mosquitto_message_v5_callback_set(client, on_message);
	mosquitto_log_callback_set(client, on_log);
	code = prepare(call, target, client);
	if (code == EXIT_DONE) {
		rc = talk(client, target, &exchange, &error);
		code = exchange.answer != NULL
		    ? message_show(call, exchange.answer)
		    : blame(call, target, &exchange, rc, error);
		if (exchange.connected) {
			(void)mosquitto_disconnect(client);
		}
	}
	mosquitto_destroy(client);
	free(exchange.answer);
	return code;
}

int
remote_run(const struct call *call)
{
	struct target target = {.port = 0};
	char *message = NULL;
	int code = take_target(call, &target);

	if (code == EXIT_DONE) {
		code = check_readable(call, "cert", "your certificate");
	}
	if (code == EXIT_DONE) {
		code = check_readable(call, "key", "your private key");
	}
	if (code == EXIT_DONE) {
		code = check_readable(call, "ca-file", "the broker's CA");
	}
	if (code == EXIT_DONE) {
		code = message_build(call, &message);
	}
	if (code == EXIT_DONE) {
		(void)mosquitto_lib_init();
		code = ask(call, &target, message);
		(void)mosquitto_lib_cleanup();
	}
	explicit_bzero(target.password, sizeof(target.password));
	free(message);
	return code;
}
