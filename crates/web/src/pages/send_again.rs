//! A form that was sent after its session had ended: kept for a quarter of an hour, shown after the sign-in, and sent again by whoever wants that.
use crate::app::App;
use crate::error::WebError;
use crate::parts::address::without_nul;
use crate::protection::is_own_path;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use domain::ids::UserId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use url::Url;

const LIFE_MS: i64 = 15 * 60_000;
/// Larger ones are not kept, and of more than these the oldest goes: together they take 8 MB.
const LARGEST: usize = 64 << 10;
const MOST_KEPT: usize = 128;
/// Parts of the names of fields that hold a secret. `url` is the address of a chat, which is one; `present` is the current password.
const SECRETS: [&str; 10] = ["password", "present", "secret", "token", "code", "recovery", "key", "otp", "passphrase", "url"];
const FIELDS_SHOWN: usize = 40;
const CHARACTERS_SHOWN: usize = 2_000;
/// Of a name, which is ours and short unless somebody made it up.
const LONGEST_NAME: usize = 60;

/// Forms as they were sent, without their secrets. In memory: what strangers send is written to no database.
#[derive(Default)]
pub struct KeptForms(Mutex<VecDeque<(String, Kept)>>);

#[derive(Clone, Debug)]
struct Kept {
    /// Where it was sent.
    address: String,
    /// The page it was on.
    page: Option<String>,
    fields: Vec<(String, String)>,
    has_secrets: bool,
    kept_at: i64,
    /// Whoever opened it first.
    user_id: Option<UserId>,
}

impl KeptForms {
    fn keep(&self, token: &str, form: Kept) {
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|(_, other)| form.kept_at - other.kept_at < LIFE_MS);
        while forms.len() >= MOST_KEPT {
            forms.pop_front();
        }
        forms.push_back((store::seal::token_hash(token), form));
    }

    fn open(&self, token: &str, user_id: &UserId, now_ms: i64) -> Option<Kept> {
        let hash = store::seal::token_hash(token);
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, form) = forms.iter_mut().find(|(other, form)| *other == hash && now_ms - form.kept_at < LIFE_MS)?;
        let owner = form.user_id.get_or_insert_with(|| user_id.clone());
        (owner == user_id).then(|| form.clone())
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRETS.iter().any(|part| name.contains(part))
}

/// The fields of a form, and whether there were secrets among them; `None` for what is no form, or too large.
async fn fields(headers: &HeaderMap, body: Body) -> Option<(Vec<(String, String)>, bool)> {
    let kind = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), |kind| kind.as_bytes());
    if !kind.is_empty() && !kind.starts_with(b"application/x-www-form-urlencoded") {
        return None;
    }
    let bytes = to_bytes(body, LARGEST).await.ok()?;
    let all: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).map(|(name, value)| (without_nul(&name), without_nul(&value))).collect();
    let count = all.len();
    let kept: Vec<(String, String)> = all.into_iter().filter(|(name, _)| !is_secret(name)).collect();
    let has_secrets = kept.len() < count;
    Some((kept, has_secrets))
}

/// What was typed into a form that is refused, to be shown: no secrets, and not without an end.
pub async fn typed(request: Request) -> Vec<(String, String)> {
    let (head, body) = request.into_parts();
    let (typed, _) = fields(&head.headers, body).await.unwrap_or_default();
    shown(&typed)
}

fn shown(fields: &[(String, String)]) -> Vec<(String, String)> {
    let cut = |text: &String, most: usize| text.chars().take(most).collect();
    let filled = fields.iter().filter(|(name, value)| !value.is_empty() && !is_machinery(name, value)).take(FIELDS_SHOWN);
    filled.map(|(name, value)| (cut(name, LONGEST_NAME), cut(value, CHARACTERS_SHOWN))).collect()
}

