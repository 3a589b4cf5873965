//! Bytes as people compare them: lower-case hexadecimal.

use sha2::{Digest, Sha256};

/// The SHA-256 of it.
pub fn sha256(of: impl AsRef<[u8]>) -> String {
    hex(Sha256::digest(of))
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of FIPS 180-4's examples.
    #[test]
    fn a_hash_is_as_sha256sum_prints_it() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256("abc"), abc);
    }
}
