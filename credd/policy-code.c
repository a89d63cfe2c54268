/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a code may be good for. It is short enough to be typed, so it is good for little: one login, at
 * the console, soon. Whoever asks for more is told so and gets no code; who asks for nothing gets that. */
#include <stdio.h>
#include <string.h>

#include "common/duration.h"
#include "credd/policy.h"

#define CODE_TTL_USEC (15 * 60 * USEC_PER_SEC)

static int refuse(char *refusal, const char *why)
{
        (void)snprintf(refusal, POLICY_TEXT_MAX, "%s", why);
        return 1;
}

/* None was asked for, or this one alone. */
static bool none_or(const json_t *list, const char *only)
{
        const char *first = json_string_value(json_array_get(list, 0));

        return json_array_size(list) == 0 ||
               (json_array_size(list) == 1 && strcmp(first, only) == 0);
}

int policy_code(uint64_t max_ttl_usec, IssueRequest *request, char refusal[static POLICY_TEXT_MAX])
{
        if (request->kind != KIND_CODE)
                return 0;
        if (request->uses > 1)
                return refuse(refusal, "a code is good for one login: leave --uses out, or issue "
                                       "a token");
        if (!none_or(request->services, "login") || !none_or(request->sources, "local"))
                return refuse(refusal, "a code is for the console of this host alone, --service "
                                       "login --from local; for SSH issue a token");
        if (request->ttl_usec != USEC_INFINITY && request->ttl_usec > CODE_TTL_USEC)
                return refuse(refusal, "a code lives 15min at most: shorten --ttl, or issue a "
                                       "token");
        if (request->ttl_usec == USEC_INFINITY)
                request->ttl_usec = max_ttl_usec < CODE_TTL_USEC ? max_ttl_usec : CODE_TTL_USEC;
        request->uses = 1;
        return 0;
}
