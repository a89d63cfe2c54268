/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns to values and back: what the files of the store share. */
#include <errno.h>
#include <string.h>

#include "credd/store-internal.h"

/* A copied column that may be null; *failed is set when memory is out. */
char *row_text(Db *db, unsigned statement, int column, bool *failed)
{
        const char *text = db_text(db, statement, column);
        char *copy;

        if (!text)
                return NULL;
        copy = strdup(text);
        *failed |= !copy;
        return copy;
}

char *row_own_text(Db *db, unsigned statement, int column, bool *failed, bool *damaged)
{
        char *copy = row_text(db, statement, column, failed);

        *damaged |= copy && strlen(copy) != db_text_len(db, statement, column);
        return copy;
}

/* Want of memory passes and is to be tried again; damage stays. jansson tells them apart by errno alone. */
json_t *row_json(Db *db, unsigned statement, int column, bool *failed, bool *damaged)
{
        const char *text = db_text(db, statement, column);
        json_t *value;

        if (!text)
                return NULL;
        errno = 0;
        value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        if (!value && errno == ENOMEM)
                *failed = true;
        else if (!value)
                *damaged = true;
        return value;
}

json_t *row_strings(Db *db, unsigned statement, int column, bool *failed, bool *damaged)
{
        json_auto_t *list = row_json(db, statement, column, failed, damaged);
        const json_t *item;
        size_t i;

        if (*failed)
                return NULL;
        *damaged |= !json_is_array(list);
        json_array_foreach (list, i, item)
                *damaged |= !json_is_string(item);
        return *damaged ? NULL : json_incref(list);
}

int64_t row_number(Db *db, unsigned statement, int column, int64_t min, int64_t max, bool *damaged)
{
        int64_t number = db_int(db, statement, column);

        if (db_is_int(db, statement, column) && number >= min && number <= max)
                return number;
        *damaged = true;
        return min;
}

uint64_t row_usec(Db *db, unsigned statement, int column, bool *damaged)
{
        return (uint64_t)row_number(db, statement, column, 0, INT64_MAX, damaged);
}

uint64_t row_usec_if_any(Db *db, unsigned statement, int column, bool *damaged)
{
        return db_is_null(db, statement, column) ? USEC_INFINITY
                                                 : row_usec(db, statement, column, damaged);
}

void row_id(Db *db, unsigned statement, int column, char ret_id[static TOKEN_ID_LEN + 1])
{
        const char *text = db_text(db, statement, column);

        (void)strncpy(ret_id, text ?: "", TOKEN_ID_LEN);
        ret_id[TOKEN_ID_LEN] = '\0';
}

void row_actor(Db *db, unsigned statement, int column, Actor *ret_actor)
{
        const char *name = db_text(db, statement, column);

        *ret_actor = (Actor){.uid = (uid_t)db_int(db, statement, column + 1),
                             .loginuid = db_is_null(db, statement, column + 2)
                                                 ? UID_NONE
                                                 : (uid_t)db_int(db, statement, column + 2)};
        (void)strncpy(ret_actor->name, name ?: "", USER_NAME_LEN_MAX);
}

/* uid_t as a column: none is null. */
uint64_t row_uid(uid_t uid)
{
        return uid == UID_NONE ? USEC_INFINITY : uid;
}

/* A write that must change exactly one row. */
int row_exactly_one(int changed)
{
        if (changed < 0)
                return changed;
        return changed == 1 ? 0 : -ESTALE;
}
