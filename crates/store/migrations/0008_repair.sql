-- a link that lets whoever owns the books repair one connection, once; the token is sealed beside its hash, so that the page can show the link again
CREATE TABLE reconnect_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    connection_id TEXT NOT NULL REFERENCES connections (id),
    token BYTEA NOT NULL,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- the connection was repaired by it
    used_at BIGINT
);
CREATE INDEX reconnect_links_by_connection ON reconnect_links (connection_id, created_at);

-- the link an authorization was started from: nobody is signed in there
ALTER TABLE oauth_states ADD COLUMN link_hash TEXT;
-- JSON of engine::connections::Facts: what the result page says beside its title
ALTER TABLE oauth_results ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';

-- what happened to an account, and who did it
CREATE TABLE connection_events (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL REFERENCES connections (id),
    kind TEXT NOT NULL,
    user_id TEXT,
    -- the company that changed hands
    company_id TEXT,
    happened_at BIGINT NOT NULL
);
CREATE INDEX connection_events_by_connection ON connection_events (connection_id, id);

-- when an idle authorization was last renewed, or tried to be, only to keep it
ALTER TABLE connections ADD COLUMN kept_alive_at BIGINT;
