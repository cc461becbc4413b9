//! TLS to PostgreSQL: whose certificate is believed, and what to do when it is not.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::error::{Result, StoreError};

/// Which server certificates are believed.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// Any: who listens cannot read, who stands between can.
    Anybody,
    /// Those that one of these signed, for whatever name.
    Signed(Authorities),
    /// Those that one of these signed for the name in the URL.
    Named(Authorities),
}

/// Who may sign a server's certificate.
#[derive(Debug, Clone)]
pub(super) struct Authorities {
    roots: RootCertStore,
    /// Certificates that are believed as they are: a server's self-signed one is often marked as an authority, and no chain
    /// is ever built to such.
    given: Vec<CertificateDer<'static>>,
}

/// The authorities in a file of PEM certificates.
///
/// # Errors
/// [`StoreError::Setup`] when it cannot be read or holds none.
pub(super) fn read_authorities(path: &str) -> Result<Authorities> {
    let wrong = |why: &dyn std::fmt::Display| {
        StoreError::setup(format!(
            "sslrootcert={path} of store.url cannot be used: {why}; name a file of PEM certificates"
        ))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut found = Authorities { roots: RootCertStore::empty(), given: Vec::new() };
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        found.roots.add(certificate.clone()).map_err(|error| wrong(&error))?;
        found.given.push(certificate);
    }
    if found.given.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(found) }
}

/// The public authorities, compiled in.
pub(super) fn public_authorities() -> Authorities {
    Authorities { roots: RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, given: Vec::new() }
}

/// The TLS side of all connections that go by one trust.
///
/// # Errors
/// [`StoreError::Setup`] when the TLS library refuses it.
pub(super) fn client_config(trust: Trust) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Verifier { trust, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder
        .map_err(|error| StoreError::setup(format!("TLS to PostgreSQL cannot be configured: {error}")))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Checks as much as the trust demands, and always that the server holds its certificate's key.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn verify_signer(
        &self,
        authorities: &Authorities,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if authorities.given.contains(certificate) {
            return Ok(());
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &authorities.roots, chain, now, algorithms)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trust {
            Trust::Anybody => {}
            Trust::Signed(authorities) => self.verify_signer(authorities, end_entity, intermediates, now)?,
            Trust::Named(authorities) => {
                self.verify_signer(authorities, end_entity, intermediates, now)?;
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a connection was not made, with what to do where it is about TLS.
pub(super) fn explain(error: &tokio_postgres::Error) -> String {
    let said = super::chain(error);
    if said.ends_with("server does not support TLS") {
        return format!(
            "{said}, and store.url demands it by sslmode: set ssl = on there, or use sslmode=prefer here"
        );
    }
    match certificate_error(error) {
        None => said,
        Some(CertificateError::UnknownIssuer) => {
            format!(
                "{said}: nobody that store.url trusts signed the server's certificate; name its authority by sslrootcert=PATH"
            )
        }
        Some(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            format!(
                "{said}: the server's certificate is for another name; use that name in store.url, or sslmode=verify-ca"
            )
        }
        Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            format!("{said}: the server's certificate has expired; renew it there")
        }
        Some(_) => format!(
            "{said}: the server's certificate is not trusted; name it or its authority by sslrootcert=PATH"
        ),
    }
}

fn certificate_error(error: &tokio_postgres::Error) -> Option<&CertificateError> {
    let cause = std::error::Error::source(error)?.downcast_ref::<io::Error>()?;
    match cause.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(error) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    /// A certificate for `db.example`, marked as an authority or not, signed by itself.
    fn alone(is_ca: IsCa) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["db.example".to_owned()]).unwrap();
        params.is_ca = is_ca;
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    /// An authority, and the certificate for `db.example` that it signed.
    fn signed() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let leaf = CertificateParams::new(["db.example".to_owned()]).unwrap();
        (root, leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone())
    }

    fn by(certificate: &CertificateDer<'static>) -> Authorities {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        Authorities { roots, given: vec![certificate.clone()] }
    }

    #[test]
    fn each_trust_checks_what_it_says() {
        struct Case<'a> {
            trust: Trust,
            certificate: &'a CertificateDer<'static>,
            name: &'a str,
            is_believed: bool,
        }

        let (root, leaf) = signed();
        let (stranger, _) = signed();
        let marked = alone(IsCa::Ca(BasicConstraints::Unconstrained));
        let plain = alone(IsCa::NoCa);
        let usual =
            || Case { trust: Trust::Anybody, certificate: &leaf, name: "db.example", is_believed: false };
        for (number, Case { trust, certificate, name, is_believed }) in [
            Case { trust: Trust::Anybody, name: "other.example", is_believed: true, ..usual() },
            Case { trust: Trust::Signed(by(&root)), name: "other.example", is_believed: true, ..usual() },
            Case { trust: Trust::Signed(by(&stranger)), ..usual() },
            Case { trust: Trust::Signed(public_authorities()), ..usual() },
            Case { trust: Trust::Named(by(&root)), is_believed: true, ..usual() },
            Case { trust: Trust::Named(by(&root)), name: "other.example", ..usual() },
            Case { trust: Trust::Named(by(&stranger)), ..usual() },
            Case { trust: Trust::Named(by(&marked)), certificate: &marked, is_believed: true, ..usual() },
            Case { trust: Trust::Named(by(&marked)), certificate: &marked, name: "other.example", ..usual() },
            Case { trust: Trust::Named(by(&plain)), certificate: &plain, is_believed: true, ..usual() },
            Case { trust: Trust::Named(by(&root)), certificate: &marked, ..usual() },
        ]
        .into_iter()
        .enumerate()
        {
            let verifier = Verifier { trust, provider: Arc::new(ring::default_provider()) };
            let name = ServerName::try_from(name).unwrap();
            let verified = verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now());
            assert_eq!(verified.is_ok(), is_believed, "{number}: {verified:?}");
        }
    }
}
