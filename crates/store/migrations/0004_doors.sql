-- The doors beside SMTP: what an import has brought in, and whose a token is before its account is known.

-- Mails that an import has spooled, by digest, so that none is taken twice however often it is run.
CREATE TABLE imported_mails (
    account_id  BIGINT NOT NULL,
    digest      {{bytes}} NOT NULL,          -- BLAKE3 of the raw mail with LF line ends, cut to 128 bits
    mail_id     BIGINT NOT NULL,
    PRIMARY KEY (account_id, digest)
) {{clustered}};

-- token:HASH stands in the directory from here on.
-- only sqlite
INSERT INTO directory (key, account_id, target_id)
SELECT 'token:' || lower(hex(hash)), account_id, id FROM tokens WHERE revoked_at IS NULL;
-- end
-- only postgres
INSERT INTO directory (key, account_id, target_id)
SELECT 'token:' || encode(hash, 'hex'), account_id, id FROM tokens WHERE revoked_at IS NULL;
-- end
