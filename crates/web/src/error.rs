//! Where an error becomes a page: one sentence on what happened, one thing to do.
use crate::api::ApiError;
use crate::app::App;
use crate::visit::{Theme, zone};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::organization::Action;
use engine::EngineError;
use store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Unknown, or somebody else's: the answer is the same.
    #[error("not found")]
    NotFound,
    /// The link of the first start, after it.
    #[error("the first Owner is there already")]
    SetUpAlready,
    #[error("the role of this member does not allow it")]
    Forbidden(Action),
    /// A form that did not come from this site.
    #[error("the form did not come from this site")]
    ForeignForm {
        /// What was typed into it, where it may be a person's own.
        typed: Vec<(String, String)>,
    },
    /// A form that was drawn for another organization than the one the session is in now.
    #[error("the form belongs to another organization")]
    OtherOrganization,
    #[error("nobody is signed in")]
    SignInNeeded,
    #[error("this address does not answer this method")]
    MethodNotAllowed,
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    #[error("the form took too long to arrive")]
    TooSlow,
    #[error("too many attempts")]
    TooMany { wait_secs: i64 },
    #[error("this site is not called {0}")]
    WrongHost(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a page cannot be rendered: {0}")]
    Render(#[from] askama::Error),
    #[error("{0}")]
    Internal(String),
}

/// What the error page shows; travels with the response until the outermost layer, which knows the request's theme.
#[derive(Clone, Debug)]
pub struct Explained {
    pub status: StatusCode,
    pub title: String,
    pub sentence: String,
    pub button: (String, String),
    pub reference: Option<String>,
    /// What was typed and is not lost.
    pub typed: Vec<(String, String)>,
}

impl WebError {
    fn explain(&self) -> Explained {
        let plain = |status, title: &str, sentence: &str, button: (&str, &str)| Explained {
            status,
            title: title.to_owned(),
            sentence: sentence.to_owned(),
            button: (button.0.to_owned(), button.1.to_owned()),
            reference: None,
            typed: Vec::new(),
        };
        let home = ("Go to the start page", "/");
        match self {
            WebError::NotFound | WebError::Engine(EngineError::NotFound) => plain(
                StatusCode::NOT_FOUND,
                "Nothing here",
                "This page does not exist, or it belongs to something you cannot see. Check the address, or start again from the start page.",
                home,
            ),
            WebError::SetUpAlready => plain(
                StatusCode::GONE,
                "This link was used already",
                "It made the first Owner, and there is one. Sign in with your account; whoever has none asks an Owner for an invitation.",
                ("Go to sign in", "/sign-in"),
            ),
            WebError::Forbidden(action) => plain(
                StatusCode::FORBIDDEN,
                "You don't have access",
                match action {
                    Action::ManageMembers => {
                        "Members and settings are for Owners and Admins of the organization. Ask one of them if you need something changed here."
                    }
                    Action::EditMapping => {
                        "Owners and Admins of the organization decide where accounts lie. Ask one of them if you need something changed here."
                    }
                    Action::PromoteOwner => "Only an Owner of the organization may do this. Ask one of them.",
                    _ => "Integrations are for Owners and Admins of the organization. Ask one of them if you need something changed here.",
                },
                ("Go to your companies", "/companies"),
            ),
            WebError::ForeignForm { typed } => Explained {
                typed: typed.clone(),
                ..plain(
                    StatusCode::FORBIDDEN,
                    "This form was not sent from here",
                    "For your safety a form only counts when it is sent from a page of this site. Nothing was changed. Open the page again and repeat the step.",
                    home,
                )
            },
            WebError::SignInNeeded => plain(StatusCode::UNAUTHORIZED, "Sign in first", "Your session has ended.", ("Sign in", "/sign-in")),
            WebError::MethodNotAllowed => {
                plain(StatusCode::METHOD_NOT_ALLOWED, "This cannot be opened like that", "This address only takes a form of this site.", home)
            }
            WebError::Unreadable(what) => plain(StatusCode::BAD_REQUEST, "This request cannot be read", &format!("{what}."), home),
            WebError::TooSlow => plain(
                StatusCode::REQUEST_TIMEOUT,
                "This took too long",
                "What was sent did not arrive whole within half a minute. Nothing was changed. Send it again.",
                home,
            ),
            WebError::TooMany { wait_secs } => plain(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts",
                &format!("To protect the account, wait {wait_secs} seconds and try again."),
                ("Try again", "/sign-in"),
            ),
            WebError::WrongHost(host) => plain(
                StatusCode::MISDIRECTED_REQUEST,
                "This is not the address of this site",
                &format!("Nothing is served under the name {host}. Whoever runs this server sets its address as the public URL."),
                home,
            ),
            WebError::Engine(EngineError::NotAllowed(sentence)) => {
                plain(StatusCode::FORBIDDEN, "You don't have access", sentence, ("Go to your companies", "/companies"))
            }
            WebError::OtherOrganization => plain(
                StatusCode::CONFLICT,
                "You are in another organization now",
                "This page was opened for another organization, and you have switched since. Nothing was changed. Open the page again and repeat the step.",
                home,
            ),
            WebError::Engine(EngineError::Refused(sentence)) => {
                plain(StatusCode::CONFLICT, "This is not possible right now", sentence, ("Back to Integrations", "/integrations"))
            }
            other => {
                let reference = format!("{:08x}", fingerprint(&other.to_string()));
                let sentence = match other {
                    WebError::Engine(error) => error.problem().sentence,
                    _ => "Something failed on our side. Nothing was lost; try again in a moment.".to_owned(),
                };
                Explained {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    title: "Something failed on our side".to_owned(),
                    sentence,
                    button: ("Go to the start page".to_owned(), "/".to_owned()),
                    reference: Some(reference),
                    typed: Vec::new(),
                }
            }
        }
    }
}

/// The same failure has the same reference, in the page and in the trace.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let explained = self.explain();
        if explained.status.is_server_error() {
            tracing::error!(reference = explained.reference.as_deref(), error = %self, "a page failed");
        }
        let mut response = explained.status.into_response();
        if let WebError::TooMany { wait_secs } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_secs));
        }
        response.extensions_mut().insert(explained);
        response
    }
}

