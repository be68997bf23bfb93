//! Searching the log: pages by keyset under any combination of filters. Whatever a filter asks for, an entry's shape answers it: the few things all
//! entries like it have in common. So a search looks at the shapes first and then only at entries that fit, and costs the same however many there are.
use crate::args;
use crate::db::{Arg, Conn, Row, Tx};
use crate::error::StoreError;
use crate::log_entries::{About, COLUMNS, LogEntry, first_id_at, read};
use domain::ids::{CompanyId, OrganizationId, RunId};
use domain::log::{LogStatus, LogType};
use sha2::{Digest, Sha256};

/// The seven filters of the table, and the company of a card. All combine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub company_id: Option<CompanyId>,
    pub provider: Option<String>,
    /// Part of a company's name, any case.
    pub company: Option<String>,
    /// Part of the external account, any case.
    pub account: Option<String>,
    pub log_type: Option<LogType>,
    /// Part of the message, any case.
    pub message: Option<String>,
    pub status: Option<LogStatus>,
    /// From this instant (milliseconds), included.
    pub from_ms: Option<i64>,
    /// To this instant, not included.
    pub until_ms: Option<i64>,
    pub run_id: Option<RunId>,
    /// What the body names, in any case: a request id of the provider, a record.
    pub reference: Option<String>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Newest,
    /// Entries older than this id.
    OlderThan(i64),
    /// Entries newer than this id.
    NewerThan(i64),
}

/// A page, newest first, and whether there are more on either side.
#[derive(Clone, Debug)]
pub struct Page {
    pub entries: Vec<LogEntry>,
    pub has_older: bool,
    pub has_newer: bool,
    /// A search for numbers compares messages one by one and stops after so many: it has looked at everything up to this entry, and goes on from there.
    pub searched_to: Option<i64>,
}

/// How much of each way of searching is tried before the next.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// Entries walked through in order, for filters that most entries fit.
    walked: i64,
    /// Shapes whose entries are merged at once.
    merged: usize,
    /// Messages compared in full for one page.
    compared: usize,
}

const EFFORT: Effort = Effort { walked: 2_000, merged: 64, compared: 2_000 };
/// Entries fetched at once when messages are compared.
const COMPARED_AT_ONCE: usize = 500;

/// The ids between which entries are looked for: from the first, included, to the last, not included.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    until: i64,
    newest_first: bool,
}

impl Span {
    fn of(filter: &Filter, place: Place) -> Span {
        let from = filter.from_ms.map_or(0, first_id_at);
        let until = filter.until_ms.map_or(i64::MAX, first_id_at);
        match place {
            Place::Newest => Span { from, until, newest_first: true },
            Place::OlderThan(id) => Span { from, until: until.min(id), newest_first: true },
            Place::NewerThan(id) => Span { from: from.max(id.saturating_add(1)), until, newest_first: false },
        }
    }
    fn order(self) -> &'static str {
        if self.newest_first { "DESC" } else { "ASC" }
    }
    /// What lies before an id in the order of the page, and what begins with it.
    fn split(self, id: i64) -> (Span, Span) {
        match self.newest_first {
            true => (Span { from: id + 1, ..self }, Span { until: id + 1, ..self }),
            false => (Span { until: id, ..self }, Span { from: id, ..self }),
        }
    }
    fn behind(self, id: i64) -> Span {
        if self.newest_first { Span { until: id, ..self } } else { Span { from: id + 1, ..self } }
    }
}

/// A text as shapes hold it: small letters, and `#` for every number.
fn shaped(text: &str) -> String {
    let mut shaped = String::with_capacity(text.len());
    for letter in text.to_lowercase().chars() {
        match letter {
            '0'..='9' | '#' if shaped.ends_with('#') => {}
            '0'..='9' => shaped.push('#'),
            _ => shaped.push(letter),
        }
    }
    shaped
}

