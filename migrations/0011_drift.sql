-- What the cloud holds otherwise than it should, as last seen. What is not seen any more has no row.
CREATE TABLE drift (
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    customer_id TEXT,
    server_id   TEXT,
    desired     TEXT,
    observed    TEXT,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    times       BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX drift_by_server ON drift (server_id) WHERE server_id IS NOT NULL;
