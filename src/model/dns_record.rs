//! Route 53 records, as far as a load balancer's health can decide on them.

/// A zone of the account's, public or private.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    pub id: String,
    pub name: String,
    pub is_private: bool,
}

impl HostedZone {
    /// Whether that name is its own, or below it.
    pub fn holds(&self, name: &str) -> bool {
        let above = name.strip_suffix(self.name.as_str());
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    /// Its id without what AWS may write ahead of it.
    pub fn bare_id(&self) -> &str {
        self.id.trim_start_matches("/hostedzone/")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRecord {
    pub zone: HostedZone,
    pub name: String,
    /// Such as `A`.
    pub kind: String,
    /// What tells it from others of its name and kind: `weighted`, `failover` and
    /// such records have one.
    pub set: Option<String>,
    /// The name that it stands for, where it takes its health from that.
    pub healthy_with: Option<String>,
}

/// What was looked through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DnsRecords {
    pub records: Vec<DnsRecord>,
    /// Zones that were too many to look into, by their names.
    pub unread: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_holds_its_name_and_those_below_it() {
        let zone = HostedZone {
            id: "/hostedzone/Z1".to_owned(),
            name: "shop.test".to_owned(),
            is_private: false,
        };
        let held = ["shop.test", "www.shop.test", "a.b.shop.test"];
        assert!(held.iter().all(|name| zone.holds(name)));
        let others = ["myshop.test", "shop.test.org", "test", ""];
        assert!(!others.iter().any(|name| zone.holds(name)));
        assert_eq!(zone.bare_id(), "Z1");
    }
}
