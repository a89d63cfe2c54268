/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom credd runs as, who its admins are, and what it keeps. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "credctl/doctor.h"

#define STATE      "/var/lib/credd"
#define KEY        STATE "/key"
#define ADMINS     "credd-admin"
#define MIB        (UINT64_C(1024) * 1024)
#define ROOM_ERROR (16 * MIB)
#define ROOM_LOW   (128 * MIB)

void doctor_check_people(Doctor *doctor)
{
        const struct passwd *user = getpwnam(DOCTOR_CREDD);
        const struct group *admins = getgrnam(ADMINS);

        if (!user)
                doctor_find(doctor, LEVEL_ERROR, "systemd-sysusers",
                            "there is no user " DOCTOR_CREDD);
        else if (user->pw_uid == 0)
                doctor_find(doctor, LEVEL_ERROR, "give it a uid of its own",
                            "user " DOCTOR_CREDD " is root");
        if (!admins)
                doctor_find(doctor, LEVEL_ERROR, "systemd-sysusers", "there is no group " ADMINS);
        else if (!admins->gr_mem[0])
                doctor_find(doctor, LEVEL_NOTE, "usermod -aG " ADMINS " USER, if others should",
                            "group " ADMINS " has no members: root alone issues and revokes");
        doctor_fine(doctor, "user " DOCTOR_CREDD " and group " ADMINS " are there");
}

/* --- what it keeps --- */

static void check_file(Doctor *doctor, const char *path, mode_t type, mode_t mode, uid_t uid)
{
        const char *chown_and_chmod = S_ISDIR(type) ? "chown credd:credd " STATE
                                                      "; chmod 0700 " STATE
                                                    : "chown credd:credd " KEY "; chmod 0600 " KEY;
        struct stat seen;

        if (lstat(path, &seen) < 0 && errno == EACCES)
                doctor_unseen(doctor, path, "its folder is closed");
        else if (lstat(path, &seen) < 0)
                doctor_find(doctor, LEVEL_ERROR, "systemctl restart credd; journalctl -u credd",
                            "%s: %s", path, strerror(errno));
        else if ((seen.st_mode & S_IFMT) != type)
                doctor_find(doctor, LEVEL_ERROR, "put back what was there, see man credd",
                            "%s is something else than it should be", path);
        else if (seen.st_uid != uid)
                doctor_find(doctor, LEVEL_ERROR, chown_and_chmod, "%s belongs to uid %u, not to %s",
                            path, seen.st_uid, DOCTOR_CREDD);
        else if ((seen.st_mode & 07777) != mode)
                doctor_find(doctor, LEVEL_ERROR, chown_and_chmod,
                            "%s has mode %04o, it must be %04o", path, seen.st_mode & 07777, mode);
}

static void check_room(Doctor *doctor)
{
        struct statvfs disk;
        uint64_t room;

        if (statvfs(STATE, &disk) < 0)
                return; /* the folder has been spoken of */
        room = (uint64_t)disk.f_bavail * disk.f_frsize;
        if (room < ROOM_LOW || (disk.f_files > 0 && disk.f_favail < 100))
                doctor_find(doctor, room < ROOM_ERROR ? LEVEL_ERROR : LEVEL_WARNING,
                            "make room: df " STATE,
                            "%" PRIu64 " MiB are left for " STATE
                            ": on a full disk nobody logs in with a token",
                            room / MIB);
}

void doctor_check_state(Doctor *doctor)
{
        const struct passwd *user = getpwnam(DOCTOR_CREDD);

        if (!user) {
                doctor_unseen(doctor, STATE, "there is no user " DOCTOR_CREDD);
                return;
        }
        check_file(doctor, STATE, S_IFDIR, 0700, user->pw_uid);
        check_file(doctor, KEY, S_IFREG, 0600, user->pw_uid);
        check_room(doctor);
        doctor_fine(doctor, STATE " and its key are credd's alone, and there is room");
}
