/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon over a store that says anything. The store has a bit of everything in it (sample); the input
 * is lines, each one damage:
 *
 *      TRCxV     in the Tth table, of the Rth row, the Cth column becomes V: x is n null, i a number,
 *                r a real, t a text, b a blob of those bytes; T, R and C are letters from A on
 *      TRCd      the row goes
 *      !NNNNx..  at the place NNNN (hexadecimal, times 16) of the file stand these bytes instead
 *      cWN{...}  and, of a daemon that starts, a call, as in fuzz_verbs.c
 *
 * SQLite's types do not help: the tables are not STRICT while they are written to, and are when the daemon
 * reads them. It refuses to start, or answers each call somehow; and it lets nobody in by a credential
 * that is not, on that disk, this person's, open, unspent and of that token. */
#include "tests/fuzz/world.h"

#include <sqlite3.h>

#define LINES_MAX 48
#define DAY       (24 * 3600 * USEC_PER_SEC)

/* --- the sample --- */

#define ADMIN(method, parameters)                                                                  \
        "{\"method\":\"io.credd.Admin." method "\",\"parameters\":{" parameters "}}"
#define LOGIN(method, parameters)                                                                  \
        "{\"method\":\"io.credd.Login." method                                                     \
        "\",\"parameters\":{\"user\":\"deploy\",\"uid\":1001,\"service\":\"sshd\","                \
        "\"rhost\":\"10.0.0.7\"" parameters "}}"
#define FOR_DEPLOY "\"user\":\"deploy\",\"uid\":1001"

/* The credentials 0 to 6, in this order: open; with a session; revoked; collected; asked for; a code;
 * under a role. */
static const char *const sample[] = {
        "R8" ADMIN("Issue", FOR_DEPLOY ",\"uses\":2,\"holder\":\"carol\",\"reason\":\"r\","
                                       "\"sources\":[\"10.0.0.0/8\"],\"key\":\"k\""),
        "R8" ADMIN("Issue", FOR_DEPLOY ",\"uses\":3,\"max_lifetime_usec\":7200000000"),
        "L0" LOGIN("Authenticate", ",\"token\":\"%1\""),
        "L0" LOGIN("OpenSession", ",\"login\":\"&0\""),
        "L1" LOGIN("Authenticate", ",\"token\":\"%1\""),
        "R8" ADMIN("Issue", FOR_DEPLOY),
        "L2" LOGIN("Authenticate", ",\"token\":\"%2\""),
        "L2" LOGIN("OpenSession", ",\"login\":\"&2\""),
        "A8" ADMIN("Revoke", "\"id\":\"$2\",\"reason\":\"gone\""),
        "Q8" ADMIN("Request", FOR_DEPLOY ",\"role\":\"glass\",\"reason\":\"fire\""),
        "Q8" ADMIN("Collect", "\"id\":\"$3\""),
        "P8" ADMIN("Request", FOR_DEPLOY ",\"role\":\"two\",\"reason\":\"r\",\"holder\":\"paul\""),
        "p8" ADMIN("Approve", "\"id\":\"$5\",\"reason\":\"yes\""),
        "R8" ADMIN("Issue", FOR_DEPLOY ",\"kind\":\"code\""),
        "I8" ADMIN("Issue", FOR_DEPLOY ",\"role\":\"ops\""),
        "R8" ADMIN("RoleDisable", "\"role\":\"two\",\"reason\":\"off\""),
};

static const struct {
        const char *name, *key;
} tables[] = {
        {"instance", "one"},      {"credential", "num"}, {"standing", "num"},
        {"login", "num"},         {"session", "login"},  {"revocation", "num"},
        {"receipt", "num"},       {"event", "seq"},      {"request", "num"},
        {"approval", "num, uid"}, {"role_off", "role"},  {"alarm", "num, kind"},
        {"code", "handle"},       {"checkpoint", "seq"},
};
#define COLUMNS_MAX 24

static struct {
        char *bytes; /* of the database, without its constraints */
        size_t len;
        char *columns[ELEMENTSOF(tables)][COLUMNS_MAX];
        char *definitions[ELEMENTSOF(tables)]; /* as they are to be when the daemon comes */
        World world;                           /* what was handed out */
} made;

