-- The first schema: directory, work, accounts, support addresses, people, tickets, spool, ledger, outbox.
-- Times are unix milliseconds UTC, booleans 0/1, JSON is TEXT. account_id leads every key of tenant data.
-- {{rows}}: an ordinary table. {{clustered}}: kept in key order where the database can. "shared": outside the account walls.

-- Outside the walls: who a host, an address or a subdomain belongs to.
CREATE TABLE directory (
    key         TEXT NOT NULL PRIMARY KEY,   -- host:H, address:A, subdomain:S, token:HASH
    account_id  BIGINT NOT NULL,
    target_id   BIGINT NOT NULL              -- brand of a host, support address of an address, token of a hash, 0 of a subdomain
) {{shared clustered}};

CREATE TABLE id_blocks (
    name        TEXT NOT NULL PRIMARY KEY,
    next_id     BIGINT NOT NULL
) {{shared clustered}};

-- Counted up with every change of what the doors keep in memory.
CREATE TABLE versions (
    name        TEXT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL
) {{shared clustered}};

CREATE TABLE signing_keys (
    version     BIGINT NOT NULL PRIMARY KEY,
    key         {{bytes}} NOT NULL,
    created_at  BIGINT NOT NULL
) {{shared clustered}};

-- When there is something to do next for an account, by kind, and who may do it. The time is read from the rows it is
-- about when they have been processed, and moved forward in the transaction that adds one.
CREATE TABLE work (
    kind        TEXT NOT NULL,               -- mail, outbox, close, purge, digest, probe
    account_id  BIGINT NOT NULL,
    due_at      BIGINT,                      -- by the database's clock; 0: at once; NULL: nothing waits
    epoch       BIGINT NOT NULL,             -- counts the claims: the holder of an older one has lost it
    holder      TEXT NOT NULL,               -- the node that claimed it last
    until       BIGINT NOT NULL,             -- the lease lasts until then, by the database's clock; 0: it was released
    crashes     BIGINT NOT NULL,             -- programs that stopped with it in hand, without a completed batch
    oldest_mail BIGINT,                      -- the oldest undecided mail at the last of them
    tried_mail  BIGINT,                      -- the mail that is processed alone
    PRIMARY KEY (kind, account_id)
) {{shared clustered}};
CREATE INDEX work_due ON work (kind, due_at, account_id) WHERE due_at IS NOT NULL;

-- Whose the blobs are: the same identity stands in the object desk.id among them, so no desk removes another one's.
CREATE TABLE blob_marker (
    id          BIGINT NOT NULL PRIMARY KEY, -- 1, the only row
    identity    TEXT NOT NULL,
    is_written  BIGINT NOT NULL              -- whether the object was seen there once
) {{shared clustered}};

-- The row that everything that writes an account's tickets, people or configuration locks first.
CREATE TABLE account_state (
    account_id    BIGINT NOT NULL PRIMARY KEY,
    epoch         BIGINT NOT NULL,           -- of the claim under which its mail was last decided
    change        BIGINT NOT NULL,           -- the change number: how many transactions have written the account
    ticket_number BIGINT NOT NULL,           -- the last one given
    version       BIGINT NOT NULL            -- of its configuration
) {{clustered}};

CREATE TABLE accounts (
    account_id  BIGINT NOT NULL PRIMARY KEY,
    subdomain   TEXT NOT NULL,
    name        TEXT NOT NULL,
    settings    TEXT NOT NULL,               -- JSON, only what differs from the defaults
    created_at  BIGINT NOT NULL
) {{rows}};

CREATE TABLE brands (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT NOT NULL,
    subdomain   TEXT NOT NULL,
    native_host TEXT NOT NULL,
    is_default  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};

