/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls and replies as text. Both readers see each input. What one of them takes can be written and read
 * again, and is then the same; what it refuses has touched nothing. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "common/varlink.h"

static bool same(const json_t *a, const json_t *b)
{
        return a && b ? json_equal(a, b)
                      : (!a || json_object_size(a) == 0) && (!b || json_object_size(b) == 0);
}

static void check_name(const char *name)
{
        const char *dot = strrchr(name, '.');

        must(dot && dot > name && dot[1] >= 'A' && dot[1] <= 'Z');
        must(strlen(name) <= 255);
        must(name[strspn(name,
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] ==
             '\0');
}

static void try_call(const char *text, size_t len)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {0}, again = {0};
        AUTO_FREE char *out = NULL;
        int r;

        r = varlink_call_decode(text, len, &call);
        must(r == 0 || r == -EBADMSG);
        if (r < 0) {
                must(!call.root && !call.method && !call.parameters);
                return;
        }
        check_name(call.method);
        must(!call.parameters || json_is_object(call.parameters));
        must(!call.more || !call.oneway);
        out = varlink_call_encode(call.method, call.parameters, call.more);
        must(out);
        /* What is written is longer than what was read only by its escapes. */
        if (strlen(out) > VARLINK_CALL_MAX)
                return;
        must(varlink_call_decode(out, strlen(out), &again) == 0);
        must(strcmp(again.method, call.method) == 0 && again.more == call.more && !again.oneway);
        must(same(again.parameters, call.parameters));
}

static void try_reply(const char *text, size_t len)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = {0}, again = {0};
        AUTO_FREE char *out = NULL;
        int r;

        r = varlink_reply_decode(text, len, &reply);
        must(r == 0 || r == -EBADMSG);
        if (r < 0) {
                must(!reply.root && !reply.error && !reply.parameters);
                return;
        }
        if (reply.error)
                check_name(reply.error);
        must(!reply.error || !reply.continues);
        out = reply.error ? varlink_error_encode(reply.error, reply.parameters)
                          : varlink_reply_encode(reply.parameters, reply.continues);
        must(out);
        must(varlink_reply_decode(out, strlen(out), &again) == 0);
        must(!again.error == !reply.error && again.continues == reply.continues);
        must(!again.error || strcmp(again.error, reply.error) == 0);
        must(same(again.parameters, reply.parameters));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        AUTO_FREE char *text = malloc(size + 1);

        must(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        try_call(text, size);
        try_reply(text, size);
        return 0;
}
