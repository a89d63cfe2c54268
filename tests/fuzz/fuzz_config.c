/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credd.conf and the file of a role. The input is the one, a line "%%", and the other. What is taken lies
 * within the bounds that the manual names; what is refused is not half taken; each mistake is one line of
 * plain text; and the same text is judged the same each time, and by `credctl role check` as well. */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "credd/credential.h"
#include "credd/digest.h"
#include "credd/setup.h"
#include "credd/source.h"
#include "credd/values.h"
#include "tests/fuzz/folder.h"

#define MIDDLE "%%\n"

/* --- people: the machine's own must not matter --- */

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **ret)
{
        (void)buffer;
        (void)size;
        *ret = NULL;
        if (strcmp(name, "carol") != 0 && strcmp(name, "root") != 0)
                return 0;
        *entry = (struct passwd){.pw_uid = name[0] == 'r' ? 0 : 1002};
        *ret = entry;
        return 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **ret)
{
        (void)buffer;
        *ret = NULL;
        if (strcmp(name, "big") == 0 && size < 65536)
                return ERANGE;
        if (strcmp(name, "broken") == 0)
                return EIO;
        if (strcmp(name, "sre") != 0 && strcmp(name, "dev") != 0 && strcmp(name, "big") != 0)
                return 0;
        *entry = (struct group){.gr_gid = name[0] == 's' ? 2001 : 2002};
        *ret = entry;
        return 0;
}

/* --- the files --- */

typedef struct Files {
        const char *folder;
        char conf[64], role[64];
        const uint8_t *texts[2];
        size_t lens[2];
} Files;

static void split(const uint8_t *data, size_t size, Files *files)
{
        const uint8_t *middle = size > 0 ? memmem(data, size, MIDDLE, strlen(MIDDLE)) : NULL;
        size_t first = middle ? (size_t)(middle - data) : size;

        files->texts[0] = data;
        files->lens[0] = first;
        files->texts[1] = middle ? middle + strlen(MIDDLE) : NULL;
        files->lens[1] = middle ? size - first - strlen(MIDDLE) : 0;
}

static void write_file(const char *path, const uint8_t *text, size_t len)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        must(fd >= 0);
        must(write(fd, text, len) == (ssize_t)len);
        (void)close(fd);
}

static void files_write(Files *files)
{
        char roles[64];

        files->folder = fuzz_folder();
        (void)snprintf(files->conf, sizeof(files->conf), "%s/credd.conf", files->folder);
        (void)snprintf(roles, sizeof(roles), "%s/roles.d", files->folder);
        (void)snprintf(files->role, sizeof(files->role), "%s/roles.d/r.conf", files->folder);
        (void)mkdir(roles, 0755);
        write_file(files->conf, files->texts[0], files->lens[0]);
        if (files->texts[1])
                write_file(files->role, files->texts[1], files->lens[1]);
        else
                (void)unlink(files->role);
}

/* --- what must hold --- */

static void check_mistakes(const Files *files, const char *text, bool any)
{
        must((*text != '\0') == any);
        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                size_t len = strcspn(line, "\n");
                AUTO_FREE char *copy = strndup(line, len);
                json_auto_t *utf8 = json_string(copy);

                must(line[len] == '\n');
                must(strncmp(line, files->folder, strlen(files->folder)) == 0);
                must(utf8 && text_valid(copy, len));
        }
}

static void check_digest(const char *digest, const uint8_t *text, size_t len)
{
        uint8_t hash[HASH_LEN];
        char hex[HEX_LEN(HASH_LEN)];

        digest_bytes(text, len, hash);
        digest_hex(hash, sizeof(hash), hex);
        must(strcmp(hex, digest) == 0);
}

static void check_warn(const uint64_t *usec, size_t n)
{
        must(n <= CONFIG_WARN_MAX);
        for (size_t i = 0; i < n; i++) {
                must(usec[i] >= USEC_PER_SEC && usec[i] <= VALUE_DAY);
                must(i == 0 || usec[i] < usec[i - 1]);
        }
}

static bool within(uint64_t usec, uint64_t min, uint64_t max)
{
        return usec >= min && usec <= max;
}

static void check_config(const Config *c)
{
        must(c->default_ttl_usec >= USEC_PER_SEC && c->default_ttl_usec <= c->max_ttl_usec);
        must(c->max_ttl_usec <= c->max_lifetime_usec && c->max_lifetime_usec <= VALUE_LONGEST);
        must(c->kill_grace_usec <= VALUE_MINUTE);
        must(within(c->verify_timeout_usec, USEC_PER_SEC, 10 * VALUE_MINUTE));
        must(within(c->bind_timeout_usec, USEC_PER_SEC, VALUE_HOUR));
        must(within(c->request_timeout_usec, USEC_PER_SEC, 30 * VALUE_DAY));
        must(within(c->audit_retention_usec, VALUE_DAY, VALUE_LONGEST));
        check_warn(c->warn_usec, c->n_warn);
}

