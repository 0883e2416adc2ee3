-- What was learned of each workflow's memory (jobs/admission/profile_store.h), beside what its file
-- said when it was learned.
CREATE TABLE workflow_profiles (
  workflow     TEXT    NOT NULL PRIMARY KEY,
  model        TEXT    NOT NULL DEFAULT '',
  weights      INTEGER NOT NULL DEFAULT 0,
  prior_full   INTEGER NOT NULL DEFAULT 0,
  prior_tiled  INTEGER NOT NULL DEFAULT 0,
  runs         INTEGER NOT NULL DEFAULT 0,
  log_mean     REAL NOT NULL DEFAULT 0,
  log_variance REAL NOT NULL DEFAULT 0,
  log_maximum  REAL NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
