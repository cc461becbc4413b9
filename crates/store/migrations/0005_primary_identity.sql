-- One primary address a person, and the way to it: without this index SQLite, which keeps no statistics here, goes through
-- all people of the account for each one that is asked for.
CREATE UNIQUE INDEX identities_primary ON identities (account_id, user_id) WHERE is_primary = 1;
