/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl explain: why logins came to nothing, newest first, and what each reason means. What never
 * reached credd it cannot know, and says so. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "credctl/connection.h"
#include "credctl/id.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/reason.h"
#include "credctl/record.h"
#include "credctl/state.h"
#include "credctl/user.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define INDENT     6
#define SINCE_USEC (UINT64_C(24) * 3600 * USEC_PER_SEC)

const Option verb_explain_options[] = {
        {"user", "USER", "user", OPTION_TEXT, "logins as USER, or with a credential of USER"},
        {"since", "TIME", "since_usec", OPTION_MOMENT,
         "how far back; -24h if nothing else is said"},
        {.name = NULL},
};

/* --- the question --- */

static int check_arguments(const Arguments *arguments)
{
        bool user = arguments_text(arguments, "user") != NULL;

        if (user == (arguments->n_operands > 0))
                return words_fail(OUTCOME_USAGE,
                                  "explain wants one of ID and --user USER, and not both");
        return 0;
}

static int add_whose(const Context *context, const Arguments *arguments, json_t *parameters)
{
        const char *user = arguments_text(arguments, "user");
        AUTO_FREE char *id = NULL;
        uid_t uid = (uid_t)-1;
        int r;

        if (user) {
                r = user_find_uid(user, &uid);
                if (r != 0)
                        return r;
                return json_object_set_new(parameters, "uid", json_integer(uid));
        }
        r = id_resolve(context, arguments->operands[0], &id);
        if (r != 0)
                return r;
        return json_object_set_new(parameters, "id", json_string(id));
}

static int make_question(const Context *context, const Arguments *arguments,
                         json_t **ret_parameters)
{
        json_auto_t *parameters = NULL;
        uint64_t since = context->now_real_usec - SINCE_USEC;
        int r;

        r = check_arguments(arguments);
        if (r == 0)
                r = arguments_parameters(arguments, context->verb, &parameters);
        if (r == 0)
                r = add_whose(context, arguments, parameters);
        if (r != 0)
                return r < 0 ? -ENOMEM : r;
        /* Of one credential all there is, unless a moment is named. */
        if (arguments_text(arguments, "user") && !json_object_get(parameters, "since_usec") &&
            json_object_set_new(parameters, "since_usec", json_integer((json_int_t)since)) < 0)
                return -ENOMEM;
        *ret_parameters = take_ptr(parameters);
        return 0;
}

/* All slices, from the newest event back. *ret_credential: NULL if none was named. */
static int read_attempts(const Context *context, json_t *parameters, json_t **ret_credential,
                         json_t **ret_attempts)
{
        json_auto_t *attempts = json_array(), *credential = NULL;
        uint64_t before = INT64_MAX, next = 0;
        bool more = true;

        while (more) {
                json_auto_t *reply = NULL;
                json_t *slice;
                int r = connection_read(context, "Explain", parameters, &reply);

                if (r != 0)
                        return r;
                r = record_member(reply, "attempts", JSON_ARRAY, &slice);
                if (r < 0 || json_array_extend(attempts, slice) < 0)
                        return r < 0 ? r : -ENOMEM;
                if (!credential)
                        credential = json_incref(json_object_get(reply, "credential"));
                more = record_number(reply, "next", &next);
                if (more && next >= before)
                        return -EBADMSG;
                before = next;
                if (more &&
                    json_object_set_new(parameters, "before", json_integer((json_int_t)next)) < 0)
                        return -ENOMEM;
        }
        *ret_credential = take_ptr(credential);
        *ret_attempts = take_ptr(attempts);
        return 0;
}

/* --- the answer --- */

static void print_where(const Context *context, const json_t *attempt)
{
        uint64_t count = record_number_or(attempt, "count", 1);
        const char *rhost = record_text(attempt, "rhost");
        const char *id = record_text(attempt, "credential");
        char moment[RECORD_TEXT_MAX], text[2 * RECORD_TEXT_MAX], times[32] = "";

        if (count > 1)
                snprintf(times, sizeof times, ", %" PRIu64 " times", count);
        output_line(context, STYLE_HEADING, "%s",
                    record_moment(context, attempt, "time_usec", moment));
        snprintf(text, sizeof text, "%s%s through %s%s%s%s%s",
                 record_text_or(attempt, "reason", "?"), times,
                 record_text_or(attempt, "service", "?"), rhost ? " from " : "", rhost ?: "",
                 id ? ", credential " : "", id ?: "");
        output_paragraph(context, 2, text);
}

/* Each reason is explained once, where it comes first. */
static int print_attempts(const Context *context, const json_t *attempts)
{
        json_auto_t *said = json_object();
        json_t *attempt;
        size_t i;

        json_array_foreach (attempts, i, attempt) {
                const char *word = record_text_or(attempt, "reason", "?");
                const Reason *reason = reason_find(word);

                print_where(context, attempt);
                if (json_object_get(said, word))
                        continue;
                if (json_object_set_new(said, word, json_true()) < 0)
                        return -ENOMEM;
                output_paragraph(context, INDENT,
                                 reason ? reason->means
                                        : "This credctl does not know that reason.");
                if (reason)
                        output_paragraph(context, INDENT, reason->advice);
        }
        return 0;
}

#define NOT_ASKED                                                                                  \
        ", credd was not asked: what was typed had not the shape of a token (a character "         \
        "too few, a password), or was a code where codes are not taken, or another part of "       \
        "the login refused. See journalctl -t sshd -t login of that moment."

/* What had not the shape of a token is in no list. */
static void print_elsewhere(const Context *context, bool any)
{
        if (!context->quiet)
                output_paragraph(context, 0,
                                 any ? "If a login failed that is not listed" NOT_ASKED
                                     : "If a login failed all the same" NOT_ASKED);
}

static int print_words(const Context *context, const json_t *credential, const json_t *attempts)
{
        const char *state = record_text_or(credential, "state", "?");
        const char *words = state_words(state);
        char text[RECORD_TEXT_MAX];

        (void)snprintf(text, sizeof(text), "Credential %s of %s: %s%s%s",
                       record_text_or(credential, "id", "?"),
                       record_text_or(credential, "user", "?"), state, words ? ", " : "",
                       words ?: "");
        if (credential)
                output_item(context, STYLE_HEADING, 0, "", text);
        if (json_array_size(attempts) == 0)
                output_line(context, STYLE_PLAIN, "Nothing of that kind is recorded.");
        else if (print_attempts(context, attempts) < 0)
                return -ENOMEM;
        print_elsewhere(context, json_array_size(attempts) > 0);
        return 0;
}

/* With the words beside each reason, so that nobody needs a table of his own. */
static int print_json(const Context *context, json_t *attempts)
{
        json_t *attempt;
        size_t i;

        json_array_foreach (attempts, i, attempt) {
                const Reason *reason = reason_find(record_text_or(attempt, "reason", "?"));

                if (json_object_set_new(attempt, "means",
                                        reason ? json_string(reason->means) : json_null()) < 0 ||
                    json_object_set_new(attempt, "advice",
                                        reason ? json_string(reason->advice) : json_null()) < 0)
                        return -ENOMEM;
        }
        return output_json(context, "attempts", attempts);
}

int verb_explain_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL, *credential = NULL, *attempts = NULL;
        int r;

        r = make_question(context, arguments, &parameters);
        if (r == 0)
                r = read_attempts(context, parameters, &credential, &attempts);
        if (r != 0)
                return r;
        return context->form == OUTPUT_JSON ? print_json(context, attempts)
                                            : print_words(context, credential, attempts);
}