CREATE TABLE support_addresses (
    account_id        BIGINT NOT NULL,
    id                BIGINT NOT NULL,
    brand_id          BIGINT NOT NULL,
    email             TEXT NOT NULL,         -- lower-cased key
    written           TEXT NOT NULL,         -- as the admin wrote it
    name              TEXT NOT NULL,
    kind              TEXT NOT NULL,         -- native, external
    is_default        BIGINT NOT NULL,
    is_system         BIGINT NOT NULL,
    forwarding_status TEXT NOT NULL,         -- unknown, waiting, verified, failed
    forwards_to       TEXT,                  -- native address the probe came back at
    probe_token       TEXT,
    probe_sent_at     BIGINT,
    last_verified_at  BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE UNIQUE INDEX support_addresses_by_email ON support_addresses (account_id, email);

CREATE TABLE users (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL,               -- end-user, agent, admin
    is_suspended BIGINT NOT NULL,
    is_verified BIGINT NOT NULL,              -- proved an address to be theirs, or was entered by an operator
    locale      TEXT,                         -- BCP 47, when it is known
    organization_id BIGINT,                   -- the default one
    created_at  BIGINT NOT NULL,
    change      BIGINT NOT NULL,             -- the change number of the transaction that last wrote it
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE INDEX users_admins ON users (account_id, id) WHERE role = 'admin';

CREATE TABLE identities (
    account_id  BIGINT NOT NULL,
    address     TEXT NOT NULL,               -- lower-cased key
    user_id     BIGINT NOT NULL,
    written     TEXT NOT NULL,
    is_primary  BIGINT NOT NULL,
    deliverable_state TEXT NOT NULL,         -- deliverable, undeliverable
    bounce_count BIGINT NOT NULL,
    PRIMARY KEY (account_id, address)
) {{clustered}};
CREATE INDEX identities_by_user ON identities (account_id, user_id);
-- One primary address a person, and the way to it: without this index SQLite, which keeps few statistics, goes through all
-- people of the account for each one that is asked for.
CREATE UNIQUE INDEX identities_primary ON identities (account_id, user_id) WHERE is_primary = 1;

CREATE TABLE organizations (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    change      BIGINT NOT NULL,             -- the change number of the transaction that last wrote it
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

CREATE TABLE tickets (
    account_id        BIGINT NOT NULL,
    id                BIGINT NOT NULL,
    number            BIGINT NOT NULL,
    brand_id          BIGINT NOT NULL,
    subject           TEXT NOT NULL,
    status            TEXT NOT NULL,
    requester_id      BIGINT NOT NULL,
    submitter_id      BIGINT NOT NULL,
    assignee_id       BIGINT,
    organization_id   BIGINT,
    priority          TEXT,                  -- low, normal, high, urgent
    ticket_type       TEXT,                  -- question, incident, problem, task
    recipient         TEXT NOT NULL,         -- the support address the ticket's mail came to
    recipient_matches TEXT NOT NULL,         -- JSON list of every registered address of the mail
    received_by       TEXT NOT NULL,         -- how the address was found, and how far that is trusted: JSON
    written_to        TEXT,                  -- the unregistered address, on a wildcard ticket
    channel           TEXT NOT NULL,
    token             TEXT NOT NULL,
    is_public         BIGINT NOT NULL,
    is_machine        BIGINT NOT NULL,       -- a machine asks: nothing automatic is sent to it
    tags              TEXT NOT NULL,         -- JSON list, as it is shown; ticket_tags finds by it
    follow_up_of      BIGINT,
    last_message_id   TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    solved_at         BIGINT,
    change            BIGINT NOT NULL,       -- the change number of the transaction that last wrote it
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE UNIQUE INDEX tickets_by_number ON tickets (account_id, number);
CREATE UNIQUE INDEX tickets_by_token ON tickets (account_id, token);
CREATE INDEX tickets_unsolved ON tickets (account_id, updated_at, id) WHERE status IN ('new', 'open', 'pending', 'hold');
CREATE INDEX tickets_solved ON tickets (account_id, solved_at, id) WHERE status = 'solved';
CREATE INDEX tickets_by_change ON tickets (account_id, change, id);
CREATE INDEX tickets_assigned ON tickets (account_id, assignee_id, id) WHERE assignee_id IS NOT NULL;

CREATE TABLE ticket_ccs (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, ticket_id, user_id)
) {{clustered}};

CREATE TABLE ticket_followers (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, ticket_id, user_id)
) {{clustered}};

-- The tickets that have a tag.
CREATE TABLE ticket_tags (
    account_id  BIGINT NOT NULL,
    tag         TEXT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    PRIMARY KEY (account_id, tag, ticket_id)
) {{clustered}};

CREATE TABLE comments (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    author_id   BIGINT NOT NULL,
    is_public   BIGINT NOT NULL,
    is_cut      BIGINT NOT NULL,             -- text beyond 65,000 characters is reachable through the raw mail only
    body        TEXT NOT NULL,
    raw_id      BIGINT,                      -- the mail it came by
    flags       TEXT NOT NULL,               -- JSON list of comment flags
    hidden      TEXT NOT NULL,               -- JSON list of ranges that are shown collapsed
    created_at  BIGINT NOT NULL,
    -- In the order of time, which ids of several nodes are not in, so that the newest are found without sorting all.
    PRIMARY KEY (account_id, ticket_id, created_at, id)
) {{rows}};

CREATE TABLE attachments (
    account_id  BIGINT NOT NULL,
    comment_id  BIGINT NOT NULL,
    part        BIGINT NOT NULL,             -- which part of the raw mail
    raw_id      BIGINT NOT NULL,
    name        TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content_id  TEXT,
    size_bytes  BIGINT NOT NULL,
    is_inline   BIGINT NOT NULL,
    PRIMARY KEY (account_id, comment_id, part)
) {{clustered}};

CREATE TABLE audits (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    author_id   BIGINT NOT NULL,
    channel     TEXT NOT NULL,
    events      TEXT NOT NULL,               -- JSON list, versioned by its "v"
    created_at  BIGINT NOT NULL,
    change      BIGINT NOT NULL,             -- the change number of the transaction that last wrote it
    PRIMARY KEY (account_id, ticket_id, id)
) {{clustered}};

-- Every Message-ID in or out, and those only seen in References.
CREATE TABLE message_ids (
    account_id  BIGINT NOT NULL,
    hash        BIGINT NOT NULL,             -- of the text, so that the key is short whatever was sent
    message_id  TEXT NOT NULL,
    kind        TEXT NOT NULL,               -- in, out, seen
    ticket_id   BIGINT,
    mail_id     BIGINT NOT NULL,             -- raw mail (in, seen) or outgoing mail (out)
    fingerprint {{bytes}},                   -- From, Date and digest of an inbound mail
    PRIMARY KEY (account_id, hash)
) {{clustered}};

-- The raw mail, once and for good.
CREATE TABLE raw_mails (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    size_bytes  BIGINT NOT NULL,             -- before compression
    body        {{bytes}},                   -- zstd; NULL when it is in a blob
    blob        TEXT,
    PRIMARY KEY (account_id, id)
) {{rows}};
-- only postgres
-- Compressed already: do not try again.
ALTER TABLE raw_mails ALTER COLUMN body SET STORAGE EXTERNAL;
-- end

-- Accepted and not decided yet; the id is the raw mail's.
CREATE TABLE spool (
    account_id  BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    envelope    TEXT NOT NULL,               -- JSON
    troubled_since BIGINT,                   -- since when it has kept its account from going on
    troubled_at BIGINT,                      -- when it last did
    PRIMARY KEY (account_id, accepted_at, id)
) {{clustered}};
CREATE INDEX spool_troubled ON spool (account_id, troubled_since, id) WHERE troubled_since IS NOT NULL;

-- Mails that an import has spooled, by digest, so that none is taken twice however often it is run.
CREATE TABLE imported_mails (
    account_id  BIGINT NOT NULL,
    digest      {{bytes}} NOT NULL,          -- BLAKE3 of the raw mail with LF line ends, cut to 128 bits
    mail_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, digest)
) {{clustered}};

-- What became of every mail that came in; the id is the raw mail's.
CREATE TABLE ledger (
    account_id   BIGINT NOT NULL,
    id           BIGINT NOT NULL,
    accepted_at  BIGINT NOT NULL,
    decided_at   BIGINT NOT NULL,
    message_id   TEXT NOT NULL,
    message_hash BIGINT NOT NULL,
    outcome      TEXT NOT NULL,
    reason       TEXT NOT NULL,
    reasons      TEXT NOT NULL,              -- JSON list: the steps before the reason
    ticket_id    BIGINT,
    ticket_number BIGINT,
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE INDEX ledger_by_message_id ON ledger (account_id, message_hash);
CREATE INDEX ledger_by_time ON ledger (account_id, accepted_at, id);

CREATE TABLE suspended_tickets (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,             -- the raw mail's
    cause       BIGINT NOT NULL,
    sender      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    detail      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    change      BIGINT NOT NULL,             -- the change number of the transaction that wrote it
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE INDEX suspended_tickets_by_age ON suspended_tickets (account_id, created_at, id);
-- Those that expire: what we could not work stays until a person has seen it.
CREATE INDEX suspended_tickets_expiring ON suspended_tickets (account_id, created_at, id) WHERE cause NOT IN (19, 24);

-- What SMTP said of mail that made neither a ticket nor a comment and may be decided again.
CREATE TABLE envelopes (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,             -- the raw mail's
    envelope    TEXT NOT NULL,               -- JSON
    PRIMARY KEY (account_id, id)
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

-- One row a mail that leaves; its bytes are made once, before the first attempt.
CREATE TABLE outgoing_mails (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    ticket_id   BIGINT,
    ticket_number BIGINT,
    comment_id  BIGINT,
    kind        TEXT NOT NULL,               -- acknowledgement, comment, probe
    message_id  TEXT NOT NULL,
    content     TEXT NOT NULL,               -- JSON: the values at the event
    raw         {{bytes}},                   -- zstd, from the first attempt on
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE INDEX outgoing_mails_by_time ON outgoing_mails (account_id, created_at, id);
CREATE INDEX outgoing_mails_by_ticket ON outgoing_mails (account_id, ticket_id, id) WHERE ticket_id IS NOT NULL;

-- One row a recipient.
CREATE TABLE outbox (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    mail_id     BIGINT NOT NULL,
    recipient   TEXT NOT NULL,
    state       TEXT NOT NULL,               -- waiting, queued, sending, sent, deferred, bounced, suppressed, expired
    attempts    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    last_answer TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE INDEX outbox_due ON outbox (account_id, due_at, id) WHERE state IN ('waiting', 'queued', 'sending', 'deferred');
CREATE INDEX outbox_by_mail ON outbox (account_id, mail_id);

-- What waits for a time and has no index of its own.
CREATE TABLE timers (
    account_id  BIGINT NOT NULL,
    kind        TEXT NOT NULL,               -- as in work
    due_at      BIGINT NOT NULL,
    subject     BIGINT NOT NULL,             -- what it is about: a support address; 0: the account
    PRIMARY KEY (account_id, kind, due_at, subject)
) {{clustered}};

-- How far something of an account has come: the time up to which held mail was told of.
CREATE TABLE marks (
    account_id  BIGINT NOT NULL,
    name        TEXT NOT NULL,               -- suspended_told
    value       BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
) {{clustered}};

-- What was deleted, for those who follow an account by its change number.
CREATE TABLE tombstones (
    account_id  BIGINT NOT NULL,
    change      BIGINT NOT NULL,
    kind        TEXT NOT NULL,               -- suspended_ticket
    id          BIGINT NOT NULL,
    PRIMARY KEY (account_id, change, kind, id)
) {{clustered}};

CREATE TABLE tokens (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    name        TEXT NOT NULL,
    user_id     BIGINT NOT NULL,
    hash        {{bytes}} NOT NULL,
    created_at  BIGINT NOT NULL,
    revoked_at  BIGINT,
    PRIMARY KEY (account_id, id)
) {{rows}};

-- Who changed what of the configuration.
CREATE TABLE events (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    detail      TEXT NOT NULL,               -- JSON
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};
