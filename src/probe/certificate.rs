//! What to tell about a load balancer's certificate: why it is not accepted, or that it
//! expires soon.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use time::OffsetDateTime;

/// A certificate that expires within this time deserves a warning: whoever renews it by
/// hand still has enough time.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// When the certificate that was met expires, if that is soon. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Expiry(Arc<OnceLock<Option<UnixTime>>>);

impl Expiry {
    /// A warning, if there is a reason for one.
    pub fn warning(&self) -> Option<String> {
        let end = self.0.get().copied().flatten()?;
        Some(format!(
            "the certificate ends on {}: renew it before then, or users are refused",
            day(end)
        ))
    }
}

/// Checks certificates as usual, and notes once when the first one expires.
#[derive(Debug)]
pub(super) struct Inspector {
    pub usual: Arc<WebPkiServerVerifier>,
    pub expiry: Expiry,
}

impl ServerCertVerifier for Inspector {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let check = |at| self.usual.verify_server_cert(own, others, name, ocsp, at);
        let verified = check(now)?;
        self.expiry.0.get_or_init(|| {
            let later = Duration::from_secs(now.as_secs()) + SOON;
            match check(UnixTime::since_unix_epoch(later)) {
                Err(Error::InvalidCertificate(CertificateError::ExpiredContext {
                    not_after,
                    ..
                })) => Some(not_after),
                _ => None,
            }
        });
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// What is wrong with a certificate, and what to do; None if TLS failed for another
/// reason.
pub(super) fn complaint(error: &Error) -> Option<String> {
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    Some(match error {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the certificate is for {}, not for {}: ask by a name that it has, or give the \
             load balancer a certificate for this one",
            names(presented),
            expected.to_str()
        ),
        // The second occurs if another authority of the same name is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            UNKNOWN_ISSUER.to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate ended on {}: renew it", day(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate is not valid before {}: check this machine's clock, or use another \
             certificate",
            day(*not_before)
        ),
        // A self-signed certificate, which claims that it may sign others.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            UNKNOWN_ISSUER.to_owned()
        }
        other => format!("the certificate cannot be accepted: {other}"),
    })
}

const UNKNOWN_ISSUER: &str = "the certificate's issuer is not known here: if you trust it, name \
     its certificate with --ca-file, [probe] ca_file or SSL_CERT_FILE";

/// webpki adds the kind of each name in its own notation.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split('"').nth(1);
        inner.unwrap_or(name).to_owned()
    };
    match presented {
        [] => "no name".to_owned(),
        names => names.iter().map(plain).collect::<Vec<_>>().join(", "),
    }
}

fn day(time: UnixTime) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(time.as_secs());
    OffsetDateTime::from(time).date().to_string()
}

#[cfg(test)]
mod tests;
