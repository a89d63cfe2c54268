/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every right, for every mixture of parts that a peer can have, in every standing of the role and of the
 * thing. What is expected is said here as sets of parts: whom a right is given to, and who sees the thing. */
#include "tests/unit/scratch.h"

#include "credd/rights.h"

/* Parts that a peer may have, together or alone. */
enum {
        ADMIN = 1 << 0,
        AUDITOR = 1 << 1,
        ISSUER = 1 << 2,
        REQUESTER = 1 << 3,
        APPROVER = 1 << 4,
        REVOKER = 1 << 5,
        PARTS = 1 << 6,
        OWNER = 1 << 6, /* of the thing, not of the role */
        ANYONE = 1 << 7,
};
#define OVERSEERS (ADMIN | AUDITOR)
#define IN_ROLE   (ISSUER | REQUESTER | APPROVER | REVOKER)

typedef enum Standing { WITHOUT, ON, OFF, GONE, STANDINGS } Standing;
typedef enum Mine { NOT, ASKED, SESSION, MINES } Mine;
typedef enum Way { BY_UID, BY_PRIMARY_GROUP, BY_GROUP, WAYS } Way;
typedef enum Who { ROOT, PERSON, OVERFLOW, NOBODY, WHOS } Who;

static const uid_t uids[WHOS] = {0, 1007, 65534, UID_NONE};

#define GROUP 2007

/* --- the peer --- */

/* Lists with the peer in it, each way, and lists without. */
static Principals list(bool in, Who who, Way way)
{
        static const uid_t others[] = {1, 1006, 1008, 70007};
        static const gid_t other_groups[] = {1, 2006, 2008, 1007};
        static const uid_t with_uids[WHOS][2] = {{1, 0}, {1, 1007}, {1, 65534}, {1, UID_NONE}};
        static const gid_t with_gids[] = {1, GROUP};
        Principals principals = {.uids = (uid_t *)others,
                                 .gids = (gid_t *)other_groups,
                                 .n_uids = ELEMENTSOF(others),
                                 .n_gids = ELEMENTSOF(other_groups)};

        if (in && way == BY_UID) {
                principals.uids = (uid_t *)with_uids[who];
                principals.n_uids = 2;
        } else if (in) {
                principals.gids = (gid_t *)with_gids;
                principals.n_gids = 2;
        }
        return principals;
}

static Role role_of(unsigned parts, Who who, Way way)
{
        return (Role){
                .issuers = list(parts & ISSUER, who, way),
                .requesters = list(parts & REQUESTER, who, way),
                .approvers = list(parts & APPROVER, who, way),
                .revokers = list(parts & REVOKER, who, way),
        };
}

static Caller caller_of(unsigned parts, Who who, Way way)
{
        static const gid_t groups[] = {3, 4, GROUP};

        return (Caller){
                .uid = uids[who],
                .loginuid = 1007,
                .loginuid_known = true,
                .gid = way == BY_PRIMARY_GROUP ? GROUP : 5,
                .groups = groups,
                .n_groups = way == BY_GROUP ? 3 : 2,
                .admin = parts & ADMIN,
                .auditor = parts & AUDITOR,
        };
}

static RightsFacts facts_of(const Role *role, Standing standing, Mine mine)
{
        return (RightsFacts){
                .names_role = standing != WITHOUT,
                .role = standing == ON || standing == OFF ? role : NULL,
                .role_off = standing == OFF,
                .own = mine != NOT,
                .asked = mine == ASKED,
                .own_session = mine == SESSION,
                .user = 3000,
        };
}

/* --- what is expected --- */

static unsigned seers(Standing standing)
{
        return OVERSEERS | OWNER |
               (standing == ON || standing == OFF ? ISSUER | APPROVER | REVOKER : 0);
}

