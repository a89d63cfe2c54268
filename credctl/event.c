/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By field, not by event: a kind of event that this credctl does not know reads as well as one that
 * it knows. The order of the table is that of the words on the line. */
#include "credctl/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "credctl/record.h"

#define NAME_WIDTH 24 /* of credential-deprovisioned */

typedef struct Phrase {
        const char *field, *before, *after; /* before NULL: not shown */
} Phrase;

static const Phrase phrases[] = {
        {"user", NULL, NULL},
        {"uid", NULL, NULL},
        {"role", NULL, NULL},
        {"holder", NULL, NULL},
        {"evidence", NULL, NULL},
        {"verdict", "", ""},
        {"by_usec", "by ", ""},
        {"left_usec", "", " left"},
        {"actor", "by ", ""},
        {"actor_uid", "uid ", ""},
        {"actor_loginuid", "logged in as uid ", ""},
        {"session", "session ", ""},
        {"service", "through ", ""},
        {"rhost", "from ", ""},
        {"tty", "on ", ""},
        {"leader", "leader ", ""},
        {"pid", "process ", ""},
        {"asked_uid", "for uid ", ""},
        {"ttl_usec", "for ", ""},
        {"approvals", "approvals: ", ""},
        {"deadline", "until ", ""},
        {"ceiling", "never beyond ", ""},
        {"uses", "uses: ", ""},
        {"late_usec", "", " after the deadline"},
        {"sessions", "sessions: ", ""},
        {"unspent", "unspent credentials: ", ""},
        {"end_sessions", "sessions ended: ", ""},
        {"count", "times: ", ""},
        {"reason", "reason: ", ""},
};

typedef struct Line {
        char *buffer;
        size_t fill, parts;
} Line;

__attribute__((format(printf, 2, 3))) static void append(Line *line, const char *format, ...)
{
        size_t room = EVENT_TEXT_MAX - line->fill;
        va_list values;
        int len;

        va_start(values, format);
        len = vsnprintf(line->buffer + line->fill, room, format, values);
        va_end(values);
        if (len > 0)
                line->fill += (size_t)len < room ? (size_t)len : room - 1;
}

static bool ends_with(const char *text, const char *end)
{
        size_t len = strlen(text), end_len = strlen(end);

        return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A length, with the sign it may have; NULL: it is none. */
static const char *length_words(const char *value, char buffer[static WHEN_TEXT_MAX])
{
        char length[DURATION_TEXT_MAX], *end;
        size_t sign = *value == '-' || *value == '+';
        uint64_t usec;

        if (value[sign] < '0' || value[sign] > '9')
                return NULL;
        errno = 0;
        usec = strtoull(value + sign, &end, 10);
        if (*end || errno)
                return NULL;
        snprintf(buffer, WHEN_TEXT_MAX, "%.*s%s", (int)sign, value, duration_format(usec, length));
        return buffer;
}

/* A length or a moment as people read it, in buffer; anything else as it is. */
static const char *value_words(const char *name, const char *value,
                               char buffer[static WHEN_TEXT_MAX])
{
        uint64_t usec;

        if (ends_with(name, "_usec"))
                return length_words(value, buffer) ?: value;
        if (strchr(value, 'T') && ends_with(value, "Z") && when_parse(value, 0, &usec) == 0)
                return when_format(usec, WHEN_LOCAL, buffer) ? buffer : value;
        return value;
}

static const Phrase *find_phrase(const char *field)
{
        for (size_t i = 0; i < ELEMENTSOF(phrases); i++)
                if (strcmp(phrases[i].field, field) == 0)
                        return &phrases[i];
        return NULL;
}

/* The first part stands where the longest name of an event would leave off. */
static void begin_part(Line *line)
{
        if (line->parts++ > 0)
                append(line, ", ");
        else
                append(line, "%*s  ", line->fill < NAME_WIDTH ? (int)(NAME_WIDTH - line->fill) : 0,
                       "");
}

static void append_known(Line *line, const json_t *fields)
{
        for (size_t i = 0; i < ELEMENTSOF(phrases); i++) {
                const char *value = record_text(fields, phrases[i].field);
                char words[WHEN_TEXT_MAX];

                if (!value || !phrases[i].before)
                        continue;
                begin_part(line);
                append(line, "%s%s%s", phrases[i].before,
                       value_words(phrases[i].field, value, words), phrases[i].after);
        }
}

static void append_unknown(Line *line, const json_t *fields)
{
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)fields, name, value) {
                char words[WHEN_TEXT_MAX];

                if (find_phrase(name))
                        continue;
                begin_part(line);
                append(line, "%s=%s", name,
                       json_is_string(value) ? value_words(name, json_string_value(value), words)
                                             : "?");
        }
}

const char *event_words(const json_t *event, char buffer[static EVENT_TEXT_MAX])
{
        const json_t *fields = json_object_get(event, "fields");
        Line line = {.buffer = buffer};

        append(&line, "%s", record_text_or(event, "event", "?"));
        append_known(&line, fields);
        append_unknown(&line, fields);
        return buffer;
}
