-- Ways to lists: the ledger in the order of time, and the mail that a ticket sent.
CREATE INDEX ledger_by_time ON ledger (account_id, accepted_at, id);
CREATE INDEX outgoing_mails_by_time ON outgoing_mails (account_id, created_at, id);
CREATE INDEX outgoing_mails_by_ticket ON outgoing_mails (account_id, ticket_id, id) WHERE ticket_id IS NOT NULL;
