-- Understanding mail: followers, organizations, languages, collapsed ranges of a comment, what was counted of senders.

ALTER TABLE users ADD COLUMN locale TEXT;                            -- BCP 47, when it is known
ALTER TABLE users ADD COLUMN organization_id BIGINT;                 -- the default one
ALTER TABLE users ADD COLUMN is_verified BIGINT NOT NULL DEFAULT 0;  -- proved an address to be theirs, or entered by an operator
UPDATE users SET is_verified = 1 WHERE role <> 'end-user';

ALTER TABLE tickets ADD COLUMN is_machine BIGINT NOT NULL DEFAULT 0; -- a machine asks: nothing automatic is sent to it
ALTER TABLE tickets ADD COLUMN organization_id BIGINT;
ALTER TABLE tickets ADD COLUMN priority TEXT;                        -- low, normal, high, urgent
ALTER TABLE tickets ADD COLUMN ticket_type TEXT;                     -- question, incident, problem, task

ALTER TABLE comments ADD COLUMN hidden TEXT NOT NULL DEFAULT '[]';   -- JSON list of ranges that are shown collapsed

CREATE TABLE ticket_followers (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, ticket_id, user_id)
) {{clustered}};

CREATE TABLE organizations (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};

-- Mail from a domain makes its people members.
CREATE TABLE organization_domains (
    account_id      BIGINT NOT NULL,
    domain          TEXT NOT NULL,           -- lower-cased
    organization_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, domain, organization_id)
) {{clustered}};

CREATE TABLE memberships (
    account_id      BIGINT NOT NULL,
    user_id         BIGINT NOT NULL,
    organization_id BIGINT NOT NULL,
    is_default      BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id, organization_id)
) {{clustered}};

-- What the loop guard counted: one row for a sender while it writes, gone some hours later.
CREATE TABLE sender_rates (
    account_id   BIGINT NOT NULL,
    sender       TEXT NOT NULL,              -- how its authentication stands, and the address in From
    window_start BIGINT NOT NULL,
    count        BIGINT NOT NULL,
    held_until   BIGINT,
    PRIMARY KEY (account_id, sender)
) {{clustered}};
CREATE INDEX sender_rates_old ON sender_rates (account_id, window_start);
