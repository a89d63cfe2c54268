/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The closed list of everything that is ever asked of the store: X(NAME, PLAN, SQL). PLAN says how
 * the query planner must answer it: KEY by a key or an index alone, WRITE an insertion, or ONE the
 * table of one row. tests/unit/test_store.c holds SQLite to it. */
#pragma once

#define CREDENTIAL_COLUMNS                                                                         \
        "c.num, c.id, c.user, c.uid, c.role, c.holder, c.reason, c.services, c.sources, c.uses, "  \
        "c.issued, c.issued_real, c.not_before, c.session_ttl, c.ceiling, c.issuer_name, "         \
        "c.issuer_uid, c.issuer_loginuid, s.hash, s.uses_left, s.login_limit, s.cause, "           \
        "s.open_logins, s.last_event, c.kind, c.ttl"
#define CREDENTIAL_FROM " FROM credential c JOIN standing s ON s.num = c.num "
#define LOGIN_COLUMNS                                                                              \
        "num, credential, nonce, state, accepted, service, tty, rhost, boot, pid, ticks, parent, " \
        "parent_ticks"
#define ALARM_COLUMNS                                                                              \
        "a.num, a.kind, a.raised_real, a.acked_real, a.name, a.uid, a.loginuid, a.reason, c.id, "  \
        "c.user, c.issuer_name, c.issuer_uid, c.issuer_loginuid"
#define SESSION_COLUMNS                                                                            \
        "e.login, e.credential, e.boot, e.leader, e.ticks, e.opened, e.opened_real, e.deadline, "  \
        "e.lingered, e.logind_id, e.ended, e.ended_real, e.evidence, c.id, c.user, c.uid, "        \
        "l.service, l.tty, l.rhost, l.accepted, e.home, e.begun, c.role, c.holder, "               \
        "c.issuer_uid, e.why, e.since"
#define SESSION_FROM                                                                               \
        " FROM session e CROSS JOIN login l ON l.num = e.login "                                   \
        "CROSS JOIN credential c ON c.num = e.credential "

