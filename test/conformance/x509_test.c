/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Path validation cases of x509-limbo's form, one JSON object a line, against
 * ca_parse(), crl_parse() and trust_verify().  CERTID_X509_CASES names the
 * file.  A case that must fail and is accepted breaks the test in the classes
 * path, crl and dos; a case that must succeed may be refused only if
 * x509_false_rejects.txt lists it.  With --all the file is the whole set, which
 * holds every case that is listed there.  Cases with a limit on depth that is
 * lower than ours ask for what trust_verify() does not do: they are skipped.
 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "trust/ca.h"
#include "trust/crl.h"
#include "trust/trust.h"

#define EXIT_SKIPPED 77
#define CASES_FILE   "limbo-client-core.jsonl"
#define CASES_PATH   TEST_SOURCE_DIR "/../../../shared/x509/" CASES_FILE
#define REJECTS_PATH TEST_SOURCE_DIR "/x509_false_rejects.txt"
#define CLASSES_MAX  16
#define REJECTS_MAX  1024

struct score {
	char class[32];
	int right, false_accepts, false_rejects, skipped;
};

struct run {
	struct score scores[CLASSES_MAX];
	char *rejects[REJECTS_MAX]; /* ids */
	bool met[REJECTS_MAX];      /* there was a case of that id */
	size_t reject_count;
	int bugs;
};

static struct score *
find_score(struct run *run, const char *class)
{
	size_t i = 0;

	while (i < CLASSES_MAX - 1 && run->scores[i].class[0] != '\0' &&
	    strcmp(run->scores[i].class, class) != 0) {
		i++;
	}
	(void)snprintf(
	    run->scores[i].class, sizeof(run->scores[i].class), "%.31s", class);
	return &run->scores[i];
}

/* An id and, after a space, the reason why it is tolerated. */
static bool
read_rejects(struct run *run)
{
	FILE *file = fopen(REJECTS_PATH, "re");
	char *line = NULL;
	size_t size = 0, len;
	bool ok = file != NULL;

	while (ok && getline(&line, &size, file) > 0) {
		len = strcspn(line, " \n");
		if (line[0] == '#' || len == 0) {
			continue;
		}
		ok = line[len] == ' ' && run->reject_count < REJECTS_MAX;
		if (ok) {
			run->rejects[run->reject_count++] = strndup(line, len);
		}
	}
	if (!ok) {
		(void)fprintf(stderr,
		    "%s: missing, too long, or a line "
		    "without a reason\n",
		    REJECTS_PATH);
	}
	free(line);
	if (file != NULL) {
		(void)fclose(file);
	}
	return ok;
}

static bool
is_listed(struct run *run, const char *id)
{
	size_t i;

	for (i = 0; i < run->reject_count; i++) {
		if (strcmp(run->rejects[i], id) == 0) {
			run->met[i] = true;
			return true;
		}
	}
	return false;
}

static const char *
text(const cJSON *item, const char *key)
{
	const char *value =
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, key));

	return value == NULL ? "" : value;
}

static int64_t
when(const cJSON *item)
{
	const cJSON *t = cJSON_GetObjectItemCaseSensitive(item, "t");

	return cJSON_IsNumber(t) ? (int64_t)t->valuedouble : clock_now();
}

static void
tell(const cJSON *item, const char *what, const struct diag *why)
{
	if (getenv("CERTID_X509_VERBOSE") != NULL) {
		(void)printf("%s: %s: %s\n", text(item, "id"), what, why->text);
	}
}

/* The CRL of the case that a CA may have, the one with the highest number; NULL
 * if there is none. */
static struct crl *
find_crl(const cJSON *item, const struct ca_candidate *ca, struct diag *why)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(item, "crls");
	struct crl *best = NULL, *crl;
	const cJSON *entry;

	cJSON_ArrayForEach(entry, list)
	{
		const char *pem = cJSON_GetStringValue(entry);

		if (crl_parse((const uint8_t *)pem, strlen(pem), ca->der,
		        ca->der_len, when(item), 0, &crl, NULL, NULL,
		        why) != RES_OK) {
			tell(item, "CRL", why);
			continue;
		}
		if (best != NULL &&
		    strcmp(crl_info(best)->number, crl_info(crl)->number) > 0) {
			crl_unref(crl);
			continue;
		}
		crl_unref(best);
		best = crl;
	}
	return best;
}

static enum res
add_anchor(struct trust_set *set, const cJSON *item,
    const struct ca_candidate *ca, struct diag *why)
{
	bool has_crls = cJSON_GetArraySize(
	                    cJSON_GetObjectItemCaseSensitive(item, "crls")) > 0;
	struct ca_terms terms = {.state = CA_ACTIVE,
	    .crl_policy = has_crls ? CRL_REQUIRED : CRL_IF_PRESENT,
	    .crl = find_crl(item, ca, why)};
	enum res r = trust_set_add(set, ca->der, ca->der_len, &terms, why);

	crl_unref(terms.crl);
	return r;
}

/* Register what may be registered.  A case that has CRLs demands them. */
static void
add_anchors(struct trust_set *set, const cJSON *item)
{
	const cJSON *anchor;
	struct ca_candidate ca;
	struct diag why = {0};

	cJSON_ArrayForEach(
	    anchor, cJSON_GetObjectItemCaseSensitive(item, "anchors"))
	{
		const char *pem = cJSON_GetStringValue(anchor);
		enum res r = ca_parse(
		    (const uint8_t *)pem, strlen(pem), when(item), &ca, &why);

		if (r == RES_OK) {
			r = add_anchor(set, item, &ca, &why);
			ca_candidate_done(&ca);
		}
		if (r != RES_OK) {
			tell(item, "anchor", &why);
		}
	}
}

