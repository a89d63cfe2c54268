/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by policy.c (what is handed out) and policy-login.c (what is let in). */
#pragma once

#include "credd/policy.h"

/* Uses, time to log in and lifetime of the credential are within what its role allows now. */
bool policy_still_long(const PolicyRules *rules, const Credential *credential);
/* It names the holder and gives the reason that its role wants to know now. */
bool policy_says_enough(const Role *role, const Credential *credential);
/* Of a list of texts, which is what its reader has made sure of. */
static inline const char *text_at(const json_t *texts, size_t i)
{
        return json_string_value(json_array_get(texts, i));
}
