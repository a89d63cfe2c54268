/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom credd needs to end a session: logind, and polkit to be let do it. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "credctl/doctor.h"

#define ACTION           "org.freedesktop.login1.manage"
#define RULE             "50-credd.rules"
#define START_TIME_FIELD 22 /* of /proc/PID/stat, counted from 1 */

static bool rule_is_there(void)
{
        static const char *const folders[] = {"/etc", "/run", "/usr/local/share", "/usr/share"};

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                char path[64];

                snprintf(path, sizeof path, "%s/polkit-1/rules.d/" RULE, folders[i]);
                if (access(path, F_OK) == 0)
                        return true;
        }
        return false;
}

/* The name of the program may hold blanks and parentheses: count from the last one. */
static uint64_t start_ticks_in(const char *stat)
{
        const char *p = strrchr(stat, ')');

        for (int field = 2; p && field < START_TIME_FIELD; field++) {
                p = strchr(p, ' ');
                p = p ? p + 1 : NULL;
        }
        return p ? strtoull(p, NULL, 10) : 0;
}

static int start_ticks_of(uint64_t pid, uint64_t *ret_ticks)
{
        char path[64], text[1024] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
        file = fopen(path, "re");
        if (!file)
                return -errno;
        *ret_ticks = fgets(text, sizeof text, file) ? start_ticks_in(text) : 0;
        fclose(file);
        return *ret_ticks > 0 ? 0 : -ESRCH;
}

/* As logind would ask: about the process of credd, with nobody to give a password. */
static int ask_polkit(Doctor *doctor, const char **ret_why)
{
        const struct passwd *credd = getpwnam(DOCTOR_CREDD);
        uint64_t pid = 0, ticks = 0;
        int r;

        *ret_why = "credd does not run, and it is about its process that polkit is asked";
        if (!credd || bus_service_number(doctor->bus, "MainPID", 'u', &pid) < 0 || pid == 0 ||
            start_ticks_of(pid, &ticks) < 0)
                return -ESRCH;
        r = bus_polkit_allows(doctor->bus, (pid_t)pid, ticks, credd->pw_uid, ACTION);
        if (r < 0)
                *ret_why = doctor->root ? "polkit does not answer" : "polkit tells it root alone";
        return r;
}

void doctor_check_polkit(Doctor *doctor)
{
        const char *why = "no system bus";
        int allowed = doctor->bus ? ask_polkit(doctor, &why) : -ENOTCONN;

        if (allowed < 0)
                doctor_unseen(doctor, "whether polkit lets credd end sessions", why);
        if (allowed == 0)
                doctor_find(doctor, LEVEL_ERROR,
                            rule_is_there() ? "systemctl restart polkit; journalctl -u polkit"
                                            : "install credd again: " RULE
                                              " is in no folder where polkit looks for rules",
                            "polkit does not let credd end sessions: SIGKILL alone is left");
        else if (doctor->root && !rule_is_there())
                doctor_find(doctor, LEVEL_WARNING, "install credd again",
                            RULE " is in no folder where polkit looks for rules");
        doctor_fine(doctor, "polkit lets credd end sessions");
}

/* --- logind --- */

static void check_settings(Doctor *doctor)
{
        bool kill = false;
        uint64_t idle_usec = USEC_INFINITY;

        if (bus_logind_flag(doctor->bus, "KillUserProcesses", &kill) < 0) {
                doctor_find(doctor, LEVEL_ERROR, "systemctl restart systemd-logind",
                            "logind is on the bus and does not answer");
                return;
        }
        if (kill)
                doctor_find(doctor, LEVEL_NOTE, "see logind.conf(5), if that is not wanted",
                            "KillUserProcesses=yes: logind itself kills what a session leaves, "
                            "but for KillExcludeUsers; credd does so at its deadline anyway");
        if (bus_logind_usec(doctor->bus, "StopIdleSessionUSec", &idle_usec) == 0 &&
            idle_usec != USEC_INFINITY && idle_usec > 0)
                doctor_find(doctor, LEVEL_NOTE, "see logind.conf(5), if that is not wanted",
                            "StopIdleSessionSec=%" PRIu64 ": idle sessions end before their "
                            "deadline",
                            idle_usec / USEC_PER_SEC);
}

void doctor_check_logind(Doctor *doctor)
{
        int there = doctor->bus ? bus_has_owner(doctor->bus, "org.freedesktop.login1") : -ENOTCONN;

        if (there < 0)
                doctor_find(doctor, LEVEL_ERROR, "systemctl status dbus",
                            "the system bus cannot be asked for logind");
        /* systemd 257 stays away for good after a restart of dbus. */
        else if (there == 0)
                doctor_find(doctor, LEVEL_ERROR, "systemctl restart systemd-logind",
                            "logind is not on the bus, as after a restart of dbus: credd ends "
                            "sessions by SIGKILL alone");
        else
                check_settings(doctor);
        doctor_fine(doctor, "logind answers");
}
