/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collecting what was asked for: the token is made, and shown as that of credctl issue is. */
#pragma once

#include "credctl/context.h"

int collecting_run(const Context *context, const char *id);
