/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A receipt in words. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "credctl/context.h"
#include "credctl/record.h"

/* The credential's, NULL while there is none. */
const json_t *receipt_of(const json_t *credential);
bool receipt_confirmed(const json_t *receipt);
/* "confirmed", "late by 3s", "residue: 2 processes are still there". Returns buffer. */
const char *receipt_verdict(const json_t *receipt, char buffer[static RECORD_TEXT_MAX]);

/* The verdict and what it rests on, a few lines for each session. */
void receipt_print(const Context *context, const json_t *receipt);
