-- what the body of an entry names, so that it can be looked up by it: the provider's request id and records, in small letters. Entries that were
-- written before this table are not in it
CREATE TABLE log_references (
    organization_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    entry_id BIGINT NOT NULL,
    company_id TEXT,
    PRIMARY KEY (organization_id, reference, entry_id)
);
CREATE INDEX log_references_by_entry ON log_references (entry_id);
