/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that is configured: credd.conf and the roles, which come into effect together or not at all. */
#pragma once

#include "credd/role.h"

#define SETUP_FOLDER "roles.d" /* beside credd.conf */

/* So much goes into one event; an entry of the journal is 64 KiB at most. */
#define SETUP_TEXT_MAX          ((size_t)48 * 1024)
#define SETUP_MISTAKES_TEXT_MAX ((size_t)16 * 1024)

typedef struct Setup {
        Config config;
        Roles *roles;
} Setup;

/* SETUP_WITHOUT_ROLES: credd.conf is right, and a role is not; *ret_setup is then without any role.
 * -EINVAL: credd.conf is not right; *ret_setup is untouched. Mistakes and owner as in
 * config_load(); all mistakes of all files are named. */
#define SETUP_WITHOUT_ROLES 1
int setup_load(const char *path, uid_t owner, FILE *mistakes, Setup *ret_setup);
/* The same; the mistakes as text to be freed ("" if there are none), without a newline at the end and
 * cut after SETUP_MISTAKES_TEXT_MAX. NULL: out of memory */
int setup_load_text(const char *path, uid_t owner, char **ret_mistakes, Setup *ret_setup);
void setup_done(Setup *setup);

/* What one event says of it. */
typedef struct SetupTexts {
        char *files; /* each and its digest, as JSON */
        char *roles; /* each and its settings, as JSON, or a sentence: the one is longer than there is room for */
} SetupTexts;

/* Of the roles from *at on, as many as max has room for, one at least if there is one; moves *at behind them.
 * credd.conf comes with the first. -ENOMEM alone. */
int setup_texts(const Config *config, const Roles *roles, size_t max, size_t *at,
                SetupTexts *ret_texts);
void setup_texts_done(SetupTexts *texts);
