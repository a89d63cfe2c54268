/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each thing that is asked of credd, with each call to the disk failing in turn: once and for good, with
 * no room, an error or half of it done, the process killed at it, the power cut. Then a start on what is
 * left: what was answered is true, and what nobody knows is one or the other and not both.
 *
 * A case is three processes, so that none knows what another did but by the disk: the one that fails, one
 * that starts after it, and one after a power cut. FAULT_SHORT=1 takes some of the calls. */
#include "tests/fault/store/stage.h"

#include "tests/fault/store/vfs-fault.h"

#include <sys/mman.h>
#include <sys/prctl.h>

/* What is known outside of credd, by all processes of a case. */
typedef struct Stage {
        char folder[64];
        Fault fault;
        Said said, said_other;
        char token[64], id[TOKEN_ID_LEN + 1];
        char other[64], other_id[TOKEN_ID_LEN + 1];
        char login[64];
        uint64_t limit_usec, extended_usec;
        pid_t person;
        unsigned counts[CALL_MAX];
        Rig rig;
        Person live; /* of the first process alone */
        uint8_t head[HASH_LEN];
        int64_t seq;
} Stage;

/* What the daemon that fails begins with. */
typedef enum Before {
        BEFORE_HERE,   /* what it has prepared itself */
        BEFORE_CLOSED, /* what one before it prepared, read from the disk */
        BEFORE_KILLED, /* likewise, and that one was killed; its own start is part of what fails */
        BEFORE_EMPTY,  /* an empty folder, likewise */
} Before;

typedef struct Scene {
        const char *name;
        Before before;
        void (*prepare)(Stage *stage);
        void (*act)(Stage *stage);
        void (*judge)(Stage *stage);
} Scene;

static void keep(char *to, size_t size, const char *text)
{
        (void)snprintf(to, size, "%s", text);
}

/* --- what is asked --- */

static json_t *longer_ttl(void)
{
        return json_pack("{sI sI}", "ttl_usec", (json_int_t)SECONDS(600), "max_lifetime_usec",
                         (json_int_t)HOURS(2));
}

static void prepare_token(Stage *stage)
{
        AUTO_FREE char *token = issue(&stage->rig, longer_ttl(), stage->id);
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);

        keep(stage->token, sizeof(stage->token), token);
        stage->limit_usec = c.login_limit_usec;
}

static void prepare_login(Stage *stage)
{
        AUTO_FREE char *login = NULL;

        prepare_token(stage);
        login = log_in(&stage->rig, stage->token);
        keep(stage->login, sizeof(stage->login), login);
}

static void prepare_session(Stage *stage)
{
        prepare_login(stage);
        stage->live = open_session(&stage->rig, stage->login);
        stage->person = stage->live.pid;
}

static void act_redeem(Stage *stage)
{
        stage->said = offer(&stage->rig, stage->token);
}

/* Whatever was said of it, it lets nobody in twice. */
static void judge_redeem(Stage *stage)
{
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);
        Said again;

        assert_int_not_equal(stage->said, SAID_NO);
        if (stage->said == SAID_YES)
                assert_int_equal(c.uses_left, 0);
        again = offer(&stage->rig, stage->token);
        assert_int_equal(again, c.uses_left == 0 ? SAID_NO : SAID_YES);
        assert_int_equal(offer(&stage->rig, stage->token), SAID_NO);
        assert_int_equal(story_of(stage->rig.manager->store, c.num).accepted, 1);
}

static void act_issue(Stage *stage)
{
        json_auto_t *reply = ask(&stage->rig, stage->rig.admin, "io.credd.Admin.Issue",
                                 json_pack("{ss si}", "user", "deploy", "uid", PERSON));

        stage->said = said_by(reply);
        if (stage->said == SAID_YES) {
                keep(stage->token, sizeof(stage->token), reply_text(reply, "token", NULL));
                keep(stage->id, sizeof(stage->id), reply_text(reply, "credential", "id"));
        }
}

static void judge_issue(Stage *stage)
{
        assert_int_not_equal(stage->said, SAID_NO);
        if (stage->said != SAID_YES)
                return; /* the audit knows whether it is there as a whole or not at all */
        assert_int_equal(offer(&stage->rig, stage->token), SAID_YES);
        assert_int_equal(offer(&stage->rig, stage->token), SAID_NO);
}

