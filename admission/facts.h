/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * facts: what the parts of a decision have in common.  Within this room.
 */
#ifndef ADMISSION_FACTS_H
#define ADMISSION_FACTS_H

#include "admission/admission.h"

/* Has the CA on which a leaf hung still a word for it?  If it is gone the leaf
 * (may be NULL) is verified anew, and *path, which the caller has set to NULL,
 * is another one. */
void facts_follow(const struct tenant *tenant, struct trust_path *known,
    const struct leaf *leaf, const struct chain *chain,
    const struct identity *who, int64_t now, struct trust_finding *out,
    struct trust_path **path);

/* A CA's own enrolment mode narrows the one of the type. */
void facts_take_ca(struct facts *facts, const struct ca_record *ca);

/* Look the device up; device_done() also where it was not found. */
void facts_look_up(struct facts *facts, const struct source *source,
    const char *org, struct device *device, struct answer *out);

/* Of an identity that is seen for the first time: how many there are, and
 * whether the CA (NULL: none that has a say) may bring one more. */
void facts_count(struct facts *facts, const struct source *source,
    const struct policy *policy, const struct ca_record *ca);

/* Whether the level asks for a token beside what the client showed. */
bool facts_need_token(const struct facts *facts, enum level level);

/* The earlier of two ends; CLOCK_NONE is none. */
int64_t facts_earlier(int64_t a, int64_t b);

#endif /* ADMISSION_FACTS_H */
