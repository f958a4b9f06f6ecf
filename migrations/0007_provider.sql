-- Which cloud a job works on: each takes so many at once.
ALTER TABLE job ADD COLUMN provider TEXT NOT NULL DEFAULT 'vcd';
