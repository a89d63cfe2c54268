/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came out of a call, and the one place that knows which PAM code says so. Pure. */
#pragma once

#include <errno.h>

typedef enum Outcome {
        OUTCOME_REFUSED,     /* first: a variable that nobody set is a denial */
        OUTCOME_MISSING,     /* a credential is required and none was used */
        OUTCOME_UNAVAILABLE, /* credd away, slow, or not making sense */
        OUTCOME_FAULT,       /* our line or our process is broken */
        OUTCOME_ASIDE,       /* not our service, or not our kind of user */
        OUTCOME_NO_TOKEN,    /* ours, but nobody came with a credential */
        OUTCOME_GOOD,
        OUTCOME_MAX,
        OUTCOME_INVALID = -EINVAL,
} Outcome;

typedef enum Phase {
        PHASE_AUTH,
        PHASE_ACCOUNT,
        PHASE_SESSION_OPEN,
        PHASE_SESSION_CLOSE,
        PHASE_SETCRED,
        PHASE_CHAUTHTOK,
        PHASE_MAX,
        PHASE_INVALID = -EINVAL,
} Phase;

/* The code for libpam. PAM_SYSTEM_ERR for values outside the enums. */
int verdict_pam_code(Outcome outcome, Phase phase);

/* For the debug log; never NULL. */
const char *verdict_outcome_name(Outcome outcome);
const char *verdict_phase_name(Phase phase);
