//! What runs and is therefore paid for: in quantities, and in money if the file has
//! prices. Prices change, so none are in the code.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{ENDPOINTS, NAT, ZONES};
use crate::config::{Nat, NetworkSection, Prices, TaskSize};
use crate::counted::counted;
use crate::model::{Color, ColorState, Observed, Reserved, Route};

/// What a new stack costs until it is destroyed, including its network if the app has one
/// of its own.
pub fn costs(tasks: u16, size: TaskSize, network: Option<&NetworkSection>) -> String {
    let ways_out = network.map(ways_out).unwrap_or_default();
    let ways_out = ways_out.iter().map(|it| format!(", {it}"));
    let ways_out: String = ways_out.collect();
    format!(
        "paid for until `bgecs destroy`: 1 Application Load Balancer{ways_out}, and for each colour that is \
         deployed, until `bgecs retire`, {} of {} (docs/costs.md)",
        counted(tasks, "task"),
        Reserved::from(size)
    )
}

/// What an update of the stack, which was made from these parameters, has to be paid for
/// besides. None where it is nothing.
pub fn further_costs(made: &BTreeMap<String, String>, network: &NetworkSection) -> Option<String> {
    let is = |parameter, value: &str| made.get(parameter).is_some_and(|it| it == value);
    let has_nat = network.nat == Nat::None || is(NAT, network.nat.as_str());
    let has_endpoints = !network.endpoints || is(ENDPOINTS, "true");
    let new = NetworkSection {
        nat: if has_nat { Nat::None } else { network.nat },
        endpoints: !has_endpoints,
        ..network.clone()
    };
    let zone = (network.zones == 3 && !is(ZONES, "3")).then(|| "a third zone".to_owned());
    let new: Vec<String> = ways_out(&new).into_iter().chain(zone).collect();
    (!new.is_empty()).then(|| {
        let new = new.join(", ");
        format!("also paid for, until `bgecs destroy`: {new} (docs/costs.md)")
    })
}

fn ways_out(network: &NetworkSection) -> Vec<String> {
    let nat = match network.nat {
        Nat::None => None,
        Nat::One => Some(counted(1, "NAT gateway")),
        Nat::PerZone => Some(counted(network.zones, "NAT gateway")),
    };
    let endpoints = network
        .endpoints
        .then(|| "VPC endpoints in two zones".to_owned());
    nat.into_iter().chain(endpoints).collect()
}

/// What a colour costs that runs and serves nobody, each hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarmCost {
    tasks: u32,
    vcpu: f64,
    memory_gb: f64,
    /// None where the file has no prices.
    an_hour: Option<Money>,
    /// By all tasks together.
    #[serde(skip)]
    reserved: Reserved,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Money {
    amount: f64,
    currency: String,
}

impl WarmCost {
    /// The cost of what runs there; None if nothing runs, or if its size is not known.
    pub fn of(state: &ColorState) -> Option<Self> {
        let tasks = u32::try_from(state.running()).ok().filter(|it| *it > 0)?;
        let reserved = state.release.as_ref()?.reserves?.by(tasks);
        Some(Self::reserving(tasks, reserved))
    }

    /// The same of a colour that no user reaches; None of any other.
    pub fn of_warm(observed: &Observed, color: Color) -> Option<Self> {
        let serves = observed.found_at(Route::Production).reaches(color);
        Self::of(observed.color(color)).filter(|_| !serves)
    }

    /// The sum of all of these; None if there are none.
    pub fn total<'a>(all: impl Iterator<Item = &'a Self>) -> Option<Self> {
        all.cloned().reduce(|one, other| {
            let tasks = one.tasks.saturating_add(other.tasks);
            Self::reserving(tasks, one.reserved.and(other.reserved))
        })
    }

    fn reserving(tasks: u32, reserved: Reserved) -> Self {
        Self {
            tasks,
            vcpu: reserved.vcpus(),
            memory_gb: reserved.gigabytes(),
            an_hour: None,
            reserved,
        }
    }

    #[must_use]
    pub fn priced(self, prices: Option<&Prices>) -> Self {
        let money = |prices: &Prices| Money {
            amount: prices.an_hour(self.reserved),
            currency: prices.currency.clone(),
        };
        Self {
            an_hour: prices.map(money),
            ..self
        }
    }
}

