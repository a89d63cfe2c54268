/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon sees of the world. Each function here stands in the place of the one whose name it
 * carries behind "fake"; the Makefile makes the linker's options of the names. */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>

#include "credd/caller.h"
#include "credd/cgroup.h"
#include "credd/digest.h"
#include "credd/outbox.h"
#include "credd/proc.h"
#include "credd/residue.h"
#include "credd/reserve.h"
#include "credd/setup.h"
#include "credd/terminal.h"
#include "tests/fuzz/world.h"

/* --- people --- */

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **ret)
{
        (void)buffer;
        (void)size;
        (void)name;
        (void)entry;
        *ret = NULL;
        return 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size, struct group **ret)
{
        static const char *const groups[] = {"credd-admin", "sre",      "dev",
                                             "leads",       "security", "audit"};

        (void)buffer;
        (void)size;
        *ret = NULL;
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                if (strcmp(name, groups[i]) == 0) {
                        *entry = (struct group){.gr_gid = (gid_t)(2000 + i)};
                        *ret = entry;
                }
        return 0;
}

int fake_caller_read(const Manager *manager, const Peer *peer, CallerHeld *ret);
int fake_caller_read(const Manager *manager, const Peer *peer, CallerHeld *ret)
{
        const PeerIdentity *identity = peer_identity(peer);
        const Person *person = world_person_of(identity->uid);
        gid_t *groups = calloc(1, sizeof(*groups));

        must(groups && person);
        groups[0] = person->group;
        *ret = (CallerHeld){.caller = {.uid = person->uid,
                                       .loginuid = person->uid,
                                       .loginuid_known = true,
                                       .gid = person->gid,
                                       .groups = groups,
                                       .n_groups = person->group > 0},
                            .groups = groups};
        ret->caller.admin = person->uid == 0 || person->group == manager->admin_gid;
        ret->caller.auditor = principals_have(&manager->config.auditors, &ret->caller);
        return 0;
}

int fake_caller_of_process(const Manager *manager, pid_t pid, uid_t uid, CallerHeld *ret);
int fake_caller_of_process(const Manager *manager, pid_t pid, uid_t uid, CallerHeld *ret)
{
        (void)manager;
        (void)pid;
        (void)uid;
        (void)ret;
        return -ESRCH;
}

void fake_peer_actor(const Peer *peer, Actor *ret);
void fake_peer_actor(const Peer *peer, Actor *ret)
{
        const Person *person = world_person_of(peer_identity(peer)->uid);

        *ret = (Actor){.uid = person->uid, .loginuid = person->uid};
        (void)strcpy(ret->name, person->name);
}

int fake_peer_pidfd(const Peer *peer, int *ret_fd, uint64_t *ret_ticks);
int fake_peer_pidfd(const Peer *peer, int *ret_fd, uint64_t *ret_ticks)
{
        const Process *p = &world_now->processes[peer_identity(peer)->pid - WORLD_PID];

        if (!p->alive)
                return -ESRCH;
        *ret_fd = dup(p->event);
        *ret_ticks = p->ticks;
        return *ret_fd < 0 ? -errno : 0;
}

/* --- processes --- */

static Process *find(pid_t pid)
{
        Process *p;

        if (pid < WORLD_PID || pid >= WORLD_PID + WORLD_PROCESSES)
                return NULL;
        p = &world_now->processes[pid - WORLD_PID];
        return p->alive ? p : NULL;
}

static ProcInfo info_of(const Process *p)
{
        return (ProcInfo){.pid = WORLD_PID + (pid_t)(p - world_now->processes),
                          .ppid = p->ppid,
                          .uid = p->uid,
                          .start_ticks = p->ticks,
                          .comm = "sh"};
}

int fake_proc_read(pid_t pid, ProcInfo *ret);
int fake_proc_read(pid_t pid, ProcInfo *ret)
{
        const Process *p = find(pid);

        if (!p)
                return -ESRCH;
        *ret = info_of(p);
        return 0;
}

int fake_proc_read_stat(pid_t pid, ProcInfo *ret);
int fake_proc_read_stat(pid_t pid, ProcInfo *ret)
{
        return fake_proc_read(pid, ret);
}

int fake_proc_alive(pid_t pid, uint64_t ticks);
int fake_proc_alive(pid_t pid, uint64_t ticks)
{
        const Process *p = find(pid);

        return p && p->ticks == ticks;
}

