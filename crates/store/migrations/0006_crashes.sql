-- What a program that stopped in the middle leaves behind, so that a mail that stops it each time is found.
ALTER TABLE leases ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;    -- without a batch closed in between
ALTER TABLE leases ADD COLUMN oldest_mail BIGINT;                   -- the oldest undecided mail at the last of them
ALTER TABLE leases ADD COLUMN tried_mail BIGINT;                    -- the mail that is worked alone
