/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lengths of time as text. Terms add up in any order, a unit may come twice, a bare number is
 * seconds, so "1h30" is an hour and thirty seconds: all as systemd reads it, because the same
 * people write both. Sums saturate just above the limit, so that text which is no duration at all
 * is told apart from one that is only too long. Left out: "infinity"; nothing here lasts for ever.
 */
#include "common/duration.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK   (7 * USEC_PER_DAY)
#define LONGEST         (36525 * USEC_PER_DAY)
#define TOO_LONG        (LONGEST + 1)

_Static_assert(TOO_LONG < UINT64_MAX / 10 - 1, "append_digit() must not overflow");

static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        {"us", 1},
        {"ms", USEC_PER_MSEC},
        {"", USEC_PER_SEC},
        {"s", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"seconds", USEC_PER_SEC},
        {"m", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"minutes", USEC_PER_MINUTE},
        {"h", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hours", USEC_PER_HOUR},
        {"d", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"days", USEC_PER_DAY},
        {"w", USEC_PER_WEEK},
        {"week", USEC_PER_WEEK},
        {"weeks", USEC_PER_WEEK},
};

/* Weeks are read and not written: "90d" says more than "12w 6d". */
static const struct {
        const char *name;
        uint64_t usec;
} written[] = {
        {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR},  {"min", USEC_PER_MINUTE},
        {"s", USEC_PER_SEC}, {"ms", USEC_PER_MSEC}, {"us", 1},
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static void skip_space(const char **text)
{
        *text += strspn(*text, " \t");
}

static uint64_t append_digit(uint64_t number, char digit)
{
        number = number * 10 + (uint64_t)(digit - '0');
        return number > LONGEST ? TOO_LONG : number;
}

static uint64_t add_term(uint64_t total, uint64_t number, uint64_t unit)
{
        if (total > LONGEST || number > (LONGEST - total) / unit)
                return TOO_LONG;
        return total + number * unit;
}

static int read_number(const char **text, uint64_t *ret_number)
{
        uint64_t number = 0;

        if (!is_digit(**text))
                return -EINVAL;
        for (; is_digit(**text); (*text)++)
                number = append_digit(number, **text);
        *ret_number = number;
        return 0;
}

static int read_unit(const char **text, uint64_t *ret_usec)
{
        size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == len && memcmp(units[i].name, *text, len) == 0) {
                        *text += len;
                        *ret_usec = units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
        uint64_t total = 0;

        skip_space(&text);
        do {
                uint64_t number, unit;
                int r;

                r = read_number(&text, &number);
                if (r < 0)
                        return r;
                skip_space(&text);
                r = read_unit(&text, &unit);
                if (r < 0)
                        return r;
                skip_space(&text);
                total = add_term(total, number, unit);
        } while (*text != '\0');

        if (total > LONGEST)
                return -ERANGE;
        *ret_usec = total;
        return 0;
}

const char *duration_format(uint64_t usec, char buffer[static DURATION_TEXT_MAX])
{
        size_t fill = 0;
        int terms = 0;

        for (size_t i = 0; i < ELEMENTSOF(written) && terms < 2; i++) {
                uint64_t number = usec / written[i].usec;
                int n;

                if (number == 0)
                        continue;
                usec %= written[i].usec;
                n = snprintf(buffer + fill, DURATION_TEXT_MAX - fill, "%s%" PRIu64 "%s",
                             terms > 0 ? " " : "", number, written[i].name);
                assert(n > 0 && (size_t)n < DURATION_TEXT_MAX - fill);
                fill += (size_t)n;
                terms++;
        }
        if (terms == 0)
                memcpy(buffer, "0s", sizeof("0s"));
        return buffer;
}
