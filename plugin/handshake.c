/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * OpenSSL keeps what it is given for longer than the broker keeps a plugin:
 * contexts and certificates outlive handshake_stop(), so the callbacks and
 * the two index numbers are the process's.  The linker keeps the code mapped.
 */
#include "plugin/handshake.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "plugin/instance.h"
#include "plugin/listeners.h"

#define SERVER_NAME_MAX   255
#define SESSION_ID_PREFIX "mosquitto-" /* then the listener's port */

struct handshake {
	struct instance *instance;
	struct listeners *listeners;
};

struct mark {
	char org[NAME_MAX_LEN + 1];
	struct chain *chain;
	struct trust_path *path; /* where there is no chain */
};

static pthread_t home;            /* the broker's thread; set once, before
                                     OpenSSL knows of us */
static struct handshake *current; /* that thread's; NULL: handshakes fail */
static int context_index = -1;    /* of SSL_CTX */
static int mark_index = -1;       /* of X509 */

/* ---- Marks ---- */

static void
mark_free(struct mark *mark)
{
	if (mark != NULL) {
		chain_free(mark->chain);
		trust_path_unref(mark->path);
		free(mark);
	}
}

static void
drop_mark(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
    void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	mark_free(ptr);
}

/* chain and path become the mark's, also on failure. */
static bool
set_mark(
    X509 *cert, const char *org, struct chain *chain, struct trust_path *path)
{
	struct mark *mark = calloc(1, sizeof(*mark));

	if (mark == NULL) {
		chain_free(chain);
		trust_path_unref(path);
		return false;
	}
	mark->chain = chain;
	mark->path = path;
	text_set(mark->org, sizeof(mark->org), org);
	mark_free(X509_get_ex_data(cert, mark_index));
	if (X509_set_ex_data(cert, mark_index, mark) != 1) {
		mark_free(mark);
		return false;
	}
	return true;
}

const struct mark *
mark_of(const struct x509_st *cert)
{
	return mark_index < 0 ? NULL : X509_get_ex_data(cert, mark_index);
}

const char *
mark_org(const struct mark *mark)
{
	return mark == NULL ? ORG_DEFAULT : mark->org;
}

const struct chain *
mark_chain(const struct mark *mark)
{
	return mark == NULL ? NULL : mark->chain;
}

struct trust_path *
mark_path(const struct mark *mark)
{
	return mark == NULL ? NULL : mark->path;
}

/* ---- Whose handshake it is ---- */

enum side {
	SIDE_OTHER = 0, /* not ours: OpenSSL decides as it would */
	SIDE_OURS,
	SIDE_GONE, /* ours, but the plugin has stopped */
};

/* The session id context of a native listener is its name.  Mosquitto 2.0's
 * websockets have another: they are ours if every listener is.  If not, nobody
 * can tell, and CONNECT refuses whom OpenSSL lets through. */
static enum side
side_of(const SSL_SESSION *session)
{
	const unsigned char *id = NULL;
	unsigned int len = 0;
	char text[SSL_MAX_SID_CTX_LENGTH + 1];
	long port;

	if (!pthread_equal(pthread_self(), home)) {
		return SIDE_OTHER;
	}
	if (session != NULL) {
		id = SSL_SESSION_get0_id_context(session, &len);
	}
	if (len == 0) {
		return SIDE_OTHER; /* another plugin's server */
	}
	if (current == NULL) {
		return SIDE_GONE;
	}
	if (!text_copy(text, sizeof(text), (const char *)id, len) ||
	    strncmp(text, SESSION_ID_PREFIX, strlen(SESSION_ID_PREFIX)) != 0) {
		return current->instance->broker.is_2_1 ||
		        !listeners_are_all(current->listeners)
		    ? SIDE_OTHER
		    : SIDE_OURS;
	}
	port = strtol(text + strlen(SESSION_ID_PREFIX), NULL, 10);
	return port > 0 && port <= UINT16_MAX &&
	        listeners_include(current->listeners, (int)port)
	    ? SIDE_OURS
	    : SIDE_OTHER;
}

/* ---- The client's certificate ---- */

