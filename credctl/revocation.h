/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Revoking what was chosen. */
#pragma once

#include <jansson.h>

#include "credctl/context.h"

typedef struct Revocation {
        const Context *context;
        const char *reason;
        bool filter, dry_run;
        json_t *done; /* credentials as credd described them last */
} Revocation;

/* Each of the chosen, in their order; says of each what became of it. The worst outcome. */
int revocation_run(const Revocation *revocation, json_t *chosen);
