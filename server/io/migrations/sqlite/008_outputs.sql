-- Where the outputs of the run that won lie (jobs::output_key()). '' until the job is DONE, and of
-- jobs that were DONE before: theirs lie where the links are, in jobs/{id}.
ALTER TABLE jobs ADD COLUMN output_folder TEXT NOT NULL DEFAULT '';
