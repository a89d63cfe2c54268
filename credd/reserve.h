/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room on the disk that is given up when the disk is full, so that ends, revocations and receipts can
 * still be written. New logins and credentials wait until it is there again. */
#pragma once

#include <stdbool.h>

/* There is hardly room for a commit. */
bool reserve_needed(int dir_fd);
/* Makes it if it is not there. -ENOSPC: no room for it and for a commit beside it. */
int reserve_make(int dir_fd);
/* Gives its room up, if it is there. */
void reserve_release(int dir_fd);
