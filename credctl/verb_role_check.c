/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credctl role check: reads a file as credd would, with credd's own program and without the daemon, so
 * that there is one reader. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "credctl/outcome.h"
#include "credctl/verb_role.h"
#include "credctl/words.h"

static int hush(void)
{
        AUTO_CLOSE int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        return fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? -errno : 0;
}

/* Returns only if that program cannot be run. Its exit statuses are ours. */
int role_check_run(const Context *context, const Arguments *arguments, const char *operand)
{
        AUTO_FREE char *option = NULL;
        int r = 0;

        (void)arguments;
        if (context->form != OUTPUT_TABLE)
                return words_fail(OUTCOME_USAGE, "role check has no JSON; its exit status tells");
        if (asprintf(&option, "--check-role=%s", operand) < 0)
                return -ENOMEM;
        if (context->quiet)
                r = hush();
        if (r < 0)
                return r;
        (void)execl(CREDD_PROGRAM, "credd", option, (char *)NULL);
        return words_fail(OUTCOME_FAILED,
                          "cannot run " CREDD_PROGRAM ", which reads the file: %s; is the daemon "
                          "installed here?",
                          strerror(errno));
}
