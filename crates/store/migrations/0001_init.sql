-- One set for SQLite and PostgreSQL. Instants are milliseconds UTC (BIGINT), amounts have a fixed scale of 4 (BIGINT), days are TEXT as
-- 2026-01-31, states are TEXT; there are no BOOLEAN columns: a nullable time says more.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- one-time links: the first Owner (`setup`), or a sign-in printed on the terminal (`sign_in`)
CREATE TABLE one_time_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- one authorization of one user at one provider; tokens and the provider's ids are sealed
CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider TEXT NOT NULL,
    environment TEXT NOT NULL,
    identity_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    state TEXT NOT NULL,
    scope TEXT NOT NULL,
    access_token BYTEA NOT NULL,
    refresh_token BYTEA NOT NULL,
    previous_refresh_token BYTEA,
    rotated_at BIGINT NOT NULL,
    access_expires_at BIGINT NOT NULL,
    refresh_expires_at BIGINT NOT NULL,
    -- counts every stored pair; a refresh that started from an older one is not written
    token_generation BIGINT NOT NULL,
    refresh_lease_owner TEXT,
    refresh_lease_until BIGINT,
    connected_by TEXT NOT NULL,
    connected_at BIGINT NOT NULL,
    invalid_since BIGINT,
    disconnected_at BIGINT,
    -- set while the provider has not confirmed the revocation
    revocation_pending_at BIGINT,
    setup_finished_at BIGINT
);
CREATE UNIQUE INDEX connections_once ON connections (organization_id, provider, identity_hash) WHERE disconnected_at IS NULL;

CREATE TABLE oauth_states (
    state_hash TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_hash TEXT NOT NULL,
    provider TEXT NOT NULL,
    -- connect or reconnect
    action TEXT NOT NULL,
    connection_id TEXT,
    verifier BYTEA NOT NULL,
    redirect_uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- what became of an authorization: the result page reads it, once, by the session that started it
CREATE TABLE oauth_results (
    id TEXT NOT NULL PRIMARY KEY,
    session_hash TEXT NOT NULL,
    provider TEXT NOT NULL,
    outcome TEXT NOT NULL,
    connection_id TEXT,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX oauth_results_by_session ON oauth_results (session_hash, created_at);

-- one set of books at a provider, linked or not
CREATE TABLE companies (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider TEXT NOT NULL,
    remote_id BYTEA NOT NULL,
    remote_id_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    -- the connection whose authorization is used
    connection_id TEXT NOT NULL REFERENCES connections (id),
    currency TEXT NOT NULL,
    country TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    fiscal_year_start_month BIGINT NOT NULL,
    found_at BIGINT NOT NULL,
    linked_at BIGINT,
    paused_at BIGINT,
    interval_secs BIGINT NOT NULL,
    next_due_at BIGINT,
    -- provider's clock: changes since this instant are not yet known
    cursor_at BIGINT,
    last_success_at BIGINT,
    last_full_at BIGINT,
    last_run_id TEXT,
    last_run_state TEXT,
    last_problem TEXT,
    first_day TEXT,
    -- Journals: the highest number that is stored
    journals_through BIGINT NOT NULL,
    mark TEXT NOT NULL,
    marked_at BIGINT,
    marked_as_of TEXT,
    evidence TEXT NOT NULL,
    scope_missing_at BIGINT,
    UNIQUE (organization_id, provider, remote_id_hash)
);
CREATE INDEX companies_by_connection ON companies (connection_id);
CREATE INDEX companies_due ON companies (next_due_at) WHERE next_due_at IS NOT NULL;

-- which connection can see which company
CREATE TABLE company_access (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    company_id TEXT NOT NULL REFERENCES companies (id),
    seen_at BIGINT NOT NULL,
    -- granted in the latest consent of this connection
    newly_granted_at BIGINT,
    PRIMARY KEY (connection_id, company_id)
);
CREATE INDEX company_access_by_company ON company_access (company_id);

-- the queue is this table
CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    company_id TEXT NOT NULL REFERENCES companies (id),
    dedupe_key TEXT NOT NULL,
    extent TEXT NOT NULL,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    fair_key BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    -- set when the run was put back to wait for the provider
    waiting_since BIGINT,
    waiting_for TEXT,
    attempt BIGINT NOT NULL,
    crash_count BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    lease_epoch BIGINT NOT NULL,
    cancel_requested_at BIGINT,
    requested_by TEXT NOT NULL,
    -- provider's clock at the first call of the run: becomes the company's cursor
    cursor_at BIGINT,
    step TEXT NOT NULL,
    progress TEXT NOT NULL,
    calls BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    problem TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE UNIQUE INDEX runs_one_active ON runs (dedupe_key) WHERE state IN ('queued', 'running');
CREATE INDEX runs_queue ON runs (priority DESC, fair_key, id) WHERE state = 'queued';
CREATE INDEX runs_leases ON runs (lease_until) WHERE state = 'running';
CREATE INDEX runs_by_company ON runs (company_id, id);
CREATE INDEX runs_recent ON runs (organization_id, finished_at) WHERE finished_at IS NOT NULL;

-- where the next chunk of a step begins; belongs to one run
CREATE TABLE checkpoints (
    run_id TEXT NOT NULL REFERENCES runs (id),
    step TEXT NOT NULL,
    position TEXT,
    done_at BIGINT,
    PRIMARY KEY (run_id, step)
);

-- fair queueing: the last key given to each organization
CREATE TABLE fair_keys (
    organization_id TEXT NOT NULL PRIMARY KEY,
    last_key BIGINT NOT NULL
);

-- every version of every record, by content; bodies are zstd
CREATE TABLE raw_records (
    company_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    hash BYTEA NOT NULL,
    body BYTEA NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, data_type, remote_id, hash)
);

-- the current state of every record, in neutral words
CREATE TABLE documents (
    company_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    state TEXT NOT NULL,
    raw_hash BYTEA NOT NULL,
    day TEXT,
    number TEXT,
    name TEXT,
    contact_id TEXT,
    currency TEXT,
    total BIGINT,
    updated_at BIGINT,
    -- when we noticed the state it is in
    noticed_at BIGINT NOT NULL,
    -- the run that saw it last in a complete listing
    listed_run_id TEXT,
    PRIMARY KEY (company_id, data_type, remote_id)
);

CREATE TABLE accounts (
    company_id TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    class TEXT NOT NULL,
    account_type TEXT NOT NULL,
    role TEXT NOT NULL,
    parent_id TEXT,
    retained_earnings_at BIGINT,
    PRIMARY KEY (company_id, remote_id)
);

-- the ledger, one row for each posting; home currency, debits positive
CREATE TABLE postings (
    company_id TEXT NOT NULL,
    -- Windows: the month; Journals: the number of the journal, zero-padded
    piece TEXT NOT NULL,
    line BIGINT NOT NULL,
    day TEXT NOT NULL,
    account_id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    source_type TEXT NOT NULL,
    source_id TEXT NOT NULL,
    contact_id TEXT,
    PRIMARY KEY (company_id, piece, line)
);

CREATE TABLE ledger_pieces (
    company_id TEXT NOT NULL,
    piece TEXT NOT NULL,
    hash BYTEA NOT NULL,
    entries BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, piece)
);