static void check_lists(const Role *role)
{
        const json_t *item;
        size_t i;

        must(json_array_size(role->services) > 0);
        json_array_foreach (role->services, i, item)
                must(strcmp(json_string_value(item), "sshd") == 0 ||
                     strcmp(json_string_value(item), "login") == 0);
        json_array_foreach (role->sources, i, item) {
                char text[SOURCE_TEXT_MAX];
                Source source;

                must(source_parse(json_string_value(item), &source) == 0);
                must(strcmp(source_format(&source, text), json_string_value(item)) == 0);
        }
}

static void check_role(const Role *role, const Config *host)
{
        json_auto_t *settings = role_settings(role);

        must(json_is_object(settings));
        must(role->users && role->users[0] && !role_allows_user(role, "root"));
        must(role->max_uses >= 1 && role->max_uses <= 1000);
        must(role->max_sessions >= 1 && role->max_sessions <= 1000);
        must(role->approvals >= 0 && role->approvals <= 10);
        must(role->default_ttl_usec >= USEC_PER_SEC &&
             role->default_ttl_usec <= role->max_ttl_usec);
        must(role->max_ttl_usec <=
             (role->max_lifetime_usec > 0 ? role->max_lifetime_usec : host->max_lifetime_usec));
        must(!role->break_glass || role->reason_required);
        must(!role->description || text_valid(role->description, 150));
        check_warn(role->warn_usec, role->n_warn);
        check_lists(role);
}

static int load(const Files *files, Setup *ret_setup, char **ret_mistakes)
{
        size_t size;
        FILE *out = open_memstream(ret_mistakes, &size);
        int r;

        must(out);
        r = setup_load(files->conf, geteuid(), out, ret_setup);
        must(fclose(out) == 0);
        must(r == 0 || r == -EINVAL || r == SETUP_WITHOUT_ROLES);
        must(strlen(*ret_mistakes) == size);
        return r;
}

/* What the command would say of the file of the role. */
static void check_alone(const Files *files, const Setup *setup, bool right)
{
        AUTO_FREE char *mistakes = NULL;
        CLEANUP(role_freep) Role *role = NULL;
        size_t size;
        FILE *out = open_memstream(&mistakes, &size);

        must(out);
        must((role_load(files->role, &setup->config, out, &role) == 0) == right);
        must(fclose(out) == 0);
        check_mistakes(files, mistakes, !right);
}

static void check_again(const Files *files, int result, const char *mistakes)
{
        CLEANUP(setup_done) Setup setup = {0};
        AUTO_FREE char *again = NULL;

        must(load(files, &setup, &again) == result);
        must(strcmp(again, mistakes) == 0);
}

static void check_texts(const Setup *setup)
{
        size_t at = 0, before;

        do {
                CLEANUP(setup_texts_done) SetupTexts texts = {0};
                json_auto_t *list = NULL;

                before = at;
                must(setup_texts(&setup->config, setup->roles, SETUP_TEXT_MAX, &at, &texts) == 0);
                list = json_loads(texts.files, JSON_DECODE_ANY, NULL);
                must(list && texts.roles);
                must(at > before || setup->roles->n == 0);
        } while (at < setup->roles->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(setup_done) Setup setup = {0};
        AUTO_FREE char *mistakes = NULL;
        Files files = {0};
        int r;

        split(data, size, &files);
        files_write(&files);
        r = load(&files, &setup, &mistakes);
        check_mistakes(&files, mistakes, r != 0);
        check_again(&files, r, mistakes);
        if (r == -EINVAL) {
                must(!setup.roles && setup.config.max_ttl_usec == 0 && !setup.config.auditors.text);
                return 0;
        }
        check_config(&setup.config);
        check_digest(setup.config.digest, files.texts[0], files.lens[0]);
        check_texts(&setup);
        must(setup.roles->n == (r == 0 && files.texts[1] ? 1 : 0));
        if (files.texts[1])
                check_alone(&files, &setup, r == 0);
        if (setup.roles->n > 0) {
                check_role(setup.roles->roles[0], &setup.config);
                check_digest(setup.roles->roles[0]->digest, files.texts[1], files.lens[1]);
        }
        return 0;
}
