/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One growing buffer: [0, start) was taken, [start, fill) was not yet, and of that [start, seen) is
 * known to hold no NUL, so each byte is searched once however slowly it comes. start <= seen
 * <= fill <= size <= max + 1. What was taken is erased when its place is used again, and growing
 * copies to a new buffer rather than calling realloc(), which would leave the old bytes on the heap.
 * Left out: giving room back before frame_done(). */
#include "common/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

#define SIZE_FIRST 512U

void frame_init(Frame *frame, size_t max)
{
        assert(max < SIZE_MAX / 2);
        *frame = (Frame){.max = max};
}

static void erase_and_free(char *buffer, size_t fill)
{
        secret_erase(buffer, fill);
        free(buffer);
}

void frame_done(Frame *frame)
{
        erase_and_free(frame->buffer, frame->fill);
        *frame = (Frame){.max = frame->max};
}

static void drop_taken(Frame *frame)
{
        size_t pending = frame_pending(frame);

        if (frame->start == 0)
                return;
        memmove(frame->buffer, frame->buffer + frame->start, pending);
        secret_erase(frame->buffer + pending, frame->fill - pending);
        frame->seen -= frame->start;
        frame->fill = pending;
        frame->start = 0;
}

static int grow(Frame *frame)
{
        size_t limit = frame->max + 1;
        size_t size = frame->size > 0 ? frame->size * 2 : SIZE_FIRST;
        char *buffer;

        if (frame->size == limit)
                return -EMSGSIZE;
        if (size > limit)
                size = limit;
        buffer = malloc(size);
        if (!buffer)
                return -ENOMEM;
        if (frame->fill > 0)
                memcpy(buffer, frame->buffer, frame->fill);
        erase_and_free(frame->buffer, frame->fill);
        frame->buffer = buffer;
        frame->size = size;
        return 0;
}

int frame_room(Frame *frame, char **ret_at, size_t *ret_len)
{
        drop_taken(frame);
        if (frame->fill == frame->size) {
                int r = grow(frame);

                if (r < 0)
                        return r;
        }
        *ret_at = frame->buffer + frame->fill;
        *ret_len = frame->size - frame->fill;
        return 0;
}

void frame_add(Frame *frame, size_t len)
{
        assert(len <= frame->size - frame->fill);
        frame->fill += len;
}

int frame_next(Frame *frame, char **ret_text, size_t *ret_len)
{
        char *end = NULL;

        if (frame->seen < frame->fill)
                end = memchr(frame->buffer + frame->seen, '\0', frame->fill - frame->seen);
        if (!end) {
                frame->seen = frame->fill;
                return frame_pending(frame) > frame->max ? -EMSGSIZE : 0;
        }

        *ret_text = frame->buffer + frame->start;
        *ret_len = (size_t)(end - *ret_text);
        frame->start = frame->seen = (size_t)(end - frame->buffer) + 1;
        return 1;
}

size_t frame_pending(const Frame *frame)
{
        return frame->fill - frame->start;
}
