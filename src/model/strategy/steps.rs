//! How a person writes gradual shifting: shares of the new release, and what each
//! waits for. All of it follows by itself.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::spoken_time;

/// More would tell nothing more, and each is noted in the journal.
const MOST: usize = 100;

/// None is all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps(Vec<Portion>);

/// `5% for 5m`, or `25% pause`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Of the new release, in basis points: above 0 and below all.
    pub share: u16,
    pub hold: Hold,
}

/// When the next step's turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    For(Duration),
    /// When a person says so.
    Pause,
}

impl Steps {
    /// How many stages they make: all users are the last one.
    pub fn stages(&self) -> usize {
        self.0.len() + 1
    }

    /// In the order in which they are gone through.
    ///
    /// # Errors
    /// A share that is none, or not larger than the one before it; a time without
    /// a unit; in a sentence, with what is right.
    pub fn listed<'a>(steps: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let steps: Vec<Portion> = steps.into_iter().map(step).collect::<Result<_, _>>()?;
        let falls = steps.windows(2).find(|pair| pair[1].share <= pair[0].share);
        if let Some([before, after]) = falls {
            return Err(format!(
                "the steps do not grow: {} comes after {}",
                percent(after.share),
                percent(before.share)
            ));
        }
        match steps.len() {
            0 => Err(format!("it has no step: {EXAMPLE} is one")),
            many if many > MOST => Err(format!("{many} steps are more than {MOST}")),
            _ => Ok(Self(steps)),
        }
    }

    /// Several in one text, none of which waits for a person.
    ///
    /// # Errors
    /// As [`Self::listed`]; a pause.
    pub fn unattended(text: &str) -> Result<Self, String> {
        let steps: Self = text.parse()?;
        match steps.0.iter().find(|step| step.hold == Hold::Pause) {
            None => Ok(steps),
            Some(step) => Err(format!(
                "several apps at once cannot wait for a person: give the step of {} a time, such as `{} for 5m`",
                percent(step.share),
                percent(step.share)
            )),
        }
    }

    /// One step: `10% for 15m`, or `10%:15m`.
    ///
    /// # Errors
    /// As [`Self::listed`].
    pub fn canary(text: &str) -> Result<Self, String> {
        let (share, time) = share_and_time(text, "for")?;
        let hold = Hold::For(time);
        Ok(Self(vec![Portion { share, hold }]))
    }

    /// As much again and again: `10% every 1m`, or `10%:1m`.
    ///
    /// # Errors
    /// As [`Self::listed`].
    pub fn linear(text: &str) -> Result<Self, String> {
        let (each, time) = share_and_time(text, "every")?;
        let portion = |n: u16| Portion {
            share: n.saturating_mul(each),
            hold: Hold::For(time),
        };
        let steps = (1..).map(portion);
        let below_all = steps.take_while(|portion| portion.share < WHOLE);
        let steps: Vec<Portion> = below_all.take(MOST + 1).collect();
        match steps.len() > MOST {
            true => Err(format!(
                "{} at a time are more than {MOST} steps",
                percent(each)
            )),
            false => Ok(Self(steps)),
        }
    }

    pub fn all(&self) -> &[Portion] {
        &self.0
    }
}

const WHOLE: u16 = 10_000;
const EXAMPLE: &str = "`5% for 5m`";

/// Apart by commas: `5% for 5m,25% for 10m`.
impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::listed(text.split(','))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(","))
    }
}

/// `5% for 300s`, `25% pause`
impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = percent(self.share);
        match self.hold {
            Hold::For(time) => write!(f, "{share} for {}s", time.as_secs_f64()),
            Hold::Pause => write!(f, "{share} pause"),
        }
    }
}

fn step(text: &str) -> Result<Portion, String> {
    let (share, hold) = match text.trim().strip_suffix("pause") {
        Some(share) => (share_of(share.trim())?, Hold::Pause),
        None => {
            let (share, time) = share_and_time(text, "for")?;
            (share, Hold::For(time))
        }
    };
    Ok(Portion { share, hold })
}