/* To whom the thing is there at all. */
static unsigned seen_by(Right right, Standing standing)
{
        switch (right) {
        case RIGHT_ISSUE:
                if (standing == WITHOUT)
                        return ANYONE;
                return standing == GONE ? 0 : OVERSEERS | IN_ROLE;
        case RIGHT_REQUEST:
                return standing == ON || standing == OFF ? OVERSEERS | IN_ROLE : 0;
        case RIGHT_SEE_ROLE:
                return OVERSEERS | (standing == ON || standing == OFF ? IN_ROLE : 0);
        case RIGHT_APPROVE:
        case RIGHT_DENY:
        case RIGHT_COLLECT:
        case RIGHT_SEE:
        case RIGHT_REVOKE:
        case RIGHT_EXTEND:
        case RIGHT_ACK:
                return seers(standing);
        case RIGHT_OWN_SESSION:
                return 0;
        case RIGHT_SWITCH_ROLE:
        case RIGHT_FREEZE:
        case RIGHT_BACKUP:
        case RIGHT_STATUS_DETAIL:
        case RIGHT_SEE_ALL:
        case RIGHT_MAX:
                break;
        }
        return ANYONE;
}

static unsigned given_to(Right right, Standing standing, Mine mine)
{
        bool loaded = standing == ON || standing == OFF;

        switch (right) {
        case RIGHT_ISSUE:
                return standing == WITHOUT ? ADMIN : standing == ON ? ADMIN | ISSUER : 0;
        case RIGHT_REQUEST:
                return standing == ON ? ADMIN | ISSUER | REQUESTER : 0;
        case RIGHT_APPROVE:
                return standing == ON ? APPROVER : 0;
        case RIGHT_DENY:
                return loaded ? APPROVER : 0;
        case RIGHT_COLLECT:
                return standing == ON && mine == ASKED ? OWNER : 0;
        case RIGHT_SEE:
                return seers(standing);
        case RIGHT_REVOKE:
                return ADMIN | OWNER | (loaded ? REVOKER : 0);
        case RIGHT_EXTEND:
                return standing == WITHOUT ? ADMIN : standing == ON ? ADMIN | ISSUER : 0;
        case RIGHT_OWN_SESSION:
                return mine == SESSION ? ANYONE : 0;
        case RIGHT_ACK:
        case RIGHT_SWITCH_ROLE:
        case RIGHT_FREEZE:
        case RIGHT_BACKUP:
                return ADMIN;
        case RIGHT_SEE_ROLE:
                return OVERSEERS | (loaded ? IN_ROLE : 0);
        case RIGHT_STATUS_DETAIL:
        case RIGHT_SEE_ALL:
                return OVERSEERS;
        case RIGHT_MAX:
                break;
        }
        return 0;
}

/* Whoever has no number here has no part in anything. */
static unsigned parts_in_effect(unsigned parts, Who who, Mine mine)
{
        if (who == OVERFLOW || who == NOBODY)
                return ANYONE;
        return parts | ANYONE | (mine != NOT ? OWNER : 0);
}

static Permission expected(Right right, unsigned parts, Who who, Standing standing, Mine mine)
{
        unsigned in_effect = parts_in_effect(parts, who, mine);

        if (in_effect & given_to(right, standing, mine))
                return PERMISSION_GRANTED;
        return in_effect & seen_by(right, standing) ? PERMISSION_REFUSED : PERMISSION_UNSEEN;
}

/* --- all of it --- */

typedef struct Case {
        Right right;
        unsigned parts;
        Who who;
        Way way;
        Standing standing;
        Mine mine;
} Case;

/* One number a case, taken apart. false: there is no such case any more. */
static bool case_of(unsigned n, Case *ret)
{
        ret->right = (Right)(n % RIGHT_MAX);
        n /= RIGHT_MAX;
        ret->parts = n % PARTS;
        n /= PARTS;
        ret->who = (Who)(n % WHOS);
        n /= WHOS;
        ret->way = (Way)(n % WAYS);
        n /= WAYS;
        ret->standing = (Standing)(n % STANDINGS);
        n /= STANDINGS;
        ret->mine = (Mine)n;
        return n < MINES;
}

