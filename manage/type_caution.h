/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * type_caution: what an operator may not have meant when he set a type.
 */
#ifndef MANAGE_TYPE_CAUTION_H
#define MANAGE_TYPE_CAUTION_H

#include "manage/type.h"

/* Of a type that has just been set by call; view->record is what was stored.
 * Looks at some thousand devices at most. */
void type_caution(const struct call *call, const struct type_view *view);

#endif /* MANAGE_TYPE_CAUTION_H */
