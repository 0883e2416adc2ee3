-- What was learned of each workflow's memory (jobs/admission/profile_store.h), beside what its file
-- said when it was learned.
CREATE TABLE workflow_profiles (
  workflow     TEXT    NOT NULL PRIMARY KEY,
  model        TEXT    NOT NULL DEFAULT '',
  weights      BIGINT NOT NULL DEFAULT 0,
  prior_full   BIGINT NOT NULL DEFAULT 0,
  prior_tiled  BIGINT NOT NULL DEFAULT 0,
  runs         BIGINT NOT NULL DEFAULT 0,
  log_mean     DOUBLE PRECISION NOT NULL DEFAULT 0,
  log_variance DOUBLE PRECISION NOT NULL DEFAULT 0,
  log_maximum  DOUBLE PRECISION NOT NULL DEFAULT 0
);