/// The shape of an entry; it is written down when it is the first of its kind. Its id follows from what it is, so that no two nodes disagree.
pub async fn put_shape(conn: &mut Tx, about: &About<'_>, log_type: LogType, status: LogStatus, message: &str) -> Result<i64, StoreError> {
    let company_id = about.company_id.map(|id| id.as_str());
    let texts = [about.company_name.to_lowercase(), about.account_name.to_lowercase(), shaped(message)];
    let mut hasher = Sha256::new();
    for part in [about.organization_id.as_str(), company_id.unwrap_or_default(), about.provider, log_type.as_str(), status.as_str()] {
        hasher.update(part);
        hasher.update([0]);
    }
    for text in &texts {
        hasher.update(text);
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    let id = i64::from_be_bytes(digest[..8].try_into().expect("a digest is longer")) & i64::MAX;
    let [company, account, message] = texts;
    conn.execute(
        "INSERT INTO log_shapes (id, organization_id, company_id, provider, company, account, log_type, status, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        args![id, about.organization_id, company_id, about.provider, company, account, log_type.as_str(), status.as_str(), message],
    )
    .await?;
    Ok(id)
}

/// What a filter asks for, as conditions on shapes.
struct Search<'a> {
    organization_id: &'a OrganizationId,
    /// What leaves so few entries that an index finds them all: conditions on entries, with the names of their values.
    few: Vec<(&'static str, &'static str, Arg)>,
    /// Nothing but the organization and a span of time.
    is_plain: bool,
    /// Conditions on `log_shapes`; their values are the first of a statement.
    shapes: String,
    args: Vec<Arg>,
    /// What the message must hold, when its shape does not say so.
    compared: Option<String>,
    effort: Effort,
}

