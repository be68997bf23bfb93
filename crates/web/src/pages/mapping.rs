//! **Chart of Accounts Mapping** of one company: the standard chart with totals, and the accounts in it with what put them there.
use crate::app::App;
use crate::error::WebError;
use crate::flash::Flash;
use crate::parts::address::{Address, Asked};
use crate::parts::icon::Icon;
use crate::parts::mapped::{MappedBooks, class_name, natural, source_icon};
use crate::parts::{figures, provider};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::response::Response;
use domain::chart::category::{self, Category};
use domain::chart::mapping::{self, ClassSums, Flag, MappingSource};
use domain::chart::{StandardChart, category::Statement};
use domain::clock::Month;
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::money::Amount;
use domain::organization::Action;
use domain::record::RecordState;
use engine::mappings::{Loaded, Wish};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub struct Tab {
    pub label: String,
    pub href: String,
    pub chosen: bool,
}

/// A line of the standard chart.
pub struct TreeRow {
    pub name: &'static str,
    pub level: u8,
    pub total: String,
    pub is_negative: bool,
    pub accounts: usize,
    pub href: String,
    pub chosen: bool,
    /// An *Unmapped* leaf with something in it.
    pub warns: bool,
}

pub struct SourceMark {
    pub icon: Icon,
    pub word: &'static str,
    pub key: &'static str,
}

impl SourceMark {
    pub fn of(source: MappingSource) -> SourceMark {
        SourceMark { icon: source_icon(source), word: source.label(), key: source.as_str() }
    }
}

pub struct AccountRow {
    pub id: String,
    pub code: String,
    pub name: String,
    pub provider_type: String,
    pub balance: String,
    pub is_negative: bool,
    pub is_of_year: bool,
    pub last_activity: String,
    pub category: &'static str,
    pub category_key: &'static str,
    pub above: String,
    pub source: SourceMark,
    pub confidence: u8,
    pub reason: String,
    pub impact: String,
    pub flag: Option<String>,
    pub state: Option<&'static str>,
    /// None for an account of the ledger that the chart does not know.
    pub edit: Option<String>,
    pub can_revert: bool,
}

/// One class of the check at the bottom.
pub struct CheckRow {
    pub class: &'static str,
    pub source: String,
    pub normalized: String,
    pub agrees: bool,
}

pub struct Check {
    pub rows: Vec<CheckRow>,
    pub months: usize,
    /// Month and class of the first places that differ.
    pub wrong: Vec<String>,
}

#[derive(Template)]
#[template(path = "pages/mapping.html")]
pub struct MappingPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub provider: String,
    pub software: String,
    pub currency: String,
    pub as_of: String,
    /// The step of a sync that runs.
    pub syncing: Option<String>,
    pub may_edit: bool,
    pub tabs: Vec<Tab>,
    pub tab: &'static str,
    pub search: String,
    pub tree: Vec<TreeRow>,
    pub within: Option<(String, String)>,
    pub rows: Vec<AccountRow>,
    pub legend: Vec<SourceMark>,
    pub address: String,
    pub check: Check,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub found: usize,
    pub flagged: usize,
    pub is_empty: bool,
}

const ROWS_ON_A_PAGE: usize = 150;
const TABS: [&str; 5] = ["review", "changed", "all", "unmapped", "inactive"];

