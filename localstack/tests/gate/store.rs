//! An emulator of ELBv2 that keeps what it is told, describes it back, and does
//! nothing: every target is healthy, no request is served. As emulators do, it
//! may drop what it does not understand of an action.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::net::TcpListener;

use crate::api::Outcome;
use crate::distributions::{self, Distributions};
use crate::server::serve;

type Parameters = BTreeMap<String, String>;

/// Runs until it is dropped.
pub struct Store {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Whether the weights and groups of a forward are accepted and dropped, and a
    /// listener can have no further certificates.
    drops: AtomicBool,
    /// Whether every call fails.
    broken: AtomicBool,
    /// How many items a page has.
    page: AtomicUsize,
    calls: AtomicUsize,
    state: Mutex<State>,
    distributions: Mutex<Distributions>,
}

#[derive(Default)]
struct State {
    made: usize,
    /// What each resource was created with, by ARN.
    load_balancers: BTreeMap<String, Parameters>,
    groups: BTreeMap<String, Parameters>,
    listeners: BTreeMap<String, Parameters>,
    rules: BTreeMap<String, Parameters>,
    /// Those that were added, by the listener's ARN.
    certificates: BTreeMap<String, Vec<String>>,
    attributes: BTreeMap<String, Parameters>,
    /// Address and port, by the group's ARN.
    targets: BTreeMap<String, Vec<(String, String)>>,
}

