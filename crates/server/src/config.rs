//! Every setting: defaults compiled in, a file over them, the environment over both. A wrong one is one sentence and exit code 2, before anything
//! is written.
use domain::connection::Environment;
use engine::delivery::{Mailer, MailerError};
use providers::oauth::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use store::audit::{LONGEST_DAYS, SHORTEST_DAYS};
use store::seal::Key;
use url::Url;

const DEFAULTS: &str = include_str!("../config.default.toml");

/// A setting that cannot be used: names it, says what it expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

fn wrong(setting: &str, found: &str, expected: &str) -> ConfigError {
    ConfigError(format!("the setting {setting} is `{found}`; expected {expected}"))
}

#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: Url,
    pub data_dir: PathBuf,
    /// A file name or a postgres:// address.
    pub database: String,
    pub workers: usize,
    pub lease_secs: i64,
    /// How long entries of the audit log are kept.
    pub audit_days: i64,
    pub providers: BTreeMap<String, providers::registry::Settings>,
    /// An endpoint that is asked where accounts belong; off unless it is configured.
    pub suggestions: Option<providers::suggestions::Settings>,
    /// None: no mail server; people copy links.
    pub mailer: Option<Mailer>,
    /// Webhooks may lead into private networks, and in clear.
    pub webhooks_private: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Open event streams of one organization on this node.
    pub streams: usize,
    key_text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<String>,
    data_dir: Option<String>,
    database: Option<String>,
    key: Option<String>,
    workers: Option<i64>,
    lease_secs: Option<i64>,
    audit_days: Option<i64>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    webhooks_private: Option<bool>,
    trusted_proxies: Option<String>,
    streams: Option<i64>,
    quickbooks: Option<ProviderFile>,
    xero: Option<ProviderFile>,
    simulator: Option<SimulatorFile>,
    suggestions: Option<SuggestionsFile>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuggestionsFile {
    url: Option<String>,
    key: Option<String>,
    model: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderFile {
    client_id: Option<String>,
    client_secret: Option<String>,
    environment: Option<String>,
    journals: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SimulatorFile {
    url: Option<String>,
}

/// One value: from the environment, else the file, else the defaults.
struct Sources<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    file: File,
    defaults: File,
}

impl Sources<'_> {
    fn text(&self, variable: &str, pick: impl Fn(&File) -> Option<String>) -> String {
        (self.env)(variable).or_else(|| pick(&self.file)).or_else(|| pick(&self.defaults)).unwrap_or_default()
    }
    fn number(&self, setting: &str, variable: &str, pick: impl Fn(&File) -> Option<i64>, low: i64, high: i64) -> Result<i64, ConfigError> {
        let expected = format!("a whole number from {low} to {high}");
        let value = match (self.env)(variable) {
            Some(text) => text.trim().parse().map_err(|_| wrong(&format!("{setting} ({variable})"), &text, &expected))?,
            None => pick(&self.file).or_else(|| pick(&self.defaults)).unwrap_or(low),
        };
        if (low..=high).contains(&value) { Ok(value) } else { Err(wrong(setting, &value.to_string(), &expected)) }
    }
}

