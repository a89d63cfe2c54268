/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "credctl/user.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "credctl/outcome.h"
#include "credctl/words.h"

int user_find_uid(const char *user, uid_t *ret_uid)
{
        const struct passwd *entry;

        errno = 0;
        entry = getpwnam(user);
        if (entry) {
                *ret_uid = entry->pw_uid;
                return 0;
        }
        /* What "no such user" leaves in errno differs among NSS modules (getpwnam(3)). */
        if (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                return words_fail(OUTCOME_FAILED, "cannot look up the user %s: %s", user,
                                  strerror(errno));
        return words_fail(OUTCOME_FAILED, "no user %s on this host", user);
}

bool user_is_known(const char *user)
{
        return getpwnam(user) != NULL;
}