static void act_revoke(Stage *stage)
{
        json_auto_t *reply = ask(&stage->rig, stage->rig.admin, "io.credd.Admin.Revoke",
                                 json_pack("{ss}", "id", stage->id));

        stage->said = said_by(reply);
}

static void judge_revoke(Stage *stage)
{
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);

        assert_int_not_equal(stage->said, SAID_NO);
        assert_true(c.cause == CAUSE_NONE || c.cause == CAUSE_REVOKED);
        if (stage->said == SAID_YES)
                assert_int_equal(c.cause, CAUSE_REVOKED);
        assert_int_equal(offer(&stage->rig, stage->token),
                         c.cause == CAUSE_REVOKED ? SAID_NO : SAID_YES);
        assert_int_equal(has_receipt(&stage->rig, stage->id, "confirmed"),
                         c.cause == CAUSE_REVOKED);
}

static void act_extend(Stage *stage)
{
        json_auto_t *reply =
                ask(&stage->rig, stage->rig.admin, "io.credd.Admin.Extend",
                    json_pack("{ss sI}", "id", stage->id, "by_usec", (json_int_t)SECONDS(60)));

        stage->said = said_by(reply);
}

static void judge_extend(Stage *stage)
{
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);
        unsigned extended = story_of(stage->rig.manager->store, c.num).extended;

        assert_int_not_equal(stage->said, SAID_NO);
        assert_true(extended <= 1);
        if (stage->said == SAID_YES)
                assert_int_equal(extended, 1);
        assert_true(c.login_limit_usec == stage->limit_usec + extended * SECONDS(60));
        assert_int_equal(offer(&stage->rig, stage->token), SAID_YES);
}

/* The process that asks lives as long as this one, as its connection would. */
static void act_open(Stage *stage)
{
        Rig *rig = &stage->rig;
        AUTO_FREE char *text = NULL;
        json_auto_t *reply = NULL;

        stage->live = person_new(rig->login, 0, "io.credd.Login.OpenSession",
                                 question("login", stage->login));
        stage->person = stage->live.pid;
        while (!is_over(rig)) {
                struct pollfd ready = {.fd = stage->live.reply, .events = POLLIN};

                if (poll(&ready, 1, 0) > 0) {
                        text = person_reply(rig, &stage->live);
                        break;
                }
                turn(rig);
        }
        reply = text ? json_loads(text, 0, NULL) : NULL;
        stage->said = said_by(reply);
}

/* The person is gone by then: the session is found, and ended once. */
static void judge_open(Stage *stage)
{
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);
        Story story = story_of(stage->rig.manager->store, c.num);

        assert_int_not_equal(stage->said, SAID_NO);
        assert_true(story.opened <= 1);
        if (stage->said == SAID_YES)
                assert_int_equal(story.opened, 1);
        if (story.opened == 0)
                return; /* nobody claimed the login, and it ends by that: test_login.c */
        await_receipt(&stage->rig, stage->id, "confirmed");
        story = story_of(stage->rig.manager->store, c.num);
        assert_int_equal(story.ended, 1);
        assert_int_equal(story.receipts, 1);
        assert_int_equal(offer(&stage->rig, stage->token), SAID_NO);
}

/* Until the end is on record, or credd gives up. */
static void act_end(Stage *stage)
{
        Rig *rig = &stage->rig;

        assert_int_equal(kill(stage->live.pid, SIGKILL), 0);
        for (unsigned n = 0; n < 400 && !is_over(rig) && sessions_live(rig->manager->sessions); n++)
                turn(rig);
        if (is_over(rig) || sessions_live(rig->manager->sessions) > 0)
                return;
        while (!is_over(rig) && sd_event_run(rig->manager->event, 0) > 0)
                ;
        stage->said = is_over(rig) ? SAID_UNKNOWN : SAID_YES;
}

static void judge_end(Stage *stage)
{
        Store *store = stage->rig.manager->store;
        AUTO_CREDENTIAL Credential c = find(&stage->rig, stage->id);
        Story story = story_of(store, c.num);

        assert_int_equal(story.opened, 1);
        if (stage->said == SAID_YES)
                assert_int_equal(story.receipts, 1);
        await_receipt(&stage->rig, stage->id, "confirmed");
        story = story_of(store, c.num);
        assert_int_equal(story.ended, 1);
        assert_int_equal(story.receipts, 1);
}

