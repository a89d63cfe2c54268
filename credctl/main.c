/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program's door. Everything behind it is a library, so that tests can link it. */
#include "credctl/program.h"

int main(int argc, char *argv[])
{
        return program_run(argc, argv);
}
