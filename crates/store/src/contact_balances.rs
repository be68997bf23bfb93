//! What each contact owes or is owed, from the postings on control accounts.
use crate::args;
use crate::db::Conn;
use crate::error::StoreError;
use domain::ids::CompanyId;
use domain::money::Amount;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Balance by account and contact up to and including a day, debits positive, on the accrual basis. A posting that names no contact belongs to the
/// contact of the document it came from; without one it has none.
pub async fn list(
    conn: &mut Conn,
    company_id: &CompanyId,
    accounts: &[&str],
    through: Date,
) -> Result<BTreeMap<(String, Option<String>), Amount>, StoreError> {
    let mut balances: BTreeMap<(String, Option<String>), Amount> = BTreeMap::new();
    let mut of_documents = None;
    for account in accounts {
        let rows = conn
            .query(
                "SELECT contact_id, CASE WHEN contact_id IS NULL THEN source_id ELSE '' END AS source, CAST(SUM(amount) AS BIGINT) FROM postings
                 WHERE ledger_id = (SELECT id FROM ledgers WHERE company_id = $1 AND basis = 0) AND account_id = $2 AND day <= $3
                 GROUP BY contact_id, CASE WHEN contact_id IS NULL THEN source_id ELSE '' END",
                args![company_id, *account, through.to_string()],
            )
            .await?;
        for row in &rows {
            let contact = match row.opt_text(0)?.filter(|contact| !contact.is_empty()) {
                Some(contact) => Some(contact),
                None => {
                    if of_documents.is_none() {
                        of_documents = Some(contacts_of_documents(conn, company_id).await?);
                    }
                    let source = row.text(1)?;
                    of_documents.as_ref().and_then(|contacts: &BTreeMap<String, String>| contacts.get(&source).cloned())
                }
            };
            *balances.entry(((*account).to_owned(), contact)).or_default() += Amount(row.int(2)?);
        }
    }
    balances.retain(|_, amount| !amount.is_zero());
    Ok(balances)
}

/// The contact of every document that has one.
async fn contacts_of_documents(conn: &mut Conn, company_id: &CompanyId) -> Result<BTreeMap<String, String>, StoreError> {
    const DOCUMENTS: &str = "SELECT remote_id, contact_id FROM documents WHERE company_id = $1 AND contact_id IS NOT NULL";
    const ALIASES: &str = "SELECT a.alias, d.contact_id FROM document_aliases a
        JOIN documents d ON d.company_id = a.company_id AND d.data_type = a.data_type AND d.remote_id = a.remote_id
        WHERE a.company_id = $1 AND d.contact_id IS NOT NULL";
    let mut contacts = BTreeMap::new();
    for statement in [DOCUMENTS, ALIASES] {
        for row in conn.query(statement, args![company_id]).await? {
            contacts.insert(row.text(0)?, row.text(1)?);
        }
    }
    Ok(contacts)
}

/// Names of customers, vendors and contacts by id.
pub async fn names(conn: &mut Conn, company_id: &CompanyId) -> Result<BTreeMap<String, String>, StoreError> {
    conn.query(
        "SELECT remote_id, name FROM documents WHERE company_id = $1 AND data_type IN ('Customer', 'Vendor', 'Contact') AND name IS NOT NULL",
        args![company_id],
    )
    .await?
    .iter()
    .map(|row| Ok((row.text(0)?, row.text(1)?)))
    .collect()
}
