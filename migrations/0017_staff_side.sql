-- What was done by hand, to what, by whom and why. Its ids are in the order of time.
CREATE TABLE audit (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    -- Nobody: the command line.
    account_id TEXT REFERENCES account (id),
    what       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject_id, id);
CREATE INDEX audit_by_account ON audit (account_id, id);
CREATE INDEX audit_by_what ON audit (what, id);
-- Every state that an edge has come to, and for whom. Its ids are in the order of time.
CREATE TABLE edge_event (
    id        TEXT PRIMARY KEY,
    edge_id   TEXT NOT NULL REFERENCES edge (id),
    at        BIGINT NOT NULL,
    state     TEXT NOT NULL,
    server_id TEXT,
    job_id    TEXT
);
CREATE INDEX edge_event_by_edge ON edge_event (edge_id, id);
CREATE INDEX edge_event_by_state ON edge_event (state, at);
-- Processes that run jobs, and when each was heard of last.
CREATE TABLE worker (
    name    TEXT PRIMARY KEY,
    began   BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    slots   BIGINT NOT NULL,
    version TEXT NOT NULL
);
-- Counted by the day.
CREATE INDEX server_by_day ON server (created_at);
CREATE INDEX server_by_end ON server (terminated_at) WHERE terminated_at IS NOT NULL;
-- What of a group was seen on the platform last, as JSON.
ALTER TABLE server_group ADD COLUMN seen TEXT;
-- What nobody owns is taken away once somebody has said so: who, when, why, and what the last try came to.
ALTER TABLE drift ADD COLUMN clear_by TEXT REFERENCES account (id);
ALTER TABLE drift ADD COLUMN clear_at BIGINT;
ALTER TABLE drift ADD COLUMN clear_why TEXT;
ALTER TABLE drift ADD COLUMN clear_error TEXT;
-- What staff tell each other of a customer.
CREATE TABLE customer_note (
    id          TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES account (id),
    account_id  TEXT NOT NULL REFERENCES account (id),
    at          BIGINT NOT NULL,
    text        TEXT NOT NULL
);
CREATE INDEX note_by_customer ON customer_note (customer_id, id);
-- Changes of the catalogue: each replaces one part of it (JSON) from a moment on.
CREATE TABLE catalogue_change (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    account_id TEXT NOT NULL REFERENCES account (id),
    why        TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    subject    TEXT NOT NULL,
    value      TEXT NOT NULL
);
CREATE INDEX catalogue_change_by_time ON catalogue_change (valid_from, id);
