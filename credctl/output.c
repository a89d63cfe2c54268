/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines for people and JSON for programs. In JSON moments are cut down to the second: jq's fromdate
 * and others take no fractions, and the microseconds stand beside them. */
#include "credctl/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/secret.h"
#include "common/cleanup.h"
#include "credctl/when.h"
#include "credctl/words.h"

#define SCHEMA 1
#define LEAST  20 /* columns, for text beside a label, however narrow the terminal */

/* Lengths of time; every other member in _usec is a moment. */
static const char *const lengths[] = {"ttl_usec",         "session_ttl_usec", "left_usec",
                                      "late_usec",        "by_usec",          "lateness_usec",
                                      "lived_usec",       "lasted_usec",      "lifetime_usec",
                                      "long_lived_usec",  "default_ttl_usec", "max_ttl_usec",
                                      "max_lifetime_usec"};

/* What may be absent from a record, by a member that only such a record has. */
static const struct {
        const char *mark;
        const char *absent[12];
} optional[] = {
        {"uses_left",
         {"role", "holder", "reason", "session_ttl_usec", "end_reason", "ended_by", "receipt",
          "request"}},
        {"opened_usec", {"rhost", "tty", "session", "left_usec", "ended_usec"}},
        {"leader_sign", {"session"}},
        {"name", {"loginuid"}},
};

const char *output_colour(Style style)
{
        static const char *const colours[STYLE_MAX] = {
                [STYLE_HEADING] = "\033[1m",  [STYLE_GOOD] = "\033[32m", [STYLE_ALARM] = "\033[31m",
                [STYLE_WARNING] = "\033[33m", [STYLE_FAINT] = "\033[2m",
        };

        return colours[style];
}

void output_line(const Context *context, Style style, const char *format, ...)
{
        char line[WORDS_LINE_MAX];
        const char *colour = context->colour ? output_colour(style) : NULL;
        va_list values;

        va_start(values, format);
        words_format(line, format, values);
        va_end(values);
        printf("%s%s%s\n", colour ? colour : "", line, colour ? "\033[0m" : "");
}

size_t output_piece(const char *text, size_t room)
{
        size_t len = strlen(text), at = room;

        if (len <= room)
                return len;
        while (at > 0 && text[at] != ' ')
                at--;
        if (at > 0)
                return at;
        for (at = room; at > 1 && ((unsigned char)text[at] & 0xc0) == 0x80;)
                at--;
        return at;
}

void output_item(const Context *context, Style style, int indent, const char *label,
                 const char *text)
{
        int room = indent > 0 ? indent - 1 : 0;
        size_t width = context->columns > (unsigned)indent + LEAST
                               ? context->columns - (unsigned)indent
                               : LEAST;

        if (!context->stdout_terminal) {
                output_line(context, style, "%-*s%s%s", room, label, indent > 0 ? " " : "", text);
                return;
        }
        while (*(text += strspn(text, " "))) {
                int len = (int)output_piece(text, width);

                output_line(context, style, "%-*s%s%.*s", room, label, indent > 0 ? " " : "", len,
                            text);
                text += len;
                label = "";
        }
}

void output_paragraph(const Context *context, int indent, const char *text)
{
        output_item(context, STYLE_PLAIN, indent, "", text);
}

int output_flush(void)
{
        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        return errno ? -errno : -EIO;
}

static int write_all(const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(STDOUT_FILENO, bytes, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                len -= (size_t)n;
        }
        return 0;
}

int output_secret(const char *text)
{
        int r = output_flush();

        if (r == 0)
                r = write_all(text, strlen(text));
        return r == 0 ? write_all("\n", 1) : r;
}

static bool is_moment(const char *name, const json_t *value)
{
        size_t len = strlen(name);

        if (len <= 5 || strcmp(name + len - 5, "_usec") != 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(lengths); i++)
                if (strcmp(name, lengths[i]) == 0)
                        return false;
        return json_is_integer(value) || json_is_null(value);
}

static int add_moment(json_t *made, const char *name, const json_t *value)
{
        char text[WHEN_TEXT_MAX], short_name[64];
        json_t *moment;

        if (json_is_integer(value) && json_integer_value(value) >= 0 &&
            when_format((uint64_t)json_integer_value(value), WHEN_UTC, text))
                moment = json_string(text);
        else
                moment = json_null();
        snprintf(short_name, sizeof short_name, "%.*s", (int)strlen(name) - 5, name);
        return json_object_set_new(made, short_name, moment);
}

static json_t *made_array(const json_t *array)
{
        json_auto_t *made = json_array();
        json_t *value;
        size_t i;

        json_array_foreach (array, i, value) {
                if (json_array_append_new(made, output_record(value)) < 0)
                        return NULL;
        }
        return take_ptr(made);
}

static int add_absent(json_t *made)
{
        for (size_t i = 0; i < ELEMENTSOF(optional); i++) {
                if (!json_object_get(made, optional[i].mark))
                        continue;
                for (const char *const *name = optional[i].absent; *name; name++) {
                        if (json_object_get(made, *name))
                                continue;
                        if (is_moment(*name, json_null()) && add_moment(made, *name, NULL) < 0)
                                return -ENOMEM;
                        if (json_object_set_new(made, *name, json_null()) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

json_t *output_record(const json_t *record)
{
        json_auto_t *made = NULL;
        const char *name;
        json_t *value;

        if (json_is_array(record))
                return made_array(record);
        if (!json_is_object(record))
                return json_incref((json_t *)record);
        made = json_object();
        /* The cast is jansson's: its iterators want what they do not change. */
        json_object_foreach ((json_t *)record, name, value) {
                /* An event's fields are texts under names of their own. */
                if (strcmp(name, "fields") == 0) {
                        if (json_object_set(made, name, value) < 0)
                                return NULL;
                        continue;
                }
                if (is_moment(name, value) && add_moment(made, name, value) < 0)
                        return NULL;
                if (json_object_set_new(made, name, output_record(value)) < 0)
                        return NULL;
        }
        return add_absent(made) < 0 ? NULL : take_ptr(made);
}

static int write_json(const Context *context, const char *member, const json_t *value, size_t flags)
{
        json_auto_t *object = NULL;
        AUTO_FREE char *text = NULL;
        json_t *made = output_record(value);
        int r;

        if (!made)
                return -ENOMEM;
        object = json_pack("{s:i, s:o}", "schema", SCHEMA, member, made);
        if (!object)
                return -ENOMEM;
        /* A terminal must not see U+009B as itself; a file may. */
        text = json_dumps(object, flags | (context->stdout_terminal ? JSON_ENSURE_ASCII : 0));
        if (!text)
                return -ENOMEM;
        r = output_secret(text);
        secret_erase(text, strlen(text));
        return r;
}

int output_json(const Context *context, const char *member, json_t *value)
{
        return write_json(context, member, value, JSON_INDENT(2));
}

int output_json_line(const Context *context, const char *member, const json_t *value)
{
        return write_json(context, member, value, JSON_COMPACT);
}
