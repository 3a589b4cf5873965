//! The CA certificates in the container image: Mozilla's, in the version that
//! `Cargo.lock` pins.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// All of them as one PEM file.
pub fn pem() -> String {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    roots.iter().map(|root| certificate(root)).collect()
}

fn certificate(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_in_lines_of_64() {
        let pem = certificate(&[0; 60]);
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
        assert!(super::pem().matches("BEGIN").count() > 50);
    }
}
