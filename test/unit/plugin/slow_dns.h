/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * slow_dns: a getaddrinfo() for the whole test program that hangs for the name
 * SLOW_DNS_NAME, until it is let go.
 */
#ifndef TEST_UNIT_PLUGIN_SLOW_DNS_H
#define TEST_UNIT_PLUGIN_SLOW_DNS_H

#include <stdbool.h>

#define SLOW_DNS_NAME "hang.example"

/* Wait until somebody hangs.  False: nobody did before the deadline. */
bool slow_dns_await(void);

/* Let all go who hang, and wait until they went. */
void slow_dns_let_go(void);

#endif /* TEST_UNIT_PLUGIN_SLOW_DNS_H */
