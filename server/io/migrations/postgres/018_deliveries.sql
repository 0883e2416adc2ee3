-- What became of each attempt to tell an event, for people who look: when the last one began, whether
-- it is still under way, what the last that failed said.
ALTER TABLE outbox ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN sending BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN last_error TEXT NOT NULL DEFAULT '';
CREATE INDEX outbox_newest ON outbox (created_at DESC, id DESC);