pub fn path(id: &CompanyId) -> String {
    format!("/companies/{id}/mapping")
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let mut conn = app.engine.store.read().await?;
    let books = MappedBooks::read(&visit, &mut conn, &id).await?;
    let inactive = engine::mappings::inactive(&mut conn, &id).await?;
    let title = format!("Chart of Accounts Mapping: {}", books.company.name);
    let shell = visit.shell(&mut conn, Place::Mapping, &title).await?;
    drop(conn);

    let flagged: Vec<&str> =
        books.loaded.assigned.values().filter(|assigned| assigned.flag.is_some()).map(|assigned| assigned.account_id.as_str()).collect();
    let fits = |tab: &str, account: &str| match tab {
        "review" => !books.impact(account).is_zero() && !inactive.contains_key(account),
        "changed" => flagged.contains(&account),
        "unmapped" => books.leaf(account).is_unmapped() && (!inactive.contains_key(account) || !books.balance(account).is_zero()),
        "inactive" => inactive.contains_key(account),
        _ => true,
    };
    let all = books.account_ids();
    let of_tab = |tab: &str| all.iter().filter(|account| fits(tab, account)).count();
    let asked_tab = TABS.into_iter().find(|tab| *tab == asked.get("tab"));
    let tab = asked_tab.unwrap_or(if of_tab("review") > 0 { "review" } else { "all" });
    let within: Option<&'static Category> = category::find(asked.get("in"));
    let search = asked.get("q").to_lowercase();
    let base = Address::new(path(&id));
    let unmapped: Amount = all.iter().filter(|account| books.leaf(account).is_unmapped()).map(|account| books.balance(account).abs()).sum();
    let tabs = TABS
        .into_iter()
        .map(|word| {
            let count = figures::count(of_tab(word));
            let label = match word {
                "review" => format!("To review ({count})"),
                "changed" => format!("New or changed since last sync ({count})"),
                "unmapped" => format!("Unmapped ({})", unmapped.grouped()),
                "inactive" => format!("Inactive ({count})"),
                _ => format!("All ({count})"),
            };
            Tab { label, href: base.with("tab", word).to_string(), chosen: word == tab }
        })
        .collect();
    let here = base.with("tab", tab).with("q", asked.get("q")).with("in", within.map_or("", |category| category.key));
    let mut ids: Vec<&str> = all
        .iter()
        .copied()
        // who looks into a category sees all of it
        .filter(|account| (within.is_some() && asked_tab.is_none()) || fits(tab, account))
        .filter(|account| within.is_none_or(|category| books.leaf(account).lies_in(category)))
        .filter(|account| {
            let shown = books.loaded.chart.account(account);
            search.is_empty() || [&shown.name, &shown.code, &shown.account_type].iter().any(|text| text.to_lowercase().contains(&search))
        })
        .collect();
    match tab {
        "review" => ids.sort_by_key(|account| (std::cmp::Reverse(books.impact(account)), *account)),
        "unmapped" => ids.sort_by_key(|account| (std::cmp::Reverse(books.balance(account).abs()), *account)),
        _ => ids.sort_by_cached_key(|account| {
            let shown = books.loaded.chart.account(account);
            (books.leaf(account).rank, shown.code, shown.name, (*account).to_owned())
        }),
    }
    let found = ids.len();
    let page: usize = asked.get("page").parse().unwrap_or(1).max(1);
    let first = (page - 1).saturating_mul(ROWS_ON_A_PAGE);
    let may_edit = visit.may(Action::EditMapping);
    let rows = ids.into_iter().skip(first).take(ROWS_ON_A_PAGE).map(|account| row(&books, account, inactive.get(account).copied(), &here)).collect();
    let tree = tree(&books, within, &base);
    visit.page(&MappingPage {
        shell,
        id: id.0.clone(),
        name: books.company.name.clone(),
        software: provider::full_name(&books.company.provider).to_owned(),
        provider: books.company.provider.clone(),
        currency: books.company.currency.clone(),
        as_of: figures::day(&books.as_of.to_string()),
        syncing: books.company.run.as_ref().map(|run| if run.step.is_empty() { "starting".to_owned() } else { run.step.clone() }),
        may_edit,
        tabs,
        tab,
        search: asked.get("q").to_owned(),
        tree,
        within: within.map(|category| (category.path(), here.without(&["in"]).to_string())),
        rows,
        legend: MappingSource::ALL.map(SourceMark::of).into(),
        previous: (page > 1).then(|| here.with("page", page - 1).to_string()),
        next: (found > first + ROWS_ON_A_PAGE).then(|| here.with("page", page + 1).to_string()),
        address: here.to_string(),
        check: checked(&check(&books)),
        found,
        flagged: flagged.len(),
        is_empty: all.is_empty(),
    })
}

