/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of the store through the socket, and back into a store. */
#include "tests/unit/manager_rig.h"

#include <dirent.h>
#include <sqlite3.h>

#include "common/base64.h"
#include "common/varlink.h"
#include "credd/backup.h"
#include "credd/restore.h"

static const char call[] = "{\"method\": \"io.credd.Admin.Backup\", \"more\": true}";

typedef struct Copy {
        char path[SCRATCH_PATH_MAX];
        uint64_t size;
        unsigned replies;
} Copy;

/* One reply; true: more are to come. */
static bool take_reply(Rig *rig, int fd, FILE *to, Copy *copy)
{
        AUTO_FREE char *text = rig_receive(rig, fd);
        AUTO_FREE uint8_t *bytes = NULL;
        json_auto_t *reply = text ? json_loads(text, 0, NULL) : NULL;
        const char *data;
        ptrdiff_t n;

        assert_non_null(reply);
        data = reply_text(reply, "data", NULL);
        bytes = malloc(strlen(data) + 1);
        n = base64_decode(data, strlen(data), bytes);
        assert_true(n > 0);
        assert_int_equal(fwrite(bytes, 1, (size_t)n, to), n);
        copy->size = (uint64_t)json_integer_value(reply_at(reply, "size", NULL));
        copy->replies++;
        return json_is_true(json_object_get(reply, "continues"));
}

static void receive_copy(Rig *rig, int fd, Copy *copy)
{
        FILE *to = fopen(scratch_path(rig->folder, "copy", copy->path), "we");

        assert_non_null(to);
        while (take_reply(rig, fd, to, copy))
                ;
        assert_int_equal((uint64_t)ftell(to), copy->size);
        assert_int_equal(fclose(to), 0);
}

static Copy take_copy(Rig *rig)
{
        AUTO_CLOSE int fd = rig_connect(rig->admin);
        Copy copy = {0};

        rig_send(fd, call, sizeof(call));
        receive_copy(rig, fd, &copy);
        return copy;
}

static char *issue(Rig *rig, const char *user)
{
        json_auto_t *reply = rig_call(rig, rig->admin, "io.credd.Admin.Issue",
                                      json_pack("{ss si}", "user", user, "uid", 1001));

        return strdup(reply_text(reply, "credential", "id"));
}

static unsigned files_of_copy(Rig *rig)
{
        DIR *dir = opendir(rig->folder);
        struct dirent *entry;
        unsigned n = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir)))
                n += strncmp(entry->d_name, "backup", 6) == 0;
        assert_int_equal(closedir(dir), 0);
        return n;
}

/* As a thousand credentials would be. */
static void grow(Rig *rig, unsigned n)
{
        char text[1024];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        for (unsigned i = 0; i < n; i++) {
                assert_int_equal(batch_enter(rig->manager->batch), 0);
                assert_int_equal(batch_leave(rig->manager->batch,
                                             event_config_refused(&rig->manager->events, text)),
                                 0);
        }
        assert_int_equal(batch_commit(rig->manager->batch), 0);
}

static bool contains(const char *path, const void *what, size_t len)
{
        FILE *file = fopen(path, "re");
        struct stat st;
        bool found;
        char *all;

        assert_non_null(file);
        assert_int_equal(fstat(fileno(file), &st), 0);
        all = malloc((size_t)st.st_size);
        assert_int_equal(fread(all, 1, (size_t)st.st_size, file), st.st_size);
        found = memmem(all, (size_t)st.st_size, what, len);
        free(all);
        assert_int_equal(fclose(file), 0);
        return found;
}

static void test_backup__a_store_in_use__is_copied_whole(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *id = NULL;
        Copy copy;

        need_root();
        id = issue(rig, "deploy");
        grow(rig, 1000);
        copy = take_copy(rig);
        assert_true(copy.replies > 3);
        assert_int_equal(restore_check(copy.path), 0);
        assert_true(contains(copy.path, id, strlen(id)));
        assert_int_equal(files_of_copy(rig), 0);
        assert_null(rig->manager->backup);
}

