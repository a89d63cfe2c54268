/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages in a stream. The first byte is the longest message that is allowed, the second says in what
 * pieces the rest, the stream, arrives. Whatever the pieces, the messages are those that a search for
 * NULs finds; a longer one is refused as soon as it is too long and no sooner; and what was taken is
 * erased when its place is given up. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "common/frame.h"

typedef struct Stream {
        const uint8_t *bytes;
        size_t len, given, told; /* told: the messages up to here have been handed out */
        uint8_t pieces;
        char *buffer; /* of the frame, when it was last looked at, and how much of it was ever in use */
        size_t used;
} Stream;

static size_t next_piece(Stream *stream, size_t room)
{
        size_t n = 1 + (stream->pieces & 15), left = stream->len - stream->given;

        stream->pieces = (uint8_t)(stream->pieces << 3 | stream->pieces >> 5);
        n = n < left ? n : left;
        return n < room ? n : room;
}

static void check_erased(Stream *stream, const Frame *frame)
{
        if (stream->buffer != frame->buffer) {
                stream->buffer = frame->buffer;
                stream->used = frame->fill;
        }
        for (size_t i = frame->fill; i < stream->used; i++)
                must(frame->buffer[i] == 0);
}

static void feed(Stream *stream, Frame *frame)
{
        char *at;
        size_t room, n;

        must(frame_room(frame, &at, &room) == 0 && room > 0);
        check_erased(stream, frame);
        n = next_piece(stream, room);
        memcpy(at, stream->bytes + stream->given, n);
        frame_add(frame, n);
        stream->given += n;
        if (frame->fill > stream->used)
                stream->used = frame->fill;
}

static void check_message(Stream *stream, const Frame *frame, const char *text, size_t len)
{
        const uint8_t *from = stream->bytes + stream->told;

        must(len <= frame->max);
        must(stream->told + len < stream->given);
        must(memchr(from, 0, stream->given - stream->told) == from + len);
        must(memcmp(text, from, len + 1) == 0);
        stream->told += len + 1;
}

/* false: the message under way is too long. */
static bool take_all(Stream *stream, Frame *frame)
{
        size_t len, pending;
        char *text;
        int r;

        while ((r = frame_next(frame, &text, &len)) == 1)
                check_message(stream, frame, text, len);
        pending = stream->given - stream->told;
        must(frame_pending(frame) == pending);
        must(pending == 0 || !memchr(stream->bytes + stream->told, 0, pending));
        must(r == (pending > frame->max ? -EMSGSIZE : 0));
        return r == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FuzzInput input = {data, size};
        Stream stream = {0};
        Frame frame;

        frame_init(&frame, fuzz_byte(&input) * 8U);
        stream.pieces = fuzz_byte(&input);
        stream.bytes = input.at;
        stream.len = input.left;
        while (stream.given < stream.len) {
                feed(&stream, &frame);
                if (!take_all(&stream, &frame))
                        break;
        }
        frame_done(&frame);
        must(frame_pending(&frame) == 0 && !frame.buffer);
        return 0;
}
