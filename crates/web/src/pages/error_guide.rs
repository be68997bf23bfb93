//! What errors mean: each class with what is behind it and its one remedy, in the words of `docs/errors.md`.
use crate::app::App;
use crate::error::WebError;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::problem::Problem;
use domain::problem::{ProblemKind, Retry};
use jiff::Timestamp;

pub struct Class {
    pub id: &'static str,
    pub cause: &'static str,
    pub explanation: &'static str,
    pub retry: String,
    pub button: &'static str,
    pub remedy: &'static str,
}

impl Class {
    pub fn of(kind: ProblemKind) -> Class {
        let retry = match (Problem::new(kind, "").retry(1, Timestamp::UNIX_EPOCH), kind.tries()) {
            (Retry::Snooze { .. }, _) => "The sync waits and goes on by itself; no attempt is used up.".to_owned(),
            (Retry::Later { .. }, Some(tries)) => format!("The sync is tried {tries} times before it fails."),
            _ => "It is not tried again before the next sync.".to_owned(),
        };
        Class {
            id: kind.as_str(),
            cause: kind.cause(),
            explanation: kind.explanation(),
            retry,
            button: kind.remedy().button(),
            remedy: kind.remedy().sentence(),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/error_guide.html")]
pub struct ErrorGuidePage {
    pub shell: Shell,
    pub classes: Vec<Class>,
}

/// GET /integrations/logs/errors
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Logs, "What errors mean").await?;
    visit.page(&ErrorGuidePage { shell, classes: ProblemKind::ALL.map(Class::of).into() })
}

/// `docs/errors.md`, made of the same words as the page.
pub fn document() -> String {
    let mut text = "# What errors mean\n\nEvery error in the integration log has one of these classes. Each class has one remedy; the log entry, the incident and the overview show it as a button.\n".to_owned();
    for kind in ProblemKind::ALL {
        let class = Class::of(kind);
        text.push_str(&format!(
            "\n## {}\n\n`{}`. {}\n\n{}\n\n**What to do: {}.** {}\n",
            capital(class.cause),
            class.id,
            class.explanation,
            class.retry,
            class.button,
            class.remedy
        ));
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
