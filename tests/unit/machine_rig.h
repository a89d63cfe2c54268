/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine with the daemon on it: all its clocks are the test's, the daemon can be started again, and
 * so can the machine. Who opens a session is a child of the test, which asks what it is told to ask. */
#pragma once

#include "tests/unit/manager_rig.h"

#include <sys/pidfd.h>
#include <sys/prctl.h>

#include "credd/cgroup.h"
#include "credd/session-internal.h"

/* Further on than any machine has been up, so that the kernel never rings one of the daemon's timers:
 * machine_ring() does. */
#define MACHINE_BOOT SECONDS(1000000000)
/* One look at a session to the next. */
#define MACHINE_TICK (25 * USEC_PER_MSEC)

#define MACHINE_AGENTS 64

typedef struct Machine {
        Rig rig;
        pid_t agents[MACHINE_AGENTS]; /* 0: free */
        Hands hands;
        unsigned boot;
        char cgroups[SCRATCH_PATH_MAX]; /* where sessions can have scopes; "": they cannot */
        char *home;                     /* the control group that the test came from */
} Machine;

/* --- the daemon --- */

/* All of /proc that concerns the daemon, in place of a reading of it: the agents. On a machine with many
 * processes the readings were most of what a walk took. */
static inline void machine_show_processes(Machine *machine)
{
        Sessions *sessions = machine->rig.manager->sessions;
        ProcInfo *list = calloc(MACHINE_AGENTS, sizeof(*list));
        size_t n = 0;

        assert_non_null(list);
        for (size_t i = 0; i < MACHINE_AGENTS; i++)
                if (machine->agents[i] > 0 && proc_read(machine->agents[i], &list[n]) == 0)
                        n++;
        proc_table_done(&sessions->processes);
        sessions->processes = (ProcTable){.list = list, .n = n};
        sessions->processes_usec = USEC_INFINITY;
}

static inline void machine_record(Machine *machine, int r)
{
        assert_int_equal(batch_leave(machine->rig.manager->batch, r), 0);
        assert_int_equal(batch_commit(machine->rig.manager->batch), 0);
}

/* As systemd and manager_run() do it. */
static inline void machine_start(Machine *machine)
{
        const Clock clock = hands_clock(&machine->hands);
        Rig *rig = &machine->rig;
        char boot_id[33];

        (void)snprintf(boot_id, sizeof(boot_id), "%032u", machine->boot);
        assert_int_equal(manager_new_in(&rig->paths, &clock, boot_id, &rig->manager), 0);
        rig->manager->outbox = outbox_free(rig->manager->outbox);
        assert_int_equal(outbox_new(rig->manager, "/nonexistent/journal", &rig->manager->outbox),
                         0);
        assert_int_equal(
                server_new(rig->manager, rig->login_fd, rig->admin_fd, &rig->manager->server), 0);
        assert_int_equal(batch_enter(rig->manager->batch), 0);
        machine_record(machine, event_daemon_started(&rig->manager->events,
                                                     sessions_live(rig->manager->sessions)));
        machine_show_processes(machine);
}

static inline void machine_stop(Machine *machine, bool politely)
{
        Rig *rig = &machine->rig;

        if (politely) {
                assert_int_equal(batch_enter(rig->manager->batch), 0);
                machine_record(machine, event_daemon_stopped(&rig->manager->events));
        }
        rig->manager = manager_free(rig->manager);
}

/* The wall clock is set while the daemon runs: what clock-watch.c does when the kernel says so. */
static inline void machine_set_wall(Machine *machine, int64_t by_usec)
{
        Manager *manager = machine->rig.manager;
        int r;

        machine->hands.real_usec += (uint64_t)by_usec;
        (void)clock_trusted(&manager->clock);
        assert_int_equal(batch_enter(manager->batch), 0);
        r = store_note_clock(manager->store);
        machine_record(machine, r < 0 ? r : event_clock_stepped(&manager->events, by_usec));
}

/* Rings what is due by the daemon's clock, and lets the loop work it off. */
static inline void machine_ring(Machine *machine)
{
        Manager *manager = machine->rig.manager;
        Session *session;

        LIST_FOREACH (session, &manager->sessions->list, all) {
                uint64_t at = 0;
                int on = SD_EVENT_OFF;

                assert_true(sd_event_source_get_enabled(session->timer, &on) >= 0);
                assert_true(sd_event_source_get_time(session->timer, &at) >= 0);
                if (on != SD_EVENT_OFF && at <= machine->hands.boot_usec)
                        assert_true(sd_event_source_set_time(session->timer, 0) >= 0);
        }
        machine_show_processes(machine);
        expiry_changed(manager->expiry);
        rig_settle(&machine->rig);
}

static inline Session *machine_session(const Machine *machine, int64_t login)
{
        Session *session;

        LIST_FOREACH (session, &machine->rig.manager->sessions->list, all)
                if (session->row.login == login)
                        return session;
        return NULL;
}

