/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/cidr.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *block, *address;
	bool want;
} cases[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/8", "::ffff:10.0.0.7", true},
    {"10.0.0.0/8", "::FFFF:a00:7", true},
    {"10.0.0.0/8", "::ffff:11.0.0.7", false},
    {"10.0.0.0/8", "::fffe:10.0.0.7", false},
    {"10.0.0.0/8", "::10.0.0.7", false},
    {"10.0.0.0/8", "a00::", false},
    {"10.0.0.0/8", "10.0.0.7%eth0", false},
    {"10.0.0.0/8", "10.0.0", false},
    {"10.0.0.0/8", "10.0.0.07", false},
    {"10.0.0.0/8", "10.0.0.7 ", false},
    {"10.0.0.0/8", " 10.0.0.7", false},
    {"10.0.0.0/8", "10.0.0.7:1883", false},
    {"10.0.0.0/8", "10.0.0.0/8", false},
    {"10.0.0.0/8", "", false},
    {"10.0.0.0/8", NULL, false},
    {"10.0.0.0/8", "localhost", false},
    {"10.0.0.0/8", "0x0a000007", false},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "10.1.2.2", false},
    {"10.1.2.3/32", "10.1.2.3", true},
    {"10.1.2.3/32", "10.1.2.4", false},
    {"10.1.2.2/31", "10.1.2.3", true},
    {"10.1.2.2/31", "10.1.2.4", false},
    {"10.1.2.128/25", "10.1.2.127", false},
    {"10.1.2.128/25", "10.1.2.255", true},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::ffff:1.2.3.4", true},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/0", "", false},
    {"128.0.0.0/1", "128.0.0.1", true},
    {"128.0.0.0/1", "127.0.0.1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "fe80::1%eth0", true},
    {"::/0", "10.0.0.7", false},
    {"::/0", "::ffff:10.0.0.7", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::1", "2001:db8::1", true},
    {"2001:db8::1", "2001:0DB8:0:0:0:0:0:1", true},
    {"2001:db8::1", "2001:db8::2", false},
    {"2001:db8::1/128", "2001:db8::", false},
    {"fe80::/10", "fe80::1%eth0", true},
    {"fe80::/10", "febf::1%2", true},
    {"fe80::/10", "fec0::1%eth0", false},
    {"fe80::/10", "fe80::1%", false},
    {"fe80::/10", "%eth0", false},
    {"fe80::/10", "fe80::1%a-zone-whose-name-is-longer-than-any-address-is",
        true},
    {"::/0", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        false},
};

static void
blocks_hold_addresses_or_not(void **state)
{
	struct cidr block;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (cidr_parse(cases[i].block, &block, &why) != RES_OK) {
			fail_msg("%s: %s", cases[i].block, why.text);
		}
		if (cidr_holds(&block, 1, cases[i].address) != cases[i].want) {
			fail_msg("%s: %s", cases[i].block, cases[i].address);
		}
	}
}

static const struct {
	const char *text, *says;
} bad[] = {
    {"", "10.0.0.0/8"},
    {"/", "10.0.0.0/8"},
    {"/8", "10.0.0.0/8"},
    {"10.0.0.0/", "10.0.0.0/8"},
    {"10.0.0.0/33", "10.0.0.0/8"},
    {"10.0.0.0/-1", "10.0.0.0/8"},
    {"10.0.0.0/+8", "10.0.0.0/8"},
    {"10.0.0.0/08", "10.0.0.0/8"},
    {"10.0.0.0/ 8", "10.0.0.0/8"},
    {"10.0.0.0/8 ", "10.0.0.0/8"},
    {"10.0.0.0/8/8", "10.0.0.0/8"},
    {"10.0.0.0/0x8", "10.0.0.0/8"},
    {"10.0.0.0/255.0.0.0", "10.0.0.0/8"},
    {"10.0.0.0/99999999999999999999", "10.0.0.0/8"},
    {"10.0.0.0/256", "10.0.0.0/8"},
    {"10.0.0/24", "10.0.0.0/8"},
    {"10/8", "10.0.0.0/8"},
    {"010.0.0.0/8", "10.0.0.0/8"},
    {"10.0.0.256", "10.0.0.0/8"},
    {" 10.0.0.0/8", "10.0.0.0/8"},
    {"10.0.0.0,10.0.0.1", "10.0.0.0/8"},
    {"10.0.0.0-10.0.0.9", "10.0.0.0/8"},
    {"*", "10.0.0.0/8"},
    {"any", "10.0.0.0/8"},
    {"example.com", "10.0.0.0/8"},
    {"2001:db8::/129", "2001:db8::/32"},
    {"2001:db8:::/32", "2001:db8::/32"},
    {"[2001:db8::]/32", "2001:db8::/32"},
    {"fe80::1%eth0", "2001:db8::/32"},
    {"fe80::%eth0/10", "2001:db8::/32"},
    {"10.0.0.7/8", "write 10.0.0.0/8"},
    {"10.0.0.1/0", "write 0.0.0.0/0"},
    {"10.0.0.1/31", "write 10.0.0.0/31"},
    {"2001:db8::1/32", "write 2001:db8::/32"},
    {"2001:db8::1/127", "write 2001:db8::/127"},
    {"::ffff:10.0.0.0/104", "write 10.0.0.0/8"},
    {"::ffff:10.0.0.7", "write 10.0.0.7/32"},
    {"::ffff:0:0/96", "write 0.0.0.0/0"},
    {"::ffff:0:0/95", "write ::fffe:0:0/95"},
};

static void
what_is_no_block_is_refused(void **state)
{
	struct cidr block, before;
	struct diag why;
	size_t i;

	(void)state;
	memset(&before, 'z', sizeof(before));
	block = before;
	for (i = 0; i < COUNT(bad); i++) {
		why.text[0] = '\0';
		if (cidr_parse(bad[i].text, &block, &why) != RES_SYNTAX) {
			fail_msg("%s", bad[i].text);
		}
		if (strstr(why.text, bad[i].says) == NULL) {
			fail_msg("%s: %s", bad[i].text, why.text);
		}
		assert_memory_equal(&block, &before, sizeof(before));
	}
}

static void
one_of_several_is_enough(void **state)
{
	struct cidr list[3];

	(void)state;
	assert_int_equal(cidr_parse("10.0.0.0/8", &list[0], NULL), RES_OK);
	assert_int_equal(cidr_parse("fd00::/8", &list[1], NULL), RES_OK);
	assert_int_equal(cidr_parse("192.0.2.1", &list[2], NULL), RES_OK);
	assert_true(cidr_holds(list, 3, "10.1.1.1"));
	assert_true(cidr_holds(list, 3, "fd12::1"));
	assert_true(cidr_holds(list, 3, "192.0.2.1"));
	assert_false(cidr_holds(list, 2, "192.0.2.1"));
	assert_false(cidr_holds(list, 3, "192.0.2.2"));
	assert_false(cidr_holds(list, 0, "10.1.1.1"));
	assert_false(cidr_holds(NULL, 0, "10.1.1.1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(blocks_hold_addresses_or_not),
	    cmocka_unit_test(what_is_no_block_is_refused),
	    cmocka_unit_test(one_of_several_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