-- records and entries that could not be read, kept whole
CREATE TABLE quarantine (
    company_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    body BYTEA NOT NULL,
    noticed_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, data_type, remote_id)
);

-- the provider's own reports, as received
CREATE TABLE reports (
    company_id TEXT NOT NULL,
    report TEXT NOT NULL,
    parameters TEXT NOT NULL,
    run_id TEXT NOT NULL,
    body BYTEA NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, report, parameters)
);

CREATE TABLE verifications (
    id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    -- 1, or 2 after a repair
    pass BIGINT NOT NULL,
    as_of TEXT NOT NULL,
    mark TEXT NOT NULL,
    accounts BIGINT NOT NULL,
    months BIGINT NOT NULL,
    -- JSON: list of domain::verification::Difference, with candidates
    differences TEXT NOT NULL,
    -- JSON: month -> number of differing accounts, for the strip
    month_strip TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX verifications_by_company ON verifications (company_id, id);

-- how many records each data type has, ours and the provider's
CREATE TABLE inventory (
    company_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    ours BIGINT NOT NULL,
    theirs BIGINT,
    counted_at BIGINT,
    complete_at BIGINT,
    PRIMARY KEY (company_id, data_type)
);

-- what the user reads; `id` grows with time
CREATE TABLE log_entries (
    id BIGINT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    company_id TEXT,
    run_id TEXT,
    provider TEXT NOT NULL,
    company_name TEXT NOT NULL,
    account_name TEXT NOT NULL,
    log_type TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT NOT NULL,
    -- JSON of domain::log::LogBody
    body TEXT,
    logged_at BIGINT NOT NULL
);
CREATE INDEX log_entries_by_organization ON log_entries (organization_id, id);
CREATE INDEX log_entries_by_company ON log_entries (organization_id, company_id, id);
CREATE INDEX log_entries_errors ON log_entries (organization_id, status, id);
CREATE INDEX log_entries_by_run ON log_entries (run_id, id);

-- the cards: kept in the transaction that writes the entries, so that cards and table agree at any moment
CREATE TABLE log_totals (
    company_id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    total BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    milestones BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

-- calls per company and day of the provider, for daily limits
CREATE TABLE call_budgets (
    company_id TEXT NOT NULL,
    day TEXT NOT NULL,
    calls BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (company_id, day)
);
