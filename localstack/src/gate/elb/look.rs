//! Reading the emulator, part by part.
//!
//! One part is read at a time, and nothing is written meanwhile: whoever holds
//! [`Known`] is the only one who talks with the emulator about load balancers.
//! So each reading is newer than the one before it, and a reading can be held
//! against what was sent (see [`super::overlay`]). A part is a few calls at most,
//! so that nobody waits long.

use roxmltree::Error as XmlError;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::describe::{self, Page};
use super::fleet::Fleet;
use super::known::Known;
use super::pace::Depth;
use crate::balancer::config::{Arn, Certificate, Listener, Tls};
use crate::gate::refusal::code_of_xml;
use crate::gate::upstream::{Failed, Upstream};

/// How many are asked for at once: the most that AWS allows.
const PAGE: &str = "400";

#[derive(Debug)]
pub struct Lookout {
    pub upstream: Upstream,
    pub fleet: Fleet,
    known: Mutex<Known>,
}

impl Lookout {
    pub fn new(upstream: Upstream, fleet: Fleet) -> Self {
        Self {
            upstream,
            fleet,
            known: Mutex::default(),
        }
    }

    /// The sole right to talk with the emulator of load balancers.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            upstream: &self.upstream,
            fleet: &self.fleet,
            known: self.known.lock().await,
        }
    }

    /// Reads everything, as deep as told, and brings the load balancers to it.
    /// Gives what they could not do. Others have their turn in between.
    ///
    /// # Errors
    /// If the emulator cannot be read; what was read until then is obeyed.
    pub async fn look(&self, depth: Depth) -> Result<Vec<String>, Failed> {
        let read = self.read(depth).await;
        let troubles = self.turn().await.obey().await?;
        read.map(|()| troubles)
    }

    async fn read(&self, depth: Depth) -> Result<(), Failed> {
        if depth.structure {
            self.turn().await.read_load_balancers().await?;
            self.turn().await.read_groups().await?;
        }
        for arn in self.with_attributes(depth).await {
            self.turn().await.read_attributes(&arn).await?;
        }
        for group in self.groups().await {
            self.turn().await.read_registered(&group).await?;
        }
        if depth.structure {
            for load_balancer in self.load_balancers().await {
                self.turn().await.read_listeners(&load_balancer).await?;
            }
        }
        Ok(())
    }

    async fn with_attributes(&self, depth: Depth) -> Vec<Arn> {
        let known = self.known.lock().await;
        if depth.attributes {
            known.bearers().cloned().collect()
        } else {
            known.without_attributes()
        }
    }

    async fn groups(&self) -> Vec<Arn> {
        let known = self.known.lock().await;
        known.groups().map(|group| group.arn.clone()).collect()
    }

    async fn load_balancers(&self) -> Vec<Arn> {
        let known = self.known.lock().await;
        let all = known.load_balancers().iter();
        all.map(|one| one.arn.clone()).collect()
    }
}

/// A certificate of ACM's.
#[derive(Debug, PartialEq, Eq)]
pub struct Issued {
    pub names: Vec<String>,
    pub is_issued: bool,
}

impl Issued {
    fn of(said: &Value) -> Self {
        let names = std::iter::once(&said["DomainName"]);
        let others = said["SubjectAlternativeNames"].as_array();
        let mut names: Vec<String> = names
            .chain(others.into_iter().flatten())
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect();
        names.sort();
        names.dedup();
        Self {
            names,
            is_issued: said["Status"] == "ISSUED",
        }
    }
}

/// A turn at talking with the emulator.
pub struct Turn<'a> {
    pub upstream: &'a Upstream,
    pub known: MutexGuard<'a, Known>,
    fleet: &'a Fleet,
}

