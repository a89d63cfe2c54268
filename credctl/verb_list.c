/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl list: one row a credential. The filters are credd's; this only shows what it sends. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/varlink.h"
#include "credctl/connection.h"
#include "credctl/record.h"
#include "credctl/table.h"
#include "credctl/verb.h"
#include "credctl/words.h"

const Option verb_list_options[] = {
        {"user", "USER", "user", OPTION_TEXT, "only those for USER"},
        {"role", "ROLE", "role", OPTION_TEXT, "only those under ROLE"},
        {"state", "STATE", "state", OPTION_TEXT, "only those in STATE: active, in-use, ..."},
        {"expiring", "D", "expiring_usec", OPTION_DURATION,
         "only those that end, or whose session ends, within D"},
        {"all", NULL, "all", OPTION_FLAG, "final ones too"},
        {.name = NULL},
};

static const Column columns[] = {
        {.name = "ID"},
        {.name = "USER", .cut = true},
        {.name = "STATE"},
        {.name = "USES", .right = true},
        {.name = "ISSUED-BY", .cut = true},
        {.name = "LOGIN-UNTIL"},
        {.name = "SESSIONS", .right = true},
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
                record_uses(credential, uses),
                record_actor(credential, "issued_by"),
                record_moment_cell(context, credential, "login_limit_usec", until),
                open,
                record_text(credential, "reason"),
        };
        _Static_assert(ELEMENTSOF(cells) == ELEMENTSOF(columns), "a cell a column");

        return table_add(table, style_of(credential), cells);
}

static int print_credentials(const Context *context, const json_t *credentials)
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
        return table_print(table);
}

int verb_list_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *credentials = NULL;
        int r;

        r = arguments_parameters(arguments, context->verb, &parameters);
        if (r < 0)
                return r;
        r = connection_read_pages(context, "List", "credentials", parameters, &credentials);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "credentials", credentials);
        if (json_array_size(credentials) > 0)
                return print_credentials(context, credentials);
        if (!context->quiet)
                words_note("There is no such credential that you may see. "
                           "To issue one: credctl issue --user USER");
        return 0;
}
