/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NUL-terminated messages in a stream of bytes, sizes bounded. Pure: no sockets, no clock.
 *
 * Reader: ask where the next bytes go (frame_room), read them there, say how many came (frame_add),
 * take whole messages (frame_next) until there are none. The buffer grows up to max + 1 bytes and
 * is erased before it is freed or shrunk, because messages carry tokens. */
#pragma once

#include <stddef.h>

typedef struct Frame {
        char *buffer;
        size_t size;  /* allocated */
        size_t fill;  /* bytes held */
        size_t start; /* first byte not yet taken */
        size_t seen;  /* bytes up to here hold no NUL */
        size_t max;   /* longest message, without its NUL */
} Frame;

void frame_init(Frame *frame, size_t max);
/* Afterwards as frame_init() left it. */
void frame_done(Frame *frame);

/* Call it when frame_next() has no more. -EMSGSIZE as there; -ENOMEM. *ret_len is at least 1. */
int frame_room(Frame *frame, char **ret_at, size_t *ret_len);
void frame_add(Frame *frame, size_t len);

/* 1: *ret_text is one whole message, NUL-terminated, valid until the next frame_room() or
 * frame_done(); 0: none yet; -EMSGSIZE: the message under way is longer than max. */
int frame_next(Frame *frame, char **ret_text, size_t *ret_len);

/* Bytes of a message that has begun and not ended. */
size_t frame_pending(const Frame *frame);