/* Whom the daemon has killed dies in the kernel's time, and the daemon's stands still meanwhile. */
static inline void machine_bury(Machine *machine)
{
        Session *session;

        LIST_FOREACH (session, &machine->rig.manager->sessions->list, all) {
                struct pollfd died = {.fd = session->pidfd, .events = POLLIN};

                if (session->kill.forced && session->pidfd >= 0)
                        assert_int_equal(poll(&died, 1, PATIENCE_MS), 1);
        }
}

/* --- who opens sessions --- */

typedef struct Agent {
        pid_t pid;
        int pidfd, line;
        bool in_scope;
        char scope[2 * SCRATCH_PATH_MAX];
} Agent;

/* What a shell would be. It says who it is once it is its user's. */
static inline void agent_fork(int line, uid_t uid)
{
        pid_t self;

        if (fork() != 0)
                return;
        self = getpid();
        (void)prctl(PR_SET_PDEATHSIG, 0); /* it outlives its parent */
        if (setresuid(uid, uid, uid) < 0 || send(line, &self, sizeof(self), MSG_NOSIGNAL) < 0)
                _exit(1);
        (void)close(line);
        for (;;)
                (void)pause();
}

static inline void agent_serve(const Rig *rig, int line)
{
        char text[4096];
        ssize_t n;

        while ((n = recv(line, text, sizeof(text), 0)) > 1) {
                AUTO_CLOSE int fd = -1;
                size_t len = 0;

                if (text[0] == 'F') {
                        agent_fork(line, (uid_t)strtoul(text + 1, NULL, 10));
                        continue;
                }
                fd = rig_connect(text[0] == 'L' ? rig->login : rig->admin);
                rig_send(fd, text + 1, (size_t)n - 1);
                while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0) {
                        len += (size_t)n;
                        if (text[len - 1] == '\0')
                                break;
                }
                if (send(line, text, len > 0 ? len : 1, MSG_NOSIGNAL) < 0)
                        break;
        }
        _exit(0);
}

static inline pid_t *agent_place(Machine *machine, pid_t pid)
{
        for (size_t i = 0; i < MACHINE_AGENTS; i++)
                if (machine->agents[i] == pid)
                        return &machine->agents[i];
        fail_msg("more agents than there is room for");
        return NULL;
}

static inline Agent agent_new(Machine *machine)
{
        Agent agent = {.pidfd = -1};
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        agent.pid = fork();
        assert_true(agent.pid >= 0);
        if (agent.pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)setsid(); /* the test may stand at a terminal */
                assert_int_equal(dup2(ends[1], 3), 3);
                (void)close_range(4, ~0U, 0);
                agent_serve(&machine->rig, 3);
        }
        (void)close(ends[1]);
        agent.line = ends[0];
        agent.pidfd = pidfd_open(agent.pid, 0);
        assert_true(agent.pidfd >= 0);
        *agent_place(machine, 0) = agent.pid;
        machine_show_processes(machine);
        return agent;
}

static inline bool agent_lives(const Agent *agent)
{
        struct pollfd died = {.fd = agent->pidfd, .events = POLLIN};

        return agent->pid > 0 && poll(&died, 1, 0) == 0;
}

/* The reply, to be freed; where: 'L' or 'A', of the socket. Takes the parameters. */
static inline json_t *agent_ask(Machine *machine, const Agent *agent, char where,
                                const char *method, json_t *parameters)
{
        AUTO_FREE char *call = call_text(method, parameters), *message = NULL;
        char text[4096];
        ssize_t n;

        assert_true(asprintf(&message, "%c%s", where, call) > 0);
        n = (ssize_t)strlen(message) + 1;
        assert_int_equal(send(agent->line, message, (size_t)n, MSG_NOSIGNAL), n);
        for (unsigned waited = 0;; waited++) {
                json_t *reply;

                n = recv(agent->line, text, sizeof(text), MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN) {
                        assert_true(waited < PATIENCE_MS);
                        assert_true(sd_event_run(machine->rig.manager->event, 1000) >= 0);
                        continue;
                }
                assert_true(n > 1);
                reply = json_loads(text, 0, NULL);
                assert_non_null(reply);
                return reply;
        }
}

/* A child of the agent, which stands where the agent stands now; the caller takes it from the machine. */
static inline pid_t agent_beget(Machine *machine, const Agent *agent, uid_t uid)
{
        char call[32];
        ssize_t n = snprintf(call, sizeof(call), "F%u", uid) + 1;
        pid_t child = -1;

        assert_int_equal(send(agent->line, call, (size_t)n, MSG_NOSIGNAL), n);
        assert_int_equal(recv(agent->line, &child, sizeof(child), 0), sizeof(child));
        assert_true(child > 1);
        *agent_place(machine, 0) = child;
        machine_show_processes(machine);
        return child;
}

/* A control group empties a little later than its last process dies. */
static inline void scope_await_empty(const char *scope)
{
        const char *path = strstr(scope, "/user.slice/");

        for (unsigned i = 0; path && cgroup_populated(path) == 1; i++) {
                assert_true(i < PATIENCE_MS);
                (void)poll(NULL, 0, 1);
        }
}