/// `Other Current Asset / Inventory`.
pub fn provider_type(account: &store::accounts::Account) -> String {
    [account.account_type.as_str(), account.role.as_str()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// A part of a balance as it is shown: nobody weighs hundredths of a cent.
fn to_cents(amount: Amount) -> Amount {
    Amount((amount.0 + 50 * amount.0.signum()) / 100 * 100)
}

fn row(books: &MappedBooks, id: &str, state: Option<RecordState>, here: &Address) -> AccountRow {
    let account = books.loaded.chart.account(id);
    let known = engine::mappings::is_known(&books.loaded, id);
    let assignment = books.loaded.mapping.0.get(id).cloned().unwrap_or_else(|| domain::chart::Assignment {
        reason: "The ledger posts to it, but the provider's chart does not list it".to_owned(),
        ..mapping::nothing_known(account.class)
    });
    let assigned = books.loaded.assigned.get(id);
    let balance = natural(account.class, books.balance(id));
    let flag = assigned.and_then(|assigned| {
        let previous = assigned.previous.as_deref().unwrap_or_default();
        Some(match assigned.flag? {
            Flag::New => "new".to_owned(),
            Flag::Renamed => format!("was “{previous}”"),
            Flag::Retyped => format!("was of type {}", previous.trim_matches('/').replace('/', " / ")),
        })
    });
    let above = assignment.category.line();
    AccountRow {
        code: account.code.clone(),
        provider_type: provider_type(&account),
        balance: balance.grouped(),
        is_negative: balance.0 < 0,
        is_of_year: account.class.is_profit_and_loss(),
        last_activity: books.last_month.get(id).map(|month| month.first_day().strftime("%b %Y").to_string()).unwrap_or_default(),
        category: assignment.category.name,
        category_key: assignment.category.key,
        above: above[..above.len() - 1].iter().map(|category| category.name).collect::<Vec<_>>().join(" › "),
        source: SourceMark::of(assignment.source),
        confidence: assignment.confidence,
        reason: assignment.reason,
        impact: to_cents(books.impact(id)).grouped(),
        flag,
        state: state.map(|state| match state {
            RecordState::Deleted => "deleted or merged",
            _ => "inactive",
        }),
        edit: known.then(|| Address::new(format!("{}/edit", path(&books.company.id))).with("account", id).with("back", here).to_string()),
        can_revert: assignment.source == MappingSource::User,
        id: id.to_owned(),
        name: account.name,
    }
}

fn tree(books: &MappedBooks, within: Option<&'static Category>, base: &Address) -> Vec<TreeRow> {
    let totals = books.totals();
    category::all()
        .iter()
        .filter_map(|category| {
            let (total, accounts) = totals.get(&category.rank).copied().unwrap_or_default();
            // the empty ones are left out, but for those that must be seen to be empty
            (accounts > 0 || category.level == 1 || category.is_unmapped()).then(|| TreeRow {
                name: category.name,
                level: category.level,
                total: total.grouped(),
                is_negative: total.0 < 0,
                accounts,
                href: base.with("in", category.key).to_string(),
                chosen: within.is_some_and(|chosen| chosen.rank == category.rank),
                warns: category.is_unmapped() && !total.is_zero(),
            })
        })
        .collect()
}

/// One class of the check, in amounts.
pub struct ClassSum {
    pub class: AccountClass,
    pub source: Amount,
    pub normalized: Amount,
    pub agrees: bool,
}

/// Sum normalized against sum source, of every month and class.
pub struct Sums {
    pub classes: Vec<ClassSum>,
    pub months: usize,
    /// Where they differ.
    pub differing: Vec<(Month, AccountClass, Amount)>,
}

pub fn check(books: &MappedBooks) -> Sums {
    let normalized = books.loaded.mapping.normalize(&books.movements, &books.loaded.chart);
    let differing = mapping::differences(&books.movements, &books.loaded.chart, &normalized);
    let by_class = |sums: ClassSums| {
        let mut totals: BTreeMap<AccountClass, Amount> = BTreeMap::new();
        for ((_, class), amount) in sums {
            *totals.entry(class).or_default() += natural(class, amount);
        }
        totals
    };
    let source = by_class(mapping::class_sums(&books.movements, &books.loaded.chart));
    let ours = by_class(mapping::class_sums(&normalized, &StandardChart));
    let classes = [AccountClass::Asset, AccountClass::Liability, AccountClass::Equity, AccountClass::Revenue, AccountClass::Expense];
    let months: std::collections::BTreeSet<Month> = books.movements.keys().map(|(_, month)| *month).collect();
    Sums {
        classes: classes
            .into_iter()
            .map(|class| ClassSum {
                class,
                source: source.get(&class).copied().unwrap_or_default(),
                normalized: ours.get(&class).copied().unwrap_or_default(),
                agrees: !differing.iter().any(|(_, wrong, _)| *wrong == class),
            })
            .collect(),
        months: months.len(),
        differing,
    }
}

fn checked(sums: &Sums) -> Check {
    Check {
        rows: sums
            .classes
            .iter()
            .map(|sum| CheckRow {
                class: class_name(sum.class),
                source: sum.source.grouped(),
                normalized: sum.normalized.grouped(),
                agrees: sum.agrees,
            })
            .collect(),
        months: sums.months,
        wrong: sums
            .differing
            .iter()
            .take(3)
            .map(|(month, class, amount)| format!("{} in {}: {}", class_name(*class), figures::month(&month.to_string()), amount.grouped()))
            .collect(),
    }
}

/// The ticked accounts, each with the category it lay in when its row was drawn: `id`, or `id~category`.
pub fn ticked(form: &Asked) -> BTreeMap<String, Option<String>> {
    let split = |value: &str| match value.rsplit_once('~') {
        Some((id, category)) => (id.to_owned(), Some(category.to_owned())),
        None => (value.to_owned(), None),
    };
    form.all("account").map(split).collect()
}

/// The first account that lies elsewhere than its row said, where that matters: an account that nobody categorized has nothing to revert.
fn moved(now: &Loaded, drawn: &BTreeMap<String, Option<String>>, wish: Wish) -> Option<String> {
    let is_moved = |(id, category): &(&String, &Option<String>)| {
        let (Some(assignment), Some(category)) = (now.mapping.0.get(*id), category) else { return false };
        assignment.category.key != category && (wish != Wish::Revert || assignment.source == MappingSource::User)
    };
    let (id, _) = drawn.iter().find(is_moved)?;
    Some(format!("{} now lies in \u{201c}{}\u{201d}", now.chart.account(id).name, now.mapping.0[id].category.name))
}

/// POST: the ticked accounts lie right where they are, or go back to what rules and suggestions say.
async fn decide_ticked(app: &App, visit: &Visit, id: String, form: &[u8], wish: Wish) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let form = Asked::parse(form);
    let otherwise = path(&id);
    let back = form.back(&otherwise);
    let drawn = ticked(&form);
    if drawn.is_empty() {
        return Ok(Flash::warn("No account is selected. Tick the accounts first.").redirect(back));
    }
    let wishes: Vec<(String, Wish)> = drawn.keys().map(|id| (id.clone(), wish)).collect();
    let found = Mutex::new(None);
    let is_as_seen = |now: &Loaded| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        *found = moved(now, &drawn, wish);
        found.is_none()
    };
    let answer = engine::mappings::decide_if(&app.engine, visit.organization_id(), &id, &wishes, visit.user_id(), "", is_as_seen).await?;
    Ok(match answer {
        Some(answer) => told(&answer, wish).redirect(back),
        None => {
            let found = found.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_default();
            Flash::warn(format!("Changed meanwhile: {found}. Nothing was changed; look again and choose.")).redirect(back)
        }
    })
}

