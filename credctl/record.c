/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading only. The JSON that credctl prints is made in output.c. Nothing here is cleaned: whatever
 * shows it does that (words.c, output.c, table.c). */
#include "credctl/record.h"

#include <inttypes.h>
#include <stdio.h>

int record_member(const json_t *record, const char *name, json_type type, json_t **ret)
{
        json_t *member = json_object_get(record, name);

        if (!member || json_typeof(member) != type)
                return -EBADMSG;
        *ret = member;
        return 0;
}

const char *record_text(const json_t *record, const char *name)
{
        return json_string_value(json_object_get(record, name));
}

const char *record_text_or(const json_t *record, const char *name, const char *otherwise)
{
        const char *text = record_text(record, name);

        return text ? text : otherwise;
}

const char *record_actor(const json_t *record, const char *name)
{
        return record_text(json_object_get(record, name), "name");
}

bool record_number(const json_t *record, const char *name, uint64_t *ret)
{
        const json_t *member = json_object_get(record, name);

        if (!json_is_integer(member) || json_integer_value(member) < 0)
                return false;
        *ret = (uint64_t)json_integer_value(member);
        return true;
}

uint64_t record_number_or(const json_t *record, const char *name, uint64_t otherwise)
{
        uint64_t number;

        return record_number(record, name, &number) ? number : otherwise;
}

const char *record_join(const json_t *texts, char buffer[static RECORD_TEXT_MAX])
{
        size_t fill = 0, i;
        json_t *text;

        buffer[0] = '\0';
        json_array_foreach (texts, i, text) {
                int len = snprintf(buffer + fill, RECORD_TEXT_MAX - fill, "%s%s", fill ? " " : "",
                                   json_is_string(text) ? json_string_value(text) : "?");

                if (len < 0 || (size_t)len >= RECORD_TEXT_MAX - fill)
                        break;
                fill += (size_t)len;
        }
        return buffer;
}

const char *record_uses(const json_t *credential, char buffer[static RECORD_TEXT_MAX])
{
        uint64_t uses = record_number_or(credential, "uses", 0);
        uint64_t left = record_number_or(credential, "uses_left", 0);

        snprintf(buffer, RECORD_TEXT_MAX, "%" PRIu64 "/%" PRIu64, uses > left ? uses - left : 0,
                 uses);
        return buffer;
}

const char *record_moment_cell(const Context *context, const json_t *record, const char *name,
                               char buffer[static WHEN_TEXT_MAX])
{
        uint64_t usec;

        if (!record_number(record, name, &usec))
                return NULL;
        return context->stdout_terminal ? when_relative(usec, context->now_real_usec, buffer)
                                        : when_format(usec, WHEN_WORD, buffer);
}

const char *record_moment_exactly(const json_t *record, const char *name,
                                  char buffer[static WHEN_TEXT_MAX])
{
        uint64_t usec;

        return record_number(record, name, &usec) ? when_format(usec, WHEN_LOCAL, buffer) : NULL;
}

const char *record_moment(const Context *context, const json_t *record, const char *name,
                          char buffer[static RECORD_TEXT_MAX])
{
        char moment[WHEN_TEXT_MAX], distance[WHEN_TEXT_MAX];
        uint64_t usec;

        if (!record_number(record, name, &usec) || !when_format(usec, WHEN_LOCAL, moment))
                snprintf(buffer, RECORD_TEXT_MAX, "-");
        else
                snprintf(buffer, RECORD_TEXT_MAX, "%s (%s)", moment,
                         when_relative(usec, context->now_real_usec, distance));
        return buffer;
}
