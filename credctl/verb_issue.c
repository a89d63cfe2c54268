/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl issue: the only place where a token or a code is shown. Its copies: the reply in the frame
 * (erased by frame_done()), jansson's (erased when freed, see connection.h), and what write() takes;
 * stdio never sees it. A token that was issued and could not be shown is reported by its id, so that
 * somebody can revoke it. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "credctl/connection.h"
#include "credctl/issued.h"
#include "credctl/outcome.h"
#include "credctl/output.h"
#include "credctl/record.h"
#include "credctl/user.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define COUNT_MAX 1000

const Option verb_issue_options[] = {
        {"user", "USER", "user", OPTION_TEXT, "who may log in with it"},
        {"ttl", "D", "ttl_usec", OPTION_DURATION,
         "how long a login is possible, as 15min, 1h 30min, 2d"},
        {"uses", "N", "uses", OPTION_NUMBER, "logins it is good for, 1 by default"},
        {"role", "ROLE", "role", OPTION_TEXT, "the role it is issued under"},
        {"service", "SVC", "services", OPTION_LIST, "only for this service: sshd, login"},
        {"from", "CIDR", "sources", OPTION_LIST, "only from this network, or \"local\""},
        {"not-before", "TIME", "not_before_usec", OPTION_MOMENT,
         "no login before; the ttl counts from there"},
        {"session-ttl", "D", "session_ttl_usec", OPTION_DURATION,
         "end each session so long after its login"},
        {"max-lifetime", "D", "max_lifetime_usec", OPTION_DURATION,
         "nothing of it lives longer, extended or not"},
        {"holder", "WHO", "holder", OPTION_TEXT, "the person, where several share the account"},
        {"reason", "TEXT", "reason", OPTION_TEXT, "why, for the audit"},
        {"kind", "KIND", "kind", OPTION_TEXT, "token, or code: short, to be typed at the console"},
        {"count", "N", NULL, OPTION_NUMBER, "issue so many, each with its own id"},
        {"key", "TEXT", "key", OPTION_TEXT, "a repeat with the same TEXT issues nothing new"},
        {.name = NULL},
};

static int check_arguments(const Arguments *arguments, uint64_t *ret_count)
{
        const char *kind = arguments_text(arguments, "kind");
        uint64_t count = arguments_number(arguments, "count", 1);

        if (kind && strcmp(kind, "token") != 0 && strcmp(kind, "code") != 0)
                return words_fail(OUTCOME_USAGE, "--kind %s: a kind is token or code", kind);
        if (count > COUNT_MAX)
                return words_fail(OUTCOME_USAGE, "--count %" PRIu64 ": at most %d at once", count,
                                  COUNT_MAX);
        if (count > 1 && arguments_text(arguments, "key"))
                return words_fail(
                        OUTCOME_USAGE,
                        "--key names one credential, so --count %" PRIu64 " cannot be met", count);
        *ret_count = count;
        return 0;
}

static void print_scope(const Context *context, const json_t *credential)
{
        char services[RECORD_TEXT_MAX], sources[RECORD_TEXT_MAX];
        const char *holder = record_text(credential, "holder");
        const char *role = record_text(credential, "role");

        record_join(json_object_get(credential, "services"), services);
        record_join(json_object_get(credential, "sources"), sources);
        if (holder)
                output_line(context, STYLE_PLAIN, "Holder: %s", holder);
        if (role)
                output_line(context, STYLE_PLAIN, "Role: %s", role);
        if (*services)
                output_line(context, STYLE_PLAIN, "Services: %s", services);
        if (*sources)
                output_line(context, STYLE_PLAIN, "From: %s", sources);
}

static void print_terms(const Context *context, const json_t *credential)
{
        uint64_t uses = record_number_or(credential, "uses", 1), length;
        char moment[RECORD_TEXT_MAX], duration[DURATION_TEXT_MAX];

        output_line(context, STYLE_HEADING, "Credential %s: %" PRIu64 " login%s as %s",
                    record_text_or(credential, "id", "?"), uses, WORDS_PLURAL(uses),
                    record_text_or(credential, "user", "?"));
        if (record_number_or(credential, "not_before_usec", 0) >
            record_number_or(credential, "issued_usec", 0))
                output_line(context, STYLE_PLAIN, "Not before: %s",
                            record_moment(context, credential, "not_before_usec", moment));
        output_line(context, STYLE_PLAIN, "Login until: %s",
                    record_moment(context, credential, "login_limit_usec", moment));
        if (record_number(credential, "session_ttl_usec", &length))
                output_line(context, STYLE_PLAIN, "Sessions end: %s after their login",
                            duration_format(length, duration));
        else
                output_line(context, STYLE_PLAIN, "Sessions end: at that moment, too");
        print_scope(context, credential);
}

static bool for_sshd(const json_t *credential)
{
        char services[RECORD_TEXT_MAX];

        record_join(json_object_get(credential, "services"), services);
        return !*services || strstr(services, "sshd");
}

