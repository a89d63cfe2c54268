/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole daemon with nothing around it that is real: processes, control groups, logind, people, clocks,
 * randomness and the room on the disk are the fuzzer's, so that the same input does the same each time and
 * nothing outside is touched. The store is a file in memory, laid down anew for each input. The linker
 * puts the functions of world-fakes.c in the place of the daemon's own. */
#pragma once

#include <systemd/sd-event.h>

#include "common/varlink.h"
#include "credd/logind.h"
#include "credd/manager.h"
#include "credd/peer.h"
#include "tests/fuzz/fuzz.h"

#define WORLD_PROCESSES 10
#define WORLD_CONNS     8
#define WORLD_CALLS     8
#define WORLD_PID       1000000
#define WORLD_SECRETS   64
#define WORLD_REPLY_MAX ((size_t)2 * 1024 * 1024)

/* Who may be at the other end; a letter stands for each in inputs. */
typedef struct Person {
        char letter;
        const char *name;
        uid_t uid;
        gid_t gid, group; /* group: 0, none besides */
} Person;

const Person *world_person(char letter);
const Person *world_person_of(uid_t uid);

typedef struct Process {
        bool alive, dead_said; /* said: its pidfd has been told */
        int event;             /* stands for its pidfd; -1: never was */
        uid_t uid;
        uint64_t ticks;
        pid_t ppid;
        char cgroup[96];
        bool stubborn; /* signals do not reach it for a while */
        char session[16];
} Process;

/* A call to logind that is not answered yet. */
struct LogindCall {
        LogindDone done;
        void *userdata;
        int error;
        bool taken;
};

typedef struct Conn {
        Peer *peer; /* NULL: it has ended */
        int fd;     /* the client's end; -1: free */
        const Person *person;
        PeerKind kind;
        char method[128]; /* of the call that was sent */
} Conn;

typedef struct World {
        uint64_t boot_usec, real_usec;
        unsigned boot;
        uint64_t random;
        Manager *manager; /* NULL: it would not start */
        Process processes[WORLD_PROCESSES];
        Conn conns[WORLD_CONNS];
        LogindCall *calls[WORLD_CALLS];
        bool logind_away, disk_full;
        int logind_error; /* what it answers to kills; 0: it does them */
        /* Of the replies: what was handed out, in order. */
        char tokens[WORLD_SECRETS][48], ids[WORLD_SECRETS][16], logins[WORLD_SECRETS][80];
        size_t n_tokens, n_ids, n_logins;
        /* Somebody has said it himself where no secret goes. */
        bool token_told[WORLD_SECRETS], login_told[WORLD_SECRETS];
        char *replies; /* room for them */
        /* Called for each reply, before what it hands out is noted above; may be NULL. */
        void (*on_reply)(const struct World *world, const Conn *conn, const char *text,
                         const VarlinkReply *reply);
} World;

/* The one that the fakes know. */
extern World *world_now;

/* Lays down the store and the configuration. */
void world_begin(World *world);
void world_end(World *world);
const char *world_state(void);
/* Writes a file there, in place of what there was. */
void world_lay_down(const char *name, const char *bytes, size_t len);
/* Reads one; to be freed. */
char *world_pick_up(const char *name, size_t *ret_len);

/* 0, or what the daemon said instead of starting. */
int world_start(World *world);
void world_stop(World *world);
/* Another boot: all processes are gone. */
void world_reboot(World *world);

/* Sends a call and does not wait for the answer. text: a letter for who, a digit for the process, and the
 * call, in which $N, %N and &N stand for the Nth id, token and login. L is root at the Login socket and l
 * a stranger there; all others are at the Admin socket. */
void world_call(World *world, const char *text, size_t len);
/* What of a token or a code is not its public id. */
const char *world_secret(const char *token);
/* Until nothing is to be done at once; replies are taken. */
void world_settle(World *world);
/* Time passes, and what falls due is done. */
void world_pass(World *world, uint64_t usec);
void world_set_wall(World *world, int64_t usec);

/* A process that starts now. */
void world_spawn(World *world, unsigned process, uid_t uid);
void world_die(World *world, unsigned process);
/* logind announces a session led by it, and puts it in its scope. */
void world_announce(World *world, unsigned process);
