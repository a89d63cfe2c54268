/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One form for every program, so that what the module exports, the journal says and credctl prints
 * can be compared as text. */
#include "common/moment.h"

#include <time.h>

#include "common/cleanup.h"

const char *moment_format_utc(uint64_t real_usec, char buffer[static MOMENT_TEXT_MAX])
{
        time_t seconds = (time_t)(real_usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) ||
            strftime(buffer, MOMENT_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                buffer[0] = '\0';
        return buffer;
}
