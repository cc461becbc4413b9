-- The life of a suspended ticket: what SMTP said of a mail that may be decided anew, and the order in which held mail is purged.

-- Of mails that made neither a ticket nor a comment; the others' is not needed any more.
CREATE TABLE envelopes (
    account_id  BIGINT NOT NULL,
    id          BIGINT NOT NULL,             -- the raw mail's
    envelope    TEXT NOT NULL,               -- JSON
    PRIMARY KEY (account_id, id)
) {{clustered}};

CREATE INDEX suspended_tickets_by_age ON suspended_tickets (account_id, created_at, id);
