/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl role enable and disable. What disable comes to is asked of credd first, and shown before it is
 * done. With --revoke the credentials follow once the role is off, when none can be added any more. */
#include <inttypes.h>
#include <string.h>

#include "credctl/confirm.h"
#include "credctl/connection.h"
#include "credctl/credentials.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/own.h"
#include "credctl/record.h"
#include "credctl/revocation.h"
#include "credctl/sessions.h"
#include "credctl/verb_role.h"
#include "credctl/waiting.h"
#include "credctl/words.h"

typedef struct Switching {
        const Context *context;
        const Arguments *arguments;
        const char *role;
        uint64_t sessions, unspent;
} Switching;

static bool with_words(const Context *context)
{
        return !context->quiet && context->form != OUTPUT_JSON;
}

/* *ret_reply NULL: there was nothing to do. */
static int ask(const Switching *switching, const char *method, bool dry_run, json_t **ret_reply)
{
        json_auto_t *parameters =
                json_pack("{s:s, s:s*}", "role", switching->role, "reason",
                          dry_run ? NULL : arguments_text(switching->arguments, "reason"));
        const Call call = {.method = method,
                           .changes = !dry_run,
                           .parameters = parameters,
                           .tolerated = dry_run ? "RoleNotFound" : "NothingToDo"};

        if (!parameters || (dry_run && json_object_set_new(parameters, "dry_run", json_true()) < 0))
                return -ENOMEM;
        return connection_call(switching->context, &call, ret_reply);
}

/* --- enable --- */

int role_enable_run(const Context *context, const Arguments *arguments, const char *operand)
{
        const Switching switching = {context, arguments, operand, 0, 0};
        json_auto_t *before = NULL, *reply = NULL;
        int r;

        r = ask(&switching, "RoleDisable", true, &before);
        if (r == 0 && !before)
                return role_say_unknown(context, operand);
        if (r == 0)
                r = ask(&switching, "RoleEnable", false, &reply);
        if (r != 0)
                return r;
        if (!reply)
                return words_fail(OUTCOME_FAILED, "role %s is on already", operand);
        if (context->form == OUTPUT_JSON)
                return output_json(context, "enable", reply);
        if (with_words(context))
                output_line(context, STYLE_GOOD,
                            "Role %s is on; %" PRIu64 " unspent credential%s of it can be used.",
                            operand, record_number_or(before, "unspent_count", 0),
                            WORDS_PLURAL(record_number_or(before, "unspent_count", 0)));
        return 0;
}

/* --- disable: before --- */

/* Its end would leave the rest of a revocation undone. */
static int check_own(const Switching *switching)
{
        const Context *context = switching->context;
        json_auto_t *own = NULL;
        const json_t *session;
        int r = own_find(context, &own);

        session = json_object_get(own, "session");
        if (r != 0 || strcmp(record_text_or(session, "role", ""), switching->role) != 0)
                return r;
        if (arguments_flag(switching->arguments, "revoke") &&
            !arguments_flag(switching->arguments, "dry-run"))
                return words_fail(OUTCOME_FAILED,
                                  "your own session is under role %s and would end before all is "
                                  "revoked: leave --revoke out, or do it from another session",
                                  switching->role);
        if (!context->quiet)
                words_note("Your own session is among what this ends.");
        return 0;
}

static int print_under(const Context *context, const json_t *before, FILE *stream)
{
        const json_t *sessions = json_object_get(before, "sessions");
        const json_t *unspent = json_object_get(before, "unspent");
        int r = 0;

        if (json_array_size(sessions) > 0)
                r = sessions_print(context, sessions, stream);
        if (r == 0 && json_array_size(unspent) > 0)
                r = credentials_print(context, unspent, stream);
        return r;
}

static int show_dry_run(const Switching *switching, json_t *before)
{
        const Context *context = switching->context;
        bool revoke = arguments_flag(switching->arguments, "revoke");
        char text[256];
        int r;

        if (context->form == OUTPUT_JSON)
                return output_json(context, "disable", before);
        r = print_under(context, before, stdout);
        snprintf(text, sizeof text,
                 "Role %s would be off: %" PRIu64 " session%s would be ended, %" PRIu64
                 " unspent credential%s %s.",
                 switching->role, switching->sessions, WORDS_PLURAL(switching->sessions),
                 switching->unspent, WORDS_PLURAL(switching->unspent),
                 revoke ? "revoked" : "suspended");
        if (r == 0 && with_words(context))
                output_paragraph(context, 0, text);
        return r;
}

