//! Time and latency along a drawing: where a value lies, and the lines and
//! labels beside it.

use std::ops::Range;

use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::coord::ranged1d::{
    AsRangedCoord, DefaultFormatting, KeyPointHint, Ranged, ValueFormatter,
};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{BindKeyPoints, IntoLogRange, SVGBackend};
use plotters::style::TRANSPARENT;

use super::canvas::{At, Canvas, Drawn, Lettering};
use super::ink::Ink;

/// Below a frame, for the labels.
pub const LABELS: i32 = 24;
/// Between two labels, at least.
const APART: i32 = 72;

/// A part of a drawing, in its pixels.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Frame {
    fn labels_across(self) -> usize {
        usize::try_from((self.right - self.left) / APART)
            .unwrap_or(0)
            .max(2)
    }

    /// The chart that fills it, its labels below.
    fn chart<'a, 'b>(self, canvas: &'a Canvas<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
        let (width, height) = canvas.area().dim_in_pixel();
        let mut chart = ChartBuilder::on(canvas.area());
        chart
            .margin_left(self.left)
            .margin_top(self.top)
            .margin_right(width as i32 - self.right)
            .margin_bottom(height as i32 - self.bottom - LABELS)
            .set_label_area_size(LabelAreaPosition::Bottom, LABELS);
        chart
    }
}

/// Where a pair of values lies.
type Place<'a> = Box<dyn Fn(f64, f64) -> At + 'a>;

/// Where values lie, from the left to the right of a frame.
pub struct Across<'a> {
    place: Place<'a>,
    shown: Range<f64>,
}

impl<'a> Across<'a> {
    /// An axis of instants: draws the lines and their labels.
    pub fn time(canvas: &Canvas<'a>, frame: Frame, shown: &Range<f64>) -> Drawn<Self> {
        let whole = shown.end - shown.start;
        let times = times(shown, frame.labels_across());
        let place = across(canvas, frame, times, LINES, &|ms| instant(*ms, whole))?;
        let shown = shown.clone();
        Ok(Self { place, shown })
    }

    /// An axis of latencies, on which all decades are equally wide.
    pub fn latency(canvas: &Canvas<'a>, frame: Frame, shown: &Range<f64>) -> Drawn<Self> {
        let place = across(canvas, frame, logarithmic(shown), LINES, &|ms| span(*ms))?;
        let shown = shown.clone();
        Ok(Self { place, shown })
    }

    /// What is not shown is at the edge.
    pub fn x(&self, ms: f64) -> i32 {
        let ms = ms.clamp(self.shown.start, self.shown.end);
        (self.place)(ms, 0.0).0
    }
}

/// Draws the lines of one axis and the labels below them.
fn across<'a, X>(
    canvas: &Canvas<'a>,
    frame: Frame,
    axis: X,
    labels: usize,
    label: &dyn Fn(&f64) -> String,
) -> Drawn<Place<'a>>
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64> + 'a>,
{
    let mut chart = frame.chart(canvas).build_cartesian_2d(axis, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Grid.rgb())
        .axis_style(Ink::Grid.rgb())
        .x_labels(labels)
        .x_label_formatter(&label)
        .x_label_style(Lettering::SOFT.style())
        .draw()?;
    Ok(Box::new(move |x, y| {
        chart.plotting_area().map_coordinate(&(x, y))
    }))
}

/// Both at once: time to the right, latency upwards.
pub struct TimeAndLatency<'a> {
    place: Place<'a>,
    up_to: Range<f64>,
}

impl<'a> TimeAndLatency<'a> {
    /// Draws the lines and their labels, those of the latencies left of the frame.
    pub fn draw(
        canvas: &Canvas<'a>,
        frame: Frame,
        shown: &Range<f64>,
        latencies: &Range<f64>,
    ) -> Drawn<Self> {
        const LEFT: i32 = 52;
        let mut chart = frame
            .chart(canvas)
            .margin_left(frame.left - LEFT)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .build_cartesian_2d(times(shown, frame.labels_across()), logarithmic(latencies))?;
        let whole = shown.end - shown.start;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(Ink::Grid.rgb())
            .axis_style(Ink::Grid.rgb())
            .x_labels(LINES)
            .y_labels(LINES)
            .x_label_formatter(&|ms| instant(*ms, whole))
            .y_label_formatter(&|ms| span(*ms))
            .label_style(Lettering::SOFT.style())
            .draw()?;
        Ok(Self {
            place: Box::new(move |x, y| chart.plotting_area().map_coordinate(&(x, y))),
            up_to: latencies.clone(),
        })
    }

    pub fn at(&self, ms: f64, latency_ms: f64) -> (i32, i32) {
        let latency = latency_ms.clamp(self.up_to.start, self.up_to.end);
        (self.place)(ms, latency)
    }
}

/// As many lines as are asked for.
const LINES: usize = 100;

