/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records as credd sends them, read member by member, and the short texts made of them. What is
 * absent, null or of another type reads as absent: a newer credd may send more and other things. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "credctl/context.h"
#include "credctl/when.h"

#define RECORD_TEXT_MAX 256

/* -EBADMSG if it is not there: for what credd must send. *ret is borrowed. */
int record_member(const json_t *record, const char *name, json_type type, json_t **ret);

/* NULL: absent. */
const char *record_text(const json_t *record, const char *name);
const char *record_text_or(const json_t *record, const char *name, const char *otherwise);
/* The name of an actor, by the member that holds it; NULL: absent. */
const char *record_actor(const json_t *record, const char *name);
/* False: absent, or negative. */
bool record_number(const json_t *record, const char *name, uint64_t *ret);
uint64_t record_number_or(const json_t *record, const char *name, uint64_t otherwise);

/* The array's texts with blanks between them, cut to the buffer. Returns buffer, "" if there are
 * none. */
const char *record_join(const json_t *texts, char buffer[static RECORD_TEXT_MAX]);

/* The credential's uses as "spent/all". Returns buffer. */
const char *record_uses(const json_t *credential, char buffer[static RECORD_TEXT_MAX]);

/* A moment for a cell: "in 43min" on a terminal, else one word. NULL: absent. */
const char *record_moment_cell(const Context *context, const json_t *record, const char *name,
                               char buffer[static WHEN_TEXT_MAX]);
/* The same moment in local time with its offset. */
const char *record_moment_exactly(const json_t *record, const char *name,
                                  char buffer[static WHEN_TEXT_MAX]);
/* A moment for a sentence: local time with offset, and how far it is. "-": absent. Returns buffer.
 */
const char *record_moment(const Context *context, const json_t *record, const char *name,
                          char buffer[static RECORD_TEXT_MAX]);
