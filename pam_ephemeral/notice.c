/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times as text: in UTC for programs, local with offset and in words for people.
 *
 * Invariants: ASCII whatever the locale (numeric conversions only); the wall clock is for display,
 * nothing is decided by it. common/duration is not linked into the module, hence the few lines of
 * words. Left out: speaking (phase.c). */
#include "pam_ephemeral/notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/cleanup.h"

#define YEAR_9999_END UINT64_C(253402300799)
#define WORDS_MAX     48

static int time_of(uint64_t real_usec, time_t *ret_time)
{
        if (real_usec / USEC_PER_SEC > YEAR_9999_END)
                return -ERANGE;
        *ret_time = (time_t)(real_usec / USEC_PER_SEC);
        return 0;
}

int notice_expires(uint64_t deadline_real_usec, char ret_text[static NOTICE_EXPIRES_MAX])
{
        struct tm parts;
        time_t when = 0;

        if (time_of(deadline_real_usec, &when) < 0 || !gmtime_r(&when, &parts))
                return -ERANGE;
        return strftime(ret_text, NOTICE_EXPIRES_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0 ? 0
                                                                                        : -ERANGE;
}

/* To the nearest second, in the two largest units. */
static int words(uint64_t usec, char ret_words[static WORDS_MAX])
{
        uint64_t s = usec / USEC_PER_SEC + (usec % USEC_PER_SEC >= USEC_PER_SEC / 2);
        uint64_t min = s / 60, h = min / 60, d = h / 24;
        int n;

        if (d > 0)
                n = snprintf(ret_words, WORDS_MAX, "%" PRIu64 "d %" PRIu64 "h", d, h % 24);
        else if (h > 0)
                n = snprintf(ret_words, WORDS_MAX, "%" PRIu64 "h %" PRIu64 "min", h, min % 60);
        else if (min > 0)
                n = snprintf(ret_words, WORDS_MAX, "%" PRIu64 "min %" PRIu64 "s", min, s % 60);
        else
                n = snprintf(ret_words, WORDS_MAX, "%" PRIu64 "s", s);
        return n < 0 || n >= WORDS_MAX ? -ERANGE : 0;
}

int notice_end(uint64_t deadline_real_usec, uint64_t left_usec, uint64_t now_real_usec,
               char ret_text[static NOTICE_END_MAX])
{
        char when[48], left[WORDS_MAX];
        struct tm then, today;
        time_t end = 0, now = 0;
        bool same_day;
        int n;

        if (time_of(deadline_real_usec, &end) < 0 || time_of(now_real_usec, &now) < 0)
                return -ERANGE;
        if (!localtime_r(&end, &then) || !localtime_r(&now, &today))
                return -ERANGE;
        same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
        if (strftime(when, sizeof(when), same_day ? "%H:%M:%S %z" : "%Y-%m-%d %H:%M:%S %z",
                     &then) == 0)
                return -ERANGE;
        if (words(left_usec, left) < 0)
                return -ERANGE;
        n = snprintf(ret_text, NOTICE_END_MAX,
                     "Access ends at %s (in %s); the session is closed then.", when, left);
        return n < 0 || n >= NOTICE_END_MAX ? -ERANGE : 0;
}
