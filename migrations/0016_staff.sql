-- Who of the staff looks after a job.
ALTER TABLE job ADD COLUMN assignee_id TEXT REFERENCES account (id);
CREATE INDEX job_by_assignee ON job (assignee_id, number) WHERE assignee_id IS NOT NULL;
-- What staff look for by its state. A job that simply runs and succeeds is never in it, so that it costs such a job nothing.
CREATE INDEX job_aside ON job (state, number)
    WHERE state = 'failed' OR state = 'stuck' OR state = 'retry_wait' OR state = 'parked' OR state = 'rolling_back'
       OR state = 'rolled_back' OR state = 'cancelled';
-- Counted by the day.
CREATE INDEX job_succeeded ON job (finished_at) WHERE state = 'succeeded';
-- The same as `job_needing`, which is older.
DROP INDEX job_by_need;
