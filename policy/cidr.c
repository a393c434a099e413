/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define V4_BITS    32
#define V6_BITS    128
#define MAPPED_LEN 12 /* bytes of ::ffff:0:0/96 */

static const uint8_t mapped[MAPPED_LEN] = {[10] = 0xff, [11] = 0xff};

/* An address as a block of one. */
static bool
read_address(const char *text, struct cidr *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->bytes) == 1) {
		out->bits = V4_BITS;
		return true;
	}
	out->is_v6 = inet_pton(AF_INET6, text, out->bytes) == 1;
	out->bits = V6_BITS;
	return out->is_v6;
}

static bool
is_mapped(const struct cidr *address)
{
	return address->is_v6 &&
	    memcmp(address->bytes, mapped, MAPPED_LEN) == 0;
}

/* Set what stands behind the prefix to zero. */
static void
mask(uint8_t bytes[16], unsigned bits)
{
	unsigned i;

	for (i = bits; i < V6_BITS; i++) {
		bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	}
}

static enum res
check_prefix(const char *text, const struct cidr *block, struct diag *why)
{
	struct cidr right = *block;
	char address[INET6_ADDRSTRLEN] = "";

	if (is_mapped(block) && block->bits >= 8 * MAPPED_LEN) {
		(void)inet_ntop(AF_INET, block->bytes + MAPPED_LEN, address,
		    sizeof(address));
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is an IPv4 block in the form of IPv6; write "
		    "%s/%d",
		    text, address, block->bits - 8 * MAPPED_LEN);
	}
	mask(right.bytes, block->bits);
	if (memcmp(right.bytes, block->bytes, sizeof(right.bytes)) != 0) {
		(void)inet_ntop(block->is_v6 ? AF_INET6 : AF_INET, right.bytes,
		    address, sizeof(address));
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" has bits set behind its prefix; write %s/%d", text,
		    address, block->bits);
	}
	return RES_OK;
}

static enum res
not_a_block(const char *text, struct diag *why)
{
	return diag_res(why, RES_SYNTAX,
	    "\"%s\" is not an address or a block of addresses; write one as "
	    "in 10.0.0.0/8 or 2001:db8::/32",
	    text);
}

enum res
cidr_parse(const char *text, struct cidr *out, struct diag *why)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	const char *prefix = text + len;
	struct cidr block;
	int64_t bits;
	enum res r;

	if (!text_copy(address, sizeof(address), text, len) ||
	    !read_address(address, &block)) {
		return not_a_block(text, why);
	}
	if (prefix[0] != '\0') {
		if ((prefix[1] == '0' && prefix[2] != '\0') ||
		    text_number(prefix + 1, 0, block.bits, &bits) != RES_OK) {
			return not_a_block(text, why);
		}
		block.bits = (uint8_t)bits;
	}
	r = check_prefix(text, &block, why);
	if (r == RES_OK) {
		*out = block;
	}
	return r;
}

/* An address as a client comes from it: perhaps with a zone, perhaps an IPv4
 * one on a socket of IPv6. */
static bool
read_peer(const char *text, struct cidr *out)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "%");

	if (!text_copy(address, sizeof(address), text, len) ||
	    !read_address(address, out) ||
	    (text[len] != '\0' && (!out->is_v6 || text[len + 1] == '\0'))) {
		return false;
	}
	if (is_mapped(out)) {
		out->is_v6 = false;
		out->bits = V4_BITS;
		memmove(out->bytes, out->bytes + MAPPED_LEN, V4_BITS / 8);
		memset(out->bytes + V4_BITS / 8, 0,
		    sizeof(out->bytes) - V4_BITS / 8);
	}
	return true;
}

static bool
holds(const struct cidr *block, const struct cidr *peer)
{
	struct cidr masked = *peer;

	mask(masked.bytes, block->bits);
	return block->is_v6 == peer->is_v6 && block->bits <= peer->bits &&
	    memcmp(masked.bytes, block->bytes, sizeof(masked.bytes)) == 0;
}

bool
cidr_holds(const struct cidr *list, size_t count, const char *address)
{
	struct cidr peer;
	size_t i;

	if (address == NULL || !read_peer(address, &peer)) {
		return false;
	}
	for (i = 0; i < count; i++) {
		if (holds(&list[i], &peer)) {
			return true;
		}
	}
	return false;
}
