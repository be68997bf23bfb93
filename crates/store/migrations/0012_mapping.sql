-- where rules and suggestions put each account of the provider's chart, and what the account was then
CREATE TABLE mapping_assignments (
    company_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    category TEXT NOT NULL,
    -- ai, rule or unmapped; what people decide is in mapping_changes
    source TEXT NOT NULL,
    confidence BIGINT NOT NULL,
    reason TEXT NOT NULL,
    account_name TEXT NOT NULL,
    -- class, type and role as one text
    account_type TEXT NOT NULL,
    -- the rules and the vocabulary it was made by
    rules_version BIGINT NOT NULL,
    -- what an endpoint answered for this name and type
    model TEXT,
    model_category TEXT,
    model_confidence BIGINT,
    model_reason TEXT,
    assigned_at BIGINT NOT NULL,
    -- new, retyped or renamed since an earlier sync, until somebody has seen it
    flag TEXT,
    flagged_at BIGINT,
    -- its name or type before
    previous TEXT,
    PRIMARY KEY (company_id, account_id)
);

-- what people decided, never changed afterwards: the mapping of a version is the last decision for each account up to it
CREATE TABLE mapping_changes (
    company_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    -- set, confirm or revert
    kind TEXT NOT NULL,
    account_name TEXT NOT NULL,
    from_category TEXT NOT NULL,
    from_source TEXT NOT NULL,
    -- null: back to what rules and suggestions say
    to_category TEXT,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (company_id, version, account_id)
);
CREATE INDEX mapping_changes_by_account ON mapping_changes (company_id, account_id, version);

-- counts the decisions about its mapping
ALTER TABLE companies ADD COLUMN mapping_version BIGINT NOT NULL DEFAULT 0;

-- other ids by which the ledger names a document: Xero's overpayments are bank transactions with an id of their own
CREATE TABLE document_aliases (
    company_id TEXT NOT NULL,
    alias TEXT NOT NULL,
    data_type TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (company_id, alias)
);
