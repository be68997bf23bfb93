//! The pages of the console.
use super::mischief::{Button, OF_COMPANIES, OF_PROVIDERS};
use crate::books::{Books, Document, Face, Status};
use crate::faults::Fault;
use crate::money::Cents;
use crate::sandbox::State;
use jiff::Timestamp;
use std::fmt::Write;

const STYLE: &str = include_str!("console.css");
/// Rows of the newest documents.
const NEWEST: usize = 25;

pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

pub fn provider(face: Face) -> &'static str {
    match face {
        Face::QuickBooks => "QuickBooks",
        Face::Xero => "Xero",
    }
}

fn frame(title: &str, head: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} - Sandbox</title><style>{STYLE}</style></head><body><p class=\"mark\">Sandbox: imagined companies, no real data</p>\
         <header>{head}</header><main>{content}</main>\
         <footer>Made by neither Intuit nor Xero. What the buttons do, and much more, the control API under <code>/_control</code> does, too: \
         <a href=\"/_control/companies\">companies</a>, <a href=\"/_control/requests\">requests</a>, <a href=\"/_control/tokens\">tokens</a>, \
         <a href=\"/_control/faults\">faults</a>, <a href=\"/_control/limits\">limits</a>, <a href=\"/_control/webhooks\">webhooks</a>, \
         <a href=\"/_control/clock\">clock</a>.</footer></body></html>\n"
    )
}

fn done_note(done: &str) -> String {
    if done.is_empty() { String::new() } else { format!("<p class=\"done\" role=\"status\">{}</p>", escaped(done)) }
}

/// `1234567` as `1,234,567`, before the decimals too.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, rest) = digits.split_once('.').map_or((digits, String::new()), |(whole, cents)| (whole, format!(".{cents}")));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{rest}")
}

fn amount(cents: Cents) -> String {
    grouped(&cents.to_string())
}

fn buttons(action: &str, buttons: &[Button]) -> String {
    let mut list = String::from("<ul class=\"mischief\">");
    for button in buttons {
        write!(
            list,
            "<li><form method=\"post\" action=\"{action}\"><button name=\"what\" value=\"{}\"><strong>{}</strong><span>{}</span></button></form></li>",
            button.what, button.name, button.explained
        )
        .expect("writing to a string");
    }
    list + "</ul>"
}

fn grants(state: &State, books: &Books) -> usize {
    match books.face {
        Face::QuickBooks => state.grants.families.values().filter(|family| !family.revoked && family.companies.contains(&books.id)).count(),
        Face::Xero => state.grants.xero_connections.iter().filter(|connection| connection.tenant_id == books.id).count(),
    }
}

fn connected(count: usize) -> String {
    let (class, text) = match count {
        0 => ("tag", "not connected".to_owned()),
        1 => ("tag good", "connected".to_owned()),
        more => ("tag good", format!("connected {more} times")),
    };
    format!("<span class=\"{class}\">{text}</span>")
}

