/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A backup becomes the store, while no credd runs. Both say on stderr what is wrong, and return 0 or a
 * negative errno. */
#pragma once

/* Whether the file is a backup that could be restored. */
int restore_check(const char *path);
/* Refused if there is a store in that folder. All that was open in the backup is revoked in what is put
 * in place. As root or as the owner of the folder; root becomes the owner. */
int restore_run(const char *state, const char *path);
