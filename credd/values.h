/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the values of configuration files may be. Each function is a setter of IniKey: it writes at the
 * key's offset of the target, or names the mistake and writes nothing. */
#pragma once

#include "credd/config.h"
#include "credd/ini.h"

#define VALUE_MINUTE  (60 * USEC_PER_SEC)
#define VALUE_HOUR    (60 * VALUE_MINUTE)
#define VALUE_DAY     (24 * VALUE_HOUR)
#define VALUE_LONGEST (36500 * VALUE_DAY)

/* uint64_t, microseconds from min to max */
void value_duration(Ini *ini, const IniKey *key, const char *value);
/* int64_t from min to max */
void value_number(Ini *ini, const IniKey *key, const char *value);
/* bool */
void value_boolean(Ini *ini, const IniKey *key, const char *value);
/* char *, one line of at most max bytes; takes the place of nothing */
void value_text(Ini *ini, const IniKey *key, const char *value);
/* Principals: users and @groups, looked up now */
void value_principals(Ini *ini, const IniKey *key, const char *value);

/* Up to CONFIG_WARN_MAX lengths, the longest first. None at all: nobody is warned. */
void value_warn(Ini *ini, const IniKey *key, const char *value,
                uint64_t ret_usec[static CONFIG_WARN_MAX], size_t *ret_n);