/* The chain as a client would send it; false if it is refused. */
static bool
read_chain(const cJSON *item, struct chain **out)
{
	const cJSON *list =
	    cJSON_GetObjectItemCaseSensitive(item, "intermediates");
	const cJSON *pem;
	size_t len = 0;
	char *all;
	bool ok;

	if (cJSON_GetArraySize(list) == 0) {
		return true;
	}
	cJSON_ArrayForEach(pem, list)
	{
		len += strlen(cJSON_GetStringValue(pem)) + 1;
	}
	if ((all = calloc(1, len + 1)) == NULL) {
		return false;
	}
	len = 0;
	cJSON_ArrayForEach(pem, list)
	{
		len += (size_t)sprintf(
		    all + len, "%s\n", cJSON_GetStringValue(pem));
	}
	ok = chain_parse((const uint8_t *)all, len, out, NULL) == RES_OK;
	free(all);
	return ok;
}

static bool
is_accepted(const cJSON *item)
{
	const char *pem = text(item, "leaf");
	struct trust_finding found = {0};
	struct trust_set *set = NULL;
	struct chain *chain = NULL;
	struct leaf *leaf = NULL;
	bool accepted = false;

	if (trust_set_new(&set) != RES_OK) {
		return false;
	}
	add_anchors(set, item);
	if (read_chain(item, &chain) &&
	    leaf_parse((const uint8_t *)pem, strlen(pem), &leaf, NULL) ==
	        RES_OK) {
		trust_verify(set, leaf, chain, NULL, when(item), &found, NULL);
		accepted = found.reason == REASON_NONE;
	}
	if (getenv("CERTID_X509_VERBOSE") != NULL) {
		(void)printf("%s: %s: %s\n", text(item, "id"),
		    reason_id(found.reason),
		    found.detail == NULL ? "" : found.detail);
	}
	leaf_free(leaf);
	chain_free(chain);
	trust_set_free(set);
	return accepted;
}

static bool
is_beyond(const cJSON *item)
{
	const cJSON *depth =
	    cJSON_GetObjectItemCaseSensitive(item, "max_depth");

	return strcmp(text(item, "client_expected"), "SKIP") == 0 ||
	    (cJSON_IsNumber(depth) && depth->valuedouble < TRUST_DEPTH);
}

static bool
is_grave(const char *class)
{
	return strcmp(class, "path") == 0 || strcmp(class, "crl") == 0 ||
	    strcmp(class, "dos") == 0;
}

static void
report(struct run *run, const char *id, const char *what, bool is_bug)
{
	(void)printf("%s%s: %s\n", is_bug ? "BUG: " : "", id, what);
	run->bugs += is_bug ? 1 : 0;
}

static void
judge(struct run *run, const cJSON *item)
{
	const char *id = text(item, "id"), *class = text(item, "class");
	bool wanted = strcmp(text(item, "client_expected"), "SUCCESS") == 0;
	struct score *score = find_score(run, class);
	bool accepted;

	if (is_beyond(item)) {
		score->skipped++;
		return;
	}
	accepted = is_accepted(item);
	if (accepted && !wanted) {
		score->false_accepts++;
		report(run, id, "accepted, must be refused", is_grave(class));
	} else if (!accepted && wanted) {
		score->false_rejects++;
		if (!is_listed(run, id)) {
			report(run, id, "refused, must be accepted", true);
		}
	} else {
		score->right++;
		if (accepted && is_listed(run, id)) {
			report(run, id, "accepted: take it off the list", true);
		}
	}
}

static bool
read_cases(struct run *run, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	cJSON *item;
	int count = 0;
	bool ok = true;

	while (ok && getline(&line, &size, file) > 0) {
		if ((item = cJSON_Parse(line)) == NULL) {
			(void)fprintf(stderr, "case %d is not JSON\n", count);
			ok = false;
			break;
		}
		judge(run, item);
		cJSON_Delete(item);
		count++;
	}
	free(line);
	return ok && count > 0;
}

static void
print(const struct run *run)
{
	size_t i;

	(void)printf("%-10s %7s %14s %14s %8s\n", "class", "right",
	    "false accepts", "false rejects", "skipped");
	for (i = 0; i < CLASSES_MAX && run->scores[i].class[0] != '\0'; i++) {
		(void)printf("%-10s %7d %14d %14d %8d\n", run->scores[i].class,
		    run->scores[i].right, run->scores[i].false_accepts,
		    run->scores[i].false_rejects, run->scores[i].skipped);
	}
}

static void
check_list(struct run *run)
{
	size_t i;

	for (i = 0; i < run->reject_count; i++) {
		if (!run->met[i]) {
			report(run, run->rejects[i],
			    "no case that was refused: take it off the list",
			    true);
		}
	}
}

int
main(int argc, char **argv)
{
	const char *path = getenv("CERTID_X509_CASES");
	bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
	struct run run = {0};
	FILE *file;
	bool ok;
	size_t i;

	path = path == NULL ? CASES_PATH : path;
	if ((file = fopen(path, "re")) == NULL) {
		(void)printf("skipped: %s is not there; set CERTID_X509_CASES "
		             "to a file of cases\n",
		    path);
		return getenv("CERTID_X509_CASES") == NULL ? EXIT_SKIPPED
		                                           : EXIT_FAILURE;
	}
	ok = read_rejects(&run) && read_cases(&run, file);
	if (all) {
		check_list(&run);
	}
	print(&run);
	for (i = 0; i < run.reject_count; i++) {
		free(run.rejects[i]);
	}
	(void)fclose(file);
	return ok && run.bugs == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
