/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building, running and taking down. Everything is built in the order in which it needs the others,
 * and taken down in reverse; between the two this file only hears signals. */
#include "credd/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>

#include "credd/audit-head.h"
#include "credd/batch.h"
#include "credd/clock-watch.h"
#include "credd/expiry.h"
#include "credd/health.h"
#include "credd/logind.h"
#include "credd/notices.h"
#include "credd/outbox.h"
#include "credd/outcast.h"
#include "credd/pace.h"
#include "credd/prune.h"
#include "credd/refusals.h"
#include "credd/server.h"
#include "credd/session.h"
#include "credd/setup.h"
#include "credd/subscribe.h"
#include "credd/upkeep.h"

#define ADMIN_GROUP "credd-admin"
#define STATUS_MAX  128
#define START_USEC  USEC_PER_SEC

void manager_fail(Manager *manager, int error, const char *doing)
{
        manager->failed = true;
        (void)fprintf(stderr,
                      SD_CRIT "Cannot %s: %s (%s). What was asked last may be done or not; "
                              "ending, so that the next start reads what is true.\n",
                      doing, strerror(-error), store_error(manager->store));
        (void)sd_event_exit(manager->event, error);
}

bool manager_is_starting(const Manager *manager)
{
        return clock_boot_usec(&manager->clock) - manager->started_boot_usec < START_USEC;
}

/* Once for each answer that differs from the last: a host without the rule ends many sessions. */
static void say_logind_failed(Manager *manager)
{
        int r;

        r = batch_enter(manager->batch);
        if (r == 0)
                (void)batch_leave(manager->batch,
                                  event_logind_failed(&manager->events, manager->logind_problem));
}

void manager_hear_logind(Manager *manager)
{
        if (manager->logind_error != -EACCES)
                manager_note_logind(manager, 0, NULL);
}

void manager_note_logind(Manager *manager, int error, const char *text)
{
        char problem[sizeof(manager->logind_problem)] = "";

        /* The session, or its unit, is not there any more: our own signal was faster. That is an answer,
         * but says nothing of what logind would do for us. */
        if (error == -ENXIO || error == -ENOENT) {
                manager_hear_logind(manager);
                return;
        }
        manager->logind_error = error;
        if (error < 0)
                (void)snprintf(problem, sizeof(problem),
                               "systemd-logind did not end a session for us (%s)%s",
                               text ?: strerror(-error),
                               error == -EACCES ? ": is the polkit rule 50-credd.rules installed?"
                                                : "");
        if (strcmp(problem, manager->logind_problem) == 0)
                return;
        memcpy(manager->logind_problem, problem, sizeof(problem));
        if (problem[0])
                say_logind_failed(manager);
}

/* --- configuration --- */

/* Replaces what is in effect. */
static void take_setup(Manager *manager, Setup *setup)
{
        config_done(&manager->config);
        (void)roles_free(manager->roles);
        manager->config = setup->config;
        manager->roles = setup->roles;
        if (manager->prune)
                prune_changed(manager->prune);
        *setup = (Setup){0};
        /* At load, not at each call: NSS may ask a directory server, and the loop must not wait. */
        manager->admin_gid = (gid_t)-1;
        (void)principals_find_group(ADMIN_GROUP, &manager->admin_gid);
}

static void say_refused(Manager *manager, const char *priority, const char *what, char *mistakes)
{
        free(manager->config_refused);
        manager->config_refused = mistakes;
        (void)fprintf(stderr, "%s%s:\n%s\n", priority, what, mistakes ?: strerror(ENOMEM));
}

/* One event, or several where there are more roles than one has room for. */
static int record_loaded(Manager *manager)
{
        const size_t n = manager->roles->n;
        size_t at = 0;
        int r;

        do {
                CLEANUP(setup_texts_done) SetupTexts texts = {0};
                AUTO_FREE char *part = NULL;
                size_t first = at;

                r = setup_texts(&manager->config, manager->roles, SETUP_TEXT_MAX, &at, &texts);
                if (r == 0 && (first > 0 || at < n) &&
                    asprintf(&part, "%s, roles %zu to %zu of %zu", manager->paths.config, first + 1,
                             at, n) < 0) {
                        part = NULL;
                        r = -ENOMEM;
                }
                if (r == 0)
                        r = event_config_loaded(&manager->events, part ?: manager->paths.config,
                                                texts.files, texts.roles);
        } while (r == 0 && at < n);
        return r;
}

static int record_config(Manager *manager, bool loaded)
{
        int r;

        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        r = loaded ? record_loaded(manager)
                   : event_config_refused(&manager->events, manager->config_refused);
        return batch_leave(manager->batch, r);
}