impl Config {
    /// Reads the settings. `file` must exist when it is given; without it `tieout.toml` is read where it exists.
    pub fn load(file: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let text = match file {
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| ConfigError(format!("the settings file {} cannot be read: {error}", path.display())))?
            }
            None => std::fs::read_to_string("tieout.toml").unwrap_or_default(),
        };
        Config::from_text(&text, env)
    }

    /// Reads settings from the text of a file.
    pub fn from_text(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
        let file: File = toml::from_str(text)
            .map_err(|error| ConfigError(format!("the settings file is not usable: {}", error.to_string().trim().replace('\n', " "))))?;
        let defaults: File = toml::from_str(DEFAULTS).expect("the compiled-in settings are tested");
        let sources = Sources { env, file, defaults };

        let listen_text = sources.text("TIEOUT_LISTEN", |file| file.listen.clone());
        let listen: SocketAddr =
            listen_text.trim().parse().map_err(|_| wrong("listen (TIEOUT_LISTEN)", &listen_text, "an address and port such as 127.0.0.1:8484"))?;
        let public_text = sources.text("TIEOUT_PUBLIC_URL", |file| file.public_url.clone());
        let public_url = if public_text.trim().is_empty() {
            // providers refuse addresses by number; localhost is the same place (D-OAUTH)
            let host = if listen.ip().is_loopback() || listen.ip().is_unspecified() { "localhost".to_owned() } else { listen.ip().to_string() };
            format!("http://{host}:{}/", listen.port())
        } else {
            public_text.clone()
        };
        let expected = "an address such as https://books.example.com";
        let mut public_url = Url::parse(public_url.trim()).map_err(|_| wrong("public_url (TIEOUT_PUBLIC_URL)", &public_text, expected))?;
        if !matches!(public_url.scheme(), "http" | "https") || public_url.host_str().is_none() {
            return Err(wrong("public_url (TIEOUT_PUBLIC_URL)", &public_text, expected));
        }
        if !public_url.path().ends_with('/') {
            public_url.set_path(&format!("{}/", public_url.path()));
        }
        let data_dir = PathBuf::from(sources.text("TIEOUT_DATA_DIR", |file| file.data_dir.clone()));
        let database_text = sources.text("DATABASE_URL", |file| file.database.clone());
        let database = match database_text.trim() {
            "" => data_dir.join("tieout.db").to_string_lossy().into_owned(),
            text if text.contains("://") && !text.starts_with("postgres") && !text.starts_with("sqlite") => {
                return Err(wrong("database (DATABASE_URL)", text, "a file name, sqlite:FILE or postgres://user:password@host/name"));
            }
            text => text.to_owned(),
        };
        let workers = sources.number("workers", "TIEOUT_WORKERS", |file| file.workers, 1, 256)? as usize;
        let lease_secs = sources.number("lease_secs", "TIEOUT_LEASE_SECS", |file| file.lease_secs, 2, 300)?;
        let audit_days = sources.number("audit_days", "TIEOUT_AUDIT_DAYS", |file| file.audit_days, SHORTEST_DAYS, LONGEST_DAYS)?;
        let simulator_text = sources.text("TIEOUT_SIMULATOR_URL", |file| file.simulator.as_ref()?.url.clone());

        let mut providers = BTreeMap::new();
        for (id, prefix, pick) in [
            ("quickbooks", "TIEOUT_QUICKBOOKS", (|file: &File| file.quickbooks.as_ref()) as fn(&File) -> Option<&ProviderFile>),
            ("xero", "TIEOUT_XERO", |file: &File| file.xero.as_ref()),
        ] {
            let value =
                |name: &str, field: fn(&ProviderFile) -> Option<String>| sources.text(&format!("{prefix}_{name}"), |file| pick(file).and_then(field));
            let client_id = value("CLIENT_ID", |file| file.client_id.clone());
            let client_secret = value("CLIENT_SECRET", |file| file.client_secret.clone());
            if client_id.is_empty() && client_secret.is_empty() {
                continue;
            }
            if client_id.is_empty() || client_secret.is_empty() {
                let missing = if client_id.is_empty() { "client_id" } else { "client_secret" };
                return Err(ConfigError(format!(
                    "the setting {id}.{missing} ({prefix}_{}) is missing; expected the value from your app's keys page, because the other half is set",
                    missing.to_uppercase()
                )));
            }
            let environment_text = value("ENVIRONMENT", |file| file.environment.clone());
            let environment = Environment::parse(environment_text.trim())
                .filter(|environment| id == "quickbooks" || *environment != Environment::Sandbox)
                .ok_or_else(|| {
                    let expected = if id == "quickbooks" { "production, sandbox or simulator" } else { "production or simulator" };
                    wrong(&format!("{id}.environment ({prefix}_ENVIRONMENT)"), &environment_text, expected)
                })?;
            let simulator_url = match environment {
                Environment::Simulator => Some(Url::parse(simulator_text.trim()).map_err(|_| {
                    wrong(
                        "simulator.url (TIEOUT_SIMULATOR_URL)",
                        &simulator_text,
                        "the address `tieout sandbox` prints, such as http://127.0.0.1:8585",
                    )
                })?),
                _ => None,
            };
            let journals = match (sources.env)(&format!("{prefix}_JOURNALS")).as_deref().map(str::trim) {
                None => pick(&sources.file)
                    .and_then(|file| file.journals)
                    .or_else(|| pick(&sources.defaults).and_then(|file| file.journals))
                    .unwrap_or(false),
                Some("true" | "1" | "yes") => true,
                Some("false" | "0" | "no") => false,
                Some(other) => return Err(wrong(&format!("{id}.journals ({prefix}_JOURNALS)"), other, "true or false")),
            };
            let settings =
                providers::registry::Settings { client_id, client_secret: Secret::new(client_secret), environment, simulator_url, journals };
            providers.insert(id.to_owned(), settings);
        }
        let suggestions = suggestions(&sources)?;
        let mailer = mailer(
            sources.text("TIEOUT_SMTP_URL", |file| file.smtp_url.clone()).trim(),
            sources.text("TIEOUT_MAIL_FROM", |file| file.mail_from.clone()).trim(),
        )?;
        let webhooks_private = match env("TIEOUT_WEBHOOKS_PRIVATE").as_deref().map(str::trim) {
            None => sources.file.webhooks_private.or(sources.defaults.webhooks_private).unwrap_or(false),
            Some("true" | "1" | "yes") => true,
            Some("false" | "0" | "no") => false,
            Some(other) => return Err(wrong("webhooks_private (TIEOUT_WEBHOOKS_PRIVATE)", other, "true or false")),
        };
        let trusted_proxies = trusted_proxies(&sources.text("TIEOUT_TRUSTED_PROXIES", |file| file.trusted_proxies.clone()))?;
        let streams = sources.number("streams", "TIEOUT_STREAMS", |file| file.streams, 1, 1_000_000)?;
        let key_text = sources.text("TIEOUT_KEY", |file| file.key.clone());
        if !key_text.trim().is_empty() {
            Key::parse(&key_text).map_err(|error| ConfigError(format!("the setting key (TIEOUT_KEY): {error}")))?;
        }
        Ok(Config {
            listen,
            public_url,
            data_dir,
            database,
            workers,
            lease_secs,
            audit_days,
            providers,
            suggestions,
            mailer,
            webhooks_private,
            trusted_proxies,
            streams: usize::try_from(streams).unwrap_or(1),
            key_text,
        })
    }

    /// The file of the embedded database; none when it is a server's.
    pub fn database_file(&self) -> Option<&Path> {
        let text = self.database.as_str();
        let file = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        (!text.starts_with("postgres")).then(|| Path::new(file))
    }

    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("tieout.key")
    }

    /// What to say where a database is there and the file of its key is not.
    pub fn missing_key(&self) -> ConfigError {
        let database = self.database_file().map_or_else(|| "of DATABASE_URL".to_owned(), |file| file.display().to_string());
        let file = self.key_file();
        ConfigError(format!(
            "the key file {} is missing, and the database {database} was sealed with it; restore the file or set TIEOUT_KEY",
            file.display()
        ))
    }

    /// The key: from the settings, else the key file. Where there is neither file nor embedded database the file is made; true says so.
    pub fn key(&self) -> Result<(Key, bool), ConfigError> {
        if !self.key_text.trim().is_empty() {
            let key = Key::parse(&self.key_text).map_err(|error| ConfigError(format!("the setting key (TIEOUT_KEY): {error}")))?;
            return Ok((key, false));
        }
        let path = self.key_file();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                check_private(&path)?;
                let key = Key::parse(&text).map_err(|error| ConfigError(format!("the key file {}: {error}", path.display())))?;
                Ok((key, false))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if self.database_file().is_some_and(Path::exists) {
                    return Err(self.missing_key());
                }
                let key = Key::random();
                write_private(&path, &key.to_text()).map_err(|error| {
                    ConfigError(format!("the key file {} cannot be written: {error}; set data_dir (TIEOUT_DATA_DIR)", path.display()))
                })?;
                Ok((key, true))
            }
            Err(error) => Err(ConfigError(format!("the key file {} cannot be read: {error}", path.display()))),
        }
    }
}

