/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * cidr: blocks of addresses, IPv4 and IPv6 (RFC 4632, RFC 4291 2.3).
 */
#ifndef POLICY_CIDR_H
#define POLICY_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"

struct cidr {
	uint8_t bytes[16]; /* of an IPv4 block the first 4 */
	uint8_t bits;      /* that count */
	bool is_v6;
};

/* "10.0.0.0/8", "2001:db8::/32"; an address alone is a block of one.
 * RES_SYNTAX: anything else, and a block with bits set behind its prefix; why
 * says what to write. */
MUST_CHECK enum res cidr_parse(
    const char *text, struct cidr *out, struct diag *why);

/* Whether address, as inet_pton(3) takes it, is in one of them.  An IPv4
 * address mapped into IPv6 (::ffff:10.0.0.7) is the IPv4 one.  A zone (%eth0)
 * does not count.  False for NULL and for what is no address. */
bool cidr_holds(const struct cidr *list, size_t count, const char *address);

#endif /* POLICY_CIDR_H */
