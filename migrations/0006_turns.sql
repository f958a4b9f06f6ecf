-- Where something may start: the head of each context, so that whoever looks for work reads a few rows however many jobs
-- are queued. Jobs under way in it, and since when the oldest job that may start waits.
ALTER TABLE context ADD COLUMN running BIGINT NOT NULL DEFAULT 0;
ALTER TABLE context ADD COLUMN ready_at BIGINT;
CREATE INDEX context_ready ON context (running, ready_at) WHERE ready_at IS NOT NULL;
DROP INDEX job_admitted;
-- Jobs that were started together.
ALTER TABLE job ADD COLUMN unit_id TEXT;
-- Waiting, not trying, is what patience is measured by.
ALTER TABLE job_step ADD COLUMN retries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_step ADD COLUMN waited_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_step ADD COLUMN unknown BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_step DROP COLUMN first_tried_at;
-- Whose a secret is: it goes with its job.
ALTER TABLE secret ADD COLUMN job_id TEXT;
CREATE INDEX secret_by_job ON secret (job_id) WHERE job_id IS NOT NULL;
-- A customer's history, newest first.
CREATE INDEX job_by_context ON job (context_id, number);
