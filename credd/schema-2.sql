-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Version 2, from version 1: roles and who asked for what, codes, alarms, a chain that can be pruned.

-- credential.kind: 0 token, 1 code, 2 drill. What was granted at the issue; the login limit may be
-- extended since. 0: issued before version 2.
ALTER TABLE credential ADD COLUMN ttl INTEGER NOT NULL DEFAULT 0;

-- Whose credentials are not past their ceiling; a login does not touch it.
CREATE INDEX credential_user ON credential (uid, ceiling);

-- What this uid issued or asked for: whoever sees no more than that is not to walk through all.
CREATE INDEX credential_issuer ON credential (issuer_uid, num);

-- A credential that was asked for. It is there from then on, closed (CAUSE_PENDING) until it is
-- collected; issued, not_before, ceiling and the login limit are set then. Until then the login limit is
-- the moment at which the request lapses.
CREATE TABLE request (
        num             INTEGER PRIMARY KEY REFERENCES credential,
        name            TEXT NOT NULL,      -- who asked
        uid             INTEGER NOT NULL,
        loginuid        INTEGER,
        asked_real      INTEGER NOT NULL,
        needed          INTEGER NOT NULL,   -- approvals, as the role said then
        given           INTEGER NOT NULL,
        collected_real  INTEGER             -- null: not yet
) STRICT;

CREATE INDEX request_uid ON request (uid, num);

-- Those that are asked for and not collected; a login does not touch it.
CREATE INDEX standing_pending ON standing (num) WHERE cause = 5;

-- Who said yes.
CREATE TABLE approval (
        num             INTEGER NOT NULL REFERENCES request,
        uid             INTEGER NOT NULL,
        name            TEXT NOT NULL,
        loginuid        INTEGER,
        at_real         INTEGER NOT NULL,
        reason          TEXT,
        PRIMARY KEY (num, uid)
) STRICT, WITHOUT ROWID;

-- Roles that are switched off. A name may stand here without a file, and stays.
CREATE TABLE role_off (
        role            TEXT PRIMARY KEY,
        at_real         INTEGER NOT NULL,
        name            TEXT NOT NULL,
        uid             INTEGER NOT NULL,
        loginuid        INTEGER,
        reason          TEXT
) STRICT, WITHOUT ROWID;

-- What an admin has to see: Alarm in store.h.
CREATE TABLE alarm (
        num             INTEGER NOT NULL REFERENCES credential,
        kind            INTEGER NOT NULL,
        raised_real     INTEGER NOT NULL,
        acked_real      INTEGER,            -- null: nobody has
        name            TEXT,
        uid             INTEGER,
        loginuid        INTEGER,
        reason          TEXT,
        PRIMARY KEY (num, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX alarm_open ON alarm (num) WHERE acked_real IS NULL;

-- Codes that are open: by the four characters that are typed first, which are the first of the id.
CREATE TABLE code (
        handle          TEXT PRIMARY KEY,
        num             INTEGER NOT NULL UNIQUE REFERENCES credential,
        tries           INTEGER NOT NULL    -- wrong ones
) STRICT, WITHOUT ROWID;

-- The last event that was pruned: the chain goes on from its hash.
CREATE TABLE checkpoint (
        seq             INTEGER PRIMARY KEY,
        hash            BLOB NOT NULL,
        pruned_real     INTEGER NOT NULL
) STRICT;
