//! Where accounts lie in the standard chart: what put each there, what people decided, and deciding.
use super::answer::{List, Money, Time};
use super::caller::Caller;
use super::cursor::Place;
use super::error::{ApiError, FieldProblem};
use super::input::{Body, Flag, Ids, Limit, Nothing, Query};
use super::operation::Operation;
use crate::app::App;
use crate::pages::mapping::{check, provider_type};
use crate::parts::mapped::{MappedBooks, natural};
use axum::Json;
use axum::extract::State;
use domain::chart::category::{self, Category};
use domain::chart::mapping::{MappingSource, effect};
use domain::chart::{self, Statement};
use domain::clock::Month;
use domain::ids::CompanyId;
use domain::money::Amount;
use domain::organization::Action;
use domain::record::RecordState;
use engine::mappings::Wish;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::Conn;

const TAG: &str = "Mapping";
const MOST_DECISIONS: usize = 5_000;
const MOST_PREVIEWED: usize = 500;
const LONGEST_NOTE: usize = 300;

/// A line of the standard chart, a tree of four levels.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CategoryShown {
    pub key: &'static str,
    pub name: &'static str,
    /// From the class down: `Assets › Current assets › Inventory`.
    pub path: String,
    /// 1 to 4.
    pub level: u8,
    pub parent: Option<&'static str>,
    pub class: &'static str,
    /// `balance_sheet` or `profit_and_loss`.
    pub statement: &'static str,
    /// Accounts lie in leaves only.
    pub is_leaf: bool,
}

