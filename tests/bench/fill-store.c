/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fill-store FOLDER COUNT - a store in that folder that has so many live credentials, of a thousand people. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/fill.h"
#include "tests/bench/rig.h"

#define TEN_HOURS_USEC UINT64_C(36000000000)

int main(int argc, char *argv[])
{
        if (argc != 3)
                die("usage: fill-store FOLDER COUNT");
        (void)fill_store(argv[1],
                         &(Fill){.count = strtoull(argv[2], NULL, 10), .ttl_usec = TEN_HOURS_USEC});
        return 0;
}
