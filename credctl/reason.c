/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row for each Refusal of credd, which tests/unit/test_reason.c holds it to, and one for logins that
 * were accepted in vain. */
#include "credctl/reason.h"

#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"

static const Reason reasons[] = {
        {"unknown-id",
         "What was typed looks like a token or a code, and none like it was issued here.",
         "See whether it is of another host, or of a store that was replaced."},
        {"wrong-secret", "The credential exists, and the rest of what was typed is not its secret.",
         "If its owner typed it, issue another; if nobody did, somebody is guessing: see from "
         "where."},
        {"wrong-user", "It is a credential of another user, by name or by uid.",
         "Log in as the user it is for, or issue one for this user."},
        {"revoked", "The credential was revoked or given back.",
         "See credctl show ID for by whom and why; issue another if access is still due."},
        {"used", "All logins that it was good for are spent, perhaps on one that failed later.",
         "Issue another, with --uses if several logins are meant."},
        {"expired", "The time to log in with it was over.",
         "Issue another, with a longer --ttl if that was too short."},
        {"not-yet-valid", "Its time has not begun (--not-before).",
         "Wait for the moment that credctl show ID names, or issue another."},
        {"wrong-service", "It is not for this service.",
         "Log in through one that credctl show ID names, or issue one with --service."},
        {"wrong-source", "It is not good from this remote host; a host's name matches no network.",
         "Compare FROM with what credctl show ID names; see UseDNS in sshd_config(5)."},
        {"clock-behind",
         "The wall clock stands before the last moment recorded; no login is accepted.",
         "Set the clock right; credctl status says when all is well."},
        {"frozen", "The host was frozen.",
         "See credctl status for by whom and why; credctl thaw ends it."},
        {"unknown-login", "The login was over, or another one's, when its session was to open.",
         "Log in again; if that recurs, see whether the PAM stack runs pam_ephemeral twice."},
        {"caller-gone", "The program that asked was gone before the answer; no use was spent.",
         "Log in again; if that recurs, raise timeout= of pam_ephemeral and see what is slow."},
        {"not-collected", "The credential was asked for, and is not approved and collected yet.",
         "Its asker collects it first: credctl collect ID."},
        {"locked", "The code was locked after too many wrong tries.",
         "See from where they came, and issue another."},
        {"too-many-tries",
         "Too many wrong codes were typed for this user, or for many, within a minute.",
         "Wait a minute; a token is not limited. See from where they came."},
        {"role-off", "The role of the credential is switched off.",
         "See credctl role show ROLE for by whom and why; credctl role enable ROLE ends it."},
        {"role-changed", "Its role is gone, or allows less now than when it was issued.",
         "Compare credctl show ID with credctl role show ROLE; issue another that fits."},
        {"too-many-sessions", "As many of its sessions are open as its role allows (MaxSessions).",
         "End one of them, or wait: credctl sessions."},
        {"host-full", "As many sessions are open on this host as credd can watch.",
         "End some, or wait: credctl sessions; LimitNOFILE= of credd.service sets how many."},
        {"no-live-credential",
         "This user must have a live credential, whatever else opens the door.",
         "Issue one for this user, or see require_credential= in pam_ephemeral(8)."},
        {"unclaimed",
         "The token was right and a use is spent, but no session came of it: a later part of the "
         "login refused, or the session line of pam_ephemeral is missing.",
         "See journalctl of that moment (nologin, an expired account), and issue another."},
};

const Reason *reason_find(const char *word)
{
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (strcmp(reasons[i].word, word) == 0)
                        return &reasons[i];
        return NULL;
}
