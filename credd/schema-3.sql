-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Version 3, from version 2: ends that were brought forward, and roles as a whole.

-- Why the end of a session was brought forward; null: it was not. A credd that is started while the session
-- is being ended tells the same of it.
ALTER TABLE session ADD COLUMN why TEXT;

-- What of a role is not past its ceiling; a login does not touch it.
CREATE INDEX credential_role ON credential (role, ceiling) WHERE role IS NOT NULL;
