/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in the world: a daemon is started and stopped, somebody calls, time passes, processes come
 * and go. Left out: what the daemon sees of it (world-fakes.c). */
#include "tests/fuzz/world.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "credd/batch.h"
#include "credd/expiry.h"
#include "credd/session-internal.h"
#include "tests/fuzz/folder.h"

/* Further on than any machine has been up: the kernel rings none of the daemon's timers. */
#define BOOT_USEC    (UINT64_C(1000000000) * USEC_PER_SEC)
#define NOON_USEC    (UINT64_C(1750000000) * USEC_PER_SEC)
#define ROUNDS       20000
#define EXPANDED_MAX ((size_t)32 * 1024)

World *world_now;

/* --- people --- */

#define GROUP_ADMIN 2000

static const Person people[] = {
        {'R', "root", 0, 0, 0},           {'A', "anna", 1000, 1000, GROUP_ADMIN},
        {'I', "carol", 1002, 1002, 2001}, {'Q', "dave", 1003, 1003, 2002},
        {'P', "paul", 1005, 1005, 2003},  {'p', "petra", 1006, 1006, 2003},
        {'V', "vera", 1007, 1007, 2004},  {'U', "uwe", 1008, 1008, 2005},
        {'D', "deploy", 1001, 1001, 0},   {'S', "stan", 1009, 1009, 0},
        {'L', "root", 0, 0, 0},           {'l', "stan", 1009, 1009, 0},
};

const Person *world_person(char letter)
{
        for (size_t i = 0; i < ELEMENTSOF(people); i++)
                if (people[i].letter == letter)
                        return &people[i];
        return &people[9];
}

const Person *world_person_of(uid_t uid)
{
        for (size_t i = 0; i < ELEMENTSOF(people); i++)
                if (people[i].uid == uid)
                        return &people[i];
        return NULL;
}

/* --- the files --- */

static const char configuration[] = "[Credd]\nAuditors=@audit\nWarn=5min 1min\n";

static const struct {
        const char *name, *text;
} roles[] = {
        {"ops", "[Role]\nIssuers=@sre\nRequesters=@dev\nApprovers=@leads\nRevokers=@security\n"
                "Users=deploy app-*\nFrom=10.0.0.0/8 local\nDefaultTTL=1h\nMaxTTL=4h\n"
                "MaxLifetime=8h\nMaxUses=3\n"},
        {"two", "[Role]\nRequesters=@dev @leads\nApprovers=@leads\nApprovals=2\nUsers=deploy\n"
                "EndScope=user\nHolderRequired=yes\n"},
        {"glass", "[Role]\nRequesters=@dev\nApprovals=0\nUsers=*\nBreakGlass=yes\nMaxTTL=1h\n"},
};

void world_lay_down(const char *name, const char *bytes, size_t len)
{
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        must(fd >= 0);
        must(write(fd, bytes, len) == (ssize_t)len);
        must(close(fd) == 0);
}

char *world_pick_up(const char *name, size_t *ret_len)
{
        char path[128], *bytes;
        struct stat st;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        must(fd >= 0 && fstat(fd, &st) == 0);
        bytes = malloc((size_t)st.st_size + 1);
        must(bytes && read(fd, bytes, (size_t)st.st_size) == st.st_size);
        (void)close(fd);
        *ret_len = (size_t)st.st_size;
        return bytes;
}

const char *world_state(void)
{
        static char path[64];

        (void)snprintf(path, sizeof(path), "%s/state", fuzz_folder());
        return path;
}

static void make_folder(void)
{
        char path[128];

        (void)mkdir(world_state(), 0700);
        (void)snprintf(path, sizeof(path), "%s/roles.d", fuzz_folder());
        (void)mkdir(path, 0755);
        world_lay_down("credd.conf", configuration, strlen(configuration));
        for (size_t i = 0; i < ELEMENTSOF(roles); i++) {
                (void)snprintf(path, sizeof(path), "roles.d/%s.conf", roles[i].name);
                world_lay_down(path, roles[i].text, strlen(roles[i].text));
        }
}

/* What a daemon leaves that has started once; the migrations are most of the work of a start. */
static void reset_store(World *world)
{
        static char *database, *key;
        static size_t database_len, key_len;
        char path[128];

        if (!database) {
                make_folder();
                must(world_start(world) == 0);
                world_stop(world);
                database = world_pick_up("state/credd.db", &database_len);
                key = world_pick_up("state/key", &key_len);
        }
        world_lay_down("state/credd.db", database, database_len);
        world_lay_down("state/key", key, key_len);
        for (size_t i = 0; i < 3; i++) {
                static const char *const left[] = {"credd.db-wal", "credd.db-shm", "backup.new"};

                (void)snprintf(path, sizeof(path), "%s/%s", world_state(), left[i]);
                (void)unlink(path);
        }
}

