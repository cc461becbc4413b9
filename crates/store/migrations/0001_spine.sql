-- The spine: directory, accounts, support addresses, people, tickets, spool, ledger, outbox.
-- Times are unix milliseconds UTC, booleans 0/1, JSON is TEXT. account_id leads every key of tenant data.
-- {{rows}}: an ordinary table. {{clustered}}: kept in key order where the database can. "shared": outside the account walls.

-- Outside the walls: who a host, an address or a subdomain belongs to.
CREATE TABLE directory (
    key         TEXT NOT NULL PRIMARY KEY,   -- host:H, address:A, subdomain:S
    account_id  BIGINT NOT NULL,
    target_id   BIGINT NOT NULL              -- brand of a host, support address of an address, 0 of a subdomain
) {{shared clustered}};

CREATE TABLE id_blocks (
    name        TEXT NOT NULL PRIMARY KEY,
    next_id     BIGINT NOT NULL
) {{shared clustered}};

-- Bumped with every change that the doors or the engine keep in memory.
CREATE TABLE versions (
    name        TEXT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL
) {{shared clustered}};

CREATE TABLE signing_keys (
    version     BIGINT NOT NULL PRIMARY KEY,
    key         {{bytes}} NOT NULL,
    created_at  BIGINT NOT NULL
) {{shared clustered}};

-- Which accounts have something to do, and from when on. A row is added with the work and removed when the work was seen done.
CREATE TABLE work (
    kind        TEXT NOT NULL,
    due_at      BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,
    PRIMARY KEY (kind, due_at, account_id, id)
) {{shared clustered}};

-- One node at a time works an account; the epoch fences off one that was frozen.
CREATE TABLE leases (
    account_id  BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    epoch       BIGINT NOT NULL,
    holder      TEXT NOT NULL,
    until       BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind)
) {{shared clustered}};

CREATE TABLE accounts (
    account_id  BIGINT NOT NULL PRIMARY KEY,
    subdomain   TEXT NOT NULL,
    name        TEXT NOT NULL,
    settings    TEXT NOT NULL,               -- JSON, only what differs from the defaults
    created_at  BIGINT NOT NULL
) {{rows}};

CREATE TABLE counters (
    account_id  BIGINT NOT NULL,
    name        TEXT NOT NULL,
    value       BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
) {{clustered}};

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
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};

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
    recipient         TEXT NOT NULL,         -- the support address the ticket's mail came to
    recipient_matches TEXT NOT NULL,         -- JSON list of every registered address of the mail
    received_by       TEXT NOT NULL,         -- how the address was found, and how far that is trusted: JSON
    written_to        TEXT,                  -- the unregistered address, on a wildcard ticket
    channel           TEXT NOT NULL,
    token             TEXT NOT NULL,
    is_public         BIGINT NOT NULL,
    tags              TEXT NOT NULL,         -- JSON list
    follow_up_of      BIGINT,
    last_message_id   TEXT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    solved_at         BIGINT,
    PRIMARY KEY (account_id, id)
) {{rows}};
CREATE UNIQUE INDEX tickets_by_number ON tickets (account_id, number);
CREATE UNIQUE INDEX tickets_by_token ON tickets (account_id, token);
CREATE INDEX tickets_unsolved ON tickets (account_id, updated_at, id) WHERE status IN ('new', 'open', 'pending', 'hold');
CREATE INDEX tickets_solved ON tickets (account_id, solved_at, id) WHERE status = 'solved';
CREATE INDEX tickets_assigned ON tickets (account_id, assignee_id, id) WHERE assignee_id IS NOT NULL;

CREATE TABLE ticket_ccs (
    account_id  BIGINT NOT NULL,
    ticket_id   BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, ticket_id, user_id)
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
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, ticket_id, id)
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
    body        {{bytes}},                   -- zstd; NULL when it lies in a blob
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
    PRIMARY KEY (account_id, accepted_at, id)
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

CREATE TABLE suspended_tickets (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,             -- the raw mail's
    cause       BIGINT NOT NULL,
    sender      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    detail      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
) {{rows}};

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
