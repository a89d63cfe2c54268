/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles from their files, NAME.conf in one folder.
 *
 * Invariant: either every file of the folder is right, or there is no set at all and every mistake has
 * been named.
 *
 * Left out: what a file may say (role-keys.h), whether a role is switched off (the store), and what it
 * allows to whom (policy). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "credd/credential.h"
#include "credd/role-keys.h"

#define SUFFIX ".conf"

static bool has_suffix(const char *name)
{
        size_t n = strlen(name);

        return n >= strlen(SUFFIX) && strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

/* The name of the role of the file that is in ini->path; NULL: said why. To be freed. */
static char *role_name(Ini *ini, const char *file)
{
        AUTO_FREE char *name =
                has_suffix(file) ? strndup(file, strlen(file) - strlen(SUFFIX)) : NULL;

        if (name && name_valid(name) && !strchr(name, '$'))
                return take_ptr(name);
        ini_mistake(
                ini, 0, NULL,
                "no name for the file of a role; 1 to %d letters, digits, . _ and -, not digits "
                "alone, and then " SUFFIX,
                ROLE_NAME_MAX);
        return NULL;
}

/* What nobody has vetted goes to the journal and to terminals. */
static void make_plain(char *text)
{
        for (; *text; text++)
                if (*text < ' ' || *text > '~')
                        *text = '?';
}

typedef struct Place {
        int folder_fd;
        const char *file; /* in it */
        const char *path; /* as mistakes name it */
        uid_t owner;
} Place;

/* -EINVAL: said why */
static int load_role(const Place *place, const Config *host, FILE *mistakes, Role **ret_role)
{
        AUTO_FREE char *shown = strdup(place->path), *name = NULL;
        CLEANUP(role_freep) Role *role = NULL;
        CLEANUP(ini_done)
        Ini ini = {.path = shown, .mistakes = mistakes};
        int r;

        if (!shown)
                return -ENOMEM;
        make_plain(shown);
        name = role_name(&ini, place->file);
        if (!name)
                return -EINVAL;
        role = calloc(1, sizeof(*role));
        if (!role)
                return -ENOMEM;
        role->name = take_ptr(name);
        r = role_keys_load(&ini, place->folder_fd, place->file, place->owner, host, role);
        if (r < 0)
                return r;
        *ret_role = take_ptr(role);
        return 0;
}

int role_load(const char *path, const Config *host, FILE *mistakes, Role **ret_role)
{
        const char *slash = strrchr(path, '/');
        AUTO_FREE char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        AUTO_CLOSE int fd = -1;

        if (!folder)
                return -ENOMEM;
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                (void)fprintf(mistakes, "%s: %s\n", path, strerror(errno));
                return -EINVAL;
        }
        return load_role(&(Place){fd, slash ? slash + 1 : path, path, INI_ANY_OWNER}, host,
                         mistakes, ret_role);
}

/* --- all of them --- */

static int is_role_file(const struct dirent *entry)
{
        return entry->d_name[0] != '.' && has_suffix(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

typedef struct Names {
        struct dirent **entries;
        int n;
} Names;

static void names_done(Names *names)
{
        for (int i = 0; i < names->n; i++)
                free(names->entries[i]);
        free(names->entries);
}

/* 1: there is no such folder; -EINVAL: said why */
static int open_folder(const char *path, uid_t owner, FILE *mistakes, int *ret_fd)
{
        Ini ini = {.path = path, .mistakes = mistakes};
        AUTO_CLOSE int fd = -1;
        struct stat st;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 1;
        if (fd < 0 || fstat(fd, &st) < 0)
                ini_mistake(&ini, 0, NULL, "%s",
                            errno == ELOOP || errno == ENOTDIR
                                    ? "no folder; put the folder itself here"
                                    : strerror(errno));
        else
                ini_check_owner(&ini, "the folder", &st, owner);
        if (ini.n_mistakes > 0)
                return -EINVAL;
        *ret_fd = take_fd(&fd);
        return 0;
}

static int list_folder(const char *path, int fd, FILE *mistakes, Names *ret_names)
{
        int n = scandirat(fd, ".", &ret_names->entries, is_role_file, by_name);

        if (n < 0)
                return -errno;
        ret_names->n = n;
        if (n <= ROLES_MAX)
                return 0;
        (void)fprintf(mistakes, "%s: %d roles; at most %d\n", path, n, ROLES_MAX);
        return -EINVAL;
}

/* Goes on after a mistake, to name them all. */
static int load_each(const char *folder, int fd, const Names *names, uid_t owner,
                     const Config *host, FILE *mistakes, Roles *roles)
{
        int r = 0;

        for (int i = 0; i < names->n; i++) {
                const char *file = names->entries[i]->d_name;
                AUTO_FREE char *path = NULL;
                int s;

                if (asprintf(&path, "%s/%s", folder, file) < 0)
                        return -ENOMEM;
                s = load_role(&(Place){fd, file, path, owner}, host, mistakes,
                              &roles->roles[roles->n]);
                if (s == 0)
                        roles->n++;
                else if (s == -EINVAL)
                        r = s;
                else
                        return s;
        }
        return r;
}

static int compare_roles(const void *a, const void *b)
{
        return strcmp((*(Role *const *)a)->name, (*(Role *const *)b)->name);
}

int roles_load(const char *folder, uid_t owner_uid, const Config *host, FILE *mistakes,
               Roles **ret_roles)
{
        CLEANUP(roles_freep) Roles *roles = calloc(1, sizeof(*roles));
        CLEANUP(names_done) Names names = {0};
        AUTO_CLOSE int fd = -1;
        int r;

        if (!roles)
                return -ENOMEM;
        r = open_folder(folder, owner_uid, mistakes, &fd);
        if (r == 0)
                r = list_folder(folder, fd, mistakes, &names);
        if (r < 0)
                return r;
        roles->roles = calloc((size_t)names.n + 1, sizeof(Role *));
        if (!roles->roles)
                return -ENOMEM;
        r = load_each(folder, fd, &names, owner_uid, host, mistakes, roles);
        if (r < 0)
                return r;
        qsort(roles->roles, roles->n, sizeof(Role *), compare_roles);
        *ret_roles = take_ptr(roles);
        return 0;
}
