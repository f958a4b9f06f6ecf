-- One text for SQLite and PostgreSQL: TEXT, BIGINT and nothing else. Times are milliseconds since the Unix epoch,
-- ids are UUIDs in their text form, sealed values are base64 of nonce and ciphertext.

CREATE TABLE account (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('customer', 'support', 'admin')),
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);

-- Signed-in and anonymous sessions. The browser holds the id; only its hash is here.
CREATE TABLE session (
    id_hash    TEXT PRIMARY KEY,
    data       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_by_expiry ON session (expires_at);

-- One row a customer: the lock that orders everything that happens to it.
CREATE TABLE context (
    customer_id TEXT PRIMARY KEY REFERENCES account (id),
    last_seq    BIGINT NOT NULL DEFAULT 0,
    version     BIGINT NOT NULL DEFAULT 0,
    last_name   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('job_number', 1000);

CREATE TABLE draft (
    id              TEXT PRIMARY KEY,
    customer_id     TEXT NOT NULL REFERENCES account (id),
    choices         TEXT NOT NULL,
    sealed_password TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    ordered_job_id  TEXT
);
CREATE INDEX draft_by_customer ON draft (customer_id, updated_at);

CREATE TABLE server (
    id             TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL REFERENCES account (id),
    name           TEXT NOT NULL,
    hostname       TEXT NOT NULL,
    template_id    TEXT NOT NULL,
    template_name  TEXT NOT NULL,
    family         TEXT NOT NULL,
    vcpu           BIGINT NOT NULL,
    ram_gb         BIGINT NOT NULL,
    disk_gb        BIGINT NOT NULL,
    bandwidth_mbit BIGINT NOT NULL,
    price_minor    BIGINT NOT NULL,
    method         TEXT NOT NULL,
    guest_login    TEXT NOT NULL,
    own_password   BIGINT NOT NULL,
    ssh_keys       TEXT NOT NULL,
    state          TEXT NOT NULL,
    address        TEXT,
    machine_ref    TEXT,
    network_ref    TEXT,
    observed_power TEXT,
    observed_at    BIGINT,
    created_at     BIGINT NOT NULL,
    terminated_at  BIGINT
);
CREATE INDEX server_by_customer ON server (customer_id, created_at);

-- Sealed values of a server: 'job' is what its job needs, 'reveal' waits to be shown once.
CREATE TABLE secret (
    server_id   TEXT NOT NULL REFERENCES server (id),
    purpose     TEXT NOT NULL CHECK (purpose IN ('job', 'reveal')),
    sealed      TEXT NOT NULL,
    expires_at  BIGINT,
    revealed_at BIGINT,
    PRIMARY KEY (server_id, purpose)
);

-- The pool. An edge carries one server's network: the constraint makes a double allocation impossible.
CREATE TABLE edge (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL UNIQUE,
    provider_ref   TEXT NOT NULL UNIQUE,
    state          TEXT NOT NULL CHECK (state IN ('free', 'claimed', 'bound', 'draining', 'quarantined')),
    server_id      TEXT UNIQUE REFERENCES server (id),
    job_id         TEXT,
    since          BIGINT NOT NULL,
    gateway        TEXT NOT NULL,
    prefix_length  BIGINT NOT NULL,
    first_address  TEXT NOT NULL,
    last_address   TEXT NOT NULL,
    bandwidth_mbit BIGINT,
    network_name   TEXT,
    observed_networks BIGINT,
    observed_at    BIGINT,
    CHECK ((state IN ('free', 'quarantined')) = (server_id IS NULL) OR state = 'quarantined')
);
CREATE INDEX edge_by_state ON edge (state, name);

-- The customer's group of servers on the platform (one vApp).
CREATE TABLE server_group (
    customer_id TEXT PRIMARY KEY REFERENCES account (id),
    name        TEXT NOT NULL UNIQUE,
    group_ref   TEXT,
    observed_machines BIGINT,
    observed_networks BIGINT,
    observed_at BIGINT
);

CREATE TABLE job (
    id               TEXT PRIMARY KEY,
    number           BIGINT NOT NULL UNIQUE,
    context_id       TEXT NOT NULL REFERENCES context (customer_id),
    seq              BIGINT NOT NULL,
    kind             TEXT NOT NULL,
    server_id        TEXT REFERENCES server (id),
    params           TEXT NOT NULL,
    shape            BIGINT NOT NULL,
    state            TEXT NOT NULL,
    hold_on_failure  TEXT NOT NULL,
    epoch            BIGINT NOT NULL DEFAULT 0,
    admitted_at      BIGINT,
    claim_owner      TEXT,
    claim_expires_at BIGINT,
    next_attempt_at  BIGINT,
    needs_job_id     TEXT,
    requested_by     TEXT NOT NULL REFERENCES account (id),
    request_id       TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    cause            TEXT,
    detail           TEXT,
    UNIQUE (context_id, seq)
);
CREATE INDEX job_admitted ON job (admitted_at) WHERE state = 'queued' AND admitted_at IS NOT NULL;
CREATE INDEX job_due ON job (next_attempt_at) WHERE state = 'retry_wait';
CREATE INDEX job_claimed ON job (claim_expires_at) WHERE state IN ('running', 'rolling_back');
CREATE INDEX job_unfinished ON job (context_id, seq) WHERE finished_at IS NULL;
CREATE INDEX job_by_server ON job (server_id, number);
CREATE INDEX job_by_state ON job (state, number);

CREATE TABLE job_step (
    job_id         TEXT NOT NULL REFERENCES job (id),
    ord            BIGINT NOT NULL,
    key            TEXT NOT NULL,
    state          TEXT NOT NULL,
    attempt        BIGINT NOT NULL DEFAULT 0,
    started_at     BIGINT,
    finished_at    BIGINT,
    first_tried_at BIGINT,
    retry_at       BIGINT,
    provider_task  TEXT,
    output         TEXT,
    cause          TEXT,
    detail         TEXT,
    PRIMARY KEY (job_id, key)
);

-- What happened, in the order in which it was committed within its context.
CREATE TABLE job_event (
    context_id TEXT NOT NULL,
    version    BIGINT NOT NULL,
    job_id     TEXT NOT NULL REFERENCES job (id),
    at         BIGINT NOT NULL,
    what       TEXT NOT NULL,
    step       TEXT,
    detail     TEXT,
    PRIMARY KEY (context_id, version)
);
CREATE INDEX event_by_job ON job_event (job_id, version);

CREATE TABLE idempotency (
    customer_id TEXT NOT NULL,
    key         TEXT NOT NULL,
    body_hash   TEXT NOT NULL,
    job_id      TEXT NOT NULL REFERENCES job (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (customer_id, key)
);
