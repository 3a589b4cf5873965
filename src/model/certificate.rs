//! An ACM certificate: its ARN, and what ACM says about it.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertificateArn(String);

impl CertificateArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// ACM has one in a region alone.
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl FromStr for CertificateArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", partition, "acm", region, account, name]
                if partition.starts_with("aws")
                    && !region.is_empty()
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && is_certificate(name) =>
            {
                Ok(Self(text.to_owned()))
            }
            ["arn", _, "iam", _, _, name] if name.starts_with("server-certificate/") => Err(
                "it is a server certificate of IAM, which says neither its names nor its end: \
                 import it into ACM (`aws acm import-certificate`) and name that one"
                    .to_owned(),
            ),
            _ => Err(format!(
                "`{text}` is not an ACM certificate: its ARN looks like \
                 arn:aws:acm:eu-west-1:123456789012:certificate/…"
            )),
        }
    }
}

fn is_certificate(name: &str) -> bool {
    let id = name.strip_prefix("certificate/").unwrap_or_default();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !id.is_empty() && id.bytes().all(is_plain)
}

impl fmt::Display for CertificateArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What ACM says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    pub arn: CertificateArn,
    /// ACM's own word, such as `ISSUED`.
    pub status: String,
    /// Hosts, or `*.` and what follows one label.
    pub names: Vec<String>,
    pub not_after: Option<OffsetDateTime>,
    /// By which ACM would see that the names are their owner's: name, kind, value.
    pub records: Vec<(String, String, String)>,
}

impl IssuedCertificate {
    /// Whether a client that asks for that host accepts it: `*` is one label.
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix("*.") {
                Some(rest) => parent == Some(rest),
                None => name == host,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_certificate_of_acm_is_taken_for_one() {
        let taken = "arn:aws-cn:acm:cn-north-1:123456789012:certificate/0a-b_c";
        let arn: CertificateArn = taken.parse().unwrap();
        assert_eq!((arn.region(), arn.as_str()), ("cn-north-1", taken));
        for (text, why) in [
            ("arn:aws:iam::123456789012:server-certificate/a/shop", "IAM"),
            (
                "arn:aws:acm:eu-west-1:123456789012:certificate/",
                "not an ACM certificate",
            ),
            (
                "arn:aws:acm:eu-west-1:123:certificate/a",
                "not an ACM certificate",
            ),
            (
                "arn:aws:acm:eu-west-1:123456789012:certificate/a,b",
                "not an ACM certificate",
            ),
            (
                "arn:aws:acm-pca:eu-west-1:123456789012:certificate/a",
                "not an ACM certificate",
            ),
            ("shop.example.com", "not an ACM certificate"),
        ] {
            let refused = text.parse::<CertificateArn>().unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let certificate = IssuedCertificate {
            arn: "arn:aws:acm:eu-west-1:123456789012:certificate/a"
                .parse()
                .unwrap(),
            status: "ISSUED".to_owned(),
            names: ["Example.com", "*.shop.example.com"]
                .map(str::to_owned)
                .into(),
            not_after: None,
            records: Vec::new(),
        };
        for (host, expected) in [
            ("example.com", true),
            ("EXAMPLE.com.", true),
            ("www.example.com", false),
            ("a.shop.example.com", true),
            ("shop.example.com", false),
            ("a.b.shop.example.com", false),
            ("ashop.example.com", false),
        ] {
            assert_eq!(certificate.covers(host), expected, "{host}");
        }
    }
}
