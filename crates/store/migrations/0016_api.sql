-- keys of the JSON API; the secret is kept as a hash, its first characters tell keys apart
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    -- read, or write: a key that may only read changes nothing, whatever its role
    access TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    -- it was sent in an address, where logs keep it
    exposed_at BIGINT
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id);

-- a key with rows here reaches these companies only
CREATE TABLE api_key_companies (
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    company_id TEXT NOT NULL REFERENCES companies (id),
    PRIMARY KEY (key_id, company_id)
);

-- the first answer to a request that was given a key of its own: the same request gets it again
CREATE TABLE idempotency_keys (
    -- id of the API key
    owner_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- null while the first request is being answered
    status BIGINT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
