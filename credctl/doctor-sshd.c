/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "sshd -T" prints a keyword in lower case and its value a line. Match blocks are not in it. */
#include "credctl/doctor-sshd.h"

#include <string.h>
#include <strings.h>

#define RELOAD "in sshd_config, then systemctl reload ssh"

char *sshd_value(const char *text, const char *keyword)
{
        size_t len = strlen(keyword);

        for (const char *line = text; *line; line += strspn(line, "\n")) {
                size_t end = strcspn(line, "\n");

                if (end > len && strncasecmp(line, keyword, len) == 0 && line[len] == ' ')
                        return strndup(line + len + 1, end - len - 1);
                line += end;
        }
        return NULL;
}

static bool is(const char *text, const char *keyword, const char *wanted)
{
        AUTO_FREE char *value = sshd_value(text, keyword);

        return value && strcasecmp(value, wanted) == 0;
}

static bool takes_password(const char *method)
{
        return strncmp(method, "password", 8) == 0 ||
               strncmp(method, "keyboard-interactive", 20) == 0;
}

/* Lists with blanks between them, of methods with commas between them. *ret_alone: a token is
 * enough in one; *ret_part: it is asked for in one. */
static void read_methods(const char *text, bool *ret_alone, bool *ret_part)
{
        AUTO_FREE char *copy = sshd_value(text, "authenticationmethods");
        char *lists = copy, *list;

        *ret_alone = *ret_part = !copy || strcmp(copy, "any") == 0;
        while ((list = strsep(&lists, " "))) {
                bool alone = *list != '\0';
                char *method;

                while ((method = strsep(&list, ","))) {
                        *ret_part = *ret_part || takes_password(method);
                        alone = alone && takes_password(method);
                }
                *ret_alone = *ret_alone || alone;
        }
}

static void judge_methods(const char *text, JudgeFound found, void *userdata)
{
        bool alone, part;

        read_methods(text, &alone, &part);
        if (!part)
                found(userdata, LEVEL_ERROR,
                      "sshd: AuthenticationMethods has no method that asks for a token",
                      "add keyboard-interactive, or write any, " RELOAD);
        else if (!alone)
                found(userdata, LEVEL_WARNING,
                      "sshd: AuthenticationMethods wants more than a token alone",
                      "nothing, if that is wanted");
}

void sshd_judge(const char *text, JudgeFound found, void *userdata)
{
        if (!is(text, "usepam", "yes"))
                found(userdata, LEVEL_ERROR, "sshd: UsePAM is off, so nobody asks credd",
                      "set UsePAM yes " RELOAD);
        if (!is(text, "passwordauthentication", "yes") &&
            !is(text, "kbdinteractiveauthentication", "yes"))
                found(userdata, LEVEL_ERROR,
                      "sshd: PasswordAuthentication and KbdInteractiveAuthentication are off, so "
                      "that a token cannot be given",
                      "set KbdInteractiveAuthentication yes " RELOAD);
        judge_methods(text, found, userdata);
        if (is(text, "permitrootlogin", "yes"))
                found(userdata, LEVEL_NOTE,
                      "sshd: PermitRootLogin yes: root has access that does not end",
                      "set PermitRootLogin no " RELOAD);
        if (is(text, "permitemptypasswords", "yes"))
                found(userdata, LEVEL_WARNING, "sshd: PermitEmptyPasswords yes",
                      "set PermitEmptyPasswords no " RELOAD);
}
