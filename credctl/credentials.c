/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row a credential. What credd sends is shown; nothing is chosen here. */
#include "credctl/credentials.h"

#include <inttypes.h>
#include <string.h>

#include "common/varlink.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/table.h"

static const Column columns[] = {
        {.name = "ID"},
        {.name = "USER", .cut = true},
        {.name = "STATE"},
        {.name = "KIND"},
        {.name = "USES", .right = true},
        {.name = "ISSUED-BY", .cut = true},
        {.name = "LOGIN-UNTIL"},
        {.name = "SESSIONS", .right = true},
        {.name = "ROLE", .cut = true},
        {.name = "HOLDER", .cut = true},
        {.name = "REASON", .cut = true},
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
        char uses[RECORD_TEXT_MAX], until[WHEN_TEXT_MAX], open[24];

        snprintf(open, sizeof open, "%" PRIu64, record_number_or(credential, "sessions_open", 0));

        const char *cells[] = {
                record_text(credential, "id"),
                record_text(credential, "user"),
                record_text(credential, "state"),
                record_text(credential, "kind"),
                record_uses(credential, uses),
                record_actor(credential, "issued_by"),
                record_moment_cell(context, credential, "login_limit_usec", until),
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
