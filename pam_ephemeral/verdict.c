/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table from (outcome, phase) to PAM codes.
 *
 * Invariants: only OUTCOME_GOOD is ever PAM_SUCCESS in auth and account; what is not listed is
 * PAM_SYSTEM_ERR. It is written as switches, not as an array, because the empty cell of an array
 * would be 0, and that is PAM_SUCCESS. tests/unit/test_verdict.c states every cell.
 *
 * What is outside the enums is stopped at the door, and would be refused by each of the tables all the
 * same: that second way out is what LCOV_EXCL_BR_LINE stands for, as no test can get there.
 *
 * Left out: what an admin's control field makes of a code. */
#include "pam_ephemeral/verdict.h"

#include <security/pam_modules.h>

static int auth_code(Outcome outcome)
{
        switch (outcome) { /* LCOV_EXCL_BR_LINE */
        case OUTCOME_GOOD:
                return PAM_SUCCESS;
        case OUTCOME_REFUSED:
        case OUTCOME_MISSING:
                return PAM_AUTH_ERR;
        case OUTCOME_UNAVAILABLE:
                return PAM_AUTHINFO_UNAVAIL;
        case OUTCOME_ASIDE:
        case OUTCOME_NO_TOKEN:
                return PAM_CRED_INSUFFICIENT;
        case OUTCOME_FAULT:
        case OUTCOME_MAX:
        case OUTCOME_INVALID:
                break;
        }
        return PAM_SYSTEM_ERR;
}

static int account_code(Outcome outcome)
{
        switch (outcome) { /* LCOV_EXCL_BR_LINE */
        case OUTCOME_GOOD:
                return PAM_SUCCESS;
        case OUTCOME_REFUSED:
                return PAM_ACCT_EXPIRED;
        case OUTCOME_MISSING:
                return PAM_PERM_DENIED;
        case OUTCOME_UNAVAILABLE:
                return PAM_AUTHINFO_UNAVAIL;
        case OUTCOME_ASIDE:
        case OUTCOME_NO_TOKEN:
                return PAM_IGNORE;
        case OUTCOME_FAULT:
        case OUTCOME_MAX:
        case OUTCOME_INVALID:
                break;
        }
        return PAM_SYSTEM_ERR;
}

static int session_code(Outcome outcome)
{
        switch (outcome) { /* LCOV_EXCL_BR_LINE */
        case OUTCOME_GOOD:
        case OUTCOME_ASIDE:
        case OUTCOME_NO_TOKEN:
                return PAM_SUCCESS;
        case OUTCOME_REFUSED:
        case OUTCOME_MISSING:
        case OUTCOME_UNAVAILABLE:
                return PAM_SESSION_ERR;
        case OUTCOME_FAULT:
        case OUTCOME_MAX:
        case OUTCOME_INVALID:
                break;
        }
        return PAM_SYSTEM_ERR;
}

int verdict_pam_code(Outcome outcome, Phase phase)
{
        if (outcome < 0 || outcome >= OUTCOME_MAX)
                return PAM_SYSTEM_ERR;
        switch (phase) {
        case PHASE_AUTH:
                return auth_code(outcome);
        case PHASE_ACCOUNT:
                return account_code(outcome);
        case PHASE_SESSION_OPEN:
                return session_code(outcome);
        case PHASE_SESSION_CLOSE: /* credd sees the process end by itself */
        case PHASE_SETCRED:       /* called in processes that know nothing of the authentication */
                return PAM_SUCCESS;
        case PHASE_CHAUTHTOK:
                return PAM_AUTHTOK_ERR;
        case PHASE_MAX:
        case PHASE_INVALID:
                break;
        }
        return PAM_SYSTEM_ERR;
}

const char *verdict_outcome_name(Outcome outcome)
{
        switch (outcome) {
        case OUTCOME_REFUSED:
                return "refused";
        case OUTCOME_MISSING:
                return "credential required";
        case OUTCOME_UNAVAILABLE:
                return "credd unavailable";
        case OUTCOME_FAULT:
                return "fault";
        case OUTCOME_ASIDE:
                return "standing aside";
        case OUTCOME_NO_TOKEN:
                return "no token";
        case OUTCOME_GOOD:
                return "good";
        case OUTCOME_MAX:
        case OUTCOME_INVALID:
                break;
        }
        return "invalid";
}

const char *verdict_phase_name(Phase phase)
{
        switch (phase) {
        case PHASE_AUTH:
                return "auth";
        case PHASE_ACCOUNT:
                return "account";
        case PHASE_SESSION_OPEN:
                return "open session";
        case PHASE_SESSION_CLOSE:
                return "close session";
        case PHASE_SETCRED:
                return "setcred";
        case PHASE_CHAUTHTOK:
                return "chauthtok";
        case PHASE_MAX:
        case PHASE_INVALID:
                break;
        }
        return "invalid";
}