static void act_freeze(Stage *stage)
{
        json_auto_t *reply = ask(&stage->rig, stage->rig.admin, "io.credd.Admin.Freeze",
                                 json_pack("{ss}", "reason", "a drill"));

        stage->said = said_by(reply);
}

static void judge_freeze(Stage *stage)
{
        bool frozen = store_frozen(stage->rig.manager->store) != NULL;

        assert_int_not_equal(stage->said, SAID_NO);
        if (stage->said == SAID_YES)
                assert_true(frozen);
        assert_int_equal(offer(&stage->rig, stage->token), frozen ? SAID_NO : SAID_YES);
}

/* --- a code, and a wrong one --- */

static void prepare_code(Stage *stage)
{
        AUTO_FREE char *code = issue(&stage->rig, json_pack("{ss}", "kind", "code"), stage->id);

        keep(stage->token, sizeof(stage->token), code);
}

static Said type_code(Rig *rig, const char *text)
{
        json_auto_t *reply = ask(rig, rig->login, "io.credd.Login.Authenticate",
                                 json_pack("{ss si ss ss ss}", "user", "deploy", "uid", PERSON,
                                           "service", "login", "tty", "tty1", "token", text));

        return said_by(reply);
}

static void act_wrong_code(Stage *stage)
{
        char wrong[CODE_TEXT_LEN + 1];
        Code code;

        assert_int_equal(code_parse(stage->token, strlen(stage->token), &code), 0);
        code.secret[0] = code.secret[0] == '2' ? '3' : '2';
        code_format(&code, wrong);
        stage->said = type_code(&stage->rig, wrong);
}

/* A try that was answered is counted, else he could guess as often as he can make credd fail. */
static void judge_wrong_code(Stage *stage)
{
        AUTO_CREDENTIAL Credential c = {0};
        char handle[CODE_HANDLE_LEN + 1] = "";
        int64_t tries = -1;

        memcpy(handle, stage->id, CODE_HANDLE_LEN);
        assert_int_equal(store_find_code(stage->rig.manager->store, handle, &c, &tries), 1);
        assert_int_not_equal(stage->said, SAID_YES);
        assert_in_range(tries, stage->said == SAID_NO, 1);
        assert_int_equal(type_code(&stage->rig, stage->token), SAID_YES);
        assert_int_equal(type_code(&stage->rig, stage->token), SAID_NO);
}

/* The write-ahead log goes into the database, and the files are closed. */
static void act_close(Stage *stage)
{
        stage->rig.manager->store = store_close(stage->rig.manager->store);
        (void)sd_event_exit(stage->rig.manager->event, 0);
        stage->rig.manager->failed = true; /* there is nothing left to write to */
}

static void judge_close(Stage *stage)
{
        assert_int_equal(offer(&stage->rig, stage->token), SAID_YES);
        assert_int_equal(offer(&stage->rig, stage->token), SAID_NO);
}

static const Scene scenes[] = {
        {"redeem", BEFORE_HERE, prepare_token, act_redeem, judge_redeem},
        {"redeem after a start", BEFORE_CLOSED, prepare_token, act_redeem, judge_redeem},
        {"start after a kill, and redeem", BEFORE_KILLED, prepare_token, act_redeem, judge_redeem},
        {"first start, and issue", BEFORE_EMPTY, NULL, act_issue, judge_issue},
        {"issue", BEFORE_HERE, prepare_token, act_issue, judge_issue},
        {"revoke", BEFORE_HERE, prepare_token, act_revoke, judge_revoke},
        {"extend", BEFORE_HERE, prepare_token, act_extend, judge_extend},
        {"freeze", BEFORE_HERE, prepare_token, act_freeze, judge_freeze},
        {"refuse a wrong code", BEFORE_HERE, prepare_code, act_wrong_code, judge_wrong_code},
        {"begin a session", BEFORE_HERE, prepare_login, act_open, judge_open},
        {"end a session, and its receipt", BEFORE_HERE, prepare_session, act_end, judge_end},
        {"close", BEFORE_HERE, prepare_token, act_close, judge_close},
};

