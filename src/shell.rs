//! Quotes words for a shell.

/// As one word of a shell.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// As one line of it.
pub fn line(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_words_that_it_was_made_of() {
        let words = ["ls", "-l", "a b", "it's", "", "$HOME"].map(str::to_owned);
        assert_eq!(line(&words), r"ls -l 'a b' 'it'\''s' '' '$HOME'");
    }
}
