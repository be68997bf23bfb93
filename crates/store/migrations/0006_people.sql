-- People: which companies a Member reads, invitations, when somebody was last here, and what is to be delivered by mail.

-- Owners and Admins read every company of their organization; a Member reads these
CREATE TABLE company_readers (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    company_id TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, company_id)
);
CREATE INDEX company_readers_by_company ON company_readers (company_id, user_id);
CREATE INDEX company_readers_by_organization ON company_readers (organization_id, user_id);

ALTER TABLE members ADD COLUMN seen_at BIGINT;

CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    -- JSON: list of company ids, for a Member
    company_ids TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- sealed: whoever manages members may copy the link again
    token BYTEA NOT NULL,
    invited_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    accepted_at BIGINT,
    declined_at BIGINT,
    cancelled_at BIGINT
);
CREATE UNIQUE INDEX invitations_once ON invitations (organization_id, email) WHERE accepted_at IS NULL AND declined_at IS NULL AND cancelled_at IS NULL;
CREATE INDEX invitations_by_organization ON invitations (organization_id, created_at);

-- what leaves the house: written in the transaction that causes it, sent by a worker under a lease
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    -- none: a mail that belongs to no organization, such as a new password
    organization_id TEXT,
    -- mail or webhook
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- sealed: mails carry links that sign in
    body BYTEA NOT NULL,
    -- what it tells, once per recipient: `invitation:<id>`, `incident:<id>`
    dedupe_key TEXT,
    -- queued, sent or failed
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    lease_until BIGINT,
    lease_epoch BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (dedupe_key, recipient) WHERE dedupe_key IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (run_after) WHERE state = 'queued';
CREATE INDEX deliveries_by_organization ON deliveries (organization_id, created_at);
