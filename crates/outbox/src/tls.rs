//! TLS for outgoing connections: one verified and one unverified configuration, both on ring.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

/// Why TLS cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The extra CA file holds no readable certificate.
    #[error("the extra CA file holds no readable PEM certificate")]
    ExtraCa,
    /// The TLS library refused its configuration or a certificate.
    #[error("TLS cannot be configured")]
    Rustls(#[from] Error),
}

/// The configurations that every connection shares, sessions to resume included.
#[derive(Debug, Clone)]
pub(crate) struct TlsConfigs {
    /// Encrypts and checks the server's certificate and name against the public roots and the extra CA.
    pub(crate) verified: Arc<ClientConfig>,
    /// Encrypts only.
    pub(crate) unverified: Arc<ClientConfig>,
    /// Whether an extra CA was given: then even a relay on this machine is verified.
    pub(crate) has_extra_ca: bool,
}

impl TlsConfigs {
    /// Prepares both; `extra_ca_pem` holds one or more PEM certificates.
    pub(crate) fn new(extra_ca_pem: Option<&[u8]>) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = extra_ca_pem {
            add_extra(&mut roots, pem)?;
        }
        let builder = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()
        };
        let verified = builder()?.with_root_certificates(roots).with_no_client_auth();
        let any_certificate = Arc::new(AnyCertificate(Arc::clone(&provider)));
        let unverified =
            builder()?.dangerous().with_custom_certificate_verifier(any_certificate).with_no_client_auth();
        let (verified, unverified) = (Arc::new(verified), Arc::new(unverified));
        Ok(Self { verified, unverified, has_extra_ca: extra_ca_pem.is_some() })
    }
}

fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsError> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|_| TlsError::ExtraCa)?)?;
        found = true;
    }
    if found { Ok(()) } else { Err(TlsError::ExtraCa) }
}

/// Takes any certificate, but checks that the server holds its key. Used where the alternative is no encryption at
/// all: RFC 7435 §3, opportunistic security.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_ca_must_hold_a_certificate() {
        for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(matches!(TlsConfigs::new(Some(pem.as_bytes())), Err(TlsError::ExtraCa)), "{pem:?}");
        }
        let own = rcgen::generate_simple_self_signed(["mail.example".to_owned()]).unwrap();
        assert!(TlsConfigs::new(Some(own.cert.pem().as_bytes())).unwrap().has_extra_ca);
        assert!(!TlsConfigs::new(None).unwrap().has_extra_ca);
    }
}
