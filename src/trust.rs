//! The certificates that TLS connections trust: the system's, or those that
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name in their place. A blank variable counts
//! as unset, which `rustls-native-certs` by itself takes for a file without a name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_native_certs::{CertificateResult, load_certs_from_paths};

type Certificates = Vec<CertificateDer<'static>>;

/// The certificates to trust, those that rustls can use.
///
/// # Errors
/// None at all.
pub fn roots() -> Result<Certificates, String> {
    named().unwrap_or_else(|| {
        usable(system()).ok_or_else(|| "no root certificates are found on this system".to_owned())
    })
}

/// Those of the variables, if one is set.
///
/// # Errors
/// None where it says.
pub fn named() -> Option<Result<Certificates, String>> {
    let file = variable("SSL_CERT_FILE");
    let folders = variable("SSL_CERT_DIR");
    let name = match (&file, &folders) {
        (None, None) => return None,
        (Some(_), _) => "SSL_CERT_FILE",
        (None, Some(_)) => "SSL_CERT_DIR",
    };
    let mut found = load_certs_from_paths(file.as_deref().map(Path::new), None);
    for folder in std::env::split_paths(&folders.unwrap_or_default()) {
        let more = load_certs_from_paths(None, Some(&folder));
        found.certs.extend(more.certs);
        found.errors.extend(more.errors);
    }
    let nothing = match found.errors.first() {
        Some(error) => format!("{name} leads to no certificates: {error}"),
        None => format!("{name} leads to no certificates"),
    };
    Some(usable(found).ok_or(nothing))
}

/// The certificates of a PEM file.
///
/// # Errors
/// A file that cannot be read, or has none.
pub fn from_file(path: &Path) -> Result<Certificates, String> {
    let found = load_certs_from_paths(Some(path), None);
    let nothing = match found.errors.first() {
        Some(error) => error.to_string(),
        None => format!("there is no certificate in {}", path.display()),
    };
    usable(found).ok_or(nothing)
}

fn variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    match value.to_str().map(str::trim) {
        Some("") => None,
        Some(trimmed) => Some(trimmed.into()),
        None => Some(value),
    }
}

#[cfg(target_os = "linux")]
fn system() -> CertificateResult {
    // A variable that is set is none of its business: it was asked before, or is
    // blank, and then there is no such file.
    let found = openssl_probe::probe();
    let folder = found.cert_dir.first().map(PathBuf::as_path);
    match &found.cert_file {
        Some(file) => load_certs_from_paths(Some(file), None),
        None => load_certs_from_paths(None, folder),
    }
}

#[cfg(not(target_os = "linux"))]
fn system() -> CertificateResult {
    rustls_native_certs::load_native_certs()
}

fn usable(found: CertificateResult) -> Option<Certificates> {
    let mut store = RootCertStore::empty();
    let mut certificates = found.certs;
    certificates.retain(|certificate| store.add(certificate.clone()).is_ok());
    (!certificates.is_empty()).then_some(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_certificates_or_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle.pem");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem();
        std::fs::write(&path, format!("Our company's\n{pem}{pem}")).unwrap();
        assert_eq!(from_file(&path).unwrap().len(), 1);

        // PEM around what is no certificate kills the SDK.
        let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in [nonsense, "", "no PEM"] {
            std::fs::write(&path, text).unwrap();
            assert!(from_file(&path).unwrap_err().contains("no certificate"));
        }
        assert!(from_file(&folder.path().join("gone")).is_err());
        assert!(from_file(folder.path()).is_err());
    }
}
