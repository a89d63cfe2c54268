/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One datagram, one entry, in journald's native protocol.
 *
 * Invariants: no call waits; an entry goes whole or not at all, and the caller learns which. The
 * socket is never connected: each entry names its receiver anew, so a journald that came back is
 * found without anything to repair.
 *
 * Left out: what to do with an entry that did not go (the outbox keeps it), and entries too large
 * for a datagram (ours are a few hundred bytes). */
#include "credd/journal.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/cleanup.h"

#define ENTRY_MAX      ((size_t)64 * 1024)
#define FIELD_NAME_MAX 64
#define SEND_BUFFER    (8 * 1024 * 1024)

struct Journal {
        int fd;
        struct sockaddr_un address;
        socklen_t address_length;
        size_t n;
        char entry[ENTRY_MAX];
};

DEFINE_CLEANUP(Journal, journal_free)

static int set_address(Journal *journal, const char *path)
{
        size_t n = strlen(path);

        if (n == 0)
                return -EINVAL;
        if (n >= sizeof(journal->address.sun_path))
                return -ENAMETOOLONG;
        journal->address.sun_family = AF_UNIX;
        memcpy(journal->address.sun_path, path, n + 1);
        journal->address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
        return 0;
}

int journal_new(const char *path, Journal **ret_journal)
{
        CLEANUP(journal_freep) Journal *journal = calloc(1, sizeof(*journal));
        int r;

        if (!journal)
                return -ENOMEM;
        journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (journal->fd < 0)
                return -errno;
        r = set_address(journal, path);
        if (r < 0)
                return r;
        /* What journald has not read yet is charged to us. The kernel may cut this; then fewer wait
         * there and more in the outbox. */
        (void)setsockopt(journal->fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
        *ret_journal = take_ptr(journal);
        return 0;
}

Journal *journal_free(Journal *journal)
{
        if (!journal)
                return NULL;
        if (journal->fd >= 0)
                (void)close(journal->fd);
        free(journal);
        return NULL;
}

/* journald drops a field with any other name without a word; a leading '_' is its own. */
static bool name_is_valid(const char *name)
{
        size_t n = 0;

        for (; (name[n] >= 'A' && name[n] <= 'Z') || (name[n] >= '0' && name[n] <= '9') ||
               name[n] == '_';
             n++)
                ;
        return n > 0 && n <= FIELD_NAME_MAX && !name[n] && *name != '_' &&
               !(*name >= '0' && *name <= '9');
}

static int put(Journal *journal, const void *data, size_t n)
{
        if (n > sizeof(journal->entry) - journal->n)
                return -EMSGSIZE;
        memcpy(journal->entry + journal->n, data, n);
        journal->n += n;
        return 0;
}

/* NAME=value, or, because a newline ends that form, NAME, the length and the value. */
static int put_field(Journal *journal, const JournalField *field)
{
        size_t n = strlen(field->value);
        bool lines = strchr(field->value, '\n');
        uint64_t length = htole64(n);
        int r;

        assert(name_is_valid(field->name));
        r = put(journal, field->name, strlen(field->name));
        if (r == 0)
                r = put(journal, lines ? "\n" : "=", 1);
        if (r == 0 && lines)
                r = put(journal, &length, sizeof(length));
        if (r == 0)
                r = put(journal, field->value, n);
        return r == 0 ? put(journal, "\n", 1) : r;
}

static int send_entry(Journal *journal)
{
        struct iovec iov = {.iov_base = journal->entry, .iov_len = journal->n};
        const struct msghdr message = {
                .msg_name = &journal->address,
                .msg_namelen = journal->address_length,
                .msg_iov = &iov,
                .msg_iovlen = 1,
        };

        while (sendmsg(journal->fd, &message, MSG_NOSIGNAL) < 0)
                switch (errno) {
                case EINTR:
                        continue;
                case ENOENT:
                case ECONNREFUSED:
                        return -ENOTCONN;
                case ENOBUFS:
                case ENOMEM:
                        return -EAGAIN;
                default:
                        return -errno;
                }
        return 0;
}

int journal_send(Journal *journal, const JournalField *fields, size_t n)
{
        journal->n = 0;
        for (size_t i = 0; i < n; i++) {
                int r = fields[i].value ? put_field(journal, &fields[i]) : 0;

                if (r < 0)
                        return r;
        }
        assert(journal->n > 0);
        return send_entry(journal);
}
