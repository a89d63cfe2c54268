/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is durable: credentials, logins, sessions, receipts and the chain of events. Everything that
 * changes something happens inside a transaction of batch.c. Errors are those of db.h. Finders
 * return 1 and fill *ret, or 0 when there is none. Strings in results are the caller's to free by
 * _done(). */
#pragma once

#include "credd/clock.h"
#include "credd/credential.h"

#define NONCE_LEN 16

typedef struct Store Store;
struct DbCopy; /* db.h */

typedef enum LoginState { LOGIN_ACCEPTED = 0, LOGIN_CLAIMED = 1, LOGIN_LAPSED = 2 } LoginState;

/* One successful authentication. */
typedef struct Login {
        int64_t num, credential;
        uint8_t nonce[NONCE_LEN];
        LoginState state;
        uint64_t accepted_usec;
        char *service, *tty, *rhost; /* tty, rhost: NULL if none */
        int64_t boot;
        pid_t pid, parent; /* who authenticated, and its parent; ticks 0: unknown */
        uint64_t ticks, parent_ticks;
} Login;

/* Who switched a role off, and why. */
typedef struct RoleOff {
        char *role;
        uint64_t at_real_usec;
        Actor actor;
        char *reason; /* NULL: none */
} RoleOff;

/* What an admin has to see. Stored: the numbers are the file's. */
typedef enum AlarmKind {
        ALARM_BREAK_GLASS = 1,
        ALARM_MISSED = 2, /* a session of it was not gone in time */
} AlarmKind;

typedef struct Alarm {
        int64_t credential;
        AlarmKind kind;
        uint64_t raised_real_usec;
        uint64_t acked_real_usec; /* USEC_INFINITY: nobody has */
        Actor acked_by;
        char *ack_reason;
        /* of the credential */
        char id[TOKEN_ID_LEN + 1];
        char *user;
        Actor issuer;
} Alarm;

/* What a login opened. ended_usec is USEC_INFINITY while it lives. */
typedef struct SessionRow {
        int64_t login, credential, boot;
        pid_t leader;
        uint64_t ticks;
        uint64_t opened_usec, opened_real_usec, deadline_usec;
        bool lingered;
        char *home; /* the leader's cgroup when it opened; NULL: unknown */
        char *logind_id;
        uint64_t begun_usec; /* when its end was begun; USEC_INFINITY: not yet */
        uint64_t ended_usec, ended_real_usec;
        json_t *evidence;
        char *why; /* its end was brought forward; NULL: it was not, or by the end of its credential */
        uint64_t since_usec; /* see Session; USEC_INFINITY: from its own login on */
        /* of the credential and the login */
        char id[TOKEN_ID_LEN + 1];
        char *user;
        uid_t uid;
        char *role, *holder; /* NULL: none */
        uid_t issuer_uid;
        char *service, *tty, *rhost;
        uint64_t accepted_usec;
} SessionRow;

typedef struct Revocation {
        uint64_t at_real_usec;
        Actor actor;
        char *reason;
} Revocation;

/* A credential that somebody asked for: who, and how far it is. */
typedef struct RequestRow {
        Actor actor;
        uint64_t asked_real_usec;
        int64_t needed, given;        /* approvals: as the role said then; so far */
        uint64_t collected_real_usec; /* USEC_INFINITY: not yet */
} RequestRow;

typedef struct Approval {
        Actor actor;
        uint64_t at_real_usec;
        char *reason; /* NULL: none */
} Approval;

typedef struct Receipt {
        uint64_t written_usec, written_real_usec, late_usec;
        char *verdict;
        json_t *data; /* {"evidence": [...], "residue": [...], "not_covered": [...]} */
} Receipt;

typedef struct EventRow {
        int64_t seq, credential, previous; /* 0: none */
        uint64_t line_usec, real_usec;
        char *name;
        char *data;
        uint8_t hash[HASH_LEN];
} EventRow;

/* One row of the queue of login limits. */
typedef struct ExpiryRow {
        int64_t num;
        uint64_t login_limit_usec;
        Cause cause;
        int64_t open_logins;
} ExpiryRow;

void login_done(Login *login);
void session_row_done(SessionRow *row);
void role_off_done(RoleOff *off);
void revocation_done(Revocation *revocation);
void receipt_done(Receipt *receipt);
void event_row_done(EventRow *row);