/// What a decision did, in words.
pub fn told(answer: &Result<engine::mappings::Decided, Vec<engine::mappings::Refusal>>, wish: Wish) -> Flash {
    let decided = match answer {
        Err(refusals) => {
            let flash = Flash::bad("Nothing was changed.");
            return refusals.iter().take(5).fold(flash, |flash, refusal| flash.item(refusal.sentence.clone(), None));
        }
        Ok(decided) => decided,
    };
    let accounts = figures::counted(decided.changed, "account", "accounts");
    match (decided.changed, wish) {
        (0, Wish::Confirm) => Flash::good("Confirmed already: nothing had to change."),
        (0, Wish::Revert) => Flash::good("Nobody had categorized these accounts: nothing had to change."),
        (0, Wish::Set(_)) => Flash::good("It was so already: nothing had to change."),
        (_, Wish::Confirm) => Flash::good(format!("{accounts} confirmed.")),
        (_, Wish::Revert) => Flash::good(format!("{accounts} reverted to what rules and suggestions say. Statements follow at once.")),
        (_, Wish::Set(category)) => {
            Flash::good(format!("{accounts} moved to “{}”. Statements follow at once; no sync is started again.", category.name))
        }
    }
}

pub async fn confirm(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    decide_ticked(&app, &visit, id, &form, Wish::Confirm).await
}

pub async fn revert(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    decide_ticked(&app, &visit, id, &form, Wish::Revert).await
}

/// POST: everything that came or changed has been looked at.
pub async fn see(State(app): State<App>, visit: Visit, Path(id): Path<String>) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    engine::mappings::see_all(&app.engine, visit.organization_id(), &id).await?;
    Ok(Flash::good("Marked as seen.").redirect(&path(&id)))
}

/// Which of the two statements a category stands in.
pub fn statement_word(category: &Category) -> &'static str {
    match category.statement() {
        Statement::BalanceSheet => "balance-sheet",
        Statement::ProfitAndLoss => "profit-and-loss",
    }
}
