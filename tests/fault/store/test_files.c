/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people and disks do to the files of the store: taken away, replaced, made by a newer credd, opened by
 * others, a disk that is full or read-only, a bit that flips. Damage denies; the file is kept as it is; and
 * nothing that was answered is lost. FAULT_SHORT=1 flips fewer. */
#include "tests/fault/store/stage.h"

#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#define PAGE_BYTES 4096
#define MANY       40

static Said admin(Rig *rig, const char *method, json_t *parameters)
{
        json_auto_t *reply = ask(rig, rig->admin, method, parameters);

        return said_by(reply);
}

static Said revoke_one(Rig *rig, const char *id)
{
        return admin(rig, "io.credd.Admin.Revoke", json_pack("{ss}", "id", id));
}

static Said issue_one(Rig *rig)
{
        return admin(rig, "io.credd.Admin.Issue",
                     json_pack("{ss si}", "user", "deploy", "uid", PERSON));
}

/* The word that the status has for the store; a problem is named exactly if it is not "ok". */
static void expect_status(Rig *rig, const char *word)
{
        json_auto_t *reply = rig_call(rig, rig->admin, "io.credd.Admin.Status", json_object());
        const json_t *problems = reply_at(reply, "problems", NULL);
        bool named = false;
        json_t *problem;
        size_t i;

        assert_string_equal(reply_text(reply, "store", NULL), word);
        json_array_foreach ((json_t *)problems, i, problem)
                named = named || strstr(json_string_value(problem), "no login and no issue") ||
                        strstr(json_string_value(problem), "files of the store");
        assert_int_equal(named, strcmp(word, "ok") != 0);
}

/* --- bytes --- */

typedef struct Bytes {
        char *bytes;
        size_t len;
} Bytes;

static void bytes_done(Bytes *bytes)
{
        free(bytes->bytes);
}

static Bytes slurp(const char *path)
{
        Bytes all = {.bytes = malloc(1 << 24)};
        FILE *file = fopen(path, "re");

        assert_non_null(file);
        assert_non_null(all.bytes);
        all.len = fread(all.bytes, 1, 1 << 24, file);
        (void)fclose(file);
        return all;
}

static void spill(const char *path, const Bytes *all)
{
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(all->bytes, 1, all->len, file), all->len);
        assert_int_equal(fclose(file), 0);
}

static void assert_same(const char *path, const Bytes *expect)
{
        CLEANUP(bytes_done) Bytes now = slurp(path);

        assert_int_equal(now.len, expect->len);
        assert_memory_equal(now.bytes, expect->bytes, now.len);
}

static const char *db_path(const Rig *rig, char buffer[static SCRATCH_PATH_MAX])
{
        return scratch_path(rig->folder, "credd.db", buffer);
}

static void restart(Rig *rig)
{
        rig_stop(rig);
        assert_int_equal(rig_start(rig), 0);
}

/* The teardown wants one that runs. */
static void expect_no_start(Rig *rig, int error)
{
        assert_int_equal(rig_start(rig), error);
        assert_null(rig->manager);
}

/* --- taken away --- */

static void test_store__taken_away_while_stopped__is_not_begun_anew(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX], aside[SCRATCH_PATH_MAX];
        AUTO_FREE char *token = issue(rig, NULL, id);
        int fd;

        need_root();
        (void)db_path(rig, path);
        rig_stop(rig);
        assert_int_equal(rename(path, scratch_path(rig->folder, "aside", aside)), 0);
        expect_no_start(rig, -ENOENT);
        assert_int_equal(access(path, F_OK), -1);
        /* emptied is as good as gone */
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
        expect_no_start(rig, -ENOENT);
        assert_int_equal(rename(aside, path), 0);
        assert_int_equal(rig_start(rig), 0);
        assert_int_equal(offer(rig, token), SAID_YES);
}

/* A log without its database: SQLite would throw it away. */
static void test_store__its_log_alone_is_left__is_kept(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX], log[SCRATCH_PATH_MAX], key[SCRATCH_PATH_MAX];
        const Bytes some = {(char *)"what is left", 12};

        rig_stop(rig);
        assert_int_equal(unlink(db_path(rig, path)), 0);
        spill(scratch_path(rig->folder, "credd.db-wal", log), &some);
        assert_true(rig_start(rig) < 0);
        assert_same(log, &some);
        assert_int_equal(unlink(scratch_path(rig->folder, "key", key)), 0);
        expect_no_start(rig, -ENOENT);
        assert_same(log, &some);
        assert_int_equal(unlink(log), 0);
        (void)unlink(path);
        assert_int_equal(rig_start(rig), 0);
}

