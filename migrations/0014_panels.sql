-- The control panel of a server: which one, what it costs a month, and since when it is there.
ALTER TABLE server ADD COLUMN panel_id TEXT;
ALTER TABLE server ADD COLUMN panel_name TEXT;
ALTER TABLE server ADD COLUMN panel_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE server ADD COLUMN panel_at BIGINT;
CREATE INDEX server_by_panel ON server (panel_id) WHERE panel_id IS NOT NULL AND terminated_at IS NULL;
-- Licences are counted under the lock of this row.
INSERT INTO counter (name, value) VALUES ('licences', 0);
-- The way into a guest that a job has for itself: its private half, sealed. It goes when the job is over.
CREATE TABLE job_way (
    job_id    TEXT PRIMARY KEY REFERENCES job (id),
    server_id TEXT NOT NULL REFERENCES server (id),
    public    TEXT NOT NULL,
    sealed    TEXT NOT NULL
);
CREATE INDEX way_by_server ON job_way (server_id);
-- What a step says while it is under way, line by line, for staff.
CREATE TABLE job_log (
    job_id TEXT NOT NULL REFERENCES job (id),
    line   BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    step   TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (job_id, line)
);
-- How far a step is, as JSON.
ALTER TABLE job_step ADD COLUMN progress TEXT;
CREATE INDEX job_by_need ON job (needs_job_id) WHERE needs_job_id IS NOT NULL;
