-- what people are told in the product: one row for each person
CREATE TABLE notices (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    -- what it tells, once for each person: `incident:<id>`
    dedupe_key TEXT NOT NULL,
    incident_id TEXT,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    -- a path of the site
    href TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
CREATE UNIQUE INDEX notices_once ON notices (organization_id, user_id, dedupe_key);
CREATE INDEX notices_by_user ON notices (organization_id, user_id, created_at, id);
CREATE INDEX notices_unread ON notices (organization_id, user_id) WHERE read_at IS NULL;

-- what a person chose, where it differs from the usual: 1 is wanted, 0 is not
CREATE TABLE notice_choices (
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    in_app BIGINT NOT NULL,
    mail BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id, kind)
);

-- mails wait while a person is not to be disturbed: minutes of the day in that person's zone
CREATE TABLE quiet_hours (
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    from_minute BIGINT NOT NULL,
    until_minute BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

-- where an organization's chat is told: the address is a secret
CREATE TABLE alert_webhooks (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    url BYTEA NOT NULL,
    -- shown instead of the address
    host TEXT NOT NULL,
    -- JSON: list of kinds
    kinds TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL
);

-- companies that people were told are stale, each once for each time it became so
CREATE TABLE stale_told (
    company_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    organization_id TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, since)
);
CREATE INDEX stale_told_by_organization ON stale_told (organization_id, told_at);
CREATE INDEX incidents_untold ON incidents (opened_at) WHERE closed_at IS NULL AND alerted_at IS NULL;
