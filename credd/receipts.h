/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receipt of a credential: written once, when no login can succeed with it any more and every
 * session it opened is verified gone. */
#pragma once

#include "credd/manager.h"

/* Inside a batch: writes it if the credential is due for it, with its event. */
int receipts_try(Manager *manager, int64_t num);
/* The same, for one that is known as it stands in the store now. */
int receipts_try_known(Manager *manager, const Credential *credential);
