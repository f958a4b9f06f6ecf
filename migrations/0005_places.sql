-- Locked by whoever claims one of the last places.
INSERT INTO counter (name, value) VALUES ('places', 0);
