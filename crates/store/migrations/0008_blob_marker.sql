-- Whose the blobs are: the same identity stands in the object desk.id beside them, so that no desk removes another one's.
CREATE TABLE blob_marker (
    id          BIGINT NOT NULL PRIMARY KEY, -- 1, the only row
    identity    TEXT NOT NULL,
    is_written  BIGINT NOT NULL              -- whether the object was seen there once
) {{shared clustered}};
