/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of verbs, and the way of a call through it: decoded, found, authorised, run inside the
 * batch if it changes anything, answered. What is not in the table does not exist. */
#include "credd/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/interfaces.h"
#include "common/secret.h"
#include "common/varlink.h"
#include "credd/batch.h"
#include "credd/caller.h"
#include "credd/facts.h"
#include "credd/pace.h"
#include "credd/refusals.h"
#include "credd/subscribe.h"

/* Not a right of the method as such: the handler asks for the one it needs, of the thing it is about. */
#define BY_THING RIGHT_MAX

/* What ends something is never too much; how much else one person writes is limited. */
typedef enum Effect { READS, WRITES, ENDS } Effect;

/* On the Login socket there is one right: to be root, which a PAM application is. */
typedef struct Verb {
        const char *method;
        PeerKind socket;
        Right right;
        Effect effect;
        VerbHandler handler;
} Verb;

static const Verb verbs[] = {
        {"io.credd.Login.Authenticate", PEER_LOGIN, BY_THING, WRITES, verb_authenticate},
        {"io.credd.Login.CheckAccount", PEER_LOGIN, BY_THING, READS, verb_check_account},
        {"io.credd.Login.OpenSession", PEER_LOGIN, BY_THING, WRITES, verb_open_session},
        {"io.credd.Admin.Issue", PEER_ADMIN, BY_THING, WRITES, verb_issue},
        {"io.credd.Admin.List", PEER_ADMIN, BY_THING, READS, verb_list},
        {"io.credd.Admin.Show", PEER_ADMIN, BY_THING, READS, verb_show},
        {"io.credd.Admin.Revoke", PEER_ADMIN, BY_THING, ENDS, verb_revoke},
        {"io.credd.Admin.Request", PEER_ADMIN, BY_THING, WRITES, verb_request},
        {"io.credd.Admin.Requests", PEER_ADMIN, BY_THING, READS, verb_requests},
        {"io.credd.Admin.Approve", PEER_ADMIN, BY_THING, WRITES, verb_approve},
        {"io.credd.Admin.Deny", PEER_ADMIN, BY_THING, ENDS, verb_deny},
        {"io.credd.Admin.Collect", PEER_ADMIN, BY_THING, WRITES, verb_collect},
        {"io.credd.Admin.Extend", PEER_ADMIN, BY_THING, WRITES, verb_extend},
        {"io.credd.Admin.Time", PEER_ADMIN, BY_THING, READS, verb_time},
        {"io.credd.Admin.Return", PEER_ADMIN, BY_THING, ENDS, verb_return},
        {"io.credd.Admin.Freeze", PEER_ADMIN, RIGHT_FREEZE, ENDS, verb_freeze},
        {"io.credd.Admin.Thaw", PEER_ADMIN, RIGHT_FREEZE, WRITES, verb_thaw},
        {"io.credd.Admin.Events", PEER_ADMIN, RIGHT_SEE_ALL, READS, verb_events},
        {"io.credd.Admin.Verify", PEER_ADMIN, RIGHT_SEE_ALL, READS, verb_verify},
        {"io.credd.Admin.Audit", PEER_ADMIN, RIGHT_SEE_ALL, READS, verb_audit},
        {"io.credd.Admin.RoleList", PEER_ADMIN, BY_THING, READS, verb_role_list},
        {"io.credd.Admin.RoleShow", PEER_ADMIN, BY_THING, READS, verb_role_show},
        {"io.credd.Admin.RoleEnable", PEER_ADMIN, RIGHT_SWITCH_ROLE, WRITES, verb_role_enable},
        {"io.credd.Admin.RoleDisable", PEER_ADMIN, RIGHT_SWITCH_ROLE, ENDS, verb_role_disable},
        {"io.credd.Admin.Ack", PEER_ADMIN, BY_THING, WRITES, verb_ack},
        {"io.credd.Admin.Subscribe", PEER_ADMIN, RIGHT_SEE_ALL, READS, verb_subscribe},
        {"io.credd.Admin.Sessions", PEER_ADMIN, BY_THING, READS, verb_sessions},
        {"io.credd.Admin.Backup", PEER_ADMIN, RIGHT_BACKUP, READS, verb_backup},
        {"io.credd.Admin.Explain", PEER_ADMIN, RIGHT_SEE_ALL, READS, verb_explain},
        {"io.credd.Admin.Metrics", PEER_ADMIN, RIGHT_STATUS_DETAIL, READS, verb_metrics},
        {"io.credd.Admin.Status", PEER_ADMIN, BY_THING, READS, verb_status},
};