/* --- the processes of a case --- */

typedef struct Case {
        const Scene *scene;
        Stage *stage;
} Case;

static void prepare(const Case *kase)
{
        Stage *stage = kase->stage;
        AUTO_FREE char *other = issue(&stage->rig, NULL, stage->other_id);

        keep(stage->other, sizeof(stage->other), other);
        kase->scene->prepare(stage);
}

static void play_before(void **state)
{
        const Case *kase = *state;

        assert_int_equal(rig_start(&kase->stage->rig), 0);
        prepare(kase);
        if (kase->scene->before == BEFORE_CLOSED)
                rig_stop(&kase->stage->rig);
}

/* What failed once does not stay in the way of others: they are served, or the daemon ends. */
static void ask_for_other(Stage *stage)
{
        if (stage->fault.how != FAULT_NONE && !stage->fault.for_good)
                vfs_fault_disarm();
        if (stage->other[0])
                stage->said_other = offer(&stage->rig, stage->other);
        if (stage->other[0] && !stage->fault.for_good && !is_over(&stage->rig))
                assert_int_equal(stage->said_other,
                                 store_frozen(stage->rig.manager->store) ? SAID_NO : SAID_YES);
}

/* As main() would: it takes everything down if it gave up, or else is killed, or stopped. */
static void leave(Stage *stage)
{
        if (is_over(&stage->rig) || stage->fault.at % 2 == 0)
                rig_stop(&stage->rig);
}

static void play_fault(void **state)
{
        const Case *kase = *state;
        Stage *stage = kase->stage;
        bool starts = kase->scene->before >= BEFORE_KILLED;

        if (starts)
                vfs_fault_arm(&stage->fault);
        if (rig_start(&stage->rig) < 0) {
                assert_true(starts);
                stage->said = SAID_UNKNOWN;
                return;
        }
        if (kase->scene->before == BEFORE_HERE)
                prepare(kase);
        if (!starts)
                vfs_fault_arm(&stage->fault);
        kase->scene->act(stage);
        for (FaultCall call = 0; call < CALL_MAX; call++)
                stage->counts[call] = vfs_fault_count(call);
        if (stage->fault.how == FAULT_NONE)
                return; /* ... and then the power is cut */
        ask_for_other(stage);
        leave(stage);
}

/* All that is shown is on the disk, and comes back. */
static void note_head(Stage *stage)
{
        assert_int_equal(batch_commit(stage->rig.manager->batch), 0);
        stage->seq = store_head(stage->rig.manager->store, stage->head);
}

static void play_judge(void **state)
{
        const Case *kase = *state;
        Stage *stage = kase->stage;

        assert_int_equal(rig_start(&stage->rig), 0);
        audit_store(stage->rig.manager->store);
        if (stage->said_other == SAID_YES)
                assert_int_equal(offer(&stage->rig, stage->other), SAID_NO);
        kase->scene->judge(stage);
        note_head(stage);
        audit_store(stage->rig.manager->store);
}

static void play_after(void **state)
{
        const Case *kase = *state;
        Stage *stage = kase->stage;
        CLEANUP(event_row_done) EventRow row = {0};

        assert_int_equal(rig_start(&stage->rig), 0);
        if (stage->seq > 0) {
                assert_int_equal(store_read_event(stage->rig.manager->store, stage->seq, &row), 1);
                assert_memory_equal(row.hash, stage->head, HASH_LEN);
        }
        audit_store(stage->rig.manager->store);
        rig_stop(&stage->rig);
        vfs_fault_remove();
        audit_file(stage->folder);
}

static bool complain(const Case *kase, int status, const char *who)
{
        const Fault *fault = &kase->stage->fault;

        if (status == 0)
                return false;
        print_message("# %s: %s: call %d how %d at %u%s: status %#x, said %d\n", kase->scene->name,
                      who, (int)fault->call, (int)fault->how, fault->at,
                      fault->for_good ? " for good" : "", (unsigned)status, (int)kase->stage->said);
        return true;
}

