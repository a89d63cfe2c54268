/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a credential: the limits from policy.c, the secret from the kernel, its hash to the store, the
 * token or the code to the asker after the commit, and then nowhere any more. */
#include <errno.h>
#include <string.h>

#include "common/secret.h"
#include "common/varlink.h"
#include "credd/alarms.h"
#include "credd/digest.h"
#include "credd/expiry.h"
#include "credd/facts.h"
#include "credd/verbs.h"

/* Of an id one in 2^40 is taken; of a code's handle, one in 2^20 for each code that is open. */
#define DRAWS   64
#define KEY_MAX 128

typedef struct IssueQuestion {
        IssueRequest request;
        const char *key, *kind;
        json_t *login, *local; /* what a code is for, if nothing was asked */
} IssueQuestion;

static void issue_question_done(IssueQuestion *question)
{
        json_decref(question->login);
        json_decref(question->local);
}

/* A moment of the wall clock, as people mean it, on the time line. */
static uint64_t line_of_real(Manager *manager, int64_t real_usec)
{
        uint64_t now = clock_real_usec(&manager->clock);

        if (real_usec < 0 || (uint64_t)real_usec <= now)
                return 0;
        return clock_line_usec(&manager->clock) + ((uint64_t)real_usec - now);
}

static uint64_t length_of(int64_t usec)
{
        return usec < 0 ? USEC_INFINITY : (uint64_t)usec;
}

/* Drills are root's: reports count them apart, so nobody else must be able to call an access one. 0; 1:
 * answered already. */
static int read_kind(const Request *request, IssueQuestion *question, Answer *answer)
{
        CredentialKind kind =
                question->kind ? credential_kind_from_string(question->kind) : KIND_TOKEN;
        int r;

        question->request.kind = kind;
        if (kind == KIND_TOKEN || kind == KIND_CODE ||
            (kind == KIND_DRILL && peer_identity(request->peer)->uid == 0 &&
             !question->request.role))
                return 0;
        r = answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "kind");
        return r < 0 ? r : 1;
}

/* As if it had been asked for, so that policy looks at it: never wider than policy_kind() allows. */
static int ask_for_console(IssueQuestion *question)
{
        IssueRequest *q = &question->request;

        question->login = json_pack("[s]", "login");
        question->local = json_pack("[s]", "local");
        if (!question->login || !question->local)
                return -ENOMEM;
        if (json_array_size(q->services) == 0)
                q->services = question->login;
        if (json_array_size(q->sources) == 0)
                q->sources = question->local;
        return 0;
}

