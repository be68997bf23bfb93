//! The first run: what is done, whether this server is set up, and what comes next, with demo companies or with keys of one's own.
use crate::app::App;
use crate::error::WebError;
use crate::pages::integrations::{PROVIDERS, environment_word};
use crate::parts::provider;
use crate::visit::{Place, Shell, Visit};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use url::Url;

/// One thing that was looked at, as `tieout doctor` looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `good`, `warn` (works, with less) or `bad`.
    pub look: &'static str,
    pub what: String,
    pub fix: Option<String>,
}

/// A provider to connect, or the settings that are missing for it.
#[derive(Clone, Debug)]
pub struct Choice {
    pub id: &'static str,
    pub name: String,
    pub is_configured: bool,
    /// Where its keys are from.
    pub environment: Option<&'static str>,
    pub variables: [String; 2],
    pub redirect_address: String,
}

#[derive(Template)]
#[template(path = "pages/welcome.html")]
pub struct WelcomePage {
    pub shell: Shell,
    pub checks: Vec<Check>,
    pub choices: Vec<Choice>,
}

impl WelcomePage {
    pub fn can_connect(&self) -> bool {
        self.choices.iter().any(|choice| choice.is_configured)
    }
}

/// GET /welcome
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, WebError> {
    let shell = visit.shell(&mut app.engine.store.read().await?, Place::Elsewhere, "Welcome to Tieout").await?;
    let choices: Vec<Choice> = PROVIDERS
        .map(|id| Choice {
            id,
            name: provider::full_name(id).to_owned(),
            is_configured: app.engine.registry.get(id).is_some(),
            environment: app.engine.registry.environment(id).and_then(|environment| environment_word(environment.as_str())),
            variables: ["CLIENT_ID", "CLIENT_SECRET"].map(|name| format!("TIEOUT_{}_{name}", id.to_uppercase())),
            redirect_address: app.engine.address(&["oauth", id, "callback"]).to_string(),
        })
        .into();
    let checks = checks(&app.options.public_url, app.engine.store.is_postgres(), app.engine.can_mail(), &choices);
    visit.page(&WelcomePage { shell, checks, choices })
}

fn checks(public_url: &Url, is_postgres: bool, can_mail: bool, choices: &[Choice]) -> Vec<Check> {
    let is_here = matches!(public_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let address = if public_url.scheme() == "https" || is_here {
        Check { look: "good", what: format!("People reach this server at {public_url}"), fix: None }
    } else {
        Check {
            look: "bad",
            what: format!("{public_url} is neither https nor this machine"),
            fix: Some(
                "Put a TLS proxy in front and set TIEOUT_PUBLIC_URL to its https address; both providers refuse other redirect addresses.".to_owned(),
            ),
        }
    };
    let database = Check {
        look: "good",
        what: format!("The database ({}) is open, its schema is up to date, the key fits", if is_postgres { "PostgreSQL" } else { "SQLite" }),
        fix: None,
    };
    let keys = choices.iter().map(|choice| match choice.is_configured {
        true => Check { look: "good", what: format!("{} can be connected", choice.name), fix: None },
        false => Check {
            look: "warn",
            what: format!("{} is off: this server has no keys for it", choice.name),
            fix: Some(format!(
                "Set {} and {}, register {} as redirect address at the provider, and start the server again.",
                choice.variables[0], choice.variables[1], choice.redirect_address
            )),
        },
    });
    let mail = match can_mail {
        true => Check { look: "good", what: "Mail can be sent".to_owned(), fix: None },
        false => Check {
            look: "warn",
            what: "No mail is sent: invitations and new passwords are links to copy".to_owned(),
            fix: Some("Set TIEOUT_SMTP_URL and TIEOUT_MAIL_FROM to change that.".to_owned()),
        },
    };
    [address, database].into_iter().chain(keys).chain([mail]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_that_is_not_good_says_how_to_mend_it() {
        let choice = |is_configured| Choice {
            id: "xero",
            name: "Xero".into(),
            is_configured,
            environment: None,
            variables: ["TIEOUT_XERO_CLIENT_ID".into(), "TIEOUT_XERO_CLIENT_SECRET".into()],
            redirect_address: "https://books.example/oauth/xero/callback".into(),
        };
        let look = |url: &str, can_mail: bool, is_configured: bool| {
            let found = checks(&Url::parse(url).unwrap(), false, can_mail, &[choice(is_configured)]);
            assert!(found.iter().all(|check| (check.look == "good") == check.fix.is_none()), "{found:?}");
            found.iter().map(|check| check.look).collect::<Vec<_>>()
        };
        assert_eq!(look("https://books.example/", true, true), ["good"; 4]);
        assert_eq!(look("http://localhost:8484/", false, false), ["good", "good", "warn", "warn"]);
        assert_eq!(look("http://books.example/", true, true), ["bad", "good", "good", "good"]);
    }
}
