-- What the platform says may grow while a server runs, and since when it has a snapshot.
ALTER TABLE server ADD COLUMN cpu_hot_add BIGINT NOT NULL DEFAULT 0;
ALTER TABLE server ADD COLUMN ram_hot_add BIGINT NOT NULL DEFAULT 0;
ALTER TABLE server ADD COLUMN snapshot_at BIGINT;
-- The address that a server is about to get.
ALTER TABLE server ADD COLUMN next_address TEXT;
-- Addresses that rest before they are given to anybody again.
CREATE TABLE address_rest (
    edge_id TEXT NOT NULL REFERENCES edge (id),
    address TEXT NOT NULL,
    until   BIGINT NOT NULL,
    PRIMARY KEY (edge_id, address)
);
-- Which operation made a password that waits to be shown.
ALTER TABLE secret ADD COLUMN reveal_of TEXT;
