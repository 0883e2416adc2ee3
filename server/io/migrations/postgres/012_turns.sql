-- How much work of a lane each tenant was given, in milliseconds of video: start and end of its latest
-- piece on a scale that all share (start-time fair queuing).
CREATE TABLE tenant_turns (
  tenant  TEXT   NOT NULL,
  lane    TEXT   NOT NULL,
  start   BIGINT NOT NULL,
  finish  BIGINT NOT NULL,
  PRIMARY KEY (tenant, lane)
);
CREATE INDEX tenant_turns_start ON tenant_turns (lane, start);
CREATE INDEX tenant_turns_finish ON tenant_turns (lane, finish);
CREATE INDEX jobs_queued_of_tenant ON jobs (tenant) WHERE status = 'QUEUED';
