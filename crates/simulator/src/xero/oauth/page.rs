//! The consent page and the error page: plain HTML forms that work without scripts.
use super::authorize::Request;
use super::scopes;
use crate::sandbox::{State, User};

const STYLE: &str = r#"
:root{color-scheme:light dark;--ink:#102a43;--soft:#52667a;--line:#d5dee8;--ground:#eef3f7;--card:#fff;--main:#0b6e99;--main-ink:#fff;--warn:#fff4d6;--warn-ink:#6b4a00}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0c0;--line:#33424f;--ground:#0f1720;--card:#18232e;--main:#3fa9d6;--main-ink:#06202c;--warn:#3a2f10;--warn-ink:#ffdf8a}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.mark{background:var(--warn);color:var(--warn-ink);text-align:center;padding:.6rem 1rem;font-size:.9rem}
main{max-width:30rem;margin:2.5rem auto;padding:0 1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.75rem}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .25rem}
h2{font-size:.95rem;margin:1.5rem 0 .5rem}
p{margin:.25rem 0;color:var(--soft)}
ul{margin:.25rem 0;padding-left:1.2rem;color:var(--soft)}
fieldset{border:0;margin:1.5rem 0 0;padding:0}
legend{font-weight:600;font-size:.95rem;margin:0 0 .5rem;padding:0}
label{display:flex;gap:.75rem;align-items:center;border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;margin-bottom:.5rem;cursor:pointer}
label:hover{border-color:var(--main)}
label small{display:block;color:var(--soft)}
input{width:1.1rem;height:1.1rem;accent-color:var(--main);flex:none}
.buttons{display:flex;gap:.75rem;margin-top:1.5rem}
button{flex:1;font:inherit;font-weight:600;padding:.7rem 1rem;border-radius:.5rem;border:1px solid var(--line);background:var(--card);color:var(--ink);cursor:pointer}
button.main{background:var(--main);border-color:var(--main);color:var(--main-ink)}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.notice{border-left:4px solid #c2410c;padding:.5rem .75rem;margin:1rem 0 0;color:var(--ink)}
a{color:var(--main)}
code{font-size:.9em;overflow-wrap:anywhere}
"#;

const MARK: &str = r#"<div class="mark" role="note"><strong>Sandbox.</strong> This page imitates Xero's consent page. No real account is involved; it is not made by Xero.</div>"#;

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>{MARK}<main><div class=\"card\">{body}</div></main></body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

pub fn error(code: &str, text: &str) -> String {
    let body = format!(
        "<h1>Sorry, something went wrong</h1><p>The app sent a request that cannot be accepted, so you were not sent back to it.</p>\
         <h2>Error</h2><p><code>{}</code></p><p>{}</p>",
        escaped(code),
        escaped(text)
    );
    frame("Error - Sandbox for Xero", &body)
}

/// `open` are the organisations this user may authorize.
pub fn consent(state: &State, request: &Request, user: &User, open: &[String], notice: Option<&str>) -> String {
    let hidden: String = request
        .of_app()
        .chain([("user", user.email.as_str())])
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value)))
        .collect();
    let notice = notice.map(|text| format!("<p class=\"notice\" role=\"alert\">{}</p>", escaped(text))).unwrap_or_default();
    let body = format!(
        "<h1><strong>{app}</strong> wants access to your organisation data</h1>{user_line}{notice}\
         <form method=\"post\" action=\"/identity/connect/authorize\">{hidden}{organisations}\
         <h2>This app will be able to</h2><ul>{meanings}</ul>\
         <div class=\"buttons\"><button class=\"main\" name=\"decision\" value=\"allow\">Allow access</button>\
         <button name=\"decision\" value=\"cancel\">Cancel</button></div></form>",
        app = escaped(request.get("client_id").unwrap_or_default()),
        user_line = user_line(state, request, user),
        organisations = organisations(state, request, open),
        meanings = meanings(request.get("scope").unwrap_or_default()),
    );
    frame("Allow access - Sandbox for Xero", &body)
}

/// Who is signed in, and links that switch to the other sandbox users.
fn user_line(state: &State, request: &Request, user: &User) -> String {
    let links: Vec<String> = state
        .users
        .iter()
        .filter(|other| other.id != user.id)
        .map(|other| {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(request.of_app()).append_pair("user", &other.email).finish();
            format!("<a href=\"/identity/connect/authorize?{}\">{} {}</a>", escaped(&query), escaped(&other.given_name), escaped(&other.family_name))
        })
        .collect();
    let switch = if links.is_empty() { String::new() } else { format!(" Use another user: {}", links.join(", ")) };
    let (given, family, email) = (escaped(&user.given_name), escaped(&user.family_name), escaped(&user.email));
    format!("<p>Signed in as <strong>{given} {family}</strong> ({email}).{switch}</p>")
}

fn organisations(state: &State, request: &Request, open: &[String]) -> String {
    if open.is_empty() {
        return "<h2>Organisations</h2><p>This user has no organisations. Allowing access signs in without connecting one.</p>".into();
    }
    let single = request.is_single(state);
    let (kind, legend) = if single { ("radio", "Select an organisation") } else { ("checkbox", "Select one or more organisations") };
    let choices: String = open
        .iter()
        .filter_map(|id| state.companies.get(id))
        .enumerate()
        .map(|(index, books)| {
            let checked = if index == 0 && (single || open.len() == 1) { " checked" } else { "" };
            format!(
                "<label><input type=\"{kind}\" name=\"company\" value=\"{}\"{checked}><span>{}<small>{} · {}</small></span></label>",
                escaped(&books.id),
                escaped(&books.name),
                escaped(&books.country),
                escaped(&books.currency)
            )
        })
        .collect();
    format!("<fieldset><legend>{legend}</legend>{choices}</fieldset>")
}

fn meanings(scope: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    for word in scope.split_whitespace() {
        let Some(meaning) = scopes::meaning(word) else { continue };
        // a scope without .read allows writing as well
        let writes = word.starts_with("accounting.") && !word.ends_with(".read");
        let meaning = if writes { meaning.replacen("Read", "Read and change", 1) } else { meaning.to_string() };
        if !known.contains(&meaning) {
            known.push(meaning);
        }
    }
    known.into_iter().map(|meaning| format!("<li>{meaning}</li>")).collect()
}
