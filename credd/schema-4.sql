-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Version 4, from version 3: for whom a session answers that outlives others of its user.

-- From when on what its user starts may be its residue: the login of a session of the same user that ended
-- meanwhile; null: its own login.
ALTER TABLE session ADD COLUMN since INTEGER;
