-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Version 1. Moments are microseconds on credd's time line (clock.h) unless they are called _real
-- (wall clock). What never changes about a credential stands apart from the few bytes that do, so that
-- a login rewrites a narrow row. No index is there that a login must maintain without need.

-- One row: this installation.
CREATE TABLE instance (
        one             INTEGER PRIMARY KEY CHECK (one = 1),
        instance        BLOB NOT NULL,      -- 16 random bytes, made with the file
        boot_id         TEXT NOT NULL,      -- the boot last seen
        boot            INTEGER NOT NULL,   -- its number, counted by credd
        line_offset     INTEGER NOT NULL,   -- time line - CLOCK_BOOTTIME in that boot
        behind_line     INTEGER,            -- while the wall clock stands before the last moment
        behind_real     INTEGER,            --   recorded before that boot: that moment
        journaled       INTEGER NOT NULL,   -- events up to this have been handed to the journal
        expired_limit   INTEGER NOT NULL,   -- the queue of login limits has been worked off
        expired_num     INTEGER NOT NULL,   --   up to (login_limit, num)
        lapsed          INTEGER NOT NULL,   -- logins up to this are claimed or have lapsed
        frozen          TEXT                -- by whom and why no login is accepted; null: they are
) STRICT;

CREATE TABLE credential (
        num             INTEGER PRIMARY KEY,
        id              TEXT NOT NULL UNIQUE,
        kind            INTEGER NOT NULL,   -- 0: token
        user            TEXT NOT NULL,
        uid             INTEGER NOT NULL,
        role            TEXT,
        holder          TEXT,
        reason          TEXT,
        services        TEXT NOT NULL,      -- JSON array of names
        sources         TEXT NOT NULL,      -- JSON array of networks; empty: anywhere
        uses            INTEGER NOT NULL,
        issued          INTEGER NOT NULL,
        issued_real     INTEGER NOT NULL,
        not_before      INTEGER NOT NULL,
        session_ttl     INTEGER,            -- null: sessions end at the login limit
        ceiling         INTEGER NOT NULL,
        issuer_name     TEXT NOT NULL,
        issuer_uid      INTEGER NOT NULL,
        issuer_loginuid INTEGER,
        request_key     TEXT
) STRICT;

CREATE UNIQUE INDEX credential_key ON credential (issuer_uid, request_key)
        WHERE request_key IS NOT NULL;

-- What changes about a credential.
CREATE TABLE standing (
        num             INTEGER PRIMARY KEY REFERENCES credential,
        hash_kind       INTEGER NOT NULL,   -- 1: BLAKE2b-256 under the key of this installation
        hash            BLOB,               -- erased when the credential is closed for good
        uses_left       INTEGER NOT NULL,
        login_limit     INTEGER NOT NULL,
        cause           INTEGER NOT NULL,   -- why it is closed to logins: Cause in credential.h
        open_logins     INTEGER NOT NULL,   -- logins whose session is yet to be claimed or to end
        last_event      INTEGER NOT NULL
) STRICT;

CREATE INDEX standing_limit ON standing (login_limit);

CREATE TABLE login (
        num             INTEGER PRIMARY KEY,
        credential      INTEGER NOT NULL REFERENCES credential,
        nonce           BLOB NOT NULL,
        state           INTEGER NOT NULL,   -- LoginState in store.h
        accepted        INTEGER NOT NULL,
        service         TEXT NOT NULL,
        tty             TEXT,
        rhost           TEXT,
        boot            INTEGER NOT NULL,
        pid             INTEGER NOT NULL,   -- the process that authenticated, and its parent
        ticks           INTEGER NOT NULL,
        parent          INTEGER NOT NULL,
        parent_ticks    INTEGER NOT NULL
) STRICT;

CREATE TABLE session (
        login           INTEGER PRIMARY KEY REFERENCES login,
        credential      INTEGER NOT NULL REFERENCES credential,
        boot            INTEGER NOT NULL,
        leader          INTEGER NOT NULL,
        ticks           INTEGER NOT NULL,
        opened          INTEGER NOT NULL,
        opened_real     INTEGER NOT NULL,
        deadline        INTEGER NOT NULL,
        lingered        INTEGER NOT NULL,   -- the user lingered when it opened
        home            TEXT,               -- the leader's cgroup then: where to look for its orphans
        logind_id       TEXT,               -- once logind has announced it
        begun           INTEGER,            -- when its end was begun
        ended           INTEGER,
        ended_real      INTEGER,
        evidence        TEXT                -- JSON, with the end
) STRICT;

CREATE INDEX session_credential ON session (credential);
CREATE INDEX session_live ON session (login) WHERE ended IS NULL;

-- By whom and why a credential was ended before its time.
CREATE TABLE revocation (
        num             INTEGER PRIMARY KEY REFERENCES credential,
        at_real         INTEGER NOT NULL,
        name            TEXT NOT NULL,
        uid             INTEGER NOT NULL,
        loginuid        INTEGER,
        reason          TEXT
) STRICT;

CREATE TABLE receipt (
        num             INTEGER PRIMARY KEY REFERENCES credential,
        written         INTEGER NOT NULL,
        written_real    INTEGER NOT NULL,
        verdict         TEXT NOT NULL,
        late_usec       INTEGER NOT NULL,
        data            TEXT NOT NULL       -- JSON: evidence, residue, not_covered
) STRICT;

-- The record of all that happened. Each hash covers the row and the hash before it.
CREATE TABLE event (
        seq             INTEGER PRIMARY KEY,
        line            INTEGER NOT NULL,
        real            INTEGER NOT NULL,
        name            TEXT NOT NULL,
        credential      INTEGER,
        previous        INTEGER,            -- the event before it of the same credential
        data            TEXT NOT NULL,      -- JSON object: the journal's fields without CREDD_
        hash            BLOB NOT NULL
) STRICT;
