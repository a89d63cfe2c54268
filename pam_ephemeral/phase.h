/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in a login that is ours, one function a phase. All refuse unless all went well. */
#pragma once

#include "pam_ephemeral/visit.h"

Outcome phase_authenticate(const Visit *visit);
Outcome phase_account(const Visit *visit);
Outcome phase_open_session(const Visit *visit);

/* Instead of these where visit_begin() failed. */
Outcome phase_fault(const Visit *visit, Phase phase);
