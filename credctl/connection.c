/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to credd and back. The one thing to get right here is what is known when a call fails:
 * before its last byte was sent nothing can have happened, after it anything can. */
#include "credctl/connection.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/client.h"
#include "common/secret.h"
#include "common/varlink.h"
#include "credctl/outcome.h"
#include "credctl/record.h"
#include "credctl/refusal.h"
#include "credctl/words.h"

#define INTERFACE  "io.credd.Admin"
#define LIMIT_USEC (15 * USEC_PER_SEC)
/* Until the next reply of a stream: credd makes it when nobody wants anything else. */
#define STREAM_LIMIT_USEC (300 * USEC_PER_SEC)
#define MORE              (-EINPROGRESS)

static void free_erased(void *memory)
{
        if (memory)
                secret_erase(memory, malloc_usable_size(memory));
        free(memory);
}

void connection_erase_json(void)
{
        json_set_alloc_funcs(malloc, free_erased);
}

int connection_say_unreachable(const Context *context, int error)
{
        switch (-error) {
        case ENOENT:
        case ECONNREFUSED:
                return words_fail(OUTCOME_UNREACHABLE,
                                  "credd is not reachable at %s (%s); see systemctl status "
                                  "credd-admin.socket, or ask credctl doctor",
                                  context->socket, strerror(-error));
        case ETIMEDOUT:
                return words_fail(OUTCOME_UNREACHABLE,
                                  "credd does not take calls at %s; see systemctl status credd, "
                                  "or ask credctl doctor",
                                  context->socket);
        default:
                return words_fail(OUTCOME_UNREACHABLE, "no connection to %s: %s", context->socket,
                                  strerror(-error));
        }
}

static int unreachable(const Context *context, const Call *call, int error)
{
        return call->silent ? OUTCOME_UNREACHABLE : connection_say_unreachable(context, error);
}

static int say_unanswered(const Call *call, int error)
{
        const char *how =
                error == -ETIMEDOUT ? "gave no answer in time" : "closed without an answer";

        if (call->silent)
                return call->changes ? OUTCOME_UNKNOWN : OUTCOME_UNREACHABLE;
        if (!call->changes)
                return words_fail(OUTCOME_UNREACHABLE, "credd %s; see systemctl status credd", how);
        return words_fail(OUTCOME_UNKNOWN,
                          "credd %s, so this may or may not have been done: look again with "
                          "credctl list --all",
                          how);
}

/* *ret_text lies in frame. */
static int exchange(const Context *context, const Call *call, const char *text, Frame *frame,
                    char **ret_text, size_t *ret_len)
{
        uint64_t deadline = client_deadline_usec(LIMIT_USEC);
        AUTO_CLOSE int fd = client_connect(context->socket, deadline);
        int r;

        if (fd < 0)
                return unreachable(context, call, fd);
        r = client_send(fd, text, strlen(text), deadline);
        /* Who is turned away has been told why before anything was asked. */
        if (r == -EPIPE && client_receive(fd, frame, deadline, ret_text, ret_len) == 0)
                return 0;
        if (r < 0)
                return unreachable(context, call, r);
        r = client_receive(fd, frame, deadline, ret_text, ret_len);
        if (r == -EMSGSIZE)
                return -EBADMSG;
        if (r == -ENOMEM)
                return r;
        return r < 0 ? say_unanswered(call, r) : 0;
}

static bool is_tolerated(const Call *call, const char *error)
{
        if (call->all_tolerated)
                return true;
        return call->tolerated && strncmp(error, INTERFACE ".", strlen(INTERFACE ".")) == 0 &&
               strcmp(error + strlen(INTERFACE "."), call->tolerated) == 0;
}

static int encode(const char *method, json_t *parameters, bool more, char **ret_text)
{
        AUTO_FREE char *text = NULL;
        char name[64];

        snprintf(name, sizeof name, INTERFACE ".%s", method);
        text = varlink_call_encode(name, parameters, more);
        if (!text)
                return -ENOMEM;
        if (strlen(text) > VARLINK_CALL_MAX) {
                (void)words_fail(OUTCOME_USAGE, "that is more than credd takes in one call");
                return OUTCOME_USAGE;
        }
        *ret_text = take_ptr(text);
        return 0;
}

int connection_call(const Context *context, const Call *call, json_t **ret_reply)
{
        CLEANUP(frame_done) Frame frame;
        CLEANUP(varlink_reply_done) VarlinkReply reply = {0};
        AUTO_FREE char *text = NULL;
        char *answer = NULL;
        size_t len = 0;
        int r;

        frame_init(&frame, VARLINK_REPLY_MAX);
        r = encode(call->method, call->parameters, false, &text);
        if (r == 0)
                r = exchange(context, call, text, &frame, &answer, &len);
        if (r != 0)
                return r;
        r = varlink_reply_decode(answer, len, &reply);
        if (r < 0)
                return r;
        if (reply.error && is_tolerated(call, reply.error)) {
                *ret_reply = NULL;
                return 0;
        }
        if (reply.error)
                return refusal_say(&reply, context->verb);
        *ret_reply = reply.parameters ? json_incref(reply.parameters) : json_object();
        return *ret_reply ? 0 : -ENOMEM;
}

