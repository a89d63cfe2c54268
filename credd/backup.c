/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First the copy is made, a few pages a turn and only when nobody wants anything else; then it is said
 * that it was handed out, and that is on the disk; then it goes out, as fast as the peer takes it. There
 * is one at a time, because each needs as much room as the store. If the peer goes, so does the copy. */
#include "credd/backup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base64.h"
#include "common/varlink.h"
#include "credd/batch.h"
#include "credd/db.h"

#define PAGES 64 /* a turn: a quarter of a mebibyte */
#define CHUNK ((size_t)192 * 1024)

struct Backup {
        Manager *manager;
        Peer *peer;
        Actor actor;
        DbCopy *copy; /* while it is being made */
        sd_event_source *defer;
        int fd; /* of the finished one; -1 before */
        uint64_t size, sent;
        bool wanted; /* the peer waits for the first message */
};

static void backup_free(Backup *backup)
{
        (void)sd_event_source_disable_unref(backup->defer);
        if (backup->copy) {
                (void)db_copy_free(backup->copy);
                store_copy_remove(backup->manager->store);
        }
        if (backup->fd >= 0)
                (void)close(backup->fd);
        free(backup);
}

static void on_gone(void *userdata)
{
        Backup *backup = userdata;

        backup->manager->backup = NULL;
        backup_free(backup);
}

/* The last message: the peer is an ordinary one again before it goes out, and may be gone after. */
static void end_with(Backup *backup, char *text)
{
        Peer *peer = backup->peer;

        peer_stream_end(peer);
        on_gone(backup);
        peer_send(peer, text);
}

static void fail(Backup *backup, int error)
{
        json_auto_t *parameters =
                json_pack("{ss}", "reason",
                          error == -ENOSPC ? "the disk of the host ran full while the copy was made"
                                           : strerror(-error));

        end_with(backup, varlink_error_encode("io.credd.Admin.BackupFailed", parameters));
}

/* --- handing it out --- */

static json_t *pack(const Backup *backup, const uint8_t *bytes, size_t n)
{
        AUTO_FREE char *text = malloc(BASE64_LEN(CHUNK) + 1);

        if (!text)
                return NULL;
        base64_encode(bytes, n, text);
        return json_pack("{ss sI}", "data", text, "size", (json_int_t)backup->size);
}

static void send_next(Backup *backup)
{
        AUTO_FREE uint8_t *bytes = malloc(CHUNK);
        json_auto_t *parameters = NULL;
        ssize_t n;

        n = bytes ? pread(backup->fd, bytes, CHUNK, (off_t)backup->sent) : -1;
        if (n <= 0) {
                fail(backup, n < 0 ? -errno : -EIO);
                return;
        }
        backup->sent += (uint64_t)n;
        parameters = pack(backup, bytes, (size_t)n);
        if (!parameters)
                fail(backup, -ENOMEM);
        else if (backup->sent >= backup->size)
                end_with(backup, varlink_reply_encode(parameters, false));
        else
                peer_send(backup->peer, varlink_reply_encode(parameters, true));
}

static void on_wanted(void *userdata)
{
        Backup *backup = userdata;

        if (backup->fd >= 0)
                send_next(backup);
        else
                backup->wanted = true;
}

/* --- making it --- */

static int record(Backup *backup)
{
        Manager *manager = backup->manager;
        int r;

        r = batch_enter(manager->batch);
        if (r == 0)
                r = batch_leave(
                        manager->batch,
                        event_store_backed_up(&manager->events, &backup->actor, backup->size));
        return r < 0 ? r : batch_commit(manager->batch);
}

static int finish_copy(Backup *backup)
{
        Store *store = backup->manager->store;
        struct stat st;

        backup->copy = db_copy_free(backup->copy);
        backup->fd = store_copy_open(store);
        if (backup->fd < 0)
                return backup->fd;
        if (fstat(backup->fd, &st) < 0)
                return -errno;
        backup->size = (uint64_t)st.st_size;
        return record(backup);
}

/* A copy is made of what is committed, so that it tells of nothing that may not last. */
static int on_turn(sd_event_source *source, void *userdata)
{
        Backup *backup = userdata;
        int r;

        (void)source;
        r = batch_commit(backup->manager->batch);
        if (r == 0)
                r = store_copy_step(backup->manager->store, backup->copy, PAGES);
        if (r > 0)
                return 0;
        (void)sd_event_source_set_enabled(backup->defer, SD_EVENT_OFF);
        if (r == 0)
                r = finish_copy(backup);
        if (r < 0)
                fail(backup, r);
        else if (backup->wanted)
                send_next(backup);
        return 0;
}

static int make(Manager *manager, Peer *peer, Backup *backup)
{
        uint64_t size, room;
        int r;

        r = store_copy_room(manager->store, &size, &room);
        if (r == 0)
                r = store_copy_new(manager->store, &backup->copy);
        if (r == 0)
                r = sd_event_add_defer(manager->event, &backup->defer, on_turn, backup);
        if (r >= 0)
                r = sd_event_source_set_priority(backup->defer, PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(backup->defer, SD_EVENT_ON);
        if (r >= 0)
                peer_actor(peer, &backup->actor);
        return r < 0 ? r : 0;
}

int backup_start(Manager *manager, Peer *peer)
{
        Backup *backup;
        int r;

        if (manager->backup)
                return -EBUSY;
        backup = calloc(1, sizeof(*backup));
        if (!backup)
                return -ENOMEM;
        backup->manager = manager;
        backup->peer = peer;
        backup->fd = -1;
        r = make(manager, peer, backup);
        if (r < 0) {
                backup_free(backup);
                return r;
        }
        peer_stream(peer, &(PeerStream){on_wanted, on_gone, backup});
        manager->backup = backup;
        return 0;
}
