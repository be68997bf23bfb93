-- how a provider answered, minute by minute, kept for two days
CREATE TABLE provider_calls (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    provider TEXT NOT NULL,
    -- minutes since 1970
    minute BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    -- no answer, or an error of the provider's own
    failed BIGINT NOT NULL,
    -- refused because of a limit
    limited BIGINT NOT NULL,
    slowest_ms BIGINT NOT NULL,
    -- calls by how long they took: within 100, 250, 500 ms, 1, 2.5, 5, 10 s, and longer
    took_1 BIGINT NOT NULL,
    took_2 BIGINT NOT NULL,
    took_3 BIGINT NOT NULL,
    took_4 BIGINT NOT NULL,
    took_5 BIGINT NOT NULL,
    took_6 BIGINT NOT NULL,
    took_7 BIGINT NOT NULL,
    took_8 BIGINT NOT NULL,
    PRIMARY KEY (organization_id, provider, minute)
);
CREATE INDEX provider_calls_by_minute ON provider_calls (minute);
