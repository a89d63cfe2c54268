/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run of credctl, from argv to the exit status. */
#pragma once

int program_run(int argc, char *argv[]);
