//! Where requests can go: the routes that they come by, and what receives them. All other
//! code asks here.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{Color, PerColor};

/// The header by which a request to the test route asks for a colour, wherever
/// that route goes.
pub const COLOR_HEADER: &str = "x-bgecs-color";

/// A way by which requests come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Route {
    /// What users reach.
    #[serde(rename = "prod")]
    Production,
    /// Where an idle release is looked at.
    #[serde(rename = "test")]
    Test,
}

/// What a route is called where people read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A port of the app's own load balancer.
    Port(u16),
    /// A URL of the app's own name, such as `https://shop.example.com`.
    Named(String),
    /// Several such, which lead to the same place and are moved together.
    Several(Vec<String>),
    /// Production's, asked for a colour: each request names its own.
    Header,
}

/// A port as a number, and anything else as it is told.
impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Port(port) => serializer.serialize_u16(*port),
            Self::Named(_) | Self::Several(_) | Self::Header => serializer.collect_str(self),
        }
    }
}

impl PerRoute<Endpoint> {
    /// Those of an app that nobody gave a name.
    pub const PORTS: Self = Self {
        production: Endpoint::Port(80),
        test: Endpoint::Port(81),
    };
}

/// `port 80`, or `https://shop.example.com`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "port {port}"),
            Self::Named(name) => f.write_str(name),
            Self::Several(names) => f.write_str(&names.join(" and ")),
            Self::Header => write!(f, "header {COLOR_HEADER}"),
        }
    }
}

/// One value for each route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PerRoute<T> {
    #[serde(rename = "prod")]
    pub production: T,
    pub test: T,
}

impl<T> PerRoute<T> {
    pub fn get(&self, route: Route) -> &T {
        match route {
            Route::Production => &self.production,
            Route::Test => &self.test,
        }
    }

    pub fn get_mut(&mut self, route: Route) -> &mut T {
        match route {
            Route::Production => &mut self.production,
            Route::Test => &mut self.test,
        }
    }

    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> PerRoute<U> {
        PerRoute {
            production: of(&self.production),
            test: of(&self.test),
        }
    }
}

/// A route's shares by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PerColor<u16>")]
pub struct Split(PerColor<u16>);

impl Split {
    /// In basis points: all there is.
    const WHOLE: u16 = 10_000;

    /// Every request to that colour.
    pub const fn all(color: Color) -> Self {
        Self::with_share(color, Self::WHOLE)
    }

    /// So many basis points to that colour, and the rest to the other.
    pub const fn with_share(color: Color, share: u16) -> Self {
        let rest = Self::WHOLE.saturating_sub(share);
        let share = Self::WHOLE - rest;
        Self(match color {
            Color::Blue => PerColor {
                blue: share,
                green: rest,
            },
            Color::Green => PerColor {
                blue: rest,
                green: share,
            },
        })
    }

    /// As the weights are to each other; none where both are zero. What has a
    /// weight has a share, however small.
    pub fn by_weight(weights: PerColor<u32>) -> Option<Self> {
        let (blue, total) = (
            u64::from(weights.blue),
            u64::from(weights.blue) + u64::from(weights.green),
        );
        let whole = u64::from(Self::WHOLE);
        let share = (blue * whole + total / 2).checked_div(total)?;
        let (least, most) = (u64::from(blue > 0), whole - u64::from(weights.green > 0));
        let blue = u16::try_from(share.clamp(least, most)).ok()?;
        Some(Self(PerColor {
            blue,
            green: Self::WHOLE - blue,
        }))
    }

    /// In basis points.
    pub fn share(&self, color: Color) -> u16 {
        *self.0.get(color)
    }

    /// The smallest whole numbers that are to each other as the shares are.
    pub fn weights(&self) -> PerColor<u32> {
        let [blue, green] = [self.0.blue, self.0.green].map(u32::from);
        let divisor = greatest_divisor(blue, green);
        PerColor {
            blue: blue / divisor,
            green: green / divisor,
        }
    }

    /// Whether both colours get some.
    pub fn is_shared(&self) -> bool {
        self.only().is_none()
    }

    /// The one colour that gets every request, if it is so.
    pub fn only(&self) -> Option<Color> {
        let has_all = |color: &Color| self.share(*color) == Self::WHOLE;
        Color::BOTH.into_iter().find(has_all)
    }
}

