/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/secret.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "identity/field.h"

/* SHA-256(salt || text) of exactly TOKEN_TEXT_MAX bytes of text. */
static bool
hash_token(
    const uint8_t salt[SALT_LEN], const char *text, uint8_t hash[HASH_LEN])
{
	uint8_t input[SALT_LEN + TOKEN_TEXT_MAX];
	bool ok;

	memcpy(input, salt, SALT_LEN);
	memcpy(input + SALT_LEN, text, TOKEN_TEXT_MAX);
	ok = EVP_Digest(input, sizeof(input), hash, NULL, EVP_sha256(), NULL) ==
	    1;
	OPENSSL_cleanse(input, sizeof(input));
	return ok;
}

enum res
secret_random_hex(char *hex, size_t n)
{
	uint8_t bytes[HASH_LEN];
	size_t done, piece;

	hex[0] = '\0';
	for (done = 0; done < n; done += piece) {
		piece = n - done < sizeof(bytes) ? n - done : sizeof(bytes);
		if (RAND_priv_bytes(bytes, (int)piece) != 1) {
			OPENSSL_cleanse(hex, 2 * done);
			hex[0] = '\0';
			return RES_UNAVAIL;
		}
		text_hex(hex + 2 * done, bytes, piece);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return RES_OK;
}

enum res
token_make(char text[TOKEN_TEXT_MAX + 1], struct token_hash *out)
{
	struct token_hash made = {.is_set = true};

	if (secret_random_hex(text, TOKEN_TEXT_MAX / 2) != RES_OK ||
	    RAND_bytes(made.salt, SALT_LEN) != 1 ||
	    !hash_token(made.salt, text, made.hash)) {
		OPENSSL_cleanse(text, TOKEN_TEXT_MAX + 1);
		return RES_UNAVAIL;
	}
	*out = made;
	return RES_OK;
}

bool
token_matches(const struct token_hash *kept, const char *text)
{
	char input[TOKEN_TEXT_MAX] = {0};
	uint8_t hash[HASH_LEN];
	size_t len = strnlen(text, TOKEN_TEXT_MAX + 1);
	bool hashed, same;

	/* What has another length is hashed all the same. */
	memcpy(input, text, len < sizeof(input) ? len : sizeof(input));
	hashed = hash_token(kept->salt, input, hash);
	OPENSSL_cleanse(input, sizeof(input));
	same = hashed && CRYPTO_memcmp(hash, kept->hash, HASH_LEN) == 0;
	return same && kept->is_set && len == TOKEN_TEXT_MAX;
}

void
token_hash_format(
    const struct token_hash *kept, char text[TOKEN_HASH_TEXT_MAX + 1])
{
	char *at = text;

	text[0] = '\0';
	if (!kept->is_set) {
		return;
	}
	at = field_put_bytes(at, true, kept->salt, SALT_LEN);
	at = field_put_end(at, ':');
	at = field_put_bytes(at, true, kept->hash, HASH_LEN);
	at = field_put_end(at, ':');
	at = field_put_time(at, kept->created_at, CLOCK_NONE);
	at = field_put_end(at, ':');
	(void)field_put_time(at, kept->expires_at, CLOCK_FOREVER);
}

static bool
read_token_hash(const char *at, struct token_hash *out)
{
	bool has_salt, has_hash;

	return field_get_bytes(&at, &has_salt, out->salt, SALT_LEN) &&
	    has_salt && field_get_end(&at, ':') &&
	    field_get_bytes(&at, &has_hash, out->hash, HASH_LEN) && has_hash &&
	    field_get_end(&at, ':') &&
	    field_get_time(&at, CLOCK_NONE, &out->created_at) &&
	    field_get_end(&at, ':') &&
	    field_get_time(&at, CLOCK_FOREVER, &out->expires_at) &&
	    field_get_end(&at, '\0');
}

enum res
token_hash_parse(const char *text, struct token_hash *out)
{
	struct token_hash kept = {.is_set = true};
	char again[TOKEN_HASH_TEXT_MAX + 1];

	*out = (struct token_hash){0};
	if (text[0] == '\0') {
		return RES_OK;
	}
	if (!read_token_hash(text, &kept)) {
		return RES_SYNTAX;
	}
	token_hash_format(&kept, again);
	if (strcmp(again, text) != 0) {
		return RES_SYNTAX;
	}
	*out = kept;
	return RES_OK;
}

bool
token_hash_equal(const struct token_hash *a, const struct token_hash *b)
{
	if (!a->is_set || !b->is_set) {
		return a->is_set == b->is_set;
	}
	return CRYPTO_memcmp(a->salt, b->salt, SALT_LEN) == 0 &&
	    CRYPTO_memcmp(a->hash, b->hash, HASH_LEN) == 0 &&
	    a->created_at == b->created_at && a->expires_at == b->expires_at;
}

bool
secret_sign(const void *key, size_t key_len, const void *bytes, size_t len,
    char hex[HASH_TEXT_MAX + 1])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;

	hex[0] = '\0';
	if (key_len > INT_MAX ||
	    HMAC(EVP_sha256(), key, (int)key_len, bytes, len, mac, &mac_len) ==
	        NULL ||
	    mac_len != HASH_LEN) {
		return false;
	}
	text_hex(hex, mac, HASH_LEN);
	return true;
}