/// What a form carries for itself and nobody typed: where it leads on, what it was drawn from, and ids.
fn is_machinery(name: &str, value: &str) -> bool {
    ["back", "next", "seen", "organization"].contains(&name) || (value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Keeps a form whose session has ended; where it is found again after the sign-in.
pub async fn keep(app: &App, request: Request) -> Option<String> {
    let (head, body) = request.into_parts();
    let address = head.uri.path_and_query()?.as_str().to_owned();
    let page = head.headers.get(header::REFERER).and_then(|value| Url::parse(value.to_str().ok()?).ok());
    let page = page.filter(|page| page.origin() == app.options.public_url.origin()).map(|page| page[url::Position::BeforePath..].to_owned());
    let (fields, has_secrets) = fields(&head.headers, body).await?;
    let token = crate::auth::session::make_token();
    let kept_at = app.engine.clock.now_ms();
    let page = page.filter(|page| is_own_path(page));
    app.kept_forms.keep(&token, Kept { address, page, fields, has_secrets, kept_at, user_id: None });
    Some(format!("/again/{token}"))
}

#[derive(Template)]
#[template(path = "pages/send_again.html")]
pub struct SendAgainPage {
    pub shell: Shell,
    pub address: String,
    /// The address without what follows it.
    pub path: String,
    /// As they are sent.
    pub fields: Vec<(String, String)>,
    /// As they are shown.
    pub shown: Vec<(String, String)>,
    pub has_secrets: bool,
    /// Back to where it was typed.
    pub page: String,
    pub is_gone: bool,
}

/// GET /again/{token}
pub async fn show(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Send it again").await?;
    let kept = app.kept_forms.open(&token, visit.user_id(), visit.now.as_millisecond());
    let Some(kept) = kept else {
        let (address, page) = (String::new(), "/".to_owned());
        let gone =
            SendAgainPage { shell, address, path: String::new(), fields: Vec::new(), shown: Vec::new(), has_secrets: false, page, is_gone: true };
        return visit.page_with(StatusCode::GONE, &gone);
    };
    let back = kept.fields.iter().find(|(name, value)| name == "back" && is_own_path(value)).map(|(_, value)| value.clone());
    visit.page(&SendAgainPage {
        shell,
        path: kept.address.split('?').next().unwrap_or_default().to_owned(),
        address: kept.address,
        shown: shown(&kept.fields),
        fields: kept.fields,
        has_secrets: kept.has_secrets,
        page: kept.page.or(back).unwrap_or_else(|| "/".to_owned()),
        is_gone: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(kept_at: i64) -> Kept {
        Kept { address: format!("/x?{kept_at}"), page: None, fields: Vec::new(), has_secrets: false, kept_at, user_id: None }
    }

    #[test]
    fn a_kept_form_belongs_to_whoever_opens_it_first_and_ends_after_a_quarter_of_an_hour() {
        let (forms, ada, max) = (KeptForms::default(), UserId::new("ada"), UserId::new("max"));
        forms.keep("one", form(1_000));
        assert!(forms.open("two", &ada, 1_000).is_none());
        assert_eq!(forms.open("one", &ada, 1_000).unwrap().address, "/x?1000");
        assert!(forms.open("one", &max, 1_000).is_none());
        assert!(forms.open("one", &ada, 1_000 + LIFE_MS - 1).is_some(), "a page can be loaded again");
        assert!(forms.open("one", &ada, 1_000 + LIFE_MS).is_none());
        for at in 0..500 {
            forms.keep(&format!("form {at}"), form(at));
        }
        assert_eq!(forms.0.lock().unwrap().len(), MOST_KEPT);
        assert!(forms.open("form 0", &ada, 500).is_none() && forms.open("form 499", &ada, 500).is_some());
    }

    #[tokio::test]
    async fn what_is_kept_of_a_form_holds_no_secret_and_has_a_bound() {
        let headers = |kind: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        let form = headers("application/x-www-form-urlencoded");
        let text = "name=a%00b&name=c&Password=x&new_password=x&api-key=x&setup_token=x&code=1&empty=&url=x";
        let (kept, has_secrets) = fields(&form, Body::from(text)).await.unwrap();
        let kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((kept.as_slice(), has_secrets), ([("name", "a\u{fffd}b"), ("name", "c"), ("empty", "")].as_slice(), true));
        assert!(fields(&form, Body::from("a=".to_owned() + &"x".repeat(LARGEST))).await.is_none());
        assert!(fields(&headers("multipart/form-data"), Body::from("a=b")).await.is_none());
        assert!(fields(&headers("application/json"), Body::from("{}")).await.is_none());
        let carried = [("seen", "x"), ("back", "/x"), ("company", "01a2274a3b08036c509dfa5b3c8d990f"), ("interval", "45"), ("note", "")];
        let carried = carried.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(shown(&carried), [("interval".to_owned(), "45".to_owned())]);
        let many = vec![("n".repeat(500), "v".repeat(5_000)); 100];
        let shown = shown(&many);
        assert_eq!((shown.len(), shown[0].0.len(), shown[0].1.len()), (FIELDS_SHOWN, LONGEST_NAME, CHARACTERS_SHOWN));
    }

    #[test]
    fn every_field_that_hides_what_is_typed_or_takes_a_code_is_a_secret() {
        let mut count = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            let template = std::fs::read_to_string(&path).unwrap();
            for input in template.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
                if input.contains("type=\"password\"") || input.contains("one-time-code") {
                    let name = input.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
                    assert!(is_secret(name), "{}: {input}", path.display());
                    count += 1;
                }
            }
        }
        assert!(count > 5, "only {count} such fields were found");
    }
}