/* true: what must hold did. */
static bool run_case(const Scene *scene, Stage *stage, const Fault *fault)
{
        char *folder = scratch_new_fast();
        Case kase = {scene, stage};
        bool failed = false;

        memset(stage, 0, sizeof(*stage));
        keep(stage->folder, sizeof(stage->folder), folder);
        stage->rig.folder = stage->folder;
        stage->fault = *fault;
        vfs_fault_new_disk();
        assert_int_equal(chmod(folder, 0711), 0);
        if (scene->before == BEFORE_CLOSED || scene->before == BEFORE_KILLED)
                failed = complain(&kase, in_child(play_before, &kase), "before");
        failed = failed || complain(&kase, in_child(play_fault, &kase), "the fault");
        if (fault->how == FAULT_NONE)
                vfs_fault_cut_power();
        failed = failed || complain(&kase, in_child(play_judge, &kase), "the start after it");
        vfs_fault_cut_power();
        failed = failed || complain(&kase, in_child(play_after, &kase), "the power cut after it");
        scratch_free(folder);
        return !failed;
}

/* --- all cases --- */

static const struct {
        const char *name;
        FaultCall call;
        FaultHow how;
        bool once_alone;
} kinds[] = {
        {"a write finds no room", CALL_WRITE, FAULT_FULL, false},
        {"a write fails", CALL_WRITE, FAULT_EIO, false},
        {"a write stops half way", CALL_WRITE, FAULT_SHORT, false},
        {"a sync fails", CALL_SYNC, FAULT_EIO, false},
        {"a truncation fails", CALL_TRUNCATE, FAULT_EIO, false},
        {"a file cannot be opened", CALL_OPEN, FAULT_EIO, false},
        {"a read fails", CALL_READ, FAULT_EIO, false},
        {"a file cannot be removed", CALL_DELETE, FAULT_EIO, false},
        {"killed", CALL_ANY, FAULT_KILL, true},
        {"the power is cut", CALL_ANY, FAULT_POWER, true},
        {"the power is cut, writes are torn", CALL_ANY, FAULT_TORN, true},
};

typedef struct Sum {
        unsigned number, failed;
} Sum;

static void tell(Sum *sum, bool good, const char *scene, const char *kind, unsigned n)
{
        sum->failed += !good;
        print_message("%s %u - %s: %s: %u cases\n", good ? "ok" : "not ok", ++sum->number, scene,
                      kind, n);
}

static void run_kind(Sum *sum, const Scene *scene, Stage *stage, size_t k, unsigned calls)
{
        unsigned step = getenv("FAULT_SHORT") ? (calls + 1) / 2 : 1, n = 0;
        bool good = true;

        for (unsigned at = 1; at <= calls; at += step)
                for (int for_good = 0; for_good < (kinds[k].once_alone ? 1 : 2); for_good++, n++) {
                        const Fault fault = {kinds[k].call, kinds[k].how, at, for_good};

                        good = run_case(scene, stage, &fault) && good;
                }
        if (n > 0)
                tell(sum, good, scene->name, kinds[k].name, n);
}

static void run_scene(Sum *sum, const Scene *scene, Stage *stage)
{
        const Fault none = {CALL_ANY, FAULT_NONE, 1, false};
        unsigned counts[CALL_MAX];

        tell(sum, run_case(scene, stage, &none), scene->name, "the power is cut after it", 1);
        memcpy(counts, stage->counts, sizeof(counts));
        for (size_t k = 0; k < ELEMENTSOF(kinds); k++)
                run_kind(sum, scene, stage, k, counts[kinds[k].call]);
}

int main(void)
{
        Sum sum = {0};
        Stage *stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (stage == MAP_FAILED)
                return EXIT_FAILURE;
        if (geteuid() != 0) {
                print_message("ok 1 - # SKIP the peer of the Login socket must be root\n1..1\n");
                return EXIT_SUCCESS;
        }
        (void)unsetenv("CMOCKA_MESSAGE_OUTPUT"); /* one report for all: ours */
        vfs_fault_install();
        for (size_t i = 0; i < ELEMENTSOF(scenes); i++)
                if (!getenv("SCENE") || strcmp(getenv("SCENE"), scenes[i].name) == 0)
                        run_scene(&sum, &scenes[i], stage);
        print_message("1..%u\n", sum.number);
        return sum.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
