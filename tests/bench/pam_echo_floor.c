/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor: the least that a module can do that asks somebody else. It connects, sends 200 bytes, and
 * waits for 200. Links libpam and libc, as pam_ephemeral does.
 *
 *     auth required pam_echo_floor.so SOCKET */
#include <security/pam_modules.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

#define SIZE 200

static int echo(const char *path)
{
        AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char bytes[SIZE] = "";
        size_t got = 0;

        if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
                return PAM_AUTHINFO_UNAVAIL;
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
                return PAM_AUTHINFO_UNAVAIL;
        while (got < sizeof(bytes)) {
                ssize_t n = recv(fd, bytes + got, sizeof(bytes) - got, 0);

                if (n <= 0)
                        return PAM_AUTHINFO_UNAVAIL;
                got += (size_t)n;
        }
        return PAM_SUCCESS;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh;
        (void)flags;
        return argc == 1 ? echo(argv[0]) : PAM_SERVICE_ERR;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        (void)pamh;
        (void)flags;
        (void)argc;
        (void)argv;
        return PAM_SUCCESS;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
        return pam_sm_setcred(pamh, flags, argc, argv);
}
