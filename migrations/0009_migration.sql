-- The move of a customer's servers to a new group: what is planned, while it lasts (JSON).
ALTER TABLE server_group ADD COLUMN migration TEXT;
-- What somebody told a running job, as its operation understands it: `force_off`.
ALTER TABLE job ADD COLUMN signal TEXT;
