/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files journal*.c alone. */
#pragma once

#include <systemd/sd-journal.h>

#include "credctl/journal.h"

struct Journal {
        sd_journal *journal;
        uint64_t begin_usec; /* of the system's */
        bool empty;
};
