-- The number of the latest write of a claim, and whether it was told to stop: a repeat of one whose answer was lost is known
-- for what it is.
ALTER TABLE job ADD COLUMN last_write BIGINT NOT NULL DEFAULT 0;
