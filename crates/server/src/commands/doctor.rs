//! `tieout doctor`: looks at everything a start needs, and says what to fix.
use crate::boot::{self, Failure};
use crate::config::Config;
use std::process::ExitCode;
use std::time::Duration;

/// One line of the examination.
struct Finding {
    good: bool,
    what: String,
    fix: Option<String>,
}

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    let mut findings =
        vec![Finding { good: true, what: format!("settings: pages at {}, served on {}", config.public_url, config.listen), fix: None }];
    match boot::bind(config.listen, "setting listen, TIEOUT_LISTEN") {
        Ok(_) => findings.push(Finding { good: true, what: format!("port: {} is free", config.listen), fix: None }),
        Err(error) => findings.push(Finding { good: false, what: error.to_string(), fix: Some("if that is a running Tieout, all is well".into()) }),
    }
    match boot::open_store(&config).await {
        Ok(store) => {
            findings.push(Finding {
                good: true,
                what: format!(
                    "database: {} opens, its schema is up to date, the key fits",
                    if store.is_postgres() { "PostgreSQL" } else { "SQLite" }
                ),
                fix: None,
            });
            match engine::audit::alarm(&store).await {
                Ok(broken) if broken.is_empty() => {
                    findings.push(Finding {
                        good: true,
                        what: "audit log: the newest entries of every organization are intact".to_owned(),
                        fix: None,
                    });
                }
                Ok(broken) => findings.extend(broken.iter().flat_map(|(name, checked)| {
                    checked.breaks.iter().map(move |found| Finding {
                        good: false,
                        what: format!("audit log: {name}: {}", found.sentence()),
                        fix: Some("keep a copy of the database as it is; `tieout audit verify` checks all of it and says what to do".to_owned()),
                    })
                })),
                Err(error) => findings.push(Finding { good: false, what: format!("audit log: it cannot be read: {error}"), fix: None }),
            }
            store.close().await;
        }
        Err(error) => findings.push(Finding { good: false, what: format!("database: {error}"), fix: None }),
    }
    if config.public_url.scheme() != "https" && !matches!(config.public_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        findings.push(Finding {
            good: false,
            what: format!("public_url: {} is neither https nor this machine", config.public_url),
            fix: Some("put a TLS proxy in front and set public_url to its https address; both providers refuse other redirect addresses".into()),
        });
    }
    findings.push(match &config.mailer {
        None => Finding {
            good: true,
            what: "mail: off; invitations and new passwords are links to copy".to_owned(),
            fix: Some("to turn it on, set TIEOUT_SMTP_URL and TIEOUT_MAIL_FROM".to_owned()),
        },
        Some(mailer) => match mailer.check().await {
            Ok(()) => Finding { good: true, what: format!("mail: the server answers; mails come from {}", mailer.from()), fix: None },
            Err(reason) => Finding {
                good: false,
                what: format!("mail: the server does not take our greeting: {reason}"),
                fix: Some("check host, port, user and password in smtp_url (TIEOUT_SMTP_URL)".to_owned()),
            },
        },
    });
    for (id, prefix) in [("quickbooks", "TIEOUT_QUICKBOOKS"), ("xero", "TIEOUT_XERO")] {
        match config.providers.get(id) {
            None => findings.push(Finding {
                good: true,
                what: format!("{id}: off"),
                fix: Some(format!("to turn it on, set {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET")),
            }),
            Some(settings) => {
                findings.push(Finding {
                    good: true,
                    what: format!(
                        "{id}: on ({}); register {}oauth/{id}/callback as redirect address",
                        settings.environment.as_str(),
                        config.public_url
                    ),
                    fix: None,
                });
                if let Some(url) = &settings.simulator_url {
                    let reachable = match url.socket_addrs(|| None) {
                        Ok(addresses) => match addresses.first() {
                            Some(address) => tokio::time::timeout(Duration::from_secs(3), tokio::net::TcpStream::connect(address))
                                .await
                                .is_ok_and(|tried| tried.is_ok()),
                            None => false,
                        },
                        Err(_) => false,
                    };
                    findings.push(Finding {
                        good: reachable,
                        what: format!("{id}: the sandbox at {url} {}", if reachable { "answers" } else { "does not answer" }),
                        fix: (!reachable).then(|| "start it with `tieout sandbox`, or set TIEOUT_SIMULATOR_URL to where it listens".to_owned()),
                    });
                }
            }
        }
    }
    let bad = findings.iter().filter(|finding| !finding.good).count();
    for finding in &findings {
        println!("{} {}", if finding.good { "ok " } else { "BAD" }, finding.what);
        if let Some(fix) = &finding.fix {
            println!("      {fix}");
        }
    }
    if bad == 0 {
        println!("Nothing to fix.");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{bad} to fix.");
        Ok(ExitCode::from(1))
    }
}
