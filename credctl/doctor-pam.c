/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PAM files of this host: the stacks of the services that log people in, and where else our lines
 * stand. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "credctl/doctor.h"

#define FOLDER   "/etc/pam.d"
#define FILE_MAX (256U * 1024)

static char *read_text(const char *path)
{
        AUTO_FREE char *text = calloc(1, FILE_MAX);
        FILE *file = fopen(path, "re");

        if (!file)
                return NULL;
        if (text)
                text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
        fclose(file);
        return take_ptr(text);
}

/* Where libpam of Debian looks, in its order. */
static char *load(void *userdata, const char *name)
{
        static const char *const folders[] = {FOLDER, "/usr/lib/pam.d"};
        char path[512];
        char *text = NULL;

        (void)userdata;
        if (*name == '/')
                return read_text(name);
        for (size_t i = 0; i < ELEMENTSOF(folders) && !text; i++)
                if (snprintf(path, sizeof path, "%s/%s", folders[i], name) < (int)sizeof path)
                        text = read_text(path);
        return text;
}

static void on_found(void *userdata, Level level, const char *finding, const char *mend)
{
        doctor_find(userdata, level, mend, "%s", finding);
}

/* --- the services that log people in --- */

static bool module_is_there(const PamLine *line)
{
        char path[512];

        if (*line->module == '/')
                return access(line->module, F_OK) == 0;
        snprintf(path, sizeof path, CREDD_PAM_MODULES "/%s", line->module);
        return access(path, F_OK) == 0;
}

static void check_module(Doctor *doctor, const char *service, const PamStack *stack)
{
        for (size_t i = 0; i < stack->n; i++)
                if (judge_line_serves(&stack->lines[i], service) &&
                    !module_is_there(&stack->lines[i])) {
                        doctor_find(doctor, LEVEL_ERROR,
                                    "install the module, or run pam-auth-update --disable "
                                    "ephemeral",
                                    "%s:%u: %s is not there", stack->lines[i].file,
                                    stack->lines[i].number, stack->lines[i].module);
                        return; /* once a stack is enough */
                }
}

static void check_service(Doctor *doctor, const char *service)
{
        PamStack stacks[PAM_KIND_MAX] = {0};
        int r = 0;

        for (PamKind kind = 0; kind < PAM_KIND_MAX && r == 0; kind++)
                r = pam_stack_read(service, kind, load, NULL, &stacks[kind]);
        if (r == -ENOENT)
                doctor_find(doctor, LEVEL_NOTE, NULL, "there is no service %s here", service);
        else if (r < 0)
                doctor_unseen(doctor, service, strerror(-r));
        else
                judge_service(service, stacks, on_found, doctor);
        for (PamKind kind = 0; kind < PAM_KIND_MAX; kind++) {
                check_module(doctor, service, &stacks[kind]);
                pam_stack_done(&stacks[kind]);
        }
        doctor_fine(doctor, "%s asks credd in auth, account and session, in good order", service);
}

void doctor_check_pam_sshd(Doctor *doctor)
{
        check_service(doctor, "sshd");
}

void doctor_check_pam_login(Doctor *doctor)
{
        check_service(doctor, "login");
}

/* --- all the other files --- */

/* In a line that is not commented out. */
static bool names_module(const char *text)
{
        for (const char *at = text; (at = strstr(at, JUDGE_MODULE)); at++) {
                const char *begin = at;

                while (begin > text && begin[-1] != '\n')
                        begin--;
                if (!memchr(begin, '#', (size_t)(at - begin)))
                        return true;
        }
        return false;
}

/* libpam takes no part in what these are called. */
static bool is_copy(const char *name)
{
        return strchr(name, '~') || strstr(name, ".dpkg-") || strstr(name, ".ucf-") ||
               strstr(name, ".pam-old") || strstr(name, ".orig") || strstr(name, ".bak") ||
               strstr(name, ".save") || strstr(name, ".old");
}

/* pam-auth-update rewrites a file only while its marks are in it. */
static void check_managed(Doctor *doctor, const char *name, const char *text)
{
        if (strstr(text, "here are the per-package modules") &&
            strstr(text, "end of pam-auth-update config"))
                return;
        doctor_find(doctor, LEVEL_WARNING,
                    "run pam-auth-update --force, or see to that line yourself before credd is "
                    "removed",
                    FOLDER "/%s names pam_ephemeral, and pam-auth-update does not manage it any "
                           "more",
                    name);
}

static void check_file(Doctor *doctor, const char *name, const char *text)
{
        if (is_copy(name))
                doctor_find(doctor, LEVEL_WARNING, "remove it once it is not needed",
                            FOLDER "/%s is a copy that names pam_ephemeral: put back after a "
                                   "removal, it would lock people out",
                            name);
        else if (strncmp(name, "common-", 7) == 0)
                check_managed(doctor, name, text);
        else if (strcmp(name, "sshd") == 0 || strcmp(name, "login") == 0)
                doctor_find(doctor, LEVEL_NOTE,
                            "take the line out before credd is removed, or use pam-auth-update",
                            FOLDER "/%s names pam_ephemeral itself: nobody takes that out again",
                            name);
        else
                doctor_find(doctor, LEVEL_ERROR, "take the line out of that file",
                            FOLDER "/%s names pam_ephemeral: %s is no service that opens a session "
                                   "which credd could end",
                            name, name);
}

static void check_folder(Doctor *doctor, DIR *folder)
{
        const struct dirent *entry;

        while ((entry = readdir(folder))) {
                char path[sizeof FOLDER + sizeof entry->d_name + 1];
                AUTO_FREE char *text = NULL;

                if (*entry->d_name == '.')
                        continue;
                snprintf(path, sizeof path, FOLDER "/%s", entry->d_name);
                text = read_text(path);
                if (text && names_module(text))
                        check_file(doctor, entry->d_name, text);
                else if (!text && errno == EACCES)
                        doctor_unseen(doctor, path, strerror(errno));
        }
}

/* systemd-user, by whatever it includes: user@.service of everybody would hang on credd. */
static void check_systemd_user(Doctor *doctor)
{
        PamStack stack = {0};

        if (pam_stack_read("systemd-user", PAM_KIND_SESSION, load, NULL, &stack) < 0)
                return;
        for (size_t i = 0; i < stack.n; i++)
                if (pam_line_is(&stack.lines[i], JUDGE_MODULE)) {
                        doctor_find(doctor, LEVEL_ERROR,
                                    "let systemd-user include common-session-noninteractive, or "
                                    "take the line out",
                                    "systemd-user has a session line of pam_ephemeral (%s:%u)",
                                    stack.lines[i].file, stack.lines[i].number);
                        break;
                }
        pam_stack_done(&stack);
}

void doctor_check_pam_files(Doctor *doctor)
{
        DIR *folder = opendir(FOLDER);

        if (!folder) {
                doctor_unseen(doctor, FOLDER, strerror(errno));
                return;
        }
        check_folder(doctor, folder);
        closedir(folder);
        check_systemd_user(doctor);
        doctor_fine(doctor, "no other PAM file names pam_ephemeral, and there is no stale copy");
}