static void reload(Manager *manager)
{
        CLEANUP(setup_done) Setup setup = {0};
        AUTO_FREE char *mistakes = NULL;
        int r;

        (void)sd_notify(false, "RELOADING=1");
        r = setup_load_text(manager->paths.config, 0, &mistakes, &setup);
        if (r == 0) {
                take_setup(manager, &setup);
                free(take_ptr(manager->config_refused));
        } else
                say_refused(manager, SD_ERR, "Configuration refused, what was in effect stays",
                            take_ptr(mistakes) ?: strdup("out of memory"));
        (void)record_config(manager, r == 0);
        (void)sd_notify(false, "READY=1");
}

/* --- signals --- */

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        (void)source;
        (void)info;
        reload(userdata);
        return 0;
}

static int add_signals(Manager *manager)
{
        sigset_t set;
        int r;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        /* No handler: the loop ends with 0. */
        r = sd_event_add_signal(manager->event, &manager->sigterm, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(manager->event, &manager->sigint, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(manager->event, &manager->sighup, SIGHUP, on_hangup,
                                        manager);
        return r;
}

/* --- building --- */

static int read_boot_id(char ret_text[static SD_ID128_STRING_MAX])
{
        sd_id128_t id;
        int r;

        r = sd_id128_get_boot(&id);
        if (r < 0)
                return r;
        (void)sd_id128_to_string(id, ret_text);
        return 0;
}

static int open_store(Manager *manager, const char *boot_id)
{
        int r;

        r = store_open(manager->paths.state, boot_id, &manager->clock, &manager->store);
        manager->events = (Events){manager->store, &manager->clock, &manager->tally_open};
        if (r < 0) {
                health_say_not_open(manager, r);
                return r;
        }
        store_copy_remove(manager->store);
        return health_watch(manager, &manager->health);
}

/* Roles with a mistake must not keep what ends from ending: then there are none, so that nobody gets
 * in by one, and all else goes on. */
static int read_first_config(Manager *manager)
{
        CLEANUP(setup_done) Setup setup = {0};
        AUTO_FREE char *mistakes = NULL;
        int r;

        r = setup_load_text(manager->paths.config, 0, &mistakes, &setup);
        if (r >= 0)
                take_setup(manager, &setup);
        if (r == SETUP_WITHOUT_ROLES)
                say_refused(manager, SD_CRIT, "Roles refused, so that none is in effect",
                            take_ptr(mistakes));
        else if (r < 0)
                (void)fprintf(stderr, SD_CRIT "Configuration refused:\n%s\n",
                              mistakes ?: strerror(-r));
        return r < 0 ? r : 0;
}

static int build(Manager *manager, const char *boot_id)
{
        int r;

        r = sd_event_default(&manager->event);
        if (r >= 0)
                r = add_signals(manager);
        if (r >= 0)
                r = read_first_config(manager);
        if (r >= 0)
                r = open_store(manager, boot_id);
        if (r >= 0)
                r = outbox_new(manager, NULL, &manager->outbox);
        if (r >= 0)
                r = batch_new(manager, &manager->batch);
        if (r >= 0)
                r = refusals_new(manager, &manager->refusals);
        if (r >= 0)
                r = limiter_new(LIMITER_TRIES, LIMITER_WINDOW_USEC, &manager->limiter);
        if (r >= 0)
                r = pace_new(&manager->pace);
        if (r >= 0)
                r = notices_new(manager, &manager->notices);
        if (r >= 0)
                r = sessions_new(manager, &manager->sessions);
        if (r >= 0)
                r = logind_new(manager->event, &sessions_logind_handlers, manager,
                               &manager->logind);
        if (r >= 0)
                r = sessions_restore(manager->sessions);
        if (r >= 0)
                r = outcasts_new(manager, &manager->outcasts);
        if (r >= 0)
                r = expiry_new(manager, &manager->expiry);
        if (r >= 0)
                r = clock_watch_new(manager, &manager->clock_watch);
        if (r >= 0)
                r = audit_head_new(manager, &manager->audit_head);
        if (r >= 0)
                r = subscribers_new(manager, &manager->subscribers);
        if (r >= 0)
                r = prune_new(manager, &manager->prune);
        if (r >= 0)
                r = upkeep_new(manager, &manager->upkeep);
        return r;
}

int manager_new(const Paths *paths, Manager **ret_manager)
{
        char boot_id[SD_ID128_STRING_MAX];
        Clock clock;
        int r;

        clock_init_system(&clock);
        r = read_boot_id(boot_id);
        return r < 0 ? r : manager_new_in(paths, &clock, boot_id, ret_manager);
}

int manager_new_in(const Paths *paths, const Clock *clock, const char *boot_id,
                   Manager **ret_manager)
{
        CLEANUP(manager_freep) Manager *manager = NULL;
        int r;

        manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;
        manager->paths = *paths;
        manager->admin_gid = (gid_t)-1;
        manager->clock = *clock;
        manager->started_real_usec = clock_real_usec(&manager->clock);
        manager->started_boot_usec = clock_boot_usec(&manager->clock);
        r = build(manager, boot_id);
        if (r < 0)
                return r;
        *ret_manager = take_ptr(manager);
        return 0;
}

Manager *manager_free(Manager *manager)
{
        if (!manager)
                return NULL;
        manager->server = server_free(manager->server);
        manager->subscribers = subscribers_free(manager->subscribers);
        manager->upkeep = upkeep_free(manager->upkeep);
        manager->prune = prune_free(manager->prune);
        manager->audit_head = audit_head_free(manager->audit_head);
        manager->clock_watch = clock_watch_free(manager->clock_watch);
        manager->expiry = expiry_free(manager->expiry);
        manager->outcasts = outcasts_free(manager->outcasts);
        manager->sessions = sessions_free(manager->sessions);
        manager->logind = logind_free(manager->logind);
        manager->limiter = limiter_free(manager->limiter);
        manager->pace = pace_free(manager->pace);
        manager->notices = notices_free(manager->notices);
        manager->refusals = refusals_free(manager->refusals);
        manager->batch = batch_free(manager->batch);
        if (manager->outbox && !manager->failed)
                outbox_drain(manager->outbox);
        manager->outbox = outbox_free(manager->outbox);
        manager->store = store_close(manager->store);
        manager->roles = roles_free(manager->roles);
        (void)sd_event_source_unref(manager->health);
        (void)sd_event_source_unref(manager->sigterm);
        (void)sd_event_source_unref(manager->sigint);
        (void)sd_event_source_unref(manager->sighup);
        (void)sd_event_unref(manager->event);
        config_done(&manager->config);
        (void)roles_free(manager->roles);
        free(manager->config_refused);
        free(manager);
        return NULL;
}

/* --- running --- */

static int find_socket(char **names, int n, const char *name)
{
        for (int i = 0; i < n; i++)
                if (strcmp(names[i], name) == 0 &&
                    sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNIX, SOCK_STREAM, 1) > 0)
                        return SD_LISTEN_FDS_START + i;
        return -1;
}

static void free_names(char ***names)
{
        for (char **name = *names; name && *name; name++)
                free(*name);
        free(*names);
}

static int take_sockets(Manager *manager)
{
        CLEANUP(free_names) char **names = NULL;
        int n, login, admin;

        n = sd_listen_fds_with_names(true, &names);
        if (n < 0)
                return n;
        login = find_socket(names, n, "credd-login");
        admin = find_socket(names, n, "credd-admin");
        if (login < 0 || admin < 0) {
                (void)fprintf(stderr, SD_CRIT "credd wants its sockets from systemd: start "
                                              "credd-login.socket and credd-admin.socket.\n");
                return -ENOTSOCK;
        }
        return server_new(manager, login, admin, &manager->server);
}

static int record_start(Manager *manager)
{
        int r;

        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        r = event_daemon_started(&manager->events, sessions_live(manager->sessions));
        if (r == 0)
                r = record_loaded(manager);
        if (r == 0 && manager->config_refused)
                r = event_config_refused(&manager->events, manager->config_refused);
        r = batch_leave(manager->batch, r);
        return r < 0 ? r : batch_commit(manager->batch);
}

static void record_stop(Manager *manager)
{
        if (batch_enter(manager->batch) < 0)
                return;
        (void)batch_leave(manager->batch, event_daemon_stopped(&manager->events));
        (void)batch_commit(manager->batch);
        audit_head_state(manager->audit_head);
}

int manager_run(Manager *manager)
{
        char status[STATUS_MAX];
        int r;

        r = take_sockets(manager);
        if (r >= 0)
                r = record_start(manager);
        if (r >= 0)
                r = sd_event_set_watchdog(manager->event, true);
        if (r < 0)
                return r;
        expiry_changed(manager->expiry);
        (void)snprintf(status, sizeof(status), "READY=1\nSTATUS=Serving; %u sessions found again",
                       sessions_live(manager->sessions));
        (void)sd_notify(false, status);
        r = sd_event_loop(manager->event);
        (void)sd_notify(false, "STOPPING=1");
        /* After a failed commit nothing more is written: the next start finds out what is true. */
        if (r >= 0)
                record_stop(manager);
        return r;
}
