/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Of a list that passed only the serial numbers are kept, sorted, so that a
 * look is a binary search in memory that nobody writes to.  OpenSSL's own look
 * sorts its list when it is first asked, under a lock.
 */
#include "trust/crl.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "trust/cert.h"
#include "trust/crl_check.h"
#include "trust/pem.h"

struct serial {
	uint8_t len;
	uint8_t octets[CRL_SERIAL_MAX]; /* zeros behind the last */
};

struct crl {
	atomic_uint refs;
	struct crl_info info;
	bool for_users;          /* not about certificates of CAs */
	struct serial serials[]; /* info.entries of them, in memcmp()'s order */
};

static const char *const policy_names[] = {
    [CRL_REQUIRED] = "required",
    [CRL_IF_PRESENT] = "if-present",
    [CRL_OFF] = "off",
};

const char *
crl_policy_name(enum crl_policy policy)
{
	return policy_names[policy];
}

bool
crl_policy_parse(const char *name, enum crl_policy *out)
{
	enum crl_policy policy;

	for (policy = CRL_REQUIRED; policy <= CRL_OFF; policy++) {
		if (strcmp(name, policy_names[policy]) == 0) {
			*out = policy;
			return true;
		}
	}
	return false;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct serial));
}

/* Octets without leading zeros, at most CRL_SERIAL_MAX. */
static struct serial
make_serial(const uint8_t *octets, size_t len)
{
	struct serial serial = {.len = (uint8_t)len};

	memcpy(serial.octets, octets, len);
	return serial;
}

static void
copy_serials(const STACK_OF(X509_REVOKED) * entries, struct crl *crl)
{
	const ASN1_INTEGER *serial;
	size_t i;

	for (i = 0; i < crl->info.entries; i++) {
		serial = X509_REVOKED_get0_serialNumber(
		    sk_X509_REVOKED_value(entries, (int)i));
		crl->serials[i] = make_serial(ASN1_STRING_get0_data(serial),
		    (size_t)ASN1_STRING_length(serial));
	}
	qsort(crl->serials, crl->info.entries, sizeof(struct serial), compare);
}

static bool
write_number(const X509_CRL *list, char text[CRL_NUMBER_MAX + 1])
{
	ASN1_INTEGER *number =
	    X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
	size_t digits;

	if (number == NULL) {
		return false;
	}
	digits = 2 * (size_t)ASN1_STRING_length(number);
	memset(text, '0', CRL_NUMBER_MAX);
	text_hex(text + CRL_NUMBER_MAX - digits, ASN1_STRING_get0_data(number),
	    digits / 2);
	ASN1_INTEGER_free(number);
	return true;
}

/* A list, and the DER that it was read from. */
struct file {
	X509_CRL *list;
	uint8_t *der;
	size_t len;
};

static const struct pem_kind kind = {
    PEM_STRING_X509_CRL, "CRL", CRL_FILE_MAX, 1};

static void
clear(struct file *file)
{
	X509_CRL_free(file->list);
	free(file->der);
}

static enum res
take(void *to, const uint8_t *der, size_t len, struct diag *why)
{
	struct file *file = to;

	if (len > CRL_DER_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the CRL is larger than %d bytes; have the CA leave out "
		    "certificates that have expired",
		    CRL_DER_MAX);
	}
	file->list = pem_decode(ASN1_ITEM_rptr(X509_CRL), der, len);
	if (file->list == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the file is not a CRL in PEM or DER, or it is cut off, or "
		    "bytes "
		    "follow it; copy it anew");
	}
	if ((file->der = malloc(len)) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	memcpy(file->der, der, len);
	file->len = len;
	return RES_OK;
}

/* What is kept of a list that passed crl_check().  NULL: no memory. */
static struct crl *
keep(const struct file *file)
{
	const STACK_OF(X509_REVOKED) *entries =
	    X509_CRL_get_REVOKED(file->list);
	int count = sk_X509_REVOKED_num(entries); /* -1 for NULL */
	size_t n = count > 0 ? (size_t)count : 0;
	struct crl *crl = calloc(1, sizeof(*crl) + n * sizeof(struct serial));

	if (crl == NULL) {
		return NULL;
	}
	atomic_init(&crl->refs, 1);
	crl->info.entries = n;
	crl->info.this_update = cert_time(X509_CRL_get0_lastUpdate(file->list));
	crl->info.next_update = cert_time(X509_CRL_get0_nextUpdate(file->list));
	crl->for_users = crl_check_is_for_users(file->list);
	copy_serials(entries, crl);
	if (!write_number(file->list, crl->info.number) ||
	    EVP_Digest(file->der, file->len, crl->info.fingerprint, NULL,
	        EVP_sha256(), NULL) != 1) {
		crl_unref(crl);
		return NULL;
	}
	return crl;
}