static int read_issue(const Request *request, IssueQuestion *ret, Answer *answer)
{
        IssueRequest *q = &ret->request;
        int64_t uid = -1, ttl = -1, session_ttl = -1, lifetime = -1, not_before = -1, uses = 0;
        json_t *services = NULL, *sources = NULL;
        const Parameter parameters[] = {
                {"user", 's', &q->user},
                {"uid", 'i', &uid},
                {"role", 'S', &q->role},
                {"ttl_usec", 'I', &ttl},
                {"session_ttl_usec", 'I', &session_ttl},
                {"max_lifetime_usec", 'I', &lifetime},
                {"not_before_usec", 'I', &not_before},
                {"uses", 'I', &uses},
                {"services", 'A', &services},
                {"sources", 'A', &sources},
                {"holder", 'S', &q->holder},
                {"reason", 'S', &q->reason},
                {"kind", 'S', &ret->kind},
                {"key", 'S', &ret->key},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r;
        q->uid = uid < (int64_t)UID_NONE ? (uid_t)uid : UID_NONE;
        q->ttl_usec = length_of(ttl);
        q->session_ttl_usec = length_of(session_ttl);
        q->max_lifetime_usec = length_of(lifetime);
        q->not_before_usec = line_of_real(request->manager, not_before);
        q->uses = uses;
        q->services = services;
        q->sources = sources;
        r = read_kind(request, ret, answer);
        return r == 0 && q->kind != KIND_TOKEN ? ask_for_console(ret) : r;
}

static char *copy_or_null(const char *text, bool *failed)
{
        char *copy = text ? strdup(text) : NULL;

        *failed |= text && !copy;
        return copy;
}

int issue_fill(const Request *request, const PolicyRules *rules, const IssueRequest *q,
               const Grant *grant, Credential *ret)
{
        Manager *manager = request->manager;
        bool failed = false;

        *ret = (Credential){
                .kind = q->kind,
                .user = copy_or_null(q->user, &failed),
                .uid = q->uid,
                .role = copy_or_null(q->role, &failed),
                .holder = copy_or_null(q->holder, &failed),
                .reason = copy_or_null(q->reason, &failed),
                .services = policy_services(rules, q->services),
                .sources = policy_sources(rules, q->sources),
                .uses = grant->uses,
                .ttl_usec = grant->ttl_usec,
                .uses_left = grant->uses,
                .issued_usec = clock_line_usec(&manager->clock),
                .issued_real_usec = clock_real_usec(&manager->clock),
                .not_before_usec = grant->not_before_usec,
                .login_limit_usec = grant->login_limit_usec,
                .session_ttl_usec = grant->session_ttl_usec,
                .ceiling_usec = grant->ceiling_usec,
        };
        peer_actor(request->peer, &ret->issuer);
        /* What was compared is what is recorded. */
        ret->issuer.loginuid = request->caller->loginuid;
        return failed || !ret->services || !ret->sources ? -ENOMEM : 0;
}

/* The hash of what is given out, and its text. */
static void make_secret(Manager *manager, const Token *token, Credential *credential,
                        char ret_text[static TOKEN_TEXT_LEN + 1])
{
        CLEANUP(code_done) Code code = {0};

        credential->has_hash = true;
        if (credential->kind != KIND_CODE) {
                digest_token(store_key(manager->store), token, credential->hash);
                token_format(token, ret_text);
                return;
        }
        code_from_token(token, &code);
        digest_code(store_key(manager->store), &code, credential->hash);
        code_format(&code, ret_text);
}

void issue_draw(Token *ret_token)
{
        uint8_t random[TOKEN_RANDOM_LEN];

        digest_random(random, sizeof(random));
        token_from_random(random, ret_token);
        secret_erase(random, sizeof(random));
}

int issue_add(Manager *manager, Credential *credential, const char *key, char *ret_text)
{
        CLEANUP(token_done) Token token = {0};
        int r = -EEXIST;

        for (unsigned i = 0; i < DRAWS && r == -EEXIST; i++) {
                issue_draw(&token);
                memcpy(credential->id, token.id, sizeof(credential->id));
                if (ret_text)
                        make_secret(manager, &token, credential, ret_text);
                r = store_add_credential(manager->store, credential, key);
        }
        return r;
}

static int issue(const Request *request, const PolicyRules *rules, const IssueQuestion *question,
                 const Grant *grant, Answer *answer)
{
        Manager *manager = request->manager;
        AUTO_CREDENTIAL Credential credential = {0};
        char text[TOKEN_TEXT_LEN + 1] = "";
        int r;

        r = issue_fill(request, rules, &question->request, grant, &credential);
        if (r == 0)
                r = issue_add(manager, &credential, question->key, text);
        if (r == 0)
                r = event_credential_issued(&manager->events, &credential);
        if (r == 0)
                r = answer_with_credential(manager, credential.num, text, answer);
        if (r == 0)
                r = alarms_note_issue(manager, &credential);
        secret_erase(text, sizeof(text));
        if (r == 0)
                expiry_changed(manager->expiry);
        return r;
}

/* A repeat names what the first call made. 1: answered. */
static int find_repeat(const Request *request, const char *key, Answer *answer)
{
        int64_t num = 0;
        int r;

        if (!key)
                return 0;
        if (!text_valid(key, KEY_MAX)) {
                r = answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", "key");
                return r < 0 ? r : 1;
        }
        r = store_find_key(request->manager->store, request->caller->uid, key, &num);
        if (r <= 0)
                return r;
        r = answer_with_credential(request->manager, num, NULL, answer);
        return r < 0 ? r : 1;
}

int issue_check_right(const Request *request, Right right, const char *role, Answer *answer)
{
        const RightsFacts facts = facts_of_role(request, role);
        RightsVerdict verdict;
        int r;

        verdict = rights_may(right, request->caller, &facts);
        if (verdict.permission != PERMISSION_UNSEEN)
                return answer_verdict(request, &verdict, "", answer);
        r = answer_policy(request, "there is no such role", answer);
        return r < 0 ? r : 1;
}

int issue_check_known(const Request *request, Answer *answer)
{
        const RightsVerdict unknown = rights_not_known();

        return request->caller->loginuid_known ? 0 : answer_verdict(request, &unknown, "", answer);
}

int verb_issue(const Request *request, Answer *answer)
{
        Manager *manager = request->manager;
        CLEANUP(issue_question_done) IssueQuestion question = {0};
        char refusal[POLICY_TEXT_MAX];
        PolicyRules rules;
        Grant grant;
        int r;

        r = store_may_begin(manager->store);
        if (r < 0)
                return r;
        r = read_issue(request, &question, answer);
        if (r == 0)
                r = find_repeat(request, question.key, answer);
        if (r == 0)
                r = issue_check_right(request, RIGHT_ISSUE, question.request.role, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        rules = facts_rules(manager, question.request.role);
        r = rules.role && rules.role->break_glass ? issue_check_known(request, answer) : 0;
        if (r != 0)
                return r < 0 ? r : 0;
        r = policy_kind(rules.role ? rules.role->max_ttl_usec : manager->config.max_ttl_usec,
                        &question.request, refusal);
        if (r == 0)
                r = policy_grant(&rules, &question.request, clock_line_usec(&manager->clock),
                                 &grant, refusal);
        if (r != 0)
                return answer_policy(request, refusal, answer);
        return issue(request, &rules, &question, &grant, answer);
}
