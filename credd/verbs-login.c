/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the PAM module asks: the way of a login. Invariants: everything is verified before anything
 * is consumed; a refusal says nothing but "Refused"; no secret is looked up, only compared. The
 * peer is uid 0 on a socket that only root can open, and is believed about user, service, terminal
 * and remote host, because whoever is root there can log anybody in without us. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "credd/codes.h"
#include "credd/digest.h"
#include "credd/expiry.h"
#include "credd/facts.h"
#include "credd/gate.h"
#include "credd/proc.h"
#include "credd/refusals.h"
#include "credd/verbs-login.h"

#define REFUSED "io.credd.Login.Refused"

/* "NUM-HEX" */
#define LOGIN_TEXT_MAX (20 + 1 + 2 * NONCE_LEN + 1)

static bool plausible(const LoginFacts *facts)
{
        return name_valid(facts->user) && facts->uid != UID_NONE && name_valid(facts->service) &&
               (!facts->tty || text_valid(facts->tty, 64)) &&
               (!facts->rhost || text_valid(facts->rhost, 255));
}

static const char *none_if_empty(const char *text)
{
        return text && *text ? text : NULL;
}

int login_question_read(const Request *request, const char *secret_name, char kind,
                        LoginQuestion *ret, Answer *answer)
{
        int64_t uid = -1;
        const Parameter parameters[] = {
                {"user", 's', &ret->facts.user},       {"uid", 'i', &uid},
                {"service", 's', &ret->facts.service}, {"tty", 'S', &ret->facts.tty},
                {"rhost", 'S', &ret->facts.rhost},     {secret_name, kind, &ret->secret},
        };
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r;
        ret->facts.uid = uid >= 0 && uid < (int64_t)UID_NONE ? (uid_t)uid : UID_NONE;
        ret->facts.tty = none_if_empty(ret->facts.tty);
        ret->facts.rhost = none_if_empty(ret->facts.rhost);
        if (plausible(&ret->facts))
                return 0;
        r = answer_reason(answer, "org.varlink.service.InvalidParameter", "parameter", "user");
        return r < 0 ? r : 1;
}

int login_refuse(const Request *request, int64_t num, const LoginFacts *facts, Refusal why,
                 Answer *answer)
{
        refusals_add_login(request->manager->refusals, num, facts, why);
        return answer_refused(answer, REFUSED);
}

/* The limit may have passed since policy looked. */
uint64_t login_left_usec(uint64_t limit_usec, uint64_t now_usec)
{
        return limit_usec > now_usec ? limit_usec - now_usec : 0;
}

/* --- Authenticate --- */

/* Compares always, against nothing if there is nothing, so that it takes as long for an unknown id.
 */
static Refusal check_token(Manager *manager, const Credential *credential, const Token *token,
                           const LoginFacts *facts)
{
        static const uint8_t nothing[HASH_LEN] = {0};
        uint8_t hash[HASH_LEN];
        PolicyRules rules;
        bool equal;

        digest_token(store_key(manager->store), token, hash);
        equal = digest_equal(hash, credential->has_hash ? credential->hash : nothing);
        secret_erase(hash, sizeof(hash));
        if (credential->num == 0)
                return REFUSAL_UNKNOWN;
        /* The hash of a credential that is closed for good is erased: its state is the reason. */
        if (credential->has_hash && !equal)
                return REFUSAL_SECRET;
        if (!clock_trusted(&manager->clock))
                return REFUSAL_CLOCK;
        if (!credential->has_hash && credential->cause == CAUSE_NONE)
                return REFUSAL_SECRET;
        /* Only now, so that an id tells nothing by its time. */
        rules = facts_rules(manager, credential->role);
        return policy_login(&rules, credential, facts, store_frozen(manager->store) != NULL,
                            clock_line_usec(&manager->clock));
}

/* Who authenticated, so that a login that no session claims can be found. */
static void note_process(const Request *request, Login *login)
{
        ProcInfo info, parent;

        if (proc_read_stat(peer_identity(request->peer)->pid, &info) < 0)
                return;
        login->pid = info.pid;
        login->ticks = info.start_ticks;
        if (proc_read_stat(info.ppid, &parent) < 0)
                return;
        login->parent = parent.pid;
        login->parent_ticks = parent.start_ticks;
}

static int record_login(const Request *request, const Credential *credential,
                        const LoginFacts *facts, const char *method, Login *login)
{
        Manager *manager = request->manager;
        int r;

        r = store_spend(manager->store, credential);
        if (r == 0)
                r = store_add_login(manager->store, login);
        if (r == 0)
                r = event_login_accepted(&manager->events, credential, facts, login->pid, method);
        if (r == 0 && credential->uses_left == 1)
                r = event_credential_used_up(&manager->events, credential);
        return r;
}

int login_accept(const Request *request, const Credential *credential, const LoginFacts *facts,
                 const char *method, Login *ret_login)
{
        Manager *manager = request->manager;
        Login login = {
                .credential = credential->num,
                .accepted_usec = clock_line_usec(&manager->clock),
                .service = (char *)facts->service,
                .tty = (char *)facts->tty,
                .rhost = (char *)facts->rhost,
        };
        int r;

        digest_random(login.nonce, NONCE_LEN);
        note_process(request, &login);
        r = record_login(request, credential, facts, method, &login);
        if (r < 0)
                return r;
        manager->counters.logins_accepted++;
        expiry_login(manager->expiry, credential, &login);
        *ret_login = login;
        return 0;
}

