-- Of tenants whose plan gives them more than one share of the work (server/jobs/lease_order.h).
CREATE TABLE tenant_weights (
  tenant  TEXT   NOT NULL PRIMARY KEY,
  weight  BIGINT NOT NULL
);
