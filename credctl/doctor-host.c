/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the record rests upon: the clock, the journal, and what runs by itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <systemd/sd-id128.h>

#include "credctl/doctor.h"

/* --- clock --- */

void doctor_check_clock(Doctor *doctor)
{
        struct timex clock = {0};
        int state = adjtimex(&clock);

        if (state < 0)
                doctor_unseen(doctor, "whether the clock is synchronised", strerror(errno));
        else if (state == TIME_ERROR || (clock.status & STA_UNSYNC))
                doctor_find(doctor, LEVEL_WARNING,
                            "timedatectl set-ntp true; if it knows no NTP, first apt-get install "
                            "systemd-timesyncd, or chrony",
                            "the clock is not synchronised: deadlines hold, but the times in the "
                            "record may be wrong");
        doctor_fine(doctor, "the clock is synchronised");
}

/* --- journal --- */

static bool journal_in(const char *folder)
{
        char path[128], id[SD_ID128_STRING_MAX];
        sd_id128_t machine;

        if (sd_id128_get_machine(&machine) < 0)
                return false;
        snprintf(path, sizeof path, "%s/%s/system.journal", folder,
                 sd_id128_to_string(machine, id));
        return access(path, F_OK) == 0;
}

static void check_rate(Doctor *doctor)
{
        uint64_t interval_usec = 0, burst = 0;

        if (!doctor->bus ||
            bus_service_number(doctor->bus, "LogRateLimitIntervalUSec", 't', &interval_usec) < 0)
                doctor_unseen(doctor, "the rate limit of credd's entries", "no system bus");
        else if (interval_usec != 0 ||
                 bus_service_number(doctor->bus, "LogRateLimitBurst", 'u', &burst) < 0)
                doctor_find(doctor, LEVEL_WARNING,
                            "set LogRateLimitIntervalSec=0 in credd.service, as it comes",
                            "journald may drop entries of credd: its unit has a rate limit");
}

void doctor_check_journal(Doctor *doctor)
{
        if (!journal_in("/var/log/journal"))
                doctor_find(doctor, LEVEL_WARNING,
                            "mkdir -p /var/log/journal && systemctl restart systemd-journald, "
                            "unless journald.conf says otherwise",
                            "the journal is not kept over a boot: credctl verify loses its second "
                            "witness");
        check_rate(doctor);
        doctor_fine(doctor, "the journal is kept, and credd's entries have no rate limit");
}

/* --- what runs by itself --- */

static bool is_template(const char *name)
{
        size_t len = strlen(name);

        return len > 7 && strcmp(name + len - 7, "@.timer") == 0;
}

/* Of a template PID 1 says "indirect" once an instance is enabled. */
static bool is_enabled(const char *name, const char *state)
{
        return strcmp(state, is_template(name) ? "indirect" : "enabled") == 0;
}

static void check_timer(Doctor *doctor, const char *pattern, const char *what, const char *mend)
{
        json_auto_t *states = NULL;
        const char *name;
        json_t *state;
        bool enabled = false;

        if (bus_unit_files(doctor->bus, pattern, &states) < 0) {
                doctor_unseen(doctor, what, "systemd does not say");
                return;
        }
        json_object_foreach (states, name, state)
                enabled = enabled || is_enabled(name, json_string_value(state) ?: "");
        if (json_object_size(states) > 0 && !enabled)
                doctor_find(doctor, LEVEL_NOTE, mend, "no %s runs by itself", what);
}

static void check_failed(Doctor *doctor)
{
        json_auto_t *names = NULL;
        json_t *name;
        size_t i;

        if (bus_failed_units(doctor->bus, "credd*", &names) < 0)
                return;
        json_array_foreach (names, i, name) {
                char mend[128];

                snprintf(mend, sizeof mend, "journalctl -u %.80s", json_string_value(name));
                doctor_find(doctor, LEVEL_WARNING, mend, "%s has failed", json_string_value(name));
        }
}

void doctor_check_timers(Doctor *doctor)
{
        if (!doctor->bus) {
                doctor_unseen(doctor, "timers", "no system bus");
                return;
        }
        check_timer(doctor, "credd-audit*.timer", "audit",
                    "systemctl enable --now credd-audit.timer");
        check_timer(doctor, "credd-drill@*.timer", "drill",
                    "systemctl enable --now credd-drill@USER.timer (man credctl)");
        check_failed(doctor);
        doctor_fine(doctor, "what can run by itself does, and no unit of credd has failed");
}
