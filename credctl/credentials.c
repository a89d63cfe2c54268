/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row a credential. What credd sends is shown; nothing is chosen here. */
#include "credctl/credentials.h"

#include <inttypes.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/state.h"
#include "credctl/table.h"

static const Column columns[] = {
        {.name = "ID"},
        {.name = "USER", .least = 12},
        {.name = "STATE"},
        {.name = "KIND", .usual = "token", .spare = 3},
        {.name = "USES", .right = true, .spare = 4},
        {.name = "ISSUED-BY", .least = 9, .spare = 6},
        {.name = "LOGIN-UNTIL"},
        {.name = "AT", .extra = true, .spare = 9},
        {.name = "SESSIONS", .right = true, .usual = "0", .spare = 5},
        {.name = "ROLE", .least = 10, .spare = 2},
        {.name = "HOLDER", .least = 10, .spare = 7},
        {.name = "REASON", .least = 12, .spare = 1},
};

static Style style_of(const json_t *credential)
{
        const json_t *receipt = json_object_get(credential, "receipt");
        const char *verdict = record_text_or(receipt, "verdict", "confirmed");

        if (strcmp(verdict, "confirmed") != 0)
                return STYLE_ALARM;
        return strcmp(record_text_or(credential, "state", ""), "in-use") == 0 ? STYLE_GOOD
                                                                              : STYLE_PLAIN;
}

static int add_credential(const Context *context, Table *table, const json_t *credential)
{
        char uses[RECORD_TEXT_MAX], until[WHEN_TEXT_MAX], at[WHEN_TEXT_MAX], open[24];

        snprintf(open, sizeof open, "%" PRIu64, record_number_or(credential, "sessions_open", 0));
        /* Of what is over, how long logins would have been possible misleads who sees "in 19min". */
        const char *limit =
                context->stdout_terminal && !state_is_live(record_text_or(credential, "state", ""))
                        ? ""
                        : "login_limit_usec";

        const char *cells[] = {
                record_text(credential, "id"),
                record_text(credential, "user"),
                record_text(credential, "state"),
                record_text(credential, "kind"),
                record_uses(credential, uses),
                record_actor(credential, "issued_by"),
                record_moment_cell(context, credential, limit, until),
                record_moment_exactly(credential, limit, at),
                open,
                record_text(credential, "role"),
                record_text(credential, "holder"),
                record_text(credential, "reason"),
        };
        _Static_assert(ELEMENTSOF(cells) == ELEMENTSOF(columns), "a cell a column");

        return table_add(table, style_of(credential), cells);
}

int credentials_print(const Context *context, const json_t *credentials, FILE *stream)
{
        CLEANUP(table_freep) Table *table = NULL;
        json_t *credential;
        size_t i;
        int r;

        r = table_new(context, columns, ELEMENTSOF(columns), &table);
        if (r < 0)
                return r;
        json_array_foreach (credentials, i, credential) {
                r = add_credential(context, table, credential);
                if (r < 0)
                        return r;
        }
        return table_print(table, stream);
}

int credentials_print_json(const Context *context, json_t *credential, json_t *sessions)
{
        json_auto_t *credentials = NULL;

        if (json_object_set(credential, "sessions", sessions) < 0)
                return -ENOMEM;
        credentials = json_pack("[O]", credential);
        return credentials ? output_json(context, "credentials", credentials) : -ENOMEM;
}