/* --- the daemon --- */

static uint64_t read_clock(void *userdata, clockid_t id)
{
        const World *world = userdata;

        return id == CLOCK_BOOTTIME ? world->boot_usec : world->real_usec;
}

static void commit(World *world, int r)
{
        r = batch_leave(world->manager->batch, r);
        must(r == 0 || world->manager->failed || r < 0);
        (void)batch_commit(world->manager->batch);
}

int world_start(World *world)
{
        static char config[64];
        const Clock clock = {.read = read_clock, .userdata = world};
        const Paths paths = {.state = world_state(), .config = config};
        char boot_id[33];
        int r;

        (void)snprintf(config, sizeof(config), "%s/credd.conf", fuzz_folder());
        (void)snprintf(boot_id, sizeof(boot_id), "%032u", world->boot);
        must(!world->manager);
        r = manager_new_in(&paths, &clock, boot_id, &world->manager);
        if (r < 0)
                return r;
        if (batch_enter(world->manager->batch) == 0)
                commit(world, event_daemon_started(&world->manager->events,
                                                   sessions_live(world->manager->sessions)));
        if (!world->logind_away)
                sessions_logind_handlers.on_connected(world->manager, true);
        return 0;
}

static void hang_up(Conn *conn)
{
        conn->peer = peer_free(conn->peer);
        if (conn->fd >= 0)
                (void)close(conn->fd);
        conn->fd = -1;
}

void world_stop(World *world)
{
        for (size_t i = 0; i < WORLD_CONNS; i++)
                hang_up(&world->conns[i]);
        world->manager = manager_free(world->manager);
}

void world_begin(World *world)
{
        static char replies[WORLD_REPLY_MAX];

        *world = (World){.boot_usec = BOOT_USEC, .real_usec = NOON_USEC, .boot = 1};
        world->random = 88172645463325252U;
        world->replies = replies;
        for (size_t i = 0; i < WORLD_CONNS; i++)
                world->conns[i].fd = -1;
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                world->processes[i].event = -1;
        world_now = world;
        reset_store(world);
        world->random = 88172645463325252U;
        for (unsigned i = 0; i < WORLD_PROCESSES; i++)
                world_spawn(world, i, i < 4 ? 1001 : 1009);
}

void world_end(World *world)
{
        world_stop(world);
        for (size_t i = 0; i < WORLD_PROCESSES; i++)
                if (world->processes[i].event >= 0)
                        (void)close(world->processes[i].event);
        world_now = NULL;
}

void world_reboot(World *world)
{
        world_stop(world);
        for (unsigned i = 0; i < WORLD_PROCESSES; i++)
                world_die(world, i);
        world->boot++;
        world->boot_usec = BOOT_USEC;
}

/* --- processes --- */

