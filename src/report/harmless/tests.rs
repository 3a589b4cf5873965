use proptest::prelude::*;

use super::*;

/// What a terminal would obey, or what hides: C0, DEL, C1, and Unicode's own.
const HIDDEN: &str = "\u{0}\u{7}\u{8}\u{b}\u{c}\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9d}\u{ad}\
    \u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\
    \u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{e0041}";

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| c != '\n' && is_hidden(c))
}

#[test]
fn what_is_hidden_is_shown_as_what_it_is() {
    for c in HIDDEN.chars() {
        assert_eq!(text(&format!("a{c}b")), format!("a{}b", c.escape_default()));
    }
    assert_eq!(text("\u{1b}]0;title\u{7}"), r"\u{1b}]0;title\u{7}");
    assert_eq!(text("50 %\r100 %"), r"50 %\r100 %");
    assert_eq!(text("a\n\tb"), "a\n    b");
    for plain in ["¡Olé! 👋", "✓ blue — 192.0.2.1", r"C:\temp", "العربية"] {
        assert_eq!(text(plain), plain);
    }
}

#[test]
fn own_colours_act_and_foreign_ones_do_not() {
    let own = painted(Tone::Bad, "no \u{1b}[32mpermission");
    let line = format!("{own} and \u{1b}[31mred");
    assert_eq!(
        text(&line),
        "\u{1b}[1;31mno \\u{1b}[32mpermission\u{1b}[0m and \\u{1b}[31mred"
    );
    // The mark's beginning, without the part that nobody knows.
    assert_eq!(text("\u{fdd0}0b red"), r"\u{fdd0}0b red");
}

#[test]
fn of_an_apps_own_lines_colours_pass_and_nothing_else() {
    for color in [
        "\u{1b}[m",
        "\u{1b}[31m",
        "\u{1b}[1;38;2;1;2;3m",
        "\u{1b}[4:3m",
    ] {
        let line = format!("{color}red");
        assert_eq!(with_colors(&line), format!("{line}{RESET}"));
    }
    for command in [
        "\u{1b}[2J",
        "\u{1b}[?25l",
        "\u{1b}[?4m",
        "\u{1b}[>4;2m",
        "\u{1b}[ m",
        "\u{1b}[31",
        "\u{1b}[3\u{1b}",
        "\u{1b}]52;c;cm0=\u{7}",
        "\u{1b}]8;;http://x\u{1b}\\",
        "\u{1b}c",
        "\u{1b}",
        "\u{9b}31m",
        "up\rover",
        "\u{202e}",
    ] {
        let shown = with_colors(command);
        assert_eq!(shown, text(command));
        assert!(is_harmless(&shown), "{shown:?}");
    }
}

#[test]
fn json_says_the_same_in_other_characters() {
    let said = serde_json::json!({ HIDDEN: [HIDDEN, "\u{e0041}é\n"] });
    for form in [format!("{said}"), format!("{said:#}")] {
        let safe = json(&form);
        assert!(is_harmless(&safe), "{safe}");
        let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(read, said);
    }
    assert_eq!(
        json("\"\u{9b}\u{202e}\u{e0041}é\""),
        r#""\u009b\u202e\udb40\udc41é""#
    );
}

proptest! {
    #[test]
    fn nothing_gets_through(any in "\\PC*|[\u{0}-\u{20}\u{7f}-\u{a0}\\[;m\u{2000}-\u{2070}]*") {
        prop_assert!(is_harmless(&text(&any)));
        prop_assert_eq!(text(&text(&any)), text(&any));
        let colored = with_colors(&any);
        let without: String = colored
            .split('\u{1b}')
            .enumerate()
            .map(|(n, part)| match n {
                0 => part,
                _ => part.split_once('m').unwrap().1,
            })
            .collect();
        prop_assert!(is_harmless(&without));
    }
}
