/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sessions that logind has announced, ours or not: where a login that nobody claimed is found, and
 * whether a user is elsewhere, too. Complete while logind is connected. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "credd/logind.h"

typedef struct Announced Announced;

int announced_new(Announced **ret_announced);
Announced *announced_free(Announced *announced);
void announced_add(Announced *announced, const LogindSession *session);
void announced_remove(Announced *announced, const char *id);
void announced_clear(Announced *announced);

/* The id of the session with this leader, or NULL; valid until the next change. */
const char *announced_id_of(const Announced *announced, pid_t leader);
/* The same of a session whose leader has left, so that its pid alone says little: that uid's, made between
 * these moments of CLOCK_BOOTTIME, and before the start of who has that pid now (UINT64_MAX: nobody). */
const char *announced_id_left_by(const Announced *announced, uid_t uid, pid_t leader,
                                 uint64_t from_boot_usec, uint64_t until_boot_usec,
                                 uint64_t before_ticks);
/* A session of that uid with another leader. */
bool announced_elsewhere(const Announced *announced, uid_t uid, pid_t leader);
/* Calls back for each session of a person (class "user..."), until it returns false. */
void announced_each_person(const Announced *announced,
                           bool (*each)(void *userdata, const char *id, uid_t uid), void *userdata);
/* The cgroup is the scope of a session that logind made before those ticks. Its leader's age says nothing:
 * sshd forks it when the connection comes, and who waits with the key makes a session much later
 * (34-contractor.t). */
bool announced_scope_before(const Announced *announced, const char *cgroup, uint64_t ticks);

/* Where logind puts a session: "/user.slice/user-UID.slice/session-ID.scope". The whole path counts: in
 * the user's own manager anybody may name a unit like that. false: the id is too long. */
#define SCOPE_PATH_MAX 128
bool announced_scope_path(uid_t uid, const char *id, char ret_path[static SCOPE_PATH_MAX]);
bool announced_is_scope_of(const char *cgroup, uid_t uid, const char *id);