static void test_backup__the_key__is_not_in_it(void **state)
{
        Rig *rig = *state;
        char path[SCRATCH_PATH_MAX];
        uint8_t key[32];
        FILE *file;
        Copy copy;

        need_root();
        copy = take_copy(rig);
        file = fopen(scratch_path(rig->folder, "key", path), "re");
        assert_non_null(file);
        assert_int_equal(fread(key, 1, sizeof(key), file), sizeof(key));
        assert_int_equal(fclose(file), 0);
        assert_false(contains(copy.path, key, sizeof(key)));
}

static void test_backup__what_happens_meanwhile__goes_on(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int fd = rig_connect(rig->admin);
        AUTO_FREE char *id = NULL;
        Copy copy = {0};

        need_root();
        grow(rig, 1000);
        rig_send(fd, call, sizeof(call));
        for (unsigned i = 0; !rig->manager->backup; i++) {
                assert_true(i < 1000);
                rig_turn(rig);
        }
        id = issue(rig, "meanwhile");
        grow(rig, 100);
        receive_copy(rig, fd, &copy);
        assert_int_equal(restore_check(copy.path), 0);
}

static void test_backup__a_second_one_meanwhile__is_refused(void **state)
{
        Rig *rig = *state;
        AUTO_CLOSE int first = rig_connect(rig->admin), second = rig_connect(rig->admin);
        AUTO_FREE char *text = NULL;
        Copy copy = {0};

        need_root();
        grow(rig, 1000);
        rig_send(first, call, sizeof(call));
        for (unsigned i = 0; !rig->manager->backup; i++) {
                assert_true(i < 1000);
                rig_turn(rig);
        }
        rig_send(second, call, sizeof(call));
        text = rig_receive(rig, second);
        assert_non_null(text);
        assert_non_null(strstr(text, "BackupFailed"));
        receive_copy(rig, first, &copy);
        assert_int_equal(restore_check(copy.path), 0);
}

/* At any moment: nothing of the copy is left, and the next one comes. */
static void test_backup__the_caller_goes__the_copy_goes_with_it(void **state)
{
        Rig *rig = *state;

        need_root();
        grow(rig, 500);
        for (int turns = 0; turns < 20; turns++) {
                int fd = rig_connect(rig->admin);

                rig_send(fd, call, sizeof(call));
                for (int i = 0; i < turns; i++)
                        rig_turn(rig);
                (void)close(fd);
                rig_settle(rig);
                assert_null(rig->manager->backup);
                assert_int_equal(files_of_copy(rig), 0);
        }
        assert_true(take_copy(rig).size > 0);
}

static void test_backup__one_answer_asked_for__is_refused(void **state)
{
        Rig *rig = *state;
        json_auto_t *reply = NULL;

        need_root();
        reply = rig_call(rig, rig->admin, "io.credd.Admin.Backup", json_object());
        assert_error(reply, VARLINK_EXPECTED_MORE, NULL, NULL);
}

/* --- back again --- */

static char *restored_folder(Rig *rig)
{
        char path[SCRATCH_PATH_MAX];

        scratch_path(rig->folder, "restored", path);
        assert_int_equal(mkdir(path, 0700), 0);
        return strdup(path);
}

static void open_restored(const char *folder, Clock *clock, Store **ret)
{
        clock_init_system(clock);
        assert_int_equal(store_open(folder, "11111111111111111111111111111111", clock, ret), 0);
}

static void test_restore__what_was_open__is_revoked(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *id = NULL, *folder = NULL;
        CLEANUP(store_closep) Store *store = NULL;
        AUTO_CREDENTIAL Credential credential = {0};
        CLEANUP(revocation_done) Revocation revocation = {0};
        CLEANUP(receipt_done) Receipt receipt = {0};
        int64_t seq = 0;
        Clock clock;
        Copy copy;

        need_root();
        id = issue(rig, "deploy");
        copy = take_copy(rig);
        folder = restored_folder(rig);
        assert_int_equal(restore_run(folder, copy.path), 0);
        open_restored(folder, &clock, &store);
        assert_int_equal(store_find_credential(store, id, &credential), 1);
        assert_int_equal(credential.cause, CAUSE_REVOKED);
        assert_false(credential.has_hash);
        assert_int_equal(store_find_revocation(store, credential.num, &revocation), 1);
        assert_string_equal(revocation.reason, "restored from a backup");
        assert_int_equal(store_find_receipt(store, credential.num, &receipt), 1);
        assert_int_equal(store_check_chain(store, &seq), 0);
}

