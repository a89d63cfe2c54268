/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines to terminals, found by the number in /proc/PID/stat and not by utmp, which new distributions do
 * not have. A terminal is not a place to trust: it is opened without becoming ours and without waiting,
 * it must be the device that was meant and belong to the session's user, and only printable ASCII goes
 * there. Who said "mesg n" is not told; a stopped terminal is passed over. */
#include "credd/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "credd/residue.h"

#define TERMINALS_MAX 64
#define LINE_MAX_LEN  512
/* Unix98 pseudo terminals: majors 136 to 143, 256 of them each (Documentation/admin-guide/devices.txt). */
#define PTS_MAJOR  136U
#define PTS_MAJORS 8U
#define AGE_USEC   (200 * USEC_PER_MSEC)

static int open_terminal(dev_t tty, uid_t owner)
{
        AUTO_CLOSE int fd = -1;
        char path[32];
        struct stat st;

        if (major(tty) < PTS_MAJOR || major(tty) >= PTS_MAJOR + PTS_MAJORS)
                return -ENODEV;
        (void)snprintf(path, sizeof(path), "/dev/pts/%u",
                       (major(tty) - PTS_MAJOR) * 256 + minor(tty));
        fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != tty || st.st_uid != owner)
                return -EPERM;
        return take_fd(&fd);
}

static bool has(const dev_t *list, size_t n, dev_t tty)
{
        for (size_t i = 0; i < n; i++)
                if (list[i] == tty)
                        return true;
        return false;
}

static size_t terminal_find(const Session *session, dev_t *ret_list, size_t max)
{
        Sessions *sessions = session->manager->sessions;
        uint64_t now = clock_line_usec(&session->manager->clock);
        const ProcTable *table = sessions_processes(sessions, now - AGE_USEC);
        size_t n = 0;

        for (size_t i = 0; table && i < table->n && n < max; i++) {
                const ProcInfo *info = &table->list[i];

                if (info->uid == session->row.uid && info->tty != 0 && !info->dead &&
                    !has(ret_list, n, info->tty) && residue_is_of_session(session, info))
                        ret_list[n++] = info->tty;
        }
        return n;
}

/* Of others' words in the line only what is printable stays. */
static size_t compose(const char *line, char ret_text[static LINE_MAX_LEN])
{
        int n = snprintf(ret_text, LINE_MAX_LEN, "\r\n%s", line);
        size_t len = n < LINE_MAX_LEN - 3 ? (size_t)n : LINE_MAX_LEN - 3;

        for (size_t i = 2; i < len; i++)
                if (ret_text[i] < 0x20 || ret_text[i] > 0x7e)
                        ret_text[i] = '?';
        memcpy(ret_text + len, "\r\n", 3);
        return len + 2;
}

void terminal_write(dev_t tty, uid_t owner, const char *line)
{
        AUTO_CLOSE int fd = open_terminal(tty, owner);
        char text[LINE_MAX_LEN];

        if (fd >= 0 && write(fd, text, compose(line, text)) < 0)
                return; /* stopped, or gone: nobody waits for it */
}

void terminal_tell(const Session *session, const char *line)
{
        dev_t terminals[TERMINALS_MAX];
        size_t n = terminal_find(session, terminals, TERMINALS_MAX);

        for (size_t i = 0; i < n; i++)
                terminal_write(terminals[i], session->row.uid, line);
}
