/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of configuration files as text, and what is said of those that are none. */
#include "credd/values.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "credd/credential.h"
#include "credd/principals.h"

static void *place(const Ini *ini, const IniKey *key)
{
        return (char *)ini->target + key->offset;
}

void value_duration(Ini *ini, const IniKey *key, const char *value)
{
        char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX];
        uint64_t usec;
        int r = duration_parse(value, &usec);

        if (r < 0 && r != -ERANGE)
                ini_mistake(ini, ini->line, key->name,
                            "\"%s\" is no duration; write it like 90s, 15min or 1h 30min", value);
        else if (r < 0 || usec < key->min || usec > key->max)
                ini_mistake(ini, ini->line, key->name, "%s is out of range; from %s to %s", value,
                            duration_format(key->min, min), duration_format(key->max, max));
        else
                memcpy(place(ini, key), &usec, sizeof(usec));
}

void value_number(Ini *ini, const IniKey *key, const char *value)
{
        size_t n = strspn(value, "0123456789");
        uint64_t number = UINT64_MAX;
        int64_t taken;

        if (n > 0 && n < 10 && !value[n])
                number = strtoull(value, NULL, 10);
        if (number < key->min || number > key->max) {
                ini_mistake(ini, ini->line, key->name,
                            "\"%s\" is no whole number from %" PRIu64 " to %" PRIu64, value,
                            key->min, key->max);
                return;
        }
        taken = (int64_t)number;
        memcpy(place(ini, key), &taken, sizeof(taken));
}

void value_boolean(Ini *ini, const IniKey *key, const char *value)
{
        static const char *const words[][2] = {
                {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (size_t j = 0; j < 2; j++)
                        if (strcasecmp(value, words[i][j]) == 0) {
                                bool yes = j == 1;

                                memcpy(place(ini, key), &yes, sizeof(yes));
                                return;
                        }
        ini_mistake(ini, ini->line, key->name, "\"%s\" is neither yes nor no", value);
}

void value_text(Ini *ini, const IniKey *key, const char *value)
{
        char **text = place(ini, key);

        if (!text_valid(value, key->max)) {
                ini_mistake(ini, ini->line, key->name,
                            "not 1 to %" PRIu64 " bytes; shorten it, or leave the key out",
                            key->max);
                return;
        }
        *text = strdup(value); /* its owner frees it */
        if (!*text)
                ini_mistake(ini, ini->line, key->name, "%s", strerror(ENOMEM));
}

static void say_no_principal(Ini *ini, const IniKey *key, const char *word, int r)
{
        const char *kind = *word == '@' ? "group" : "user";

        if (r == -EINVAL)
                ini_mistake(ini, ini->line, key->name,
                            "\"%s\" is no name; write users as carol and groups as @sre, with "
                            "spaces between them",
                            word);
        else if (r == -ENOENT)
                ini_mistake(ini, ini->line, key->name,
                            "there is no %s %s; create it, or take it out of the line", kind, word);
        else
                ini_mistake(ini, ini->line, key->name, "the %s %s could not be looked up: %s", kind,
                            word, strerror(-r));
}

void value_principals(Ini *ini, const IniKey *key, const char *value)
{
        AUTO_FREE char *copy = strdup(value);
        Principals *principals = place(ini, key);
        char *word, *rest = copy;
        int r;

        principals->text = strdup(value);
        if (!copy || !principals->text)
                ini_mistake(ini, ini->line, key->name, "%s", strerror(ENOMEM));
        while (copy && (word = strtok_r(rest, " ", &rest))) {
                r = principals_add(principals, word);
                if (r < 0)
                        say_no_principal(ini, key, word, r);
        }
}

void value_warn(Ini *ini, const IniKey *key, const char *value,
                uint64_t ret_usec[static CONFIG_WARN_MAX], size_t *ret_n)
{
        AUTO_FREE char *copy = strdup(value);
        uint64_t usec[CONFIG_WARN_MAX] = {0}, last = USEC_INFINITY, one;
        char *word, *rest = copy;
        size_t n = 0;

        while (copy && (word = strtok_r(rest, " ", &rest))) {
                if (n == CONFIG_WARN_MAX || duration_parse(word, &one) < 0 || one < key->min ||
                    one > key->max || one >= last) {
                        ini_mistake(ini, ini->line, key->name,
                                    "\"%s\" is not at most %d lengths of 1s to 1d, the longest "
                                    "first; for example 5min 1min",
                                    value, CONFIG_WARN_MAX);
                        return;
                }
                usec[n++] = last = one;
        }
        memcpy(ret_usec, usec, n * sizeof(usec[0]));
        *ret_n = n;
}