/// Off without an address; with one it needs a model. The key may be empty: an endpoint on this machine asks for none.
fn suggestions(sources: &Sources<'_>) -> Result<Option<providers::suggestions::Settings>, ConfigError> {
    let of = |variable: &str, pick: fn(&SuggestionsFile) -> Option<String>| {
        sources.text(variable, |file| file.suggestions.as_ref().and_then(pick)).trim().to_owned()
    };
    let url_text = of("TIEOUT_SUGGESTIONS_URL", |file| file.url.clone());
    if url_text.is_empty() {
        return Ok(None);
    }
    let expected = "the base of an endpoint, such as https://api.example.com/v1";
    let url = Url::parse(&url_text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && url.username().is_empty() && url.query().is_none())
        .ok_or_else(|| wrong("suggestions.url (TIEOUT_SUGGESTIONS_URL)", &url_text, expected))?;
    let model = of("TIEOUT_SUGGESTIONS_MODEL", |file| file.model.clone());
    if model.is_empty() {
        return Err(ConfigError(
            "the setting suggestions.model (TIEOUT_SUGGESTIONS_MODEL) is missing; expected the name of a model, because suggestions.url is set"
                .to_owned(),
        ));
    }
    let key = Some(of("TIEOUT_SUGGESTIONS_KEY", |file| file.key.clone())).filter(|key| !key.is_empty()).map(Secret::new);
    Ok(Some(providers::suggestions::Settings { url, key, model }))
}

