/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options, and the hardening that the process gives itself. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>

#include "common/secret.h"
#include "common/cleanup.h"
#include "credd/manager.h"
#include "credd/restore.h"
#include "credd/setup.h"

static int usage(FILE *to, int status)
{
        (void)fputs(
                "credd [--check | --check-role=FILE | --check-backup=FILE | --restore=FILE |\n"
                "       --reload=PID] [--config=FILE] [--state=FOLDER]\n"
                "\n"
                "Hands out logins that end. Started by systemd through credd-login.socket and\n"
                "credd-admin.socket; credctl talks to it.\n"
                "\n"
                "  --check            read the configuration, name each mistake, and exit\n"
                "  --check-role=FILE  read the file of a role, anybody's, likewise\n"
                "  --check-backup=FILE  whether a backup is whole and sound\n"
                "  --restore=FILE     put a backup in place, while credd is stopped\n"
                "  --reload=PID       have that credd read its configuration again; as --check\n"
                "  --config=FILE      instead of " CREDD_SYSCONFDIR "/credd.conf\n"
                "  --state=FOLDER     instead of $STATE_DIRECTORY or /var/lib/credd\n"
                "  --version\n",
                to);
        return status;
}

/* Tokens pass through JSON values: what those held is erased when they go. */
static void free_erased(void *memory)
{
        if (memory)
                secret_erase(memory, malloc_usable_size(memory));
        free(memory);
}

static int check(const Paths *paths)
{
        CLEANUP(setup_done) Setup setup = {0};

        if (setup_load(paths->config, 0, stderr, &setup) != 0)
                return EXIT_FAILURE;
        (void)printf("%s: no mistakes; %zu roles\n", paths->config, setup.roles->n);
        return EXIT_SUCCESS;
}

/* Measured by the limits of this host. */
static int check_role(const Paths *paths, const char *path)
{
        CLEANUP(role_freep) Role *role = NULL;
        CLEANUP(config_done) Config host = {0};

        if (config_load(paths->config, 0, stderr, &host) < 0 ||
            role_load(path, &host, stderr, &role) < 0)
                return EXIT_FAILURE;
        (void)printf("%s: no mistakes; this is role %s\n", path, role->name);
        return EXIT_SUCCESS;
}

/* For ExecReload=: what credd refuses it names in the journal; the status here is what makes
 * "systemctl reload" fail of it, too. No shell and no kill(1) is needed, as none runs in the unit. */
static int reload(const Paths *paths, const char *text)
{
        char *end = NULL;
        long pid;

        errno = 0;
        pid = strtol(text, &end, 10);
        if (errno != 0 || *end != '\0' || pid <= 1 || pid > INT_MAX) {
                (void)fprintf(stderr, "credd: %s is no process\n", text);
                return 2;
        }
        if (kill((pid_t)pid, SIGHUP) < 0) {
                (void)fprintf(stderr, "credd: process %ld: %s\n", pid, strerror(errno));
                return EXIT_FAILURE;
        }
        return check(paths);
}

static int serve(const Paths *paths)
{
        CLEANUP(manager_freep) Manager *manager = NULL;
        int r;

        /* No core file, no ptrace by others of this uid: the key and tokens in flight are here. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return EXIT_FAILURE;
        json_set_alloc_funcs(malloc, free_erased);
        r = manager_new(paths, &manager);
        if (r >= 0)
                r = manager_run(manager);
        if (r < 0)
                (void)fprintf(stderr, SD_ERR "credd ends: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What was asked for; nothing: to serve. */
typedef struct Choice {
        bool check;
        const char *role, *backup, *restore, *reload;
} Choice;

static int act(const Paths *paths, const Choice *choice)
{
        if (choice->role)
                return check_role(paths, choice->role);
        if (choice->backup)
                return restore_check(choice->backup) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (choice->restore)
                return restore_run(paths->state, choice->restore) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (choice->reload)
                return reload(paths, choice->reload);
        return choice->check ? check(paths) : serve(paths);
}

int main(int argc, char *argv[])
{
        static const struct option options[] = {
                {"check", no_argument, NULL, 'c'},
                {"check-role", required_argument, NULL, 'r'},
                {"check-backup", required_argument, NULL, 'b'},
                {"restore", required_argument, NULL, 'R'},
                {"reload", required_argument, NULL, 'H'},
                {"config", required_argument, NULL, 'f'},
                {"state", required_argument, NULL, 's'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},
                {0},
        };
        Paths paths = {.state = getenv("STATE_DIRECTORY") ?: "/var/lib/credd",
                       .config = CREDD_SYSCONFDIR "/credd.conf"};
        Choice choice = {0};
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (option) {
                case 'c':
                        choice.check = true;
                        break;
                case 'r':
                        choice.role = optarg;
                        break;
                case 'b':
                        choice.backup = optarg;
                        break;
                case 'R':
                        choice.restore = optarg;
                        break;
                case 'H':
                        choice.reload = optarg;
                        break;
                case 'f':
                        paths.config = optarg;
                        break;
                case 's':
                        paths.state = optarg;
                        break;
                case 'h':
                        return usage(stdout, EXIT_SUCCESS);
                case 'v':
                        (void)printf("credd %s\n", CREDD_VERSION);
                        return EXIT_SUCCESS;
                default:
                        return usage(stderr, 2);
                }
        }
        if (optind < argc)
                return usage(stderr, 2);
        return act(&paths, &choice);
}