/* NULL: the file is damaged. */
static sqlite3 *open_database(void)
{
        char path[128];
        sqlite3 *db;

        (void)snprintf(path, sizeof(path), "%s/credd.db", world_state());
        must(sqlite3_open(path, &db) == SQLITE_OK);
        if (sqlite3_exec(db,
                         "PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF;"
                         "PRAGMA writable_schema=ON; PRAGMA ignore_check_constraints=ON",
                         NULL, NULL, NULL) == SQLITE_OK)
                return db;
        must(sqlite3_close(db) == SQLITE_OK);
        return NULL;
}

static char *text_of(sqlite3 *db, const char *sql, size_t table, int column)
{
        sqlite3_stmt *statement;
        char *text = NULL;

        must(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK);
        must(sqlite3_bind_text(statement, 1, tables[table].name, -1, SQLITE_STATIC) == SQLITE_OK);
        if (column >= 0)
                must(sqlite3_bind_int(statement, 2, column) == SQLITE_OK);
        if (sqlite3_step(statement) == SQLITE_ROW)
                text = strdup((const char *)sqlite3_column_text(statement, 0));
        (void)sqlite3_finalize(statement);
        return text;
}

static void set_definition(sqlite3 *db, size_t table, const char *sql)
{
        sqlite3_stmt *statement;

        must(sqlite3_prepare_v2(db, "UPDATE sqlite_schema SET sql = ? WHERE name = ?", -1,
                                &statement, NULL) == SQLITE_OK);
        must(sqlite3_bind_text(statement, 1, sql, -1, SQLITE_STATIC) == SQLITE_OK);
        must(sqlite3_bind_text(statement, 2, tables[table].name, -1, SQLITE_STATIC) == SQLITE_OK);
        must(sqlite3_step(statement) == SQLITE_DONE || sqlite3_errcode(db) != SQLITE_OK);
        (void)sqlite3_finalize(statement);
}

static void blank(char *text, const char *what)
{
        for (char *at = text; (at = strstr(at, what));)
                memset(at, ' ', strlen(what));
}

static void drop_constraints(sqlite3 *db)
{
        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                AUTO_FREE char *loose = NULL;

                made.definitions[i] =
                        text_of(db, "SELECT sql FROM sqlite_schema WHERE name = ?", i, -1);
                must(made.definitions[i]);
                loose = strdup(made.definitions[i]);
                must(loose);
                blank(loose, "STRICT,");
                blank(loose, "STRICT");
                blank(loose, "NOT NULL");
                set_definition(db, i, loose);
                for (int c = 0; c < COLUMNS_MAX; c++)
                        made.columns[i][c] = text_of(
                                db, "SELECT name FROM pragma_table_info(?) WHERE cid = ?", i, c);
        }
}

static void make_sample(void)
{
        World *world = &made.world;
        sqlite3 *db;

        world_begin(world);
        must(world_start(world) == 0);
        for (size_t i = 0; i < ELEMENTSOF(sample); i++) {
                world_call(world, sample[i], strlen(sample[i]));
                world_settle(world);
                if (i == 3)
                        world_announce(world, 0);
        }
        world_pass(world, 30 * USEC_PER_SEC);
        must(world->n_tokens == 6 && world->n_logins == 3);
        world_end(world);
        db = open_database();
        drop_constraints(db);
        must(sqlite3_close(db) == SQLITE_OK);
        made.bytes = world_pick_up("state/credd.db", &made.len);
}

/* --- damage --- */

static int bind(sqlite3_stmt *statement, char kind, const char *value, size_t len)
{
        switch (kind) {
        case 'i':
                return sqlite3_bind_int64(statement, 1, strtoll(value, NULL, 10));
        case 'r':
                return sqlite3_bind_double(statement, 1, strtod(value, NULL));
        case 't':
                return sqlite3_bind_text(statement, 1, value, (int)len, SQLITE_STATIC);
        case 'b':
                return sqlite3_bind_blob(statement, 1, value, (int)len, SQLITE_STATIC);
        default:
                return sqlite3_bind_null(statement, 1);
        }
}

/* What an index does not allow fails, and changes nothing. */
static void change_row(sqlite3 *db, size_t table, unsigned row, const char *column,
                       const char *line, size_t len)
{
        sqlite3_stmt *statement = NULL;
        char sql[512];

        (void)snprintf(sql, sizeof(sql),
                       line[3] == 'd' ? "DELETE FROM %s%s WHERE (%s) = (SELECT %s FROM %s "
                                        "LIMIT 1 OFFSET %u)"
                                      : "UPDATE %s SET %s = ?1 WHERE (%s) = (SELECT %s FROM %s "
                                        "LIMIT 1 OFFSET %u)",
                       tables[table].name, line[3] == 'd' ? "" : column, tables[table].key,
                       tables[table].key, tables[table].name, row);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
                if (line[3] != 'd')
                        (void)bind(statement, line[3], line + 4, len - 4);
                (void)sqlite3_step(statement);
        }
        (void)sqlite3_finalize(statement);
}