/* 1: the next is to come. */
static int take_part(const Context *context, int fd, Frame *frame,
                     int (*each)(void *userdata, const json_t *parameters), void *userdata)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = {0};
        char *text = NULL;
        size_t len = 0;
        int r;

        r = client_receive(fd, frame, client_deadline_usec(STREAM_LIMIT_USEC), &text, &len);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return r == -EMSGSIZE ? -EBADMSG
                                      : say_unanswered(&(const Call){.changes = false}, r);
        r = varlink_reply_decode(text, len, &reply);
        if (r < 0)
                return r;
        if (reply.error)
                return refusal_say(&reply, context->verb);
        r = each(userdata, reply.parameters);
        return r == 0 && reply.continues ? MORE : r;
}

int connection_stream(const Context *context, const char *method,
                      int (*each)(void *userdata, const json_t *parameters), void *userdata)
{
        CLEANUP(frame_done) Frame frame;
        AUTO_FREE char *name = NULL, *text = NULL;
        AUTO_CLOSE int fd = -1;
        uint64_t deadline = client_deadline_usec(LIMIT_USEC);
        int r;

        frame_init(&frame, VARLINK_REPLY_MAX);
        if (asprintf(&name, INTERFACE ".%s", method) < 0)
                return -ENOMEM;
        text = varlink_call_encode(name, NULL, true);
        if (!text)
                return -ENOMEM;
        fd = client_connect(context->socket, deadline);
        if (fd < 0)
                return connection_say_unreachable(context, fd);
        /* who is turned away is told so before anything was asked */
        r = client_send(fd, text, strlen(text), deadline);
        if (r < 0 && r != -EPIPE)
                return connection_say_unreachable(context, r);
        do
                r = take_part(context, fd, &frame, each, userdata);
        while (r == MORE);
        return r;
}

int connection_read(const Context *context, const char *method, json_t *parameters,
                    json_t **ret_reply)
{
        const Call call = {.method = method, .parameters = parameters};

        return connection_call(context, &call, ret_reply);
}

int connection_change(const Context *context, const char *method, json_t *parameters,
                      json_t **ret_reply)
{
        const Call call = {.method = method, .changes = true, .parameters = parameters};

        return connection_call(context, &call, ret_reply);
}

int connection_read_pages(const Context *context, const char *method, const char *member,
                          json_t *parameters, json_t **ret_records)
{
        json_auto_t *records = json_array();
        uint64_t after = 0, next;
        bool more = true;

        while (more) {
                json_auto_t *reply = NULL;
                json_t *page;
                int r = connection_read(context, method, parameters, &reply);

                if (r != 0)
                        return r;
                r = record_member(reply, member, JSON_ARRAY, &page);
                if (r < 0)
                        return r;
                if (json_array_extend(records, page) < 0)
                        return -ENOMEM;
                more = record_number(reply, "next", &next);
                /* A position that does not move on would be asked for ever. */
                if (more && next <= after)
                        return -EBADMSG;
                if (more &&
                    json_object_set_new(parameters, "after", json_integer((json_int_t)next)) < 0)
                        return -ENOMEM;
                after = more ? next : after;
        }
        *ret_records = take_ptr(records);
        return 0;
}

/* --- replies without end --- */

/* Until there is something to read. Whoever reads what we write may leave meanwhile, which the next line
 * would show; but that may be a day away. */
static int wait_for_reply(int fd)
{
        struct pollfd entries[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};

        while (poll(entries, ELEMENTSOF(entries), -1) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!(entries[1].revents & POLLERR))
                return 0;
        (void)raise(SIGPIPE);
        return words_fail(OUTCOME_FAILED, "nobody reads the standard output any more");
}

/* One reply. *ret_last: it is the last one, or there is none for the connection is lost. */
static int take_reply(const Context *context, const Follow *follow, int fd, Frame *frame,
                      int *ret_lost, bool *ret_last)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = {0};
        char *answer = NULL;
        size_t len = 0;
        int r;

        r = frame_pending(frame) > 0 ? 0 : wait_for_reply(fd);
        if (r != 0)
                return r;
        r = client_receive(fd, frame, client_deadline_usec(LIMIT_USEC), &answer, &len);
        if (r < 0 && r != -EMSGSIZE && r != -ENOMEM) {
                *ret_lost = r;
                *ret_last = true;
                return 0;
        }
        if (r == 0)
                r = varlink_reply_decode(answer, len, &reply);
        if (r < 0)
                return r == -EMSGSIZE ? -EBADMSG : r;
        if (reply.error)
                return refusal_say(&reply, context->verb);
        *ret_last = !reply.continues;
        return follow->each(follow->userdata, reply.parameters);
}

int connection_follow(const Context *context, const Follow *follow, int *ret_lost)
{
        CLEANUP(frame_done) Frame frame;
        AUTO_FREE char *text = NULL;
        AUTO_CLOSE int fd = -1;
        uint64_t deadline = client_deadline_usec(LIMIT_USEC);
        bool last = false;
        int r, lost = 0;

        frame_init(&frame, VARLINK_REPLY_MAX);
        r = encode(follow->method, follow->parameters, true, &text);
        if (r != 0)
                return r;
        fd = client_connect(context->socket, deadline);
        lost = fd < 0 ? fd : client_send(fd, text, strlen(text), deadline);
        while (r == 0 && lost == 0 && !last)
                r = take_reply(context, follow, fd, &frame, &lost, &last);
        *ret_lost = lost;
        return r;
}
