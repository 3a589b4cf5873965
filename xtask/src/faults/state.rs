//! What `bgecs status --json` says, as far as the matrix needs it.

use serde_json::Value;

use localstack::gate::request::short;

use super::judge::Tags;
use crate::Result;
use crate::json::{at, text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Blue,
    Green,
}

impl Color {
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    fn of(value: &Value) -> Option<Self> {
        Self::BOTH.into_iter().find(|color| value == color.as_str())
    }
}

#[derive(Debug, Clone)]
pub struct Service {
    pub tag: String,
    pub revision: String,
    pub desired: i64,
    pub running: i64,
    pub healthy: i64,
}

/// Where a rollback leads: a deployed release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    pub color: Color,
    /// `None` where `status` names the colour alone.
    pub tag: Option<String>,
}

#[derive(Debug, Clone)]
pub struct State {
    pub live: Option<Color>,
    /// The way back.
    pub previous: Option<Previous>,
    /// What port 80's listener forwards to, where it is one colour.
    pub prod: Option<Color>,
    pub test: Option<Color>,
    blue: Option<Service>,
    green: Option<Service>,
    /// Port 80's host.
    pub host: String,
    /// Those of port 80 and of port 81, as the gate's record has them.
    listeners: [String; 2],
    /// The command that is unfinished, as it is named.
    pub unfinished: Option<String>,
    /// Who holds the lease.
    pub lease: Option<String>,
    /// Somebody else moved a listener.
    pub has_drift: bool,
    /// The listeners of port 80 and of port 81.
    pub arns: [String; 2],
}

impl State {
    pub fn read(status: &Value) -> Result<Self> {
        let host = text(status, &["urls", "prod"])?;
        let arns = [
            text(status, &["listeners", "prod", "arn"])?,
            text(status, &["listeners", "test", "arn"])?,
        ];
        Ok(Self {
            live: Color::of(&status["live"]),
            previous: Previous::of(&status["previous"]),
            prod: forwarded(status, "prod"),
            test: forwarded(status, "test"),
            blue: Service::read(&status["colors"]["blue"]),
            green: Service::read(&status["colors"]["green"]),
            listeners: arns.map(short),
            host: host.trim_start_matches("http://").to_owned(),
            unfinished: named(&status["unfinished"]),
            lease: named(&status["lease"]),
            has_drift: status["drift"]
                .as_array()
                .is_some_and(|all| !all.is_empty()),
            arns: arns.map(str::to_owned),
        })
    }

    pub fn service(&self, color: Color) -> Option<&Service> {
        match color {
            Color::Blue => self.blue.as_ref(),
            Color::Green => self.green.as_ref(),
        }
    }

    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.blue.iter().chain(&self.green)
    }

    pub fn idle_service(&self) -> Option<&Service> {
        self.service(self.live?.other())
    }

    /// Which release is live, and which is on the other colour.
    pub fn tags(&self) -> Tags {
        let tag = |service: Option<&Service>| service.map(|is| is.tag.clone());
        Tags {
            live: tag(self.live.and_then(|live| self.service(live))),
            idle: tag(self.idle_service()),
        }
    }

    /// Whether a rollback goes to what is on the idle colour.
    pub fn has_a_way_back(&self) -> bool {
        let Some(previous) = &self.previous else {
            return false;
        };
        let tag = self.idle_service().map(|idle| &idle.tag);
        self.live.map(Color::other) == Some(previous.color)
            && previous.tag.as_ref().is_none_or(|was| Some(was) == tag)
    }

    pub fn idle(&self) -> Result<Color> {
        Ok(self.live.ok_or("nothing is live")?.other())
    }

    /// A resource of the record, without what is another in every run.
    pub fn plain(&self, resource: &str) -> String {
        let [prod, test] = &self.listeners;
        let live = self.live.map(|live| format!("/{}", live.as_str()));
        let idle = self.live.map(|live| format!("/{}", live.other().as_str()));
        let within = |part: &str, color: &Option<String>| {
            let cluster = part.strip_suffix(color.as_deref()?)?;
            Some(cluster.to_owned())
        };
        let is_number = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
        let plain = |part: &str| match part.rsplit_once(':') {
            _ if part == prod => "port 80".to_owned(),
            _ if part == test => "port 81".to_owned(),
            Some((family, revision)) if is_number(revision) => family.to_owned(),
            _ => match (within(part, &live), within(part, &idle)) {
                (Some(cluster), _) => cluster + "/live",
                (_, Some(cluster)) => cluster + "/idle",
                _ => part.to_owned(),
            },
        };
        let mut parts: Vec<String> = resource.split(',').map(plain).collect();
        parts.dedup();
        parts.join(", ")
    }

    /// Why this is not how an operation that is over leaves things.
    pub fn inconsistent(&self) -> Option<String> {
        if let Some(command) = &self.unfinished {
            return Some(format!("{command} is unfinished"));
        }
        if let Some(command) = &self.lease {
            return Some(format!("{command} holds the lease"));
        }
        match (self.prod, self.test) {
            (Some(prod), Some(test)) if prod == test => {
                Some(format!("both ports forward to {}", prod.as_str()))
            }
            (Some(prod), _) if self.service(prod).is_none_or(|live| live.healthy == 0) => {
                Some(format!("{} is live and not healthy", prod.as_str()))
            }
            (Some(_), None) | (None, Some(_)) => Some(format!(
                "port 80 forwards to {:?}, port 81 to {:?}",
                self.prod, self.test
            )),
            _ => None,
        }
    }
}

