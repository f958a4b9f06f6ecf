-- Nothing looks jobs up by their state: those of the few states that somebody waits for have an index of their own, and each
-- change of a job wrote this one anew.
DROP INDEX job_by_state;