/* verdict is the beginning of the sentence that tells of a refusal. */
static enum res
judge(const struct file *file, X509 *ca, const char *verdict, struct crl **out,
    struct diag *why)
{
	const char *objection = NULL;
	struct crl *crl;

	if (ca == NULL) {
		return diag_res(why, RES_CORRUPT,
		    "a registered CA does not read back as a certificate");
	}
	if (!crl_check(file->list, ca, &objection)) {
		return diag_res(why, RES_REFUSED, "%s: %s", verdict, objection);
	}
	if ((crl = keep(file)) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	*out = crl;
	return RES_OK;
}

static enum res
check_dates(
    const struct crl_info *info, int64_t now, int64_t grace, struct diag *why)
{
	char text[TIME_MAX + 1];

	if (now < info->this_update) {
		clock_format(info->this_update, text);
		return diag_res(why, RES_REFUSED,
		    "the CRL cannot be registered: it holds from %s on, which "
		    "is in the future; look at the clocks of the CA and of "
		    "this machine",
		    text);
	}
	if (now >= info->next_update && now - info->next_update >= grace) {
		clock_format(info->next_update, text);
		return diag_res(why, RES_REFUSED,
		    "the CRL cannot be registered: it was to be replaced by "
		    "%s; have the CA issue a new one",
		    text);
	}
	return RES_OK;
}

enum res
crl_parse(const uint8_t *bytes, size_t len, const uint8_t *ca_der,
    size_t ca_der_len, int64_t now, int64_t grace, struct crl **out,
    uint8_t **der, size_t *der_len, struct diag *why)
{
	struct file file = {0};
	struct crl *crl = NULL;
	X509 *ca = cert_from_der(ca_der, ca_der_len);
	enum res r;

	ERR_set_mark();
	if ((r = pem_read(&kind, bytes, len, take, &file, why)) == RES_OK) {
		r = judge(&file, ca, "the CRL cannot be registered", &crl, why);
	}
	if (r == RES_OK) {
		r = check_dates(&crl->info, now, grace, why);
	}
	if (r == RES_OK && der != NULL) {
		*der = file.der;
		*der_len = file.len;
		file.der = NULL;
	}
	if (r == RES_OK) {
		*out = crl;
		crl = NULL;
	}
	crl_unref(crl);
	X509_free(ca);
	clear(&file);
	ERR_pop_to_mark();
	return r;
}

enum res
crl_restore(const uint8_t *der, size_t der_len, const uint8_t *ca_der,
    size_t ca_der_len, struct crl **out, struct diag *why)
{
	struct file file = {0};
	X509 *ca = cert_from_der(ca_der, ca_der_len);
	enum res r;

	ERR_set_mark();
	r = take(&file, der, der_len, why);
	if (r == RES_OK) {
		r = judge(&file, ca, "a registered CRL does not hold any more",
		    out, why);
	} else if (r != RES_NOMEM) {
		diag_set(why, "a registered CRL does not read back as one");
	}
	X509_free(ca);
	clear(&file);
	ERR_pop_to_mark();
	return r == RES_OK || r == RES_NOMEM ? r : RES_CORRUPT;
}

struct crl *
crl_ref(struct crl *crl)
{
	atomic_fetch_add(&crl->refs, 1);
	return crl;
}

void
crl_unref(struct crl *crl)
{
	if (crl != NULL && atomic_fetch_sub(&crl->refs, 1) == 1) {
		free(crl);
	}
}

const struct crl_info *
crl_info(const struct crl *crl)
{
	return &crl->info;
}

enum crl_answer
crl_look(const struct crl *crl, const uint8_t *serial, size_t len, bool is_ca)
{
	struct serial asked;

	while (len > 0 && serial[0] == 0) {
		serial++;
		len--;
	}
	if (len == 0 || len > CRL_SERIAL_MAX) {
		return CRL_SILENT; /* no list holds such a serial number */
	}
	asked = make_serial(serial, len);
	if (bsearch(&asked, crl->serials, crl->info.entries,
	        sizeof(struct serial), compare) != NULL) {
		return CRL_LISTED; /* also one that it should not speak of */
	}
	return is_ca && crl->for_users ? CRL_SILENT : CRL_CLEAR;
}