impl Previous {
    fn of(value: &Value) -> Option<Self> {
        let color = Color::of(value).or_else(|| Color::of(&value["color"]))?;
        // What was rolled back or taken back is no way to go.
        let is_a_way = value["left"].as_str().is_none_or(|left| left == "replaced");
        is_a_way.then_some(())?;
        let tag = value["tag"].as_str().map(str::to_owned);
        Some(Self { color, tag })
    }
}

impl Service {
    fn read(color: &Value) -> Option<Self> {
        let count = |name: &str| color[name].as_i64().unwrap_or(-1);
        Some(Self {
            tag: color["tag"].as_str().unwrap_or_default().to_owned(),
            revision: color["task_definition"].as_str()?.to_owned(),
            desired: count("desired"),
            running: count("running"),
            healthy: count("healthy"),
        })
    }
}

fn forwarded(status: &Value, port: &str) -> Option<Color> {
    let forwards = at(status, &["listeners", port, "forwards"]).as_array()?;
    let mut weighty = forwards.iter().filter(|forward| forward["weight"] != 0);
    let first = weighty.next()?;
    match weighty.next() {
        None => Color::of(&first["color"]),
        Some(_) => None,
    }
}

/// The command that is told of, if anything is.
fn named(told: &Value) -> Option<String> {
    let command = told["command"].as_str().map(str::to_owned);
    (!told.is_null()).then(|| command.unwrap_or_else(|| told.to_string()))
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:0:listener/app/web/1";

    pub fn status() -> Value {
        let forwards = |color| json!([{"color": color, "weight": 1}]);
        let service = |tag| {
            json!({
                "tag": tag, "task_definition": format!("family:{tag}"),
                "desired": 1, "running": 1, "healthy": 1,
            })
        };
        json!({
            "live": "green", "previous": null, "urls": {"prod": "http://web.example"},
            "colors": {"green": service("1"), "blue": service("2")},
            "listeners": {
                "prod": {"arn": format!("{ARN}/80"), "forwards": forwards("green")},
                "test": {"arn": format!("{ARN}/81"), "forwards": forwards("blue")},
            },
            "unfinished": null, "lease": null,
        })
    }

    /// Why the status is inconsistent with that in it.
    fn why(pointer: &str, value: Value) -> Option<String> {
        let mut status = status();
        *status.pointer_mut(pointer).unwrap() = value;
        State::read(&status).unwrap().inconsistent()
    }

    #[test]
    fn a_status_between_operations_is_consistent() {
        let state = State::read(&status()).unwrap();
        assert_eq!(state.inconsistent(), None);
        assert_eq!(state.host, "web.example");
        assert_eq!(state.idle().unwrap(), Color::Blue);
        assert_eq!(state.tags().live.as_deref(), Some("1"));
        assert_eq!(state.tags().idle.as_deref(), Some("2"));
    }

    #[test]
    fn what_an_operation_must_not_leave_is_inconsistent() {
        for (pointer, value, reason) in [
            (
                "/unfinished",
                json!({"command": "promote"}),
                "promote is unfinished",
            ),
            (
                "/lease",
                json!({"command": "retire"}),
                "retire holds the lease",
            ),
            (
                "/colors/green/healthy",
                json!(0),
                "green is live and not healthy",
            ),
            (
                "/listeners/test/forwards/0/color",
                json!("green"),
                "both ports forward to green",
            ),
            (
                "/listeners/test/forwards",
                json!([]),
                "port 80 forwards to Some(Green), port 81 to None",
            ),
        ] {
            assert_eq!(why(pointer, value).as_deref(), Some(reason));
        }
    }

    #[test]
    fn nothing_live_is_consistent_if_both_ports_say_so() {
        let mut status = status();
        for port in ["prod", "test"] {
            status["listeners"][port]["forwards"] = json!([]);
        }
        assert_eq!(State::read(&status).unwrap().inconsistent(), None);
    }

    #[test]
    fn the_way_back_leads_to_a_release_of_the_idle_colour() {
        let is_one = |previous: Value| {
            let mut status = status();
            status["previous"] = previous;
            State::read(&status).unwrap().has_a_way_back()
        };
        assert!(is_one(
            json!({"color": "blue", "tag": "2", "revision": "web:2"})
        ));
        // It runs another one by now.
        assert!(!is_one(json!({"color": "blue", "tag": "1"})));
        assert!(!is_one(json!({"color": "green", "tag": "1"})));
        let left = |left| json!({"color": "blue", "tag": "2", "left": left});
        assert!(is_one(left("replaced")));
        assert!(!is_one(left("rolled_back")) && !is_one(left("taken_back")));
        assert!(!is_one(Value::Null));
        // The colour alone, as it was named once.
        assert!(is_one(json!("blue")) && !is_one(json!("green")));
    }

    #[test]
    fn a_resource_is_named_alike_in_every_run() {
        let state = State::read(&status()).unwrap();
        for (resource, plain) in [
            ("listener/web/80", "port 80"),
            ("listener/web/81", "port 81"),
            ("family:12", "family"),
            ("family:12,family:7", "family"),
            ("cluster/green", "cluster/live"),
            ("cluster/blue", "cluster/idle"),
            ("cluster", "cluster"),
        ] {
            assert_eq!(state.plain(resource), plain);
        }
    }
}
