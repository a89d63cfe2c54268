/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files store*.c alone. */
#pragma once

#include "credd/db.h"
#include "credd/digest.h"
#include "credd/store.h"

#define FROZEN_TEXT_MAX 320

typedef struct StoreChain {
        int64_t seq; /* of the last event */
        uint8_t head[HASH_LEN];
} StoreChain;

/* What is known of the store without reading it: a request that is undone takes its part back. */
typedef struct StoreMarks {
        StoreChain chain;
        int64_t journaled;
        ExpiryRow expired; /* the queue has been worked off up to here */
        int64_t lapsed;
        char frozen[FROZEN_TEXT_MAX]; /* "": it is not */
        json_t *roles_off;            /* an object with a member for each; never changed in place */
} StoreMarks;

extern const DbSchema store_schema;

/* The database and its log, as they were opened. number 0: not yet. */
#define STORE_FILES 2
typedef struct StoreFile {
        dev_t device;
        ino_t number;
} StoreFile;

struct Store {
        Db *db;
        DigestKey *key;
        Clock *clock;
        int64_t boot;
        bool rebooted;
        StoreMarks now, saved;
        int dir_fd;
        char *dir;
        bool full;              /* the reserve is not there */
        uint64_t full_try_usec; /* CLOCK_BOOTTIME: when to try to make it again */
        StoreFile files[STORE_FILES];
        bool gone;    /* the files are not those any more */
        bool damaged; /* a row was met that means nothing; beside what SQLite meets: db_damaged() */
};

/* store-health.c */
#define STORE_FIRST_START "first-start"
/* It is there with so many bytes at least, or nobody knows. */
bool store_has_file(const Store *store, const char *name, off_t size);
/* There is no database: -ENOENT if there was one. */
int store_begin_anew(Store *store);
void store_look_for_room(Store *store);
/* Once, at the end of the opening. */
int store_note_files(Store *store);

/* store-roles.c: once, at the opening. */
int store_load_roles_off(Store *store);

/* Calls back for each row of a statement with CREDENTIAL_COLUMNS; found: what db_first() gave. */
int each_credential_of(Store *store, unsigned statement, int found,
                       bool (*each)(void *userdata, Credential *credential), void *userdata);
/* Columns to values. The types of the tables hold what this program writes, not what a disk has made of it:
 * where a wrong value would let somebody in, or have no meaning, it is looked at, and *damaged is set.
 *
 * A copy of a column that may be null; *failed is set when there is no memory for it, *damaged also by a
 * NUL within. */
char *row_text(Db *db, unsigned statement, int column, bool *failed);
char *row_own_text(Db *db, unsigned statement, int column, bool *failed, bool *damaged);
json_t *row_json(Db *db, unsigned statement, int column, bool *failed, bool *damaged);
/* An array of strings; NULL if it is none. */
json_t *row_strings(Db *db, unsigned statement, int column, bool *failed, bool *damaged);
int64_t row_number(Db *db, unsigned statement, int column, int64_t min, int64_t max, bool *damaged);
uint64_t row_usec(Db *db, unsigned statement, int column, bool *damaged);
/* null is USEC_INFINITY */
uint64_t row_usec_if_any(Db *db, unsigned statement, int column, bool *damaged);
void row_id(Db *db, unsigned statement, int column, char ret_id[static TOKEN_ID_LEN + 1]);
/* Three columns: name, uid, loginuid. */
void row_actor(Db *db, unsigned statement, int column, Actor *ret_actor);
/* A uid as a 'T' argument: none is null. */
uint64_t row_uid(uid_t uid);
/* The result of a write that must change one row: 0; -ESTALE: it was not as expected. */
int row_exactly_one(int changed);

/* store-codes.c. The handle of a code is the beginning of its id. */
/* 0; -EEXIST: an open code has that handle. */
int store_code_is_free(Store *store, const Credential *credential);
int store_add_code(Store *store, const Credential *credential);
/* Of any credential; most have none. */
int store_remove_code(Store *store, int64_t num);
