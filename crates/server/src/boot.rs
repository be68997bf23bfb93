//! Wiring: from settings to a running engine, and the ways a start can fail.
use crate::config::{Config, ConfigError};
use domain::clock::{Clock, SystemClock};
use engine::{Engine, Settings};
use providers::Registry;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Store, StoreError};

/// Why a command ended badly, and the exit code that says so.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Settings, addresses, keys: nothing was written. Exit code 2.
    #[error("{0}")]
    Setup(String),
    /// The command ran and did not succeed. Exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Setup(_) => 2,
            Failure::Failed(_) => 1,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Setup(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Unreachable { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::OldSqlite { .. }
            | StoreError::WrongKey
            | StoreError::BadKey(_) => Failure::Setup(error.to_string()),
            other => Failure::Failed(other.to_string()),
        }
    }
}

impl From<engine::EngineError> for Failure {
    fn from(error: engine::EngineError) -> Failure {
        match error {
            engine::EngineError::Store(error) => error.into(),
            other => Failure::Failed(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// Opens the database with its key. A start that is refused leaves no file and no folder of its own behind.
pub async fn open_store(config: &Config) -> Result<Store, Failure> {
    let new_folders = new_folders(config);
    if let Some(folder) = config.database_file().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            leave(&new_folders);
            let folder = folder.display();
            Failure::Setup(format!(
                "the folder {folder} of the database cannot be made: {error}; set data_dir (TIEOUT_DATA_DIR) or database (DATABASE_URL)"
            ))
        })?;
    }
    let (key, made) = config.key().inspect_err(|_| leave(&new_folders))?;
    let refused = match Store::open(&config.database, &key).await {
        Ok(store) => {
            if let Some(file) = config.database_file() {
                keep_private(file);
            }
            return Ok(store);
        }
        Err(error @ StoreError::Unreachable { .. }) => Failure::Setup(format!(
            "{error}; database (DATABASE_URL) expects a database file that can be written, or postgres://user:password@host/name"
        )),
        Err(StoreError::WrongKey) if made => config.missing_key().into(),
        Err(error) => error.into(),
    };
    if let Failure::Setup(_) = refused {
        // nothing was sealed with it yet
        if made {
            let _ = std::fs::remove_file(config.key_file());
        }
        leave(&new_folders);
    }
    Err(refused)
}

/// The books are nobody else's: the database and the files SQLite keeps beside it are readable by their owner only.
fn keep_private(file: &Path) {
    #[cfg(unix)]
    for suffix in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt;
        let path = PathBuf::from(format!("{}{suffix}", file.display()));
        if let Err(error) = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %path.display(), %error, "others may be able to read the database");
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// The folders a first start would make, the innermost first.
fn new_folders(config: &Config) -> Vec<PathBuf> {
    let places = [Some(config.data_dir.as_path()), config.database_file().and_then(Path::parent)];
    let missing = places.into_iter().flatten().flat_map(Path::ancestors).filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    let mut folders: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    folders
}

/// Removes folders that were made in vain. One in which something lies stays.
fn leave(folders: &[PathBuf]) {
    for folder in folders {
        let _ = std::fs::remove_dir(folder);
    }
}

/// An engine over an open store.
pub fn engine(config: &Config, store: Store) -> Result<Engine, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let registry = Registry::new(&config.providers, clock.clone()).map_err(|error| Failure::Setup(error.to_string()))?;
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let settings = Settings {
        public_url: config.public_url.clone(),
        node: format!("{}-{}", std::process::id(), hex::encode(random)),
        workers: config.workers,
        lease_secs: config.lease_secs,
    };
    let engine = Engine::new(store, registry, clock, settings);
    if let Some(settings) = config.suggestions.clone() {
        engine.use_suggestions(engine::Suggestions::new(settings).map_err(|error| Failure::Setup(error.to_string()))?);
    }
    if let Some(mailer) = &config.mailer {
        engine.set_mailer(mailer.clone());
    }
    if config.webhooks_private {
        engine.allow_private_webhooks();
    }
    engine.keep_audit(config.audit_days);
    Ok(engine)
}

/// Says an alarm when the newest part of an audit log is broken. The start goes on: what is there stays readable.
pub async fn watch_audit(store: &Store) {
    if let Err(error) = engine::audit::alarm(store).await {
        tracing::error!(%error, "the audit log could not be checked");
    }
}

/// Takes an address, or says who may have it.
pub fn bind(listen: SocketAddr, setting: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program uses this port; stop it or choose another".to_owned(),
            _ => error.to_string(),
        };
        Failure::Setup(format!("cannot listen on {listen}: {hint} ({setting})"))
    })
}

/// Ends on Ctrl-C and on SIGTERM.
pub async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}
