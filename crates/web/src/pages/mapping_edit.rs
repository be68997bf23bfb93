//! Another category for one or several accounts: a picker that can be searched, and what would move before it moves.
use crate::app::App;
use crate::error::WebError;
use crate::pages::mapping::{self, SourceMark, provider_type};
use crate::parts::address::{Address, Asked};
use crate::parts::figures;
use crate::parts::mapped::{MappedBooks, class_name, natural};
use crate::parts::seen::{self, Changed};
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::chart::category::{self, Category};
use domain::chart::mapping::{MappingSource, effect};
use domain::document::AccountClass;
use domain::ids::CompanyId;
use domain::money::Amount;
use engine::mappings::{Loaded, Wish};
use std::collections::BTreeSet;

pub struct Chosen {
    pub id: String,
    pub name: String,
    pub code: String,
    pub provider_type: String,
    pub balance: String,
    pub category: &'static str,
    pub source: SourceMark,
    pub reason: String,
}

pub struct Choice {
    pub path: String,
    pub key: &'static str,
}

/// One line of a statement that changes.
pub struct Line {
    pub name: String,
    pub statement: &'static str,
    pub total: String,
    pub is_less: bool,
    pub months: Vec<(String, String)>,
    pub more: usize,
}

pub struct Preview {
    pub to: &'static str,
    /// Every account lies there already.
    pub is_there: bool,
    pub lines: Vec<Line>,
    pub months: usize,
    pub first: String,
    pub last: String,
    pub href: String,
}

#[derive(Template)]
#[template(path = "pages/mapping_edit.html")]
pub struct MappingEditPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub back: String,
    pub class: String,
    pub accounts: Vec<Chosen>,
    pub choices: Vec<Choice>,
    pub category: String,
    pub note: String,
    pub error: Option<String>,
    pub preview: Option<Preview>,
    pub syncing: bool,
    /// What the accounts are now: a form that was drawn from something else is shown again.
    pub seen: String,
    pub changed: Option<Changed>,
}

const MONTHS_SHOWN: usize = 12;
const MOST_ACCOUNTS: usize = 500;
const LONGEST_NOTE: usize = 300;

/// GET: the picker; with a category also the preview.
pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let category = asked.get("category").to_owned();
    answer(&app, &visit, CompanyId::new(id), &asked, category, None, false).await
}

/// POST: applies it.
pub async fn apply(State(app): State<App>, visit: Visit, Path(id): Path<String>, RawForm(form): RawForm) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let form = Asked::parse(&form);
    let words = form.get("category").to_owned();
    let category = match wanted(&words) {
        Ok(category) => category,
        Err(error) => return answer(&app, &visit, id, &form, words, Some(error), false).await,
    };
    let note = form.get("note");
    if note.chars().count() > LONGEST_NOTE {
        let error = format!("The note has {} characters; {LONGEST_NOTE} are kept. Shorten it", note.chars().count());
        return answer(&app, &visit, id, &form, words, Some(error), false).await;
    }
    let accounts = ids(&form);
    let wishes: Vec<(String, Wish)> = accounts.iter().map(|account| (account.clone(), Wish::Set(category))).collect();
    // a button that is pressed twice has changed nothing meanwhile
    let lies_there = |now: &Loaded, account: &String| {
        now.mapping.0.get(account).is_some_and(|assignment| assignment.source == MappingSource::User && assignment.category == category)
    };
    let is_as_seen = |now: &Loaded| !seen::is_stale(&form, &seen_of(now, &accounts)) || accounts.iter().all(|account| lies_there(now, account));
    let decided = engine::mappings::decide_if(&app.engine, visit.organization_id(), &id, &wishes, visit.user_id(), note, is_as_seen).await?;
    let Some(decided) = decided else { return answer(&app, &visit, id, &form, words, None, true).await };
    if let Err(refusals) = &decided {
        let error = refusals.first().map(|refusal| refusal.sentence.clone()).unwrap_or_default();
        return answer(&app, &visit, id, &form, words, Some(error), false).await;
    }
    let otherwise = mapping::path(&id);
    Ok(mapping::told(&decided, Wish::Set(category)).redirect(form.back(&otherwise)))
}

fn ids(asked: &Asked) -> Vec<String> {
    mapping::ticked(asked).into_keys().take(MOST_ACCOUNTS).collect()
}

fn wanted(words: &str) -> Result<&'static Category, String> {
    if words.is_empty() {
        return Err("Choose a category from the list".to_owned());
    }
    category::find_by_words(words).ok_or_else(|| {
        let group = category::all()
            .iter()
            .find(|category| !category.is_leaf && (category.key == words || category.name.eq_ignore_ascii_case(words) || category.path() == words));
        match group {
            Some(group) => format!("“{}” is a group; choose one of the categories in it", group.name),
            None => format!("“{words}” is no category of the standard chart; type a few letters and choose from the list"),
        }
    })
}

fn seen_of(loaded: &Loaded, accounts: &[String]) -> String {
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    seen::tag(engine::mappings::state_of(loaded, &accounts).as_bytes())
}

