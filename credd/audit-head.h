/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* States the head of the chain of events in the journal: who has read it there, or a copy sent off the
 * host, can tell if the chain before it is ever changed. */
#pragma once

#include "credd/manager.h"

int audit_head_new(Manager *manager, AuditHead **ret_head);
AuditHead *audit_head_free(AuditHead *head);

/* After each commit: something has happened, or not. */
void audit_head_changed(AuditHead *head);
/* Now, in a batch of its own, if something has happened since the last time. */
void audit_head_state(AuditHead *head);
