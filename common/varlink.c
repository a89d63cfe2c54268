/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Varlink messages between text and JSON values. Strict, because what two readers understand
 * differently is how a check is walked around: one value a key, known members only, each of its one
 * type, names by varlink's grammar. Strings hold no NUL; jansson refuses "\u0000" unless asked.
 * Left out: "upgrade", what parameters mean, and erasing secrets, which jansson cannot do. */
#include "common/varlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 255

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
        return is_letter(c) || (c >= '0' && c <= '9');
}

/* [A-Z][A-Za-z0-9]* */
static bool member_valid(const char *name)
{
        if (*name < 'A' || *name > 'Z')
                return false;
        while (is_alnum(*name))
                name++;
        return *name == '\0';
}

/* [A-Za-z](-*[A-Za-z0-9])* and at least one more such element, which may begin with a digit, after
 * a dot. *end is a dot as well. */
static bool interface_valid(const char *name, const char *end)
{
        size_t dots = 0;

        if (!is_letter(*name))
                return false;
        for (const char *at = name; at < end; at++) {
                if (*at == '.') {
                        dots++;
                        if (!is_alnum(at[1]))
                                return false;
                } else if (*at == '-') {
                        if (at[1] == '.')
                                return false;
                } else if (!is_alnum(*at)) {
                        return false;
                }
        }
        return dots > 0;
}

/* The name of a method or an error: interface, dot, member. */
static bool name_valid(const char *name)
{
        const char *dot = strrchr(name, '.');

        return dot && strlen(name) <= NAME_MAX_LEN && member_valid(dot + 1) &&
               interface_valid(name, dot);
}

static int load_object(const char *text, size_t len, size_t max, json_t **ret_root)
{
        json_auto_t *root = NULL;

        if (len > max)
                return -EBADMSG;
        errno = 0; /* jansson tells want of memory by malloc's errno alone */
        root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        if (!root)
                return errno == ENOMEM ? -ENOMEM : -EBADMSG;
        if (!json_is_object(root))
                return -EBADMSG;
        *ret_root = take_ptr(root);
        return 0;
}

static int read_name(json_t *value, const char **ret_name)
{
        const char *name = json_string_value(value);

        if (!name || !name_valid(name))
                return -EBADMSG;
        *ret_name = name;
        return 0;
}

static int read_object(json_t *value, json_t **ret_object)
{
        if (!json_is_object(value))
                return -EBADMSG;
        *ret_object = value;
        return 0;
}

static int read_bool(json_t *value, bool *ret_bool)
{
        if (!json_is_boolean(value))
                return -EBADMSG;
        *ret_bool = json_is_true(value);
        return 0;
}

static int read_call_member(const char *key, json_t *value, VarlinkCall *call)
{
        if (strcmp(key, "method") == 0)
                return read_name(value, &call->method);
        if (strcmp(key, "parameters") == 0)
                return read_object(value, &call->parameters);
        if (strcmp(key, "more") == 0)
                return read_bool(value, &call->more);
        if (strcmp(key, "oneway") == 0)
                return read_bool(value, &call->oneway);
        if (strcmp(key, "upgrade") == 0)
                return json_is_false(value) ? 0 : -EBADMSG;
        return -EBADMSG;
}

int varlink_call_decode(const char *text, size_t len, VarlinkCall *ret_call)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {};
        const char *key;
        json_t *value;
        int r;

        r = load_object(text, len, VARLINK_CALL_MAX, &call.root);
        if (r < 0)
                return r;
        json_object_foreach (call.root, key, value) {
                r = read_call_member(key, value, &call);
                if (r < 0)
                        return r;
        }
        if (!call.method || (call.more && call.oneway))
                return -EBADMSG;

        *ret_call = call;
        call = (VarlinkCall){};
        return 0;
}

void varlink_call_done(VarlinkCall *call)
{
        json_decref(call->root);
        *call = (VarlinkCall){};
}

static int read_reply_member(const char *key, json_t *value, VarlinkReply *reply)
{
        if (strcmp(key, "error") == 0)
                return read_name(value, &reply->error);
        if (strcmp(key, "parameters") == 0)
                return read_object(value, &reply->parameters);
        if (strcmp(key, "continues") == 0)
                return read_bool(value, &reply->continues);
        return -EBADMSG;
}

int varlink_reply_decode(const char *text, size_t len, VarlinkReply *ret_reply)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = {};
        const char *key;
        json_t *value;
        int r;

        r = load_object(text, len, VARLINK_REPLY_MAX, &reply.root);
        if (r < 0)
                return r;
        json_object_foreach (reply.root, key, value) {
                r = read_reply_member(key, value, &reply);
                if (r < 0)
                        return r;
        }
        /* An error is always the last reply. */
        if (reply.error && reply.continues)
                return -EBADMSG;

        *ret_reply = reply;
        reply = (VarlinkReply){};
        return 0;
}

void varlink_reply_done(VarlinkReply *reply)
{
        json_decref(reply->root);
        *reply = (VarlinkReply){};
}

/* Parameters are written even when there are none: one shape for those who read. root may be NULL,
 * for want of memory. */
static char *dump_with(json_t *root, json_t *parameters)
{
        json_t *value = parameters ? json_incref(parameters) : json_object();

        if (json_object_set_new(root, "parameters", value) < 0)
                return NULL;
        return json_dumps(root, JSON_COMPACT);
}

char *varlink_call_encode(const char *method, json_t *parameters, bool more)
{
        json_auto_t *root = NULL;

        root = json_pack("{s:s, s:o*}", "method", method, "more", more ? json_true() : NULL);
        return dump_with(root, parameters);
}

char *varlink_reply_encode(json_t *parameters, bool continues)
{
        json_auto_t *root = NULL;

        root = json_pack("{s:o*}", "continues", continues ? json_true() : NULL);
        return dump_with(root, parameters);
}

char *varlink_error_encode(const char *error, json_t *parameters)
{
        json_auto_t *root = NULL;
        char *text;

        /* What a refused login is told; a name has nothing in it that JSON would escape. */
        if (!parameters && name_valid(error))
                return asprintf(&text, "{\"error\":\"%s\",\"parameters\":{}}", error) < 0 ? NULL
                                                                                          : text;
        root = json_pack("{s:s}", "error", error);
        return dump_with(root, parameters);
}