/// The mapping of a company in numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompanyMapping {
    pub company_id: String,
    pub company: String,
    pub provider: String,
    pub accounts: i64,
    /// Accounts that came or changed and that nobody has looked at yet.
    pub flagged: i64,
    pub unmapped: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct MappedAccount {
    pub account_id: String,
    pub code: String,
    pub name: String,
    /// The provider's own type, with what it is used for.
    pub account_type: String,
    pub class: &'static str,
    /// The key of the category it lies in.
    pub category: &'static str,
    pub category_path: String,
    /// `user`, `ai`, `rule` or `unmapped`.
    pub source: &'static str,
    /// 0 to 100.
    pub confidence: u8,
    pub reason: String,
    /// Positive on the normal side of its class; of a year for profit and loss.
    pub balance: Money,
    /// How much of the balance is in doubt.
    pub impact: Money,
    /// `2026-01`
    pub last_activity: Option<String>,
    /// `new`, `renamed` or `retyped`, until somebody has looked at it.
    pub flag: Option<&'static str>,
    /// The name or type it had before.
    pub previous: Option<String>,
    /// The provider has made it inactive, deleted it, or merged it into another.
    pub is_inactive: bool,
    pub is_deleted: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskMapping {
    /// The key of a category: accounts that lie in it or below.
    pub category: Option<String>,
    pub source: Option<SourceWord>,
    /// Those that came or changed, or the others.
    pub flagged: Option<Flag>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceWord {
    User,
    Ai,
    Rule,
    Unmapped,
}

impl SourceWord {
    fn source(self) -> MappingSource {
        match self {
            SourceWord::User => MappingSource::User,
            SourceWord::Ai => MappingSource::Ai,
            SourceWord::Rule => MappingSource::Rule,
            SourceWord::Unmapped => MappingSource::Unmapped,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct MappingTotals {
    pub as_of: String,
    pub currency: String,
    /// Categories with something in them.
    pub categories: Vec<CategoryTotal>,
    /// The sums of each class, as the provider has them and as mapped.
    pub check: Vec<ClassCheck>,
    /// Months the check looks at; a class agrees when each of them does.
    pub months: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct CategoryTotal {
    pub key: &'static str,
    pub path: String,
    /// Positive on the normal side of its class.
    pub total: Money,
    pub accounts: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ClassCheck {
    pub class: &'static str,
    pub provider: Money,
    pub standard: Money,
    pub agrees: bool,
}

/// What a person decided, once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MappingChange {
    pub version: i64,
    pub account_id: String,
    pub account: String,
    /// `set`, `confirm` or `revert`.
    pub step: &'static str,
    pub from_category: String,
    pub from_source: &'static str,
    /// Null: back to what rules and suggestions say.
    pub to_category: Option<String>,
    /// By name; null for a former member.
    pub made_by: Option<String>,
    pub made_at: Time,
    pub note: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskChanges {
    /// The provider's id of an account.
    pub account: Option<String>,
    pub limit: Option<Limit>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPreview {
    /// 1 to 500 ids of accounts of one class.
    #[schemars(length(min = 1, max = 500))]
    pub accounts: Vec<String>,
    /// The key of a leaf of the same class.
    pub category: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    pub lines: Vec<PreviewLine>,
}

/// A line of a statement that would change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PreviewLine {
    pub category: &'static str,
    pub path: String,
    /// `balance_sheet` or `profit_and_loss`.
    pub statement: &'static str,
    /// By how much it would grow, positive on the normal side of its class.
    pub total: Money,
    pub months: Vec<MonthOfPreview>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct MonthOfPreview {
    pub month: String,
    pub amount: Money,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskDecisions {
    /// 1 to 5,000, each account once; all are taken or none.
    #[schemars(length(min = 1, max = 5_000))]
    pub decisions: Vec<AskDecision>,
    /// Why: it stands in the history.
    #[serde(default)]
    #[schemars(length(max = 300))]
    pub note: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskDecision {
    pub account_id: String,
    pub step: StepWord,
    /// To set: the key of a leaf of the account's class.
    #[serde(default)]
    pub category: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepWord {
    /// Into another category.
    Set,
    /// It lies right where it is.
    Confirm,
    /// Back to what rules and suggestions say.
    Revert,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Decided {
    /// How many accounts it changed; the others were so already.
    pub changed: usize,
    /// The version of the mapping this made; null when nothing was changed.
    pub version: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    let decisions = json!({ "decisions": [{ "account_id": "64", "step": "set", "category": "rent" }], "note": "The office, not the flat" });
    vec![
        Operation::get("/categories", "list_categories", Action::ReadCompany, list_categories)
            .told(TAG, "The standard chart", "Every category, in the order of statements.")
            .takes_query::<Nothing>()
            .answers::<List<CategoryShown>>(),
        Operation::get("/mappings", "list_mappings", Action::ReadCompany, list_companies)
            .told(TAG, "The mapping of each company in numbers", "Linked companies, in order of id.")
            .takes_query::<Nothing>()
            .answers::<List<CompanyMapping>>(),
        Operation::get("/companies/{id}/mapping", "list_mapping", Action::ReadCompany, list)
            .told(
                TAG,
                "Accounts in the standard chart",
                "Every account with the category it lies in and what put it there, in order of the account's id.",
            )
            .takes_query::<AskMapping>()
            .answers::<List<MappedAccount>>(),
        Operation::get("/companies/{id}/mapping/totals", "get_mapping_totals", Action::ReadCompany, show_totals)
            .told(TAG, "The standard chart with totals", "And the check that nothing is lost between the provider's chart and ours.")
            .takes_query::<Nothing>()
            .answers::<MappingTotals>(),
        Operation::get("/companies/{id}/mapping/changes", "list_mapping_changes", Action::ReadCompany, list_changes)
            .told(TAG, "What people decided", "Newest first; nothing is ever taken out of it.")
            .takes_query::<AskChanges>()
            .answers::<List<MappingChange>>(),
        Operation::post("/companies/{id}/mapping/preview", "preview_mapping", Action::EditMapping, preview)
            .told(TAG, "What another category would move", "Which lines of statements change, by how much, in which months. Nothing is changed.")
            .takes::<AskPreview>(json!({ "accounts": ["64"], "category": "rent" }))
            .only_reads()
            .answers::<Preview>(),
        Operation::post("/companies/{id}/mapping/decisions", "decide_mapping", Action::EditMapping, decide)
            .told(TAG, "Decide where accounts lie", "All decisions are taken or none. Statements follow at once; no sync is started.")
            .takes::<AskDecisions>(decisions)
            .answers::<Decided>(),
        Operation::post("/companies/{id}/mapping/seen", "see_mapping", Action::EditMapping, see)
            .told(TAG, "Mark what came or changed as seen", "")
            .answers::<CompanyMapping>(),
    ]
}

fn statement(category: &Category) -> &'static str {
    match category.statement() {
        Statement::BalanceSheet => "balance_sheet",
        Statement::ProfitAndLoss => "profit_and_loss",
    }
}

async fn list_categories(Query(Nothing {}): Query<Nothing>) -> Json<List<CategoryShown>> {
    let one = |category: &'static Category| CategoryShown {
        key: category.key,
        name: category.name,
        path: category.path(),
        level: category.level,
        parent: category.parent().map(|parent| parent.key),
        class: category.class.as_str(),
        statement: statement(category),
        is_leaf: category.is_leaf,
    };
    Json(List { data: category::all().iter().map(one).collect(), next_cursor: None })
}

async fn list_companies(State(app): State<App>, caller: Caller, Query(Nothing {}): Query<Nothing>) -> Result<Json<List<CompanyMapping>>, ApiError> {
    let mut conn = app.engine.store.read().await?;
    let companies = super::caller::reached_companies(&mut conn, &caller).await?;
    let open = store::mappings::count_open(&mut conn, &caller.organization_id).await?;
    let linked = companies.into_iter().filter(|company| company.linked_at.is_some());
    let mut data: Vec<CompanyMapping> = linked.map(|company| counted(company, &open)).collect();
    data.sort_by(|left, right| left.company_id.cmp(&right.company_id));
    Ok(Json(List { data, next_cursor: None }))
}

fn counted(company: store::companies::Company, open: &BTreeMap<CompanyId, store::mappings::Open>) -> CompanyMapping {
    let open = open.get(&company.id).copied().unwrap_or_default();
    CompanyMapping {
        company_id: company.id.0,
        company: company.name,
        provider: company.provider,
        accounts: open.accounts,
        flagged: open.flagged,
        unmapped: open.unmapped,
    }
}

async fn books(conn: &mut Conn, caller: &Caller, ids: &Ids) -> Result<MappedBooks, ApiError> {
    let company = caller.company(conn, &ids.company()).await?;
    Ok(MappedBooks::of(company, caller.now.to_zoned(TimeZone::UTC).date(), conn).await?)
}

async fn list(State(app): State<App>, caller: Caller, ids: Ids, Query(asked): Query<AskMapping>) -> Result<Json<List<MappedAccount>>, ApiError> {
    let limit = asked.limit.map_or(100, |limit| limit.0);
    let (source, flagged) = (asked.source.map(SourceWord::source), asked.flagged.map(|flag| flag.0));
    let filter = format!("{}|{:?}|{source:?}|{flagged:?}", ids.text("id"), asked.category);
    let place = Place { app: &app, caller: &caller, list: "mapping", filter };
    let after = place.open(asked.cursor.as_deref())?.unwrap_or_default();
    let within = match &asked.category {
        Some(key) => Some(category::find(key).ok_or_else(|| ApiError::bad("`category` is no key of the standard chart."))?),
        None => None,
    };
    let mut conn = app.engine.store.read().await?;
    let books = books(&mut conn, &caller, &ids).await?;
    let inactive = engine::mappings::inactive(&mut conn, &books.company.id).await?;
    drop(conn);
    let of_source = |id: &str| books.loaded.mapping.0.get(id).map_or(MappingSource::Unmapped, |assignment| assignment.source);
    let is_flagged = |id: &str| books.loaded.assigned.get(id).is_some_and(|assigned| assigned.flag.is_some());
    let mut rows: Vec<&str> = books
        .account_ids()
        .into_iter()
        .filter(|id| *id > after.as_str())
        .filter(|id| within.is_none_or(|category| books.leaf(id).lies_in(category)))
        .filter(|id| source.is_none_or(|source| of_source(id) == source))
        .filter(|id| flagged.is_none_or(|flagged| is_flagged(id) == flagged))
        .take(limit + 1)
        .collect();
    let next_cursor = place.next(&mut rows, limit, |id| (*id).to_owned());
    Ok(Json(List { data: rows.into_iter().map(|id| mapped(&books, id, inactive.get(id).copied())).collect(), next_cursor }))
}

fn mapped(books: &MappedBooks, id: &str, state: Option<RecordState>) -> MappedAccount {
    let account = books.loaded.chart.account(id);
    let assignment = books.loaded.mapping.0.get(id);
    let assigned = books.loaded.assigned.get(id);
    let leaf = books.leaf(id);
    MappedAccount {
        account_type: provider_type(&account),
        class: account.class.as_str(),
        category: leaf.key,
        category_path: leaf.path(),
        source: assignment.map_or(MappingSource::Unmapped, |assignment| assignment.source).as_str(),
        confidence: assignment.map_or(0, |assignment| assignment.confidence),
        reason: assignment
            .map_or_else(|| "The ledger posts to it, but the provider's chart does not list it".to_owned(), |assignment| assignment.reason.clone()),
        balance: Money(natural(account.class, books.balance(id))),
        impact: Money(books.impact(id)),
        last_activity: books.last_month.get(id).map(Month::to_string),
        flag: assigned.and_then(|assigned| assigned.flag).map(chart::mapping::Flag::as_str),
        previous: assigned.and_then(|assigned| assigned.previous.clone()),
        is_inactive: state.is_some(),
        is_deleted: state == Some(RecordState::Deleted),
        account_id: id.to_owned(),
        code: account.code,
        name: account.name,
    }
}

async fn show_totals(State(app): State<App>, caller: Caller, ids: Ids, Query(Nothing {}): Query<Nothing>) -> Result<Json<MappingTotals>, ApiError> {
    let books = books(&mut app.engine.store.read().await?, &caller, &ids).await?;
    let totals = books.totals();
    let categories = category::all().iter().filter_map(|category| {
        let (total, accounts) = totals.get(&category.rank).copied()?;
        Some(CategoryTotal { key: category.key, path: category.path(), total: Money(total), accounts })
    });
    let check = check(&books);
    Ok(Json(MappingTotals {
        as_of: books.as_of.to_string(),
        currency: books.company.currency.clone(),
        categories: categories.collect(),
        check: check
            .classes
            .into_iter()
            .map(|class| ClassCheck {
                class: class.class.as_str(),
                provider: Money(class.source),
                standard: Money(class.normalized),
                agrees: class.agrees,
            })
            .collect(),
        months: check.months,
    }))
}

async fn list_changes(
    State(app): State<App>,
    caller: Caller,
    ids: Ids,
    Query(asked): Query<AskChanges>,
) -> Result<Json<List<MappingChange>>, ApiError> {
    let limit = asked.limit.map_or(100, |limit| limit.0);
    let place = Place { app: &app, caller: &caller, list: "mapping_changes", filter: format!("{}|{:?}", ids.text("id"), asked.account) };
    let position = place.open(asked.cursor.as_deref())?;
    let before = position.as_deref().and_then(|text| text.split_once('/')).and_then(|(version, account)| Some((version.parse().ok()?, account)));
    let mut conn = app.engine.store.read().await?;
    let company = caller.company(&mut conn, &ids.company()).await?;
    let mut rows = store::mappings::list_changes(&mut conn, &company.id, asked.account.as_deref(), before, limit as i64 + 1).await?;
    let next_cursor = place.next(&mut rows, limit, |change| format!("{}/{}", change.version, change.account_id));
    let one = |change: store::mappings::Change| MappingChange {
        version: change.version,
        account_id: change.account_id,
        account: change.account_name,
        step: change.step.as_str(),
        from_category: change.from_category,
        from_source: change.from_source.as_str(),
        to_category: change.to_category,
        made_by: Some(change.made_by).filter(|name| !name.is_empty()),
        made_at: Time(change.made_at),
        note: change.note,
    };
    Ok(Json(List { data: rows.into_iter().map(one).collect(), next_cursor }))
}

/// A leaf by its key.
fn leaf(field: &str, key: &str) -> Result<&'static Category, FieldProblem> {
    let fault = |message: &str| FieldProblem { field: field.to_owned(), message: message.to_owned() };
    let category = category::find(key).ok_or_else(|| fault("no key of the standard chart: see list_categories"))?;
    match (category.is_leaf, category.is_unmapped()) {
        (false, _) => Err(fault("a group: choose one of the categories in it")),
        (_, true) => Err(fault("an account is not put there by hand: revert it instead")),
        _ => Ok(category),
    }
}

async fn preview(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskPreview>) -> Result<Json<Preview>, ApiError> {
    let books = books(&mut app.engine.store.read().await?, &caller, &ids).await?;
    let to = leaf("category", &asked.category).map_err(|problem| ApiError::Unprocessable(vec![problem]))?;
    if asked.accounts.is_empty() || asked.accounts.len() > MOST_PREVIEWED {
        return Err(ApiError::field("accounts", "expected 1 to 500 ids"));
    }
    let fault = |at: usize, message: &str| FieldProblem { field: format!("accounts[{at}]"), message: message.to_owned() };
    let wrong: Vec<FieldProblem> = asked
        .accounts
        .iter()
        .enumerate()
        .filter_map(|(at, id)| match books.loaded.chart.0.get(id) {
            None => Some(fault(at, "unknown in this company's chart")),
            Some(account) if account.class != to.class => Some(fault(at, "of another class than the category")),
            Some(_) => None,
        })
        .collect();
    if !wrong.is_empty() {
        return Err(ApiError::Unprocessable(wrong));
    }
    let accounts: BTreeSet<&str> = asked.accounts.iter().map(String::as_str).collect();
    let moved = effect(&books.movements, &books.loaded.chart, &books.loaded.mapping, accounts, to);
    let line = |category: &'static Category, months: Vec<(Month, Amount)>| PreviewLine {
        category: category.key,
        path: category.path(),
        statement: statement(category),
        total: Money(months.iter().map(|(_, amount)| *amount).sum()),
        months: months.into_iter().map(|(month, amount)| MonthOfPreview { month: month.to_string(), amount: Money(amount) }).collect(),
    };
    let (mut lines, mut gained) = (Vec::new(), BTreeMap::<Month, Amount>::new());
    for (rank, amounts) in moved {
        let from = &category::all()[rank];
        for (month, amount) in &amounts {
            *gained.entry(*month).or_default() += *amount;
        }
        lines.push(line(from, amounts.into_iter().map(|(month, amount)| (month, -natural(from.class, amount))).collect()));
    }
    if !lines.is_empty() {
        lines.push(line(to, gained.into_iter().map(|(month, amount)| (month, natural(to.class, amount))).collect()));
    }
    Ok(Json(Preview { lines }))
}

async fn decide(State(app): State<App>, caller: Caller, ids: Ids, Body(asked): Body<AskDecisions>) -> Result<Json<Decided>, ApiError> {
    let company = caller.company(&mut app.engine.store.read().await?, &ids.company()).await?;
    if asked.decisions.is_empty() || asked.decisions.len() > MOST_DECISIONS {
        return Err(ApiError::field("decisions", "expected 1 to 5,000 decisions"));
    }
    if asked.note.chars().count() > LONGEST_NOTE {
        return Err(ApiError::field("note", "expected at most 300 characters"));
    }
    let (mut wishes, mut wrong, mut places) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (at, decision) in asked.decisions.into_iter().enumerate() {
        let mut fault =
            |field: &str, message: &str| wrong.push(FieldProblem { field: format!("decisions[{at}].{field}"), message: message.to_owned() });
        if places.insert(decision.account_id.clone(), at).is_some() {
            fault("account_id", "named twice");
        }
        let wish = match (decision.step, decision.category) {
            (StepWord::Set, Some(key)) => match leaf(&format!("decisions[{at}].category"), &key) {
                Ok(category) => Wish::Set(category),
                Err(problem) => {
                    wrong.push(problem);
                    continue;
                }
            },
            (StepWord::Set, None) => {
                fault("category", "expected the key of a category");
                continue;
            }
            (_, Some(_)) => {
                fault("category", "expected with the step `set` only");
                continue;
            }
            (StepWord::Confirm, None) => Wish::Confirm,
            (StepWord::Revert, None) => Wish::Revert,
        };
        wishes.push((decision.account_id, wish));
    }
    if !wrong.is_empty() {
        return Err(ApiError::Unprocessable(wrong));
    }
    let decided = engine::mappings::decide(&app.engine, &caller.organization_id, &company.id, &wishes, &caller.user_id, &asked.note).await?;
    match decided {
        Ok(decided) => Ok(Json(Decided { changed: decided.changed, version: decided.version })),
        Err(refusals) => {
            let problem = |refusal: engine::mappings::Refusal| FieldProblem {
                field: format!("decisions[{}]", places.get(&refusal.account_id).copied().unwrap_or_default()),
                message: refusal.sentence,
            };
            Err(ApiError::Unprocessable(refusals.into_iter().map(problem).collect()))
        }
    }
}

async fn see(State(app): State<App>, caller: Caller, ids: Ids) -> Result<Json<CompanyMapping>, ApiError> {
    let company = caller.company(&mut app.engine.store.read().await?, &ids.company()).await?;
    engine::mappings::see_all(&app.engine, &caller.organization_id, &company.id).await?;
    let open = store::mappings::count_open(&mut app.engine.store.read().await?, &caller.organization_id).await?;
    Ok(Json(counted(company, &open)))
}