static inline void agent_kill(const Agent *agent)
{
        struct pollfd died = {.fd = agent->pidfd, .events = POLLIN};

        assert_int_equal(kill(agent->pid, SIGKILL), 0);
        assert_int_equal(poll(&died, 1, PATIENCE_MS), 1);
        scope_await_empty(agent->scope);
}

static inline void agent_free(Machine *machine, Agent *agent)
{
        if (agent->pid <= 0)
                return;
        *agent_place(machine, agent->pid) = 0;
        (void)kill(agent->pid, SIGKILL);
        (void)waitpid(agent->pid, NULL, 0);
        (void)close(agent->pidfd);
        (void)close(agent->line);
        if (agent->in_scope)
                (void)rmdir(agent->scope);
        *agent = (Agent){.pidfd = -1};
}

#define AGENT_ID_MAX 48

/* logind's id of its session: no other run of the tests on this machine has that control group. */
static inline void agent_id(int64_t login, char ret_id[static AGENT_ID_MAX])
{
        (void)snprintf(ret_id, AGENT_ID_MAX, "m%dx%lld", getpid(), (long long)login);
}

/* Where the machine can make a scope. */
static inline void agent_enter_scope(const Machine *machine, Agent *agent, uid_t uid, int64_t login)
{
        char file[3 * SCRATCH_PATH_MAX], id[AGENT_ID_MAX];
        FILE *f;

        if (!machine->cgroups[0] || agent->in_scope)
                return;
        agent_id(login, id);
        (void)snprintf(agent->scope, sizeof(agent->scope),
                       "%s/user.slice/user-%u.slice/session-%s.scope", machine->cgroups, uid, id);
        assert_int_equal(mkdir(agent->scope, 0755), 0);
        (void)snprintf(file, sizeof(file), "%s/cgroup.procs", agent->scope);
        f = fopen(file, "we");
        assert_non_null(f);
        assert_true(fprintf(f, "%d", agent->pid) > 0);
        assert_int_equal(fclose(f), 0);
        agent->in_scope = true;
}

/* logind announces a session with that leader, in its scope. created: by the daemon's CLOCK_BOOTTIME. */
static inline void agent_announce_of(Machine *machine, Agent *agent, uid_t uid, int64_t login,
                                     uint64_t created)
{
        char id[AGENT_ID_MAX];
        const LogindSession announced = {.id = id,
                                         .uid = uid,
                                         .leader = agent->pid,
                                         .created_boot_usec = created,
                                         .scope = "",
                                         .class = "user",
                                         .service = "sshd"};

        agent_id(login, id);
        agent_enter_scope(machine, agent, uid, login);
        sessions_logind_handlers.on_session(machine->rig.manager, &announced);
}

static inline void agent_announce(Machine *machine, Agent *agent, uid_t uid, int64_t login)
{
        agent_announce_of(machine, agent, uid, login, 0);
}

/* --- the machine --- */

static inline bool make_cgroup(const char *root, const char *below, char made[][SCRATCH_PATH_MAX],
                               size_t *n)
{
        char path[SCRATCH_PATH_MAX];

        assert_true(snprintf(path, sizeof(path), "%s%s", root, below) < (int)sizeof(path));
        if (mkdir(path, 0755) == 0)
                (void)snprintf(made[(*n)++], SCRATCH_PATH_MAX, "%s", path);
        return access(path, W_OK) == 0;
}

/* The slices of sessions of that uid, as PID 1 would make them. What was made is for the end to
 * remove. false: there is no cgroup tree to write to. */
static inline bool machine_make_slice(Machine *machine, uid_t uid, char made[][SCRATCH_PATH_MAX],
                                      size_t *n)
{
        bool unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
        const char *root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
        char below[64];

        (void)snprintf(below, sizeof(below), "/user.slice/user-%u.slice", uid);
        if (!make_cgroup(root, "/user.slice", made, n) || !make_cgroup(root, below, made, n))
                return false;
        (void)snprintf(machine->cgroups, sizeof(machine->cgroups), "%s", root);
        return true;
}

/* Puts the test where few others are: the daemon looks through the whole control group that a login or
 * an opener stands in. */
static inline void machine_enter(const char *root, const char *below)
{
        char path[3 * SCRATCH_PATH_MAX];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", root, below);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs("0", f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static inline void machine_init(Machine *machine)
{
        Rig *rig = &machine->rig;

        *machine = (Machine){.hands = {MACHINE_BOOT, NOON}, .boot = 1};
        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
        rig->folder = scratch_new_fast();
        rig->paths.state = rig->folder;
        rig->paths.config = scratch_path(rig->folder, "none.conf", rig->config);
        rig->login_fd = rig_listen(scratch_path(rig->folder, "login", rig->login));
        rig->admin_fd = rig_listen(scratch_path(rig->folder, "admin", rig->admin));
        machine_start(machine);
}

static inline void machine_done(Machine *machine)
{
        if (machine->home)
                machine_enter(machine->cgroups, machine->home);
        free(machine->home);
        machine->rig.manager = manager_free(machine->rig.manager);
        (void)close(machine->rig.login_fd);
        (void)close(machine->rig.admin_fd);
        scratch_free(machine->rig.folder);
}
