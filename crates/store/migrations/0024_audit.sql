-- what people, keys and the command line did: one chain for each organization, in which every entry names the hash of the entry before it
CREATE TABLE audit_entries (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    -- names as they were then
    actor_name TEXT NOT NULL,
    act TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    before_act TEXT NOT NULL,
    after_act TEXT NOT NULL,
    place TEXT NOT NULL,
    outcome TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (organization_id, number)
);
CREATE INDEX audit_entries_by_time ON audit_entries (organization_id, at_ms);

-- both ends of a chain: whoever writes the next entry holds this row, so that no two follow the same one
CREATE TABLE audit_chains (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organizations (id),
    last_number BIGINT NOT NULL,
    last_hash TEXT NOT NULL,
    -- the last entry that was removed because of its age; 0: none
    anchor_number BIGINT NOT NULL,
    anchor_hash TEXT NOT NULL,
    -- of all of that, with the installation's key
    seal BYTEA NOT NULL
);

-- entries are never changed, and only those that the anchor has passed are removed
-- only SQLite
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are never changed');
END;
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
WHEN OLD.number > COALESCE((SELECT anchor_number FROM audit_chains WHERE organization_id = OLD.organization_id), 0)
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are never removed before their time');
END;
-- only PostgreSQL
CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.number <= COALESCE((SELECT anchor_number FROM audit_chains WHERE organization_id = OLD.organization_id), 0) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'entries of the audit log are never removed before their time';
    END IF;
    RAISE EXCEPTION 'entries of the audit log are never changed';
END $$;
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_stay();
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_stay();
CREATE TRIGGER audit_entries_not_emptied BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay();
-- both
