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
-- An event belongs to its job by how it is written, in one transaction with it; asking for each whether the job is there
-- costs more than the event.
CREATE TABLE event (
    context_id TEXT NOT NULL,
    version    BIGINT NOT NULL,
    job_id     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    what       TEXT NOT NULL,
    step       TEXT,
    detail     TEXT,
    PRIMARY KEY (context_id, version)
);
INSERT INTO event (context_id, version, job_id, at, what, step, detail)
    SELECT context_id, version, job_id, at, what, step, detail FROM job_event;
DROP TABLE job_event;
ALTER TABLE event RENAME TO job_event;
CREATE INDEX event_by_job ON job_event (job_id, version);
