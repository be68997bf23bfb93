-- A ledger is a company on one basis (0 is accrual, 1 is cash). Its number stands in each of its many rows in the place of both.
CREATE TABLE ledgers (
    id BIGINT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    basis BIGINT NOT NULL,
    UNIQUE (company_id, basis)
);
INSERT INTO ledgers (id, company_id, basis)
SELECT ROW_NUMBER() OVER (ORDER BY company_id, basis), company_id, basis
FROM (SELECT company_id, basis FROM postings UNION SELECT company_id, basis FROM ledger_pieces) AS known;

CREATE TABLE numbered_postings (
    ledger_id BIGINT NOT NULL,
    -- Windows: the month, as 202601; Journals: the number of the journal
    piece BIGINT NOT NULL,
    line BIGINT NOT NULL,
    day TEXT NOT NULL,
    account_id TEXT NOT NULL,
    amount BIGINT NOT NULL,
    source_type TEXT NOT NULL,
    source_id TEXT NOT NULL,
    contact_id TEXT,
    PRIMARY KEY (ledger_id, piece, line)
);
INSERT INTO numbered_postings (ledger_id, piece, line, day, account_id, amount, source_type, source_id, contact_id)
SELECT ledgers.id, CAST(REPLACE(REPLACE(piece, 'j', ''), '-', '') AS BIGINT), line, day, account_id, amount, source_type, source_id, contact_id
FROM postings JOIN ledgers ON ledgers.company_id = postings.company_id AND ledgers.basis = postings.basis;
DROP TABLE postings;
ALTER TABLE numbered_postings RENAME TO postings;

CREATE TABLE numbered_pieces (
    ledger_id BIGINT NOT NULL,
    piece BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    entries BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (ledger_id, piece)
);
INSERT INTO numbered_pieces (ledger_id, piece, hash, entries, read_at)
SELECT ledgers.id, CAST(REPLACE(REPLACE(piece, 'j', ''), '-', '') AS BIGINT), hash, entries, read_at
FROM ledger_pieces JOIN ledgers ON ledgers.company_id = ledger_pieces.company_id AND ledgers.basis = ledger_pieces.basis;
DROP TABLE ledger_pieces;
ALTER TABLE numbered_pieces RENAME TO ledger_pieces;
