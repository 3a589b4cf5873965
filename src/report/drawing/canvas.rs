//! A drawing as text: what plotters draws, in an SVG element that a page can
//! hold and a screen reader can name. Knows no evidence.

use std::io;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, RGBAColor, TextStyle};

use super::ink::Ink;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// In pixels, from the upper left corner.
pub type At = (i32, i32);

/// A finished drawing.
#[derive(Debug, Clone)]
pub struct Picture {
    pub width: i32,
    pub height: i32,
    title: String,
    description: String,
    /// Elements of SVG, without the one around them.
    inside: String,
}

impl Picture {
    pub fn draw(
        (width, height): (i32, i32),
        title: &str,
        description: &str,
        draw: impl FnOnce(&Canvas<'_>) -> Drawn,
    ) -> Self {
        let mut text = String::new();
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let canvas = Canvas(SVGBackend::with_string(&mut text, size).into_drawing_area());
        // Into a string nothing fails; if it ever does, the drawing is cut short.
        let _ = draw(&canvas).and_then(|()| canvas.0.present());
        drop(canvas);
        Self {
            width,
            height,
            title: printable(title),
            description: printable(description),
            inside: without_frame(&text),
        }
    }

    /// In a page.
    pub fn inline(&self, class: &str) -> Markup {
        html! {
            svg class=(class) role="img" aria-label=(self.title)
                viewBox={ "0 0 " (self.width) " " (self.height) }
                width=(self.width) height=(self.height)
                xmlns="http://www.w3.org/2000/svg"
            { (self.named()) }
        }
    }

    /// In another drawing, this far down.
    pub fn nested(&self, x: i32, y: i32) -> Markup {
        html! {
            svg role="img" aria-label=(self.title)
                x=(x) y=(y) width=(self.width) height=(self.height)
                viewBox={ "0 0 " (self.width) " " (self.height) }
            { (self.named()) }
        }
    }

    fn named(&self) -> Markup {
        html! {
            title { (self.title) }
            desc { (self.description) }
            (PreEscaped(&self.inside))
        }
    }
}

/// The backend writes an element around all, which says nothing of what it shows,
/// and what is the default anyway with each shape.
fn without_frame(text: &str) -> String {
    let inside = text.split_once('\n').map_or("", |(_, rest)| rest);
    inside
        .trim_end()
        .trim_end_matches("</svg>")
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" stroke-width=\"1\"", "")
}

/// How a text is set.
#[derive(Clone, Copy)]
pub struct Lettering {
    pub ink: Ink,
    pub size: f64,
    pub is_bold: bool,
    /// Where the text is from its point: to the right (`Left`), around, or to
    /// the left (`Right`); vertically its middle is at the point.
    pub from: HPos,
}

impl Lettering {
    pub const LABEL: Self = Self {
        ink: Ink::Text,
        size: 12.0,
        is_bold: false,
        from: HPos::Left,
    };
    pub const SOFT: Self = Self {
        ink: Ink::Soft,
        ..Self::LABEL
    };

    pub fn to_the_left(self) -> Self {
        Self {
            from: HPos::Right,
            ..self
        }
    }

    pub fn style(self) -> TextStyle<'static> {
        // The backend takes a size for the line's height and writes the font's.
        const LINE: f64 = 1.24;
        let weight = if self.is_bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let font = FontDesc::new(FontFamily::Name("sans-serif"), self.size * LINE, weight);
        TextStyle {
            font,
            color: self.ink.rgb().to_backend_color(),
            pos: Pos::new(self.from, VPos::Center),
        }
    }

    /// About how wide a text becomes: nobody knows the viewer's font.
    pub fn width(self, text: &str) -> i32 {
        let per_char = if self.is_bold { 0.7 } else { 0.62 };
        (text.chars().count() as f64 * self.size * per_char).ceil() as i32
    }
}

/// What is drawn on.
pub struct Canvas<'a>(Area<'a>);

impl<'a> Canvas<'a> {
    pub fn area(&self) -> &Area<'a> {
        &self.0
    }

    pub fn block(&self, from: At, to: At, ink: Ink) -> Drawn {
        self.0.draw(&Rectangle::new([from, to], ink.rgb().filled()))
    }

    pub fn line(&self, from: At, to: At, ink: Ink, width: u32) -> Drawn {
        let style = ink.rgb().stroke_width(width);
        self.0.draw(&PathElement::new(vec![from, to], style))
    }

    pub fn shape(&self, corners: &[At], ink: Ink) -> Drawn {
        let color: RGBAColor = ink.rgb().to_rgba();
        self.0.draw(&Polygon::new(corners.to_vec(), color))
    }

    pub fn text(&self, text: &str, at: At, lettering: Lettering) -> Drawn {
        self.0
            .draw(&Text::new(printable(text), at, lettering.style()))
    }
}

/// XML does not allow control characters.
pub fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}
