-- Jobs that wait for an edge, longest first.
ALTER TABLE job ADD COLUMN parked_at BIGINT;
CREATE INDEX job_parked ON job (parked_at, number) WHERE state = 'parked';
-- Who waits for a job's success.
CREATE INDEX job_needing ON job (needs_job_id) WHERE needs_job_id IS NOT NULL;
