//! Where the bands of a timeline lie, and where their names stand.

use super::Width;
use super::canvas::{Canvas, Drawn, Lettering};
use crate::engine::seen::timeline::Lane;

/// From its upper edge to its lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    pub top: i32,
    pub bottom: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands {
    pub all: Vec<Band>,
    /// The bottom of the last one, and a little room.
    pub bottom: i32,
}

impl Bands {
    /// The more there are in the whole drawing, the lower they are.
    pub fn below(top: i32, lanes: &[Lane], width: Width, of_all: usize) -> Self {
        let height = match of_all {
            0..=2 => 40,
            3..=4 => 32,
            5..=8 => 22,
            9..=16 => 16,
            _ => 11,
        };
        // Above each is room for the flags of failures, or for its name.
        let above = match width {
            Width::Wide => 12,
            Width::Narrow => 28,
        };
        let mut y = top;
        let mut last = None;
        let mut all = Vec::new();
        for lane in lanes {
            let is_other_node = last.is_some_and(|node| node != lane.node);
            y += above + if is_other_node { 8 } else { 0 };
            last = Some(lane.node);
            all.push(Band {
                top: y,
                bottom: y + height,
            });
            y += height;
        }
        // Without a band there still is a time axis.
        let bottom = y + if lanes.is_empty() { 24 } else { 8 };
        Self { all, bottom }
    }
}

/// Right of the bands, for the half of a time label.
pub const RIGHT: i32 = 32;

impl Width {
    pub fn pixels(self) -> i32 {
        match self {
            Self::Wide => 1080,
            Self::Narrow => 380,
        }
    }

    /// Where the bands begin.
    pub fn left_of_bands(self, names: &[String]) -> i32 {
        const PAD: i32 = 12;
        let widest = names.iter().map(|name| Lettering::LABEL.width(name)).max();
        match self {
            Self::Wide => (widest.unwrap_or(0) + PAD).max(110),
            Self::Narrow => 32,
        }
    }

    /// The name of a band: beside it, or above where there is no room for that,
    /// and there at its end, as most happens at its beginning.
    pub fn label(
        self,
        canvas: &Canvas<'_>,
        name: &str,
        (left, right): (i32, i32),
        band: &Band,
    ) -> Drawn {
        let at = match self {
            Self::Wide => (left - 10, i32::midpoint(band.top, band.bottom)),
            Self::Narrow => (right, band.top - 17),
        };
        canvas.text(name, at, Lettering::LABEL.to_the_left())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Connection;

    fn lanes(count: u8) -> Vec<Lane> {
        (0..count)
            .map(|n| Lane {
                node: Some([10, 0, 1, n / 2].into()),
                connection: Connection::Fresh,
                dots: Vec::new(),
            })
            .collect()
    }

    #[test]
    fn bands_do_not_touch_and_those_of_a_node_are_together() {
        for count in [1, 2, 6, 12] {
            let bands = Bands::below(50, &lanes(count), Width::Wide, count.into());
            assert_eq!(bands.all.len(), usize::from(count));
            let gaps: Vec<i32> = bands
                .all
                .windows(2)
                .map(|two| two[1].top - two[0].bottom)
                .collect();
            for (n, gap) in gaps.iter().enumerate() {
                assert_eq!(*gap, if n % 2 == 0 { 12 } else { 20 }, "{count}");
            }
            assert!(bands.all.last().unwrap().bottom < bands.bottom);
        }
    }

    #[test]
    fn twelve_bands_fit_on_a_screen() {
        assert!(Bands::below(50, &lanes(12), Width::Wide, 12).bottom < 500);
    }
}