static const struct {
        const char *name;
        PeerKind socket;
        const char *text;
} interfaces[] = {
        {"io.credd.Login", PEER_LOGIN, io_credd_Login_varlink},
        {"io.credd.Admin", PEER_ADMIN, io_credd_Admin_varlink},
        {VARLINK_SERVICE, PEER_KIND_MAX, org_varlink_service_varlink},
};

/* --- answers --- */

int answer_refused(Answer *answer, const char *error)
{
        answer->error = error;
        return 0;
}

int answer_reason(Answer *answer, const char *error, const char *name, const char *value)
{
        answer->error = error;
        answer->parameters = json_pack("{ss}", name, value);
        return answer->parameters ? 0 : -ENOMEM;
}

int answer_policy(const Request *request, const char *refusal, Answer *answer)
{
        refusals_add_action(request->manager->refusals, request->peer, request->method, "policy");
        return answer_reason(answer, "io.credd.Admin.Refused", "reason", refusal);
}

int answer_verdict(const Request *request, const RightsVerdict *verdict, const char *id,
                   Answer *answer)
{
        int r;

        if (verdict->permission == PERMISSION_GRANTED)
                return 0;
        refusals_add_action(request->manager->refusals, request->peer, request->method,
                            verdict->journal);
        if (verdict->permission == PERMISSION_UNSEEN)
                r = answer_reason(answer, "io.credd.Admin.NotFound", "id", id);
        else
                r = answer_reason(answer, "io.credd.Admin.PermissionDenied", "reason",
                                  verdict->asker);
        return r < 0 ? r : 1;
}

int find_allowed(const Request *request, Right right, const char *id, Credential *ret,
                 Answer *answer)
{
        AUTO_CREDENTIAL Credential credential = {0};
        RightsVerdict verdict;
        Facts facts;
        int r = 0;

        if (token_id_valid(id))
                r = store_find_credential(request->manager->store, id, &credential);
        if (r > 0) {
                facts_of_credential(request, &credential, &facts);
                verdict = rights_may(right, request->caller, &facts.rights);
                r = answer_verdict(request, &verdict, id, answer);
                if (r != 0)
                        return r;
                *ret = credential;
                credential = (Credential){0};
                return 0;
        }
        if (r == 0)
                r = answer_reason(answer, "io.credd.Admin.NotFound", "id", id);
        return r < 0 ? r : 1;
}

/* --- parameters --- */

static int invalid(Answer *answer, const char *name)
{
        int r = answer_reason(answer, VARLINK_INVALID_PARAMETER, "parameter", name);

        return r < 0 ? r : 1;
}

static bool all_strings(const json_t *array)
{
        json_t *item;
        size_t i;

        json_array_foreach (array, i, item)
                if (!json_is_string(item))
                        return false;
        return true;
}

static bool read_one(const Parameter *parameter, json_t *value)
{
        switch (parameter->kind) {
        case 's':
        case 'S':
                if (!json_is_string(value) ||
                    strlen(json_string_value(value)) != json_string_length(value))
                        return false;
                *(const char **)parameter->ret = json_string_value(value);
                return true;
        case 'i':
        case 'I':
                if (!json_is_integer(value) || json_integer_value(value) < 0)
                        return false;
                *(int64_t *)parameter->ret = json_integer_value(value);
                return true;
        case 'B':
                if (!json_is_boolean(value))
                        return false;
                *(bool *)parameter->ret = json_is_true(value);
                return true;
        case 'A':
                if (!json_is_array(value) || !all_strings(value))
                        return false;
                *(json_t **)parameter->ret = value;
                return true;
        default:
                return false;
        }
}