impl<'a> Search<'a> {
    fn new(organization_id: &'a OrganizationId, filter: &'a Filter, effort: Effort) -> Search<'a> {
        let mut shapes = "log_shapes.organization_id = $1".to_owned();
        let mut args = args![organization_id];
        let mut equal = |column: &str, value: Option<Arg>| {
            if let Some(value) = value {
                args.push(value);
                shapes.push_str(&format!(" AND log_shapes.{column} = ${}", args.len()));
            }
        };
        equal("company_id", filter.company_id.as_ref().map(Arg::from));
        equal("provider", filter.provider.as_ref().map(Arg::from));
        equal("log_type", filter.log_type.map(|log_type| Arg::from(log_type.as_str())));
        equal("status", filter.status.map(|status| Arg::from(status.as_str())));
        let texts = [("company", &filter.company), ("account", &filter.account), ("message", &filter.message)];
        for (column, text) in texts {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                let text = if column == "message" { shaped(text) } else { text.to_lowercase() };
                // what a person types is text, not a pattern
                let pattern = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
                args.push(Arg::from(format!("%{pattern}%")));
                shapes.push_str(&format!(" AND log_shapes.{column} LIKE ${} ESCAPE '!'", args.len()));
            }
        }
        // without numbers the shape holds the text exactly where the message does
        let compared = filter.message.as_ref().map(|text| text.to_lowercase()).filter(|text| shaped(text).contains('#'));
        let mut few = Vec::new();
        if let Some(run_id) = &filter.run_id {
            few.push(("run_id = $run", "$run", Arg::from(run_id)));
        }
        if let Some(reference) = &filter.reference {
            let condition = "id IN (SELECT entry_id FROM log_references WHERE log_references.organization_id = $1 AND reference = $named)";
            few.push((condition, "$named", Arg::from(reference.to_lowercase())));
        }
        Search { organization_id, few, is_plain: args.len() == 1, shapes, args, compared, effort }
    }

    /// The values of the conditions on shapes, and those of a statement behind them: `$name` of the text becomes its number.
    fn statement(&self, text: String, values: &[(&str, i64)]) -> (String, Vec<Arg>) {
        let (mut text, mut args) = (text, self.args.clone());
        let values = values.iter().map(|(name, value)| (*name, Arg::from(*value)));
        let few = self.few.iter().map(|(_, name, value)| (*name, value.clone()));
        for (name, value) in values.chain(few.filter(|(name, _)| text.contains(name)).collect::<Vec<_>>()) {
            args.push(value);
            text = text.replace(name, &format!("${}", args.len()));
        }
        (text, args)
    }

    /// Up to `limit` entries of the span whose shapes fit, in its order: rows of `COLUMNS`.
    async fn rows(&self, conn: &mut Conn, span: Span, limit: usize) -> Result<Vec<Row>, StoreError> {
        if self.is_plain && self.few.is_empty() {
            let sql = format!(
                "SELECT {COLUMNS} FROM log_entries WHERE organization_id = $1 AND id >= $2 AND id < $3 ORDER BY id {} LIMIT $4",
                span.order()
            );
            return conn.query_assembled(sql, args![self.organization_id, span.from, span.until, limit as i64]).await;
        }
        if !self.few.is_empty() {
            let text = format!("SELECT {COLUMNS} FROM log_entries WHERE {} ORDER BY id {} LIMIT $limit", self.of_few(), span.order());
            let (sql, args) = self.statement(text, &[("$limit", limit as i64), ("$from", span.from), ("$until", span.until)]);
            return conn.query_assembled(sql, args).await;
        }
        let (mut rows, mut rest) = self.walk(conn, span, limit).await?;
        while let Some(span) = rest.filter(|_| rows.len() < limit) {
            let (more, next) = self.merge(conn, span, limit - rows.len()).await?;
            rows.extend(more);
            rest = next;
        }
        Ok(rows)
    }

    fn fits(&self) -> String {
        format!("EXISTS (SELECT 1 FROM log_shapes WHERE log_shapes.id = log_entries.shape_id AND {})", self.shapes)
    }

    fn of_few(&self) -> String {
        let few: Vec<&str> = self.few.iter().map(|(condition, ..)| *condition).collect();
        format!("{} AND id >= $from AND id < $until AND {}", few.join(" AND "), self.fits())
    }

    /// Walks through the first entries of the span. Also answers what is left of it.
    async fn walk(&self, conn: &mut Conn, span: Span, limit: usize) -> Result<(Vec<Row>, Option<Span>), StoreError> {
        let sql =
            format!("SELECT id FROM log_entries WHERE organization_id = $1 AND id >= $2 AND id < $3 ORDER BY id {} LIMIT 1 OFFSET $4", span.order());
        let edge = conn.query_assembled(sql, args![self.organization_id, span.from, span.until, self.effort.walked]).await?;
        let (window, rest) = match edge.first() {
            None => (span, None),
            Some(row) => {
                let (window, rest) = span.split(row.int(0)?);
                (window, Some(rest))
            }
        };
        let (sql, args) = self.walk_statement(window, limit);
        Ok((conn.query_assembled(sql, args).await?, rest))
    }

    fn walk_statement(&self, window: Span, limit: usize) -> (String, Vec<Arg>) {
        let text = format!(
            "SELECT {COLUMNS} FROM log_entries WHERE organization_id = $1 AND id >= $from AND id < $until AND {} ORDER BY id {} LIMIT $limit",
            self.fits(),
            window.order()
        );
        self.statement(text, &[("$from", window.from), ("$until", window.until), ("$limit", limit as i64)])
    }

    /// Merges the entries of those shapes that come next, each read from its own index. Also answers what is left of the span.
    async fn merge(&self, conn: &mut Conn, span: Span, limit: usize) -> Result<(Vec<Row>, Option<Span>), StoreError> {
        let merged = self.effort.merged;
        let (sql, args) = self.heads_statement(span);
        let mut heads = Vec::new();
        for row in conn.query_assembled(sql, args).await? {
            if let Some(head) = row.opt_int(1)? {
                heads.push((row.int(0)?, head));
            }
        }
        // nothing of the shapes that are left out lies before their first entry
        let (window, rest) = match heads.get(merged) {
            Some((_, head)) => {
                let (window, rest) = span.split(*head);
                (window, Some(rest))
            }
            None => (span, None),
        };
        heads.truncate(merged);
        if heads.is_empty() {
            return Ok((Vec::new(), None));
        }
        // few sizes, so that statements come again; no shape has this id
        heads.resize([4, 16, merged].into_iter().find(|size| *size >= heads.len()).unwrap_or(merged), (-1, 0));
        let (sql, args) = merge_statement(&heads, window, limit);
        Ok((conn.query_assembled(sql, args).await?, rest))
    }

    /// The shapes that fit, each with its first entry in the span: those that come first.
    fn heads_statement(&self, span: Span) -> (String, Vec<Arg>) {
        let (nearest, order) = (if span.newest_first { "MAX" } else { "MIN" }, span.order());
        let text = format!(
            "SELECT id, head FROM (SELECT log_shapes.id AS id, (SELECT CAST({nearest}(log_entries.id) AS BIGINT) FROM log_entries
                    WHERE log_entries.shape_id = log_shapes.id AND log_entries.id >= $from AND log_entries.id < $until) AS head
             FROM log_shapes WHERE {}) AS heads ORDER BY head {order} NULLS LAST, id LIMIT $limit",
            self.shapes
        );
        self.statement(text, &[("$from", span.from), ("$until", span.until), ("$limit", self.effort.merged as i64 + 1)])
    }

    /// Up to `limit` entries of the span, and where a search that stopped early has arrived.
    async fn entries(&self, conn: &mut Conn, span: Span, limit: usize) -> Result<(Vec<LogEntry>, Option<i64>), StoreError> {
        let Some(text) = &self.compared else {
            let entries = self.rows(conn, span, limit).await?.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
            return Ok((entries, None));
        };
        let (mut found, mut span, mut compared) = (Vec::new(), span, 0);
        loop {
            let rows = self.rows(conn, span, COMPARED_AT_ONCE).await?;
            for row in &rows {
                let entry = read(row)?;
                span = span.behind(entry.id);
                if entry.message.to_lowercase().contains(text.as_str()) {
                    found.push(entry);
                    if found.len() == limit {
                        return Ok((found, None));
                    }
                }
            }
            compared += rows.len();
            if rows.len() < COMPARED_AT_ONCE {
                return Ok((found, None));
            }
            if compared >= self.effort.compared {
                return Ok((found, Some(if span.newest_first { span.until } else { span.from - 1 })));
            }
        }
    }

    async fn count(&self, conn: &mut Conn, span: Span, cap: i64) -> Result<i64, StoreError> {
        if self.compared.is_some() {
            return Ok(self.entries(conn, span, usize::try_from(cap).unwrap_or(0)).await?.0.len() as i64);
        }
        let (sql, args) = self.count_statement(conn, span, cap);
        conn.query_assembled(sql, args).await?[0].int(0)
    }

    fn count_statement(&self, conn: &Conn, span: Span, cap: i64) -> (String, Vec<Arg>) {
        let values = [("$from", span.from), ("$until", span.until), ("$cap", cap)];
        match self.few.is_empty() {
            false => {
                let text = format!("SELECT COUNT(*) FROM (SELECT id FROM log_entries WHERE {} LIMIT $cap) AS found", self.of_few());
                self.statement(text, &values)
            }
            true if self.is_plain => {
                let text = "SELECT COUNT(*) FROM (SELECT id FROM log_entries WHERE organization_id = $1 AND id >= $from AND id < $until LIMIT $cap) AS found";
                self.statement(text.to_owned(), &values)
            }
            true => {
                let on = "log_entries.shape_id = log_shapes.id AND log_entries.id >= $from AND log_entries.id < $until";
                let joined = conn.nested("log_shapes", "log_entries", on, "$cap");
                self.statement(format!("SELECT COUNT(*) FROM (SELECT 1 AS one FROM {joined} WHERE {} LIMIT $cap) AS found", self.shapes), &values)
            }
        }
    }
}

