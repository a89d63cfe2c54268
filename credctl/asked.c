/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/asked.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/table.h"

static const Column columns[] = {
        {.name = "ID"},
        {.name = "ASKED-BY", .least = 8},
        {.name = "USER", .least = 12},
        {.name = "ROLE", .least = 10},
        {.name = "HOLDER", .least = 10, .spare = 4},
        {.name = "FOR", .spare = 2},
        {.name = "APPROVALS", .right = true, .spare = 1},
        {.name = "LAPSES", .spare = 3},
        {.name = "AT", .extra = true, .spare = 9},
        {.name = "REASON", .least = 12},
};

const json_t *asked_of(const json_t *credential)
{
        const json_t *asked = json_object_get(credential, "request");

        return json_is_object(asked) ? asked : NULL;
}

bool asked_approved(const json_t *credential)
{
        uint64_t needed, given;

        return record_number(asked_of(credential), "needed", &needed) &&
               record_number(asked_of(credential), "given", &given) && given >= needed;
}

const char *asked_approvals(const json_t *credential, char buffer[static ASKED_APPROVALS_MAX])
{
        const json_t *asked = asked_of(credential);

        snprintf(buffer, ASKED_APPROVALS_MAX, "%" PRIu64 " of %" PRIu64,
                 record_number_or(asked, "given", 0), record_number_or(asked, "needed", 0));
        return buffer;
}

static int add_row(const Context *context, Table *table, const json_t *credential)
{
        const json_t *asked = asked_of(credential);
        char ttl[DURATION_TEXT_MAX], approvals[32], lapses[WHEN_TEXT_MAX], at[WHEN_TEXT_MAX];

        /* Elsewhere than on a terminal a cell is one word. */
        snprintf(approvals, sizeof approvals, "%" PRIu64 "/%" PRIu64,
                 record_number_or(asked, "given", 0), record_number_or(asked, "needed", 0));

        const char *cells[] = {
                record_text(credential, "id"),
                record_actor(asked, "by"),
                record_text(credential, "user"),
                record_text(credential, "role"),
                record_text(credential, "holder"),
                duration_format(record_number_or(asked, "ttl_usec", 0), ttl),
                approvals,
                record_moment_cell(context, asked, "lapses_usec", lapses),
                record_moment_exactly(asked, "lapses_usec", at),
                record_text(credential, "reason"),
        };
        _Static_assert(ELEMENTSOF(cells) == ELEMENTSOF(columns), "a cell a column");

        return table_add(table, asked_approved(credential) ? STYLE_GOOD : STYLE_PLAIN, cells);
}

int asked_print(const Context *context, const json_t *credentials)
{
        CLEANUP(table_freep) Table *table = NULL;
        json_t *credential;
        size_t i;
        int r;

        r = table_new(context, columns, ELEMENTSOF(columns), &table);
        if (r < 0)
                return r;
        json_array_foreach (credentials, i, credential) {
                r = add_row(context, table, credential);
                if (r < 0)
                        return r;
        }
        return table_print(table, stdout);
}

int asked_print_json(const Context *context, json_t *credential)
{
        json_auto_t *requests = json_pack("[O]", credential);

        return requests ? output_json(context, "requests", requests) : -ENOMEM;
}