/// `5% for 5m` where that is the word between them, or `5%:5m`.
fn share_and_time(text: &str, word: &str) -> Result<(u16, Duration), String> {
    let text = text.trim();
    let parts = text
        .split_once(&format!(" {word} "))
        .or_else(|| text.split_once(':'));
    let Some((share, time)) = parts else {
        return Err(format!(
            "`{text}` is not a share and a time, such as `5% {word} 5m`"
        ));
    };
    Ok((
        share_of(share.trim())?,
        spoken_time::with_unit(time.trim())?,
    ))
}

fn share_of(text: &str) -> Result<u16, String> {
    let number = text.strip_suffix('%').map(str::trim);
    let Some(percent) = number.and_then(|number| number.parse::<f64>().ok()) else {
        return Err(format!("`{text}` is not a percentage, such as 5%"));
    };
    let points = (percent * 100.0).round();
    if !(1.0..f64::from(WHOLE)).contains(&points) {
        return Err(format!(
            "a step's share is above 0% and below 100%, which follows on its own: it is not {text}"
        ));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 1 and 10,000"
    )]
    Ok(points as u16)
}

fn percent(share: u16) -> String {
    format!("{}%", f64::from(share) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(steps: Result<Steps, String>) -> String {
        steps.map_or_else(|why| why, |steps| steps.to_string())
    }

    #[test]
    fn shares_and_times_are_read() {
        for (steps, expected) in [
            (
                "5% for 5m, 25% for 10m,50% pause".parse(),
                "5% for 300s,25% for 600s,50% pause",
            ),
            ("0.5%:1500ms".parse(), "0.5% for 1.5s"),
            (Steps::canary("10% for 1.5h"), "10% for 5400s"),
            (Steps::canary("10%:15m"), "10% for 900s"),
            (
                Steps::linear("30% every 1m"),
                "30% for 60s,60% for 60s,90% for 60s",
            ),
            (Steps::linear("50%:1s"), "50% for 1s"),
        ] {
            assert_eq!(told(steps.clone()), expected);
            assert_eq!(steps.clone().unwrap().to_string().parse(), steps);
        }
        assert_eq!(Steps::linear("1%:1s").unwrap().all().len(), 99);
    }

    #[test]
    fn a_mistake_is_told_with_what_is_right() {
        const OUTSIDE: &str =
            "a step's share is above 0% and below 100%, which follows on its own: it is not";
        for (text, expected) in [
            ("", "`` is not a share and a time, such as `5% for 5m`"),
            ("5%", "`5%` is not a share and a time, such as `5% for 5m`"),
            ("5 for 5m", "`5` is not a percentage, such as 5%"),
            ("pause", "`` is not a percentage, such as 5%"),
            ("NaN% pause", &format!("{OUTSIDE} NaN%")),
            ("5% for 5", "`5` has no unit: it is ms, s, m or h"),
            ("5% for 5d", "unknown unit `d`: it is ms, s, m or h"),
            (
                "5% for soon",
                "a time is a number and a unit: 500ms, 90s, 5m, 2h",
            ),
            ("5% for 0s", "it must be longer than 0s"),
            ("0% for 5m", &format!("{OUTSIDE} 0%")),
            ("100% for 5m", &format!("{OUTSIDE} 100%")),
            ("120% pause", &format!("{OUTSIDE} 120%")),
            ("-5% for 5m", &format!("{OUTSIDE} -5%")),
            (
                "25% for 5m,25% pause",
                "the steps do not grow: 25% comes after 25%",
            ),
            (
                "25% for 5m,5% for 5m",
                "the steps do not grow: 5% comes after 25%",
            ),
        ] {
            assert_eq!(told(text.parse()), expected, "{text}");
        }
        for (steps, expected) in [
            (
                Steps::linear("0.1% every 1m"),
                "0.1% at a time are more than 100 steps",
            ),
            (
                Steps::linear("10% for 1m"),
                "`10% for 1m` is not a share and a time, such as `5% every 5m`",
            ),
            (
                Steps::canary("10% pause"),
                "`10% pause` is not a share and a time, such as `5% for 5m`",
            ),
            (
                Steps::unattended("5% for 5m,25% pause"),
                "several apps at once cannot wait for a person: give the step of 25% a time, such as `25% for 5m`",
            ),
        ] {
            assert_eq!(told(steps), expected);
        }
    }
}
