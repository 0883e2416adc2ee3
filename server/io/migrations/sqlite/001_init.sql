-- Times are microseconds since 1970-01-01 UTC. Status names are those of the API.
CREATE TABLE jobs (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT    NOT NULL UNIQUE,
  tenant           TEXT    NOT NULL,
  status           TEXT    NOT NULL CHECK (status IN ('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS',
                                                      'ASSEMBLING', 'DONE', 'FAILED', 'CANCELLED')),
  spec             TEXT    NOT NULL,
  priority         INTEGER NOT NULL,
  run              INTEGER NOT NULL DEFAULT 1,
  attempts         INTEGER NOT NULL DEFAULT 0,
  crashes          INTEGER NOT NULL DEFAULT 0,
  progress_pct     INTEGER NOT NULL DEFAULT 0,
  fallback_used    INTEGER NOT NULL DEFAULT 0,
  fallback_reason  TEXT,
  error            TEXT,
  version          INTEGER NOT NULL DEFAULT 1,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  completed_at     INTEGER,
  epoch            INTEGER NOT NULL DEFAULT 0,
  lease_holder     TEXT    NOT NULL DEFAULT '',
  lease_expires_at INTEGER NOT NULL DEFAULT 0,
  not_before       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX jobs_by_tenant ON jobs (tenant, seq);
CREATE INDEX jobs_by_status ON jobs (status, seq);
CREATE INDEX jobs_queued ON jobs (priority, seq) WHERE status = 'QUEUED';
CREATE INDEX jobs_live ON jobs (priority DESC, seq)
  WHERE status IN ('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING');

-- A change by hand is seen by followers too: it grows the version like any other.
CREATE TRIGGER jobs_changed_by_hand AFTER UPDATE OF status, error, priority ON jobs
  WHEN NEW.version = OLD.version
BEGIN
  UPDATE jobs
     SET version = OLD.version + 1,
         updated_at = CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)
   WHERE seq = NEW.seq;
END;

CREATE TABLE segments (
  job_id           TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  idx              INTEGER NOT NULL,
  status           TEXT    NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')),
  duration_seconds INTEGER NOT NULL,
  engine_used      TEXT    NOT NULL DEFAULT '',
  content_key      TEXT    NOT NULL DEFAULT '',
  artifact_key     TEXT    NOT NULL DEFAULT '',
  artifact_sha256  TEXT    NOT NULL DEFAULT '',
  error            TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (job_id, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
  tenant          TEXT    NOT NULL,
  idempotency_key TEXT    NOT NULL,
  body_sha256     TEXT    NOT NULL,
  job_id          TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  segments        INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (tenant, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE assets (
  tenant      TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  client_name TEXT    NOT NULL,
  category    TEXT    NOT NULL,
  format      TEXT    NOT NULL,
  size        INTEGER NOT NULL,
  sha256      TEXT    NOT NULL,
  width       INTEGER NOT NULL,
  height      INTEGER NOT NULL,
  has_alpha   INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

-- The last fencing number given out.
CREATE TABLE epochs (last INTEGER NOT NULL) STRICT;
INSERT INTO epochs (last) VALUES (0);