void world_spawn(World *world, unsigned process, uid_t uid)
{
        Process *p = &world->processes[process];

        if (p->event >= 0) {
                world_die(world, process);
                (void)close(p->event);
        }
        *p = (Process){.alive = true,
                       .uid = uid,
                       .ppid = process > 0 && process % 2 == 1 ? WORLD_PID + (pid_t)process - 1 : 1,
                       .ticks = world->boot_usec / 10000,
                       .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        must(p->event >= 0);
        (void)strcpy(p->cgroup, "/system.slice/ssh.service");
}

void world_die(World *world, unsigned process)
{
        Process *p = &world->processes[process];
        uint64_t one = 1;

        if (!p->alive)
                return;
        p->alive = false;
        must(write(p->event, &one, sizeof(one)) == sizeof(one));
}

void world_announce(World *world, unsigned process)
{
        Process *p = &world->processes[process];
        LogindSession announced = {.uid = p->uid,
                                   .leader = WORLD_PID + (pid_t)process,
                                   .created_boot_usec = world->boot_usec,
                                   .scope = "",
                                   .class = "user",
                                   .service = "sshd"};

        if (!p->alive || !world->manager || world->logind_away)
                return;
        (void)snprintf(p->session, sizeof(p->session), "w%u", process);
        (void)snprintf(p->cgroup, sizeof(p->cgroup), "/user.slice/user-%u.slice/session-%s.scope",
                       p->uid, p->session);
        announced.id = p->session;
        sessions_logind_handlers.on_session(world->manager, &announced);
}

/* --- calls --- */

static void on_gone(void *userdata)
{
        Conn *conn = userdata;

        conn->peer = peer_free(conn->peer);
}

static Conn *free_conn(World *world)
{
        for (size_t i = 0; i < WORLD_CONNS; i++)
                if (world->conns[i].fd < 0)
                        return &world->conns[i];
        world_settle(world);
        hang_up(&world->conns[0]);
        return &world->conns[0];
}

static unsigned count(const char *text, size_t len, const char *what)
{
        unsigned n = 0;

        for (const char *at; (at = memmem(text, len, what, strlen(what))); n++) {
                len -= (size_t)(at + 1 - text);
                text = at + 1;
        }
        return n;
}

const char *world_secret(const char *token)
{
        return token + (strlen(token) == TOKEN_TEXT_LEN ? 4 + TOKEN_ID_LEN : CODE_HANDLE_LEN + 1);
}

/* Whoever gives a secret for something else gives it away. proper: what stands where one goes. */
static void note_told(World *world, const char *text, size_t len, const char *proper)
{
        for (size_t i = 0; i < world->n_tokens; i++) {
                const char *token = world->tokens[i];

                world->token_told[i] |= count(text, len, world_secret(token)) >
                                        (proper && strcmp(proper, token) == 0);
        }
        for (size_t i = 0; i < world->n_logins; i++) {
                const char *login = world->logins[i];

                world->login_told[i] |= count(text, len, strchr(login, '-') + 1) >
                                        (proper && strcmp(proper, login) == 0);
        }
}

static void note_call(World *world, Conn *conn, const char *text, size_t len)
{
        json_auto_t *call = json_loadb(text, len, 0, NULL);
        const json_t *parameters = json_object_get(call, "parameters");
        const char *method = json_string_value(json_object_get(call, "method"));
        const char *proper = NULL;

        (void)snprintf(conn->method, sizeof(conn->method), "%s", method ?: "");
        if (conn->kind == PEER_LOGIN)
                proper = json_string_value(json_object_get(parameters, "token"))
                                 ?: json_string_value(json_object_get(parameters, "login"));
        note_told(world, text, len, proper);
}

static void send_call(World *world, char who, unsigned process, const char *text, size_t len)
{
        const Person *person = world_person(who);
        PeerIdentity identity = {.uid = person->uid,
                                 .gid = person->gid,
                                 .pid = WORLD_PID + (pid_t)(process % WORLD_PROCESSES)};
        Conn *conn;
        int ends[2];

        if (!world->manager)
                return;
        conn = free_conn(world);
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        *conn = (Conn){.fd = ends[0], .person = person};
        conn->kind = who == 'L' || who == 'l' ? PEER_LOGIN : PEER_ADMIN;
        note_call(world, conn, text, len);
        must(peer_new(world->manager, conn->kind, ends[1], &identity, on_gone, conn, &conn->peer) ==
             0);
        /* A call that is longer than any may be does not fit, and its rest is not missed. */
        (void)send(conn->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)send(conn->fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        peer_begin(conn->peer);
}

static const char *stands_for(const World *world, char sign, char digit)
{
        size_t n = (size_t)(digit - '0');

        if (digit < '0' || digit > '9')
                return NULL;
        if (sign == '$' && n < world->n_ids)
                return world->ids[n];
        if (sign == '%' && n < world->n_tokens)
                return world->tokens[n];
        return sign == '&' && n < world->n_logins ? world->logins[n] : NULL;
}

static size_t expand(const World *world, const char *text, size_t len, char *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < len && n < EXPANDED_MAX - sizeof(world->logins[0]); i++) {
                const char *instead = i + 1 < len ? stands_for(world, text[i], text[i + 1]) : NULL;

                if (instead) {
                        memcpy(ret + n, instead, strlen(instead));
                        n += strlen(instead);
                        i++;
                } else
                        ret[n++] = text[i];
        }
        return n;
}

void world_call(World *world, const char *text, size_t len)
{
        AUTO_FREE char *expanded = malloc(EXPANDED_MAX);

        must(expanded);
        if (len < 3)
                return;
        len = expand(world, text + 2, len - 2, expanded);
        send_call(world, text[0], (unsigned char)text[1] - '0', expanded, len);
}

static void keep(char *place, size_t size, size_t *n, const json_t *value)
{
        const char *text = json_string_value(value);

        if (text && *n < WORLD_SECRETS && strlen(text) < size)
                memcpy(place + (*n)++ * size, text, strlen(text) + 1);
}

static bool is_method(const Conn *conn, const char *name)
{
        const char *dot = strrchr(conn->method, '.');

        return dot && strcmp(dot + 1, name) == 0;
}

static void note_reply(World *world, const Conn *conn, const json_t *parameters)
{
        const json_t *credential = json_object_get(parameters, "credential");

        if (is_method(conn, "Issue") || is_method(conn, "Request") || is_method(conn, "Collect")) {
                keep(world->ids[0], sizeof(world->ids[0]), &world->n_ids,
                     json_object_get(credential, "id"));
                keep(world->tokens[0], sizeof(world->tokens[0]), &world->n_tokens,
                     json_object_get(parameters, "token"));
        }
        if (is_method(conn, "Authenticate"))
                keep(world->logins[0], sizeof(world->logins[0]), &world->n_logins,
                     json_object_get(parameters, "login"));
}

static void take_reply(World *world, const Conn *conn, const char *text)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = {0};

        if (getenv("FUZZ_SHOW"))
                (void)fprintf(stderr, "  %c %s: %s\n", conn->person->letter, conn->method, text);
        must(varlink_reply_decode(text, strlen(text), &reply) == 0);
        if (world->on_reply)
                world->on_reply(world, conn, text, &reply);
        if (!reply.error)
                note_reply(world, conn, reply.parameters);
}

