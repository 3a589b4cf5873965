//! All drawings on one sheet, with what happened above them: an image that says
//! by itself what it shows.

use maud::{Markup, PreEscaped, html};

use super::canvas::{Lettering, Picture, printable};
use super::ink::{Ink, style_sheet};
use super::{
    Width, closeup, is_worthwhile, moves_of_set, over_time, shares, spread, ways, whole,
    whole_of_set,
};
use crate::engine::evidence::{Evidence, SetEvidence};

const MARGIN: i32 = 32;
const HEADING: Lettering = Lettering {
    size: 14.0,
    is_bold: true,
    ..Lettering::LABEL
};
const HEADLINE: Lettering = Lettering {
    size: 20.0,
    is_bold: true,
    ..Lettering::LABEL
};

/// A whole SVG document.
pub fn sheet(evidence: &Evidence) -> String {
    let whole = is_worthwhile(evidence).then(|| whole(evidence, Width::Wide));
    let mut below = vec![evidence.operation.to_owned(), evidence.url.clone()];
    below.extend(evidence.who.clone());
    below.extend(super::when(evidence.began));
    let title = Title {
        sentence: &evidence.sentence,
        is_good: evidence.is_good,
        reason: evidence.reason.as_deref(),
        below,
    };
    document(
        &title,
        [
            ("Every answer over time", whole),
            ("Share of the new release", shares(evidence, Width::Wide)),
            ("The changeover, close up", closeup(evidence, Width::Wide)),
            ("Each way in", ways(evidence, Width::Wide)),
            ("Latency over time", over_time(evidence, Width::Wide)),
            ("Latency distribution", spread(evidence, Width::Wide)),
        ],
    )
}

/// The same of the release of a set.
pub fn set_sheet(set: &SetEvidence) -> String {
    let mut below = vec![set.operation.to_owned(), set.set.to_string()];
    below.extend(set.who().map(str::to_owned));
    below.extend(super::when(set.began));
    let title = Title {
        sentence: &set.sentence,
        is_good: set.is_good,
        reason: set.reason.as_deref(),
        below,
    };
    document(
        &title,
        [
            ("Every answer over time", whole_of_set(set, Width::Wide)),
            ("The moves, close up", moves_of_set(set, Width::Wide)),
        ],
    )
}

/// What stands above the drawings.
struct Title<'a> {
    sentence: &'a str,
    is_good: bool,
    reason: Option<&'a str>,
    below: Vec<String>,
}

fn document<const N: usize>(title: &Title<'_>, parts: [(&str, Option<Picture>); N]) -> String {
    let width = Width::Wide.pixels() + 2 * MARGIN;
    let mut sheet = Sheet {
        y: MARGIN,
        parts: Vec::new(),
    };
    sheet.head(title);
    for (heading, picture) in parts {
        if let Some(picture) = picture {
            sheet.part(heading, &picture);
        }
    }
    let height = sheet.y;
    let document = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
            viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby="what"
        {
            title id="what" { (printable(title.sentence)) }
            style { (PreEscaped(style_sheet())) }
            rect width="100%" height="100%" fill=(Ink::Paper.light()) {}
            @for part in &sheet.parts { (part) }
        }
    };
    document.into_string()
}

struct Sheet {
    y: i32,
    parts: Vec<Markup>,
}

impl Sheet {
    fn head(&mut self, title: &Title<'_>) {
        let verdict = if title.is_good {
            Ink::Green
        } else {
            Ink::Failed
        };
        let headline = lines(&printable(title.sentence), Width::Wide.pixels() - 40);
        let height = i32::try_from(headline.len()).unwrap_or(1) * 28;
        self.parts.push(html! {
            rect x=(MARGIN) y=(self.y) width="5" height=(height) fill=(verdict.light()) {}
        });
        for line in headline {
            self.text(&line, MARGIN + 18, 20, HEADLINE);
            self.y += 28;
        }
        if let Some(reason) = title.reason {
            let failed = Lettering {
                ink: Ink::Failed,
                ..HEADING
            };
            for line in lines(&printable(reason), Width::Wide.pixels() - 40) {
                self.text(&line, MARGIN + 18, 16, failed);
                self.y += 22;
            }
        }
        self.text(&title.below.join(" · "), MARGIN + 18, 20, Lettering::SOFT);
        self.y += 44;
    }

    fn part(&mut self, heading: &str, picture: &Picture) {
        self.text(heading, MARGIN, 14, HEADING);
        self.y += 32;
        self.parts.push(picture.nested(MARGIN, self.y));
        self.y += picture.height + 36;
    }

    fn text(&mut self, text: &str, x: i32, down: i32, lettering: Lettering) {
        let weight = lettering.is_bold.then_some("bold");
        self.parts.push(html! {
            text x=(x) y=(self.y + down) font-family="sans-serif" font-size=(lettering.size)
                font-weight=[weight] fill=(lettering.ink.light())
            { (printable(text)) }
        });
    }
}

/// Cut between words where a line is full.
fn lines(text: &str, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if HEADLINE.width(line) + HEADLINE.width(word) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sentence_is_cut_between_words() {
        assert_eq!(lines("one two three", 120), ["one two", "three"]);
        assert_eq!(lines("", 120), Vec::<String>::new());
    }
}