static void check_case(const Case *c)
{
        /* root is one by its uid, however it came by it */
        unsigned parts = c->who == ROOT ? c->parts | ADMIN : c->parts;
        const Role role = role_of(parts, c->who, c->way);
        const Caller caller = caller_of(parts, c->who, c->way);
        const RightsFacts facts = facts_of(&role, c->standing, c->mine);
        RightsVerdict is = rights_may(c->right, &caller, &facts);
        Permission should = expected(c->right, parts, c->who, c->standing, c->mine);

        if (is.permission != should)
                fail_msg("right %d parts 0x%x who %d way %d role %d mine %d: %d, not %d (%s)",
                         (int)c->right, parts, (int)c->who, (int)c->way, (int)c->standing,
                         (int)c->mine, (int)is.permission, (int)should, is.journal ?: "-");
        assert_int_equal(is.permission == PERMISSION_GRANTED, !is.journal);
        assert_int_equal(is.permission == PERMISSION_GRANTED, !is.asker);
        assert_int_equal(rights_allow(c->right, &caller, &facts), should == PERMISSION_GRANTED);
}

static void test_rights_may__every_right_peer_role_and_thing__is_as_the_sets_say(void **state)
{
        unsigned n = 0;
        Case c;

        (void)state;
        for (; case_of(n, &c); n++)
                check_case(&c);
        assert_int_equal(n, RIGHT_MAX * PARTS * WHOS * WAYS * STANDINGS * MINES);
}

/* The same by hand, for one standing: a role that is on, a thing of somebody else's. + may, - may not, ? is
 * not there. */
static void test_rights_may__kinds_of_peers__are_as_the_manual_has_them(void **state)
{
        static const unsigned kinds[] = {ADMIN, AUDITOR, ISSUER, REQUESTER, APPROVER, REVOKER, 0};
        static const struct {
                Right right;
                const char *row;
        } table[] = {
                {RIGHT_ISSUE, "+-+---?"},         {RIGHT_REQUEST, "+-++--?"},
                {RIGHT_APPROVE, "---?+-?"},       {RIGHT_DENY, "---?+-?"},
                {RIGHT_COLLECT, "---?--?"},       {RIGHT_SEE, "+++?++?"},
                {RIGHT_REVOKE, "+--?-+?"},        {RIGHT_EXTEND, "+-+?--?"},
                {RIGHT_OWN_SESSION, "???????"},   {RIGHT_ACK, "+--?--?"},
                {RIGHT_SEE_ROLE, "++++++?"},      {RIGHT_SWITCH_ROLE, "+------"},
                {RIGHT_FREEZE, "+------"},        {RIGHT_BACKUP, "+------"},
                {RIGHT_STATUS_DETAIL, "++-----"}, {RIGHT_SEE_ALL, "++-----"},
        };

        (void)state;
        assert_int_equal(ELEMENTSOF(table), RIGHT_MAX);
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
                        const Role role = role_of(kinds[k], PERSON, BY_GROUP);
                        const Caller caller = caller_of(kinds[k], PERSON, BY_GROUP);
                        const RightsFacts facts = facts_of(&role, ON, NOT);

                        if ("-?+"[rights_may(table[i].right, &caller, &facts).permission] !=
                            table[i].row[k])
                                fail_msg("right %d, kind %zu", (int)table[i].right, k);
                }
}

/* --- one person --- */

static bool share(uid_t uid, uid_t loginuid, uid_t other_uid, uid_t other_loginuid)
{
        return uid == other_uid || uid == other_loginuid ||
               (loginuid != UID_NONE && (loginuid == other_uid || loginuid == other_loginuid));
}

