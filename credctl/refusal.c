/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One table from the errors of io.credd.Admin and of varlink to words. An error that is not in it
 * is shown by its name: a newer credd may have more of them. */
#include "credctl/refusal.h"

#include <string.h>

#include "credctl/outcome.h"
#include "credctl/record.h"
#include "credctl/verb.h"
#include "credctl/words.h"

#define ADMIN "io.credd.Admin"

/* Text, then the error's parameter of that name, then more text. */
typedef struct Refusal {
        const char *error;
        Outcome outcome;
        const char *before, *member, *between, *second, *after;
} Refusal;

static const Refusal refusals[] = {
        {ADMIN ".PermissionDenied", OUTCOME_REFUSED, "not permitted: ", "reason", "", NULL, ""},
        {ADMIN ".Refused", OUTCOME_REFUSED, "refused: ", "reason", "", NULL, ""},
        {ADMIN ".NotFound", OUTCOME_FAILED, "no credential ", "id", ", or it is not yours to see",
         NULL, ""},
        {ADMIN ".RoleNotFound", OUTCOME_FAILED, "no role ", "role",
         ", or you have no part in it; see credctl role list", NULL, ""},
        {ADMIN ".Final", OUTCOME_FAILED, "credential ", "id", " is ", "state",
         " already, which nothing changes"},
        {ADMIN ".NotInSession", OUTCOME_FAILED,
         "this is no session that a credential opened; credctl sessions shows those that are", NULL,
         "", NULL, ""},
        {ADMIN ".NothingToDo", OUTCOME_FAILED,
         "nothing to do: it is in that state already; see credctl status", NULL, "", NULL, ""},
        {ADMIN ".BackupFailed", OUTCOME_FAILED, "no backup was made: ", "reason", "", NULL, ""},
        {ADMIN ".Busy", OUTCOME_FAILED, "credd has too many requests of yours; try again shortly",
         NULL, "", NULL, ""},
        {ADMIN ".Unavailable", OUTCOME_UNKNOWN,
         "credd cannot write its store, so this may or may not have been done: look again with "
         "credctl list, and at journalctl -u credd",
         NULL, "", NULL, ""},
        {VARLINK_METHOD_NOT_FOUND, OUTCOME_FAILED, "credd is older than this credctl and has no ",
         "method", "", NULL, ""},
        {VARLINK_INTERFACE_NOT_FOUND, OUTCOME_FAILED, "what answers is not credd: it has no ",
         "interface", "", NULL, ""},
};

static const char *member_text(const VarlinkReply *reply, const char *member)
{
        const char *text = member ? record_text(reply->parameters, member) : "";

        return text ? text : "(not said)";
}

static int say_invalid_parameter(const VarlinkReply *reply, const Verb *verb)
{
        const char *parameter = member_text(reply, "parameter");

        for (const Option *option = verb ? verb->options : NULL; option && option->name; option++)
                if (option->member && strcmp(option->member, parameter) == 0)
                        return words_fail(OUTCOME_FAILED, "credd does not accept this --%s: %s",
                                          option->name, option->help);
        return words_fail(OUTCOME_FAILED, "credd does not accept the parameter \"%s\"", parameter);
}

int refusal_say(const VarlinkReply *reply, const Verb *verb)
{
        if (strcmp(reply->error, VARLINK_INVALID_PARAMETER) == 0)
                return say_invalid_parameter(reply, verb);
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
                const Refusal *refusal = &refusals[i];

                if (strcmp(reply->error, refusal->error) == 0)
                        return words_fail((int)refusal->outcome, "%s%s%s%s%s", refusal->before,
                                          member_text(reply, refusal->member), refusal->between,
                                          member_text(reply, refusal->second), refusal->after);
        }
        return words_fail(OUTCOME_FAILED, "credd says %s", reply->error);
}
