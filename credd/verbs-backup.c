/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backup: whether a copy can be made; the copy is backup.c's. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/varlink.h"
#include "credd/backup.h"
#include "credd/verbs.h"

static int answer_no_room(Manager *manager, Answer *answer)
{
        uint64_t size = 0, room = 0;
        char text[128];

        (void)store_copy_room(manager->store, &size, &room);
        (void)snprintf(text, sizeof(text),
                       "no room on the disk of %s: the store takes %" PRIu64 " KiB, and %" PRIu64
                       " KiB are free",
                       manager->paths.state, size / 1024, room / 1024);
        return answer_reason(answer, "io.credd.Admin.BackupFailed", "reason", text);
}

int verb_backup(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!request->more)
                return answer_refused(answer, VARLINK_EXPECTED_MORE);
        r = backup_start(manager, request->peer);
        if (r == -EBUSY)
                return answer_reason(answer, "io.credd.Admin.BackupFailed", "reason",
                                     "another one is being made; try again when it is done");
        if (r == -ENOSPC)
                return answer_no_room(manager, answer);
        answer->stream = r == 0;
        return r;
}
