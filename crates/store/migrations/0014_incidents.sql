-- one cause that stops one or many companies; at most one of a key is open
CREATE TABLE incidents (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    cause_key TEXT NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- whom or what it concerns: an account, a company, a data type, a call
    subject TEXT NOT NULL,
    -- the data type whose records were set aside
    data_type TEXT,
    connection_id TEXT,
    -- as the newest error says it
    sentence TEXT NOT NULL,
    errors BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    last_entry_id BIGINT NOT NULL,
    -- when people were told of a failure that came again, or of a difference that stayed
    alerted_at BIGINT,
    closed_at BIGINT,
    closed_by TEXT
);
CREATE UNIQUE INDEX incidents_one_open ON incidents (organization_id, cause_key) WHERE closed_at IS NULL;
CREATE INDEX incidents_by_organization ON incidents (organization_id, last_seen_at, id);
CREATE INDEX incidents_by_cause ON incidents (organization_id, cause_key, opened_at);
CREATE INDEX incidents_by_connection ON incidents (connection_id) WHERE closed_at IS NULL;

CREATE TABLE incident_companies (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    company_id TEXT NOT NULL REFERENCES companies (id),
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    -- runs that ended with it
    runs BIGINT NOT NULL,
    last_run_id TEXT,
    resolved_at BIGINT,
    resolved_by TEXT,
    PRIMARY KEY (incident_id, company_id)
);
CREATE INDEX incident_companies_open ON incident_companies (company_id) WHERE resolved_at IS NULL;

-- which incident an entry of the log belongs to
CREATE TABLE incident_entries (
    entry_id BIGINT NOT NULL PRIMARY KEY,
    incident_id TEXT NOT NULL
);

-- how the runs of a company ended, day by day (UTC, counted from 1970): the strip of its card
CREATE TABLE run_days (
    company_id TEXT NOT NULL,
    day BIGINT NOT NULL,
    good BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    waited BIGINT NOT NULL,
    PRIMARY KEY (company_id, day)
);
INSERT INTO run_days (company_id, day, good, failed, waited)
SELECT company_id, finished_at / 86400000, CAST(SUM(CASE WHEN state = 'succeeded' THEN 1 ELSE 0 END) AS BIGINT),
       CAST(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS BIGINT), 0
FROM runs WHERE finished_at IS NOT NULL GROUP BY company_id, finished_at / 86400000;

-- all runs of an organization, newest first
CREATE INDEX runs_by_organization ON runs (organization_id, id);

-- how long an organization keeps its log
CREATE TABLE log_retention (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    days BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
