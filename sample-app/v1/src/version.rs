//! What makes this version itself: its words, its colour and its API format.
//!
//! The rest of `src/` is the same in every version.

/// The number of this version, from `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION_MAJOR");

/// The language tag of the page.
pub const LANGUAGE: &str = "en";

/// The accent of the page, a class in `page.css`.
pub const COLOUR: &str = "green";

/// How the page names that colour.
pub const COLOUR_NAME: &str = "green";

/// The greeting word, unless `GREETING` says another.
pub const WORD: &str = "Hello";

/// Whom to greet when the request names nobody.
pub const NOBODY: &str = "World";

/// The label of the page's only field.
pub const ASK: &str = "Your name";

/// The label of the page's only button.
pub const SUBMIT: &str = "Greet me";

/// The content type of `/api`.
pub const API_TYPE: &str = "text/plain; charset=utf-8";

/// Puts a greeting together.
pub fn greeting(word: &str, name: &str) -> String {
    format!("{word}, {name}!")
}

/// What `/api` answers.
pub fn api(greeting: &str) -> String {
    format!("{greeting}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greets_in_english() {
        assert_eq!(greeting(WORD, NOBODY), "Hello, World!");
        assert_eq!(greeting("Hi", "Jürgen"), "Hi, Jürgen!");
    }

    #[test]
    fn api_is_plain_text_as_it_stands() {
        assert_eq!(api("Hello, <\"Ada\">!"), "Hello, <\"Ada\">!\n");
    }
}
