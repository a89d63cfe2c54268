/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sshd's effective configuration means for logins with tokens. Pure. */
#pragma once

#include "credctl/doctor-judge.h"

/* text: what "sshd -T" prints. */
void sshd_judge(const char *text, JudgeFound found, void *userdata);

/* The value of a keyword, to be freed; NULL: there is none. */
char *sshd_value(const char *text, const char *keyword);
