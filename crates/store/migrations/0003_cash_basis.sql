-- a second ledger beside the first: what counts when it is paid. `basis`: 0 is accrual, 1 is cash
CREATE TABLE postings_on_basis (
    company_id TEXT NOT NULL,
    basis BIGINT NOT NULL,
    -- Windows: the month; Journals: the number of the journal, zero-padded
    piece TEXT NOT NULL,
    line BIGINT NOT NULL,
    day TEXT NOT NULL,
    account_id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    source_type TEXT NOT NULL,
    source_id TEXT NOT NULL,
    contact_id TEXT,
    PRIMARY KEY (company_id, basis, piece, line)
);
INSERT INTO postings_on_basis (company_id, basis, piece, line, day, account_id, amount, source_type, source_id, contact_id)
SELECT company_id, 0, piece, line, day, account_id, amount, source_type, source_id, contact_id FROM postings;
DROP TABLE postings;
ALTER TABLE postings_on_basis RENAME TO postings;

CREATE TABLE ledger_pieces_on_basis (
    company_id TEXT NOT NULL,
    basis BIGINT NOT NULL,
    piece TEXT NOT NULL,
    hash BYTEA NOT NULL,
    entries BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (company_id, basis, piece)
);
INSERT INTO ledger_pieces_on_basis (company_id, basis, piece, hash, entries, read_at)
SELECT company_id, 0, piece, hash, entries, read_at FROM ledger_pieces;
DROP TABLE ledger_pieces;
ALTER TABLE ledger_pieces_on_basis RENAME TO ledger_pieces;

ALTER TABLE verifications ADD COLUMN basis TEXT NOT NULL DEFAULT 'accrual';
-- Journals on the cash basis are numbered apart; null: the cash ledger was never read
ALTER TABLE companies ADD COLUMN cash_journals_through BIGINT;
-- when the company's own facts and the lists without a time of change were read last
ALTER TABLE companies ADD COLUMN facts_read_at BIGINT;
