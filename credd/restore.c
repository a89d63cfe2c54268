/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a backup to a store. What happened after the backup is not in it: a credential that is open there
 * may have been revoked, or used, since. So nothing of it may be good any more when it becomes the store.
 * Invariant: all of this happens in a folder beside the store, and one rename at the end puts a file in
 * place in which every credential is closed. The key is this installation's. */
#include "credd/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "credd/digest.h"
#include "credd/manager.h"
#include "credd/receipts.h"

#define FOLDER "restore"
#define REASON "restored from a backup"
#define PAGE   200

typedef struct Restore {
        const char *path;
        char *folder; /* state/FOLDER */
        int state_fd, folder_fd, from_fd;
        Manager manager; /* of it the store, the clock, the events and the defaults: what receipts take */
        Actor actor;
        unsigned revoked;
} Restore;

__attribute__((format(printf, 2, 3))) static int say(int error, const char *format, ...)
{
        va_list values;

        va_start(values, format);
        (void)vfprintf(stderr, format, values);
        va_end(values);
        (void)fputc('\n', stderr);
        return error;
}

static int say_unsound(const char *path, int error, const char *what)
{
        if (error == -EBADMSG)
                return say(error, "%s is no sound backup of credd%s%s", path, what[0] ? ": " : "",
                           what);
        if (error == -ENOTSUP)
                return say(error, "%s was made by a newer credd", path);
        return say(error, "cannot read %s: %s", path, strerror(-error));
}

int restore_check(const char *path)
{
        char what[256];
        int r = store_check_file(path, what, sizeof(what));

        if (r < 0)
                return say_unsound(path, r, what);
        (void)printf("%s: a sound backup\n", path);
        return 0;
}

/* --- the folders --- */

static void remove_folder(Restore *restore)
{
        static const char *const names[] = {"credd.db",     "credd.db-wal", "credd.db-journal",
                                            "credd.db-shm", "key",          "key.new",
                                            "reserve"};

        for (size_t i = 0; restore->folder_fd >= 0 && i < ELEMENTSOF(names); i++)
                (void)unlinkat(restore->folder_fd, names[i], 0);
        (void)unlinkat(restore->state_fd, FOLDER, AT_REMOVEDIR);
}

static void restore_done(Restore *restore)
{
        restore->manager.store = store_close(restore->manager.store);
        config_done(&restore->manager.config);
        if (restore->state_fd >= 0)
                remove_folder(restore);
        if (restore->folder_fd >= 0)
                (void)close(restore->folder_fd);
        if (restore->state_fd >= 0)
                (void)close(restore->state_fd);
        if (restore->from_fd >= 0)
                (void)close(restore->from_fd);
        free(restore->folder);
}

