//! An account's quotas in a region.

/// A quota of AWS's, by the codes of Service Quotas
/// (<https://docs.aws.amazon.com/servicequotas/latest/userguide/intro.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaName {
    pub service: &'static str,
    pub code: &'static str,
    /// What is counted, in the plural.
    pub of: &'static str,
}

impl QuotaName {
    pub const VPCS: Self = Self {
        service: "vpc",
        code: "L-F678F1CE",
        of: "VPCs",
    };
    pub const LOAD_BALANCERS: Self = Self {
        service: "elasticloadbalancing",
        code: "L-53DA6B97",
        of: "Application Load Balancers",
    };
    pub const ADDRESSES: Self = Self {
        service: "ec2",
        code: "L-0263D0A3",
        of: "Elastic IP addresses",
    };
    /// On demand; those of Spot have a quota of their own.
    pub const VCPUS: Self = Self {
        service: "fargate",
        code: "L-3032A538",
        of: "vCPUs of Fargate",
    };
}

/// A quota, how much of it is used, and how much more a first release takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuotaUse {
    pub name: QuotaName,
    pub limit: f64,
    /// None where AWS does not tell.
    pub used: Option<f64>,
    pub needed: f64,
}
