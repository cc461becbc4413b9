//! The certificate of the doors: the operator's, or a self-signed one that is created once and kept.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Loaded;
use crate::failure::{Doing as _, Failure, Result};

/// What the doors offer after STARTTLS.
///
/// # Errors
/// When certificate or key cannot be read, do not match, or cannot be created.
pub(super) fn server_config(loaded: &Loaded) -> Result<Arc<ServerConfig>> {
    let tls = &loaded.config.tls;
    let (certificate, key) = match (&tls.certificate_file, &tls.key_file) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => {
            let kept = self_signed(&loaded.data, loaded.config.hostname())?;
            (kept.clone(), kept)
        }
    };
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(
            format!("{} cannot be used for TLS", path.display()),
            error.to_string(),
            "give a PEM file with tls.certificate_file and tls.key_file",
        )
    };
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unreadable(&certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("TLS cannot be prepared")?;
    let config = builder
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| unreadable(&certificate, &error))?;
    Ok(Arc::new(config))
}

/// The file with the self-signed certificate and its key; created if it is missing.
fn self_signed(data: &Path, hostname: &str) -> Result<PathBuf> {
    let path = data.join("tls").join("self-signed.pem");
    if !path.is_file() {
        make(&path, hostname).doing(&format!("no certificate could be created in {}", path.display()))?;
        tracing::info!(
            "Created a self-signed certificate for STARTTLS; set tls.certificate_file and tls.key_file to use your own"
        );
    }
    Ok(path)
}

/// Certificate and key are in one file, and the file appears whole: processes that start together agree on one pair.
fn make(path: &Path, hostname: &str) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed([hostname.to_owned(), "localhost".to_owned()])?;
    if let Some(folder) = path.parent() {
        store::folder::make(folder)?;
    }
    let draft = path.with_extension(format!("pem.{}", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(made.cert.pem().as_bytes())?;
    file.write_all(made.signing_key.serialize_pem().as_bytes())?;
    file.sync_all()?;
    let placed = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match placed {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::load::{Sources, load};

    #[test]
    fn a_certificate_is_made_once_kept_private_and_usable() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load(&Sources { data: Some(folder.path().to_owned()), ..Sources::default() }).unwrap();
        server_config(&loaded).unwrap();
        let path = folder.path().join("tls/self-signed.pem");
        let first = std::fs::read(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        server_config(&loaded).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path().join("tls")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_certificate_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.pem");
        std::fs::write(&file, "nothing").unwrap();
        let mut loaded =
            load(&Sources { data: Some(folder.path().to_owned()), ..Sources::default() }).unwrap();
        loaded.config.tls.certificate_file = Some(file.clone());
        loaded.config.tls.key_file = Some(file.clone());
        let refused = server_config(&loaded).unwrap_err();
        assert_eq!(refused.what, format!("{} cannot be used for TLS", file.display()));
    }
}