/* Two numbers each for who decides, who asked, who approved before, and one for whom it logs in. */
static void test_rights_may__two_who_share_uid_or_loginuid__are_one_person(void **state)
{
        static const uid_t numbers[] = {1001, 1002, 1003, UID_NONE};
        unsigned granted = 0;

        (void)state;
        for (unsigned n = 0; n < 1 << 14; n++) {
                uid_t of[7];
                bool asker, approver, user;

                for (unsigned i = 0; i < 7; i++)
                        of[i] = numbers[n >> (2 * i) & 3];
                if (of[0] == UID_NONE || of[2] == UID_NONE || of[4] == UID_NONE)
                        continue;
                const Principals all = {.uids = (uid_t *)numbers, .n_uids = 3};
                const Role role = {.approvers = all};
                const Caller caller = {
                        .uid = of[0], .loginuid = of[1], .loginuid_known = true, .admin = true};
                const Party askers[] = {{of[2], of[3]}}, approvers[] = {{of[4], of[5]}};
                const RightsFacts facts = {.names_role = true,
                                           .role = &role,
                                           .askers = askers,
                                           .n_askers = 1,
                                           .approvers = approvers,
                                           .n_approvers = 1,
                                           .asked = true,
                                           .user = of[6]};

                asker = share(of[0], of[1], of[2], of[3]);
                approver = share(of[0], of[1], of[4], of[5]);
                user = of[6] != UID_NONE && (of[0] == of[6] || of[1] == of[6]);
                assert_int_equal(rights_allow(RIGHT_APPROVE, &caller, &facts),
                                 !asker && !approver && !user);
                assert_int_equal(rights_allow(RIGHT_DENY, &caller, &facts), !asker && !user);
                assert_int_equal(rights_allow(RIGHT_ACK, &caller, &facts),
                                 !asker && !approver && !user);
                assert_int_equal(rights_allow(RIGHT_COLLECT, &caller, &facts), !approver);
                granted += !asker && !approver && !user;
        }
        assert_true(granted > 0);
}

/* To the asker both are the same. */
static void test_rights_may__unseen_for_want_of_its_role__the_journal_tells(void **state)
{
        const Caller stranger = {.uid = 1001, .loginuid = 1001, .loginuid_known = true};
        const Role role = {0};
        const RightsFacts there = {.names_role = true, .role = &role, .user = 3000};
        const RightsFacts gone = {.names_role = true, .user = 3000};
        const RightsVerdict a = rights_may(RIGHT_APPROVE, &stranger, &there);
        const RightsVerdict b = rights_may(RIGHT_APPROVE, &stranger, &gone);

        (void)state;
        assert_int_equal(a.permission, PERMISSION_UNSEEN);
        assert_int_equal(b.permission, PERMISSION_UNSEEN);
        assert_string_equal(a.asker, b.asker);
        assert_null(strstr(a.journal, "gone"));
        assert_non_null(strstr(b.journal, "its role is gone"));
}

