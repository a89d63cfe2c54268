/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name service: every login asks it who somebody is, and so do credctl and credd. One that is slow
 * makes every login slow, and of a service whose library is missing glibc says nothing. */
#include "credctl/doctor-nss.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/client.h"
#include "credctl/doctor.h"

#define SWITCH "/etc/nsswitch.conf"
/* Names like this one are nobody's: every service is asked for it. */
#define NOBODY    "credd-doctor-asks"
#define SLOW_USEC USEC_PER_SEC
#define BLANKS    " \t"

static const char *const databases[] = {"passwd", "group"};

/* --- what nsswitch.conf says --- */

/* What comes after "passwd:" in its line; NULL: there is no such line. */
static const char *find_line(const char *text, const char *database)
{
        size_t len = strlen(database);

        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                const char *word = line + strspn(line, BLANKS);

                if (strncmp(word, database, len) == 0 && word[len] == ':')
                        return word + len + 1;
        }
        return NULL;
}

bool nss_services(const char *text, const char *database, char ret[static NSS_SERVICES_MAX])
{
        const char *at = find_line(text, database) ?: "files";
        size_t fill = 0;

        *ret = '\0';
        while (*(at += strspn(at, BLANKS)) && !strchr("\n#", *at)) {
                size_t len = strcspn(at, BLANKS "\n#[");

                if (*at == '[') { /* [NOTFOUND=return] is what to do, and no service */
                        at += strcspn(at, "]\n");
                        at += *at == ']';
                        continue;
                }
                if (fill + len + 2 > NSS_SERVICES_MAX)
                        return false;
                fill += (size_t)snprintf(ret + fill, NSS_SERVICES_MAX - fill, "%s%.*s",
                                         fill ? " " : "", (int)len, at);
                at += len;
        }
        return true;
}

/* glibc has files and dns in itself. */
static bool library_is_there(const char *service)
{
        char path[256];

        if (strcmp(service, "files") == 0 || strcmp(service, "dns") == 0)
                return true;
        snprintf(path, sizeof path, CREDD_PAM_MODULES "/../libnss_%s.so.2", service);
        return access(path, F_OK) == 0;
}

static void check_libraries(Doctor *doctor, const char *database, const char *services)
{
        char copy[NSS_SERVICES_MAX], *rest = copy;
        const char *service;

        snprintf(copy, sizeof copy, "%s", services);
        while ((service = strsep(&rest, " ")))
                if (*service && !library_is_there(service))
                        doctor_find(doctor, LEVEL_WARNING,
                                    "install that service, or take it out of " SWITCH,
                                    SWITCH ": %s names %s, whose libnss_%s.so.2 is not there: what "
                                           "it knows is not found",
                                    database, service, service);
}

static void check_switch(Doctor *doctor)
{
        FILE *file = fopen(SWITCH, "re");
        char text[16384];
        size_t len;

        if (!file) {
                doctor_unseen(doctor, SWITCH, strerror(errno));
                return;
        }
        len = fread(text, 1, sizeof text - 1, file);
        fclose(file);
        text[len] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(databases); i++) {
                char services[NSS_SERVICES_MAX];

                if (nss_services(text, databases[i], services))
                        check_libraries(doctor, databases[i], services);
                else
                        doctor_unseen(doctor, databases[i], "more services than one should have");
        }
}

/* --- what it answers --- */

static void check_answer(Doctor *doctor)
{
        uint64_t begin = client_now_usec(), lasted;
        const struct passwd *nobody;
        int error;

        errno = 0;
        nobody = getpwnam(NOBODY);
        error = errno;
        lasted = client_now_usec() - begin;
        if (!nobody && (error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM))
                doctor_find(doctor, LEVEL_ERROR, "see " SWITCH " and the services that it names",
                            "the name service fails: %s: who is not found by it is not let in",
                            strerror(error));
        if (lasted > SLOW_USEC)
                doctor_find(doctor, LEVEL_WARNING, "see " SWITCH " and the services that it names",
                            "the name service took %" PRIu64
                            " ms for one name: every login waits for it",
                            lasted / USEC_PER_MSEC);
}

void doctor_check_nss(Doctor *doctor)
{
        check_switch(doctor);
        check_answer(doctor);
        doctor_fine(doctor, "the name service answers, and all that it names is there");
}