pub fn overview(state: &State, now: Timestamp, done: &str) -> String {
    let mut content = done_note(done);
    content += &weather(state, now);
    content += "<h2>Companies</h2><div class=\"cards\">";
    for books in state.companies.values() {
        let calls = state.calls_by_company.get(&books.id).copied().unwrap_or(0);
        write!(
            content,
            "<section class=\"card\"><h3><a href=\"/companies/{id}\">{name}</a></h3><p class=\"soft\">{face} · {country} · {zone}</p>{connected}\
             <dl><dt>Documents</dt><dd>{documents}</dd><dt>Newest</dt><dd>{newest}</dd><dt>Currency</dt><dd>{currency}</dd><dt>Calls</dt><dd>{calls}</dd></dl>\
             <p class=\"soft\"><code>{id}</code></p></section>",
            id = escaped(&books.id),
            name = escaped(&books.name),
            face = provider(books.face),
            country = escaped(&books.country),
            zone = escaped(&books.time_zone),
            connected = connected(grants(state, books)),
            documents = grouped(&books.documents.len().to_string()),
            newest = books.last_date().map_or_else(|| "-".to_owned(), |day| day.to_string()),
            currency = escaped(&books.currency),
            calls = grouped(&calls.to_string()),
        )
        .expect("writing to a string");
    }
    content += "</div><h2>Mischief</h2>";
    content += &buttons("/mischief", &OF_PROVIDERS);
    content += &calls(state);
    content += &apps(state);
    let head = format!(
        "<h1>QuickBooks and Xero sandbox</h1><p class=\"soft\">Both providers' APIs over real double-entry books. Point a client's base addresses here. \
         The clock reads <code>{}</code>.</p>",
        now.strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    frame("Overview", &head, &content)
}

/// What is wrong at the moment.
fn weather(state: &State, now: Timestamp) -> String {
    let mut tags = Vec::new();
    for outage in state.faults.outages.iter().filter(|outage| now < outage.until) {
        let whose = match (&outage.company, outage.face) {
            (Some(company), _) => state.companies.get(company).map_or_else(|| company.clone(), |books| books.name.clone()),
            (None, Some(face)) => provider(face).to_owned(),
            (None, None) => "Both providers".to_owned(),
        };
        let left = outage.until.as_second() - now.as_second();
        let how = match &outage.fault {
            Fault::Html { status } => format!("down ({status})"),
            other => other.word().replace('_', " "),
        };
        tags.push(format!("<span class=\"tag bad\">{}: {how} for {left} s more</span>", escaped(&whose)));
    }
    let waiting = state.faults.waiting().len();
    if waiting > 0 {
        tags.push(format!("<span class=\"tag bad\">{waiting} faults wait for calls</span>"));
    }
    if let Some(schedule) = &state.schedule {
        let plan = &schedule.plan;
        tags.push(format!("<span class=\"tag bad\">seed {} hits {} of 1,000 calls, {} so far</span>", plan.seed, plan.per_thousand, schedule.hits));
    }
    if let Some(live) = &state.live {
        tags.push(format!("<span class=\"tag good\">trade goes on at speed {}: {} changes</span>", live.pace.speed, live.changes));
    }
    if !state.limits.enforced {
        tags.push("<span class=\"tag\">call limits are off</span>".to_owned());
    }
    if tags.is_empty() {
        tags.push("<span class=\"tag good\">all is well</span>".to_owned());
    }
    format!("<p>{}</p>", tags.join(" "))
}

fn calls(state: &State) -> String {
    let mut calls: Vec<(&String, &u64)> = state.calls.iter().collect();
    calls.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let most = calls.first().map_or(1, |(_, count)| **count).max(1);
    let mut rows = String::new();
    for (name, count) in calls.iter().take(12) {
        let width = (*count * 100).div_ceil(most);
        write!(
            rows,
            "<tr><td><code>{}</code></td><td class=\"number\">{}</td><td><span class=\"bar\" style=\"width:{width}%\"></span></td></tr>",
            escaped(name),
            grouped(&count.to_string())
        )
        .expect("writing to a string");
    }
    if rows.is_empty() {
        return "<h2>Calls</h2><p class=\"soft\">Nobody has called yet.</p>".to_owned();
    }
    format!(
        "<h2>Calls</h2><div class=\"scroll\"><table><thead><tr><th>What</th><th class=\"number\">Times</th><th style=\"width:40%\"></th></tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}

fn apps(state: &State) -> String {
    let mut rows = String::new();
    for app in &state.apps {
        let tier = if app.face == Face::Xero { format!("{:?}", app.tier) } else { String::new() };
        let redirects = app.redirect_uris.iter().map(|uri| format!("<code>{}</code>", escaped(uri))).collect::<Vec<_>>().join(" ");
        write!(
            rows,
            "<tr><td>{}</td><td><code>{}</code></td><td><code>{}</code></td><td>{tier}</td><td>{redirects}</td></tr>",
            provider(app.face),
            escaped(&app.client_id),
            escaped(&app.client_secret)
        )
        .expect("writing to a string");
    }
    let mut people = String::new();
    for user in &state.users {
        let sees = match (user.companies.is_empty(), user.sees_reports) {
            (true, true) => "all companies",
            (true, false) => "all companies, no reports",
            (false, _) => "only some companies, or none",
        };
        let name = format!("{} {}", user.given_name, user.family_name);
        write!(people, "<tr><td>{}</td><td>{}</td><td>{sees}</td></tr>", escaped(&name), escaped(&user.email)).expect("writing to a string");
    }
    format!(
        "<h2>Apps</h2><div class=\"scroll\"><table><thead><tr><th>Provider</th><th>Client id</th><th>Client secret</th><th>Tier</th><th>Redirect addresses</th></tr>\
         </thead><tbody>{rows}</tbody></table></div><h2>People who can sign in</h2><div class=\"scroll\"><table><thead><tr><th>Name</th><th>E-mail</th>\
         <th>Sees</th></tr></thead><tbody>{people}</tbody></table></div>"
    )
}

pub fn company(state: &State, books: &Books, now: Timestamp, done: &str) -> String {
    let today = now.in_tz(&books.time_zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date());
    let mut content = done_note(done);
    content += "<h2>Mischief</h2>";
    content += &buttons(&format!("/companies/{}/mischief", escaped(&books.id)), &OF_COMPANIES);
    content += &trial_balance(books, today);
    content += &newest(books);
    let head = format!(
        "<p><a href=\"/\">All companies</a></p><h1>{}</h1><p class=\"soft\">{} · {} · {} · <code>{}</code></p><p>{} <span class=\"tag\">{} documents</span> \
         <span class=\"tag\">{}</span></p>",
        escaped(&books.name),
        provider(books.face),
        escaped(&books.currency),
        escaped(&books.time_zone),
        escaped(&books.id),
        connected(grants(state, books)),
        grouped(&books.documents.len().to_string()),
        match state.calls_by_company.get(&books.id).copied().unwrap_or(0) {
            1 => "1 call".to_owned(),
            count => format!("{} calls", grouped(&count.to_string())),
        },
    );
    frame(&escaped(&books.name), &head, &content)
}

fn trial_balance(books: &Books, today: jiff::civil::Date) -> String {
    let (mut debits, mut credits, mut rows) = (Cents::ZERO, Cents::ZERO, String::new());
    let mut balances: Vec<_> = books.trial_balance(today).into_iter().filter_map(|(id, balance)| Some((books.accounts.get(&id)?, balance))).collect();
    balances.sort_by(|(left, _), (right, _)| (&left.code, left.id).cmp(&(&right.code, right.id)));
    for (account, balance) in balances {
        let (debit, credit) = if balance.0 < 0 { (String::new(), amount(-balance)) } else { (amount(balance), String::new()) };
        if balance.0 < 0 {
            credits -= balance;
        } else {
            debits += balance;
        }
        write!(
            rows,
            "<tr><td>{}</td><td>{}{}</td><td class=\"number\">{debit}</td><td class=\"number\">{credit}</td></tr>",
            escaped(&account.code),
            escaped(&account.name),
            if account.active { "" } else { " <span class=\"tag\">inactive</span>" },
        )
        .expect("writing to a string");
    }
    format!(
        "<h2>Trial balance at {today}</h2><div class=\"scroll\"><table><thead><tr><th>Code</th><th>Account</th><th class=\"number\">Debit</th>\
         <th class=\"number\">Credit</th></tr></thead><tbody>{rows}</tbody><tfoot><tr><td></td><td>Total</td><td class=\"number\">{}</td>\
         <td class=\"number\">{}</td></tr></tfoot></table></div>",
        amount(debits),
        amount(credits)
    )
}

fn newest(books: &Books) -> String {
    let mut rows = String::new();
    let mut newest: Vec<&Document> = books.documents.values().collect();
    let order = |document: &&Document| std::cmp::Reverse((document.updated_at, document.id));
    if newest.len() > NEWEST {
        newest.select_nth_unstable_by_key(NEWEST, order);
        newest.truncate(NEWEST);
    }
    newest.sort_by_key(order);
    for document in newest {
        let state = match document.status {
            Status::Active => "",
            Status::Draft => "draft",
            Status::Voided => "voided",
            Status::Deleted => "deleted",
        };
        let class = if matches!(document.status, Status::Voided | Status::Deleted) { " class=\"gone\"" } else { "" };
        let contact = document.contact.and_then(|id| books.contacts.get(&id)).map_or("", |contact| &contact.name);
        write!(
            rows,
            "<tr><td>{}</td><td{class}>{} {}</td><td>{}</td><td class=\"number\">{} {}</td><td>{state}</td><td>{}</td></tr>",
            document.date,
            document.kind.word().replace('_', " "),
            escaped(&document.number),
            escaped(contact),
            amount(books.total(document)),
            escaped(&document.currency),
            document.updated_at.strftime("%Y-%m-%d %H:%M:%S"),
        )
        .expect("writing to a string");
    }
    format!(
        "<h2>Changed last</h2><div class=\"scroll\"><table><thead><tr><th>Date</th><th>Document</th><th>Contact</th><th class=\"number\">Total</th>\
         <th>State</th><th>Changed (UTC)</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

pub fn missing() -> String {
    frame("Not found", "<h1>There is no such company</h1>", "<p><a href=\"/\">All companies</a></p>")
}