static void expect_gone(Rig *rig, const char *token, const char *id)
{
        assert_int_equal(offer(rig, token), SAID_UNKNOWN);
        assert_int_equal(issue_one(rig), SAID_UNKNOWN);
        assert_int_equal(revoke_one(rig, id), SAID_UNKNOWN);
        expect_status(rig, "gone");
}

static void test_store__taken_away_under_the_daemon__nothing_is_promised(void **state)
{
        static const char *const names[] = {"credd.db", "credd.db-wal"};
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX], aside[SCRATCH_PATH_MAX];
        AUTO_FREE char *token = issue(rig, NULL, id);

        need_root();
        (void)scratch_path(rig->folder, "aside", aside);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                (void)scratch_path(rig->folder, names[i], path);
                assert_int_equal(rename(path, aside), 0);
                expect_status(rig, "gone");
                expect_gone(rig, token, id);
                assert_int_equal(rename(aside, path), 0);
                expect_status(rig, "ok");
        }
        assert_int_equal(offer(rig, token), SAID_YES);
        restart(rig);
        assert_int_equal(offer(rig, token), SAID_NO);
        audit_store(rig->manager->store);
}

static void test_store__older_copy_put_under_the_daemon__nothing_is_promised(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX], copy[SCRATCH_PATH_MAX];
        AUTO_FREE char *token = issue(rig, NULL, id);
        CLEANUP(bytes_done) Bytes old = slurp(db_path(rig, path));

        need_root();
        spill(scratch_path(rig->folder, "copy", copy), &old);
        assert_int_equal(rename(copy, path), 0);
        expect_gone(rig, token, id);
        assert_same(path, &old);
}

/* --- of another version, and open elsewhere --- */