/* dir/credd.db and dir/key. clock is settled by what the store remembers. -ENOKEY: see digest.h; -ENOENT:
 * the key is there, and the database is not, or is empty */
int store_open(const char *dir, const char *boot_id, Clock *clock, Store **ret_store);
Store *store_close(Store *store);
DEFINE_CLEANUP(Store, store_close)
const char *store_error(const Store *store);
struct Db *store_db(Store *store);
const struct DigestKey *store_key(const Store *store);
int64_t store_boot(const Store *store);
/* It was last open in another boot. */
bool store_rebooted(const Store *store);

/* store-health.c. The disk is full: what opens something new is refused, what ends something goes on. */
bool store_full(Store *store);
typedef enum StoreTrouble {
        STORE_SOUND,
        STORE_DAMAGED, /* something was met that cannot be; until the end of the process */
        STORE_GONE,    /* the files are not those that were opened: what is written will be lost */
} StoreTrouble;
StoreTrouble store_trouble(const Store *store);
/* A row that means nothing was passed over where the end of something hangs on it. */
void store_note_damage(Store *store);
/* Whether the files are still there; each transaction begins with it. */
void store_look_for_files(Store *store);
/* For people; NULL: there is none. */
const char *store_trouble_text(StoreTrouble trouble);
/* A login, a credential. 0; -ENOSPC; -EBADMSG; -ESTALE: not now. */
int store_may_begin(Store *store);

/* The clock has been set right, or is behind: see clock.h. */
int store_note_clock(Store *store);

int store_begin(Store *store);
int store_commit(Store *store);
/* store-log.c. What is committed stands in the log until it is moved into the file, which nobody but the
 * caller does, outside of a transaction: how many pages; an error of the second changes nothing. */
int store_log_frames(const Store *store);
int store_log_write_back(Store *store);
/* Makes the log's file as large as so many pages need, a slice at each call, if there is room to spare. 1:
 * there is more to do. */
int store_log_lay_out(Store *store, int frames);
int store_savepoint(Store *store);
int store_release(Store *store);
/* Undoes the request: rows and the chain's head. */
int store_rollback(Store *store);

/* -EEXIST: the id is taken, or it is a code and an open one has that handle: draw again. Sets
 * credential->num. */
int store_add_credential(Store *store, Credential *credential, const char *key);
int store_find_credential(Store *store, const char *id, Credential *ret);
int store_read_credential(Store *store, int64_t num, Credential *ret);
/* Its id alone, which is all that the journal wants of it. */
int store_read_id(Store *store, int64_t num, char ret_id[static TOKEN_ID_LEN + 1]);
int store_find_key(Store *store, uid_t issuer, const char *key, int64_t *ret_num);
/* Calls back for each credential with num > after, in order, until it returns false; limit rows. */
int store_each_credential(Store *store, int64_t after, int64_t limit,
                          bool (*each)(void *userdata, Credential *credential), void *userdata);
/* Those of that uid with a use left and a login limit that is to come, in no order; else as above. It
 * looks at no other user's, nor at those that are past their ceiling. */
int store_each_open(Store *store, uid_t uid, uint64_t now_usec,
                    bool (*each)(void *userdata, Credential *credential), void *userdata);
/* The same for those that this uid issued or asked for. */
int store_each_own(Store *store, uid_t uid, int64_t after, int64_t limit,
                   bool (*each)(void *userdata, Credential *credential), void *userdata);
/* The same for those under a role that still let somebody in, soonest ceiling first. */
int store_each_unspent(Store *store, const char *role, uint64_t now_usec, int64_t limit,
                       bool (*each)(void *userdata, Credential *credential), void *userdata);
int store_count_unspent(Store *store, const char *role, uint64_t now_usec, int64_t *ret_count);
/* The use that policy allowed. 0: spent, and if it was the last, closed for good as by
 * store_close_credential(), CAUSE_USED; -ESTALE: there was none left after all. */
int store_spend(Store *store, const Credential *credential);
int store_close_login(Store *store, int64_t num);
/* Closed for good to logins: the token's hash is erased, and a code's handle is free. */
int store_close_credential(Store *store, int64_t num, Cause cause);
/* Adds up the states of those whose login limit is to come, sessions that are ending aside. 1: done; 0:
 * there are more than max. */
