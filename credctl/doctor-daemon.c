/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is credd there, does it answer, and is it the credd that is installed? */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "credctl/doctor.h"
#include "credctl/record.h"

#define LOGIN_SOCKET "/run/credd/io.credd.Login"
#define ADMIN_SOCKET "/run/credd/io.credd.Admin"
#define START        "systemctl enable --now credd-login.socket credd-admin.socket credd.service"

/* --- units --- */

static void check_unit(Doctor *doctor, const char *unit)
{
        AUTO_FREE char *load = NULL, *active = NULL, *enabled = NULL;

        if (bus_unit_text(doctor->bus, unit, "LoadState", &load) < 0 ||
            bus_unit_text(doctor->bus, unit, "ActiveState", &active) < 0 ||
            bus_unit_text(doctor->bus, unit, "UnitFileState", &enabled) < 0) {
                doctor_unseen(doctor, unit, "systemd does not answer");
                return;
        }
        if (strcmp(load, "loaded") != 0)
                doctor_find(doctor, LEVEL_ERROR, "install credd again", "%s is %s", unit, load);
        else if (strcmp(active, "active") != 0)
                doctor_find(doctor, LEVEL_ERROR, START, "%s is %s", unit, active);
        else if (strcmp(enabled, "enabled") != 0)
                doctor_find(doctor, LEVEL_WARNING, START,
                            "%s is %s: it will not be there after the next boot", unit,
                            *enabled ? enabled : "not enabled");
}

static void check_socket(Doctor *doctor, const char *path, mode_t mode)
{
        struct stat seen;

        if (stat(path, &seen) < 0 || !S_ISSOCK(seen.st_mode))
                doctor_find(doctor, LEVEL_ERROR,
                            "systemctl restart credd-login.socket credd-admin.socket",
                            "there is no socket at %s", path);
        else if ((seen.st_mode & 07777) != mode || seen.st_uid != 0)
                doctor_find(doctor, LEVEL_ERROR,
                            "systemctl restart credd-login.socket credd-admin.socket",
                            "%s has mode %04o and uid %u; it must be %04o and root's", path,
                            seen.st_mode & 07777, seen.st_uid, mode);
}

static void check_problems(Doctor *doctor)
{
        bool frozen = json_is_true(json_object_get(doctor->status, "frozen"));
        json_t *problem;
        size_t i;

        json_array_foreach (json_object_get(doctor->status, "problems"), i, problem) {
                const char *text = json_string_value(problem) ?: "?";

                /* That one somebody wanted; it is a note, below. */
                if (!frozen || !strstr(text, "frozen"))
                        doctor_find(doctor, LEVEL_ERROR,
                                    "see credctl status and journalctl -u credd", "credd says: %s",
                                    text);
        }
        if (frozen)
                doctor_find(doctor, LEVEL_NOTE, "when it is over: credctl thaw",
                            "this host is frozen: nobody logs in with a token");
        if (!record_text(doctor->status, "logind"))
                doctor_unseen(doctor, "what credd says of itself",
                              "it tells that to admins and auditors");
}

void doctor_check_daemon(Doctor *doctor)
{
        if (doctor->bus) {
                check_unit(doctor, "credd-login.socket");
                check_unit(doctor, "credd-admin.socket");
                check_unit(doctor, "credd.service");
        } else {
                doctor_unseen(doctor, "the units of credd", "no system bus");
        }
        check_socket(doctor, LOGIN_SOCKET, 0600);
        check_socket(doctor, ADMIN_SOCKET, 0666);
        if (!doctor_ask(doctor, "Status", NULL, &doctor->status)) {
                doctor_find(doctor, LEVEL_ERROR, "systemctl restart credd; journalctl -u credd",
                            "credd does not answer at %s", doctor->context->socket);
                return;
        }
        check_problems(doctor);
        doctor_fine(doctor, "credd answers, its sockets are there, and it knows of no problem");
}

/* --- versions --- */

/* "credd 1.2.3\n" -> "1.2.3", in place. */
static const char *version_in(char *output)
{
        output[strcspn(output, "\n")] = '\0';
        return strncmp(output, "credd ", 6) == 0 ? output + 6 : NULL;
}

static void check_running_file(Doctor *doctor)
{
        char path[64], target[PATH_MAX];
        uint64_t pid = 0;
        ssize_t len;

        if (!doctor->bus || bus_service_number(doctor->bus, "MainPID", 'u', &pid) < 0 || pid == 0)
                return;
        snprintf(path, sizeof path, "/proc/%" PRIu64 "/exe", pid);
        len = readlink(path, target, sizeof target - 1);
        if (len < 0) {
                doctor_unseen(doctor, "the file that credd runs from", strerror(errno));
                return;
        }
        target[len] = '\0';
        if (strcmp(target, CREDD_PROGRAM) != 0)
                doctor_find(doctor, LEVEL_WARNING, "systemctl restart credd",
                            "credd does not run from the installed file, but from %s", target);
}

void doctor_check_version(Doctor *doctor)
{
        static const char *const command[] = {CREDD_PROGRAM, "--version", NULL};
        AUTO_FREE char *output = NULL;
        const char *running = record_text(doctor->status, "version"), *installed = NULL;

        if (doctor_program(command, &output) == 0)
                installed = version_in(output);
        if (!installed) {
                doctor_find(doctor, LEVEL_ERROR, "install credd again",
                            CREDD_PROGRAM " does not say its version");
                return;
        }
        if (strcmp(installed, CREDD_VERSION) != 0)
                doctor_find(doctor, LEVEL_WARNING, "install both from one version",
                            "credctl is " CREDD_VERSION ", but " CREDD_PROGRAM " is %s", installed);
        if (running && strcmp(running, installed) != 0)
                doctor_find(doctor, LEVEL_WARNING, "systemctl restart credd",
                            "credd %s runs, but %s is installed", running, installed);
        check_running_file(doctor);
        doctor_fine(doctor, "credd and credctl are " CREDD_VERSION);
}
