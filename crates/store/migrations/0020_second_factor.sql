-- A person's own account: where they are signed in, a second factor, and another address of mail.

-- what the browser calls itself; and when the person last proved who they are, which going to another organization does not do again
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN proven_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- the seed that an authenticator app knows too; it counts from the first right code on
CREATE TABLE second_factors (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    -- sealed
    seed BYTEA NOT NULL,
    begun_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- the half minute whose code was taken last: none is taken twice
    last_step BIGINT NOT NULL
);

-- for whoever has lost the app; each works once
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id),
    -- with the key of the installation: the database alone does not let anybody try codes
    code_hash TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- the password was right, the code is still to come: no session yet
CREATE TABLE half_sign_ins (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    leads_to TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- an address that was asked for, until the link that was mailed to it is followed; the latest counts
CREATE TABLE email_changes (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    email TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

ALTER TABLE organizations ADD COLUMN second_factor_required BIGINT NOT NULL DEFAULT 0;
