//! Receivables and payables by contact as of any day, beside the control accounts they add up to.
use crate::app::App;
use crate::error::WebError;
use crate::pages::account_lines;
use crate::parts::address::{Address, Asked};
use crate::parts::by_contact::ByContact;
use crate::parts::figures;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::chart::control::Control;
use domain::clock::Month;
use domain::ids::CompanyId;
use domain::ledger::Basis;
use jiff::civil::Date;

pub struct ContactRow {
    pub name: String,
    pub balance: String,
    pub is_negative: bool,
    /// Of a thousand parts of the whole, for the bar.
    pub share: i64,
}

pub struct ControlRow {
    pub name: String,
    pub code: String,
    pub by_contact: String,
    pub balance: String,
    pub difference: Option<String>,
    pub href: String,
}

pub struct Choice {
    pub label: &'static str,
    pub href: String,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "pages/contact_balances.html")]
pub struct ContactBalancesPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    pub currency: String,
    pub side: &'static str,
    pub title: &'static str,
    pub sides: Vec<Choice>,
    pub day: String,
    pub as_of: String,
    pub error: Option<String>,
    pub rows: Vec<ContactRow>,
    pub without: Option<String>,
    pub sum: String,
    pub controls: Vec<ControlRow>,
    pub agrees: bool,
    pub is_empty: bool,
}

pub async fn show(State(app): State<App>, visit: Visit, Path(id): Path<String>, asked: Asked) -> Result<Response, WebError> {
    let id = CompanyId::new(id);
    let side = Control::parse(asked.get("side")).unwrap_or(Control::Receivable);
    let mut conn = app.engine.store.read().await?;
    let company = store::companies::find(&mut conn, visit.organization_id(), &id).await?.ok_or(WebError::NotFound)?;
    let proven = company.marked_as_of.as_deref().and_then(|day| day.parse::<Date>().ok());
    let today = proven.unwrap_or_else(|| visit.now.to_zoned(visit.zone.clone()).date());
    let (day, error) = match asked.get("as_of") {
        "" => (today, None),
        text => match text.parse::<Date>() {
            Ok(day) => (day, None),
            Err(_) => (today, Some(format!("“{text}” is not a day; write it as {today}"))),
        },
    };
    let found = ByContact::read(&mut conn, &company, side, day).await?;
    let title = if side == Control::Receivable { "Receivables by contact" } else { "Payables by contact" };
    let shell = visit.shell(&mut conn, Place::Companies, &format!("{title}: {}", company.name)).await?;
    drop(conn);

    let whole: i128 = found.ranked.iter().map(|(_, amount)| i128::from(amount.0.max(0))).sum();
    let rows = found
        .ranked
        .iter()
        .map(|(contact, amount)| ContactRow {
            name: found.names.get(contact).cloned().unwrap_or_else(|| format!("contact {contact}")),
            balance: amount.grouped(),
            is_negative: amount.0 < 0,
            share: i64::try_from(i128::from(amount.0.max(0)) * 1_000 / whole.max(1)).unwrap_or(0),
        })
        .collect();
    let base = Address::new(format!("/companies/{id}/contacts"));
    let controls: Vec<ControlRow> = found
        .controls
        .iter()
        .map(|control| ControlRow {
            name: control.account.name.clone(),
            code: control.account.code.clone(),
            by_contact: control.by_contact.grouped(),
            balance: control.balance.grouped(),
            difference: (control.by_contact != control.balance).then(|| (control.by_contact - control.balance).grouped()),
            href: account_lines::What::Account(&control.account.remote_id).address(&id, Basis::Accrual, (Month::of(day), Month::of(day))).to_string(),
        })
        .collect();
    visit.page(&ContactBalancesPage {
        shell,
        id: id.0.clone(),
        name: company.name.clone(),
        currency: company.currency.clone(),
        side: side.as_str(),
        title,
        sides: [(Control::Receivable, "Receivables"), (Control::Payable, "Payables")]
            .map(|(one, label)| Choice {
                label,
                href: base.with("side", one.as_str()).with("as_of", asked.get("as_of")).to_string(),
                chosen: one == side,
            })
            .into(),
        day: day.to_string(),
        as_of: figures::day(&day.to_string()),
        error,
        without: (!found.without.is_zero()).then(|| found.without.grouped()),
        sum: found.sum.grouped(),
        agrees: controls.iter().all(|control| control.difference.is_none()),
        is_empty: found.is_empty,
        controls,
        rows,
    })
}
