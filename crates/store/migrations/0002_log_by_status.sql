-- the errors of one company among its many successes: what the card of the log leads to
CREATE INDEX log_entries_by_company_status ON log_entries (organization_id, company_id, status, id);
