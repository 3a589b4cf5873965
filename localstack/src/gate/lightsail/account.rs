//! What an account of Lightsail has, and what each call does to it. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::describe::{self, About};
use super::plane::Route;
use super::refused::Refused;
use super::{Attach, Options};
use crate::gate::refusal::request_id;

/// Where instances are if nobody says it.
const ZONE: &str = "us-east-1a";

/// When a call is made, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub at: Instant,
    /// In seconds, as the API tells time.
    pub epoch: f64,
}

#[derive(Debug)]
pub struct Account {
    attach: Attach,
    gap: Duration,
    own: Ipv4Addr,
    fixed: Ipv4Addr,
    /// By their names, as the static addresses are.
    instances: BTreeMap<String, Instance>,
    static_ips: BTreeMap<String, StaticIp>,
}

#[derive(Debug, Clone)]
pub struct Instance {
    pub id: String,
    /// Its own. AWS gives an instance a new one when its static IP is detached; here
    /// it has the old one again, where its server is.
    pub address: Ipv4Addr,
    pub zone: String,
    pub blueprint: String,
    pub bundle: String,
    pub created: f64,
}

#[derive(Debug, Clone)]
pub struct StaticIp {
    pub id: String,
    pub address: Ipv4Addr,
    pub created: f64,
    pub attached: Option<Attachment>,
}

#[derive(Debug, Clone)]
pub struct Attachment {
    /// The instance's name.
    pub to: String,
    /// Before that, the address leads nowhere.
    pub opens: Instant,
}

impl Account {
    pub fn new(options: &Options, now: Now) -> Self {
        let instance = |(name, address): &(String, Ipv4Addr)| {
            let instance = Instance::at(*address, &Value::Null, now);
            (name.clone(), instance)
        };
        Self {
            attach: options.attach,
            gap: options.gap,
            own: options.own,
            fixed: options.fixed,
            instances: options.instances.iter().map(instance).collect(),
            static_ips: BTreeMap::new(),
        }
    }

    pub fn set_attach(&mut self, attach: Attach, gap: Duration) {
        (self.attach, self.gap) = (attach, gap);
    }

    /// Where each static address leads.
    pub fn routes(&self) -> BTreeMap<Ipv4Addr, Option<Route>> {
        let route = |attachment: &Attachment| {
            let instance = self.instances.get(&attachment.to)?;
            Some(Route {
                to: instance.address,
                opens: attachment.opens,
            })
        };
        let all = self.static_ips.values();
        all.map(|it| (it.address, it.attached.as_ref().and_then(route)))
            .collect()
    }

    /// Does what a call asks, and gives its output.
    pub fn obey(&mut self, operation: &str, input: &Value, now: Now) -> Result<Value, Refused> {
        match operation {
            "CreateInstances" => self.create_instances(input, now),
            "GetInstance" => {
                let name = text(input, "instanceName")?;
                let instance = self.instance(name)?;
                Ok(json!({ "instance": self.described(name, instance) }))
            }
            "GetInstances" => {
                let all = self.instances.iter();
                let all = all.map(|(name, instance)| self.described(name, instance));
                Ok(json!({ "instances": all.collect::<Value>() }))
            }
            "DeleteInstance" => self.delete_instance(text(input, "instanceName")?, now),
            "AllocateStaticIp" => self.allocate(text(input, "staticIpName")?, now),
            "GetStaticIp" => {
                let name = text(input, "staticIpName")?;
                Ok(json!({ "staticIp": describe::static_ip(name, self.static_ip(name)?) }))
            }
            "GetStaticIps" => {
                let all = self.static_ips.iter();
                let all = all.map(|(name, it)| describe::static_ip(name, it));
                Ok(json!({ "staticIps": all.collect::<Value>() }))
            }
            "AttachStaticIp" => {
                let instance = text(input, "instanceName")?;
                self.attach(text(input, "staticIpName")?, instance, now)
            }
            "DetachStaticIp" => self.detach(text(input, "staticIpName")?, now),
            "ReleaseStaticIp" => self.release(text(input, "staticIpName")?, now),
            _ => Err(Refused::Unknown(operation.to_owned())),
        }
    }

    fn create_instances(&mut self, input: &Value, now: Now) -> Result<Value, Refused> {
        let names = input["instanceNames"].as_array();
        let names: Vec<&str> = names
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if names.is_empty() {
            return Err(missing("instanceNames"));
        }
        self.none_is_taken(&names)?;
        for name in &names {
            let taken: Vec<_> = self.instances.values().map(|it| it.address).collect();
            let instance = Instance::at(free(self.own, &taken)?, input, now);
            self.instances.insert((*name).to_owned(), instance);
        }
        let about = names.iter().filter_map(|name| {
            let instance = self.instances.get(*name)?;
            Some(About::Instance(name, &instance.zone, ""))
        });
        Ok(describe::done("CreateInstance", about, now))
    }

    /// Its static IP stays, attached to nothing.
    fn delete_instance(&mut self, name: &str, now: Now) -> Result<Value, Refused> {
        let zone = self.instance(name)?.zone.clone();
        self.instances.remove(name);
        for it in self.static_ips.values_mut() {
            it.attached.take_if(|attachment| attachment.to == name);
        }
        let about = [About::Instance(name, &zone, "")];
        Ok(describe::done("DeleteInstance", about, now))
    }

