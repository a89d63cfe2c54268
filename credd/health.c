/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trouble with the store is met in many places, by whoever reads the page; it is looked for in one, after
 * each turn of the loop, and costs a comparison there. */
#include "credd/health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

void health_say_not_open(const Manager *manager, int error)
{
        const char *state = manager->paths.state;

        switch (-error) {
        case ENOKEY:
                (void)fprintf(stderr,
                              SD_CRIT
                              "%s/credd.db is there and its key is not: no token could match. "
                              "Restore %s/key from where it went.\n",
                              state, state);
                return;
        case ENOENT:
                (void)fprintf(stderr,
                              SD_CRIT
                              "%s/credd.db is not there, or empty, and what belongs to it is: "
                              "somebody took the store away. Put it back, or restore a backup: "
                              "credd(8). No token login is accepted.\n",
                              state);
                return;
        case ENOTSUP:
                (void)fprintf(stderr, SD_CRIT "%s/credd.db was made by a newer credd.\n", state);
                return;
        default:
                (void)fprintf(stderr,
                              SD_CRIT
                              "Cannot open the store in %s: %s. It is left as it is; no token "
                              "login is accepted.\n",
                              state, strerror(-error));
        }
}

void health_pass_over(Manager *manager, const char *what, int64_t num)
{
        store_note_damage(manager->store);
        (void)fprintf(stderr,
                      SD_CRIT "What the store has of %s number %" PRId64 " is damaged: its end is "
                              "not recorded. Keep the file, and restore a backup: credd(8)\n",
                      what, num);
}

static int on_turn(sd_event_source *source, void *userdata)
{
        Manager *manager = userdata;
        StoreTrouble trouble = store_trouble(manager->store);

        (void)source;
        if (trouble == manager->trouble)
                return 0;
        manager->trouble = trouble;
        if (trouble == STORE_SOUND)
                (void)fprintf(stderr, SD_NOTICE "The files of the store are in place again.\n");
        else
                (void)fprintf(stderr, SD_CRIT "%s: %s\n", manager->paths.state,
                              store_trouble_text(trouble));
        return 0;
}

int health_watch(Manager *manager, sd_event_source **ret_source)
{
        return sd_event_add_post(manager->event, ret_source, on_turn, manager);
}
