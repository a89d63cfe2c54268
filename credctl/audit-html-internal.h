/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the page, in their order, and what they share: how an end is named and drawn, and how
 * a moment is written. For credctl/audit-html*.c alone. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "credctl/audit-html-axis.h"
#include "credctl/record.h"

/* How it stands with the end of a credential. Names a colour, a shape and words, all three. */
typedef enum Ending {
        ENDING_ON_TIME,
        ENDING_LATE,
        ENDING_RESIDUE,
        ENDING_OPEN,
        ENDING_OVERDUE, /* open, and a session of it is past its deadline */
        ENDING_NEVER,   /* was not issued */
        ENDING_MAX,
        ENDING_INVALID = -EINVAL,
} Ending;

Ending ending_of(const json_t *credential);
bool ending_is_bad(Ending ending);
/* "Late by 3s". Returns buffer. */
const char *ending_words(const json_t *credential, char buffer[static RECORD_TEXT_MAX]);
/* The shape alone, as it stands beside words. */
void ending_icon(FILE *out, Ending ending);
/* Shape and words. */
void ending_badge(FILE *out, const json_t *credential);

/* How late a session was, or is; 0: it was in time, or its credential's receipt says so. */
uint64_t session_late_usec(const json_t *report, const json_t *credential, const json_t *session);
bool credential_is_drill(const json_t *credential);

/* Local time, and its offset from UTC if that is not the report's. As <time>; a dash: absent. */
void moment_write(FILE *out, const json_t *report, const json_t *record, const char *name);
/* The same as text; "-": absent. Returns buffer. */
const char *moment_text(const json_t *report, uint64_t usec, char buffer[static WHEN_TEXT_MAX]);

void page_style(FILE *out);
/* The shapes, once, for all that draws them. */
void page_shapes(FILE *out);
void page_exceptions(FILE *out, const json_t *report);
void page_timeline(FILE *out, const json_t *report);
/* Whether there is anything of the credential to draw. */
bool timeline_has(const json_t *credential);
/* From the first thing of these credentials in the period to the last one. */
Axis timeline_axis(const json_t *report, size_t first, size_t last);
/* Of more credentials than fit on a page: how many began when. */
void page_overview(FILE *out, const json_t *report);
void page_credentials(FILE *out, const json_t *report);