    fn allocate(&mut self, name: &str, now: Now) -> Result<Value, Refused> {
        self.none_is_taken(&[name])?;
        let taken: Vec<_> = self.static_ips.values().map(|it| it.address).collect();
        let it = StaticIp {
            id: request_id(),
            address: free(self.fixed, &taken)?,
            created: now.epoch,
            attached: None,
        };
        self.static_ips.insert(name.to_owned(), it);
        let about = [About::StaticIp(name, "")];
        Ok(describe::done("AllocateStaticIp", about, now))
    }

    fn attach(&mut self, name: &str, instance: &str, now: Now) -> Result<Value, Refused> {
        let zone = self.instance(instance)?.zone.clone();
        let before = self.static_ip(name)?.attached.as_ref();
        let before = before.map(|attachment| attachment.to.as_str());
        if let (Some(before), Attach::Refuses) = (before, self.attach) {
            return Err(Refused::InvalidInput(format!(
                "The StaticIp {name} is already attached to the Instance {before}"
            )));
        }
        let has_another = |(other, it): (&String, &StaticIp)| {
            let attached = it.attached.as_ref();
            other != name && attached.is_some_and(|attachment| attachment.to == instance)
        };
        // An instance has one `publicIpAddress`.
        if self.static_ips.iter().any(has_another) {
            return Err(Refused::InvalidInput(format!(
                "The Instance {instance} already has a StaticIp attached"
            )));
        }
        if before != Some(instance) {
            let attachment = Attachment {
                to: instance.to_owned(),
                opens: now.at + self.gap,
            };
            self.static_ip_mut(name)?.attached = Some(attachment);
        }
        let about = [
            About::StaticIp(name, instance),
            About::Instance(instance, &zone, name),
        ];
        Ok(describe::done("AttachStaticIp", about, now))
    }

    fn detach(&mut self, name: &str, now: Now) -> Result<Value, Refused> {
        let Some(attachment) = self.static_ip_mut(name)?.attached.take() else {
            return Err(Refused::InvalidInput(format!(
                "The StaticIp {name} is not attached to an Instance"
            )));
        };
        let zone = self.instance(&attachment.to)?.zone.as_str();
        let about = [
            About::StaticIp(name, &attachment.to),
            About::Instance(&attachment.to, zone, name),
        ];
        Ok(describe::done("DetachStaticIp", about, now))
    }

    /// An attached one too: nothing says that it has to be detached first.
    fn release(&mut self, name: &str, now: Now) -> Result<Value, Refused> {
        self.static_ip(name)?;
        self.static_ips.remove(name);
        let about = [About::StaticIp(name, "")];
        Ok(describe::done("ReleaseStaticIp", about, now))
    }

    fn described(&self, name: &str, instance: &Instance) -> Value {
        let is_its = |it: &&StaticIp| {
            let attached = it.attached.as_ref();
            attached.is_some_and(|attachment| attachment.to == name)
        };
        let fixed = self.static_ips.values().find(is_its);
        describe::instance(name, instance, fixed.map(|it| it.address))
    }

    /// "Must be unique within each AWS Region in your Lightsail account", whatever
    /// they are names of.
    fn none_is_taken(&self, names: &[&str]) -> Result<(), Refused> {
        let is_taken = |name: &&&str| {
            self.instances.contains_key(**name) || self.static_ips.contains_key(**name)
        };
        let taken: Vec<&str> = names.iter().filter(is_taken).copied().collect();
        if taken.is_empty() {
            return Ok(());
        }
        let taken = taken.join(", ");
        Err(Refused::InvalidInput(format!(
            "Some names are already in use: {taken}"
        )))
    }

    fn instance(&self, name: &str) -> Result<&Instance, Refused> {
        let found = self.instances.get(name);
        found.ok_or_else(|| no_such("Instance", name))
    }

    fn static_ip(&self, name: &str) -> Result<&StaticIp, Refused> {
        let found = self.static_ips.get(name);
        found.ok_or_else(|| no_such("StaticIp", name))
    }

    fn static_ip_mut(&mut self, name: &str) -> Result<&mut StaticIp, Refused> {
        let found = self.static_ips.get_mut(name);
        found.ok_or_else(|| no_such("StaticIp", name))
    }
}

impl Instance {
    fn at(address: Ipv4Addr, input: &Value, now: Now) -> Self {
        let said = |key: &str, otherwise: &str| {
            let said = input[key].as_str().unwrap_or(otherwise);
            said.to_owned()
        };
        Self {
            id: request_id(),
            address,
            zone: said("availabilityZone", ZONE),
            blueprint: said("blueprintId", "amazon_linux_2023"),
            bundle: said("bundleId", "nano_3_0"),
            created: now.epoch,
        }
    }
}

fn no_such(kind: &'static str, name: &str) -> Refused {
    let name = name.to_owned();
    Refused::NotFound { kind, name }
}

fn text<'a>(input: &'a Value, key: &str) -> Result<&'a str, Refused> {
    input[key].as_str().ok_or_else(|| missing(key))
}

fn missing(key: &str) -> Refused {
    Refused::InvalidInput(format!("{key} is required"))
}

/// The first address from that one on which nothing has.
fn free(first: Ipv4Addr, taken: &[Ipv4Addr]) -> Result<Ipv4Addr, Refused> {
    let all = (u32::from(first)..=u32::MAX).map(Ipv4Addr::from);
    let mut free = all.filter(|address| !taken.contains(address));
    let none = || Refused::OperationFailure("no address is left".to_owned());
    free.next().ok_or_else(none)
}

#[cfg(test)]
mod tests;