/// The greatest common divisor of both; of 0 and a number, that number.
pub fn greatest_divisor(mut divisor: u32, mut rest: u32) -> u32 {
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    divisor
}

/// `green`, or `90% blue, 10% green`.
impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(color) = self.only() {
            return write!(f, "{color}");
        }
        let percent = |color| f64::from(self.share(color)) / 100.0;
        let [one, other] = Color::BOTH;
        write!(f, "{}% {one}, {}% {other}", percent(one), percent(other))
    }
}

impl TryFrom<PerColor<u16>> for Split {
    type Error = String;

    /// # Errors
    /// Shares that are not the whole.
    fn try_from(shares: PerColor<u16>) -> Result<Self, String> {
        match shares.blue.checked_add(shares.green) {
            Some(Self::WHOLE) => Ok(Self(shares)),
            _ => Err(format!("{shares:?} is not {} in all", Self::WHOLE)),
        }
    }
}

/// One route, from one split to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "MoveForm")]
pub struct Move {
    pub route: Route,
    /// None where it went nowhere, to what is not the app's, or several ways.
    pub from: Option<Split>,
    pub to: Split,
}

impl Move {
    /// `point port 80 at green`
    pub fn told(&self, endpoints: &PerRoute<Endpoint>) -> String {
        format!("point {} at {}", endpoints.get(self.route), self.to)
    }
}

/// Which way a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Not without a lease that is held for certain; one way in after the other.
    Forward,
    /// Users may be failing: only a lease that is known to be another's forbids it,
    /// and no way in waits for another.
    Back,
}

/// As a journal has it: up to format 2 the listener, the colour that it was to
/// forward to, and the target groups.
#[derive(Deserialize)]
#[serde(untagged)]
enum MoveForm {
    Now {
        route: Route,
        from: Option<Split>,
        to: Split,
    },
    OfAListener {
        port: Route,
        color: Color,
        old: Option<String>,
        new: String,
    },
}

impl From<MoveForm> for Move {
    fn from(form: MoveForm) -> Self {
        match form {
            MoveForm::Now { route, from, to } => Self { route, from, to },
            MoveForm::OfAListener {
                port,
                color,
                old,
                new,
            } => Self {
                route: port,
                from: old.map(|old| match old == new {
                    true => Split::all(color),
                    false => Split::all(color.other()),
                }),
                to: Split::all(color),
            },
        }
    }
}

/// What was found to take a route's requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Found {
    /// A fresh stack's placeholder: nothing is live yet.
    #[default]
    Nowhere,
    Split(Split),
    /// A route with several ways in, of which one was moved and another not: by
    /// what each is called. At least two of the splits differ.
    Apart(Vec<(String, Split)>),
    /// Each request names its colour and gets that: a test route that is where it
    /// should be whatever is live, and that nothing moves.
    ByRequest,
    /// What is not the app's, or not the app's alone. Whoever did it meant it:
    /// it is never taken for nothing, and never overwritten.
    Foreign(Foreign),
}

/// What somebody else did with a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// `forwards to`, `answers with`
    pub verb: &'static str,
    /// Such as `a redirect to https://…:443`.
    pub what: String,
    /// The colours that it leads to all the same.
    pub reaches: PerColor<bool>,
}

impl Foreign {
    /// What is not the app's alone among ways of which that is true of some.
    fn among(ways: &[(String, Found)]) -> Self {
        let not_ours = ways.iter().filter(|(_, found)| found.split().is_none());
        let deeds = not_ours.map(|(name, found)| format!("{} at {name}", found.deed()));
        let reached = |color| ways.iter().any(|(_, found)| found.reaches(color));
        Self {
            verb: "is not the app's alone: it",
            what: deeds.collect::<Vec<_>>().join(", and "),
            reaches: PerColor {
                blue: reached(Color::Blue),
                green: reached(Color::Green),
            },
        }
    }
}

impl From<Color> for Found {
    fn from(color: Color) -> Self {
        Self::Split(Split::all(color))
    }
}

impl Found {
    /// What a route does all of whose ways in do that, each by what it is called.
    pub fn by_all(ways: &[(String, Self)]) -> Self {
        let Some((_, first)) = ways.first() else {
            return Self::Nowhere;
        };
        if ways.iter().all(|(_, found)| found == first) {
            return first.clone();
        }
        let split = |(name, found): &(String, Self)| Some((name.clone(), found.split()?));
        match ways.iter().map(split).collect() {
            Some(splits) => Self::Apart(splits),
            None => Self::Foreign(Foreign::among(ways)),
        }
    }

