//! Records of Route 53, as far as the health of a load balancer may decide on
//! them.

/// A zone of the account's, public or private.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    pub id: String,
    pub name: String,
    pub is_private: bool,
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
