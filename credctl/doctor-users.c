/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sshd as it is configured, and the users of live credentials: do they exist as they did when the
 * credential was issued, and could they come in without it? */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "credctl/doctor-sshd.h"
#include "credctl/doctor.h"
#include "credctl/record.h"

#define SSHD         "/usr/sbin/sshd"
#define KEYS_DEFAULT ".ssh/authorized_keys .ssh/authorized_keys2"

static void on_found(void *userdata, Level level, const char *finding, const char *mend)
{
        doctor_find(userdata, level, mend, "%s", finding);
}

void doctor_check_sshd(Doctor *doctor)
{
        static const char *const command[] = {SSHD, "-T", NULL};
        AUTO_FREE char *text = NULL;
        int r;

        if (access(SSHD, F_OK) < 0) {
                doctor_find(doctor, LEVEL_NOTE, NULL, "there is no sshd: tokens serve at consoles");
                return;
        }
        if (!doctor->root) {
                doctor_unseen(doctor, "sshd -T", "root alone may run it");
                return;
        }
        r = doctor_program(command, &text);
        if (r != 0) {
                const char *why = r < 0 ? strerror(-r) : text;

                doctor_find(doctor, LEVEL_WARNING, "mend what sshd -T says", "sshd -T fails: %.*s",
                            (int)strcspn(why, "\r\n"), why);
                return;
        }
        doctor->authorized_keys_files = sshd_value(text, "authorizedkeysfile");
        sshd_judge(text, on_found, doctor);
        doctor_fine(doctor, "sshd asks PAM, and for a password or token");
}

/* --- users --- */

/* Each user once: {"alice": 1001}. */
static int collect_users(const Doctor *doctor, json_t *users)
{
        json_auto_t *parameters = json_object();
        uint64_t next = 0, after;
        bool more = true;

        while (more) {
                json_auto_t *reply = NULL;
                json_t *credential;
                size_t i;

                after = next;
                if (!doctor_ask(doctor, "List", parameters, &reply))
                        return -EIO;
                json_array_foreach (json_object_get(reply, "credentials"), i, credential) {
                        const char *user = record_text_or(credential, "user", "?");

                        if (json_object_set(users, user, json_object_get(credential, "uid")) < 0)
                                return -ENOMEM;
                }
                more = record_number(reply, "next", &next) && next > after;
                if (more &&
                    json_object_set_new(parameters, "after", json_integer((json_int_t)next)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* A path as AuthorizedKeysFile has it: %h, %u and %%; relative ones are in the home. */
static void expand(char path[static 4096], const char *from, size_t len, const struct passwd *user)
{
        size_t at = 0;

        if (*from != '/' && strncmp(from, "%h", 2) != 0)
                at = (size_t)snprintf(path, 2048, "%s/", user->pw_dir);
        for (size_t i = 0; i < len && at < 2048; i++) {
                const char *text = NULL;

                if (from[i] != '%' || i + 1 == len) {
                        path[at++] = from[i];
                        continue;
                }
                i++;
                text = from[i] == 'h' ? user->pw_dir : from[i] == 'u' ? user->pw_name : "%";
                at += (size_t)snprintf(path + at, 1024, "%s", text);
        }
        path[at < 4096 ? at : 4095] = '\0';
}

static void check_keys(Doctor *doctor, const struct passwd *user)
{
        const char *files = doctor->authorized_keys_files ?: KEYS_DEFAULT;

        for (const char *p = files; *p; p += strspn(p, " ")) {
                size_t len = strcspn(p, " ");
                char path[4096];
                struct stat seen;

                expand(path, p, len, user);
                if (strncmp(p, "none", len) != 0 && stat(path, &seen) == 0 &&
                    S_ISREG(seen.st_mode) && seen.st_size > 0)
                        doctor_find(doctor, LEVEL_WARNING,
                                    "empty that file, or use require_credential= (man "
                                    "pam_ephemeral)",
                                    "%s has keys in %s: access that does not end", user->pw_name,
                                    path);
                p += len;
        }
}

static void check_password(Doctor *doctor, const struct passwd *user)
{
        const struct spwd *shadow = getspnam(user->pw_name);
        char mend[128];

        if (!shadow || !shadow->sp_pwdp || strchr("!*", *shadow->sp_pwdp ?: 'x'))
                return;
        snprintf(mend, sizeof mend, "passwd -l %.64s, if tokens are to be the only way",
                 user->pw_name);
        doctor_find(doctor, LEVEL_WARNING, mend, "%s has %s password: access that does not end",
                    user->pw_name, *shadow->sp_pwdp ? "a usable" : "an empty");
}

static void check_user(Doctor *doctor, const char *name, json_int_t uid)
{
        const struct passwd *user = getpwnam(name);
        char mend[128];

        snprintf(mend, sizeof mend, "credctl revoke --user %.64s, and issue anew", name);
        if (!user) {
                doctor_find(doctor, LEVEL_WARNING, mend,
                            "%s has live credentials and is no user of this host", name);
                return;
        }
        if ((json_int_t)user->pw_uid != uid)
                doctor_find(doctor, LEVEL_ERROR, mend,
                            "%s is uid %u now; live credentials are for uid %" JSON_INTEGER_FORMAT
                            ", and are refused",
                            name, user->pw_uid, uid);
        if (!doctor->root)
                return;
        check_keys(doctor, user);
        check_password(doctor, user);
}

void doctor_check_users(Doctor *doctor)
{
        json_auto_t *users = json_object();
        const char *name;
        json_t *uid;

        /* To others credd shows no more than their own. */
        if (!record_text(doctor->status, "logind") || collect_users(doctor, users) < 0) {
                doctor_unseen(doctor, "the users of live credentials",
                              "credd names them to admins and auditors");
                return;
        }
        if (!doctor->root && json_object_size(users) > 0)
                doctor_unseen(doctor, "keys and passwords of the users of live credentials",
                              "they are theirs and root's");
        json_object_foreach (users, name, uid)
                check_user(doctor, name, json_integer_value(uid));
        doctor_fine(doctor, "%zu user%s with live credentials, and no other way in seen",
                    json_object_size(users), json_object_size(users) == 1 ? "" : "s");
}
