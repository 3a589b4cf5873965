use console::{measure_text_width, strip_ansi_codes};

use super::*;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const HOST: &str = "http://bgecs-hello-1234567890.eu-central-1.elb.amazonaws.com";

#[test]
fn what_fits_stays_as_it_is() {
    for text in ["", "  a  b", "one\n\n  two", DIGEST] {
        assert_eq!(wrapped(text, 80), text);
    }
    let long = "word ".repeat(40);
    assert_eq!(
        wrapped(&long, 0),
        long,
        "a terminal that does not know its width"
    );
}

#[test]
fn lines_end_between_words_below_their_text() {
    let text = format!(
        "error: the promotion of blue (tag 2) was rolled back: HTTP 500 0.1 s after the swap\n\
         \x20 caused by: HTTP 500, first 0.1 s after the swap began and a good while after it\n\
         \x20 hint:      look now: `bgecs status`, then `bgecs promote green` or another one\n\
         \u{1b}[32m✓\u{1b}[0m deployment      blue (tag 2) as bgecs-hello:2 is complete and it serves\n\
         \x20 port 80  {HOST}  -> green\n\
         \x20 digest   {DIGEST}"
    );
    let shown = wrapped(&text, 60);
    insta::assert_snapshot!(strip_ansi_codes(&shown), @r"
    error: the promotion of blue (tag 2) was rolled back: HTTP
      500 0.1 s after the swap
      caused by: HTTP 500, first 0.1 s after the swap began and
                 a good while after it
      hint:      look now: `bgecs status`, then
                 `bgecs promote green` or another one
    ✓ deployment      blue (tag 2) as bgecs-hello:2 is complete
                      and it serves
      port 80  http://bgecs-hello-1234567890.eu…lb.amazonaws.com
               -> green
      digest   sha256:0123456789ab…
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let text = format!(
        "  warning: \u{1b}[1m{HOST}/a/path/that/goes/on?and=on\u{1b}[0m ({DIGEST}, `bgecs deploy . --tag 1`) \
         because 日本語 words are wide, and `bgecs init --print-policy deployer --region eu-central-1` is long"
    );
    for columns in 40..200 {
        for line in wrapped(&text, columns).lines() {
            let wide = measure_text_width(line);
            assert!(wide <= usize::from(columns), "{columns}: {wide} {line}");
        }
        let row = cut(&text, columns);
        assert!(measure_text_width(&row) <= usize::from(columns), "{row}");
    }
}

#[test]
fn a_line_that_moves_is_cut_after_a_word() {
    let line = "waiting for green: 0 of 2 tasks running, 0 targets healthy";
    assert_eq!(cut(line, 58), line);
    assert_eq!(cut(line, 40), "waiting for green: 0 of 2 tasks …");
}
