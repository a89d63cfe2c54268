/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roles that are switched off, and alarms. Which roles are off is in memory as well, because each login under
 * a role asks. Invariant: that set is the table's as this transaction sees it; what is in it is never
 * changed but replaced, so that a request that is undone only has to put the former one back. */
#include <errno.h>

#include "credd/statements.h"
#include "credd/store-internal.h"

void role_off_done(RoleOff *off)
{
        free(off->role);
        free(off->reason);
        *off = (RoleOff){0};
}

static void alarm_done(Alarm *alarm)
{
        free(alarm->user);
        free(alarm->ack_reason);
        *alarm = (Alarm){0};
}

/* --- roles --- */

static int take_role_off(Store *store, unsigned s, RoleOff *ret)
{
        RoleOff off = {0};
        bool failed = false;

        off.role = row_text(store->db, s, 0, &failed);
        off.at_real_usec = db_usec(store->db, s, 1);
        row_actor(store->db, s, 2, &off.actor);
        off.reason = row_text(store->db, s, 5, &failed);
        if (failed || !off.role) {
                role_off_done(&off);
                return failed ? -ENOMEM : -EBADMSG;
        }
        *ret = off;
        return 1;
}

int store_each_role_off(Store *store, bool (*each)(void *userdata, const RoleOff *off),
                        void *userdata)
{
        const unsigned s = STATEMENT_ROLE_OFF_AFTER;
        int r;

        for (r = db_first(store->db, s, "s", ""); r > 0; r = db_next(store->db, s)) {
                CLEANUP(role_off_done) RoleOff off = {0};

                r = take_role_off(store, s, &off);
                if (r < 0 || !each(userdata, &off)) {
                        db_end(store->db, s);
                        return r < 0 ? r : 0;
                }
        }
        return r;
}

typedef struct NameSet {
        json_t *names;
        bool failed;
} NameSet;

static bool add_name(void *userdata, const RoleOff *off)
{
        NameSet *set = userdata;

        set->failed = json_object_set_new(set->names, off->role, json_true()) < 0;
        return !set->failed;
}

/* A role whose name were left out would be on: then nothing is opened. A name that is no text is damage. */
int store_load_roles_off(Store *store)
{
        NameSet set = {.names = json_object()};
        int r;

        store->now.roles_off = set.names;
        if (!set.names)
                return -ENOMEM;
        r = store_each_role_off(store, add_name, &set);
        return r < 0 ? r : set.failed ? -EBADMSG : 0;
}

bool store_role_off(const Store *store, const char *role)
{
        return json_object_get(store->now.roles_off, role) != NULL;
}

/* Takes the set. */
static void replace_roles_off(Store *store, json_t *set)
{
        json_decref(store->now.roles_off);
        store->now.roles_off = set;
}

int store_find_role_off(Store *store, const char *role, RoleOff *ret)
{
        const unsigned s = STATEMENT_ROLE_OFF_READ;
        int r = db_first(store->db, s, "s", role);

        if (r <= 0)
                return r;
        r = take_role_off(store, s, ret);
        db_end(store->db, s);
        return r;
}

int store_add_role_off(Store *store, const RoleOff *off)
{
        json_t *set = json_copy(store->now.roles_off);
        int r;

        if (!set || json_object_set_new(set, off->role, json_true()) < 0) {
                json_decref(set);
                return -ENOMEM;
        }
        r = db_run(store->db, STATEMENT_ROLE_OFF_ADD, "stsiTs", off->role, off->at_real_usec,
                   off->actor.name, (int64_t)off->actor.uid, row_uid(off->actor.loginuid),
                   off->reason);
        if (r < 0) {
                json_decref(set);
                return r;
        }
        replace_roles_off(store, set);
        return 0;
}

int store_remove_role_off(Store *store, const char *role)
{
        json_t *set = json_copy(store->now.roles_off);
        int r;

        if (!set)
                return -ENOMEM;
        r = row_exactly_one(db_run(store->db, STATEMENT_ROLE_OFF_REMOVE, "s", role));
        if (r < 0) {
                json_decref(set);
                return r;
        }
        (void)json_object_del(set, role);
        replace_roles_off(store, set);
        return 0;
}

int store_role_used(Store *store, const char *role)
{
        int r = db_first(store->db, STATEMENT_ROLE_USED, "s", role);

        if (r > 0)
                db_end(store->db, STATEMENT_ROLE_USED);
        return r;
}

int store_count_unspent(Store *store, const char *role, uint64_t now_usec, int64_t *ret_count)
{
        const unsigned s = STATEMENT_ROLE_COUNT_UNSPENT;
        int r = db_first(store->db, s, "stt", role, now_usec, now_usec);

        if (r <= 0)
                return r < 0 ? r : -EIO;
        *ret_count = db_int(store->db, s, 0);
        db_end(store->db, s);
        return 0;
}

/* --- alarms --- */

int store_raise_alarm(Store *store, int64_t num, AlarmKind kind, uint64_t real_usec)
{
        int r = db_run(store->db, STATEMENT_ALARM_ADD, "iit", num, (int64_t)kind, real_usec);

        return r < 0 ? r : 0;
}

int store_ack_alarms(Store *store, int64_t num, const Alarm *ack)
{
        int r = db_run(store->db, STATEMENT_ALARM_ACK, "tsiTsi", ack->acked_real_usec,
                       ack->acked_by.name, (int64_t)ack->acked_by.uid,
                       row_uid(ack->acked_by.loginuid), ack->ack_reason, num);

        return r < 0 ? r : r > 0 ? 0 : -ESTALE;
}

static int take_alarm(Store *store, unsigned s, Alarm *ret)
{
        Alarm alarm = {0};
        bool failed = false, damaged = false;

        alarm.credential = db_int(store->db, s, 0);
        alarm.kind =
                (AlarmKind)row_number(store->db, s, 1, ALARM_BREAK_GLASS, ALARM_MISSED, &damaged);
        alarm.raised_real_usec = db_usec(store->db, s, 2);
        alarm.acked_real_usec = db_usec(store->db, s, 3);
        row_actor(store->db, s, 4, &alarm.acked_by);
        alarm.ack_reason = row_text(store->db, s, 7, &failed);
        row_id(store->db, s, 8, alarm.id);
        alarm.user = row_text(store->db, s, 9, &failed);
        row_actor(store->db, s, 10, &alarm.issuer);
        if (failed || damaged || !alarm.user) {
                alarm_done(&alarm);
                return failed ? -ENOMEM : -EBADMSG;
        }
        *ret = alarm;
        return 1;
}

static int each_alarm(Store *store, unsigned s, int found,
                      bool (*each)(void *userdata, const Alarm *alarm), void *userdata)
{
        int r;

        for (r = found; r > 0; r = db_next(store->db, s)) {
                CLEANUP(alarm_done) Alarm alarm = {0};

                r = take_alarm(store, s, &alarm);
                if (r < 0 || !each(userdata, &alarm)) {
                        db_end(store->db, s);
                        return r < 0 ? r : 0;
                }
        }
        return r;
}

int store_each_alarm(Store *store, int64_t num, bool (*each)(void *userdata, const Alarm *alarm),
                     void *userdata)
{
        const unsigned s = STATEMENT_ALARM_OF;

        return each_alarm(store, s, db_first(store->db, s, "i", num), each, userdata);
}

int store_each_open_alarm(Store *store, int64_t limit,
                          bool (*each)(void *userdata, const Alarm *alarm), void *userdata)
{
        const unsigned s = STATEMENT_ALARM_OPEN;

        return each_alarm(store, s, db_first(store->db, s, "i", limit), each, userdata);
}
