//! A certificate authority for tests: made anew at each start, its key stays in memory, and it can vouch for the providers' names alone.
use super::hosts::PROVIDERS_HOSTS;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const VALID_DAYS: i64 = 90;
const FILE: &str = "ca.pem";

/// What stands in the way of a certificate.
#[derive(Debug, thiserror::Error)]
pub enum Unmade {
    #[error("the test certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the test certificate cannot be used: {0}")]
    Server(#[from] rustls::Error),
    #[error("{} cannot be written: {error}", path.display())]
    Folder { path: PathBuf, error: std::io::Error },
}

/// The authority and the one certificate that it signed, for all names.
#[derive(Clone)]
pub struct Authority {
    /// What a client has to trust, as PEM.
    pub certificate: String,
    server: Arc<ServerConfig>,
}

impl Authority {
    /// Valid from a day before `now`: clocks differ.
    pub fn new(now: Timestamp) -> Result<Authority, Unmade> {
        let mut root = CertificateParams::default();
        root.distinguished_name = named("Tieout sandbox, not for use outside tests");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        // whoever trusts it by mistake trusts it for these names only
        let permitted_subtrees = ["intuit.com", "xero.com"].map(|domain| GeneralSubtree::DnsName(domain.into())).to_vec();
        root.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
        limit(&mut root, now);
        let root_key = KeyPair::generate()?;
        let certificate = root.self_signed(&root_key)?.pem();
        let issuer = Issuer::new(root, root_key);

        let mut leaf = CertificateParams::new(PROVIDERS_HOSTS.map(str::to_owned).to_vec())?;
        leaf.distinguished_name = named("Tieout sandbox");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        limit(&mut leaf, now);
        let leaf_key = KeyPair::generate()?;
        let chain: Vec<CertificateDer<'static>> = vec![leaf.signed_by(&leaf_key, &issuer)?.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut server = builder.with_no_client_auth().with_single_cert(chain, key)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Authority { certificate, server: Arc::new(server) })
    }

    /// Writes the certificate to trust into a folder, which is made if it is not there; the path of the file.
    pub fn write_into(&self, folder: &Path) -> Result<PathBuf, Unmade> {
        let path = folder.join(FILE);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, &self.certificate));
        written.map_err(|error| Unmade::Folder { path: path.clone(), error })?;
        Ok(path)
    }

    pub(super) fn server(&self) -> Arc<ServerConfig> {
        self.server.clone()
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// From the day before to `VALID_DAYS` later.
fn limit(params: &mut CertificateParams, now: Timestamp) {
    let midnight = |day: Date| rcgen::date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
    let today = now.to_zoned(TimeZone::UTC).date();
    params.not_before = midnight(today.saturating_sub(1.day()));
    params.not_after = midnight(today.saturating_add(VALID_DAYS.days()));
}
