/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the files events*.c fill an event in; for them alone. */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/moment.h"
#include "credd/events.h"

static inline void put(json_t *fields, const char *name, const char *value)
{
        if (value && *value)
                (void)json_object_set_new(fields, name, json_string(value));
}

__attribute__((format(printf, 3, 4))) static inline void
put_format(json_t *fields, const char *name, const char *format, ...)
{
        char value[96];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(value, sizeof(value), format, arguments);
        va_end(arguments);
        put(fields, name, value);
}

static inline void put_moment(json_t *fields, const Events *events, const char *name,
                              uint64_t line_usec)
{
        char text[MOMENT_TEXT_MAX];

        put(fields, name, moment_format_utc(clock_to_real_usec(events->clock, line_usec), text));
}

static inline void put_actor(json_t *fields, const Actor *actor)
{
        if (actor->name[0])
                put(fields, "actor", actor->name);
        else
                put_format(fields, "actor", "uid %u", actor->uid);
        put_format(fields, "actor_uid", "%u", actor->uid);
        if (actor->loginuid != UID_NONE)
                put_format(fields, "actor_loginuid", "%u", actor->loginuid);
}

static inline void put_user(json_t *fields, const char *user, uid_t uid)
{
        put(fields, "user", user);
        put_format(fields, "uid", "%u", uid);
}

static inline json_t *of_credential(const Credential *credential)
{
        json_t *fields = json_object();

        put_user(fields, credential->user, credential->uid);
        put(fields, "role", credential->role);
        put(fields, "holder", credential->holder);
        if (credential->kind != KIND_TOKEN)
                put(fields, "kind", credential_kind_to_string(credential->kind));
        return fields;
}

/* Takes the fields. */
static inline int add(Events *events, EventKind kind, int64_t num, json_t *fields)
{
        json_auto_t *owned = fields;
        AUTO_FREE char *text = fields ? json_dumps(fields, JSON_COMPACT) : NULL;

        if (!text)
                return -ENOMEM;
        if (events->tally)
                events->tally->events[kind]++;
        return store_add_event(events->store, event_name(kind), num, text);
}
