//! The buttons: each does one thing that a person at a provider, or a provider itself, does on an ordinary day.
use crate::books::{Books, DocumentId, Edit, Face, Kind, Refused, Status};
use crate::faults::{Fault, Injected, Outage};
use crate::money::Cents;
use crate::sandbox::Sandbox;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

pub struct Button {
    pub what: &'static str,
    pub name: &'static str,
    pub explained: &'static str,
}

pub const OF_PROVIDERS: [Button; 8] = [
    Button { what: "quickbooks_down", name: "QuickBooks goes down for a minute", explained: "Every call gets a page of HTML with 503." },
    Button { what: "xero_down", name: "Xero goes down for a minute", explained: "Every call gets a page of HTML with 503." },
    Button { what: "end_outages", name: "Everything is well again", explained: "Ends outages, and forgets faults that still wait." },
    Button { what: "throttle", name: "Too many requests", explained: "The next five calls get a 429 that asks to wait ten seconds." },
    Button { what: "lose_refresh", name: "Lose the answer of the next refresh", explained: "The token is rotated; the connection ends." },
    Button { what: "expire", name: "All access tokens run out", explained: "Refresh tokens stay good." },
    Button { what: "html", name: "An answer in HTML", explained: "The next call gets 200 with a page that is no JSON." },
    Button { what: "live", name: "Trade goes on", explained: "Or stops: documents come and change by themselves, an hour each minute." },
];

pub const OF_COMPANIES: [Button; 9] = [
    Button { what: "add_invoice", name: "Write an invoice", explained: "Dated today, to a customer who exists." },
    Button { what: "delete_bill", name: "Delete a bill", explained: "The newest that can be deleted; Xero voids it." },
    Button { what: "edit_january", name: "Edit last January", explained: "An expense or bill of that month becomes a dollar dearer." },
    Button { what: "backdate", name: "Backdate an invoice", explained: "The newest moves ninety days into the past." },
    Button { what: "void_invoice", name: "Void an invoice", explained: "The newest that nobody has paid." },
    Button { what: "silent_edit", name: "Change without a trace", explained: "An invoice's note changes; its time of change does not." },
    Button { what: "revoke", name: "Revoke this grant", explained: "Every consent that reaches this company ends." },
    Button { what: "disconnect", name: "Disconnect this company", explained: "Xero: only this organisation; the grant lives on." },
    Button { what: "lapse", name: "Its subscription ends for a minute", explained: "Tokens stay good; the company refuses." },
];

/// What was done, as a sentence; `None` for an unknown button.
pub fn of_provider(sandbox: &Sandbox, what: &str) -> Option<String> {
    let now = sandbox.clock.now();
    let next =
        |path: Option<&str>, times, fault| Injected { face: None, company: None, path_contains: path.map(str::to_owned), skip: 0, times, fault };
    let down = |face| {
        let until = now + SignedDuration::from_secs(60);
        sandbox.write(|state| state.faults.outages.push(Outage { face: Some(face), company: None, until, fault: Fault::Html { status: 503 } }));
    };
    let inject = |fault: Injected| sandbox.write(|state| state.faults.inject(fault));
    Some(match what {
        "quickbooks_down" => {
            down(Face::QuickBooks);
            "QuickBooks is down for a minute.".into()
        }
        "xero_down" => {
            down(Face::Xero);
            "Xero is down for a minute.".into()
        }
        "end_outages" => {
            sandbox.write(|state| state.faults.clear());
            "Outages are over and no fault waits.".into()
        }
        "throttle" => {
            inject(next(None, 5, Fault::Throttle { retry_after: Some("10".into()) }));
            "The next five calls are too many.".into()
        }
        "lose_refresh" => {
            inject(next(Some("token"), 1, Fault::LoseAnswer));
            "The next answer of a token endpoint will be lost.".into()
        }
        "expire" => format!("{} access tokens ran out.", sandbox.write(|state| state.grants.expire_access(now))),
        "html" => {
            inject(next(None, 1, Fault::Html { status: 200 }));
            "The next call gets a page of HTML.".into()
        }
        "live" if sandbox.read(|state| state.live.is_some()) => {
            sandbox.write(|state| state.live = None);
            sandbox.clock.run_at(1);
            "Trade has stopped; the clock runs at its ordinary pace.".into()
        }
        "live" => {
            sandbox.go_live(crate::live::Pace::default());
            "Trade goes on, an hour each minute.".into()
        }
        _ => return None,
    })
}

