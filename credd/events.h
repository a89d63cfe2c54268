/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One event, one function: each appends one row to the chain in the transaction of the change it
 * tells of. What the journal shows is made from these rows (outbox.h), so the two cannot differ. */
#pragma once

#include "credd/message-ids.h"
#include "credd/policy.h"
#include "credd/store.h"
#include "credd/tally.h"

/* Moments are given on the line and written as wall clock, RFC 3339 in UTC. */
typedef struct Events {
        Store *store;
        Clock *clock;
        Tally *tally; /* counts them; NULL: nobody does */
} Events;

int event_credential_issued(Events *events, const Credential *credential);
/* needed: so many approvals, as the role has it */
int event_credential_requested(Events *events, const Credential *credential, int64_t needed);
int event_credential_approved(Events *events, const Credential *credential,
                              const Approval *approval, int64_t given, int64_t needed);
int event_credential_denied(Events *events, const Credential *credential, const Actor *actor,
                            const char *reason);
int event_credential_lapsed(Events *events, const Credential *credential);
/* Its secret was made; again, if it had been collected before. */
int event_credential_collected(Events *events, const Credential *credential, const Actor *actor);
int event_credential_revoked(Events *events, const Credential *credential, const Actor *actor,
                             const char *reason);
int event_credential_extended(Events *events, const Credential *credential, const Actor *actor,
                              uint64_t by_usec, uint64_t latest_usec, const char *reason);
int event_credential_returned(Events *events, const Credential *credential, const Actor *actor);
int event_credential_expired(Events *events, const Credential *credential);
int event_credential_used_up(Events *events, const Credential *credential);
int event_credential_locked(Events *events, const Credential *credential);
int event_credential_deprovisioned(Events *events, const Credential *credential,
                                   const Receipt *receipt);
int event_deprovision_missed(Events *events, const SessionRow *session, uint64_t late_usec,
                             const char *reason);
/* method: "gate" if the credential was there and no token was given; NULL: by its token. */
int event_login_accepted(Events *events, const Credential *credential, const LoginFacts *facts,
                         pid_t pid, const char *method);
/* credential NULL: of an id that does not exist, whose user's name is not told either: people type
 * passwords there. count: how many alike since the last such event. */
int event_login_refused(Events *events, const Credential *credential, uid_t uid,
                        const char *service, const char *rhost, Refusal refusal, unsigned count);
int event_login_unclaimed(Events *events, const Credential *credential, const Login *login,
                          const char *reason);
/* A process that was refused the session it opened, and what came of it, is ended; it is still there
 * after so long. leader: its pid. */
int event_login_ended(Events *events, const LoginFacts *facts, pid_t leader);
int event_login_lingers(Events *events, const LoginFacts *facts, pid_t leader, uint64_t late_usec);
int event_session_opened(Events *events, const SessionRow *session);
int event_session_bound(Events *events, const SessionRow *session);
int event_session_terminating(Events *events, const SessionRow *session, const char *reason);
int event_session_warned(Events *events, const SessionRow *session);
int event_session_killed(Events *events, const SessionRow *session, const char *reason);
int event_session_ended(Events *events, const SessionRow *session, uint64_t late_usec);
int event_session_residue(Events *events, const SessionRow *session, const char *reason);
int event_action_refused(Events *events, const Actor *actor, const char *verb, const char *reason,
                         unsigned count);
int event_host_frozen(Events *events, const Actor *actor, const char *reason, bool end_sessions);
int event_host_thawed(Events *events, const Actor *actor);
int event_role_enabled(Events *events, const char *role, const Actor *actor, const char *reason,
                       int64_t unspent);
/* sessions: that are being ended; unspent: credentials that are suspended, or were. */
int event_role_disabled(Events *events, const RoleOff *off, unsigned sessions, int64_t unspent);
int event_break_glass_used(Events *events, const Credential *credential);
int event_break_glass_acknowledged(Events *events, const Credential *credential, const Actor *actor,
                                   const char *reason);
int event_deprovision_acknowledged(Events *events, const Credential *credential, const Actor *actor,
                                   const char *reason);
/* by_usec: forwards if positive */
int event_clock_stepped(Events *events, int64_t by_usec);
/* why: what logind answered when it was to end a session */
int event_logind_failed(Events *events, const char *why);
/* files, roles: what setup_texts() says. */
int event_config_loaded(Events *events, const char *what, const char *files, const char *roles);
int event_config_refused(Events *events, const char *why);
int event_daemon_started(Events *events, unsigned sessions);
int event_daemon_stopped(Events *events);
/* The head of the chain as it was before this event. */
int event_audit_head(Events *events, int64_t seq, const char *hash, const char *clock);

const char *event_name(EventKind kind);
/* The head of the chain as the copy has it, and its size. */
int event_store_backed_up(Events *events, const Actor *actor, uint64_t size);
/* Of the backup: before this event. */
int event_store_restored(Events *events, const Actor *actor);
/* In the transaction in which they went. */
int event_store_pruned(Events *events, const Pruned *pruned);

/* The journal's entry of a row: MESSAGE and the rest. */
const char *event_message_id(EventKind kind);
int event_priority(EventKind kind);
/* EVENT_MAX: an event that this version does not know. */
EventKind event_kind_from_string(const char *name);
/* The text with its words filled in from fields; to be freed. NULL: out of memory. */
char *event_message(EventKind kind, const char *id, const json_t *fields);
