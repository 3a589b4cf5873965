//! The colours of the drawings. As drawn they suit a light page; for a dark one
//! a rule for each puts another in its place, so that one drawing serves both.

use std::fmt::Write;

use plotters::style::RGBColor;

use crate::engine::evidence::Evidence;
use crate::model::Color;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Blue,
    Green,
    /// For releases without a colour, in turn.
    Violet,
    Amber,
    Cyan,
    Pink,
    Unknown,
    Failed,
    /// Behind failures, from top to bottom.
    FailedWash,
    /// From a listener write to its read-back.
    SwapWash,
    /// Behind every other stage.
    StageWash,
    Text,
    Soft,
    Grid,
    /// What a lane's answers stand on.
    Track,
    Sent,
    /// Dashed where style sheets are understood.
    ReadBack,
    /// What happened beside moves and answers.
    Landmark,
    /// A bar of a distribution.
    Bar,
    /// The background.
    Paper,
}

impl Ink {
    const ALL: [Self; 20] = [
        Self::Blue,
        Self::Green,
        Self::Violet,
        Self::Amber,
        Self::Cyan,
        Self::Pink,
        Self::Unknown,
        Self::Failed,
        Self::FailedWash,
        Self::SwapWash,
        Self::StageWash,
        Self::Text,
        Self::Soft,
        Self::Grid,
        Self::Track,
        Self::Sent,
        Self::ReadBack,
        Self::Landmark,
        Self::Bar,
        Self::Paper,
    ];

    /// Which release it is must be seen without colour vision too: blue is the
    /// darker one on a light page, and green the lighter one on a dark page.
    fn light_and_dark(self) -> (u32, u32) {
        match self {
            Self::Blue => (0x1D_4ED8, 0x3B_82F6),
            Self::Green => (0x2E_B872, 0x6E_E7A8),
            Self::Violet => (0x6D_28D9, 0xA7_8BFA),
            Self::Amber => (0xE5_A50A, 0xFC_D34D),
            Self::Cyan => (0x0E_7490, 0x22_D3EE),
            Self::Pink => (0xEC_6EB0, 0xF9_A8D4),
            Self::Unknown => (0x9C_A6B5, 0x76_8191),
            Self::Failed => (0xDC_1F26, 0xFF_4D4F),
            Self::FailedWash => (0xFD_E3E3, 0x4A_1B1F),
            Self::SwapWash => (0xF4_EFDD, 0x2B_2A1F),
            Self::StageWash => (0xEC_F2FB, 0x18_212D),
            Self::Text => (0x1B_2430, 0xE6_EBF2),
            Self::Soft => (0x5B_6676, 0x9D_A9B9),
            Self::Grid => (0xE1_E6ED, 0x2C_3542),
            Self::Track => (0xEF_F2F6, 0x1D_2530),
            Self::Sent => (0x10_1820, 0xF7_FAFF),
            Self::ReadBack => (0x3D_4857, 0xC2_CCD9),
            Self::Landmark => (0xB4_5309, 0xFB_BF6B),
            Self::Bar => (0x8A_9CC4, 0x6B_7FAB),
            Self::Paper => (0xFF_FFFF, 0x11_161D),
        }
    }

    /// The ink of the release with that number in the evidence.
    pub fn of_release(evidence: &Evidence, release: usize) -> Self {
        const OTHERS: [Ink; 4] = [Ink::Violet, Ink::Amber, Ink::Cyan, Ink::Pink];
        match evidence.releases.get(release).map(|it| it.color) {
            Some(Some(Color::Blue)) => Self::Blue,
            Some(Some(Color::Green)) => Self::Green,
            Some(None) => OTHERS[release % OTHERS.len()],
            None => Self::Unknown,
        }
    }

    pub fn rgb(self) -> RGBColor {
        let [_, red, green, blue] = self.light_and_dark().0.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// As it stands in a drawing.
    pub fn light(self) -> String {
        format!("#{:06X}", self.light_and_dark().0)
    }

    pub fn dark(self) -> String {
        format!("#{:06X}", self.light_and_dark().1)
    }
}

/// What every drawing needs of a style sheet. Rules win over the attributes that
/// the drawing carries; a viewer that knows none shows the light one.
pub fn style_sheet() -> String {
    let mut css = String::from(
        "svg text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif;\
         font-variant-numeric:tabular-nums;\
         paint-order:stroke;stroke-width:3px;stroke-linejoin:round;stroke:",
    );
    // A line behind a text does not strike it out.
    css += &Ink::Paper.light();
    css += "}\n";
    let read_back = Ink::ReadBack.light();
    // Writing to a string does not fail.
    let _ = writeln!(css, "svg [stroke=\"{read_back}\"]{{stroke-dasharray:4 3}}");
    css += "@media screen and (prefers-color-scheme:dark){\n";
    for ink in Ink::ALL {
        let (light, dark) = (ink.light(), ink.dark());
        let _ = writeln!(
            css,
            "svg [fill=\"{light}\"]{{fill:{dark}}} svg [stroke=\"{light}\"]{{stroke:{dark}}}"
        );
    }
    let _ = writeln!(css, "svg text{{stroke:{}}}\n}}", Ink::Paper.dark());
    css
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_rule_for_the_dark_finds_one_ink_only() {
        let light: HashSet<String> = Ink::ALL.into_iter().map(Ink::light).collect();
        assert_eq!(light.len(), Ink::ALL.len());
    }

    /// The part of the light that reaches the eye, by the sRGB weights.
    fn lightness(color: u32) -> f64 {
        let [_, r, g, b] = color.to_be_bytes().map(f64::from);
        (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0
    }

    #[test]
    fn blue_and_green_differ_in_lightness_too() {
        let (blue, green) = (Ink::Blue.light_and_dark(), Ink::Green.light_and_dark());
        for (blue, green) in [(blue.0, green.0), (blue.1, green.1)] {
            assert!(lightness(green) - lightness(blue) > 0.25);
        }
    }
}
