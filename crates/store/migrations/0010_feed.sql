-- Data Feed: what it is searched and sorted by, what the last run did, targets, selections, and runs that wait in their place.

-- the name in lower case: both databases sort and search it alike
ALTER TABLE companies ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
UPDATE companies SET name_folded = LOWER(name);
CREATE INDEX companies_by_organization ON companies (organization_id, name_folded, id);

-- the last finished run: how long it took and what changed
ALTER TABLE companies ADD COLUMN last_run_ms BIGINT;
ALTER TABLE companies ADD COLUMN last_run_added BIGINT;
ALTER TABLE companies ADD COLUMN last_run_changed BIGINT;
ALTER TABLE companies ADD COLUMN last_run_deleted BIGINT;
UPDATE companies SET last_run_ms = (SELECT runs.finished_at - runs.started_at FROM runs WHERE runs.id = companies.last_run_id);
-- how long the last successful run of each extent took: the estimate of the next one
ALTER TABLE companies ADD COLUMN full_run_ms BIGINT;
ALTER TABLE companies ADD COLUMN changes_run_ms BIGINT;

-- a company is fresh when it was brought up to date within this time; null: as the organization says
ALTER TABLE companies ADD COLUMN freshness_secs BIGINT;
ALTER TABLE organizations ADD COLUMN freshness_secs BIGINT NOT NULL DEFAULT 86400;
-- set while the company is past its target and the log says so
ALTER TABLE companies ADD COLUMN stale_noticed_at BIGINT;
-- set when a change of the mapping asks for the data to be read again; ends with the next successful run
ALTER TABLE companies ADD COLUMN mapping_changed_at BIGINT;

-- a running run waits in its place for a provider's limit, until then
ALTER TABLE runs ADD COLUMN waiting_until BIGINT;
CREATE INDEX runs_active_by_organization ON runs (organization_id, state, id) WHERE state IN ('queued', 'running');

-- companies ticked on the Data Feed, over all its pages; belongs to one session
CREATE TABLE selections (
    session_hash TEXT NOT NULL,
    company_id TEXT NOT NULL,
    PRIMARY KEY (session_hash, company_id)
);
