//! A self-signed certificate for a test server.

use std::path::PathBuf;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

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

    /// Makes a certificate that an authority of its own signed; returns the authority's file beside it.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn make_signed(folder: &Folder) -> Result<(Self, PathBuf)> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key)?;
        let key = KeyPair::generate()?;
        let names = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let signed = names.signed_by(&key, &Issuer::new(params, authority_key))?;
        let made = Self {
            certificate: folder.write("signed.pem", signed.pem())?,
            key: folder.write("signed-key.pem", key.serialize_pem())?,
        };
        Ok((made, folder.write("authority.pem", authority.pem())?))
    }
}