/// `2 tasks, 0.5 vCPU and 1 GB, about $0.0247 an hour`
impl fmt::Display for WarmCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.tasks, "task"), self.reserved)?;
        match &self.an_hour {
            Some(money) => write!(f, ", about {money} an hour"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { amount, currency } = self;
        // A sign stands at its number, a word beside it.
        let space = match currency.ends_with(char::is_alphanumeric) {
            true => " ",
            false => "",
        };
        let digits = if *amount < 1.0 { 4 } else { 2 };
        write!(f, "{currency}{space}{amount:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::model::testing::{observed, release, service};
    use crate::model::{Found, PerColor};

    #[test]
    fn costs_are_said_in_quantities() {
        let of = |tasks, cpu, memory| costs(tasks, TaskSize::new(cpu, memory).unwrap(), None);
        assert_eq!(
            of(2, 256, 512),
            "paid for until `bgecs destroy`: 1 Application Load Balancer, and for each colour that \
             is deployed, until `bgecs retire`, 2 tasks of 0.25 vCPU and 0.5 GB (docs/costs.md)"
        );
        assert!(of(1, 4096, 30720).contains(" 1 task of 4 vCPU and 30 GB "));
        let with = |nat, zones, endpoints| {
            let network = NetworkSection {
                nat,
                zones,
                endpoints,
                ..NetworkSection::default()
            };
            costs(1, TaskSize::new(256, 512).unwrap(), Some(&network))
        };
        for (nat, zones, endpoints, expected) in [
            (Nat::None, 3, false, "Balancer, and"),
            (
                Nat::None,
                2,
                true,
                "Balancer, VPC endpoints in two zones, and",
            ),
            (Nat::One, 3, false, "Balancer, 1 NAT gateway, and"),
            (
                Nat::PerZone,
                3,
                true,
                "Balancer, 3 NAT gateways, VPC endpoints in two zones, and",
            ),
        ] {
            let told = with(nat, zones, endpoints);
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn an_update_says_what_is_paid_for_besides() {
        let of = |made: [&str; 3], nat, zones, endpoints| {
            let names = [NAT, ENDPOINTS, ZONES].map(str::to_owned);
            let made = names.into_iter().zip(made.map(str::to_owned)).collect();
            let network = NetworkSection {
                nat,
                zones,
                endpoints,
                ..NetworkSection::default()
            };
            further_costs(&made, &network)
        };
        let public = ["none", "false", "2"];
        assert_eq!(of(public, Nat::None, 2, false), None);
        let all = of(public, Nat::PerZone, 3, true).unwrap();
        let expected = "also paid for, until `bgecs destroy`: 3 NAT gateways, VPC endpoints in two zones, a third zone (";
        assert!(all.contains(expected), "{all}");
        assert_eq!(of(["per-zone", "true", "3"], Nat::PerZone, 3, true), None);
        let endpoints = of(["one", "false", "2"], Nat::One, 2, true).unwrap();
        assert!(
            endpoints.contains(": VPC endpoints in two zones ("),
            "{endpoints}"
        );
        let each = of(["one", "false", "2"], Nat::PerZone, 2, false).unwrap();
        assert!(each.contains(": 2 NAT gateways ("), "{each}");
    }

    fn prices(more: &str) -> Option<Prices> {
        let text = format!("app = 'hello'\n[cost]\n{more}");
        Config::parse(&text, Path::new("/srv/bgecs.toml"))
            .unwrap()
            .cost
    }

    /// Green is live; both run.
    fn running(tasks: i32, cpu: u32, memory: u32) -> Observed {
        let mut world = observed();
        for state in [&mut world.colors.blue, &mut world.colors.green] {
            state.service = Some(service(tasks));
            let mut release = release("1");
            release.reserves = Some(Reserved { cpu, memory });
            state.release = Some(release);
        }
        world
    }

    #[test]
    fn what_is_warm_is_said_with_its_price_where_that_is_known() {
        let list = "vcpu_hour = 0.04048\ngb_hour = 0.004445\n";
        let euros = format!("{list}currency = 'EUR'\n");
        for (tasks, cpu, memory, prices, expected) in [
            (2, 256, 512, prices(""), "2 tasks, 0.5 vCPU and 1 GB"),
            (
                2,
                256,
                512,
                prices(list),
                "2 tasks, 0.5 vCPU and 1 GB, about $0.0247 an hour",
            ),
            (
                1,
                1024,
                3072,
                prices(&euros),
                "1 task, 1 vCPU and 3 GB, about EUR 0.0538 an hour",
            ),
            (
                30,
                16384,
                122_880,
                prices(list),
                "30 tasks, 480 vCPU and 3600 GB, about $35.43 an hour",
            ),
        ] {
            let warm = WarmCost::of_warm(&running(tasks, cpu, memory), Color::Blue).unwrap();
            assert_eq!(warm.priced(prices.as_ref()).to_string(), expected);
        }
    }

    #[test]
    fn only_what_runs_and_serves_nobody_is_warm() {
        let is_warm = |world: &Observed, color| WarmCost::of_warm(world, color).is_some();
        let world = running(2, 256, 512);
        assert!(is_warm(&world, Color::Blue) && !is_warm(&world, Color::Green));
        assert!(!is_warm(&running(0, 256, 512), Color::Blue));
        // Some users are on it.
        let mut canary = world.clone();
        let split = PerColor {
            blue: 500,
            green: 9500,
        }
        .try_into()
        .unwrap();
        canary.traffic.production = Found::Split(split);
        assert!(!is_warm(&canary, Color::Blue) && !is_warm(&canary, Color::Green));
        // Nothing is live, and both are paid for.
        let mut nothing = world.clone();
        nothing.traffic.production = Found::Nowhere;
        assert!(is_warm(&nothing, Color::Blue) && is_warm(&nothing, Color::Green));
        // Nobody knows how large they are.
        let mut unknown = world;
        unknown.colors.blue.release = None;
        assert!(!is_warm(&unknown, Color::Blue));
    }

    #[test]
    fn what_several_apps_cost_is_added_up_and_priced_once() {
        let of = |tasks, cpu| WarmCost::of(&running(tasks, cpu, 512).colors.green).unwrap();
        assert_eq!(WarmCost::total([].iter()), None);
        let total = WarmCost::total([of(2, 256), of(1, 1024)].iter()).unwrap();
        assert_eq!(total.to_string(), "3 tasks, 1.5 vCPU and 1.5 GB");
        let list = prices("vcpu_hour = 1\ngb_hour = 2");
        let told = total.priced(list.as_ref()).to_string();
        assert_eq!(told, "3 tasks, 1.5 vCPU and 1.5 GB, about $4.50 an hour");
    }

    #[test]
    fn programs_get_numbers() {
        let warm = WarmCost::of(&running(2, 256, 512).colors.green).unwrap();
        let none = serde_json::json!(warm.clone());
        assert_eq!(
            none,
            serde_json::json!({ "tasks": 2, "vcpu": 0.5, "memory_gb": 1.0, "an_hour": null })
        );
        let list = prices("vcpu_hour = 0.04048\ngb_hour = 0.004445");
        let json = serde_json::json!(warm.priced(list.as_ref()));
        let expected = serde_json::json!({ "amount": 0.024_685, "currency": "$" });
        assert_eq!(json["an_hour"], expected);
    }
}