int store_count_ahead(Store *store, uint64_t now_usec, int64_t max,
                      uint64_t counts[static STATE_MAX]);
/* -ESTALE: it is closed. */
int store_extend(Store *store, int64_t num, uint64_t login_limit_usec);
int store_add_revocation(Store *store, int64_t num, const Revocation *revocation);
int store_find_revocation(Store *store, int64_t num, Revocation *ret);

/* The open code of that handle, and its wrong tries so far. */
int store_find_code(Store *store, const char *handle, Credential *ret, int64_t *ret_tries);
/* The last code that had that handle and is closed. */
int store_find_closed_code(Store *store, const char *handle, Credential *ret);
/* One wrong try more. */
int store_count_try(Store *store, int64_t num);

int store_add_request(Store *store, int64_t num, const RequestRow *row);
int store_find_request(Store *store, int64_t num, RequestRow *ret);
/* How many of that uid are asked for and not collected. */
int store_count_waiting(Store *store, uid_t uid, int64_t *ret_n);
/* Counts it as well. -EEXIST: that uid has approved it before. */
int store_add_approval(Store *store, int64_t num, const Approval *approval);
/* Calls back for each approval until it returns false. */
int store_each_approval(Store *store, int64_t num,
                        bool (*each)(void *userdata, const Approval *approval), void *userdata);
/* As store_each_credential(), those that are asked for and not collected. */
int store_each_pending(Store *store, int64_t after, int64_t limit,
                       bool (*each)(void *userdata, Credential *credential), void *userdata);
/* From CAUSE_PENDING to CAUSE_NONE, with its hash, its moments and its login limit. -ESTALE: it is not
 * pending. */
int store_collect(Store *store, const Credential *credential);
/* Another hash for one that no login was ever made with. -ESTALE: one was. */
int store_replace_hash(Store *store, const Credential *credential);

/* The next rows of the queue of login limits, at most limit of them, due or not. */
int store_expiry_peek(Store *store, ExpiryRow *ret_rows, size_t limit, size_t *ret_n);
/* The queue is worked off up to this row. */
int store_expiry_advance(Store *store, const ExpiryRow *row);

int store_add_login(Store *store, Login *login);
int store_find_login(Store *store, int64_t num, Login *ret);
/* The first login after that number that is neither known to be claimed nor to have lapsed, of any
 * state; store_lapse_advance() makes all up to one known. Of one that is damaged *ret has the number
 * alone. */
int store_lapse_peek(Store *store, int64_t after, Login *ret);
/* 0: there is none. */
int store_newest_login(Store *store, int64_t *ret_num);
int store_lapse_advance(Store *store, int64_t num);
/* From LOGIN_ACCEPTED. 0: done; -ESTALE: it was in another state: one-shot means once. */
int store_set_login(Store *store, int64_t num, LoginState state);

int store_add_session(Store *store, const SessionRow *row);
typedef enum SessionSet { SESSIONS_LIVE, SESSIONS_ALL, SESSIONS_OF } SessionSet;
/* credential is looked at for SESSIONS_OF only. Otherwise as store_each_credential(). */
int store_each_session(Store *store, SessionSet set, int64_t credential, int64_t after,
                       int64_t limit, bool (*each)(void *userdata, SessionRow *row),
                       void *userdata);
int store_bind_session(Store *store, int64_t login, const char *logind_id);
int store_begin_end(Store *store, int64_t login, uint64_t begun_usec);
int store_set_deadline(Store *store, int64_t login, uint64_t deadline_usec);
int store_set_since(Store *store, int64_t login, uint64_t since_usec);
/* An end before its time. why: see SessionRow. */
int store_cut_short(Store *store, int64_t login, uint64_t deadline_usec, const char *why);
/* -ESTALE: it had ended before. */
int store_end_session(Store *store, int64_t login, uint64_t at_usec, const json_t *evidence);

/* -EEXIST: there is one already; there never are two. */
int store_add_receipt(Store *store, int64_t num, const Receipt *receipt);
int store_find_receipt(Store *store, int64_t num, Receipt *ret);
/* 1: when the receipt was written; nothing else of it is read. */
int store_receipt_written(Store *store, int64_t num, uint64_t *ret_real_usec);