static void test_restore__over_a_store__is_refused(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *folder = NULL;
        Copy copy;

        need_root();
        copy = take_copy(rig);
        folder = restored_folder(rig);
        assert_int_equal(restore_run(folder, copy.path), 0);
        assert_int_equal(restore_run(folder, copy.path), -EEXIST);
}

static void test_restore__under_a_daemon_that_runs__is_refused(void **state)
{
        Rig *rig = *state;
        char from[SCRATCH_PATH_MAX], to[SCRATCH_PATH_MAX];
        Copy copy;

        need_root();
        copy = take_copy(rig);
        scratch_path(rig->folder, "credd.db", from);
        scratch_path(rig->folder, "moved", to);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(restore_run(rig->folder, copy.path), -EBUSY);
}

static void test_restore__any_page_damaged__is_refused(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *folder = NULL;
        uint8_t noise[512];
        unsigned refused = 0;
        Copy copy;

        need_root();
        grow(rig, 50);
        copy = take_copy(rig);
        folder = restored_folder(rig);
        memset(noise, 0xa5, sizeof(noise));
        for (long at = 0; at < (long)copy.size; at += 4096) {
                FILE *file = fopen(copy.path, "r+e");
                uint8_t kept[512];

                assert_non_null(file);
                assert_int_equal(fseek(file, at, SEEK_SET), 0);
                assert_int_equal(fread(kept, 1, sizeof(kept), file), sizeof(kept));
                assert_int_equal(fseek(file, at, SEEK_SET), 0);
                assert_int_equal(fwrite(noise, 1, sizeof(noise), file), sizeof(noise));
                assert_int_equal(fflush(file), 0);
                refused += restore_run(folder, copy.path) < 0;
                assert_int_equal(fseek(file, at, SEEK_SET), 0);
                assert_int_equal(fwrite(kept, 1, sizeof(kept), file), sizeof(kept));
                assert_int_equal(fclose(file), 0);
        }
        assert_int_equal(refused, (copy.size + 4095) / 4096);
        assert_int_equal(restore_run(folder, copy.path), 0);
}

static void test_restore__what_is_no_backup__is_refused(void **state)
{
        Rig *rig = *state;
        AUTO_FREE char *folder = restored_folder(rig);
        char path[SCRATCH_PATH_MAX];
        sqlite3 *handle = NULL;

        assert_int_equal(restore_run(folder, "/nonexistent"), -ENOENT);
        assert_int_equal(restore_run(folder, "/dev/null"), -EINVAL);
        scratch_path(rig->folder, "empty", path);
        assert_int_equal(fclose(fopen(path, "we")), 0);
        assert_int_equal(restore_run(folder, path), -EBADMSG);
        scratch_path(rig->folder, "other", path);
        assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(handle), SQLITE_OK);
        assert_int_equal(restore_run(folder, path), -EBADMSG);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_RIG(test_backup__a_store_in_use__is_copied_whole),
                WITH_RIG(test_backup__the_key__is_not_in_it),
                WITH_RIG(test_backup__what_happens_meanwhile__goes_on),
                WITH_RIG(test_backup__a_second_one_meanwhile__is_refused),
                WITH_RIG(test_backup__the_caller_goes__the_copy_goes_with_it),
                WITH_RIG(test_backup__one_answer_asked_for__is_refused),
                WITH_RIG(test_restore__what_was_open__is_revoked),
                WITH_RIG(test_restore__over_a_store__is_refused),
                WITH_RIG(test_restore__under_a_daemon_that_runs__is_refused),
                WITH_RIG(test_restore__any_page_damaged__is_refused),
                WITH_RIG(test_restore__what_is_no_backup__is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