static bool is_there(int dir_fd, const char *name)
{
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* What is made here must be credd's, and root's rights are not needed for it. */
static int become_owner(const char *state, const struct stat *st)
{
        if (geteuid() == st->st_uid)
                return 0;
        if (geteuid() != 0)
                return say(-EPERM, "%s is not yours: run this as root", state);
        if (setgroups(0, NULL) < 0 || setresgid(st->st_gid, st->st_gid, st->st_gid) < 0 ||
            setresuid(st->st_uid, st->st_uid, st->st_uid) < 0)
                return say(-errno, "cannot become the owner of %s: %s", state, strerror(errno));
        return 0;
}

static int open_state(Restore *restore, const char *state)
{
        struct stat st;
        int r;

        restore->state_fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (restore->state_fd < 0 || fstat(restore->state_fd, &st) < 0)
                return say(-errno, "cannot open %s: %s", state, strerror(errno));
        r = become_owner(state, &st);
        if (r < 0)
                return r;
        if (flock(restore->state_fd, LOCK_EX | LOCK_NB) < 0)
                return say(-EBUSY, "credd is running: systemctl stop credd-login.socket "
                                   "credd-admin.socket credd.service");
        if (is_there(restore->state_fd, "credd.db") || is_there(restore->state_fd, "credd.db-wal"))
                return say(-EEXIST,
                           "there is a store in %s, which is not overwritten: move credd.db and "
                           "credd.db-wal away, and keep them",
                           state);
        return 0;
}

static int make_folder(Restore *restore, const char *state)
{
        if (asprintf(&restore->folder, "%s/" FOLDER, state) < 0)
                return -ENOMEM;
        restore->folder_fd =
                openat(restore->state_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        remove_folder(restore); /* what one that was interrupted left */
        if (restore->folder_fd >= 0)
                (void)close(restore->folder_fd);
        restore->folder_fd = -1;
        if (mkdirat(restore->state_fd, FOLDER, 0700) < 0)
                return say(-errno, "cannot make %s: %s", restore->folder, strerror(errno));
        restore->folder_fd =
                openat(restore->state_fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return restore->folder_fd < 0 ? -errno : 0;
}

static int copy_bytes(int from, int to)
{
        char bytes[65536];
        ssize_t n;

        while ((n = read(from, bytes, sizeof(bytes))) > 0)
                for (ssize_t at = 0, put; at < n; at += put) {
                        put = write(to, bytes + at, (size_t)(n - at));
                        if (put <= 0)
                                return put < 0 ? -errno : -EIO;
                }
        return n < 0 || fsync(to) < 0 ? -errno : 0;
}

static int copy_backup(Restore *restore)
{
        AUTO_CLOSE int to = -1;
        int r;

        to = openat(restore->folder_fd, "credd.db",
                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        r = to < 0 ? -errno : copy_bytes(restore->from_fd, to);
        if (r < 0)
                return say(r, "cannot copy %s to %s: %s", restore->path, restore->folder,
                           strerror(-r));
        return 0;
}

static int check_copy(Restore *restore)
{
        AUTO_FREE char *copy = NULL;
        char what[256];
        int r;

        if (asprintf(&copy, "%s/credd.db", restore->folder) < 0)
                return -ENOMEM;
        r = store_check_file(copy, what, sizeof(what));
        return r < 0 ? say_unsound(restore->path, r, what) : 0;
}

/* The key of this installation; a host that has none yet gets one. */
static int lend_key(Restore *restore)
{
        CLEANUP(digest_key_freep) DigestKey *key = NULL;

        if (linkat(restore->state_fd, "key", restore->folder_fd, "key", 0) < 0 && errno != ENOENT)
                return say(-errno, "cannot use the key: %s", strerror(errno));
        return digest_key_load(restore->folder_fd, true, &key);
}

static int open_store(Restore *restore)
{
        Manager *manager = &restore->manager;
        char boot_id[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int64_t seq = 0;
        int r;

        r = sd_id128_get_boot(&id);
        if (r < 0)
                return r;
        clock_init_system(&manager->clock);
        r = store_open(restore->folder, sd_id128_to_string(id, boot_id), &manager->clock,
                       &manager->store);
        if (r < 0)
                return say(r, "cannot open the copy: %s", strerror(-r));
        manager->events = (Events){manager->store, &manager->clock, NULL};
        r = store_check_chain(manager->store, &seq);
        if (r == -EBADMSG)
                return say(r,
                           "%s is not restored: event %" PRId64 " does not follow from the one "
                           "before it",
                           restore->path, seq);
        return r;
}

/* --- nothing of it is good any more --- */

typedef struct Page {
        int64_t nums[PAGE], last;
        size_t n;
} Page;

static bool is_open(const Credential *credential)
{
        return credential->cause == CAUSE_NONE || credential->cause == CAUSE_PENDING;
}

static bool take_open(void *userdata, Credential *credential)
{
        Page *page = userdata;

        page->last = credential->num;
        if (is_open(credential))
                page->nums[page->n++] = credential->num;
        return true;
}

/* What was only asked for: there is no credential to revoke. */
static int lapse(Manager *manager, const Credential *credential)
{
        int r = store_close_credential(manager->store, credential->num, CAUSE_LAPSED);

        return r < 0 ? r : event_credential_lapsed(&manager->events, credential);
}

static int close_one(Restore *restore, int64_t num)
{
        Manager *manager = &restore->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        char reason[] = REASON;
        const Revocation revocation = {.at_real_usec = clock_real_usec(&manager->clock),
                                       .actor = restore->actor,
                                       .reason = reason};
        int r;

        r = store_read_credential(manager->store, num, &credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        if (credential.cause == CAUSE_PENDING)
                return lapse(manager, &credential);
        restore->revoked++;
        r = store_close_credential(manager->store, num, CAUSE_REVOKED);
        if (r == 0)
                r = store_add_revocation(manager->store, num, &revocation);
        if (r == 0)
                r = event_credential_revoked(&manager->events, &credential, &restore->actor,
                                             REASON);
        return r < 0 ? r : receipts_try(manager, num);
}

static int revoke_all(Restore *restore)
{
        int64_t after = -1, last = 0;

        while (last != after) {
                Page page = {.last = last};
                int r;

                after = last;
                r = store_each_credential(restore->manager.store, after, PAGE, take_open, &page);
                for (size_t i = 0; i < page.n && r == 0; i++)
                        r = close_one(restore, page.nums[i]);
                if (r < 0)
                        return r;
                last = page.last;
        }
        return 0;
}

typedef struct Live {
        int64_t logins[PAGE], last;
        size_t n;
} Live;

static bool take_live(void *userdata, SessionRow *row)
{
        Live *live = userdata;

        live->last = row->login;
        live->logins[live->n++] = row->login;
        return true;
}

/* Those that live are ended by the daemon, which looks for them when it starts. */
static int end_sessions(Restore *restore)
{
        Store *store = restore->manager.store;
        uint64_t now = clock_line_usec(&restore->manager.clock);
        int64_t after = -1, last = 0;

        while (last != after) {
                Live live = {.last = last};
                int r;

                after = last;
                r = store_each_session(store, SESSIONS_LIVE, 0, after, PAGE, take_live, &live);
                for (size_t i = 0; i < live.n && r == 0; i++)
                        r = store_set_deadline(store, live.logins[i], now);
                if (r < 0)
                        return r;
                last = live.last;
        }
        return 0;
}

static int settle(Restore *restore)
{
        Manager *manager = &restore->manager;
        int r;

        config_defaults(&manager->config);
        r = store_begin(manager->store);
        if (r == 0)
                r = event_store_restored(&manager->events, &restore->actor);
        if (r == 0)
                r = revoke_all(restore);
        if (r == 0)
                r = end_sessions(restore);
        if (r == 0)
                r = store_commit(manager->store);
        if (r < 0)
                return say(r, "cannot close what is open in the backup: %s", strerror(-r));
        return 0;
}

/* --- in place --- */

static int put_in_place(Restore *restore)
{
        /* All of it is in one file once it is closed. */
        restore->manager.store = store_close(restore->manager.store);
        if (is_there(restore->folder_fd, "credd.db-wal"))
                return say(-EIO, "cannot write %s/credd.db out", restore->folder);
        if (!is_there(restore->state_fd, "key") &&
            renameat(restore->folder_fd, "key", restore->state_fd, "key") < 0)
                return say(-errno, "cannot put the key in place: %s", strerror(errno));
        if (renameat(restore->folder_fd, "credd.db", restore->state_fd, "credd.db") < 0 ||
            fsync(restore->state_fd) < 0)
                return say(-errno, "cannot put the store in place: %s", strerror(errno));
        return 0;
}

static void identify(Actor *ret)
{
        const struct passwd *entry = getpwuid(getuid());
        uid_t loginuid = UID_NONE;
        FILE *file = fopen("/proc/self/loginuid", "re");

        *ret = (Actor){.uid = getuid(), .loginuid = UID_NONE};
        if (entry)
                (void)snprintf(ret->name, sizeof(ret->name), "%.*s", USER_NAME_LEN_MAX,
                               entry->pw_name);
        if (file && fscanf(file, "%u", &loginuid) == 1)
                ret->loginuid = loginuid;
        if (file)
                (void)fclose(file);
}

static int open_backup(Restore *restore)
{
        struct stat st;

        restore->from_fd = open(restore->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (restore->from_fd < 0 || fstat(restore->from_fd, &st) < 0)
                return say(-errno, "cannot open %s: %s", restore->path, strerror(errno));
        return S_ISREG(st.st_mode) ? 0 : say(-EINVAL, "%s is no file", restore->path);
}

int restore_run(const char *state, const char *path)
{
        CLEANUP(restore_done)
        Restore restore = {.path = path, .state_fd = -1, .folder_fd = -1, .from_fd = -1};
        int r;

        (void)umask(077);
        identify(&restore.actor);
        r = open_backup(&restore);
        if (r == 0)
                r = open_state(&restore, state);
        if (r == 0)
                r = make_folder(&restore, state);
        if (r == 0)
                r = copy_backup(&restore);
        if (r == 0)
                r = check_copy(&restore);
        if (r == 0)
                r = lend_key(&restore);
        if (r == 0)
                r = open_store(&restore);
        if (r == 0)
                r = settle(&restore);
        if (r == 0)
                r = put_in_place(&restore);
        if (r == 0)
                (void)printf("Restored; %u credentials that were open in the backup are revoked.\n",
                             restore.revoked);
        return r;
}
