/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * override: a plugin that takes TLS verification into its own hands, and lets
 * everybody through.  For the tests that mosquitto_certid notices.
 *
 * plugin_opt_what: verify, ticket or both.  plugin_opt_when: made, when a
 * context of a server is made; later, in the first TICK.
 */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <string.h>

/* From mosquitto.h, which another package ships. */
#define LOG_NOTICE 2

#define CONTEXTS_MAX 16

static mosquitto_plugin_id_t *self;
static int verify, ticket, later, done;
static SSL_CTX *contexts[CONTEXTS_MAX];
static size_t count;

static int
let_through(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int
keep_quiet(SSL *ssl, void *arg)
{
	(void)ssl;
	(void)arg;
	return 1;
}

static SSL_TICKET_RETURN
take_all(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
    size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl;
	(void)session;
	(void)name;
	(void)name_len;
	(void)arg;
	return status == SSL_TICKET_SUCCESS ||
	        status == SSL_TICKET_SUCCESS_RENEW
	    ? SSL_TICKET_RETURN_USE
	    : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static void
override(SSL_CTX *context)
{
	if (verify) {
		SSL_CTX_set_cert_verify_callback(context, let_through, NULL);
	}
	if (ticket) {
		SSL_CTX_set_session_ticket_cb(
		    context, keep_quiet, take_all, NULL);
	}
}

static void
meet(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
    void *argp)
{
	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (!later) {
		override(parent);
	} else if (count < CONTEXTS_MAX) {
		contexts[count++] = parent;
	}
}

static int
wait_for_listeners(int event, void *event_data, void *userdata)
{
	size_t i;

	(void)event;
	(void)event_data;
	(void)userdata;
	for (i = 0; later && !done && i < count; i++) {
		override(contexts[i]);
	}
	if (!done) {
		done = 1;
		mosquitto_log_printf(LOG_NOTICE, "override: at work");
	}
	return 0;
}

int
mosquitto_plugin_version(int versions_count, const int *versions)
{
	int i;

	for (i = 0; i < versions_count; i++) {
		if (versions[i] == 5) {
			return 5;
		}
	}
	return -1;
}

int
mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,
    struct mosquitto_opt *options, int options_count)
{
	int i;

	(void)user_data;
	for (i = 0; i < options_count; i++) {
		if (strcmp(options[i].key, "what") == 0) {
			verify = strcmp(options[i].value, "ticket") != 0;
			ticket = strcmp(options[i].value, "verify") != 0;
		} else {
			later = strcmp(options[i].value, "later") == 0;
		}
	}
	self = identifier;
	SSL_CTX_get_ex_new_index(0, NULL, meet, NULL, NULL);
	return mosquitto_callback_register(
	    self, MOSQ_EVT_TICK, wait_for_listeners, NULL, NULL);
}

int
mosquitto_plugin_cleanup(
    void *user_data, struct mosquitto_opt *options, int options_count)
{
	(void)user_data;
	(void)options;
	(void)options_count;
	return mosquitto_callback_unregister(
	    self, MOSQ_EVT_TICK, wait_for_listeners, NULL);
}