/// Plotters by itself counts milliseconds by tens, and draws a line at +1.67 min.
fn times(
    shown: &Range<f64>,
    labels: usize,
) -> impl AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>> + use<> {
    RoundTimes {
        line: shown.clone().into(),
        points: round_times(shown, labels),
    }
}

struct RoundTimes {
    line: RangedCoordf64,
    points: Vec<f64>,
}

impl Ranged for RoundTimes {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, ms: &f64, limit: (i32, i32)) -> i32 {
        self.line.map(ms, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.points.clone()
    }

    fn range(&self) -> Range<f64> {
        self.line.range()
    }
}

/// No more of them than that, and round in the unit in which they are told.
fn round_times(shown: &Range<f64>, most: usize) -> Vec<f64> {
    const MINUTES: [f64; 12] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0, 720.0, 1440.0,
    ];
    let whole = shown.end - shown.start;
    let steps: Vec<f64> = match whole >= LONG {
        true => MINUTES.iter().map(|minutes| minutes * MINUTE).collect(),
        false => (-2..6)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))
            .collect(),
    };
    let fits = |step: &&f64| whole / **step <= most as f64;
    let step = steps.iter().find(fits).copied().unwrap_or(whole);
    let first = (shown.start / step).ceil();
    (0..=most)
        .map(|n| (first + n as f64) * step)
        .take_while(|ms| *ms <= shown.end)
        .collect()
}

/// Plotters by itself draws lines at powers of ten only, and between 3 ms and
/// 9 ms there is none.
fn logarithmic(
    shown: &Range<f64>,
) -> impl AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>> + use<> {
    shown
        .clone()
        .log_scale()
        .with_key_points(round_latencies(shown))
}

/// Those that people like to read: 1, 2, 5, 10, 20 ...; of many decades 1, 10 ...
fn round_latencies(shown: &Range<f64>) -> Vec<f64> {
    let decades = (shown.end / shown.start).log10();
    let steps: &[f64] = if decades > 3.0 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    (-3..7)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
        .filter(|ms| shown.contains(ms))
        .collect()
}

/// An instant on an axis that shows so much.
pub fn instant(ms: f64, whole: f64) -> String {
    let sign = match ms.total_cmp(&0.0) {
        _ if ms.abs() < 1e-6 => return "0".to_owned(),
        std::cmp::Ordering::Less => "−",
        _ => "+",
    };
    format!("{sign}{}", span_on(ms.abs(), whole))
}

/// A length of time.
pub fn span(ms: f64) -> String {
    span_on(ms, ms)
}

const SECOND: f64 = 1000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
/// From here on in minutes, and then in hours.
const LONG: f64 = 10.0 * MINUTE;
const VERY_LONG: f64 = 5.0 * HOUR;

fn span_on(ms: f64, whole: f64) -> String {
    if whole >= VERY_LONG {
        format!("{} h", rounded(ms / HOUR))
    } else if whole >= LONG {
        format!("{} min", rounded(ms / MINUTE))
    } else if whole >= 2.0 * SECOND {
        format!("{} s", rounded(ms / SECOND))
    } else {
        format!("{} ms", rounded(ms))
    }
}

/// To two places, without those that say nothing.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_in_the_unit_of_its_axis() {
        assert_eq!(instant(0.0, 17_000.0), "0");
        assert_eq!(instant(-1000.0, 17_000.0), "−1 s");
        assert_eq!(instant(2500.0, 17_000.0), "+2.5 s");
        assert_eq!(instant(250.0, 900.0), "+250 ms");
        assert_eq!(instant(300_000.0, 3_600_000.0), "+5 min");
    }

    #[test]
    fn round_times_are_few_and_round() {
        let told = |shown: Range<f64>, most| {
            let times = round_times(&shown, most).into_iter();
            let told: Vec<String> = times
                .map(|ms| instant(ms, shown.end - shown.start))
                .collect();
            told.join(" ")
        };
        assert_eq!(
            told(-1_100.0..17_000.0, 12),
            "0 +2 s +4 s +6 s +8 s +10 s +12 s +14 s +16 s"
        );
        assert_eq!(told(-60.0..250.0, 4), "0 +100 ms +200 ms");
        assert_eq!(
            told(-9_000.0..908_000.0, 12),
            "0 +2 min +4 min +6 min +8 min +10 min +12 min +14 min"
        );
        assert_eq!(told(-9_000.0..86_409_000.0, 5), "0 +6 h +12 h +18 h +24 h");
        assert!(round_times(&(0.0..1e12), 5).len() <= 6);
    }

    #[test]
    fn round_latencies_are_few_and_round() {
        assert_eq!(round_latencies(&(3.0..30.0)), [5.0, 10.0, 20.0]);
        assert_eq!(round_latencies(&(0.5..8000.0)), [1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn a_length_of_time_says_no_more_than_it_knows() {
        assert_eq!(span(0.5), "0.5 ms");
        assert_eq!(span(20.0), "20 ms");
        assert_eq!(span(12_000.0), "12 s");
    }
}
