/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a code or a drill may be good for. A code is short enough to be typed, a drill is counted apart from
 * what people use: each is good for little, one login at the console, soon. Whoever asks for more is told
 * so and gets none; who asks for nothing gets that. */
#include <stdio.h>
#include <string.h>

#include "credd/policy.h"

#define TTL_USEC (15 * 60 * USEC_PER_SEC)

static int refuse(char *refusal, CredentialKind kind, const char *why)
{
        (void)snprintf(refusal, POLICY_TEXT_MAX, "a %s %s", credential_kind_to_string(kind), why);
        return 1;
}

/* None was asked for, or this one alone. */
static bool none_or(const json_t *list, const char *only)
{
        const char *first = json_string_value(json_array_get(list, 0));

        return json_array_size(list) == 0 ||
               (json_array_size(list) == 1 && strcmp(first, only) == 0);
}

int policy_kind(uint64_t max_ttl_usec, IssueRequest *request, char refusal[static POLICY_TEXT_MAX])
{
        if (request->kind == KIND_TOKEN)
                return 0;
        if (request->uses > 1)
                return refuse(refusal, request->kind,
                              "is good for one login: leave --uses out, or issue a token");
        if (!none_or(request->services, "login") || !none_or(request->sources, "local"))
                return refuse(refusal, request->kind,
                              "is for the console of this host alone, --service login --from "
                              "local; for SSH issue a token");
        if (request->ttl_usec != USEC_INFINITY && request->ttl_usec > TTL_USEC)
                return refuse(refusal, request->kind,
                              "lives 15min at most: shorten --ttl, or issue a token");
        if (request->ttl_usec == USEC_INFINITY)
                request->ttl_usec = max_ttl_usec < TTL_USEC ? max_ttl_usec : TTL_USEC;
        request->uses = 1;
        return 0;
}