/// Each by its own address: a range would let whoever is in it say what they like.
fn trusted_proxies(text: &str) -> Result<Vec<IpAddr>, ConfigError> {
    let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let address = word.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified());
            address.map(|address| address.to_canonical()).ok_or_else(|| {
                wrong("trusted_proxies (TIEOUT_TRUSTED_PROXIES)", word, "addresses of single proxies such as 127.0.0.1, with commas between them")
            })
        })
        .collect()
}

/// The mail server, when one is set. The address may hold a password: it is not repeated.
fn mailer(smtp_url: &str, from: &str) -> Result<Option<Mailer>, ConfigError> {
    if smtp_url.is_empty() {
        return Ok(None);
    }
    if from.is_empty() {
        return Err(ConfigError(
            "the setting mail_from (TIEOUT_MAIL_FROM) is missing; expected who mails come from, such as Tieout <books@example.com>, because smtp_url is set"
                .to_owned(),
        ));
    }
    Mailer::new(smtp_url, from).map(Some).map_err(|error| match error {
        MailerError::Url(reason) => ConfigError(format!(
            "the setting smtp_url (TIEOUT_SMTP_URL) is not usable ({reason}); expected an address such as smtps://user:password@mail.example.com or smtp://localhost:25"
        )),
        MailerError::From(_) => wrong("mail_from (TIEOUT_MAIL_FROM)", from, "an address such as Tieout <books@example.com>"),
    })
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|error| ConfigError(format!("the key file {}: {error}", path.display())))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ConfigError(format!("the key file {} can be read by others (mode {:o}); run chmod 600 on it", path.display(), mode & 0o777)));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), ConfigError> {
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env: BTreeMap<String, String> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::from_text(text, &|name| env.get(name).cloned())
    }

    #[test]
    fn the_defaults_are_usable_and_the_environment_wins() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.public_url.as_str(), "http://localhost:8484/");
        assert!(config.providers.is_empty() && config.suggestions.is_none());
        assert_eq!((config.trusted_proxies.len(), config.streams), (0, 10_000));
        let proxies = load("", &[("TIEOUT_TRUSTED_PROXIES", "127.0.0.1, ::1")]).unwrap().trusted_proxies;
        assert_eq!(proxies, ["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
        let config =
            load("listen = \"127.0.0.1:1\"", &[("TIEOUT_LISTEN", "0.0.0.0:9000"), ("TIEOUT_PUBLIC_URL", "https://books.example.com/t")]).unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.public_url.as_str(), "https://books.example.com/t/");
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_it_expects() {
        /// The settings file, the environment, and how the sentence begins.
        type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        let cases: [Case; 20] = [
            ("", &[("TIEOUT_SMTP_URL", "smtp://localhost:25")], "the setting mail_from (TIEOUT_MAIL_FROM) is missing"),
            (
                "",
                &[("TIEOUT_WEBHOOKS_PRIVATE", "maybe")],
                "the setting webhooks_private (TIEOUT_WEBHOOKS_PRIVATE) is `maybe`; expected true or false",
            ),
            (
                "",
                &[("TIEOUT_SMTP_URL", "mail.example.com"), ("TIEOUT_MAIL_FROM", "a@b.example")],
                "the setting smtp_url (TIEOUT_SMTP_URL) is not usable",
            ),
            ("", &[("TIEOUT_SMTP_URL", "http://x"), ("TIEOUT_MAIL_FROM", "a@b.example")], "the setting smtp_url (TIEOUT_SMTP_URL) is not usable"),
            (
                "smtp_url = \"smtp://localhost:25\"",
                &[("TIEOUT_MAIL_FROM", "books")],
                "the setting mail_from (TIEOUT_MAIL_FROM) is `books`; expected an address such as Tieout <books@example.com>",
            ),
            (
                "trusted_proxies = \"0.0.0.0/0\"",
                &[],
                "the setting trusted_proxies (TIEOUT_TRUSTED_PROXIES) is `0.0.0.0/0`; expected addresses of single proxies",
            ),
            ("", &[("TIEOUT_TRUSTED_PROXIES", "127.0.0.1, ::")], "the setting trusted_proxies (TIEOUT_TRUSTED_PROXIES) is `::`"),
            ("", &[("TIEOUT_TRUSTED_PROXIES", "proxy.example")], "the setting trusted_proxies (TIEOUT_TRUSTED_PROXIES) is `proxy.example`"),
            ("", &[("TIEOUT_STREAMS", "0")], "the setting streams is `0`; expected a whole number from 1 to 1000000"),
            ("", &[("TIEOUT_LISTEN", "here")], "the setting listen (TIEOUT_LISTEN) is `here`; expected an address and port"),
            ("", &[("TIEOUT_LEASE_SECS", "1")], "the setting lease_secs is `1`; expected a whole number from 2 to 300"),
            ("", &[("TIEOUT_WORKERS", "many")], "the setting workers (TIEOUT_WORKERS) is `many`; expected a whole number"),
            ("", &[("TIEOUT_PUBLIC_URL", "books")], "the setting public_url (TIEOUT_PUBLIC_URL) is `books`"),
            ("", &[("DATABASE_URL", "mysql://x")], "the setting database (DATABASE_URL) is `mysql://x`"),
            ("", &[("TIEOUT_XERO_CLIENT_ID", "a")], "the setting xero.client_secret (TIEOUT_XERO_CLIENT_SECRET) is missing"),
            (
                "",
                &[("TIEOUT_XERO_CLIENT_ID", "a"), ("TIEOUT_XERO_CLIENT_SECRET", "b"), ("TIEOUT_XERO_ENVIRONMENT", "sandbox")],
                "the setting xero.environment (TIEOUT_XERO_ENVIRONMENT) is `sandbox`; expected production or simulator",
            ),
            ("", &[("TIEOUT_KEY", "abc")], "the setting key (TIEOUT_KEY): the key is not usable"),
            (
                "",
                &[("TIEOUT_SUGGESTIONS_URL", "here")],
                "the setting suggestions.url (TIEOUT_SUGGESTIONS_URL) is `here`; expected the base of an endpoint",
            ),
            ("[suggestions]\nurl = \"http://localhost:11434/v1\"", &[], "the setting suggestions.model (TIEOUT_SUGGESTIONS_MODEL) is missing"),
            ("colour = 1", &[], "the settings file is not usable"),
        ];
        for (text, env, expected) in cases {
            let error = load(text, env).err().expect("the setting is wrong").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = load("", &[("TIEOUT_XERO_CLIENT_ID", "a"), ("TIEOUT_XERO_CLIENT_SECRET", "s3cret")]).unwrap();
        assert!(!format!("{:?}", config.providers).contains("s3cret"));
        let mail = [("TIEOUT_SMTP_URL", "smtp://books:s3cret@mail.example.com"), ("TIEOUT_MAIL_FROM", "Books <a@b.example>")];
        assert_eq!(format!("{:?}", load("", &mail).unwrap().mailer.unwrap()), "Mailer(Books <a@b.example>)");
        let refused = load("", &[("TIEOUT_SMTP_URL", "smpt://books:s3cret@mail.example.com"), ("TIEOUT_MAIL_FROM", "a@b.example")]);
        assert!(!refused.err().unwrap().to_string().contains("s3cret"));
    }
}
