//! `[cost]`: prices. They differ by region, architecture and contract, and change, so
//! bgecs has none of its own.

use toml::de::DeValue;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::names::not_empty;
use crate::model::Reserved;

type Result<T> = std::result::Result<T, ConfigError>;

/// What a task costs while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    vcpu_hour: Price,
    gb_hour: Price,
    /// What stands before an amount.
    pub currency: String,
}

/// In billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price(u64);

const BILLION: f64 = 1e9;
const HIGHEST: f64 = 1e6;

impl Prices {
    /// What the reserved capacity costs for an hour.
    pub fn an_hour(&self, reserved: Reserved) -> f64 {
        // 1024 CPU units are a vCPU, and so many MiB a GB.
        let of = |amount: u32, price: Price| u128::from(amount) * u128::from(price.0);
        let all = of(reserved.cpu, self.vcpu_hour) + of(reserved.memory, self.gb_hour);
        (all / 1024) as f64 / BILLION
    }
}

pub(super) fn cost(section: &mut Section<'_>) -> Result<Option<Prices>> {
    let (vcpu, gb) = (section.take("vcpu_hour"), section.take("gb_hour"));
    let currency = section.take("currency");
    match (vcpu, gb) {
        (Some(vcpu), Some(gb)) => Ok(Some(Prices {
            vcpu_hour: price(&vcpu)?,
            gb_hour: price(&gb)?,
            currency: match currency {
                Some(entry) => entry.checked(not_empty)?,
                None => "$".to_owned(),
            },
        })),
        (Some(alone), None) => Err(alone.misplaced("`gb_hour` is missing beside it")),
        (None, Some(alone)) => Err(alone.misplaced("`vcpu_hour` is missing beside it")),
        (None, None) => {
            match currency {
                Some(alone) => Err(alone
                    .misplaced("it needs `vcpu_hour` and `gb_hour`, which are missing beside it")),
                None => Ok(None),
            }
        }
    }
}

fn price(entry: &KeyValue<'_>) -> Result<Price> {
    let number: Option<f64> = match &entry.value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    let billionths = number.map(|number| number * BILLION);
    match billionths.filter(|it| (1.0..=HIGHEST * BILLION).contains(it)) {
        Some(billionths) => Ok(Price(billionths.round() as u64)),
        None => Err(entry.invalid("it takes a price an hour, such as 0.04048")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    #[test]
    fn mistakes_are_said_where_they_stand() {
        let both = "it needs `vcpu_hour` and `gb_hour`";
        let no_price = "it takes a price an hour, such as 0.04048";
        for (keys, key, why) in [
            (
                "vcpu_hour = 0.04",
                "vcpu_hour",
                "`gb_hour` is missing beside it",
            ),
            (
                "gb_hour = 0.004",
                "gb_hour",
                "`vcpu_hour` is missing beside it",
            ),
            ("currency = '$'", "currency", both),
            ("vcpu_hour = '0.04'\ngb_hour = 1", "vcpu_hour", no_price),
            ("vcpu_hour = 1\ngb_hour = 0", "gb_hour", no_price),
            ("vcpu_hour = 1\ngb_hour = -0.1", "gb_hour", no_price),
            ("vcpu_hour = nan\ngb_hour = 1", "vcpu_hour", no_price),
            ("vcpu_hour = inf\ngb_hour = 1", "vcpu_hour", no_price),
            ("vcpu_hour = 1\ngb_hour = 1e9", "gb_hour", no_price),
            (
                "vcpu_hour = 1\ngb_hour = 1\ncurrency = ''",
                "currency",
                "it is empty",
            ),
            (
                "vcpu_hour = 1\ngb_hour = 1\ncurrency = 1",
                "currency",
                "text in quotes",
            ),
            (
                "vcpus_hour = 1",
                "vcpus_hour",
                "there is no such key in [cost]",
            ),
        ] {
            let text = format!("app = 'hello'\n[cost]\n{keys}\n");
            let error = Config::parse(&text, Path::new("/srv/bgecs.toml")).unwrap_err();
            let place = error.place().unwrap();
            assert!(place.text.starts_with(key), "{keys}: {error}");
            assert!(
                error.to_string().contains(&format!("`cost.{key}`: ")),
                "{error}"
            );
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
