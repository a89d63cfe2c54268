/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One blocking call over a UNIX socket with one absolute deadline: text in, text out. libc alone:
 * the PAM module links this, so there is no signal, thread or fork, every descriptor is CLOEXEC and
 * closed before return, and writing to a closed peer is an error code (MSG_NOSIGNAL). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/frame.h"

/* CLOCK_MONOTONIC. USEC_INFINITY: it cannot be read, and all time is taken to be over. */
uint64_t client_now_usec(void);

/* Now + usec: what the deadlines below are made of. 0, which is past, if the clock cannot be read. */
uint64_t client_deadline_usec(uint64_t usec);

/* A connected descriptor, never 0, 1 or 2. -ENOENT, -ECONNREFUSED: nobody there; -EACCES;
 * -ETIMEDOUT, after a backlog that stayed full too; -ENAMETOOLONG; -EINVAL: empty. */
int client_connect(const char *path, uint64_t deadline_mono_usec);
/* Sends text and its NUL. -EINVAL: a NUL within text, or none at its end; -EPIPE: the peer closed;
 * -ETIMEDOUT. */
int client_send(int fd, const char *text, size_t len, uint64_t deadline_mono_usec);
/* Waits for one whole message. -ECONNRESET: the peer closed before one came; -EMSGSIZE; -ETIMEDOUT.
 */
int client_receive(int fd, Frame *frame, uint64_t deadline_mono_usec, char **ret_text,
                   size_t *ret_len);

/* All three, and close. *ret_text lies in frame, which is the caller's to frame_done(), also after
 * a failure: it may hold part of an answer. */
int client_call(const char *path, const char *text, size_t len, uint64_t deadline_mono_usec,
                Frame *frame, char **ret_text, size_t *ret_len);