async fn answer(
    app: &App,
    visit: &Visit,
    id: CompanyId,
    asked: &Asked,
    words: String,
    error: Option<String>,
    has_changed: bool,
) -> Result<Response, WebError> {
    let mut conn = app.engine.store.read().await?;
    let books = MappedBooks::read(visit, &mut conn, &id).await?;
    let shell = visit.shell(&mut conn, Place::Mapping, "Change category").await?;
    drop(conn);
    let ids = ids(asked);
    let otherwise = mapping::path(&id);
    let back = asked.back(&otherwise).to_owned();
    let known: Vec<&str> = ids.iter().map(String::as_str).filter(|account| engine::mappings::is_known(&books.loaded, account)).collect();
    if known.is_empty() && error.is_none() {
        return Ok(crate::flash::Flash::warn("No account is selected. Tick the accounts to change first.").redirect(&back));
    }
    let classes: BTreeSet<AccountClass> = known.iter().map(|account| books.loaded.chart.account(account).class).collect();
    let mut error = error;
    if classes.len() > 1 && error.is_none() {
        let words: Vec<String> = classes.iter().map(|class| engine::mappings::class_word(*class)).collect();
        error = Some(format!("The selected accounts are {}; select accounts of one class, since a category belongs to one", words.join(" and ")));
    }
    let mut preview = None;
    if error.is_none() && !words.is_empty() {
        match wanted(&words) {
            Err(sentence) => error = Some(sentence),
            Ok(category) if !classes.contains(&category.class) => {
                error = Some(format!(
                    "“{}” is one of the {}, but the provider's account is one of the {}; choose a category of the same class",
                    category.name,
                    engine::mappings::class_word(category.class),
                    classes.first().map(|class| engine::mappings::class_word(*class)).unwrap_or_default()
                ));
            }
            Ok(category) => preview = Some(made(&books, &known, category)),
        }
    }
    let accounts = known.iter().map(|account| chosen(&books, account)).collect();
    let choices = category::all()
        .iter()
        .filter(|category| category.is_leaf && classes.contains(&category.class))
        .map(|category| Choice { path: category.path(), key: category.key })
        .collect();
    let status = match (&error, has_changed) {
        (Some(_), _) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, true) => StatusCode::CONFLICT,
        (None, false) => StatusCode::OK,
    };
    // what is there now stands in the table of the accounts
    let changed = has_changed.then(|| Changed::new(back.clone()));
    visit.page_with(
        status,
        &MappingEditPage {
            shell,
            id: id.0.clone(),
            name: books.company.name.clone(),
            back,
            class: classes.iter().map(|class| class_name(*class)).collect::<Vec<_>>().join(", "),
            accounts,
            choices,
            category: category::find_by_words(&words).map_or(words, Category::path),
            note: asked.get("note").chars().take(LONGEST_NOTE * 2).collect(),
            error,
            preview,
            syncing: books.company.run.is_some(),
            seen: seen_of(&books.loaded, &ids),
            changed,
        },
    )
}

fn chosen(books: &MappedBooks, id: &str) -> Chosen {
    let account = books.loaded.chart.account(id);
    let assignment = &books.loaded.mapping.0[id];
    Chosen {
        id: id.to_owned(),
        code: account.code.clone(),
        provider_type: provider_type(&account),
        balance: natural(account.class, books.balance(id)).grouped(),
        category: assignment.category.name,
        source: SourceMark::of(assignment.source),
        reason: assignment.reason.clone(),
        name: account.name,
    }
}

/// Which lines move, by how much, in which months.
fn made(books: &MappedBooks, accounts: &[&str], to: &'static Category) -> Preview {
    let moved = effect(&books.movements, &books.loaded.chart, &books.loaded.mapping, accounts.iter().copied(), to);
    let months: BTreeSet<_> = moved.values().flat_map(|months| months.keys().copied()).collect();
    let short = |month: &domain::clock::Month| month.first_day().strftime("%b %Y").to_string();
    let line = |category: &Category, amounts: Vec<(domain::clock::Month, Amount)>, is_less: bool| {
        let total: Amount = amounts.iter().map(|(_, amount)| *amount).sum();
        let sign = |amount: Amount| if amount.0 < 0 { format!("−{}", (-amount).grouped()) } else { format!("+{}", amount.grouped()) };
        Line {
            name: category.path(),
            statement: if category.class.is_profit_and_loss() { "Profit and loss" } else { "Balance sheet" },
            total: sign(total),
            is_less,
            more: amounts.len().saturating_sub(MONTHS_SHOWN),
            months: amounts.iter().rev().take(MONTHS_SHOWN).map(|(month, amount)| (short(month), sign(*amount))).collect(),
        }
    };
    let mut lines = Vec::new();
    let mut gained: std::collections::BTreeMap<domain::clock::Month, Amount> = std::collections::BTreeMap::new();
    for (rank, amounts) in &moved {
        let from = &category::all()[*rank];
        for (month, amount) in amounts {
            *gained.entry(*month).or_default() += *amount;
        }
        lines.push(line(from, amounts.iter().map(|(month, amount)| (*month, -natural(from.class, *amount))).collect(), true));
    }
    if !lines.is_empty() {
        lines.push(line(to, gained.into_iter().map(|(month, amount)| (month, natural(to.class, amount))).collect(), false));
    }
    Preview {
        to: to.name,
        is_there: accounts.iter().all(|id| books.loaded.mapping.0[*id].category.key == to.key),
        lines,
        months: months.len(),
        first: months.first().map(short).unwrap_or_default(),
        last: months.last().map(short).unwrap_or_default(),
        href: Address::new(format!("/companies/{}/statements", books.company.id))
            .with("report", mapping::statement_word(to))
            .with("chart", "standard")
            .to_string(),
    }
}

impl MappingEditPage {
    fn title(&self) -> String {
        match self.accounts.as_slice() {
            [only] => only.name.clone(),
            many => figures::counted(many.len(), "account", "accounts"),
        }
    }
}