int fake_proc_table_read(ProcTable *ret);
int fake_proc_table_read(ProcTable *ret)
{
        ret->list = calloc(WORLD_PROCESSES, sizeof(*ret->list));
        ret->n = 0;
        must(ret->list);
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (world_now->processes[i].alive)
                        ret->list[ret->n++] = info_of(&world_now->processes[i]);
        return 0;
}

int fake_proc_cgroup(pid_t pid, char **ret);
int fake_proc_cgroup(pid_t pid, char **ret)
{
        const Process *p = find(pid);

        if (!p)
                return -ESRCH;
        *ret = strdup(p->cgroup);
        return *ret ? 0 : -ENOMEM;
}

int fake_proc_pidfd(pid_t pid, uint64_t ticks);
int fake_proc_pidfd(pid_t pid, uint64_t ticks)
{
        const Process *p = find(pid);

        return p && p->ticks == ticks ? dup(p->event) : -ESRCH;
}

/* A stubborn one takes a second signal. */
static void hit(Process *p)
{
        if (!p->stubborn)
                world_die(world_now, (unsigned)(p - world_now->processes));
        p->stubborn = false;
}

int fake_proc_kill(pid_t pid, uint64_t ticks);
int fake_proc_kill(pid_t pid, uint64_t ticks)
{
        Process *p = find(pid);

        if (p && p->ticks == ticks)
                hit(p);
        return 0;
}

static bool is_below(const Process *p, const char *path)
{
        return p->alive && strncmp(p->cgroup, path, strlen(path)) == 0;
}

int fake_cgroup_populated(const char *path);
int fake_cgroup_populated(const char *path)
{
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (is_below(&world_now->processes[i], path))
                        return 1;
        return -ENOENT;
}

int fake_cgroup_pids(const char *path, pid_t **ret_pids, size_t *ret_n);
int fake_cgroup_pids(const char *path, pid_t **ret_pids, size_t *ret_n)
{
        *ret_pids = calloc(WORLD_PROCESSES, sizeof(**ret_pids));
        *ret_n = 0;
        must(*ret_pids);
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (is_below(&world_now->processes[i], path))
                        (*ret_pids)[(*ret_n)++] = WORLD_PID + (pid_t)i;
        return 0;
}

bool fake_residue_lingers(const char *user);
bool fake_residue_lingers(const char *user)
{
        (void)user;
        return false;
}

static void check_line(const char *line)
{
        for (; *line; line++)
                must(*line >= ' ' && *line <= '~');
}

void fake_terminal_tell(const Session *session, const char *line);
void fake_terminal_tell(const Session *session, const char *line)
{
        (void)session;
        (void)line;
}

void fake_terminal_write(dev_t tty, uid_t owner, const char *line);
void fake_terminal_write(dev_t tty, uid_t owner, const char *line)
{
        (void)tty;
        (void)owner;
        check_line(line);
}

/* --- logind --- */

int fake_logind_new(sd_event *event, const LogindHandlers *handlers, void *userdata, Logind **ret);
int fake_logind_new(sd_event *event, const LogindHandlers *handlers, void *userdata, Logind **ret)
{
        (void)event;
        (void)handlers;
        (void)userdata;
        *ret = NULL;
        return 0;
}

Logind *fake_logind_free(Logind *logind);
Logind *fake_logind_free(Logind *logind)
{
        for (size_t i = 0; i < WORLD_CALLS; i++) {
                free(world_now->calls[i]);
                world_now->calls[i] = NULL;
        }
        return logind;
}

bool fake_logind_connected(const Logind *logind);
bool fake_logind_connected(const Logind *logind)
{
        (void)logind;
        return !world_now->logind_away;
}

static int ask(LogindDone done, void *userdata, int error, LogindCall **ret_call)
{
        LogindCall *call = calloc(1, sizeof(*call));

        must(call);
        *call = (LogindCall){.done = done, .userdata = userdata, .error = error};
        if (world_now->logind_away)
                call->error = -ENOTCONN;
        for (size_t i = 0; i < WORLD_CALLS; i++)
                if (!world_now->calls[i]) {
                        world_now->calls[i] = call;
                        *ret_call = call;
                        return 0;
                }
        free(call);
        return -ENOMEM;
}

LogindCall *fake_logind_call_free(LogindCall *call);
LogindCall *fake_logind_call_free(LogindCall *call)
{
        for (size_t i = 0; i < WORLD_CALLS; i++)
                if (world_now->calls[i] == call)
                        world_now->calls[i] = NULL;
        free(call);
        return NULL;
}