/* Who sees a thing is told what is in the way, and what would be right. */
static void test_rights_may__refused__the_words_name_what_is_in_the_way(void **state)
{
        static const struct {
                Right right;
                unsigned parts;
                Standing standing;
                const char *journal, *asker;
        } table[] = {
                {RIGHT_ISSUE, REQUESTER, ON, "not an issuer", "credctl request"},
                {RIGHT_ISSUE, APPROVER, ON, "not an issuer", "you may not issue"},
                {RIGHT_ISSUE, ISSUER, OFF, "switched off", "credctl role enable"},
                {RIGHT_APPROVE, ADMIN, WITHOUT, "under no role", "nothing to decide"},
                {RIGHT_APPROVE, ADMIN, GONE, "its role is gone", "does not exist any more"},
                {RIGHT_APPROVE, ADMIN, ON, "not an approver", "only the approvers"},
                {RIGHT_DENY, ADMIN, WITHOUT, "under no role", "nothing to decide"},
                {RIGHT_COLLECT, ADMIN, WITHOUT, "not the asker", "only the one who asked"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                const Role role = role_of(table[i].parts, PERSON, BY_UID);
                const Caller caller = caller_of(table[i].parts, PERSON, BY_UID);
                const RightsFacts facts = facts_of(&role, table[i].standing, NOT);
                const RightsVerdict is = rights_may(table[i].right, &caller, &facts);

                assert_int_equal(is.permission, PERMISSION_REFUSED);
                if (!strstr(is.journal, table[i].journal) || !strstr(is.asker, table[i].asker))
                        fail_msg("row %zu: \"%s\", \"%s\"", i, is.journal, is.asker);
        }
}

static void test_rights_standing__by_name_or_by_group__who_is_one_still(void **state)
{
        const Principals people = {.uids = (uid_t[]){1001, 1002}, .n_uids = 2};
        const Principals mixed = {
                .uids = (uid_t[]){1001}, .n_uids = 1, .gids = (gid_t[]){9}, .n_gids = 1};
        const Role named = {.approvers = people}, grouped = {.approvers = mixed}, none = {0};
        const Party approvers[] = {{1001, 1001}, {1003, 1002}, {1002, UID_NONE}};

        (void)state;
        assert_int_equal(rights_standing(&named, approvers, 3), 2);
        assert_int_equal(rights_standing(&named, approvers, 0), 0);
        assert_int_equal(rights_standing(&grouped, approvers, 3), 3);
        assert_int_equal(rights_standing(&none, approvers, 3), 0);
}

static void test_rights_may__loginuid_not_known__decides_nothing(void **state)
{
        const Principals all = {.uids = &(uid_t){1001}, .n_uids = 1};
        const Role role = {.approvers = all};
        const RightsFacts facts = {.names_role = true, .role = &role, .user = 3000};
        Caller caller = {.uid = 1001, .loginuid = UID_NONE, .admin = true};

        (void)state;
        for (Right right = 0; right < RIGHT_MAX; right++) {
                bool decides = right == RIGHT_APPROVE || right == RIGHT_DENY || right == RIGHT_ACK;

                caller.loginuid_known = true;
                if (decides)
                        assert_true(rights_allow(right, &caller, &facts));
                else
                        continue;
                caller.loginuid_known = false;
                assert_false(rights_allow(right, &caller, &facts));
        }
}

/* Else who approved it could become the asker, and collect. */
static void test_rights_may__approved_and_loginuid_not_known__is_not_collected(void **state)
{
        const Role role = {0};
        const Party approver = {2001, 2001};
        RightsFacts facts = {.names_role = true,
                             .role = &role,
                             .own = true,
                             .asked = true,
                             .approvers = &approver,
                             .n_approvers = 1,
                             .user = 3000};
        Caller caller = {.uid = 1001, .loginuid = UID_NONE, .loginuid_known = true};

        (void)state;
        assert_true(rights_allow(RIGHT_COLLECT, &caller, &facts));
        caller.loginuid_known = false;
        assert_false(rights_allow(RIGHT_COLLECT, &caller, &facts));
        facts.n_approvers = 0;
        assert_true(rights_allow(RIGHT_COLLECT, &caller, &facts));
}

static void test_rights_may__no_such_right__is_nobodys(void **state)
{
        const Caller root = {.uid = 0, .admin = true, .auditor = true, .loginuid_known = true};
        const RightsFacts facts = {.own = true, .asked = true, .own_session = true};

        (void)state;
        assert_false(rights_allow(RIGHT_MAX, &root, &facts));
        assert_false(rights_allow((Right)(RIGHT_MAX + 1), &root, &facts));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(
                        test_rights_may__every_right_peer_role_and_thing__is_as_the_sets_say),
                cmocka_unit_test(test_rights_may__kinds_of_peers__are_as_the_manual_has_them),
                cmocka_unit_test(test_rights_may__two_who_share_uid_or_loginuid__are_one_person),
                cmocka_unit_test(test_rights_may__unseen_for_want_of_its_role__the_journal_tells),
                cmocka_unit_test(test_rights_may__refused__the_words_name_what_is_in_the_way),
                cmocka_unit_test(test_rights_standing__by_name_or_by_group__who_is_one_still),
                cmocka_unit_test(test_rights_may__loginuid_not_known__decides_nothing),
                cmocka_unit_test(
                        test_rights_may__approved_and_loginuid_not_known__is_not_collected),
                cmocka_unit_test(test_rights_may__no_such_right__is_nobodys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
