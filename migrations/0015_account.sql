-- Whose a session is, what it was opened with and when: what its owner sees of it, and by what it is ended.
ALTER TABLE session ADD COLUMN account_id TEXT;
ALTER TABLE session ADD COLUMN device TEXT;
ALTER TABLE session ADD COLUMN since BIGINT;
CREATE INDEX session_by_account ON session (account_id) WHERE account_id IS NOT NULL;
-- Keys that an account keeps for the servers that it orders.
CREATE TABLE ssh_key (
    id          TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (id),
    name        TEXT NOT NULL,
    line        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- New orders begin with it.
    preset      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (account_id, fingerprint)
);