fn merge_statement(heads: &[(i64, i64)], window: Span, limit: usize) -> (String, Vec<Arg>) {
    let order = window.order();
    let mut args = args![window.from, window.until, limit as i64];
    let mut parts = Vec::with_capacity(heads.len());
    for (shape_id, _) in heads {
        args.push(Arg::from(*shape_id));
        parts.push(format!(
            "SELECT id FROM (SELECT id FROM log_entries WHERE shape_id = ${} AND id >= $1 AND id < $2 ORDER BY id {order} LIMIT $3) AS part",
            args.len()
        ));
    }
    let parts = parts.join(" UNION ALL ");
    let sql =
        format!("SELECT {COLUMNS} FROM log_entries WHERE id IN (SELECT id FROM ({parts}) AS parts ORDER BY id {order} LIMIT $3) ORDER BY id {order}");
    (sql, args)
}

/// A page of the log under a filter. Pages are found by id, so any depth costs the same and new entries move nothing.
pub async fn list_page(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, place: Place, size: i64) -> Result<Page, StoreError> {
    list_page_with(conn, organization_id, filter, place, size, EFFORT).await
}

async fn list_page_with(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    filter: &Filter,
    place: Place,
    size: i64,
    effort: Effort,
) -> Result<Page, StoreError> {
    let size = usize::try_from(size).unwrap_or(0);
    let search = Search::new(organization_id, filter, effort);
    let (mut entries, searched_to) = search.entries(conn, Span::of(filter, place), size + 1).await?;
    let more = entries.len() > size || searched_to.is_some();
    entries.truncate(size);
    let (has_older, has_newer) = match place {
        Place::Newest => (more, false),
        Place::OlderThan(_) => (more, true),
        Place::NewerThan(_) => {
            entries.reverse();
            (true, more)
        }
    };
    Ok(Page { entries, has_older, has_newer, searched_to })
}

