/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ticks stand at round local time, counted from the local midnight before the axis begins. Across a change
 * of the clocks they keep their distance, so that the labels behind it are an hour off the round one, and
 * still right. */
#include "credctl/audit-html-axis.h"

#include <time.h>

#include "common/cleanup.h"

#define MINUTE UINT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

unsigned axis_share(const Axis *axis, uint64_t usec)
{
        if (usec <= axis->from_usec || axis->to_usec <= axis->from_usec)
                return 0;
        if (usec >= axis->to_usec)
                return AXIS_SHARES;
        return (unsigned)((double)(usec - axis->from_usec) * AXIS_SHARES /
                          (double)(axis->to_usec - axis->from_usec));
}

bool axis_has(const Axis *axis, uint64_t usec)
{
        return usec >= axis->from_usec && usec <= axis->to_usec;
}

const char *axis_anchor(unsigned share)
{
        return share < AXIS_SHARES / 10 ? "start" : share > AXIS_SHARES * 9 / 10 ? "end" : "middle";
}

/* It goes less than n times into that time. */
static uint64_t find_step(uint64_t seconds, size_t n)
{
        static const uint64_t steps[] = {
                1,           5,           15,          30,      MINUTE,   2 * MINUTE, 5 * MINUTE,
                10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,    2 * HOUR, 3 * HOUR,   6 * HOUR,
                12 * HOUR,   DAY,         2 * DAY,     7 * DAY, 14 * DAY, 30 * DAY,   90 * DAY,
        };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                if (seconds / steps[i] < n)
                        return steps[i];
        return seconds / (n - 1);
}

static uint64_t local_midnight(uint64_t seconds)
{
        time_t at = (time_t)seconds;
        struct tm clock;

        if (!localtime_r(&at, &clock))
                return seconds - seconds % DAY;
        return seconds - (uint64_t)(clock.tm_hour * 3600 + clock.tm_min * 60 + clock.tm_sec);
}

/* At each end one slice may stick out. */
size_t axis_slices(Axis *axis, size_t max)
{
        uint64_t first = axis->from_usec / USEC_PER_SEC, last = axis->to_usec / USEC_PER_SEC;
        uint64_t step = find_step(last > first ? last - first : 1, max - 1);
        uint64_t midnight = local_midnight(first);
        uint64_t begin = midnight + (first - midnight) / step * step;
        size_t n = (last - begin) / step + 1;

        *axis = (Axis){begin * USEC_PER_SEC, (begin + n * step) * USEC_PER_SEC};
        return n;
}

static size_t label_length(AxisTick *tick, uint64_t step, const struct tm *clock)
{
        bool midnight = clock->tm_hour == 0 && clock->tm_min == 0 && clock->tm_sec == 0;

        if (step >= DAY || midnight)
                return strftime(tick->label, sizeof tick->label, "%e %b", clock);
        if (step >= MINUTE)
                return strftime(tick->label, sizeof tick->label, "%H:%M", clock);
        return strftime(tick->label, sizeof tick->label, "%H:%M:%S", clock);
}

/* The day where one begins, else the time: two labels must have room side by side on a phone. */
static void label(AxisTick *tick, uint64_t step)
{
        time_t at = (time_t)(tick->usec / USEC_PER_SEC);
        struct tm clock;

        if (!localtime_r(&at, &clock) || label_length(tick, step, &clock) == 0)
                tick->label[0] = '\0';
}

size_t axis_ticks(const Axis *axis, AxisTick ret_ticks[static AXIS_TICKS_MAX])
{
        uint64_t first = axis->from_usec / USEC_PER_SEC, last = axis->to_usec / USEC_PER_SEC;
        uint64_t step = find_step(last > first ? last - first : 1, AXIS_TICKS_MAX);
        uint64_t at = local_midnight(first);
        size_t n = 0;

        at += (first - at + step - 1) / step * step;
        for (; at <= last && n < AXIS_TICKS_MAX; at += step, n++) {
                ret_ticks[n] = (AxisTick){.usec = at * USEC_PER_SEC};
                label(&ret_ticks[n], step);
        }
        return n;
}
