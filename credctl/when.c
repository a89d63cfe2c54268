/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads by hand: strptime() takes too much (one digit, other scripts, missing parts). Leaves out
 * leap seconds, week dates and zone names; a zone is Z or an offset. The calendar is libc's: a date
 * is right if it comes back unchanged from timegm() or mktime(). */
#include "credctl/when.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"

static bool take_char(const char **at, char c)
{
        if (**at != c)
                return false;
        (*at)++;
        return true;
}

static bool take_number(const char **at, int digits, int *ret)
{
        int number = 0;

        for (int i = 0; i < digits; i++) {
                char c = (*at)[i];

                if (c < '0' || c > '9')
                        return false;
                number = number * 10 + (c - '0');
        }
        *at += digits;
        *ret = number;
        return true;
}

static bool take_date(const char **at, struct tm *tm)
{
        if (!take_number(at, 4, &tm->tm_year) || !take_char(at, '-') ||
            !take_number(at, 2, &tm->tm_mon) || !take_char(at, '-') ||
            !take_number(at, 2, &tm->tm_mday))
                return false;
        tm->tm_year -= 1900;
        tm->tm_mon -= 1;
        return true;
}

/* Digits beyond the sixth are read and dropped. */
static bool take_fraction(const char **at, uint32_t *usec)
{
        uint32_t unit = 100000;
        int digit;

        if (!take_number(at, 1, &digit))
                return false;
        do {
                *usec += unit * (uint32_t)digit;
                unit /= 10;
        } while (take_number(at, 1, &digit));
        return true;
}

static bool take_time(const char **at, struct tm *tm, uint32_t *usec)
{
        if (!take_number(at, 2, &tm->tm_hour) || !take_char(at, ':') ||
            !take_number(at, 2, &tm->tm_min))
                return false;
        if (!take_char(at, ':'))
                return true;
        if (!take_number(at, 2, &tm->tm_sec))
                return false;
        return !take_char(at, '.') || take_fraction(at, usec);
}

static bool take_zone(const char **at, long *offset_sec)
{
        int hours, minutes, sign;

        if (take_char(at, 'Z') || take_char(at, 'z'))
                return true;
        (void)take_char(at, ' ');
        sign = take_char(at, '-') ? -1 : take_char(at, '+') ? 1 : 0;
        if (sign == 0 || !take_number(at, 2, &hours) || !take_char(at, ':') ||
            !take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
                return false;
        *offset_sec = sign * (hours * 3600L + minutes * 60L);
        return true;
}

static bool same_clock(const struct tm *a, const struct tm *b)
{
        return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
               a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* offset_sec is NULL for local time. */
static int moment_from_clock(const struct tm *clock, const long *offset_sec, uint64_t *ret_usec)
{
        struct tm back = *clock;
        time_t seconds = offset_sec ? timegm(&back) : mktime(&back);

        if (!same_clock(clock, &back))
                return -EINVAL;
        if (offset_sec)
                seconds -= *offset_sec;
        if (seconds < 0)
                return -EINVAL;
        *ret_usec = (uint64_t)seconds * USEC_PER_SEC;
        return 0;
}

static int parse_calendar(const char *text, uint64_t *ret_usec)
{
        struct tm clock = {.tm_isdst = -1};
        long offset_sec = 0;
        uint32_t fraction_usec = 0;
        bool zoned = false;
        uint64_t usec;
        int r;

        if (!take_date(&text, &clock))
                return -EINVAL;
        if (*text && strchr("Tt ", *text)) {
                text++;
                if (!take_time(&text, &clock, &fraction_usec))
                        return -EINVAL;
                zoned = *text != '\0';
                if (zoned && !take_zone(&text, &offset_sec))
                        return -EINVAL;
        }
        if (*text)
                return -EINVAL;
        r = moment_from_clock(&clock, zoned ? &offset_sec : NULL, &usec);
        if (r < 0)
                return r;
        *ret_usec = usec + fraction_usec;
        return 0;
}

static int first_of_today(uint64_t now_usec, uint64_t *ret_usec)
{
        time_t seconds = (time_t)(now_usec / USEC_PER_SEC);
        struct tm clock;

        if (!localtime_r(&seconds, &clock))
                return -EINVAL;
        clock.tm_hour = clock.tm_min = clock.tm_sec = 0;
        clock.tm_isdst = -1;
        /* Where the clock skips midnight, mktime() gives what comes instead of it. */
        seconds = mktime(&clock);
        if (seconds < 0)
                return -EINVAL;
        *ret_usec = (uint64_t)seconds * USEC_PER_SEC;
        return 0;
}

int when_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec)
{
        uint64_t distance;

        if (strcmp(text, "now") == 0) {
                *ret_usec = now_usec;
                return 0;
        }
        if (strcmp(text, "today") == 0)
                return first_of_today(now_usec, ret_usec);
        if (*text != '-' && *text != '+')
                return parse_calendar(text, ret_usec);
        if (duration_parse(text + 1, &distance) < 0 || (*text == '-' && distance > now_usec))
                return -EINVAL;
        *ret_usec = *text == '-' ? now_usec - distance : now_usec + distance;
        return 0;
}

const char *when_format(uint64_t usec, WhenForm form, char buffer[static WHEN_TEXT_MAX])
{
        time_t seconds = (time_t)(usec / USEC_PER_SEC);
        struct tm clock;
        size_t len;
        long offset_min;

        if (!(form == WHEN_UTC ? gmtime_r(&seconds, &clock) : localtime_r(&seconds, &clock)) ||
            clock.tm_year > 9999 - 1900)
                return NULL;
        len = strftime(buffer, WHEN_TEXT_MAX,
                       form == WHEN_LOCAL ? "%Y-%m-%d %H:%M:%S " : "%Y-%m-%dT%H:%M:%S", &clock);
        if (form == WHEN_UTC) {
                snprintf(buffer + len, WHEN_TEXT_MAX - len, "Z");
                return buffer;
        }
        offset_min = clock.tm_gmtoff / 60;
        snprintf(buffer + len, WHEN_TEXT_MAX - len, "%c%02ld:%02ld", offset_min < 0 ? '-' : '+',
                 labs(offset_min) / 60, labs(offset_min) % 60);
        return buffer;
}

const char *when_relative(uint64_t usec, uint64_t now_usec, char buffer[static WHEN_TEXT_MAX])
{
        uint64_t distance = usec > now_usec ? usec - now_usec : now_usec - usec;
        char length[DURATION_TEXT_MAX];

        /* Seconds of hours away tell nobody anything. */
        distance -= distance % (distance >= 60 * USEC_PER_SEC ? 60 * USEC_PER_SEC : USEC_PER_SEC);
        duration_format(distance, length);
        if (distance == 0)
                snprintf(buffer, WHEN_TEXT_MAX, "now");
        else if (usec > now_usec)
                snprintf(buffer, WHEN_TEXT_MAX, "in %s", length);
        else
                snprintf(buffer, WHEN_TEXT_MAX, "%s ago", length);
        return buffer;
}
