-- What entries of the log have in common: company, account, software, type, status, and the message with `#` in the place of its numbers. There are
-- few of them however many entries there are, so a search for words looks here first, and then reads only entries that fit, newest first, from the
-- index of each shape. Texts are in small letters.
CREATE TABLE log_shapes (
    id BIGINT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    company_id TEXT,
    provider TEXT NOT NULL,
    company TEXT NOT NULL,
    account TEXT NOT NULL,
    log_type TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX log_shapes_by_company ON log_shapes (organization_id, company_id);

-- ten digits become `#`, then neighbours become one
INSERT INTO log_shapes (id, organization_id, company_id, provider, company, account, log_type, status, message)
SELECT ROW_NUMBER() OVER (ORDER BY organization_id, company_id, provider, company, account, log_type, status, message),
       organization_id, company_id, provider, company, account, log_type, status, message
FROM (
    SELECT DISTINCT organization_id, company_id, provider, LOWER(company_name) AS company, LOWER(account_name) AS account, log_type, status,
        REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
            REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(message),
                '0', '#'), '1', '#'), '2', '#'), '3', '#'), '4', '#'), '5', '#'), '6', '#'), '7', '#'), '8', '#'), '9', '#'),
            '##', '#'), '##', '#'), '##', '#'), '##', '#'), '##', '#'), '##', '#') AS message
    FROM log_entries
) AS different;

ALTER TABLE log_entries ADD COLUMN shape_id BIGINT NOT NULL DEFAULT 0;
UPDATE log_entries SET shape_id = (
    SELECT id FROM log_shapes
    WHERE log_shapes.organization_id = log_entries.organization_id AND log_shapes.company_id IS NOT DISTINCT FROM log_entries.company_id
      AND log_shapes.provider = log_entries.provider AND log_shapes.company = LOWER(log_entries.company_name)
      AND log_shapes.account = LOWER(log_entries.account_name) AND log_shapes.log_type = log_entries.log_type
      AND log_shapes.status = log_entries.status AND log_shapes.message =
        REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
            REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(LOWER(log_entries.message),
                '0', '#'), '1', '#'), '2', '#'), '3', '#'), '4', '#'), '5', '#'), '6', '#'), '7', '#'), '8', '#'), '9', '#'),
            '##', '#'), '##', '#'), '##', '#'), '##', '#'), '##', '#'), '##', '#')
);
CREATE INDEX log_entries_by_shape ON log_entries (shape_id, id);

-- the shapes do better what these did
DROP INDEX log_entries_by_company;
DROP INDEX log_entries_errors;
DROP INDEX log_entries_by_company_status;
DROP INDEX log_entries_by_organization;
CREATE INDEX log_entries_by_organization ON log_entries (organization_id, id, shape_id);

-- the event streams of an organization ask for all its sessions at once
CREATE INDEX sessions_by_organization ON sessions (organization_id);