#define STATEMENTS(X)                                                                              \
        X(INSTANCE_READ, ONE,                                                                      \
          "SELECT instance, boot_id, boot, line_offset, journaled, expired_limit, expired_num, "   \
          "lapsed, frozen, behind_line, behind_real FROM instance")                                \
        X(INSTANCE_ADD, WRITE,                                                                     \
          "INSERT INTO instance VALUES (1, ?, ?, 1, ?, NULL, NULL, 0, 0, 0, 0, NULL)")             \
        X(INSTANCE_BOOT, ONE, "UPDATE instance SET boot_id = ?, boot = ?")                         \
        X(INSTANCE_CLOCK, ONE,                                                                     \
          "UPDATE instance SET line_offset = ?, behind_line = ?, behind_real = ?")                 \
        X(INSTANCE_JOURNALED, ONE, "UPDATE instance SET journaled = ?")                            \
        X(INSTANCE_EXPIRED, ONE, "UPDATE instance SET expired_limit = ?, expired_num = ?")         \
        X(INSTANCE_FROZEN, ONE, "UPDATE instance SET frozen = ?")                                  \
        X(INSTANCE_LAPSED, ONE, "UPDATE instance SET lapsed = ?")                                  \
                                                                                                   \
        X(CREDENTIAL_ADD, WRITE,                                                                   \
          "INSERT INTO credential (id, kind, user, uid, role, holder, reason, services, sources, " \
          "uses, issued, issued_real, not_before, session_ttl, ceiling, issuer_name, issuer_uid, " \
          "issuer_loginuid, request_key, ttl) "                                                    \
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                   \
        X(STANDING_ADD, WRITE, "INSERT INTO standing VALUES (?, 1, ?, ?, ?, ?, 0, 0)")             \
        X(CREDENTIAL_BY_ID, KEY, "SELECT " CREDENTIAL_COLUMNS CREDENTIAL_FROM "WHERE c.id = ?")    \
        X(CREDENTIAL_BY_NUM, KEY, "SELECT " CREDENTIAL_COLUMNS CREDENTIAL_FROM "WHERE c.num = ?")  \
        X(CREDENTIAL_ID, KEY, "SELECT id FROM credential WHERE num = ?")                           \
        X(CREDENTIAL_BY_KEY, KEY,                                                                  \
          "SELECT num FROM credential WHERE issuer_uid = ? AND request_key = ?")                   \
        X(CREDENTIAL_AFTER, KEY,                                                                   \
          "SELECT " CREDENTIAL_COLUMNS CREDENTIAL_FROM "WHERE c.num > ? ORDER BY c.num LIMIT ?")   \
        X(CREDENTIAL_OPEN_OF, KEY,                                                                 \
          "SELECT " CREDENTIAL_COLUMNS                                                             \
          " FROM credential c CROSS JOIN standing s ON s.num = c.num "                             \
          "WHERE c.uid = ? AND c.ceiling > ? AND s.cause = 0 AND s.uses_left > 0 "                 \
          "AND s.login_limit > ?")                                                                 \
        X(CREDENTIAL_OWN, KEY,                                                                     \
          "SELECT " CREDENTIAL_COLUMNS CREDENTIAL_FROM                                             \
          "WHERE c.issuer_uid = ? AND c.num > ? ORDER BY c.num LIMIT ?")                           \
        X(CREDENTIAL_PENDING, KEY,                                                                 \
          "SELECT " CREDENTIAL_COLUMNS " FROM standing s INDEXED BY standing_pending "             \
          "CROSS JOIN credential c ON c.num = s.num "                                              \
          "WHERE s.cause = 5 AND s.num > ? ORDER BY s.num LIMIT ?")                                \
        X(CREDENTIAL_COLLECT, KEY,                                                                 \
          "UPDATE credential SET issued = ?, issued_real = ?, not_before = ?, ceiling = ? "        \
          "WHERE num = ? AND issued = 0")                                                          \
        X(STANDING_COLLECT, KEY,                                                                   \
          "UPDATE standing SET cause = 0, hash = ?, login_limit = ? WHERE num = ? AND cause = 5")  \
        X(STANDING_NEW_HASH, KEY,                                                                  \
          "UPDATE standing SET hash = ? "                                                          \
          "WHERE num = ? AND cause = 0 AND open_logins = 0 AND uses_left = ?")                     \
        X(REQUEST_ADD, WRITE, "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, 0, NULL)")            \
        X(REQUEST_READ, KEY,                                                                       \
          "SELECT name, uid, loginuid, asked_real, needed, given, collected_real FROM request "    \
          "WHERE num = ?")                                                                         \
        X(REQUEST_WAITING_OF, KEY,                                                                 \
          "SELECT count(*) FROM standing s INDEXED BY standing_pending "                           \
          "CROSS JOIN request r ON r.num = s.num WHERE s.cause = 5 AND s.num > 0 AND r.uid = ?")   \
        X(REQUEST_APPROVED, KEY,                                                                   \
          "UPDATE request SET given = given + 1 WHERE num = ? AND collected_real IS NULL")         \
        X(REQUEST_COLLECTED, KEY,                                                                  \
          "UPDATE request SET collected_real = ? WHERE num = ? AND collected_real IS NULL")        \
        X(APPROVAL_ADD, WRITE, "INSERT INTO approval VALUES (?, ?, ?, ?, ?, ?)")                   \
        X(APPROVAL_OF, KEY,                                                                        \
          "SELECT name, uid, loginuid, at_real, reason FROM approval WHERE num = ?")               \
        X(CREDENTIAL_UNSPENT, KEY,                                                                 \
          "SELECT " CREDENTIAL_COLUMNS                                                             \
          " FROM credential c CROSS JOIN standing s ON s.num = c.num "                             \
          "WHERE c.role = ? AND c.ceiling > ? AND s.cause = 0 AND s.login_limit > ? "              \
          "ORDER BY c.ceiling, c.num LIMIT ?")                                                     \
        X(ROLE_COUNT_UNSPENT, KEY,                                                                 \
          "SELECT count(*) FROM credential c CROSS JOIN standing s ON s.num = c.num "              \
          "WHERE c.role = ? AND c.ceiling > ? AND s.cause = 0 AND s.login_limit > ?")              \
        X(ROLE_USED, KEY, "SELECT 1 FROM credential WHERE role = ? LIMIT 1")                       \
        X(ROLE_OFF_ADD, WRITE, "INSERT INTO role_off VALUES (?, ?, ?, ?, ?, ?)")                   \
        X(ROLE_OFF_REMOVE, KEY, "DELETE FROM role_off WHERE role = ?")                             \
        X(ROLE_OFF_READ, KEY,                                                                      \
          "SELECT role, at_real, name, uid, loginuid, reason FROM role_off WHERE role = ?")        \
        X(ROLE_OFF_AFTER, KEY,                                                                     \
          "SELECT role, at_real, name, uid, loginuid, reason FROM role_off WHERE role > ? "        \
          "ORDER BY role")                                                                         \
        X(ALARM_ADD, WRITE,                                                                        \
          "INSERT INTO alarm (num, kind, raised_real) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")    \
        X(ALARM_ACK, KEY,                                                                          \
          "UPDATE alarm SET acked_real = ?, name = ?, uid = ?, loginuid = ?, reason = ? "          \
          "WHERE num = ? AND acked_real IS NULL")                                                  \
        X(ALARM_OF, KEY,                                                                           \
          "SELECT " ALARM_COLUMNS " FROM alarm a CROSS JOIN credential c ON c.num = a.num "        \
          "WHERE a.num = ? ORDER BY a.kind")                                                       \
        X(ALARM_OPEN, KEY,                                                                         \
          "SELECT " ALARM_COLUMNS " FROM alarm a INDEXED BY alarm_open "                           \
          "CROSS JOIN credential c ON c.num = a.num "                                              \
          "WHERE a.acked_real IS NULL AND a.num > 0 ORDER BY a.num, a.kind LIMIT ?")               \
        X(STANDING_SPEND, KEY,                                                                     \
          "UPDATE standing SET uses_left = uses_left - 1, open_logins = open_logins + 1, "         \
          "cause = CASE uses_left WHEN 1 THEN ? ELSE 0 END, "                                      \
          "hash = CASE uses_left WHEN 1 THEN NULL ELSE hash END "                                  \
          "WHERE num = ? AND uses_left > 0 AND cause = 0")                                         \
        X(STANDING_LOGIN_CLOSED, KEY,                                                              \
          "UPDATE standing SET open_logins = open_logins - 1 WHERE num = ? AND open_logins > 0")   \
        X(STANDING_CLOSE, KEY, "UPDATE standing SET cause = ?, hash = NULL WHERE num = ?")         \
        X(STANDING_EXTEND, KEY, "UPDATE standing SET login_limit = ? WHERE num = ? AND cause = 0") \
        X(STANDING_SET_LAST_EVENT, KEY, "UPDATE standing SET last_event = ? WHERE num = ?")        \
        X(EXPIRY_SAME, KEY,                                                                        \
          "SELECT num, login_limit, cause, open_logins FROM standing "                             \
          "WHERE login_limit = ? AND num > ? ORDER BY num LIMIT ?")                                \
        X(EXPIRY_LATER, KEY,                                                                       \
          "SELECT num, login_limit, cause, open_logins FROM standing "                             \
          "WHERE login_limit > ? ORDER BY login_limit, num LIMIT ?")                               \
        X(REVOCATION_ADD, WRITE, "INSERT INTO revocation VALUES (?, ?, ?, ?, ?, ?)")               \
        X(REVOCATION_READ, KEY,                                                                    \
          "SELECT at_real, name, uid, loginuid, reason FROM revocation WHERE num = ?")             \
                                                                                                   \
        X(LOGIN_ADD, WRITE,                                                                        \
          "INSERT INTO login (credential, nonce, state, accepted, service, tty, rhost, boot, "     \
          "pid, ticks, parent, parent_ticks) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)")         \
        X(LOGIN_READ, KEY, "SELECT " LOGIN_COLUMNS " FROM login WHERE num = ?")                    \
        X(LOGIN_AFTER, KEY,                                                                        \
          "SELECT " LOGIN_COLUMNS " FROM login WHERE num > ? ORDER BY num LIMIT 1")                \
        X(LOGIN_NEWEST, KEY, "SELECT num FROM login WHERE num > 0 ORDER BY num DESC LIMIT 1")      \
        X(LOGIN_SET_STATE, KEY, "UPDATE login SET state = ? WHERE num = ? AND state = 0")          \
                                                                                                   \
        X(SESSION_ADD, WRITE,                                                                      \
          "INSERT INTO session (login, credential, boot, leader, ticks, opened, opened_real, "     \
          "deadline, lingered, home, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")               \
        X(SESSION_LIVE, KEY,                                                                       \
          "SELECT " SESSION_COLUMNS SESSION_FROM "WHERE e.ended IS NULL AND e.login > ? "          \
          "ORDER BY e.login LIMIT ?")                                                              \
        X(SESSION_AFTER, KEY,                                                                      \
          "SELECT " SESSION_COLUMNS SESSION_FROM "WHERE e.login > ? ORDER BY e.login LIMIT ?")     \
        X(SESSION_OF, KEY,                                                                         \
          "SELECT " SESSION_COLUMNS SESSION_FROM "WHERE e.credential = ? AND e.login > ? "         \
          "ORDER BY e.login LIMIT ?")                                                              \
        X(SESSION_SET_BOUND, KEY, "UPDATE session SET logind_id = ? WHERE login = ?")              \
        X(SESSION_SET_BEGUN, KEY, "UPDATE session SET begun = ? WHERE login = ?")                  \
        X(SESSION_SET_DEADLINE, KEY,                                                               \
          "UPDATE session SET deadline = ? WHERE login = ? AND ended IS NULL")                     \
        X(SESSION_SET_CUT_SHORT, KEY,                                                              \
          "UPDATE session SET deadline = ?, why = ? WHERE login = ? AND ended IS NULL")            \
        X(SESSION_SET_SINCE, KEY,                                                                  \
          "UPDATE session SET since = ? WHERE login = ? AND ended IS NULL")                        \
        X(SESSION_SET_ENDED, KEY,                                                                  \
          "UPDATE session SET ended = ?, ended_real = ?, evidence = ? "                            \
          "WHERE login = ? AND ended IS NULL")                                                     \
                                                                                                   \
        X(RECEIPT_ADD, WRITE, "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?)")                     \
        X(RECEIPT_READ, KEY,                                                                       \
          "SELECT written_real, verdict, late_usec, data FROM receipt WHERE num = ?")              \
        X(RECEIPT_WRITTEN, KEY, "SELECT written_real FROM receipt WHERE num = ?")                  \
                                                                                                   \
        X(CODE_ADD, WRITE, "INSERT INTO code VALUES (?, ?, 0)")                                    \
        X(CODE_BY_HANDLE, KEY, "SELECT num, tries FROM code WHERE handle = ?")                     \
        X(CODE_CLOSED, KEY,                                                                        \
          "SELECT max(num) FROM credential WHERE id > ? AND id < ? AND kind = 1")                  \
        X(CODE_TRIED, KEY, "UPDATE code SET tries = tries + 1 WHERE num = ?")                      \
        X(CODE_REMOVE, KEY, "DELETE FROM code WHERE num = ?")                                      \
                                                                                                   \
        X(EVENT_ADD, WRITE, "INSERT INTO event VALUES (?, ?, ?, ?, 0, 0, ?, ?)")                   \
        X(EVENT_ADD_OF, KEY,                                                                       \
          "INSERT INTO event SELECT ?, ?, ?, ?, num, last_event, ?, ? FROM standing "              \
          "WHERE num = ?")                                                                         \
        X(EVENT_LAST, KEY, "SELECT seq, line, real, hash FROM event ORDER BY seq DESC LIMIT 1")    \
        X(EVENT_READ, KEY,                                                                         \
          "SELECT seq, line, real, name, credential, previous, data, hash FROM event "             \
          "WHERE seq = ?")                                                                         \
        X(EVENT_AFTER, KEY,                                                                        \
          "SELECT seq, line, real, name, credential, previous, data, hash FROM event "             \
          "WHERE seq > ? ORDER BY seq LIMIT 1")                                                    \
        X(EVENT_PRUNE, KEY, "DELETE FROM event WHERE seq <= ?")                                    \
        X(CHECKPOINT_SET, WRITE, "INSERT INTO checkpoint VALUES (?, ?, ?)")                        \
        X(CHECKPOINT_FORGET, KEY, "DELETE FROM checkpoint WHERE seq < ?")                          \
        X(CHECKPOINT_LAST, KEY,                                                                    \
          "SELECT seq, hash FROM checkpoint WHERE seq > 0 ORDER BY seq DESC LIMIT 1")

typedef enum Statement {
#define X(name, plan, sql) STATEMENT_##name,
        STATEMENTS(X)
#undef X
                STATEMENT_MAX
} Statement;
