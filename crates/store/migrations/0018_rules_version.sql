-- the rules that put the accounts of a company into the standard chart; null: they were never put anywhere.
-- It replaces a time at which somebody would have to notice that the rules are others now.
ALTER TABLE companies ADD COLUMN rules_version BIGINT;
UPDATE companies SET rules_version = (SELECT MIN(mapping_assignments.rules_version) FROM mapping_assignments WHERE mapping_assignments.company_id = companies.id);
ALTER TABLE companies DROP COLUMN mapping_changed_at;
