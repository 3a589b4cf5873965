//! Two servers of somebody else's, a zone, and an app that routes between them.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use localstack::Options;
use localstack::gate;

use crate::api::text;
use crate::servers::Servers;
use crate::support::Outcome;
use crate::world::World;

/// A change is served after so long.
const DELAY: Duration = Duration::from_millis(300);
/// By then every resolver has forgotten what it kept.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// For how long resolvers may keep the record, in seconds.
pub const TTL: u64 = 1;

pub struct Site {
    pub world: World,
    pub zone: String,
    pub servers: Servers,
}

impl Site {
    /// Beside the resolver that does as it is told, one for each of these, which keeps
    /// an answer for so long at least.
    pub fn new(app: &str, overstaying: &[Duration]) -> Outcome<Self> {
        let resolvers = std::iter::once(&Duration::ZERO).chain(overstaying).copied();
        let dns = gate::dns::Options {
            delay: DELAY,
            port: None,
            resolvers: resolvers.collect(),
        };
        let options = gate::Options {
            dns: Some(dns),
            ..gate::Options::default()
        };
        let world = World::behind(app, Options::default(), &options)?;
        let zone = world.hosted_zone(&format!("{app}.test"), "")?;
        let servers = Servers::at(Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 1, 2))?;
        let site = Self {
            world,
            zone,
            servers,
        };
        site.configure()?;
        Ok(site)
    }

    fn configure(&self) -> Outcome {
        let port = self.servers.port;
        let app = &self.world.app;
        let dns = self.world.gate.dns().ok_or("the gate serves no names")?;
        let resolvers = dns.resolvers.iter().chain([&dns.authority]);
        let resolvers: Vec<String> = resolvers.map(|it| format!("\"{it}\"")).collect();
        let resolvers = resolvers.join(", ");
        let mut text = format!(
            "app = \"{app}\"\n\n[router]\nkind = \"route53\"\nrecord = \"www.{app}.test\"\n\
             url = \"http://www.{app}.test:{port}\"\nttl = {TTL}\nresolvers = [{resolvers}]\ndrain = \"20s\"\n\n\
             [probe]\nrate = 10\nwindow_seconds = 2\n"
        );
        let targets = ["blue", "green"].map(|color| self.address(color));
        text += &self
            .servers
            .colors(targets.each_ref().map(String::as_str), |color| {
                self.servers.url(color)
            });
        self.world.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// What is to be live, in bgecs.toml.
    pub fn declare(&self, live: &str) -> Outcome {
        let path = self.world.desk.path().join("bgecs.toml");
        let text = std::fs::read_to_string(path)?;
        let rest: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("live"))
            .collect();
        let text = format!("live = {live}\n{}\n", rest.join("\n"));
        self.world.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// In bgecs.toml.
    pub fn replace(&self, from: &str, to: &str) -> Outcome {
        let path = self.world.desk.path().join("bgecs.toml");
        let text = std::fs::read_to_string(path)?;
        assert!(text.contains(from), "{text}");
        self.world
            .desk
            .write("bgecs.toml", &text.replace(from, to))?;
        Ok(())
    }

    /// Once resolvers have forgotten the colour that users have left.
    pub fn retire(&self) -> Outcome {
        let begun = Instant::now();
        loop {
            let ended = self.world.bgecs(&["retire"])?;
            match ended.code {
                Some(0) => return Ok(()),
                Some(6) if begun.elapsed() < FORGOTTEN => {}
                _ => return Err(ended.shown().into()),
            }
        }
    }

    pub fn address(&self, color: &str) -> String {
        self.servers.address(color).to_string()
    }

    /// Somebody's record of one answer for all.
    pub fn record(&self, addresses: &[String], ttl: u32) -> Outcome {
        self.record_at("www", addresses, ttl)
    }

    /// The same of another name in the zone, or of all that have none.
    pub fn record_at(&self, label: &str, addresses: &[String], ttl: u32) -> Outcome {
        let values: String = addresses
            .iter()
            .map(|it| format!("<ResourceRecord><Value>{it}</Value></ResourceRecord>"))
            .collect();
        let app = &self.world.app;
        self.world.change_records(&self.zone, &format!(
            "<Change><Action>CREATE</Action><ResourceRecordSet><Name>{label}.{app}.test</Name><Type>A</Type><TTL>{ttl}</TTL>\
             <ResourceRecords>{values}</ResourceRecords></ResourceRecordSet></Change>"
        ))
    }

    /// Somebody deletes all that the name has.
    pub fn clear(&self) -> Outcome {
        let sets = self.all()?;
        let changes: String = sets
            .iter()
            .map(|set| {
                format!("<Change><Action>DELETE</Action><ResourceRecordSet>{set}</ResourceRecordSet></Change>")
            })
            .collect();
        self.world.change_records(&self.zone, &changes)
    }

    /// What the record's sets are made of.
    fn all(&self) -> Outcome<Vec<String>> {
        let line = format!("GET /2013-04-01/hostedzone/{}/rrset", self.zone);
        let all = self.world.api.rest("route53", &line, "")?;
        let sets = all.split("<ResourceRecordSet>").skip(1);
        let sets =
            sets.filter_map(|set| Some(set.split_once("</ResourceRecordSet>")?.0.to_owned()));
        Ok(sets.filter(|set| set.contains("<Type>A</Type>")).collect())
    }

    /// How many sets the record has.
    pub fn sets(&self) -> Outcome<usize> {
        Ok(self.all()?.len())
    }

    pub fn ttl(&self) -> Outcome<String> {
        let all = self.all()?;
        let first = all.first().ok_or("there is no record")?;
        Ok(text(first, "TTL")?.to_owned())
    }

    /// Somebody puts a release there, and not bgecs.
    pub fn put(&self, color: &str, tag: &str) -> Outcome {
        self.servers.put(color, tag)
    }

    /// The tag that a colour serves.
    pub fn tag(&self, color: &str) -> Option<String> {
        self.servers.tag(color)
    }

    /// The colours that have a part of the record, by its sets as they are stored.
    pub fn answers(&self, kind: &str) -> Outcome<Vec<String>> {
        let line = format!("GET /2013-04-01/hostedzone/{}/rrset", self.zone);
        let all = self.world.api.rest("route53", &line, "")?;
        let mut found = Vec::new();
        for set in all.split("<ResourceRecordSet>").skip(1) {
            if text(set, "Type")? != kind {
                continue;
            }
            let weight = text(set, "Weight").unwrap_or("1");
            let value = text(set, "Value")?;
            let mut colors = ["blue", "green"].into_iter();
            let color = colors.find(|color| value == self.address(color));
            if weight != "0" {
                found.push(color.unwrap_or(value).to_owned());
            }
        }
        Ok(found)
    }
}