static int confirm(const Switching *switching, const json_t *before)
{
        bool revoke = arguments_flag(switching->arguments, "revoke");
        int r;

        if (!confirm_wanted(switching->context, switching->arguments))
                return 0;
        r = print_under(switching->context, before, stderr);
        if (r < 0)
                return r;
        return confirm_ask("Switch role %s off, end %" PRIu64 " session%s, and %s %" PRIu64
                           " unspent credential%s?",
                           switching->role, switching->sessions, WORDS_PLURAL(switching->sessions),
                           revoke ? "revoke" : "suspend", switching->unspent,
                           WORDS_PLURAL(switching->unspent));
}

/* --- disable: after --- */

/* {"id":...} of each credential that has a live session under the role, once. */
static int find_ending(const Switching *switching, json_t **ret_credentials)
{
        json_auto_t *parameters = json_object(), *sessions = NULL, *ids = json_object();
        json_auto_t *found = json_array();
        json_t *session;
        size_t i;
        int r;

        r = connection_read_pages(switching->context, "Sessions", "sessions", parameters,
                                  &sessions);
        if (r != 0)
                return r;
        json_array_foreach (sessions, i, session) {
                const char *id = record_text_or(session, "credential", "");

                if (strcmp(record_text_or(session, "role", ""), switching->role) != 0 ||
                    json_object_get(ids, id))
                        continue;
                if (json_object_set_new(ids, id, json_true()) < 0 ||
                    json_array_append_new(found, json_pack("{s:s}", "id", id)) < 0)
                        return -ENOMEM;
        }
        *ret_credentials = json_incref(found);
        return 0;
}

static int revoke_rest(const Switching *switching, json_t *done)
{
        json_auto_t *parameters = json_pack("{s:s}", "role", switching->role), *chosen = NULL;
        const Revocation revocation = {.context = switching->context,
                                       .reason = arguments_text(switching->arguments, "reason"),
                                       .filter = true,
                                       .done = done};
        int r;

        if (!parameters)
                return -ENOMEM;
        r = connection_read_pages(switching->context, "List", "credentials", parameters, &chosen);
        return r != 0 ? r : revocation_run(&revocation, chosen);
}

static int follow_up(const Switching *switching, json_t *reply)
{
        json_auto_t *done = json_array(), *ending = NULL;
        bool wait = arguments_flag(switching->arguments, "wait");
        int r = 0;

        if (!done)
                return -ENOMEM;
        if (wait)
                r = find_ending(switching, &ending);
        if (arguments_flag(switching->arguments, "revoke")) {
                r = outcome_worse(r, revoke_rest(switching, done));
                if (wait && r >= 0)
                        r = outcome_worse(r, waiting_for_receipts(switching->context, done));
                if (json_object_set(reply, "revoked", done) < 0)
                        return -ENOMEM;
        }
        if (ending)
                r = outcome_worse(r, waiting_for_sessions(switching->context, ending));
        return r;
}

static void say_off(const Switching *switching, const json_t *reply)
{
        uint64_t ending = record_number_or(reply, "sessions_ending", 0);
        uint64_t unspent = record_number_or(reply, "unspent_count", 0);

        if (with_words(switching->context))
                output_line(switching->context, STYLE_ALARM,
                            "Role %s is off: %" PRIu64 " session%s being ended, %" PRIu64
                            " unspent credential%s suspended until credctl role enable %s.",
                            switching->role, ending, ending == 1 ? " is" : "s are", unspent,
                            unspent == 1 ? " is" : "s are", switching->role);
}

static int disable(const Switching *switching)
{
        const Context *context = switching->context;
        json_auto_t *reply = NULL;
        int r, worst;

        r = ask(switching, "RoleDisable", false, &reply);
        if (r != 0)
                return r;
        if (!reply && !arguments_flag(switching->arguments, "revoke"))
                return words_fail(OUTCOME_FAILED, "role %s is off already", switching->role);
        if (reply)
                say_off(switching, reply);
        else
                reply = json_object();
        worst = follow_up(switching, reply);
        if (context->form != OUTPUT_JSON || worst < 0)
                return worst;
        r = output_json(context, "disable", reply);
        return r < 0 ? r : worst;
}

int role_disable_run(const Context *context, const Arguments *arguments, const char *operand)
{
        Switching switching = {context, arguments, operand, 0, 0};
        bool dry_run = arguments_flag(arguments, "dry-run");
        json_auto_t *before = NULL;
        int r = dry_run ? 0 : confirm_check(context, arguments);

        if (r == 0)
                r = ask(&switching, "RoleDisable", true, &before);
        if (r != 0)
                return r;
        if (!before)
                return role_say_unknown(context, operand);
        switching.sessions = record_number_or(before, "sessions_ending", 0);
        switching.unspent = record_number_or(before, "unspent_count", 0);
        r = check_own(&switching);
        if (r == 0 && dry_run)
                return show_dry_run(&switching, before);
        if (r == 0)
                r = confirm(&switching, before);
        return r == 0 ? disable(&switching) : r;
}
