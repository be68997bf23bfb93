//! The one step that helps against a problem, as a button: every page that shows a problem takes it from here.
use super::icon::{Icon, icon};
use askama::Template;
use askama::filters::HtmlSafe;
use domain::problem::{ProblemKind, Remedy};

/// Performs the remedy, or opens where it is done.
#[derive(Template, Clone)]
#[template(path = "parts/step.html")]
pub struct Step {
    pub label: String,
    pub icon: Icon,
    pub href: String,
    /// A form that is posted, or a link.
    pub is_post: bool,
    /// Where a posted form returns to.
    pub back: String,
    pub is_primary: bool,
}

/// The template escapes what it shows.
impl HtmlSafe for Step {}

/// Whom a problem stops.
#[derive(Clone, Copy, Debug)]
pub enum Stops<'a> {
    Company {
        id: &'a str,
        connection_id: &'a str,
    },
    /// An account, without a company.
    Account {
        connection_id: Option<&'a str>,
    },
    /// The companies of an incident.
    Incident {
        id: &'a str,
        connection_id: Option<&'a str>,
        companies: i64,
        only: Option<&'a str>,
    },
}

impl Step {
    /// The step of this kind of problem. Each kind has one, wherever it shows.
    pub fn of(kind: ProblemKind, stops: Stops<'_>, back: &str) -> Step {
        let remedy = kind.remedy();
        let (company_id, connection_id) = match stops {
            Stops::Company { id, connection_id } => (Some(id), Some(connection_id)),
            Stops::Account { connection_id } => (None, connection_id),
            Stops::Incident { connection_id, only, .. } => (only, connection_id),
        };
        let step = |icon: Icon, href: String, is_post: bool| Step {
            label: remedy.button().to_owned(),
            icon,
            href,
            is_post,
            back: back.to_owned(),
            is_primary: true,
        };
        let of_incident = match stops {
            Stops::Incident { id, .. } => Some(format!("/integrations/incidents/{id}")),
            _ => None,
        };
        let company = |anchor: &str| match (company_id, &of_incident) {
            (Some(id), _) => format!("/companies/{id}{anchor}"),
            (None, Some(incident)) => format!("{incident}#companies"),
            (None, None) => "/integrations/data-feed".to_owned(),
        };
        match remedy {
            Remedy::Reconnect | Remedy::GrantAccess => match connection_id {
                Some(id) => step(icon("key"), format!("/integrations/accounts/{id}/reconnect"), true),
                None => step(icon("key"), "/integrations".to_owned(), false),
            },
            // whoever runs the server does it: the overview says which account and which keys
            Remedy::SwitchKeys => step(icon("plug"), "/integrations".to_owned(), false),
            // nothing is to be done: the button shows when it goes on
            Remedy::Wait => Step { label: "Show progress".to_owned(), ..step(icon("clock"), company(""), false) },
            Remedy::Resync => match (company_id, stops) {
                (Some(id), _) => step(icon("resync"), format!("/companies/{id}/resync"), true),
                (None, Stops::Incident { id, companies, .. }) if companies > 1 => Step {
                    label: format!("Resync {companies} companies"),
                    ..step(icon("resync"), format!("/integrations/incidents/{id}/resync"), true)
                },
                _ => step(icon("resync"), company(""), false),
            },
            Remedy::ShowRecords => step(icon("archive"), company("#quarantine"), false),
            Remedy::ShowDifference => step(icon("scale"), company("#verification"), false),
        }
    }

    pub fn small(self) -> Step {
        Step { is_primary: false, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves D18 in part
    #[test]
    fn every_kind_has_a_button_wherever_it_shows() {
        let places = [
            Stops::Company { id: "c1", connection_id: "a1" },
            Stops::Account { connection_id: Some("a1") },
            Stops::Account { connection_id: None },
            Stops::Incident { id: "i1", connection_id: None, companies: 20, only: None },
            Stops::Incident { id: "i1", connection_id: Some("a1"), companies: 1, only: Some("c1") },
        ];
        for kind in ProblemKind::ALL {
            for place in places {
                let step = Step::of(kind, place, "/integrations/logs/all");
                assert!(step.href.starts_with('/') && !step.label.is_empty(), "{kind:?} {place:?}");
                let shown = step.to_string();
                assert_eq!(shown.matches("data-step").count(), 1, "{shown}");
                assert_eq!(shown.contains("<form"), step.is_post);
            }
        }
        let many = Step::of(ProblemKind::ProviderDown, places[3], "/");
        assert_eq!((many.label.as_str(), many.href.as_str()), ("Resync 20 companies", "/integrations/incidents/i1/resync"));
    }
}
