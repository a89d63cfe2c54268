/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every event there is: X(SYMBOL, name, MESSAGE_ID, priority, text). A word in braces is replaced
 * by the field of that name. The text of packaging/catalog/credd.catalog goes by MESSAGE_ID; `make lint`
 * holds this table, the catalog and the functions of events.h to each other. */
#pragma once

#include <syslog.h>

/* clang-format off */
#define EVENTS(X) \
        X(CREDENTIAL_ISSUED, "credential-issued", "b680725340517e491a1fa7d9085ee7a9", LOG_NOTICE, \
          "Credential {credential} issued for {user} by {actor}, for logins until {deadline}") \
        X(CREDENTIAL_REQUESTED, "credential-requested", "1ea1941f29a74b76a6f961edc5979fba", LOG_NOTICE, \
          "{actor} asks for credential {credential} for {user} under role {role}, until {deadline}: {reason}") \
        X(CREDENTIAL_APPROVED, "credential-approved", "b38e7666847245d4b969787143c044dc", LOG_NOTICE, \
          "Credential {credential} for {user} approved by {actor}, {approvals}") \
        X(CREDENTIAL_DENIED, "credential-denied", "33944ca305714e548d0169be37ec908a", LOG_NOTICE, \
          "Credential {credential} for {user} denied by {actor}") \
        X(CREDENTIAL_LAPSED, "credential-lapsed", "301a0fec3e4d4fe3940799dee2ff9266", LOG_INFO, \
          "Credential {credential} for {user} was asked for and not collected in time") \
        X(CREDENTIAL_COLLECTED, "credential-collected", "b549cdc3e30f4079a381727e28207da6", LOG_NOTICE, \
          "Credential {credential} for {user} collected by {actor}, for logins until {deadline}") \
        X(CREDENTIAL_REVOKED, "credential-revoked", "72fb956028f43dfed863966d92d0c95e", LOG_NOTICE, \
          "Credential {credential} of {user} revoked by {actor}") \
        X(CREDENTIAL_EXPIRED, "credential-expired", "1dcb8c0be6cf0fd95420acbcee2593ac", LOG_INFO, \
          "Credential {credential} of {user} expired") \
        X(CREDENTIAL_USED_UP, "credential-used-up", "8ba27be54f4eb2d5b89cb02177d2d6c1", LOG_INFO, \
          "The last use of credential {credential} of {user} is spent") \
        X(CREDENTIAL_LOCKED, "credential-locked", "1974653f309943f09dadd40b7253c9a1", LOG_WARNING, \
          "Code {credential} of {user} locked: too many wrong tries") \
        X(CREDENTIAL_DEPROVISIONED, "credential-deprovisioned", "c63abe482b451a8d6088f16165a07baf", LOG_NOTICE, \
          "Credential {credential} of {user} de-provisioned: {verdict}, {late_usec} us late") \
        X(DEPROVISION_MISSED, "deprovision-missed", "332ccbbaef2749f8673b8e6079bd8a82", LOG_CRIT, \
          "The session of {user} with credential {credential} is not gone {late_usec} us after its deadline; still trying") \
        X(LOGIN_ACCEPTED, "login-accepted", "a5963b483ac121b4b626e23fb1e94fa5", LOG_INFO, \
          "Login of {user} to {service} accepted with credential {credential}") \
        X(LOGIN_REFUSED, "login-refused", "6889c7011db582e296da6debcf0f2085", LOG_NOTICE, \
          "Login of {user} to {service} refused: {reason}") \
        X(LOGIN_UNCLAIMED, "login-unclaimed", "c9327db8a968ba55748fee370d19e1a5", LOG_CRIT, \
          "A login of {user} to {service} with credential {credential} never opened a session that credd was told of: {reason}") \
        X(LOGIN_ENDED, "login-ended", "6753f85e89964f4fad652fd86a0db67a", LOG_WARNING, \
          "{user} was refused a session of {service} that needs a credential; process {leader} is ended") \
        X(LOGIN_LINGERS, "login-lingers", "24c70d2072a14fbe964e04a5b332d732", LOG_CRIT, \
          "{user} was refused a session of {service}, and {late_usec} us later process {leader} or what came of it is not gone; still trying") \
        X(SESSION_OPENED, "session-opened", "9f493914c7fe36a83eed338a3ede7d3f", LOG_INFO, \
          "Session of {user} opened with credential {credential}, until {deadline}") \
        X(SESSION_BOUND, "session-bound", "dbc19aa357cf8d7668501baa0822e59d", LOG_DEBUG, \
          "Session of {user} with credential {credential} is logind session {session}") \
        X(SESSION_TERMINATING, "session-terminating", "061a8188c65a2e34bd0ffee44eba37f9", LOG_NOTICE, \
          "Session of {user} with credential {credential} is being ended: {reason}") \
        X(SESSION_KILLED, "session-killed", "f7185be4897d502e2e03dafc8c838610", LOG_NOTICE, \
          "Session of {user} with credential {credential} did not end by itself: {reason}") \
        X(SESSION_ENDED, "session-ended", "93e3a6cc9cd3373dc98cca3d266c557b", LOG_INFO, \
          "Session of {user} with credential {credential} is verified gone") \
        X(SESSION_RESIDUE, "session-residue", "7183be3469f2ee1e55af49391002917e", LOG_WARNING, \
          "Left behind by {user} with credential {credential}: {reason}") \
        X(ACTION_REFUSED, "action-refused", "e0f6ca28c6db8e19c38f6ab6a7357810", LOG_NOTICE, \
          "{actor} was refused {verb}: {reason}") \
        X(CREDENTIAL_EXTENDED, "credential-extended", "f89565fd88acd97f8affa7828111b184", LOG_NOTICE, \
          "Credential {credential} of {user} extended by {actor} until {deadline}") \
        X(CREDENTIAL_RETURNED, "credential-returned", "929e5feeb7aaa9cf85a2c4a9a670bff6", LOG_NOTICE, \
          "Credential {credential} of {user} given back from its session") \
        X(SESSION_WARNED, "session-warned", "7bb1478d54c96bb8eae02194393071b1", LOG_DEBUG, \
          "Session of {user} with credential {credential} was told that it ends at {deadline}") \
        X(HOST_FROZEN, "host-frozen", "ed75c91faed6e2afb7ad2532fb95cf69", LOG_WARNING, \
          "No token logins any more on this host: frozen by {actor}") \
        X(HOST_THAWED, "host-thawed", "68093c2cd44322917c78f15df0d51594", LOG_NOTICE, \
          "Token logins are possible again: thawed by {actor}") \
        X(ROLE_ENABLED, "role-enabled", "7dff66231755bf366457eea3e7cc00b6", LOG_NOTICE, \
          "Role {role} switched on by {actor}") \
        X(ROLE_DISABLED, "role-disabled", "55f2a4350b9cbdeba2d531b6ca1c6ee6", LOG_WARNING, \
          "Role {role} switched off by {actor}: {sessions} sessions are being ended, {unspent} credentials are suspended") \
        X(BREAK_GLASS_USED, "break-glass-used", "c7fec643c70a2e07966168c3bc5ce0ab", LOG_ALERT, \
          "Break-glass: credential {credential} issued for {user} by {actor}: {reason}") \
        X(BREAK_GLASS_ACKNOWLEDGED, "break-glass-acknowledged", "e2b06870dcb1451d25c5ad32f06359a3", LOG_NOTICE, \
          "The break-glass use of credential {credential} of {user} was acknowledged by {actor}") \
        X(DEPROVISION_ACKNOWLEDGED, "deprovision-acknowledged", "7d15d5d5416e68b9a9e2ff72de80253b", LOG_NOTICE, \
          "That a session of {user} with credential {credential} was not gone in time was acknowledged by {actor}") \
        X(CLOCK_STEPPED, "clock-stepped", "d2d3034f03afb8a2c90144286f3190ea", LOG_NOTICE, \
          "The wall clock was set by {by_usec} us; no deadline moves") \
        X(LOGIND_FAILED, "logind-failed", "42e7270066f44b4c9c9ab91588380a5f", LOG_ERR, \
          "{reason}; credd ends sessions by SIGKILL itself") \
        X(CONFIG_LOADED, "config-loaded", "8efd92ffa8e5621847060ee8d943a9c8", LOG_INFO, \
          "Configuration loaded: {reason}") \
        X(CONFIG_REFUSED, "config-refused", "2ab768e836a3534318b99e4cd864abcb", LOG_ERR, \
          "Configuration refused, what was in effect stays: {reason}") \
        X(DAEMON_STARTED, "daemon-started", "cf68934c7c804eb8c78384d35e348ee9", LOG_INFO, \
          "credd {version} started, {sessions} sessions found again") \
        X(AUDIT_HEAD, "audit-head", "bd3b490e43ed4beeb05650d34e0e511b", LOG_INFO, \
          "The chain of events stands at {head_seq} with hash {head_hash}") \
        X(STORE_BACKED_UP, "store-backed-up", "2ea9eb059ed54d02b0b2ba61a8953ff5", LOG_NOTICE, \
          "A copy of credd's store, up to event {head_seq}, was handed to {actor}") \
        X(STORE_RESTORED, "store-restored", "8d2cbf396d5b48c882c09fddb5736645", LOG_WARNING, \
          "credd's store was restored by {actor} from a backup that ends with event {head_seq}") \
        X(STORE_PRUNED, "store-pruned", "57bf997bdda84a408497225847f174c4", LOG_INFO, \
          "{count} events up to {pruned_seq} have passed their retention and are no longer in credd's store") \
        X(DAEMON_STOPPED, "daemon-stopped", "394502b9f0c32acb0f22c81824b82ecb", LOG_INFO, \
          "credd stopped")
/* clang-format on */

typedef enum EventKind {
#define X(symbol, name, id, priority, text) EVENT_##symbol,
        EVENTS(X)
#undef X
                EVENT_MAX
} EventKind;
