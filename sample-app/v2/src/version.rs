//! What makes this version itself: its words, its colour and its API format.
//!
//! The rest of `src/` is the same in every version.

/// The number of this version, from `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION_MAJOR");

/// The language tag of the page.
pub const LANGUAGE: &str = "fr";

/// The accent of the page, a class in `page.css`.
pub const COLOUR: &str = "blue";

/// How the page names that colour.
pub const COLOUR_NAME: &str = "bleu";

/// The greeting word, unless `GREETING` says another.
pub const WORD: &str = "Bonjour";

/// Whom to greet when the request names nobody.
pub const NOBODY: &str = "le monde";

/// The label of the page's only field.
pub const ASK: &str = "Votre nom";

/// The label of the page's only button.
pub const SUBMIT: &str = "Saluez-moi";

/// The content type of `/api`.
pub const API_TYPE: &str = "application/json";

/// Puts a greeting together.
pub fn greeting(word: &str, name: &str) -> String {
    format!("{word}, {name} !")
}

/// What `/api` answers.
pub fn api(greeting: &str) -> String {
    let mut json = serde_json::json!({
        "greeting": greeting,
        "language": LANGUAGE,
        "version": VERSION,
    })
    .to_string();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets_in_french() {
        assert_eq!(greeting(WORD, NOBODY), "Bonjour, le monde !");
        assert_eq!(greeting("Salut", "Jürgen"), "Salut, Jürgen !");
    }

    #[test]
    fn api_is_json() {
        assert_eq!(
            api("Bonjour, le monde !"),
            "{\"greeting\":\"Bonjour, le monde !\",\"language\":\"fr\",\"version\":\"2\"}\n"
        );
        for awkward in ["\"\\", "a\nb\u{1}\u{7f}", "</script>", "Jürgen \u{2028}"] {
            let answer: serde_json::Value = serde_json::from_str(&api(awkward)).unwrap();
            assert_eq!(answer["greeting"], awkward);
        }
    }
}