static bool optional(char kind)
{
        return kind >= 'A' && kind <= 'Z';
}

static const Parameter *find_parameter(const Parameter *parameters, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(parameters[i].name, name) == 0)
                        return &parameters[i];
        return NULL;
}

int parameters_read(json_t *object, const Parameter *parameters, size_t n, Answer *answer)
{
        const char *name;
        json_t *value;

        json_object_foreach (object, name, value) {
                const Parameter *parameter = find_parameter(parameters, n, name);

                if (!parameter)
                        return invalid(answer, name);
                if (json_is_null(value) && optional(parameter->kind))
                        continue;
                if (!read_one(parameter, value))
                        return invalid(answer, name);
        }
        for (size_t i = 0; i < n; i++)
                if (!optional(parameters[i].kind) && !json_object_get(object, parameters[i].name))
                        return invalid(answer, parameters[i].name);
        return 0;
}

/* --- org.varlink.service --- */

static int get_info(const Request *request, Answer *answer)
{
        json_auto_t *names = json_array();
        int r;

        r = parameters_read(request->parameters, NULL, 0, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                if (interfaces[i].socket == peer_kind(request->peer) ||
                    interfaces[i].socket == PEER_KIND_MAX)
                        (void)json_array_append_new(names, json_string(interfaces[i].name));
        answer->parameters =
                json_pack("{ss ss ss ss sO}", "vendor", "credd", "product", "credd", "version",
                          CREDD_VERSION, "url", "man:credd(8)", "interfaces", names);
        return answer->parameters ? 0 : -ENOMEM;
}

static int get_interface(const Request *request, Answer *answer)
{
        const char *name = "";
        const Parameter parameters[] = {{"interface", 's', &name}};
        int r;

        r = parameters_read(request->parameters, parameters, ELEMENTSOF(parameters), answer);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                if (strcmp(interfaces[i].name, name) == 0) {
                        answer->parameters = json_pack("{ss}", "description", interfaces[i].text);
                        return answer->parameters ? 0 : -ENOMEM;
                }
        return answer_reason(answer, VARLINK_INTERFACE_NOT_FOUND, "interface", name);
}

static const Verb service_verbs[] = {
        {VARLINK_SERVICE ".GetInfo", PEER_KIND_MAX, BY_THING, READS, get_info},
        {VARLINK_SERVICE ".GetInterfaceDescription", PEER_KIND_MAX, BY_THING, READS, get_interface},
};

/* --- the way of a call --- */

static const Verb *find_in(const Verb *list, size_t n, PeerKind socket, const char *method)
{
        for (size_t i = 0; i < n; i++)
                if ((list[i].socket == socket || list[i].socket == PEER_KIND_MAX) &&
                    strcmp(list[i].method, method) == 0)
                        return &list[i];
        return NULL;
}

static const Verb *find_verb(PeerKind socket, const char *method)
{
        return find_in(verbs, ELEMENTSOF(verbs), socket, method)
                       ?: find_in(service_verbs, ELEMENTSOF(service_verbs), socket, method);
}

static int unknown_method(PeerKind socket, const char *method, Answer *answer)
{
        const char *dot = strrchr(method, '.'); /* the codec lets no name pass that has none */
        size_t len = (size_t)(dot - method);

        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                if ((interfaces[i].socket == socket || interfaces[i].socket == PEER_KIND_MAX) &&
                    strlen(interfaces[i].name) == len &&
                    strncmp(interfaces[i].name, method, len) == 0)
                        return answer_reason(answer, VARLINK_METHOD_NOT_FOUND, "method", method);
        answer->error = VARLINK_INTERFACE_NOT_FOUND;
        answer->parameters = json_pack("{ss%}", "interface", method, len);
        return answer->parameters ? 0 : -ENOMEM;
}

/* 0: granted; 1: answered already. */
static int authorise(const Request *request, const Verb *verb, Answer *answer)
{
        const RightsFacts nothing = {.user = UID_NONE};
        RightsVerdict verdict;

        if (peer_kind(request->peer) == PEER_LOGIN) {
                if (peer_identity(request->peer)->uid == 0)
                        return 0;
                (void)answer_refused(answer, "io.credd.Login.Refused");
                return 1;
        }
        if (verb->right == BY_THING)
                return 0;
        verdict = rights_may(verb->right, request->caller, &nothing);
        return answer_verdict(request, &verdict, "", answer);
}

static char *encode(const Peer *peer, int r, Answer *answer)
{
        json_auto_t *parameters = answer->parameters;

        if (r < 0)
                return peer_unavailable(peer);
        if (answer->error)
                return varlink_error_encode(answer->error, parameters);
        return varlink_reply_encode(parameters, false);
}

/* Inside a batch: an error takes back what the handler had changed before it found it. */
static int run_writer(Manager *manager, const Verb *verb, const Request *request, Answer *answer)
{
        bool undo;
        int r, kept;

        r = batch_enter(manager->batch);
        if (r < 0)
                return r;
        /* What it did would be nowhere at the next start. */
        r = store_trouble(manager->store) == STORE_GONE ? -ESTALE : verb->handler(request, answer);
        undo = r < 0 || (answer->error && !answer->keep);
        kept = batch_leave(manager->batch, undo ? -ECANCELED : 0);
        return r < 0 ? r : kept == -ECANCELED ? 0 : kept;
}

static int run(Manager *manager, Peer *peer, const VarlinkCall *call, Answer *answer,
               bool *ret_wait)
{
        CLEANUP(caller_done)
        CallerHeld held = {.caller = {.uid = UID_NONE, .loginuid = UID_NONE, .gid = (gid_t)-1}};
        json_auto_t *empty = json_object();
        const Verb *verb = find_verb(peer_kind(peer), call->method);
        const Request request = {
                manager,   peer, &held.caller, call->parameters ?: empty, verb ? verb->method : "",
                call->more};
        int r;

        r = peer_kind(peer) == PEER_ADMIN ? caller_read(manager, peer, &held) : 0;
        /* Ending something is always possible. */
        if (r == 0 && !(verb && verb->effect == ENDS))
                r = pace_call(&request, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!verb)
                return unknown_method(peer_kind(peer), call->method, answer);
        r = authorise(&request, verb, answer);
        if (r != 0)
                return r < 0 ? r : 0;
        if (verb->effect != READS) {
                r = verb->effect == WRITES ? pace_may_change(&request, answer) : 0;
                if (r != 0)
                        return r < 0 ? r : 0;
                r = run_writer(manager, verb, &request, answer);
                *ret_wait = r == 0 && (!answer->error || answer->keep);
                if (*ret_wait && verb->effect == WRITES)
                        pace_changed(&request);
                return r;
        }
        /* What a reader sees must be durable before it is told. */
        r = batch_commit(manager->batch);
        return r < 0 ? r : verb->handler(&request, answer);
}

int verbs_dispatch(Manager *manager, Peer *peer, char *text, size_t len)
{
        CLEANUP(varlink_call_done) VarlinkCall call = {0};
        Answer answer = {0};
        bool wait = false, oneway;
        char *out;
        int r;

        r = varlink_call_decode(text, len, &call);
        secret_erase(text, len);
        if (r < 0)
                return r;
        oneway = call.oneway;
        r = run(manager, peer, &call, &answer, &wait);
        if (r == 0 && answer.follows) {
                r = subscribers_add(manager->subscribers, peer, answer.after);
                if (r == 0)
                        return 0;
        }
        if (r == 0 && answer.stream)
                return 0;
        out = encode(peer, r, &answer);
        if (oneway) {
                /* Nothing asks this of us but a test; the connection ends rather than stay silent.
                 */
                if (out)
                        secret_erase(out, strlen(out));
                free(out);
                return -EPROTO;
        }
        if (wait && out)
                batch_reply(manager->batch, peer, out);
        else
                peer_send(peer, out);
        return 0;
}
