/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration file of one section, read strictly by a table of keys; inih, fenced. What is wrong is
 * named line by line, and nothing is read from a file that another than its owner could have
 * written. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#define INI_KEYS_MAX  24
#define INI_DIGEST    65          /* BLAKE2b-256 in hexadecimal, as b2sum -l 256 says it */
#define INI_ANY_OWNER ((uid_t)-1) /* nobody relies on what is read */

typedef struct Ini Ini;

typedef struct IniKey {
        const char *name;
        /* Reads the value into the target, or names the mistake. */
        void (*set)(Ini *ini, const struct IniKey *key, const char *value);
        size_t offset; /* in the target */
        uint64_t min, max;
} IniKey;

struct Ini {
        const char *path; /* as mistakes name it */
        const char *section;
        const IniKey *keys;
        size_t n_keys;
        void *target;
        FILE *mistakes;

        /* Since ini_load(): */
        unsigned n_mistakes;
        unsigned line;                /* the one being read */
        unsigned given[INI_KEYS_MAX]; /* the line where a key stands, 0: nowhere */
        char digest[INI_DIGEST];      /* of the file, byte for byte */

        char *text; /* ini.c's own */
        size_t size, at;
};

void ini_done(Ini *ini);

/* One line "PATH:LINE: KEY: text"; line 0: the file as a whole; key NULL: no key. */
void ini_mistake(Ini *ini, unsigned line, const char *key, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* Who can write here decides who may log in: names what is wrong with the owner and the mode. */
void ini_check_owner(Ini *ini, const char *what, const struct stat *st, uid_t owner);

/* Reads the file of that name. -ENOENT: there is none, and no mistake so far; -EINVAL: n_mistakes of
 * them have been named, one that it cannot be read among them. */
int ini_load(Ini *ini, int folder_fd, const char *name, uid_t owner);

/* The first n keys are lengths of time of which none may be longer than the next. Names the one of
 * two that the file gives. elsewhere: where those come from that it does not give, as " of
 * credd.conf"; NULL: what is not given is not looked at. */
void ini_check_order(Ini *ini, size_t n, const char *elsewhere);
