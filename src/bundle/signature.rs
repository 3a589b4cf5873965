//! Checks that the owner of a key signed a file, by a minisign signature.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use minisign_verify::{Error as Minisign, Signature};

use super::CHUNK;
use super::error::{BundleProblem, Result};
use crate::model::PublicKey;

/// Only signatures of a file's hash, which minisign makes since 0.10: for older ones the
/// whole file would have to be in memory.
pub(super) fn verify(file: &Path, signature: &str, key: &PublicKey) -> Result<()> {
    if signature.trim().is_empty() {
        return Err(BundleProblem::NoSignature);
    }
    let signature = Signature::decode(signature).map_err(|_| BundleProblem::BrokenSignature)?;
    let mut verifier =
        key.of_minisign()
            .verify_stream(&signature)
            .map_err(|error| match error {
                Minisign::UnexpectedKeyId => BundleProblem::OtherKey,
                Minisign::UnsupportedLegacyMode => BundleProblem::LegacySignature,
                _ => BundleProblem::WrongSignature,
            })?;
    let io = |error| BundleProblem::io(file, error);
    let mut input = File::open(file).map_err(io)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk).map_err(io)? {
            0 => break,
            read => verifier.update(&chunk[..read]),
        }
    }
    verifier
        .finalize()
        .map_err(|_| BundleProblem::WrongSignature)
}
