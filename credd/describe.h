/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records as they are shown: the types of io.credd.Admin. New references; NULL: out of memory or a
 * store that cannot be read. */
#pragma once

#include "credd/manager.h"

/* whole: with the evidence of its receipt; else with the receipt's verdict alone. */
json_t *describe_credential(Manager *manager, const Credential *credential, bool whole);
json_t *describe_session(Manager *manager, const SessionRow *row);
json_t *describe_actor(const Actor *actor);
json_t *describe_event(const EventRow *row);
/* As the world sees it now. */
CredentialState describe_state(Manager *manager, const Credential *credential);
