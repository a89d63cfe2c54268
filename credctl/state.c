/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/state.h"

#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"

typedef struct State {
        const char *name;
        bool live;
        const char *words;
} State;

static const State states[] = {
        {"pending", true, "asked for, and not approved or not collected yet"},
        {"active", true, "a login is possible"},
        {"in-use", true, "a session is open, and no further login is possible"},
        {"suspended", true, "no login is possible while the host is frozen or the role is off"},
        {"ending", true, "no login is possible, and its sessions are being ended"},
        {"used", false, "every login it was good for is spent and over"},
        {"expired", false, "its time is over"},
        {"revoked", false, "somebody ended it before its time"},
        {"returned", false, "it was given back from a session of its own, before its time"},
        {"locked", false, "too many wrong tries"},
        {"denied", false, "it was asked for, and not approved"},
        {"lapsed", false, "it was asked for, and not approved or not collected in time"},
};

static const State *find(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (strcmp(states[i].name, name) == 0)
                        return &states[i];
        return NULL;
}

const char *state_words(const char *state)
{
        const State *found = find(state);

        return found ? found->words : NULL;
}

bool state_is_live(const char *state)
{
        const State *found = find(state);

        return found && found->live;
}
