-- Why an edge stays out of the pool: a network of it that could not be taken away, or staff who keep it out.
ALTER TABLE edge ADD COLUMN held TEXT;
-- Staff keep it out: it does not come back when its network is gone.
ALTER TABLE edge ADD COLUMN kept_out BIGINT NOT NULL DEFAULT 0;
-- The server that is leaving this edge for another one, until its network is gone.
ALTER TABLE edge ADD COLUMN leaving_id TEXT REFERENCES server (id);
CREATE UNIQUE INDEX edge_by_leaving ON edge (leaving_id) WHERE leaving_id IS NOT NULL;
-- How often a server has changed its edge: part of its network's name, as the old network and the new one are there at once.
ALTER TABLE server ADD COLUMN network_turn BIGINT NOT NULL DEFAULT 0;