static void change(sqlite3 *db, const char *line, size_t len)
{
        size_t table, column;

        if (len < 4 || line[0] < 'A' || line[1] < 'A' || line[2] < 'A')
                return;
        table = (size_t)(line[0] - 'A');
        column = (size_t)(line[2] - 'A');
        if (table < ELEMENTSOF(tables) && column < COLUMNS_MAX && made.columns[table][column])
                change_row(db, table, (unsigned)(line[1] - 'A'), made.columns[table][column], line,
                           len);
}

static void patch(const char *line, size_t len)
{
        AUTO_FREE char *bytes = NULL;
        char place[5] = "";
        size_t at, n;

        if (len < 6)
                return;
        memcpy(place, line + 1, 4);
        at = strtoul(place, NULL, 16) * 16;
        bytes = world_pick_up("state/credd.db", &n);
        for (size_t i = 5; i < len && at < n; i++)
                bytes[at++] = line[i];
        world_lay_down("state/credd.db", bytes, n);
}

/* --- what must hold --- */

/* How many credentials on the disk let in who logs in by the one of that id. */
static int good_rows(const char *id)
{
        static const char sql[] =
                "SELECT count(*) FROM credential c JOIN standing s ON s.num = c.num WHERE c.id = ? "
                "AND c.user = 'deploy' AND c.uid = 1001 AND s.cause = 0 AND s.uses_left > 0 "
                "AND length(s.hash) = 32 AND typeof(s.hash) = 'blob'";
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = open_database();
        int n = -1;

        if (db && sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
                n = sqlite3_column_int(statement, 0);
        (void)sqlite3_finalize(statement);
        must(sqlite3_close(db) == SQLITE_OK);
        return n;
}

typedef struct Good {
        char id[16];
        int n; /* negative: the file is too damaged to ask */
} Good;

static Good good[WORLD_SECRETS];

static void on_reply(const World *world, const Conn *conn, const char *text,
                     const VarlinkReply *reply)
{
        const char *id = json_string_value(json_object_get(reply->parameters, "credential"));

        (void)world;
        (void)text;
        if (reply->error || strcmp(conn->method, "io.credd.Login.Authenticate") != 0)
                return;
        must(id);
        for (size_t i = 0; i < made.world.n_ids; i++)
                if (strcmp(good[i].id, id) == 0)
                        must(good[i].n != 0);
}

/* --- what is asked --- */

static const char *const questions[] = {
        "R8" ADMIN("Status", ""),
        "R8" ADMIN("Metrics", ""),
        "R8" ADMIN("List", "\"all\":true"),
        "Q8" ADMIN("List", ""),
        "R8" ADMIN("Sessions", "\"all\":true"),
        "R8" ADMIN("Requests", ""),
        "R8" ADMIN("RoleList", ""),
        "R8" ADMIN("RoleShow", "\"role\":\"ops\""),
        "R8" ADMIN("Events", ""),
        "R8" ADMIN("Verify", ""),
        "R8" ADMIN("Audit", "\"since_usec\":0,\"until_usec\":1760000000000000"),
        "R8" ADMIN("Show", "\"id\":\"$0\""),
        "R8" ADMIN("Show", "\"id\":\"$1\""),
        "R8" ADMIN("Show", "\"id\":\"$2\""),
        "R8" ADMIN("Show", "\"id\":\"$3\""),
        "R8" ADMIN("Show", "\"id\":\"$5\""),
        "R8" ADMIN("Explain", "\"id\":\"$1\""),
        "R8" ADMIN("Explain", "\"user\":\"deploy\""),
        "D0" ADMIN("Time", ""),
        "L3" LOGIN("Authenticate", ",\"token\":\"%0\""),
        "L4" LOGIN("Authenticate", ",\"token\":\"%1\""),
        "L4" LOGIN("Authenticate", ",\"token\":\"%2\""),
        "L4" LOGIN("Authenticate", ",\"token\":\"%3\""),
        "L5" LOGIN("Authenticate", ",\"token\":\"%5\""),
        "L5{\"method\":\"io.credd.Login.Authenticate\",\"parameters\":{\"user\":\"deploy\","
        "\"uid\":1001,\"service\":\"login\",\"token\":\"%4\"}}",
        "L3" LOGIN("OpenSession", ",\"login\":\"&3\""),
        "L1" LOGIN("OpenSession", ",\"login\":\"&1\""),
        "L6" LOGIN("OpenSession", ""),
        "L1" LOGIN("CheckAccount", ",\"login\":\"&1\""),
        "L1" LOGIN("CheckAccount", ""),
        "R8" ADMIN("Extend", "\"id\":\"$1\",\"by_usec\":1000000"),
        "p8" ADMIN("Approve", "\"id\":\"$5\""),
        "P8" ADMIN("Collect", "\"id\":\"$5\""),
        "R8" ADMIN("Ack", "\"id\":\"$3\",\"reason\":\"seen\""),
        "R8" ADMIN("RoleDisable", "\"role\":\"ops\""),
        "R8" ADMIN("RoleEnable", "\"role\":\"two\""),
        "R8" ADMIN("Freeze", "\"end_sessions\":true"),
        "R8" ADMIN("Thaw", ""),
        "R8" ADMIN("Issue", FOR_DEPLOY ",\"key\":\"k\""),
        "R8" ADMIN("Revoke", "\"id\":\"$1\""),
};

static void ask(World *world, const char *text, size_t len)
{
        world_call(world, text, len);
        world_settle(world);
}

/* A daemon that cannot know what is true has ended, and hears nobody. */
static void ask_all(World *world, FuzzInput input)
{
        char *text;
        size_t len;

        for (size_t i = 0; i < ELEMENTSOF(questions) && !world->manager->failed; i++)
                ask(world, questions[i], strlen(questions[i]));
        for (unsigned i = 0; i < LINES_MAX && fuzz_text(&input, '\n', &text, &len); i++) {
                if (text[0] == 'c' && !world->manager->failed)
                        ask(world, text + 1, len - 1);
                free(text);
        }
        for (unsigned i = 0; i < 3; i++)
                world_pass(world, i == 0 ? USEC_PER_SEC : 2 * DAY);
}

static void damage(FuzzInput input)
{
        FuzzInput again = input;
        sqlite3 *db = open_database();
        char *text;
        size_t len;

        must(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK);
        for (unsigned i = 0; i < LINES_MAX && fuzz_text(&input, '\n', &text, &len); i++) {
                change(db, text, len);
                free(text);
        }
        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                set_definition(db, i, made.definitions[i]);
        must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
        must(sqlite3_close(db) == SQLITE_OK);
        for (unsigned i = 0; i < LINES_MAX && fuzz_text(&again, '\n', &text, &len); i++) {
                if (text[0] == '!')
                        patch(text, len);
                free(text);
        }
}

/* The daemon says so when it does not start; not thousands of times here. */
static void hush(bool on)
{
        static FILE *real;

        if (!real)
                real = stderr;
        if (getenv("FUZZ_SHOW"))
                return;
        if (on)
                stderr = fopen("/dev/null", "we");
        else
                (void)fclose(stderr);
        if (!on)
                stderr = real;
        must(stderr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const FuzzInput input = {data, size};
        World world;

        if (!made.bytes)
                make_sample();
        world_begin(&world);
        world_lay_down("state/credd.db", made.bytes, made.len);
        world.boot_usec = made.world.boot_usec;
        world.real_usec = made.world.real_usec;
        memcpy(world.tokens, made.world.tokens, sizeof(world.tokens));
        memcpy(world.ids, made.world.ids, sizeof(world.ids));
        memcpy(world.logins, made.world.logins, sizeof(world.logins));
        world.n_tokens = made.world.n_tokens;
        world.n_ids = made.world.n_ids;
        world.n_logins = made.world.n_logins;
        world.on_reply = on_reply;
        damage(input);
        for (size_t i = 0; i < world.n_ids; i++) {
                memcpy(good[i].id, world.ids[i], sizeof(good[i].id));
                good[i].n = good_rows(world.ids[i]);
        }
        hush(true);
        if (world_start(&world) == 0) {
                world_settle(&world);
                ask_all(&world, input);
        }
        world_end(&world);
        hush(false);
        return 0;
}