/* The alert that the client gets follows from this. */
static int
verify_error(enum reason reason)
{
	switch ((int)reason) {
	case REASON_CA_UNKNOWN:
	case REASON_CA_INACTIVE:
	case REASON_CA_UNPROVEN:
		return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
	case REASON_CA_EXPIRED:
	case REASON_CERT_EXPIRED:
		return X509_V_ERR_CERT_HAS_EXPIRED;
	case REASON_CERT_NOT_YET_VALID:
		return X509_V_ERR_CERT_NOT_YET_VALID;
	case REASON_CERT_PURPOSE:
		return X509_V_ERR_INVALID_PURPOSE;
	case REASON_CERT_REVOKED:
		return X509_V_ERR_CERT_REVOKED;
	case REASON_CRL_MISSING:
		return X509_V_ERR_UNABLE_TO_GET_CRL;
	case REASON_CRL_STALE:
		return X509_V_ERR_CRL_HAS_EXPIRED;
	case REASON_REGISTRY_ERROR:
		return X509_V_ERR_UNSPECIFIED;
	default:
		return X509_V_ERR_CERT_REJECTED;
	}
}

static void
read_address(const SSL *ssl, char address[ADDRESS_MAX + 1])
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&peer, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&peer, len, address, ADDRESS_MAX + 1,
	        NULL, 0, NI_NUMERICHOST) != 0) {
		address[0] = '\0';
	}
}

/* There will be no CONNECT to tell of. */
static void
tell_refused(struct instance *instance, const SSL *ssl, const char *org,
    const struct leaf *leaf, const struct trust_finding *finding)
{
	char address[ADDRESS_MAX + 1];
	const struct subject subject = {.address = address,
	    .org = org,
	    .server = org == NULL
	        ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
	        : NULL,
	    .leaf = leaf,
	    .ca = org == NULL || !finding->has_ca
	        ? NULL
	        : snapshot_ca(instance->snapshot, org, finding->ca)};
	struct answer answer = {.verdict.reason = finding->reason,
	    .has_ca = finding->has_ca,
	    .detail = finding->detail};
	const char *ignored;

	read_address(ssl, address);
	if (leaf != NULL) {
		answer.has_identity =
		    leaf_identity(leaf, &answer.who, &ignored) == REASON_NONE;
	}
	memcpy(answer.ca, finding->ca, HASH_LEN);
	report_decision(&instance->report, &subject, &answer, instance->now_ms);
}

/* leaf and chain are those of one handshake, or leaf is that of a ticket, which
 * has no chain.  *path is the caller's. */
static void
find(struct instance *instance, const char *org, const struct leaf *leaf,
    const struct chain *chain, bool is_ticket, struct trust_finding *out,
    struct trust_path **path)
{
	const struct request request = {.leaf = leaf,
	    .chain = chain,
	    .any_chain = is_ticket,
	    .verdicts = instance->verdicts,
	    .generation = instance->generation,
	    .now = instance->now};

	admission_verify(instance->snapshot, org, &request, out, path);
}

static struct leaf *
adopt_leaf(X509 *cert)
{
	return X509_up_ref(cert) == 1 ? leaf_adopt(cert) : NULL;
}

/* What stands in a finding until something was found. */
static void
start_finding(
    struct trust_finding *finding, enum reason reason, const char *detail)
{
	*finding = (struct trust_finding){.reason = reason, .detail = detail};
}

/* What is wrong with the certificates that were sent, or REASON_NONE. */
static void
look(struct instance *instance, const char *org, X509_STORE_CTX *store,
    const struct leaf *leaf, struct chain **chain, struct trust_finding *out)
{
	struct trust_path *path = NULL;
	enum res r;

	if (leaf == NULL) {
		start_finding(out, REASON_CERT_MALFORMED,
		    "the certificate cannot be read");
		return;
	}
	if (org == NULL) {
		start_finding(out, REASON_CA_UNKNOWN,
		    "the server name that the client asks for names no org");
		return;
	}
	r = chain_adopt(X509_STORE_CTX_get0_untrusted(store), chain);
	if (r != RES_OK) {
		start_finding(out,
		    r == RES_NOMEM ? REASON_REGISTRY_ERROR
		                   : REASON_CERT_MALFORMED,
		    "the chain that came with the certificate cannot be read, "
		    "or is too long");
		return;
	}
	find(instance, org, leaf, *chain, false, out, &path);
	trust_path_unref(path); /* there is the chain */
}