impl Turn<'_> {
    pub async fn read_load_balancers(&mut self) -> Result<(), Failed> {
        let action = "DescribeLoadBalancers";
        let all = self.pages(action, &[], describe::load_balancers).await?;
        self.known.set_load_balancers(all);
        Ok(())
    }

    pub async fn read_groups(&mut self) -> Result<(), Failed> {
        let action = "DescribeTargetGroups";
        let all = self.pages(action, &[], describe::target_groups).await?;
        self.known.set_groups(all);
        Ok(())
    }

    /// The attributes of a load balancer or a target group.
    pub async fn read_attributes(&mut self, arn: &Arn) -> Result<(), Failed> {
        let (action, name) = if arn.as_str().contains(":loadbalancer/") {
            ("DescribeLoadBalancerAttributes", "LoadBalancerArn")
        } else {
            ("DescribeTargetGroupAttributes", "TargetGroupArn")
        };
        let text = self.upstream.elb(action, &[(name, arn.as_str())]).await;
        if let Some(text) = unless_gone(text)? {
            let attributes = readable(action, describe::attributes(&text))?;
            self.known.set_attributes(arn, attributes);
        }
        Ok(())
    }

    pub async fn read_registered(&mut self, group: &Arn) -> Result<(), Failed> {
        let action = "DescribeTargetHealth";
        let parameters = [("TargetGroupArn", group.as_str())];
        let text = self.upstream.elb(action, &parameters).await;
        match unless_gone(text)? {
            Some(text) => self.take_registered(group, &text),
            None => Ok(()),
        }
    }

    /// Takes an answer to `DescribeTargetHealth` without a filter.
    pub fn take_registered(&mut self, group: &Arn, text: &str) -> Result<(), Failed> {
        let port = self.known.group(group).map_or(80, |group| group.port);
        let registered = describe::registered(text, port);
        let registered = readable("DescribeTargetHealth", registered)?;
        self.known.set_registered(group, registered);
        Ok(())
    }

    /// The listeners of a load balancer, with their rules.
    pub async fn read_listeners(&mut self, load_balancer: &Arn) -> Result<(), Failed> {
        let read = self.listeners(load_balancer).await;
        if let Some(listeners) = unless_gone(read)? {
            self.known.set_listeners(load_balancer, listeners);
        }
        Ok(())
    }

    /// Reads what target groups are new, their attributes, and who is registered.
    async fn read_new(&mut self) -> Result<(), Failed> {
        if self.known.names_unread_group() {
            self.read_groups().await?;
        }
        for arn in self.known.without_attributes() {
            self.read_attributes(&arn).await?;
        }
        let unread: Vec<Arn> = self
            .known
            .groups()
            .filter(|group| self.known.registered(&group.arn).is_none())
            .map(|group| group.arn.clone())
            .collect();
        for group in unread {
            self.read_registered(&group).await?;
        }
        Ok(())
    }

    /// Brings the load balancers to what is known. Gives what they could not do.
    ///
    /// # Errors
    /// If what is new cannot be read.
    pub async fn obey(&mut self) -> Result<Vec<String>, Failed> {
        self.read_new().await?;
        let registered = self.known.all_registered();
        Ok(self.fleet.bring_to(self.known.configs(), registered).await)
    }

    async fn listeners(&self, load_balancer: &Arn) -> Result<Vec<Listener>, Failed> {
        let of = [("LoadBalancerArn", load_balancer.as_str())];
        let action = "DescribeListeners";
        let mut all = self.pages(action, &of, describe::listeners).await?;
        for listener in &mut all {
            let of = [("ListenerArn", listener.arn.as_str())];
            listener.rules = self.pages("DescribeRules", &of, describe::rules).await?;
            if let Some(tls) = &mut listener.tls {
                self.read_certificates(&listener.arn, tls).await?;
            }
        }
        Ok(all)
    }

    /// What else than the default one there is, and for which names they are. An
    /// emulator may know of no others: then it is those that were kept here.
    async fn read_certificates(&self, listener: &Arn, tls: &mut Tls) -> Result<(), Failed> {
        let of = [("ListenerArn", listener.as_str())];
        let action = "DescribeListenerCertificates";
        let others = match self.pages(action, &of, describe::certificates).await {
            Err(Failed::Refused { .. }) => {
                let added = self.known.added.of(listener).iter();
                added.cloned().map(Certificate::unnamed).collect()
            }
            others => others?,
        };
        for other in others {
            if tls.certificates.iter().all(|one| one.arn != other.arn) {
                tls.certificates.push(other);
            }
        }
        for certificate in &mut tls.certificates {
            let known = self.certificate(&certificate.arn).await?;
            certificate.names = known.map(|known| known.names).unwrap_or_default();
        }
        Ok(())
    }

    /// What ACM says of it; none of what it has not.
    pub async fn certificate(&self, arn: &Arn) -> Result<Option<Issued>, Failed> {
        let input = json!({ "CertificateArn": arn.as_str() });
        let service = ("acm", "CertificateManager");
        match self
            .upstream
            .json(service, "DescribeCertificate", &input)
            .await
        {
            Ok(answer) => Ok(Some(Issued::of(&answer["Certificate"]))),
            Err(Failed::Refused { .. }) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    async fn pages<T>(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
        read: impl Fn(&str) -> Result<Page<T>, XmlError>,
    ) -> Result<Vec<T>, Failed> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let mut parameters = parameters.to_vec();
            parameters.push(("PageSize", PAGE));
            parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
            let text = self.upstream.elb(action, &parameters).await?;
            let page = readable(action, read(&text))?;
            all.extend(page.items);
            marker = page.next;
            if marker.is_none() {
                return Ok(all);
            }
        }
    }
}

/// None if what was asked about is not there any more, which is no failure: the
/// next look at the whole will say so.
fn unless_gone<T>(read: Result<T, Failed>) -> Result<Option<T>, Failed> {
    match read {
        Err(Failed::Refused { body, .. })
            if code_of_xml(&body).is_some_and(|code| code.ends_with("NotFound")) =>
        {
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// Names the call whose answer cannot be read.
pub fn readable<T>(what: &str, read: Result<T, XmlError>) -> Result<T, Failed> {
    read.map_err(|error| Failed::Unreadable {
        what: what.to_owned(),
        reason: error.to_string(),
    })
}