struct Refused(&'static str);

impl Store {
    pub async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        shared.page.store(usize::MAX, Ordering::SeqCst);
        let answering = shared.clone();
        let server = tokio::spawn(serve(listener, move |request| {
            let shared = answering.clone();
            async move { shared.answer(request).await }
        }));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    pub fn drop_what_emulators_drop(&self) {
        self.shared.drops.store(true, Ordering::SeqCst);
    }

    pub fn answer_in_pages_of(&self, items: usize) {
        self.shared.page.store(items, Ordering::SeqCst);
    }

    pub fn break_down(&self, broken: bool) {
        self.shared.broken.store(broken, Ordering::SeqCst);
    }

    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let is_of_acm = request
            .headers()
            .get("x-amz-target")
            .is_some_and(|target| target == "CertificateManager.DescribeCertificate");
        let (head, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        if is_of_acm {
            return certificate(&body);
        }
        if distributions::is_called(head.uri.path()) {
            let distributions = self.distributions.lock();
            let mut distributions = distributions.unwrap_or_else(PoisonError::into_inner);
            return distributions.respond(&head, &String::from_utf8_lossy(&body));
        }
        let mut parameters: Parameters = form_urlencoded::parse(&body).into_owned().collect();
        let action = parameters.remove("Action").unwrap_or_default();
        let (status, text) = if self.broken.load(Ordering::SeqCst) {
            (500, "out of order".to_owned())
        } else {
            let drops = self.drops.load(Ordering::SeqCst);
            if drops {
                parameters.retain(|name, _| !name.contains(".ForwardConfig."));
            }
            let page = self.page.load(Ordering::SeqCst);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let obeyed = match action.ends_with("ListenerCertificates") && drops {
                true => Err(Refused("InvalidAction")),
                false => state.obey(&action, parameters, page),
            };
            match obeyed {
                Ok(result) => (200, wrapped(&action, &result)),
                Err(Refused(code)) => (400, refused(code)),
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response
    }
}

/// ACM has issued `certificate/NAME` for that name and all below, other than
/// `pending` and `unknown`.
fn certificate(input: &[u8]) -> Response<Full<Bytes>> {
    let input: serde_json::Value = serde_json::from_slice(input).unwrap_or_default();
    let arn = input["CertificateArn"].as_str().unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let status = match name {
        "pending" => "PENDING_VALIDATION",
        _ => "ISSUED",
    };
    let answer = serde_json::json!({ "Certificate": {
        "DomainName": name,
        "SubjectAlternativeNames": [name, format!("*.{name}")],
        "Status": status,
    }});
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    if name == "unknown" {
        *response.status_mut() = hyper::StatusCode::BAD_REQUEST;
    }
    response
}

fn wrapped(action: &str, result: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><{action}Response \
         xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <{action}Result>{result}</{action}Result><ResponseMetadata/></{action}Response>"
    )
}

fn refused(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    )
}

impl State {
    fn obey(&mut self, action: &str, with: Parameters, page: usize) -> Result<String, Refused> {
        let arn = |name: &str| with.get(name).cloned().unwrap_or_default();
        match action {
            "CreateLoadBalancer" => {
                let arn = self.named("loadbalancer/app", &arn("Name"));
                self.load_balancers.insert(arn.clone(), with);
                Ok(list("LoadBalancers", [self.load_balancer(&arn)]))
            }
            "CreateTargetGroup" => {
                let arn = self.named("targetgroup", &arn("Name"));
                self.groups.insert(arn.clone(), with);
                Ok(list("TargetGroups", [self.group(&arn)]))
            }
            "CreateListener" => {
                let of = arn("LoadBalancerArn").replace(":loadbalancer/", ":listener/");
                let arn = self.under(&of);
                self.listeners.insert(arn.clone(), with);
                Ok(list("Listeners", [self.listener(&arn)]))
            }
            "AddListenerCertificates" => {
                let added = with.get("Certificates.member.1.CertificateArn");
                let all = self.certificates.entry(arn("ListenerArn")).or_default();
                all.extend(added.cloned());
                Ok(String::new())
            }
            "CreateRule" => {
                let of = arn("ListenerArn").replace(":listener/", ":listener-rule/");
                let arn = self.under(&of);
                self.rules.insert(arn.clone(), with);
                Ok(list("Rules", [self.rule(&arn)]))
            }
            "ModifyListener" => {
                let arn = arn("ListenerArn");
                change(&mut self.listeners, &arn, with, "ListenerNotFound")?;
                Ok(list("Listeners", [self.listener(&arn)]))
            }
            "ModifyRule" => {
                let arn = arn("RuleArn");
                change(&mut self.rules, &arn, with, "RuleNotFound")?;
                Ok(list("Rules", [self.rule(&arn)]))
            }
            "ModifyTargetGroup" => {
                let arn = arn("TargetGroupArn");
                change(&mut self.groups, &arn, with, "TargetGroupNotFound")?;
                Ok(list("TargetGroups", [self.group(&arn)]))
            }
            "ModifyTargetGroupAttributes" | "ModifyLoadBalancerAttributes" => {
                let of = arn("TargetGroupArn") + &arn("LoadBalancerArn");
                let kept = self.attributes.entry(of).or_default();
                kept.extend(pairs(&with, "Attributes", "Key", "Value"));
                Ok(String::new())
            }
            "RegisterTargets" | "DeregisterTargets" => {
                let group = arn("TargetGroupArn");
                self.existing(&group)?;
                let kept = self.targets.entry(group).or_default();
                let named = pairs(&with, "Targets", "Id", "Port");
                kept.retain(|target| !named.contains(target));
                if action == "RegisterTargets" {
                    kept.extend(named);
                }
                Ok(String::new())
            }
            "DeleteLoadBalancer" => {
                let gone = arn("LoadBalancerArn");
                self.load_balancers.remove(&gone);
                self.listeners
                    .retain(|_, one| one["LoadBalancerArn"] != gone);
                Ok(String::new())
            }
            "DeleteListener" => {
                self.listeners.remove(&arn("ListenerArn"));
                Ok(String::new())
            }
            "DeleteRule" => {
                self.rules.remove(&arn("RuleArn"));
                Ok(String::new())
            }
            "DeleteTargetGroup" => {
                self.groups.remove(&arn("TargetGroupArn"));
                Ok(String::new())
            }
            _ => self.describe(action, &with, page),
        }
    }

    fn describe(&self, action: &str, with: &Parameters, page: usize) -> Result<String, Refused> {
        let is = |name: &str, value: &str| with.get(name).is_none_or(|is| is == value);
        let from = with.get("Marker").and_then(|marker| marker.parse().ok());
        let paged = |name, all| pages(name, all, from.unwrap_or(0), page);
        match action {
            "DescribeLoadBalancers" => {
                let all = self.load_balancers.keys();
                Ok(paged(
                    "LoadBalancers",
                    all.map(|arn| self.load_balancer(arn)).collect(),
                ))
            }
            "DescribeTargetGroups" => {
                let all = self.groups.keys();
                Ok(paged(
                    "TargetGroups",
                    all.map(|arn| self.group(arn)).collect(),
                ))
            }
            "DescribeListeners" => {
                let all = self.listeners.iter().filter(|(arn, one)| {
                    is("LoadBalancerArn", &one["LoadBalancerArn"])
                        && is("ListenerArns.member.1", arn)
                });
                Ok(paged(
                    "Listeners",
                    all.map(|(arn, _)| self.listener(arn)).collect(),
                ))
            }
            "DescribeListenerCertificates" => {
                let added = with
                    .get("ListenerArn")
                    .and_then(|arn| self.certificates.get(arn));
                let one = |arn| format!("<member><CertificateArn>{arn}</CertificateArn></member>");
                Ok(list("Certificates", added.into_iter().flatten().map(one)))
            }
            "DescribeRules" => {
                let own = self.rules.iter().filter(|(arn, one)| {
                    is("ListenerArn", &one["ListenerArn"]) && is("RuleArns.member.1", arn)
                });
                let mut all: Vec<String> = own.map(|(arn, _)| self.rule(arn)).collect();
                let default = with.get("ListenerArn").map(|arn| self.default_rule(arn));
                all.extend(default);
                Ok(paged("Rules", all))
            }
            "DescribeTargetGroupAttributes" | "DescribeLoadBalancerAttributes" => {
                let of = with.get("TargetGroupArn").or(with.get("LoadBalancerArn"));
                let kept = of
                    .and_then(|arn| self.attributes.get(arn))
                    .into_iter()
                    .flatten();
                let one = |(key, value)| {
                    format!("<member><Key>{key}</Key><Value>{value}</Value></member>")
                };
                Ok(list("Attributes", kept.map(one)))
            }
            "DescribeTargetHealth" => {
                let group = with.get("TargetGroupArn").cloned().unwrap_or_default();
                self.existing(&group)?;
                let kept = self.targets.get(&group).into_iter().flatten();
                let one = |(id, port): &(String, String)| {
                    format!(
                        "<member><Target><Id>{id}</Id><Port>{port}</Port></Target>\
                         <TargetHealth><State>healthy</State></TargetHealth></member>"
                    )
                };
                Ok(list("TargetHealthDescriptions", kept.map(one)))
            }
            _ => Err(Refused("InvalidAction")),
        }
    }

    fn existing(&self, group: &str) -> Result<(), Refused> {
        let found = self.groups.contains_key(group);
        found.then_some(()).ok_or(Refused("TargetGroupNotFound"))
    }

    fn named(&mut self, kind: &str, name: &str) -> String {
        self.under(&format!(
            "arn:aws:elasticloadbalancing:us-east-1:000000000000:{kind}/{name}"
        ))
    }

    fn under(&mut self, parent: &str) -> String {
        self.made += 1;
        format!("{parent}/{:016x}", self.made)
    }

    fn load_balancer(&self, arn: &str) -> String {
        let name = &self.load_balancers[arn]["Name"];
        format!(
            "<member><LoadBalancerArn>{arn}</LoadBalancerArn><LoadBalancerName>{name}</LoadBalancerName>\
             <DNSName>{name}-1.us-east-1.elb.amazonaws.com</DNSName><Type>application</Type></member>"
        )
    }

    fn group(&self, arn: &str) -> String {
        let given = tree(&self.groups[arn]);
        format!("<member><TargetGroupArn>{arn}</TargetGroupArn>{given}</member>")
    }

    fn listener(&self, arn: &str) -> String {
        let given = tree(&self.listeners[arn]);
        format!("<member><ListenerArn>{arn}</ListenerArn>{given}</member>")
    }

    fn rule(&self, arn: &str) -> String {
        let given = tree(&self.rules[arn]);
        format!("<member><RuleArn>{arn}</RuleArn><IsDefault>false</IsDefault>{given}</member>")
    }

    fn default_rule(&self, listener: &str) -> String {
        let arn = listener.replace(":listener/", ":listener-rule/") + "/default";
        let mut given = self.listeners.get(listener).cloned().unwrap_or_default();
        given.retain(|name, _| name.starts_with("DefaultActions"));
        let actions = tree(&given).replace("DefaultActions>", "Actions>");
        format!(
            "<member><RuleArn>{arn}</RuleArn><Priority>default</Priority>\
             <IsDefault>true</IsDefault>{actions}</member>"
        )
    }
}

/// Takes the parameters of a Modify call; a list is replaced whole.
fn change(
    all: &mut BTreeMap<String, Parameters>,
    arn: &str,
    with: Parameters,
    unless: &'static str,
) -> Result<(), Refused> {
    let kept = all.get_mut(arn).ok_or(Refused(unless))?;
    for list in ["DefaultActions.", "Actions.", "Conditions."] {
        if with.keys().any(|name| name.starts_with(list)) {
            kept.retain(|name, _| !name.starts_with(list));
        }
    }
    kept.extend(with.into_iter().filter(|(_, value)| value != arn));
    Ok(())
}

fn pairs(with: &Parameters, list: &str, key: &str, value: &str) -> Vec<(String, String)> {
    (1..)
        .map(|number| format!("{list}.member.{number}"))
        .map_while(|member| {
            let key = with.get(&format!("{member}.{key}"))?;
            let value = with.get(&format!("{member}.{value}"));
            Some((key.clone(), value.cloned().unwrap_or_default()))
        })
        .collect()
}

fn list(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let members: String = members.into_iter().collect();
    format!("<{name}>{members}</{name}>")
}

fn pages(name: &str, all: Vec<String>, from: usize, page: usize) -> String {
    let upto = from.saturating_add(page);
    let next = if upto < all.len() {
        format!("<NextMarker>{upto}</NextMarker>")
    } else {
        String::new()
    };
    list(name, all.into_iter().skip(from).take(page)) + &next
}

/// Parameters as the XML that they mean: `A.member.1.B=c` is
/// `<A><member><B>c</B></member></A>`.
fn tree(parameters: &Parameters) -> String {
    let entries = parameters
        .iter()
        .map(|(name, value)| (name.split('.').collect(), value.as_str()));
    nested(entries.collect())
}

/// What is left of a parameter's name, and its value.
type Entry<'a> = (Vec<&'a str>, &'a str);

fn nested(entries: Vec<Entry<'_>>) -> String {
    let mut below: BTreeMap<(&str, usize), Vec<Entry<'_>>> = BTreeMap::new();
    let mut text = String::new();
    for (path, value) in entries {
        match path.as_slice() {
            [] => text.push_str(&value.replace('&', "&amp;").replace('<', "&lt;")),
            ["member", number, rest @ ..] => below
                .entry(("member", number.parse().unwrap_or(0)))
                .or_default()
                .push((rest.to_vec(), value)),
            [head, rest @ ..] => below
                .entry((head, 0))
                .or_default()
                .push((rest.to_vec(), value)),
        }
    }
    for ((name, _), entries) in below {
        text.push_str(&format!("<{name}>{}</{name}>", nested(entries)));
    }
    text
}
