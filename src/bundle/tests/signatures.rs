//! Signatures as minisign makes them.

use std::io::Cursor;

use minisign::KeyPair;

use super::*;

const BUNDLE: &[u8] = b"what is signed";

fn signed(keys: &KeyPair) -> String {
    let data = Cursor::new(BUNDLE);
    let comment = Some("file:site-7.zip");
    minisign::sign(Some(&keys.pk), &keys.sk, data, comment, None)
        .unwrap()
        .to_string()
}

fn key_of(keys: &KeyPair) -> PublicKey {
    keys.pk.to_base64().parse().unwrap()
}

fn verified(bytes: &[u8], signature: &str, key: &PublicKey) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("upload");
    fs::write(&file, bytes).unwrap();
    verify(&file, "site-7.zip", signature, key).map_err(|error| error.to_string())
}

#[test]
fn what_the_owner_of_the_key_signed_is_taken() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let signature = signed(&keys);
    assert_eq!(verified(BUNDLE, &signature, &key_of(&keys)), Ok(()));
    let of_windows = signature.replace('\n', "\r\n");
    assert_eq!(verified(BUNDLE, &of_windows, &key_of(&keys)), Ok(()));
    let file: PublicKey = keys.pk.to_box().unwrap().to_string().parse().unwrap();
    assert_eq!(verified(BUNDLE, &signature, &file), Ok(()));
}

#[test]
fn a_file_longer_than_what_is_read_at_a_time_is_taken_whole() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let mut bytes = vec![7; 3 * CHUNK + 1];
    let signature = minisign::sign(None, &keys.sk, Cursor::new(&bytes), None, None).unwrap();
    let signature = signature.to_string();
    assert_eq!(verified(&bytes, &signature, &key_of(&keys)), Ok(()));
    bytes[3 * CHUNK] = 8;
    assert!(verified(&bytes, &signature, &key_of(&keys)).is_err());
}

#[test]
fn anything_else_is_refused() {
    let [keys, others] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let (key, signature) = (key_of(&keys), signed(&keys));
    let changed = "site-7.zip is not what was signed: it or its signature was changed";
    let refused = |signature: &str| verified(BUNDLE, signature, &key).unwrap_err();
    assert_eq!(verified(b"another", &signature, &key).unwrap_err(), changed);
    assert_eq!(verified(b"", &signature, &key).unwrap_err(), changed);
    // The comment, which minisign signs as well.
    assert_eq!(refused(&signature.replace("site-7", "site-8")), changed);
    for text in ["", " \n"] {
        assert_eq!(
            refused(text),
            "site-7.zip is not signed: there is no text of a minisign signature beside it"
        );
    }
    let first: String = signature.lines().take(2).collect::<Vec<_>>().join("\n");
    for text in [
        "x",
        &first,
        &signature.replace("trusted comment: file", "file"),
    ] {
        assert_eq!(
            refused(text),
            "site-7.zip has a signature that is not minisign's: one of those has four lines, as in a .minisig file"
        );
    }
    assert_eq!(
        refused(&signed(&others)),
        "site-7.zip is signed with another key than the one that is expected"
    );
}

/// The letters at its beginning show it.
#[test]
fn a_signature_of_an_old_kind_is_refused() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let old = signed(&keys).replace("\nRU", "\nRW");
    let refused = verified(BUNDLE, &old, &key_of(&keys)).unwrap_err();
    assert!(
        refused.starts_with("site-7.zip has a signature of an old kind"),
        "{refused}"
    );
}

/// Another key that calls itself by the same id is still another key.
#[test]
fn a_key_is_not_its_id() {
    let [keys, others] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let mut bytes = others.pk.to_bytes();
    bytes[2..10].copy_from_slice(keys.pk.keynum());
    let disguised = minisign::PublicKey::from_bytes(&bytes).unwrap();
    let key = disguised.to_base64().parse().unwrap();
    let refused = verified(BUNDLE, &signed(&keys), &key).unwrap_err();
    assert!(refused.contains("is not what was signed"), "{refused}");
}