pub fn of_company(sandbox: &Sandbox, company: &str, what: &str) -> Option<String> {
    let now = sandbox.clock.now();
    let in_books = |change: fn(&mut Books, Timestamp) -> Result<String, Refused>| {
        sandbox.write(|state| Some(change(state.companies.get_mut(company)?, now).unwrap_or_else(|refused| format!("Nothing was done: {refused}."))))
    };
    match what {
        "add_invoice" => in_books(add_invoice),
        "delete_bill" => in_books(delete_bill),
        "edit_january" => in_books(edit_january),
        "backdate" => in_books(backdate),
        "void_invoice" => in_books(void_invoice),
        "silent_edit" => in_books(silent_edit),
        "revoke" => {
            let ended = sandbox.write(|state| state.grants.revoke_where(None, None, Some(company)));
            Some(format!("{ended} grants ended."))
        }
        "disconnect" => sandbox.write(|state| {
            let removed = match state.companies.get(company)?.face {
                Face::QuickBooks => state.grants.revoke_where(None, None, Some(company)),
                Face::Xero => {
                    let before = state.grants.xero_connections.len();
                    state.grants.xero_connections.retain(|connection| connection.tenant_id != company);
                    before - state.grants.xero_connections.len()
                }
            };
            Some(format!("{removed} connections ended."))
        }),
        "lapse" => sandbox.write(|state| {
            let (company, face) = (state.companies.get(company)?.id.clone(), None);
            let until = now + SignedDuration::from_secs(60);
            state.faults.outages.push(Outage { face, company: Some(company), until, fault: Fault::Lapsed });
            Some("The subscription has ended for a minute.".into())
        }),
        _ => None,
    }
}

fn nothing<T>(what: &str) -> Result<T, Refused> {
    Err(Refused(format!("there is no {what}")))
}

fn today(books: &Books, now: Timestamp) -> Date {
    now.in_tz(&books.time_zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date())
}

/// The newest active document of this kind that nothing is applied to.
fn newest(books: &Books, kind: Kind) -> Option<DocumentId> {
    let free = |id: &DocumentId| books.payments_of(*id).is_empty();
    books.documents.values().rev().filter(|d| d.kind == kind && d.status == Status::Active).map(|d| d.id).find(free)
}

fn named(books: &Books, id: DocumentId) -> String {
    let document = &books.documents[&id];
    format!("{} {} of {}", document.kind.word().replace('_', " "), document.number, document.date)
}

fn add_invoice(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let Some(model) = newest(books, Kind::Invoice) else { return nothing("invoice to take as a model") };
    let (contact, currency, rate) = {
        let model = &books.documents[&model];
        (model.contact, model.currency.clone(), model.rate)
    };
    let lines = books.documents[&model].lines.iter().map(|line| crate::books::NewLine {
        item: line.item,
        quantity_hundredths: line.quantity_hundredths,
        unit_price: line.unit_price,
        tax_rate: line.tax_rate,
        ..crate::books::NewLine::new(line.account, line.amount, line.description.clone())
    });
    let mut document = crate::books::NewDocument::new(Kind::Invoice, today(books, now));
    document.lines = lines.collect();
    document.contact = contact;
    if currency != books.currency {
        (document.currency, document.rate) = (Some(currency), Some(rate));
    }
    let id = books.add_document(document, now)?;
    Ok(format!("Written: {}.", named(books, id)))
}

fn delete_bill(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let Some(id) = newest(books, Kind::Bill) else { return nothing("bill that can be deleted") };
    match books.face {
        Face::QuickBooks => books.delete(id, now)?,
        Face::Xero => books.void(id, now)?,
    }
    Ok(format!("Gone: {}.", named(books, id)))
}

fn edit_january(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let today = today(books, now);
    let year = if today.month() > 1 { today.year() } else { today.year() - 1 };
    let january = Date::new(year, 1, 1).map_err(|error| Refused(error.to_string()))?;
    let of_then: Vec<DocumentId> = books
        .documents_between(january, january.last_of_month())
        .filter(|d| matches!(d.kind, Kind::Expense | Kind::Bill) && !d.lines.is_empty())
        .map(|d| d.id)
        .collect();
    let Some(&id) = of_then.iter().find(|id| books.payments_of(**id).is_empty()) else { return nothing("expense or unpaid bill of last January") };
    let dearer = books.documents[&id].lines[0].amount + Cents(100);
    books.edit(id, Edit::Amount(dearer), now)?;
    Ok(format!("Changed: {}.", named(books, id)))
}

fn backdate(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let Some(id) = newest(books, Kind::Invoice) else { return nothing("invoice that can be moved") };
    let day = books.documents[&id].date.saturating_sub(jiff::Span::new().days(90));
    books.edit(id, Edit::Date(day), now)?;
    Ok(format!("Moved: {}.", named(books, id)))
}

fn void_invoice(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let Some(id) = newest(books, Kind::Invoice) else { return nothing("unpaid invoice") };
    books.void(id, now)?;
    Ok(format!("Voided: {}.", named(books, id)))
}

fn silent_edit(books: &mut Books, now: Timestamp) -> Result<String, Refused> {
    let Some(id) = newest(books, Kind::Invoice) else { return nothing("invoice that can be changed") };
    let before = books.documents[&id].updated_at;
    books.edit(id, Edit::Memo(format!("Changed silently at {}", now.strftime("%H:%M:%S"))), now)?;
    if let Some(document) = books.documents.get_mut(&id) {
        document.updated_at = before;
    }
    Ok(format!("Changed without a new time: {}.", named(books, id)))
}