#[derive(Template)]
#[template(path = "parts/problem.html")]
struct ProblemPage {
    theme: Theme,
    explained: Explained,
    time: String,
    style: &'static str,
}

fn is_refused_form(response: &Response) -> bool {
    let is_text = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    is_text && response.status() == StatusCode::UNPROCESSABLE_ENTITY
}

/// Turns errors into pages. Outside everything else, so that it also sees what other layers refuse.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let theme = Theme::of(request.headers());
    let zone = zone(request.headers());
    let wants_page = request.method() != axum::http::Method::HEAD;
    let is_api = request.uri().path().starts_with(crate::api::BASE);
    let response = next.run(request).await;
    if is_api {
        return match response.extensions().get::<Explained>() {
            Some(explained) => ApiError::Refused(explained.status, explained.sentence.clone()).into_response(),
            None if response.status() == StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge.into_response(),
            None => response,
        };
    }
    let explained = match response.extensions().get::<Explained>() {
        Some(explained) => explained.clone(),
        None if response.status() == StatusCode::METHOD_NOT_ALLOWED => WebError::MethodNotAllowed.explain(),
        None if response.status() == StatusCode::PAYLOAD_TOO_LARGE => Explained {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            title: "That is too much at once".to_owned(),
            sentence: "The form is larger than this site accepts (1 MB). Send less.".to_owned(),
            button: ("Go to the start page".to_owned(), "/".to_owned()),
            reference: None,
            typed: Vec::new(),
        },
        // refused before a handler saw it: the words of the library are for whoever wrote the program
        None if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE || is_refused_form(&response) => Explained {
            status: response.status(),
            title: "This form cannot be read".to_owned(),
            sentence: "What was sent is no form of this site. Nothing was changed. Open the page again and repeat the step.".to_owned(),
            button: ("Go to the start page".to_owned(), "/".to_owned()),
            reference: None,
            typed: Vec::new(),
        },
        None => return response,
    };
    if explained.status == StatusCode::UNAUTHORIZED && wants_page {
        return Redirect::to("/sign-in").into_response();
    }
    let time = app.engine.clock.now().to_zoned(zone).strftime("%-d %B %Y, %H:%M:%S %Z").to_string();
    let status = explained.status;
    let page = ProblemPage { theme, explained, time, style: &crate::assets::STYLE.path };
    let (head, _) = response.into_parts();
    let mut answer = (status, Html(page.render().unwrap_or_else(|_| page.explained.sentence.clone()))).into_response();
    for (name, value) in &head.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