static int accept_token(const Request *request, const Credential *credential,
                        const LoginFacts *facts, Answer *answer)
{
        char nonce[HEX_LEN(NONCE_LEN)], text[LOGIN_TEXT_MAX];
        uint64_t now;
        Login login;
        int r;

        r = login_accept(request, credential, facts, NULL, &login);
        if (r < 0)
                return r;
        now = login.accepted_usec;
        digest_hex(login.nonce, NONCE_LEN, nonce);
        (void)snprintf(text, sizeof(text), "%" PRId64 "-%s", login.num, nonce);
        answer->parameters = json_pack(
                "{ss ss sI}", "login", text, "credential", credential->id, "left_usec",
                (json_int_t)login_left_usec(credential_deadline_usec(credential, now), now));
        secret_erase(text, sizeof(text));
        return answer->parameters ? 0 : -ENOMEM;
}

/* A refusal is in the commit that its answer waits for, and the try with it. */
static int refuse_code(const Request *request, const CodeTry *try, const LoginFacts *facts,
                       Answer *answer)
{
        int r = codes_refuse(request->manager, try, facts);

        answer->keep = true;
        return r < 0 ? r : answer_refused(answer, REFUSED);
}

static int authenticate_code(const Request *request, const LoginFacts *facts, const Code *code,
                             Answer *answer)
{
        CLEANUP(code_try_done) CodeTry try = {.refusal = REFUSAL_SECRET};
        int r;

        r = store_may_begin(request->manager->store);
        if (r < 0)
                return r;
        r = codes_check(request->manager, code, facts, &try);
        if (r < 0)
                return r;
        if (try.refusal == REFUSAL_NONE && !peer_waits(request->peer))
                try.refusal = REFUSAL_PEER;
        if (try.refusal != REFUSAL_NONE)
                return refuse_code(request, &try, facts, answer);
        return accept_token(request, &try.credential, facts, answer);
}

int verb_authenticate(const Request *request, Answer *answer)
{
        CLEANUP(token_done) Token token = {0};
        CLEANUP(code_done) Code code = {0};
        AUTO_CREDENTIAL Credential credential = {0};
        LoginQuestion question = {0};
        Refusal refusal;
        int r;

        request->manager->counters.logins_asked++;
        r = login_question_read(request, "token", 's', &question, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (code_parse(question.secret, strlen(question.secret), &code) == 0)
                return authenticate_code(request, &question.facts, &code, answer);
        if (token_parse(question.secret, strlen(question.secret), &token) < 0)
                return login_refuse(request, 0, &question.facts, REFUSAL_UNKNOWN, answer);
        r = store_find_credential(request->manager->store, token.id, &credential);
        if (r < 0)
                return r;
        r = store_may_begin(request->manager->store);
        if (r < 0)
                return r;
        refusal = check_token(request->manager, &credential, &token, &question.facts);
        /* A module that gave up long ago must not spend a use of the person's token. */
        if (refusal == REFUSAL_NONE && !peer_waits(request->peer))
                refusal = REFUSAL_PEER;
        if (refusal != REFUSAL_NONE)
                return login_refuse(request, credential.num, &question.facts, refusal, answer);
        return accept_token(request, &credential, &question.facts, answer);
}

/* --- the login that was accepted --- */

static bool parse_login(const char *text, int64_t *ret_num, uint8_t ret_nonce[static NONCE_LEN])
{
        char *end;
        long long num;

        if (*text < '1' || *text > '9')
                return false;
        errno = 0;
        num = strtoll(text, &end, 10);
        if (errno != 0 || *end != '-')
                return false;
        *ret_num = num;
        return digest_from_hex(end + 1, ret_nonce, NONCE_LEN) == 0;
}

int login_check(Manager *manager, const LoginQuestion *question, Login *ret_login,
                Credential *ret_credential, Refusal *ret_refusal)
{
        uint8_t nonce[NONCE_LEN];
        PolicyRules rules;
        int64_t num = 0;
        int r;

        *ret_refusal = REFUSAL_LOGIN;
        r = parse_login(question->secret, &num, nonce)
                    ? store_find_login(manager->store, num, ret_login)
                    : 0;
        if (r <= 0)
                return r;
        if (!secret_equal(nonce, ret_login->nonce, NONCE_LEN) ||
            ret_login->state != LOGIN_ACCEPTED || ret_login->boot != store_boot(manager->store) ||
            strcmp(ret_login->service, question->facts.service) != 0)
                return 0;
        r = store_read_credential(manager->store, ret_login->credential, ret_credential);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        rules = facts_rules(manager, ret_credential->role);
        *ret_refusal = policy_session(&rules, ret_credential, &question->facts,
                                      store_frozen(manager->store) != NULL,
                                      ret_login->accepted_usec, clock_line_usec(&manager->clock));
        return 0;
}

int verb_check_account(const Request *request, Answer *answer)
{
        CLEANUP(login_done) Login login = {0};
        AUTO_CREDENTIAL Credential credential = {0};
        LoginQuestion question = {0};
        Refusal refusal = REFUSAL_LOGIN;
        int r;

        r = login_question_read(request, "login", 'S', &question, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (question.secret)
                r = login_check(request->manager, &question, &login, &credential, &refusal);
        else
                r = gate_find(request->manager, &question.facts, &credential, &refusal);
        if (r < 0)
                return r;
        if (refusal != REFUSAL_NONE)
                return login_refuse(request, credential.num, &question.facts, refusal, answer);
        answer->parameters = json_pack("{ss}", "credential", credential.id);
        return answer->parameters ? 0 : -ENOMEM;
}
