//! Several apps behind records of one zone, in one world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use localstack::Options;
use localstack::gate;
use localstack::gate::crash::{Side, Write};

use crate::servers::Servers;
use crate::support::{Ended, Outcome};
use crate::world::World;

/// By then every resolver has forgotten what it kept.
const FORGOTTEN: Duration = Duration::from_secs(30);

pub struct Plot {
    pub world: World,
    zone: String,
    servers: RefCell<BTreeMap<String, Servers>>,
}

impl Plot {
    pub fn new(name: &str) -> Outcome<Self> {
        let dns = gate::dns::Options {
            delay: Duration::from_millis(100),
            port: None,
            resolvers: vec![Duration::ZERO],
        };
        let options = gate::Options {
            dns: Some(dns),
            ..gate::Options::default()
        };
        let world = World::behind(name, Options::default(), &options)?;
        let zone = world.hosted_zone("plot.test", "")?;
        let servers = RefCell::default();
        Ok(Self {
            world,
            zone,
            servers,
        })
    }

    /// Writes its bgecs.toml.
    pub fn app(&self, name: &str) -> Outcome {
        let servers = Servers::at(Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 1, 2))?;
        let dns = self.world.gate.dns().ok_or("the gate serves no names")?;
        let resolvers = dns.resolvers.iter().chain([&dns.authority]);
        let resolvers: Vec<String> = resolvers.map(|it| format!("\"{it}\"")).collect();
        let (resolvers, port) = (resolvers.join(", "), servers.port);
        let mut text = format!(
            "app = \"{name}\"\n\n[router]\nkind = \"route53\"\nrecord = \"{name}.plot.test\"\n\
             url = \"http://{name}.plot.test:{port}\"\nttl = 1\nresolvers = [{resolvers}]\ndrain = \"20s\"\n\n\
             [probe]\nrate = 10\nwindow_seconds = 1\n"
        );
        let targets = ["blue", "green"].map(|color| servers.address(color).to_string());
        let targets = targets.each_ref().map(String::as_str);
        text += &servers.colors(targets, |color| servers.url(color));
        self.world.desk.write(&config(name), &text)?;
        self.servers.borrow_mut().insert(name.to_owned(), servers);
        Ok(())
    }

    pub fn done(&self, name: &str, line: &[&str]) -> Outcome<Ended> {
        let config = config(name);
        self.world.done(&[line, &["--config", &config]].concat())
    }

    /// Once resolvers have forgotten the colour that users have left.
    pub fn retire(&self, name: &str) -> Outcome {
        let (begun, config) = (Instant::now(), config(name));
        loop {
            let ended = self.world.bgecs(&["retire", "--config", &config])?;
            match ended.code {
                Some(0) => return Ok(()),
                Some(6) if begun.elapsed() < FORGOTTEN => {}
                _ => return Err(ended.shown().into()),
            }
        }
    }

    /// A promotion that is killed at one of its writes, and one there and back ahead of it
    /// to see which there are.
    pub fn killed_promote(
        &self,
        name: &str,
        at: impl FnOnce(&[Write]) -> Outcome<(&Write, Side)>,
    ) -> Outcome {
        let config = config(name);
        let promote = |color| ["promote", color, "--window", "1s", "--config", &config];
        let writes = self.world.writes_of(&promote("green"))?;
        let (write, side) = at(&writes)?;
        self.world.killed_at_write(&promote("blue"), write, side)
    }

    /// Somebody has the record name a stranger.
    pub fn lead_astray(&self, name: &str) -> Outcome {
        let line = format!("GET /2013-04-01/hostedzone/{}/rrset", self.zone);
        let all = self.world.api.rest("route53", &line, "")?;
        let sets = all.split("<ResourceRecordSet>").skip(1);
        let sets = sets.filter_map(|set| Some(set.split_once("</ResourceRecordSet>")?.0));
        let change = |action: &str, set: &str| {
            format!(
                "<Change><Action>{action}</Action><ResourceRecordSet>{set}</ResourceRecordSet></Change>"
            )
        };
        let own = format!("<Name>{name}.plot.test.</Name>");
        let mut changes: String = sets
            .filter(|set| set.contains(&own))
            .map(|set| change("DELETE", set))
            .collect();
        let stranger = "<TTL>1</TTL><ResourceRecords><ResourceRecord><Value>127.0.1.9</Value></ResourceRecord></ResourceRecords>";
        changes += &change("CREATE", &format!("{own}<Type>A</Type>{stranger}"));
        self.world.change_records(&self.zone, &changes)
    }
}

fn config(name: &str) -> String {
    format!("{name}/bgecs.toml")
}
