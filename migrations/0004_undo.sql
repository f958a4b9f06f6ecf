-- A job that is being taken back, and who asked a running one to stop.
ALTER TABLE job ADD COLUMN undo BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job ADD COLUMN cancel_requested_by TEXT;