/// How many entries a filter finds, counted up to `cap`; of a search for numbers, in what one page looks at.
pub async fn count(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, cap: i64) -> Result<i64, StoreError> {
    Search::new(organization_id, filter, EFFORT).count(conn, Span::of(filter, Place::Newest), cap).await
}

/// How many entries of a filter are newer than `id`, counted up to `cap`: what a page says instead of moving.
pub async fn count_newer(conn: &mut Conn, organization_id: &OrganizationId, filter: &Filter, id: i64, cap: i64) -> Result<i64, StoreError> {
    Search::new(organization_id, filter, EFFORT).count(conn, Span::of(filter, Place::NewerThan(id)), cap).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_entries::insert;
    use domain::log::LogMessage;
    use std::collections::HashMap;

    const MINUTE: i64 = 60_000;
    const START_MS: i64 = 1_780_000_000_000;

    /// `count` entries a minute apart: companies, providers, types and statuses take turns in strides that share no factor.
    async fn fill(conn: &mut Tx, organization_id: &OrganizationId, count: i64) {
        let mut shapes = HashMap::new();
        let mut values = Vec::new();
        for at in 0..count {
            let (company_id, company_name) = (CompanyId::new(format!("company-{}", at % 7)), format!("Ärmel_{} 100%", at % 7));
            let (account_name, provider) = (format!("Books{}@acme.example", at % 4), if at % 2 == 0 { "quickbooks" } else { "xero" });
            let log_type = if at % 3 == 0 { LogType::Milestone } else { LogType::Event };
            let status = if at % 11 == 0 { LogStatus::Error } else { LogStatus::Success };
            let message = format!("{} {at}", if at % 5 == 0 { "Überfällig" } else { "Message" });
            let about = About {
                organization_id,
                company_id: Some(&company_id),
                run_id: None,
                provider,
                company_name: &company_name,
                account_name: &account_name,
            };
            let key = (at % 4, at % 7, at % 3, at % 11 == 0, at % 5 == 0);
            let shape_id = match shapes.get(&key) {
                Some(id) => *id,
                None => put_shape(conn, &about, log_type, status, &message).await.unwrap(),
            };
            shapes.insert(key, shape_id);
            let logged_at = START_MS + at * MINUTE;
            let id = first_id_at(logged_at) + at % 5;
            values.extend(args![id, organization_id, &company_id, format!("run-{}", at / 10), provider, company_name, account_name]);
            values.extend(args![log_type.as_str(), status.as_str(), message, None::<String>, logged_at, shape_id]);
        }
        conn.insert_rows(
            "INSERT INTO log_entries (id, organization_id, company_id, run_id, provider, company_name, account_name, log_type, status, message, body,
                                      logged_at, shape_id)",
            13,
            values,
            "",
        )
        .await
        .unwrap();
    }

    /// One organization under test, and another with the same entries a moment later.
    async fn filled(url: &str, count: i64) -> (crate::db::Store, OrganizationId) {
        let store = crate::db::Store::open(url, &crate::seal::Key::random()).await.unwrap();
        let (organization_id, other) = (OrganizationId::new("org"), OrganizationId::new("other"));
        let mut tx = store.begin().await.unwrap();
        fill(&mut tx, &organization_id, count).await;
        tx.execute("UPDATE log_entries SET id = id + 7", vec![]).await.unwrap();
        fill(&mut tx, &other, count).await;
        if tx.is_postgres() {
            tx.execute("ANALYZE log_entries", vec![]).await.unwrap();
            tx.execute("ANALYZE log_shapes", vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();
        (store, organization_id)
    }

    /// Every way of searching is reached: with so little effort, few entries are walked through and few shapes merged.
    const LITTLE: Effort = Effort { walked: 20, merged: 5, compared: 100_000 };

    fn filters() -> Vec<Filter> {
        let mut filters = vec![Filter::default()];
        for at in 1..256_u32 {
            let has = |bit: u32| at & (1 << bit) != 0;
            filters.push(Filter {
                company_id: has(0).then(|| CompanyId::new("company-3")),
                provider: has(1).then(|| "xero".to_owned()),
                company: has(2).then(|| "äRMEL_3 100%".to_owned()),
                account: has(3).then(|| "BOOKS1".to_owned()),
                log_type: has(4).then_some(LogType::Milestone),
                message: has(5).then(|| "SSAGE 1".to_owned()),
                status: has(6).then_some(LogStatus::Success),
                from_ms: has(7).then_some(START_MS + 500 * MINUTE),
                until_ms: has(7).then_some(START_MS + 1_500 * MINUTE),
                run_id: None,
                reference: None,
            });
        }
        filters
    }

    // proves D3 in part
    #[tokio::test]
    async fn every_combination_of_filters_finds_what_a_search_by_hand_finds_and_counts_the_same() {
        testkit::each_database(|url| async move {
            let (store, organization_id) = filled(&url, 2_000).await;
            let mut conn = store.read().await.unwrap();
            for filter in filters() {
                let by_hand = (0..2_000_i64)
                    .filter(|at| filter.company_id.is_none() || at % 7 == 3)
                    .filter(|at| filter.provider.is_none() || at % 2 == 1)
                    .filter(|at| filter.company.is_none() || at % 7 == 3)
                    .filter(|at| filter.account.is_none() || at % 4 == 1)
                    .filter(|at| filter.log_type.is_none() || at % 3 == 0)
                    .filter(|at| filter.message.is_none() || (at.to_string().starts_with('1') && at % 5 != 0))
                    .filter(|at| filter.status.is_none() || at % 11 != 0)
                    .filter(|at| filter.from_ms.is_none() || (500..1_500).contains(at))
                    .count() as i64;
                assert_eq!(count(&mut conn, &organization_id, &filter, 10_000).await.unwrap(), by_hand, "{filter:?}");
                assert_eq!(count(&mut conn, &organization_id, &filter, 7).await.unwrap(), by_hand.min(7), "{filter:?}");
                for effort in [EFFORT, LITTLE] {
                    let page = list_page_with(&mut conn, &organization_id, &filter, Place::Newest, 5_000, effort).await.unwrap();
                    assert_eq!(page.entries.len() as i64, by_hand, "{filter:?} {effort:?}");
                    assert!(page.entries.windows(2).all(|pair| pair[0].id > pair[1].id), "{filter:?} {effort:?}");
                    assert_eq!((page.has_older, page.searched_to), (false, None));
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_search_for_letters_finds_them_in_any_case_beside_any_number() {
        testkit::each_database(|url| async move {
            let (store, organization_id) = filled(&url, 300).await;
            let mut conn = store.read().await.unwrap();
            let found = |text: &str| Filter { message: Some(text.to_owned()), ..Filter::default() };
            let texts =
                ["überfällig", "ÜBERFÄLLIG", "fällig 1", "ÜBERFÄLLIG 295", "g 2", "e 299", "299", "9", "#", "e #", "e  299", "% 1", "nothing"];
            for text in texts {
                let holds = |at: &i64| format!("{} {at}", if at % 5 == 0 { "überfällig" } else { "message" }).contains(&text.to_lowercase());
                let by_hand = (0..300).filter(holds).count() as i64;
                assert_eq!(by_hand > 0, !["#", "e #", "e  299", "% 1", "nothing"].contains(&text), "{text}");
                assert_eq!(count(&mut conn, &organization_id, &found(text), 1_000).await.unwrap(), by_hand, "{text}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_search_for_numbers_stops_after_its_effort_and_goes_on_from_there() {
        testkit::each_database(|url| async move {
            let (store, organization_id) = filled(&url, 3_000).await;
            let mut conn = store.read().await.unwrap();
            let filter = Filter { message: Some("e 77".into()), ..Filter::default() };
            let effort = Effort { compared: 500, ..EFFORT };
            let (mut place, mut found, mut pages) = (Place::Newest, Vec::new(), 0);
            loop {
                let page = list_page_with(&mut conn, &organization_id, &filter, place, 50, effort).await.unwrap();
                found.extend(page.entries.into_iter().map(|entry| entry.message));
                pages += 1;
                let Some(id) = page.searched_to else { break };
                assert!(page.has_older);
                place = Place::OlderThan(id);
            }
            let expected: Vec<String> =
                (0..3_000).rev().filter(|at| at % 5 != 0 && at.to_string().starts_with("77")).map(|at| format!("Message {at}")).collect();
            assert_eq!(found, expected);
            assert_eq!(pages, 5, "2,400 messages, 500 at a time");
            // and back
            let page = list_page_with(&mut conn, &organization_id, &filter, Place::NewerThan(0), 5, effort).await.unwrap();
            assert_eq!(page.entries.iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["Message 77"]);
            assert!(page.has_newer && page.searched_to.is_some());
        })
        .await;
    }

    // proves D4 in part
    #[tokio::test]
    async fn pages_neither_repeat_nor_skip_while_entries_arrive() {
        testkit::each_database(|url| async move {
            let (store, organization_id) = filled(&url, 500).await;
            let by_text = Filter { company: Some("ärmel".into()), message: Some("message".into()), ..Filter::default() };
            for (filter, effort) in [
                (Filter::default(), EFFORT),
                (Filter { status: Some(LogStatus::Success), ..Filter::default() }, EFFORT),
                (Filter { status: Some(LogStatus::Success), ..Filter::default() }, LITTLE),
                (by_text, LITTLE),
            ] {
                let list = async |conn: &mut Conn, place, size| list_page_with(conn, &organization_id, &filter, place, size, effort).await.unwrap();
                let mut conn = store.read().await.unwrap();
                let expected = list(&mut conn, Place::Newest, 1_000).await.entries;
                let (mut seen, mut place) = (Vec::new(), Place::Newest);
                loop {
                    let page = list(&mut conn, place, 25).await;
                    // an entry arrives between any two pages
                    let mut tx = store.begin().await.unwrap();
                    let about = About {
                        organization_id: &organization_id,
                        company_id: None,
                        run_id: None,
                        provider: "xero",
                        company_name: "New",
                        account_name: "new",
                    };
                    insert(&mut tx, &about, &LogMessage::TokenRefreshed, 1, START_MS + 10_000 * MINUTE).await.unwrap();
                    tx.commit().await.unwrap();
                    seen.extend(page.entries.iter().map(|entry| entry.id));
                    if !page.has_older {
                        break;
                    }
                    place = Place::OlderThan(*seen.last().unwrap());
                }
                assert_eq!(seen, expected.iter().map(|entry| entry.id).collect::<Vec<_>>());
                let arrived = count_newer(&mut conn, &organization_id, &filter, seen[0], 1_000).await.unwrap();
                assert_eq!(arrived, if filter.company.is_some() { 0 } else { (expected.len() as i64 + 24) / 25 });
                // back again: the same pages in the other direction
                let back = list(&mut conn, Place::NewerThan(seen[50]), 25).await;
                assert_eq!(back.entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), seen[25..50]);
            }
        })
        .await;
    }

    // proves D12
    #[tokio::test]
    async fn every_statement_of_every_combination_reads_entries_by_an_index_however_many_there_are() {
        testkit::each_database(|url| async move {
            let (store, organization_id) = filled(&url, 20_000).await;
            let mut conn = store.read().await.unwrap();
            let heads: Vec<(i64, i64)> = (0..16).map(|at| (at, 0)).collect();
            // half of the entries are of the organization: PostgreSQL may also walk the primary key
            let (by_shape, in_order) = (&["log_entries_by_shape"][..], &["log_entries_by_organization", "log_entries_pkey"][..]);
            let common = Filter { status: Some(LogStatus::Error), message: Some("message".into()), ..Filter::default() };
            let search = Search::new(&organization_id, &common, EFFORT);
            let whole = Span::of(&common, Place::Newest);
            let window = Span { from: first_id_at(START_MS + 19_000 * MINUTE), ..whole };
            let mut statements = vec![(search.walk_statement(window, 51), in_order), (merge_statement(&heads, whole, 51), by_shape)];
            for filter in filters().into_iter().chain([common]) {
                let search = Search::new(&organization_id, &filter, EFFORT);
                // without conditions there is nothing to search
                if search.is_plain {
                    continue;
                }
                let whole = Span::of(&filter, Place::Newest);
                let newest = first_id_at(START_MS + if filter.until_ms.is_some() { 1_400 } else { 19_000 } * MINUTE);
                statements.extend([
                    // a filter that few shapes fit may be walked shape by shape
                    (
                        search.walk_statement(Span { from: newest, ..whole }, 51),
                        &["log_entries_by_organization", "log_entries_pkey", "log_entries_by_shape"][..],
                    ),
                    (search.heads_statement(whole), by_shape),
                    (search.count_statement(&conn, whole, 1_000), by_shape),
                ]);
            }
            for ((sql, args), indexes) in statements {
                let (head, column) = if conn.is_postgres() { ("EXPLAIN", 0) } else { ("EXPLAIN QUERY PLAN", 3) };
                let rows = conn.query_assembled(format!("{head} {sql}"), args).await.unwrap();
                let plan = rows.iter().map(|row| row.text(column).unwrap()).collect::<Vec<_>>().join("\n");
                assert!(indexes.iter().any(|index| plan.contains(index)), "{sql} uses none of {indexes:?}:\n{plan}");
                assert!(!plan.contains("Seq Scan on log_entries") && !plan.contains("SCAN log_entries"), "{sql}:\n{plan}");
            }
        })
        .await;
    }
}
