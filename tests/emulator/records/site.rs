//! Two servers of somebody else's, a zone, and an app that routes between them.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use localstack::Options;
use localstack::gate;

use crate::api::text;
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
    addresses: [(&'static str, Ipv4Addr); 2],
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
        let addresses = [
            ("blue", Ipv4Addr::new(127, 0, 1, 1)),
            ("green", Ipv4Addr::new(127, 0, 1, 2)),
        ];
        let port = serve(&addresses, world.desk.path())?;
        let site = Self {
            world,
            zone,
            addresses,
        };
        site.configure(port)?;
        Ok(site)
    }

    fn configure(&self, port: u16) -> Outcome {
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
        for (color, address) in self.addresses {
            text += &format!(
                "\n[colors.{color}]\ntarget = \"{address}\"\nurl = \"http://{address}:{port}\"\n\
                 deploy = \"echo $BGECS_TAG > {color}.tag\"\nretire = \"rm {color}.tag\"\n"
            );
        }
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
        let mut addresses = self.addresses.iter();
        let found = addresses.find(|(name, _)| *name == color);
        found
            .map(|(_, address)| address.to_string())
            .unwrap_or_default()
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
        self.change(&format!(
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
        self.change(&changes)
    }

    fn change(&self, changes: &str) -> Outcome {
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch>\
             <Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let line = format!("POST /2013-04-01/hostedzone/{}/rrset/", self.zone);
        self.world.api.rest("route53", &line, &body)?;
        Ok(())
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
        self.world.desk.write(&format!("{color}.tag"), tag)?;
        Ok(())
    }

    /// The tag that a colour serves.
    pub fn tag(&self, color: &str) -> Option<String> {
        tag(self.world.desk.path(), color)
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
            let color = self
                .addresses
                .iter()
                .find(|(_, address)| value == address.to_string());
            if weight != "0" {
                found.push(color.map_or(value, |(color, _)| *color).to_owned());
            }
        }
        Ok(found)
    }
}

/// All at one port, as one URL leads to each of them.
fn serve(addresses: &[(&'static str, Ipv4Addr); 2], folder: &Path) -> Outcome<u16> {
    let first = TcpListener::bind((addresses[0].1, 0))?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((addresses[1].1, port))?;
    for (listener, (color, _)) in [first, second].into_iter().zip(addresses) {
        let (color, folder) = (*color, folder.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                std::thread::spawn(move || answer(&stream, &folder, color));
            }
        });
    }
    Ok(port)
}

fn tag(folder: &Path, color: &str) -> Option<String> {
    let path: PathBuf = folder.join(format!("{color}.tag"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// Who leaves is not waited for.
fn answer(stream: &TcpStream, folder: &Path, color: &str) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut out = stream;
    loop {
        let first = lines.next()?.ok()?;
        if first.is_empty() {
            continue;
        }
        while !lines.next()?.ok()?.is_empty() {}
        let (status, tag) = match tag(folder, color) {
            Some(tag) if tag == "bad" => ("500 Internal Server Error", tag),
            Some(tag) => ("200 OK", tag),
            None => ("503 Service Unavailable", String::new()),
        };
        let body = format!("{color} {tag}\n");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-bgecs-release: {tag}\r\n\r\n{body}",
            body.len()
        );
        out.write_all(answer.as_bytes()).ok()?;
    }
}
