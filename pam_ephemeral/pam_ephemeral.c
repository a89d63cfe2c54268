/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The entry points that libpam calls.
 *
 * A guest in another program's process: no thread, fork, signal handler, atexit or writable static,
 * no descriptor that outlives a call, libpam and libc only (tests/pam/test_shape.c looks at the
 * built file). No logic here but the order: ours or not, the phase, the table.
 *
 * Left out on purpose:
 * - setcred: sshd calls it in a process that never authenticated, and PAM_IGNORE there becomes a
 *   failure of the login. So it knows nothing and says PAM_SUCCESS.
 * - close_session: whoever calls it may name anybody; credd watches the process itself.
 * - chauthtok: a credential is no password to be changed. The function exists so that a line in a
 *   password stack fails as itself and is not waved through by a module_unknown=ignore; it fails in
 *   the preliminary pass already, before any other module has changed anything, and with
 *   PAM_AUTHTOK_ERR, which programs report as "password unchanged". PAM_SUCCESS would end a
 *   `sufficient` line without a change, PAM_IGNORE in front of pam_permit would report one. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "pam_ephemeral/phase.h"

#define FAIL_DELAY_USEC 2000000u

static int run(Phase phase, Outcome (*enter)(const Visit *visit), pam_handle_t *pamh, int flags,
               int argc, const char **argv)
{
        Outcome outcome = OUTCOME_REFUSED;
        Visit visit = {.pamh = pamh, .phase = phase, .flags = flags};
        int r;

        r = visit_begin(&visit, argc, argv);
        /* Before it is known how it ends, so that every failure takes as long. */
        if (r != VISIT_ASIDE && phase == PHASE_AUTH)
                (void)pam_fail_delay(pamh, FAIL_DELAY_USEC);
        if (r == 0)
                outcome = enter(&visit);
        else
                outcome = r < 0 ? phase_fault(&visit, phase) : OUTCOME_ASIDE;
        visit_debug(&visit, outcome);
        return verdict_pam_code(outcome, phase);
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        return run(PHASE_AUTH, phase_authenticate, pamh, flags, argc, argv);
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        return run(PHASE_ACCOUNT, phase_account, pamh, flags, argc, argv);
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        return run(PHASE_SESSION_OPEN, phase_open_session, pamh, flags, argc, argv);
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh;
        (void)flags;
        (void)argc;
        (void)argv;
        return verdict_pam_code(OUTCOME_GOOD, PHASE_SESSION_CLOSE);
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh;
        (void)flags;
        (void)argc;
        (void)argv;
        return verdict_pam_code(OUTCOME_GOOD, PHASE_SETCRED);
}

int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh;
        (void)flags;
        (void)argc;
        (void)argv;
        return verdict_pam_code(OUTCOME_REFUSED, PHASE_CHAUTHTOK);
}
