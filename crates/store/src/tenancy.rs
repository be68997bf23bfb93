//! Whether something an address names belongs to an organization, and whether somebody there may read it.
use crate::args;
use crate::db::Conn;
use crate::error::StoreError;
use crate::readers::Reader;
use domain::ids::OrganizationId;

/// What the id of an address can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    Company,
    Connection,
    Run,
    LogEntry,
    Incident,
    Member,
    Invitation,
    ApiKey,
}

/// True when the thing is there, is this organization's, and this reader may see it. Unknown, foreign and not assigned are one answer.
pub async fn is_reachable(conn: &mut Conn, organization_id: &OrganizationId, reader: &Reader, thing: Thing, id: &str) -> Result<bool, StoreError> {
    let mut args = args![organization_id, id];
    // what belongs to no company is for those who read everything; so are accounts, members and invitations
    if matches!(thing, Thing::Connection | Thing::Incident | Thing::Member | Thing::Invitation | Thing::ApiKey) && *reader != Reader::Everything {
        return Ok(false);
    }
    let sql = match thing {
        Thing::Company => {
            args.push(reader.arg());
            "SELECT id FROM companies WHERE organization_id = $1 AND id = $2
               AND (CAST($3 AS TEXT) IS NULL OR id IN (SELECT company_id FROM company_readers WHERE user_id = $3))"
        }
        Thing::Run => {
            args.push(reader.arg());
            "SELECT id FROM runs WHERE organization_id = $1 AND id = $2
               AND (CAST($3 AS TEXT) IS NULL OR company_id IN (SELECT company_id FROM company_readers WHERE user_id = $3))"
        }
        Thing::LogEntry => {
            let Ok(number) = id.parse::<i64>() else { return Ok(false) };
            args = args![organization_id, number];
            args.push(reader.arg());
            "SELECT organization_id FROM log_entries WHERE organization_id = $1 AND id = $2
               AND (CAST($3 AS TEXT) IS NULL OR company_id IN (SELECT company_id FROM company_readers WHERE user_id = $3))"
        }
        Thing::Incident => "SELECT id FROM incidents WHERE organization_id = $1 AND id = $2",
        Thing::Connection => "SELECT id FROM connections WHERE organization_id = $1 AND id = $2",
        Thing::Member => "SELECT user_id FROM members WHERE organization_id = $1 AND user_id = $2",
        Thing::ApiKey => "SELECT id FROM api_keys WHERE organization_id = $1 AND id = $2",
        Thing::Invitation => "SELECT id FROM invitations WHERE organization_id = $1 AND id = $2",
    };
    Ok(conn.query_opt(sql, args).await?.is_some())
}
