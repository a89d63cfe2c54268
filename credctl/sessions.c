/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row a session. What is left is credd's own figure, counted on the clock that decides, not the
 * distance to a deadline on a wall clock that somebody may have set. */
#include "credctl/sessions.h"

#include <string.h>

#include "common/duration.h"
#include "credctl/record.h"
#include "credctl/table.h"

static const Column columns[] = {
        {.name = "ID"},
        {.name = "USER", .least = 12},
        {.name = "SESSION", .spare = 4},
        {.name = "SERVICE", .spare = 3},
        {.name = "FROM", .least = 12, .spare = 2},
        {.name = "STATE", .usual = "open", .spare = 6},
        {.name = "LEFT/ENDED"},
        {.name = "AT", .extra = true, .spare = 9},
        {.name = "ROLE", .least = 10, .spare = 1},
        {.name = "HOLDER", .least = 10, .spare = 5},
};

/* "1h 30min"; off a terminal the same as one word, which duration_parse() takes too. Parts of a second
 * tell nobody anything. */
static const char *format_left(const Context *context, uint64_t left_usec,
                               char buffer[static DURATION_TEXT_MAX])
{
        char *blank;

        duration_format(left_usec - left_usec % USEC_PER_SEC, buffer);
        while (!context->stdout_terminal && (blank = strchr(buffer, ' ')))
                memmove(blank, blank + 1, strlen(blank));
        return buffer;
}

static int add_session(const Context *context, Table *table, const json_t *session)
{
        char text[WHEN_TEXT_MAX], at[WHEN_TEXT_MAX];
        bool ended = json_is_integer(json_object_get(session, "ended_usec"));
        const char *end = record_moment_cell(context, session, "ended_usec", text);
        Style style = STYLE_PLAIN;
        uint64_t left_usec;

        if (!end && record_number(session, "left_usec", &left_usec)) {
                end = format_left(context, left_usec, text);
                style = left_usec == 0 ? STYLE_ALARM : STYLE_PLAIN;
        }

        const char *cells[] = {
                record_text(session, "credential"),
                record_text(session, "user"),
                record_text(session, "session"),
                record_text(session, "service"),
                record_text(session, "rhost"),
                record_text(session, "state"),
                end,
                record_moment_exactly(session, ended ? "ended_usec" : "deadline_usec", at),
                record_text(session, "role"),
                record_text(session, "holder"),
        };
        _Static_assert(ELEMENTSOF(cells) == ELEMENTSOF(columns), "a cell a column");

        return table_add(table, style, cells);
}

int sessions_print(const Context *context, const json_t *sessions, FILE *stream)
{
        CLEANUP(table_freep) Table *table = NULL;
        json_t *session;
        size_t i;
        int r;

        r = table_new(context, columns, ELEMENTSOF(columns), &table);
        if (r < 0)
                return r;
        json_array_foreach (sessions, i, session) {
                r = add_session(context, table, session);
                if (r < 0)
                        return r;
        }
        return table_print(table, stream);
}