/* Appends to the chain. num 0: of no credential. */
int store_add_event(Store *store, const char *name, int64_t num, const char *data);
int store_read_event(Store *store, int64_t seq, EventRow *ret);
int store_next_event(Store *store, int64_t after, EventRow *ret);
int64_t store_newest_event(const Store *store);
/* The number of the newest event, and its hash. */
int64_t store_head(const Store *store, uint8_t ret_hash[static HASH_LEN]);
/* What the row's hash must be if the one before it has this one. */
void store_chain_hash(const uint8_t before[static HASH_LEN], const EventRow *row,
                      uint8_t ret_hash[static HASH_LEN]);
/* The last event that was pruned and its hash; 0 and no hash if none was. */
int store_checkpoint(Store *store, int64_t *ret_seq, uint8_t ret_hash[static HASH_LEN]);
/* store-prune.c. What may go: the events that are older than before_usec (on the line), that the journal
 * has, and that follow from each other; never the newest. */
typedef struct Pruned {
        int64_t count, seq; /* how many went, and the last of them */
        uint8_t hash[HASH_LEN];
        int64_t damaged; /* the event that does not follow, at which it stopped; 0: none */
        bool more;
} Pruned;
/* At most limit rows go, and the checkpoint says so. */
int store_prune(Store *store, uint64_t before_usec, int64_t limit, Pruned *ret);
/* When the oldest event happened, on the line; 0: there is none. */
int store_oldest_event(Store *store, uint64_t *ret_line_usec);

/* store-backup.c */
#define STORE_COPY_NAME "backup.new"
/* A copy as dir/STORE_COPY_NAME, which replaces what a process that died left of one. */
int store_copy_new(Store *store, struct DbCopy **ret_copy);
/* Opens the finished copy, whose name goes. */
int store_copy_open(Store *store);
/* There is no copy any more, finished or not. */
void store_copy_remove(Store *store);
/* Whether there is room for one, with what the store itself may need. *ret_size: of the copy, about. */
int store_copy_room(Store *store, uint64_t *ret_size, uint64_t *ret_room);
/* So many pages more. 1: there are more; 0: the copy is whole; -ENOSPC also when there is hardly any. */
int store_copy_step(Store *store, struct DbCopy *copy, int pages);
/* Whether a file is a sound store, chain and all; the chain of an older version is for its restore to check.
 * -EBADMSG: *ret_what says what is wrong, as far as is known; -ENOTSUP: of a newer version. */
int store_check_file(const char *path, char *ret_what, size_t size);
/* 0: each event of the store follows from the one before it; *ret_seq: the first that does not. */
int store_check_chain(Store *store, int64_t *ret_seq);

int64_t store_journaled(const Store *store);

/* From memory: a login asks. */
bool store_role_off(const Store *store, const char *role);
int store_find_role_off(Store *store, const char *role, RoleOff *ret);
/* By name, until it returns false. */
int store_each_role_off(Store *store, bool (*each)(void *userdata, const RoleOff *off),
                        void *userdata);
/* -EEXIST: it is off. */
int store_add_role_off(Store *store, const RoleOff *off);
/* -ESTALE: it is not. */
int store_remove_role_off(Store *store, const char *role);
/* 1: a credential was issued or asked for under it. */
int store_role_used(Store *store, const char *role);

/* Once a credential and kind: later ones change nothing. */
int store_raise_alarm(Store *store, int64_t num, AlarmKind kind, uint64_t real_usec);
/* All open ones of the credential, with what is acked_* and ack_reason. -ESTALE: none is open. */
int store_ack_alarms(Store *store, int64_t num, const Alarm *ack);
int store_each_alarm(Store *store, int64_t num, bool (*each)(void *userdata, const Alarm *alarm),
                     void *userdata);
/* Those that nobody has acknowledged, of all credentials. */
int store_each_open_alarm(Store *store, int64_t limit,
                          bool (*each)(void *userdata, const Alarm *alarm), void *userdata);

/* By whom and why the host is frozen; NULL: it is not. */
const char *store_frozen(const Store *store);
int store_set_frozen(Store *store, const char *why);
int store_set_journaled(Store *store, int64_t seq);
