//! Guesses which of the known names was meant by one that is not known.

pub use strsim::levenshtein as distance;

/// The known name that is a slip of the finger away from `key`.
pub fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = key.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|known| (distance(&key, &known.to_lowercase()), *known))
        .min()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .map(|(_, known)| known)
}
