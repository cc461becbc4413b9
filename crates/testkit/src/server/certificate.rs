//! A self-signed certificate for a test server.

use std::path::PathBuf;

use anyhow::Result;

use super::folder::Folder;

/// A certificate for `localhost` and 127.0.0.1 with its key, as PEM files in a server's folder.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate; also the file of authorities that trusts it.
    pub certificate: PathBuf,
    /// The private key (PKCS #8).
    pub key: PathBuf,
}

impl Certificate {
    /// Makes a certificate and writes both files into `folder`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn make(folder: &Folder) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        Ok(Self {
            certificate: folder.write("certificate.pem", made.cert.pem())?,
            key: folder.write("key.pem", made.signing_key.serialize_pem())?,
        })
    }
}