    /// The one that holds for all of it.
    pub fn split(&self) -> Option<Split> {
        match self {
            Self::Split(split) => Some(*split),
            Self::Apart(_) | Self::Nowhere | Self::ByRequest | Self::Foreign(_) => None,
        }
    }

    /// All that hold for a part of it.
    pub fn splits(&self) -> Vec<Split> {
        match self {
            Self::Split(split) => vec![*split],
            Self::Apart(ways) => ways.iter().map(|(_, split)| *split).collect(),
            Self::Nowhere | Self::ByRequest | Self::Foreign(_) => Vec::new(),
        }
    }

    /// Whether it is split, and each part of it in one of these ways.
    pub fn is_among(&self, known: &[Split]) -> bool {
        let splits = self.splits();
        !splits.is_empty() && splits.iter().all(|split| known.contains(split))
    }

    /// Whether each colour gets some of its requests, and nothing else does.
    pub fn is_on_both(&self) -> bool {
        match self {
            Self::Split(split) => split.is_shared(),
            Self::Apart(_) => true,
            Self::Nowhere | Self::ByRequest | Self::Foreign(_) => false,
        }
    }

    /// In basis points, wherever that colour gets most.
    pub fn greatest_share(&self, color: Color) -> Option<u16> {
        let splits = self.splits().into_iter();
        splits.map(|split| split.share(color)).max()
    }

    /// The one colour that gets every request, if it is so.
    pub fn only(&self) -> Option<Color> {
        self.split()?.only()
    }

    pub fn reaches(&self, color: Color) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Split(_) | Self::Apart(_) => self.greatest_share(color) > Some(0),
            Self::ByRequest => true,
            Self::Foreign(foreign) => *foreign.reaches.get(color),
        }
    }

    pub fn is_nowhere(&self) -> bool {
        *self == Self::Nowhere
    }

    pub fn is_by_request(&self) -> bool {
        *self == Self::ByRequest
    }

    pub fn foreign(&self) -> Option<&Foreign> {
        match self {
            Self::Foreign(foreign) => Some(foreign),
            Self::Nowhere | Self::Split(_) | Self::Apart(_) | Self::ByRequest => None,
        }
    }

    /// `forwards to green`, or `answers with a redirect to https://…:443`.
    pub fn deed(&self) -> String {
        match self {
            Self::Foreign(foreign) => format!("{} {}", foreign.verb, foreign.what),
            Self::Nowhere | Self::Split(_) | Self::Apart(_) | Self::ByRequest => {
                format!("forwards to {self}")
            }
        }
    }
}

/// `green`, `nothing`, or what somebody else did.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nothing"),
            Self::Split(split) => write!(f, "{split}"),
            Self::Apart(ways) => {
                let ways = ways
                    .iter()
                    .map(|(name, split)| format!("{split} at {name}"));
                f.write_str(&ways.collect::<Vec<_>>().join(", and "))
            }
            Self::ByRequest => f.write_str("the colour that a request names"),
            Self::Foreign(foreign) => f.write_str(&foreign.what),
        }
    }
}

/// A way by which requests come to the app's target groups and that bgecs does
/// not move: another listener, or a rule of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayIn {
    /// The rule's, or that of the listener whose default action it is.
    pub arn: String,
    /// `port 443 (HTTPS)`
    pub listener: String,
    /// `rule 10 (path /api/*)`; none is the listener's default action.
    pub rule: Option<String>,
    pub found: Found,
}

impl fmt::Display for WayIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listener)?;
        match &self.rule {
            Some(rule) => write!(f, ", {rule}"),
            None => Ok(()),
        }
    }
}

/// All such ways, as far as AWS let one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherWays {
    pub seen: Vec<WayIn>,
    /// Why there may be others: what AWS said where rules were to be read.
    pub hidden: Option<String>,
    /// What is wrong with the rules of a test route by header, if anything: who
    /// names a colour there gets another, or none.
    pub amiss: Option<String>,
}

