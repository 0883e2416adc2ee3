-- Where the outputs of the run that won lie, see migrations/sqlite.
ALTER TABLE jobs ADD COLUMN output_folder TEXT NOT NULL DEFAULT '';
