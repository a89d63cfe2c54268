/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl role list and show. What is in effect is shown by the names of the keys. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/suggest.h"
#include "credctl/table.h"
#include "credctl/verb_role.h"
#include "credctl/words.h"

static bool is_enabled(const json_t *role)
{
        return json_is_true(json_object_get(role, "enabled"));
}

static const char *state_of(const json_t *role)
{
        if (!is_enabled(role))
                return "off";
        return json_is_true(json_object_get(role, "loaded")) ? "on" : "no-file";
}

static int read_roles(const Context *context, json_t **ret_reply, json_t **ret_roles)
{
        int r = connection_read(context, "RoleList", NULL, ret_reply);

        return r != 0 ? r : record_member(*ret_reply, "roles", JSON_ARRAY, ret_roles);
}

int role_say_unknown(const Context *context, const char *role)
{
        Suggestion suggestion = {.typed = role};
        json_auto_t *reply = NULL;
        json_t *roles = NULL, *item;
        size_t i;

        (void)read_roles(context, &reply, &roles);
        json_array_foreach (roles, i, item)
                suggest_offer(&suggestion, record_text_or(item, "name", ""));
        if (suggestion.best)
                return words_fail(OUTCOME_FAILED, "no role %s; did you mean %s?", role,
                                  suggestion.best);
        return words_fail(OUTCOME_FAILED,
                          "no role %s, or you have no part in it; see credctl role list", role);
}

/* --- list --- */

static int add_role(Table *table, const json_t *role)
{
        const char *cells[] = {
                record_text(role, "name"),
                state_of(role),
                record_actor(role, "disabled_by"),
                record_text(role, "disabled_reason") ?: record_text(role, "description"),
        };

        return table_add(table, is_enabled(role) ? STYLE_PLAIN : STYLE_ALARM, cells);
}

static int print_roles(const Context *context, const json_t *roles)
{
        static const Column columns[] = {
                {.name = "ROLE"},
                {.name = "STATE"},
                {.name = "OFF-BY", .least = 8},
                {.name = "REASON/DESCRIPTION", .least = 18},
        };
        CLEANUP(table_freep) Table *table = NULL;
        json_t *role;
        size_t i;
        int r;

        r = table_new(context, columns, ELEMENTSOF(columns), &table);
        json_array_foreach (roles, i, role)
                if (r == 0)
                        r = add_role(table, role);
        return r < 0 ? r : table_print(table, stdout);
}

int role_list_run(const Context *context, const Arguments *arguments, const char *operand)
{
        json_auto_t *reply = NULL;
        json_t *roles = NULL;
        int r;

        (void)arguments;
        (void)operand;
        r = read_roles(context, &reply, &roles);
        if (r != 0)
                return r;
        if (context->form == OUTPUT_JSON)
                return output_json(context, "roles", roles);
        if (json_array_size(roles) > 0)
                return print_roles(context, roles);
        if (!context->quiet)
                words_note("There is no role that you have a part in.");
        return 0;
}

/* --- show --- */

static void print_fact(const Context *context, const char *name, const char *value)
{
        char label[80];

        snprintf(label, sizeof label, "  %s", name);
        if (value && *value)
                output_item(context, STYLE_PLAIN, 23, label, value);
}

/* "max_ttl_usec" and a number as "max_ttl" and "4h"; lists with blanks. */
static void print_setting(const Context *context, const char *name, const json_t *value)
{
        char text[RECORD_TEXT_MAX], label[64], length[DURATION_TEXT_MAX];
        size_t len = strlen(name);
        bool usec = len > 5 && strcmp(name + len - 5, "_usec") == 0;

        snprintf(label, sizeof label, "%.*s", (int)(usec ? len - 5 : len), name);
        if (json_is_array(value))
                print_fact(context, label, record_join(value, text));
        else if (json_is_boolean(value))
                print_fact(context, label, json_is_true(value) ? "yes" : "no");
        else if (json_is_integer(value) && usec)
                print_fact(context, label,
                           duration_format((uint64_t)json_integer_value(value), length));
        else if (json_is_integer(value)) {
                snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                print_fact(context, label, text);
        } else
                print_fact(context, label, json_string_value(value));
}

static void print_count(const Context *context, const char *name, const json_t *reply,
                        const char *member)
{
        char text[32];
        uint64_t count;

        if (!record_number(reply, member, &count))
                return;
        snprintf(text, sizeof text, "%" PRIu64, count);
        print_fact(context, name, text);
}

static void print_role(const Context *context, const json_t *role, const json_t *reply)
{
        char text[RECORD_TEXT_MAX];
        const char *name;
        json_t *value;

        output_line(context, is_enabled(role) ? STYLE_HEADING : STYLE_ALARM, "Role %s: %s",
                    record_text_or(role, "name", "?"), state_of(role));
        if (!is_enabled(role)) {
                print_fact(context, "switched off by", record_actor(role, "disabled_by"));
                print_fact(context, "at", record_moment(context, role, "disabled_usec", text));
                print_fact(context, "because", record_text(role, "disabled_reason"));
        }
        print_count(context, "open sessions", reply, "sessions");
        print_count(context, "unspent credentials", reply, "unspent");
        json_object_foreach (json_object_get(reply, "settings"), name, value)
                print_setting(context, name, value);
}

int role_show_run(const Context *context, const Arguments *arguments, const char *operand)
{
        json_auto_t *parameters = json_pack("{s:s}", "role", operand), *reply = NULL;
        const Call call = {
                .method = "RoleShow", .parameters = parameters, .tolerated = "RoleNotFound"};
        json_t *role;
        int r;

        (void)arguments;
        if (!parameters)
                return -ENOMEM;
        r = connection_call(context, &call, &reply);
        if (r != 0)
                return r;
        if (!reply)
                return role_say_unknown(context, operand);
        if (context->form == OUTPUT_JSON)
                return output_json(context, "role", reply);
        r = record_member(reply, "role", JSON_OBJECT, &role);
        if (r == 0)
                print_role(context, role, reply);
        return r;
}
