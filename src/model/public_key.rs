//! The public key that a bundle's signature is checked against.

use std::fmt;
use std::str::FromStr;

/// A public key of minisign (<https://jedisct1.github.io/minisign/>).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(minisign_verify::PublicKey);

impl PublicKey {
    pub fn of_minisign(&self) -> &minisign_verify::PublicKey {
        &self.0
    }
}

/// The line that begins with `RW`, or the whole `.pub` file, where a comment is ahead of it.
impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines: Vec<&str> = text.trim().lines().collect();
        let key = match lines[..] {
            [key] => Some(key),
            [comment, key] if comment.starts_with("untrusted comment:") => Some(key),
            _ => None,
        };
        key.and_then(|key| minisign_verify::PublicKey::from_base64(key.trim()).ok())
            .map(Self)
            .ok_or_else(|| {
                "it is not a minisign public key, which is the line of a .pub file that begins with RW".to_owned()
            })
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_a_line_or_a_file() {
        let key: PublicKey = KEY.parse().unwrap();
        for text in [
            format!("  {KEY}\n"),
            format!("untrusted comment: minisign public key\n{KEY}\n"),
            format!("untrusted comment: minisign public key\r\n{KEY}\r\n"),
        ] {
            assert!(text.parse() == Ok(key.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            String::new(),
            KEY[1..].to_owned(),
            format!("{KEY}A"),
            format!("AA{}", &KEY[2..]),
            format!("{KEY}\n{KEY}"),
            format!("untrusted comment: a\n{KEY}\n{KEY}"),
            "untrusted comment: a".to_owned(),
        ] {
            let error = text.parse::<PublicKey>().unwrap_err();
            assert!(error.contains("begins with RW"), "{text}");
        }
    }
}
