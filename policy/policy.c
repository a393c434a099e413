/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const levels[] = {
    [LEVEL_CERT_TOKEN] = "cert+token",
    [LEVEL_CERT] = "cert",
    [LEVEL_TOKEN] = "token",
    [LEVEL_CERT_OR_TOKEN] = "cert-or-token",
    [LEVEL_TLS_OPTIONAL] = "tls-optional",
};

static const char *const modes[] = {
    [ENROL_LISTED] = "listed",
    [ENROL_APPROVE] = "approve",
    [ENROL_AUTO] = "auto",
};

static const char *const pin_modes[] = {
    [PIN_LISTED] = "listed",
    [PIN_FIRST] = "first",
    [PIN_NONE] = "none",
};

static const char *const rotations[] = {
    [ROTATE_NONE] = "none",
    [ROTATE_SAME_KEY] = "same-key",
    [ROTATE_SAME_CA] = "same-ca",
    [ROTATE_APPROVE] = "approve",
};

static const char *
name_of(const char *const *names, size_t count, size_t at)
{
	return at < count ? names[at] : "unknown";
}

static bool
find_name(const char *const *names, size_t count, const char *name, size_t *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *
level_name(enum level level)
{
	return name_of(levels, COUNT(levels), (size_t)level);
}

bool
level_parse(const char *name, enum level *out)
{
	size_t at;

	if (!find_name(levels, COUNT(levels), name, &at)) {
		return false;
	}
	*out = (enum level)at;
	return true;
}

const char *
enrolment_name(enum enrolment mode)
{
	return name_of(modes, COUNT(modes), (size_t)mode);
}

bool
enrolment_parse(const char *name, enum enrolment *out)
{
	size_t at;

	if (!find_name(modes, COUNT(modes), name, &at)) {
		return false;
	}
	*out = (enum enrolment)at;
	return true;
}

const char *
pin_mode_name(enum pin_mode mode)
{
	return name_of(pin_modes, COUNT(pin_modes), (size_t)mode);
}

bool
pin_mode_parse(const char *name, enum pin_mode *out)
{
	size_t at;

	if (!find_name(pin_modes, COUNT(pin_modes), name, &at)) {
		return false;
	}
	*out = (enum pin_mode)at;
	return true;
}

const char *
rotation_name(enum rotation rotation)
{
	return name_of(rotations, COUNT(rotations), (size_t)rotation);
}

bool
rotation_parse(const char *name, enum rotation *out)
{
	size_t at;

	if (!find_name(rotations, COUNT(rotations), name, &at)) {
		return false;
	}
	*out = (enum rotation)at;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct type_policy *left = a, *right = b;

	if (left->type.class != right->type.class) {
		return left->type.class < right->type.class ? -1 : 1;
	}
	return strcmp(left->type.name, right->type.name);
}

void
policy_sort(struct policy *policy)
{
	if (policy->type_count > 1) {
		qsort(policy->types, policy->type_count, sizeof(*policy->types),
		    compare);
	}
}

const struct type_policy *
policy_type(const struct policy *policy, const struct device_type *type)
{
	const struct type_policy key = {.type = *type};

	if (policy->type_count == 0) {
		return NULL;
	}
	return bsearch(&key, policy->types, policy->type_count,
	    sizeof(*policy->types), compare);
}

static const struct {
	const char *text;
	enum word word;
} words[] = {
    {"{class}", WORD_CLASS},
    {"{org}", WORD_ORG},
    {"{type}", WORD_TYPE},
    {"{id}", WORD_ID},
};

unsigned
policy_word(const char *text, size_t *len)
{
	size_t i;

	for (i = 0; i < COUNT(words); i++) {
		*len = strlen(words[i].text);
		if (strncmp(text, words[i].text, *len) == 0) {
			return words[i].word;
		}
	}
	return 0;
}

bool
policy_ends_type(char byte)
{
	static const char of_types[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                               "abcdefghijklmnopqrstuvwxyz"
	                               "0123456789._-";

	return strchr(of_types, byte) == NULL;
}

enum res
policy_check_words(const char *text, struct diag *why)
{
	const char *at = text;
	size_t len;

	while (*(at += strcspn(at, "{}")) != '\0') {
		if (policy_word(at, &len) == 0) {
			len = *at == '{' ? strcspn(at, "}") + 1 : 1;
			return diag_res(why, RES_SYNTAX,
			    "\"%.*s\" is not a word that can be filled in; "
			    "the words are {class} {org} {type} {id}",
			    (int)len, at);
		}
		at += len;
	}
	return RES_OK;
}

/* What stands for the word or the ordinary byte at text, which is *len bytes
 * long itself. */
static const char *
fill_one(const char *text, const char *org, const struct identity *who,
    char one[2], size_t *len)
{
	switch (policy_word(text, len)) {
	case WORD_ORG:
		return org;
	case WORD_TYPE:
		return who->type.name;
	case WORD_ID:
		return who->id;
	case WORD_CLASS:
		one[0] = who->type.class;
		return one;
	default:
		*len = 1;
		one[0] = text[0];
		return one;
	}
}

bool
policy_fill(const char *text, const char *org, const struct identity *who,
    char *to, size_t size)
{
	char one[2] = {0};
	size_t used = 0, len, value_len;
	const char *value;

	for (; *text != '\0'; text += len) {
		value = fill_one(text, org, who, one, &len);
		value_len = strlen(value);
		if (value_len >= size - used) {
			to[0] = '\0';
			return false;
		}
		memcpy(to + used, value, value_len);
		used += value_len;
	}
	to[used] = '\0';
	return true;
}