static void by_hand(const Rig *rig, const char *sql)
{
        char path[SCRATCH_PATH_MAX];
        sqlite3 *handle = NULL;

        assert_int_equal(sqlite3_open(db_path(rig, path), &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void test_store__of_a_newer_credd__is_left_as_it_is(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        CLEANUP(bytes_done) Bytes ours = {0};
        CLEANUP(bytes_done) Bytes newer = {0};

        rig_stop(rig);
        ours = slurp(db_path(rig, path));
        by_hand(rig, "PRAGMA user_version = 99");
        newer = slurp(path);
        expect_no_start(rig, -ENOTSUP);
        assert_same(path, &newer);
        spill(path, &ours);
        assert_int_equal(rig_start(rig), 0);
}

static void test_store__second_daemon__is_refused_and_the_first_goes_on(void **state)
{
        Rig *rig = *state;
        Rig second = {.folder = rig->folder};
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);

        need_root();
        expect_no_start(&second, -EBUSY);
        assert_int_equal(offer(rig, token), SAID_YES);
        restart(rig);
        assert_int_equal(offer(rig, token), SAID_NO);
}

/* What an admin's shell does, in a process of its own; it says when, and holds on until it is told. */
static pid_t open_shell(const Rig *rig, const char *sql, int *ret_status, int ret_pipe[static 2])
{
        int ready[2];
        pid_t pid;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        assert_int_equal(pipe2(ret_pipe, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                char path[SCRATCH_PATH_MAX], byte;
                sqlite3 *handle = NULL;
                int r = sqlite3_open(db_path(rig, path), &handle);

                if (r == SQLITE_OK)
                        r = sqlite3_exec(handle, sql, NULL, NULL, NULL);
                (void)!write(ready[1], &r, sizeof(r));
                (void)close(ret_pipe[1]);
                (void)!read(ret_pipe[0], &byte, 1);
                (void)sqlite3_close(handle);
                _exit(0);
        }
        assert_int_equal(read(ready[0], ret_status, sizeof(*ret_status)), sizeof(*ret_status));
        (void)close(ready[0]);
        (void)close(ready[1]);
        return pid;
}

static void close_shell(pid_t pid, const int pipe[static 2])
{
        (void)close(pipe[1]);
        (void)close(pipe[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_store__shell_beside_the_daemon__sees_nothing_and_stops_nobody(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);
        int status = 0, pipe[2];
        pid_t shell;

        need_root();
        shell = open_shell(rig, "SELECT count(*) FROM credential", &status, pipe);
        assert_int_equal(status, SQLITE_BUSY);
        assert_int_equal(offer(rig, token), SAID_YES);
        close_shell(shell, pipe);
        restart(rig);
        assert_int_equal(offer(rig, token), SAID_NO);
        audit_store(rig->manager->store);
}

static void test_store__shell_that_holds_it__no_start_until_it_is_gone(void **state)
{
        static const char *const holds[] = {
                "BEGIN EXCLUSIVE", "BEGIN; SELECT count(*) FROM credential",
                "BEGIN; UPDATE standing SET uses_left = 7", /* and no COMMIT */
        };
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1];
        AUTO_FREE char *token = issue(rig, NULL, id);

        need_root();
        rig_stop(rig);
        for (size_t i = 0; i < ELEMENTSOF(holds); i++) {
                int status = -1, pipe[2];
                pid_t shell = open_shell(rig, holds[i], &status, pipe);

                assert_int_equal(status, SQLITE_OK);
                expect_no_start(rig, -EBUSY);
                close_shell(shell, pipe);
        }
        assert_int_equal(rig_start(rig), 0);
        assert_int_equal(offer(rig, token), SAID_YES);
        assert_int_equal(offer(rig, token), SAID_NO);
        audit_store(rig->manager->store);
}

/* --- a disk that is full, or read-only --- */

/* A small file system of its own in place of the rig's folder; nobody but this process sees it. */
static void mount_small(Rig *rig)
{
        rig_stop(rig);
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_int_equal(mount("tmpfs", rig->folder, "tmpfs", 0, "size=8m,mode=0711"), 0);
        assert_int_equal(rig_start(rig), 0);
}

static void unmount_small(Rig *rig)
{
        rig_stop(rig);
        assert_int_equal(umount(rig->folder), 0);
        assert_int_equal(rig_start(rig), 0);
}

static void fill(const Rig *rig, const char *name)
{
        static const char zeros[4096];
        char path[SCRATCH_PATH_MAX];
        int fd = open(scratch_path(rig->folder, name, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        while (write(fd, zeros, sizeof(zeros)) > 0)
                ;
        assert_int_equal(errno, ENOSPC);
        (void)close(fd);
}

/* Answered while it is full, and the daemon that gave up is started again, as systemd does. */
static Said when_full(Rig *rig, Said said)
{
        if (rig->manager->failed)
                restart(rig);
        return said;
}

static void test_store__full_disk__ends_are_written_and_nothing_begins(void **state)
{
        Rig *rig = *state;
        char ids[MANY][TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX];
        char *tokens[MANY];

        need_root();
        mount_small(rig);
        for (unsigned i = 0; i < MANY; i++)
                tokens[i] = issue(rig, NULL, ids[i]);
        restart(rig); /* its log is short, and gives no room when it goes */
        fill(rig, "filler");
        /* What finds out is not answered, or that it was not done. */
        assert_int_not_equal(when_full(rig, issue_one(rig)), SAID_YES);
        restart(rig);
        expect_status(rig, "full");
        for (unsigned i = 1; i < MANY; i++) {
                assert_int_equal(when_full(rig, offer(rig, tokens[i])), SAID_UNKNOWN);
                assert_int_equal(when_full(rig, revoke_one(rig, ids[i])), SAID_YES);
        }
        assert_int_equal(when_full(rig, issue_one(rig)), SAID_UNKNOWN);
        restart(rig);
        for (unsigned i = 1; i < MANY; i++)
                assert_true(has_receipt(rig, ids[i], "confirmed"));
        assert_int_equal(unlink(scratch_path(rig->folder, "filler", path)), 0);
        restart(rig);
        expect_status(rig, "ok");
        assert_int_equal(offer(rig, tokens[0]), SAID_YES);
        for (unsigned i = 0; i < MANY; i++) {
                assert_int_equal(offer(rig, tokens[i]), SAID_NO);
                free(tokens[i]);
        }
        audit_store(rig->manager->store);
        unmount_small(rig);
}

static void test_store__read_only_disk__no_start_and_all_is_as_it_was(void **state)
{
        Rig *rig = *state;
        char id[TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX];
        AUTO_FREE char *token = NULL;
        CLEANUP(bytes_done) Bytes before = {0};

        need_root();
        mount_small(rig);
        token = issue(rig, NULL, id);
        rig_stop(rig);
        before = slurp(db_path(rig, path));
        assert_int_equal(mount(NULL, rig->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
        assert_true(rig_start(rig) < 0);
        assert_same(path, &before);
        assert_int_equal(mount(NULL, rig->folder, NULL, MS_REMOUNT, NULL), 0);
        assert_int_equal(rig_start(rig), 0);
        assert_int_equal(offer(rig, token), SAID_YES);
        assert_int_equal(offer(rig, token), SAID_NO);
        unmount_small(rig);
}

/* --- a bit flips --- */

typedef struct Flip {
        Rig *rig;
        char *fresh, *other, *used, *revoked;
        bool started, noticed; /* shared */
} Flip;

/* All that is stored is read once, whatever it says. */
static void read_all(Rig *rig)
{
        static const char *const methods[] = {"List", "Sessions", "Events", "Verify", "Audit"};

        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                AUTO_FREE char *method = NULL;

                assert_true(asprintf(&method, "io.credd.Admin.%s", methods[i]) > 0);
                (void)admin(rig, method, json_object());
        }
}

static void play_flip(void **state)
{
        Flip *flip = *state;
        Rig *rig = flip->rig;
        if (rig_start(rig) < 0)
                return;
        flip->started = true;
        assert_int_not_equal(offer(rig, flip->used), SAID_YES);
        assert_int_not_equal(offer(rig, flip->revoked), SAID_YES);
        if (offer(rig, flip->fresh) == SAID_YES)
                assert_int_not_equal(offer(rig, flip->fresh), SAID_YES);
        read_all(rig);
        flip->noticed = store_trouble(rig->manager->store) == STORE_DAMAGED;
        if (flip->noticed && !is_over(rig)) {
                expect_status(rig, "damaged");
                /* no answer, if what is written meanwhile meets it, too, and ends the daemon */
                assert_true(offer(rig, flip->other) == SAID_UNKNOWN || is_over(rig));
                assert_true(issue_one(rig) == SAID_UNKNOWN || is_over(rig));
        }
        rig_stop(rig);
}

static void flip_one(Flip *flip, const Bytes *good, size_t at)
{
        CLEANUP(bytes_done) Bytes bad = {malloc(good->len), good->len};
        char path[SCRATCH_PATH_MAX];
        struct stat before, after;

        assert_non_null(bad.bytes);
        memcpy(bad.bytes, good->bytes, good->len);
        bad.bytes[at] = (char)(bad.bytes[at] ^ (1 << at % 8));
        spill(db_path(flip->rig, path), &bad);
        assert_int_equal(stat(path, &before), 0);
        flip->started = flip->noticed = false;
        if (in_child(play_flip, flip) != 0)
                fail_msg("bit %zu of byte %zu", at % 8, at);
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_ino == after.st_ino && after.st_size >= before.st_size);
        if (!flip->started)
                assert_same(path, &bad);
}

static void test_store__a_bit_flips__nobody_gets_in_by_it_and_the_file_is_kept(void **state)
{
        static const size_t offsets[] = {1, 5, 8, 20, 60, 700, 2047, 3900, 4090};
        Flip *flip = mmap(NULL, sizeof(*flip), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0);
        Rig *rig = *state;
        char ids[4][TOKEN_ID_LEN + 1], id[TOKEN_ID_LEN + 1], path[SCRATCH_PATH_MAX];
        CLEANUP(bytes_done) Bytes good = {0};
        unsigned n = 0, refused = 0, noticed = 0;

        need_root();
        assert_true(flip != MAP_FAILED);
        *flip = (Flip){rig,
                       issue(rig, NULL, ids[0]),
                       issue(rig, NULL, ids[1]),
                       issue(rig, NULL, ids[2]),
                       issue(rig, NULL, ids[3]),
                       false,
                       false};
        for (unsigned i = 0; i < MANY; i++)
                free(issue(rig, NULL, id));
        assert_int_equal(offer(rig, flip->used), SAID_YES);
        assert_int_equal(revoke_one(rig, ids[3]), SAID_YES);
        rig_stop(rig);
        good = slurp(db_path(rig, path));
        for (size_t page = 0; page < good.len / PAGE_BYTES; page++)
                for (size_t i = page % 3; i < ELEMENTSOF(offsets);
                     i += getenv("FAULT_SHORT") ? 3 : 1) {
                        flip_one(flip, &good, page * PAGE_BYTES + offsets[i]);
                        n++;
                        refused += !flip->started;
                        noticed += flip->noticed;
                }
        print_message("# %u bits: %u stopped the start, %u were met later\n", n, refused, noticed);
        assert_true(refused > 0 && noticed > 0);
        spill(path, &good);
        assert_int_equal(rig_start(rig), 0);
        assert_int_equal(offer(rig, flip->fresh), SAID_YES);
        free(flip->fresh);
        free(flip->other);
        free(flip->used);
        free(flip->revoked);
        (void)munmap(flip, sizeof(*flip));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
        const struct CMUnitTest tests[] = {
                T(test_store__taken_away_while_stopped__is_not_begun_anew),
                T(test_store__its_log_alone_is_left__is_kept),
                T(test_store__taken_away_under_the_daemon__nothing_is_promised),
                T(test_store__older_copy_put_under_the_daemon__nothing_is_promised),
                T(test_store__of_a_newer_credd__is_left_as_it_is),
                T(test_store__second_daemon__is_refused_and_the_first_goes_on),
                T(test_store__shell_beside_the_daemon__sees_nothing_and_stops_nobody),
                T(test_store__shell_that_holds_it__no_start_until_it_is_gone),
                T(test_store__full_disk__ends_are_written_and_nothing_begins),
                T(test_store__read_only_disk__no_start_and_all_is_as_it_was),
                T(test_store__a_bit_flips__nobody_gets_in_by_it_and_the_file_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
