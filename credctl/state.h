/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of a credential, as credd names them. Pure. */
#pragma once

#include <stdbool.h>

/* What a state means, in a few words; NULL: this credctl does not know it. */
const char *state_words(const char *state);

/* Whether Revoke works in it. False for a state that is not known: nothing is promised of it. */
bool state_is_live(const char *state);