static void print_hints(const Context *context, const json_t *credential)
{
        const char *kind = record_text_or(credential, "kind", "token");
        char host[256] = "HOST";

        (void)gethostname(host, sizeof host - 1);
        if (for_sshd(credential))
                output_line(context, STYLE_PLAIN,
                            "To log in: ssh %s@%s, with the token as the password",
                            record_text_or(credential, "user", "?"), host);
        else
                output_line(context, STYLE_PLAIN,
                            "To log in: as %s at the console, with the %s%s as the password",
                            record_text_or(credential, "user", "?"), kind,
                            strcmp(kind, "code") == 0 ? " and its hyphens" : "");
        output_line(context, STYLE_PLAIN, "To revoke: credctl revoke %s",
                    record_text_or(credential, "id", "?"));
}

/* A repeat of a key: there is no token to show. */
static void print_existing(const Context *context, const json_t *credential)
{
        const char *id = record_text_or(credential, "id", "?");
        const char *state = record_text_or(credential, "state", "?");
        static const char words[] = "None was issued: this key has credential %s (%s) already.";

        if (context->form == OUTPUT_TOKEN)
                words_note(words, id, state);
        else
                output_line(context, STYLE_PLAIN, words, id, state);
}

static bool with_words(const Context *context)
{
        return context->form == OUTPUT_TABLE && !context->quiet;
}

/* Around what is to be copied from the screen. */
static void print_gap(const Context *context)
{
        if (with_words(context) && context->stdout_terminal)
                output_line(context, STYLE_PLAIN, "%s", "");
}

static int print_issued(const Context *context, const json_t *credential, const char *token)
{
        int r;

        if (with_words(context))
                print_terms(context, credential);
        print_gap(context);
        r = output_secret(token);
        if (r < 0)
                return r;
        print_gap(context);
        if (with_words(context))
                print_hints(context, credential);
        return 0;
}

static int say_lost(const json_t *credential, int error)
{
        const char *id = record_text_or(credential, "id", "?");

        return words_fail(OUTCOME_FAILED,
                          "credential %s was issued, but its token could not be printed: %s; do "
                          "credctl revoke %s",
                          id, strerror(-error), id);
}

/* Adds the credential, with its token as a member, to issued. */
static int take_issued(const json_t *reply, json_t *issued)
{
        json_t *credential, *token;
        int r;

        r = record_member(reply, "credential", JSON_OBJECT, &credential);
        if (r < 0)
                return r;
        token = json_object_get(reply, "token");
        r = json_is_string(token) ? json_object_set(credential, "token", token)
                                  : json_object_set_new(credential, "token", json_null());
        if (r < 0 || json_array_append(issued, credential) < 0)
                return say_lost(credential, -ENOMEM);
        return 0;
}

static int issue_one(const Context *context, json_t *parameters, json_t *issued)
{
        json_auto_t *reply = NULL;
        int r = connection_change(context, "Issue", parameters, &reply);

        return r == 0 ? take_issued(reply, issued) : r;
}

static int print_one(const Context *context, json_t *credential, bool first)
{
        const char *token = record_text(credential, "token");
        int r;

        if (!token) {
                print_existing(context, credential);
                return 0;
        }
        if (!first && with_words(context))
                output_line(context, STYLE_PLAIN, "%s", "");
        r = print_issued(context, credential, token);
        return r < 0 ? say_lost(credential, r) : 0;
}

static int print_all_json(const Context *context, json_t *issued)
{
        int r = output_json(context, "credentials", issued);
        json_t *credential;
        size_t i;

        if (r == 0)
                return 0;
        json_array_foreach (issued, i, credential) {
                if (record_text(credential, "token"))
                        (void)say_lost(credential, r);
        }
        return OUTCOME_FAILED;
}

int issued_print(const Context *context, const json_t *reply)
{
        json_auto_t *issued = json_array();
        int r = issued ? take_issued(reply, issued) : -ENOMEM;

        if (r != 0)
                return r;
        return context->form == OUTPUT_JSON ? print_all_json(context, issued)
                                            : print_one(context, json_array_get(issued, 0), true);
}

/* JSON is one object, so it waits for the last of them; all else is printed as it comes. What was
 * issued before an error is printed in any case. */
static int issue_all(const Context *context, json_t *parameters, uint64_t count)
{
        json_auto_t *issued = json_array();
        int r = issued ? 0 : -ENOMEM;

        for (uint64_t i = 0; i < count && r == 0; i++) {
                r = issue_one(context, parameters, issued);
                if (r != 0 || context->form == OUTPUT_JSON)
                        continue;
                r = print_one(context, json_array_get(issued, 0), i == 0);
                (void)json_array_clear(issued); /* and with it the token */
        }
        if (json_array_size(issued) == 0)
                return r;
        return outcome_worse(r, print_all_json(context, issued));
}

int verb_issue_run(const Context *context, const Arguments *arguments)
{
        json_auto_t *parameters = NULL;
        uint64_t count = 0;
        uid_t uid = (uid_t)-1;
        int r;

        r = check_arguments(arguments, &count);
        if (r == 0)
                r = user_find_uid(arguments_text(arguments, "user"), &uid);
        if (r == 0)
                r = arguments_parameters(arguments, context->verb, &parameters);
        if (r != 0)
                return r;
        if (json_object_set_new(parameters, "uid", json_integer(uid)) < 0)
                return -ENOMEM;
        /* A reader who has gone must be an error that can be reported. */
        (void)signal(SIGPIPE, SIG_IGN);
        return issue_all(context, parameters, count);
}