/* What one end has to say so far; whole messages are handed on. */
static void take_replies(World *world, Conn *conn)
{
        size_t len = 0;
        ssize_t n;

        while (len < WORLD_REPLY_MAX - 1 && (n = recv(conn->fd, world->replies + len,
                                                      WORLD_REPLY_MAX - 1 - len, MSG_DONTWAIT)) > 0)
                len += (size_t)n;
        must(len < WORLD_REPLY_MAX - 1);
        world->replies[len] = '\0';
        for (char *at = world->replies; at < world->replies + len; at += strlen(at) + 1)
                take_reply(world, conn, at);
}

static bool answer_logind(World *world)
{
        bool any = false;

        for (size_t i = 0; i < WORLD_CALLS; i++) {
                LogindCall *call = world->calls[i];

                if (!call)
                        continue;
                world->calls[i] = NULL;
                call->taken = true; /* the callback may free it */
                call->done(call->userdata, call->error,
                           call->error < 0 ? strerror(-call->error) : "");
                any = true;
        }
        return any;
}

void world_settle(World *world)
{
        unsigned rounds = 0;

        if (!world->manager)
                return;
        do {
                while (sd_event_get_state(world->manager->event) != SD_EVENT_FINISHED &&
                       sd_event_run(world->manager->event, 0) > 0) {
                        must(rounds++ < ROUNDS);
                        for (size_t i = 0; i < WORLD_CONNS; i++)
                                if (world->conns[i].fd >= 0)
                                        take_replies(world, &world->conns[i]);
                }
        } while (answer_logind(world));
        for (size_t i = 0; i < WORLD_CONNS; i++) {
                if (world->conns[i].fd >= 0)
                        take_replies(world, &world->conns[i]);
                hang_up(&world->conns[i]);
        }
}

/* --- time --- */

/* When the next session has to be looked at. */
static uint64_t ring(World *world)
{
        uint64_t next = USEC_INFINITY;
        Session *session;

        LIST_FOREACH (session, &world->manager->sessions->list, all) {
                uint64_t at = 0;
                int on = SD_EVENT_OFF;

                must(sd_event_source_get_enabled(session->timer, &on) >= 0);
                must(sd_event_source_get_time(session->timer, &at) >= 0);
                if (on == SD_EVENT_OFF)
                        continue;
                if (at <= world->boot_usec)
                        (void)sd_event_source_set_time(session->timer, 0);
                else if (at < next)
                        next = at;
        }
        expiry_changed(world->manager->expiry);
        return next;
}

void world_pass(World *world, uint64_t usec)
{
        uint64_t end = world->boot_usec + usec;

        for (unsigned looks = 0; world->manager && !world->manager->failed && looks < 64; looks++) {
                uint64_t next = ring(world), now = world->boot_usec;

                world_settle(world);
                if (now >= end || world->manager->failed)
                        return;
                next = next < end && looks < 60 ? next : end;
                world->boot_usec = next;
                world->real_usec += next - now;
        }
        world->real_usec += end - world->boot_usec;
        world->boot_usec = end;
}

void world_set_wall(World *world, int64_t usec)
{
        Manager *manager = world->manager;
        int r;

        world->real_usec += (uint64_t)usec;
        if (!manager || manager->failed || batch_enter(manager->batch) < 0)
                return;
        (void)clock_trusted(&manager->clock);
        r = store_note_clock(manager->store);
        commit(world, r < 0 ? r : event_clock_stepped(&manager->events, usec));
}