static int
verify_ours(struct instance *instance, const SSL *ssl, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	struct leaf *leaf = cert == NULL ? NULL : adopt_leaf(cert);
	struct chain *chain = NULL;
	struct trust_finding finding;
	uint64_t start = metrics_clock();
	const char *org;
	bool good;

	turn_at_connect(instance);
	org = snapshot_org_of_host(instance->snapshot,
	    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	look(instance, org, store, leaf, &chain, &finding);
	good = finding.reason == REASON_NONE;
	if (!good) {
		tell_refused(instance, ssl, org, leaf, &finding);
		metrics_decision(&instance->metrics, finding.reason,
		    metrics_clock() - start);
		chain_free(chain);
	} else if (!set_mark(cert, org, chain, NULL)) {
		good = false;
		finding.reason = REASON_REGISTRY_ERROR;
	}
	X509_STORE_CTX_set_error(
	    store, good ? X509_V_OK : verify_error(finding.reason));
	leaf_free(leaf);
	return good ? 1 : 0;
}

/* In the place of X509_verify_cert(). */
static int
verify_chain(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)arg;
	switch (ssl == NULL ? SIDE_OTHER : side_of(SSL_get0_session(ssl))) {
	case SIDE_OURS:
		return verify_ours(current->instance, ssl, store);
	case SIDE_OTHER:
		return X509_verify_cert(store);
	case SIDE_GONE:
		break;
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* ---- What the client is asked for ---- */

/* Once the name of the server is known.  A listener that does not require a
 * certificate asks for one all the same.  2.1 names the CAs that it accepts;
 * some clients send no certificate of another. */
static int
ask(SSL *ssl, void *arg)
{
	const struct snapshot *snapshot;
	const struct tenant *tenant = NULL;
	STACK_OF(X509_NAME) *names = NULL;
	const char *org;

	(void)arg;
	if (side_of(SSL_get0_session(ssl)) != SIDE_OURS) {
		return 1;
	}
	/* Sessions live in tickets alone: only those pass us by when they come
	 * back. */
	SSL_CTX_set_session_cache_mode(
	    SSL_get_SSL_CTX(ssl), SSL_SESS_CACHE_OFF);
	if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	}
	if (!current->instance->broker.is_2_1) {
		return 1;
	}
	turn_at_connect(current->instance);
	snapshot = current->instance->snapshot;
	org = snapshot_org_of_host(
	    snapshot, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	if (org != NULL) {
		tenant = snapshot_tenant(snapshot, org);
	}
	if (tenant != NULL) {
		names = trust_ca_names(tenant->trust);
	}
	/* An empty list names none: any will do.  Without a list OpenSSL would
	 * name those of the listener. */
	SSL_set_client_CA_list(
	    ssl, names == NULL ? sk_X509_NAME_new_null() : names);
	return 1;
}

static int
greet(SSL *ssl, int *alert, void *arg)
{
	(void)alert;
	(void)arg;
	SSL_set_cert_cb(ssl, ask, NULL);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* ---- Tickets ---- */

/* The org goes into the ticket: a client that comes back with it belongs to
 * the org for which its certificate was verified. */
static int
make_ticket(SSL *ssl, void *arg)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	const struct mark *mark = cert == NULL ? NULL : mark_of(cert);

	(void)arg;
	if (mark != NULL) {
		/* Without it the ticket is not taken. */
		(void)SSL_SESSION_set1_ticket_appdata(
		    SSL_get_session(ssl), mark->org, strlen(mark->org));
	}
	return 1;
}

/*
 * The name of the server that the ClientHello asks for (RFC 6066 3), which
 * OpenSSL has not looked at yet when a ticket of TLS 1.2 comes.  False: the
 * extension is not what it should be.
 */
static bool
read_server_name(SSL *ssl, char name[SERVER_NAME_MAX + 1], bool *named)
{
	const unsigned char *at = NULL;
	size_t len = 0;

	*named = SSL_client_hello_get0_ext(
	             ssl, TLSEXT_TYPE_server_name, &at, &len) == 1;
	if (!*named) {
		return true;
	}
	/* A list of one: its length, a type, and the name with its length. */
	return len > 5 && (size_t)(at[0] << 8 | at[1]) == len - 2 &&
	    at[2] == TLSEXT_NAMETYPE_host_name &&
	    (size_t)(at[3] << 8 | at[4]) == len - 5 &&
	    memchr(at + 5, '\0', len - 5) == NULL &&
	    text_copy(name, SERVER_NAME_MAX + 1, (const char *)at + 5, len - 5);
}

/* A ticket is for the org in which its certificate was verified. */
static bool
asks_for(const struct instance *instance, SSL *ssl, const char *org)
{
	char name[SERVER_NAME_MAX + 1];
	const char *asked;
	bool named;

	if (!read_server_name(ssl, name, &named)) {
		return false;
	}
	asked = snapshot_org_of_host(instance->snapshot, named ? name : NULL);
	return asked != NULL && strcmp(asked, org) == 0;
}

/* Whether the client may go on with its session.  It is marked then. */
static bool
still_holds(struct instance *instance, SSL *ssl, SSL_SESSION *session)
{
	X509 *cert = SSL_SESSION_get0_peer(session);
	struct trust_finding finding = {.reason = REASON_REGISTRY_ERROR};
	struct trust_path *path = NULL;
	char org[NAME_MAX_LEN + 1];
	struct leaf *leaf;
	void *data = NULL;
	size_t len = 0;

	if (cert == NULL) {
		/* It never showed one, and a reload may have come to ask for
		 * one since. */
		return (SSL_get_verify_mode(ssl) &
		           SSL_VERIFY_FAIL_IF_NO_PEER_CERT) == 0;
	}
	if (SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 ||
	    len == 0 || !text_copy(org, sizeof(org), data, len)) {
		return false;
	}
	turn_at_connect(instance);
	leaf = asks_for(instance, ssl, org) ? adopt_leaf(cert) : NULL;
	if (leaf != NULL) {
		find(instance, org, leaf, NULL, true, &finding, &path);
	}
	leaf_free(leaf);
	/* A refusal has no path. */
	return finding.reason == REASON_NONE && set_mark(cert, org, NULL, path);
}

static SSL_TICKET_RETURN
take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
	bool good =
	    status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;

	(void)name;
	(void)name_len;
	(void)arg;
	if (good) {
		switch (side_of(session)) {
		case SIDE_OURS:
			good = still_holds(current->instance, ssl, session);
			break;
		case SIDE_OTHER:
			break;
		case SIDE_GONE:
			good = false;
			break;
		}
	}
	if (!good) {
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
	                                    : SSL_TICKET_RETURN_USE_RENEW;
}

/* ---- Getting there ---- */

/* OpenSSL has just made a context; what the broker sets comes later, and is
 * other things. */
static void
adorn(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
    void *argp)
{
	SSL_CTX *context = parent;

	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (SSL_CTX_get_ssl_method(context) != TLS_server_method() ||
	    !pthread_equal(pthread_self(), home) || current == NULL) {
		return;
	}
	SSL_CTX_set_cert_verify_callback(context, verify_chain, NULL);
	SSL_CTX_set_client_hello_cb(context, greet, NULL);
	SSL_CTX_set_session_ticket_cb(context, make_ticket, take_ticket, NULL);
}

static enum res
make_indexes(struct diag *why)
{
	if (context_index < 0) {
		home = pthread_self();
	}
	if (mark_index < 0) {
		mark_index =
		    X509_get_ex_new_index(0, NULL, NULL, NULL, drop_mark);
	}
	if (context_index < 0) {
		context_index =
		    SSL_CTX_get_ex_new_index(0, NULL, adorn, NULL, NULL);
	}
	return mark_index < 0 || context_index < 0
	    ? diag_res(why, RES_UNAVAIL,
	          "tls_verify plugin: OpenSSL takes no callbacks; set "
	          "tls_verify broker")
	    : RES_OK;
}

static enum res
read_listeners(struct listeners **out, struct diag *why)
{
	Dl_info self;

	/* POSIX lets a function pointer be asked for as data; ISO C has no
	 * cast. */
	union {
		void (*function)(struct handshake *);
		void *data;
	} here = {.function = handshake_stop};

	if (dladdr(here.data, &self) == 0 || self.dli_fname == NULL) {
		return diag_res(why, RES_UNAVAIL,
		    "tls_verify plugin: the plugin's own path is not known; "
		    "set tls_verify broker");
	}
	return listeners_read(self.dli_fname, out, why);
}

enum res
handshake_start(
    struct instance *instance, struct handshake **out, struct diag *why)
{
	struct handshake *handshake;
	enum res r;

	if (current != NULL) {
		return diag_res(why, RES_EXISTS,
		    "tls_verify plugin is set for two instances of the "
		    "plugin: keep one of them");
	}
	if ((handshake = calloc(1, sizeof(*handshake))) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	handshake->instance = instance;
	if ((r = read_listeners(&handshake->listeners, why)) != RES_OK ||
	    (r = make_indexes(why)) != RES_OK) {
		listeners_free(handshake->listeners);
		free(handshake);
		return r;
	}
	current = handshake;
	*out = handshake;
	return RES_OK;
}

void
handshake_stop(struct handshake *handshake)
{
	if (handshake != NULL) {
		current = NULL;
		listeners_free(handshake->listeners);
		free(handshake);
	}
}
