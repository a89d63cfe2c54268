/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Credentials that were asked for, in words. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "credctl/context.h"

/* What is known of the asking; NULL: nobody asked, it was issued. */
const json_t *asked_of(const json_t *credential);
/* All approvals that it takes are there. */
bool asked_approved(const json_t *credential);
/* "1 of 2". Returns buffer. */
#define ASKED_APPROVALS_MAX 48
const char *asked_approvals(const json_t *credential, char buffer[static ASKED_APPROVALS_MAX]);

/* A row each. */
int asked_print(const Context *context, const json_t *credentials);
/* In JSON {"requests":[credential]}. */
int asked_print_json(const Context *context, json_t *credential);