impl OtherWays {
    pub fn reaching(&self, color: Color) -> impl Iterator<Item = &WayIn> {
        let seen = self.seen.iter();
        seen.filter(move |way| way.found.reaches(color))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(blue: u32, green: u32) -> Option<Split> {
        Split::by_weight(PerColor { blue, green })
    }

    #[test]
    fn shares_are_as_the_weights_are() {
        for (given, text, (blue, green)) in [
            ((1, 0), "blue", (1, 0)),
            ((0, 256), "green", (0, 1)),
            ((3, 3), "50% blue, 50% green", (1, 1)),
            ((90, 10), "90% blue, 10% green", (9, 1)),
            ((1, 2), "33.33% blue, 66.67% green", (3333, 6667)),
            ((1, 999_999), "0.01% blue, 99.99% green", (1, 9999)),
        ] {
            let split = split(given.0, given.1).unwrap();
            assert_eq!(split.to_string(), text);
            assert_eq!(split.weights(), PerColor { blue, green });
        }
        assert_eq!(split(0, 0), None);
        assert_eq!(split(0, 7), Some(Split::all(Color::Green)));
    }

    #[test]
    fn what_was_found_says_who_gets_requests() {
        let both = Found::Split(split(1, 1).unwrap());
        let mixed = Found::Foreign(Foreign {
            verb: "forwards to",
            what: "green and a stranger".to_owned(),
            reaches: PerColor {
                blue: false,
                green: true,
            },
        });
        let redirect = Found::Foreign(Foreign {
            verb: "answers with",
            what: "a redirect".to_owned(),
            reaches: PerColor::default(),
        });
        let named = "forwards to the colour that a request names";
        let way = |name: &str, found: Found| (name.to_owned(), found);
        let whole = |color| Found::Split(Split::all(color));
        let apart = Found::by_all(&[
            way("a", whole(Color::Green)),
            way("b", whole(Color::Blue)),
            way("c", whole(Color::Green)),
        ]);
        let partly = Found::by_all(&[
            way("a", whole(Color::Green)),
            way("b", redirect.clone()),
            way("c", Found::Nowhere),
        ]);
        // The one that gets all, whether blue and green get any, and how it reads.
        for (found, only, reaches, deed) in [
            (Found::Nowhere, None, [false, false], "forwards to nothing"),
            (
                Color::Blue.into(),
                Some(Color::Blue),
                [true, false],
                "forwards to blue",
            ),
            (both, None, [true, true], "forwards to 50% blue, 50% green"),
            (
                mixed,
                None,
                [false, true],
                "forwards to green and a stranger",
            ),
            (redirect, None, [false, false], "answers with a redirect"),
            (Found::ByRequest, None, [true, true], named),
            (
                apart,
                None,
                [true, true],
                "forwards to green at a, and blue at b, and green at c",
            ),
            (
                partly,
                None,
                [false, true],
                "is not the app's alone: it answers with a redirect at b, and forwards to nothing at c",
            ),
        ] {
            assert_eq!(found.only(), only, "{found:?}");
            assert_eq!(Color::BOTH.map(|color| found.reaches(color)), reaches);
            assert_eq!(found.deed(), deed);
        }
    }

    #[test]
    fn a_route_is_what_all_its_ways_are() {
        let all = |found: [Found; 2]| {
            let names = ["a", "b"].map(str::to_owned).into_iter();
            Found::by_all(&names.zip(found).collect::<Vec<_>>())
        };
        let [blue, green] = Color::BOTH.map(|color| Found::Split(Split::all(color)));
        let canary = Found::Split(Split::with_share(Color::Green, 500));
        assert_eq!(all([blue.clone(), blue.clone()]), blue);
        assert_eq!(all([Found::Nowhere, Found::Nowhere]), Found::Nowhere);
        let apart = all([canary.clone(), blue.clone()]);
        assert_eq!(apart.split(), None);
        assert!(apart.is_on_both() && canary.is_on_both() && !blue.is_on_both());
        assert_eq!(apart.greatest_share(Color::Green), Some(500));
        let known = [
            Split::all(Color::Blue),
            Split::with_share(Color::Green, 500),
        ];
        assert!(apart.is_among(&known) && !apart.is_among(&known[..1]));
        assert!(!green.is_among(&known) && !Found::Nowhere.is_among(&known));
        assert!(all([Found::Nowhere, blue]).foreign().is_some());
    }
}