/* -ENXIO: no such session. */
static int end_session(const char *id)
{
        int r = -ENXIO;

        if (world_now->logind_error < 0)
                return world_now->logind_error;
        for (size_t i = 0; i < WORLD_PROCESSES; i++) {
                Process *p = &world_now->processes[i];

                if (p->alive && strcmp(p->session, id) == 0) {
                        hit(p);
                        r = 0;
                }
        }
        return r;
}

int fake_logind_terminate_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                                  LogindCall **ret_call);
int fake_logind_terminate_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                                  LogindCall **ret_call)
{
        (void)logind;
        return ask(done, userdata, end_session(id), ret_call);
}

int fake_logind_kill_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                             LogindCall **ret_call);
int fake_logind_kill_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                             LogindCall **ret_call)
{
        (void)logind;
        return ask(done, userdata, end_session(id), ret_call);
}

int fake_logind_ask_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                            LogindCall **ret_call);
int fake_logind_ask_session(Logind *logind, const char *id, LogindDone done, void *userdata,
                            LogindCall **ret_call)
{
        int error = -ENXIO;

        (void)logind;
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (world_now->processes[i].alive &&
                    strcmp(world_now->processes[i].session, id) == 0)
                        error = 0;
        return ask(done, userdata, error, ret_call);
}

static int end_user(uid_t uid)
{
        if (world_now->logind_error < 0)
                return world_now->logind_error;
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (world_now->processes[i].alive && world_now->processes[i].uid == uid &&
                    world_now->processes[i].session[0])
                        hit(&world_now->processes[i]);
        return 0;
}

int fake_logind_terminate_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                               LogindCall **ret_call);
int fake_logind_terminate_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                               LogindCall **ret_call)
{
        (void)logind;
        return ask(done, userdata, end_user(uid), ret_call);
}

int fake_logind_kill_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                          LogindCall **ret_call);
int fake_logind_kill_user(Logind *logind, uid_t uid, LogindDone done, void *userdata,
                          LogindCall **ret_call)
{
        (void)logind;
        return ask(done, userdata, end_user(uid), ret_call);
}

/* --- the machine --- */

void fake_digest_random(void *bytes, size_t len);
void fake_digest_random(void *bytes, size_t len)
{
        uint8_t *at = bytes;

        for (size_t i = 0; i < len; i++) {
                world_now->random ^= world_now->random << 13;
                world_now->random ^= world_now->random >> 7;
                world_now->random ^= world_now->random << 17;
                at[i] = (uint8_t)(world_now->random >> 24);
        }
}

bool fake_reserve_needed(int dir_fd);
bool fake_reserve_needed(int dir_fd)
{
        (void)dir_fd;
        return world_now->disk_full;
}

int fake_reserve_make(int dir_fd);
int fake_reserve_make(int dir_fd)
{
        (void)dir_fd;
        return 0;
}

void fake_reserve_release(int dir_fd);
void fake_reserve_release(int dir_fd)
{
        (void)dir_fd;
}

int real_outbox_new(Manager *manager, const char *journal_socket,
                    Outbox **ret) __asm__("__real_outbox_new");
int fake_outbox_new(Manager *manager, const char *journal_socket, Outbox **ret);
int fake_outbox_new(Manager *manager, const char *journal_socket, Outbox **ret)
{
        (void)journal_socket;
        return real_outbox_new(manager, "/nonexistent/journal", ret);
}

/* The files are whoever's who runs this. */
int real_setup_load_text(const char *path, uid_t owner, char **ret_mistakes,
                         Setup *ret_setup) __asm__("__real_setup_load_text");
int fake_setup_load_text(const char *path, uid_t owner, char **ret_mistakes, Setup *ret_setup);
int fake_setup_load_text(const char *path, uid_t owner, char **ret_mistakes, Setup *ret_setup)
{
        (void)owner;
        return real_setup_load_text(path, geteuid(), ret_mistakes, ret_setup);
}

/* Signals stay libFuzzer's. */
int fake_sd_event_add_signal(sd_event *event, sd_event_source **ret, int number,
                             sd_event_signal_handler_t callback, void *userdata);
int fake_sd_event_add_signal(sd_event *event, sd_event_source **ret, int number,
                             sd_event_signal_handler_t callback, void *userdata)
{
        (void)event;
        (void)number;
        (void)callback;
        (void)userdata;
        *ret = NULL;
        return 0;
}

int fake_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int fake_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
        (void)how;
        (void)set;
        (void)old;
        return 0;
}
