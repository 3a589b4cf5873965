//! What a run of health checks says of a target. Pure: no clock, no socket.
//!
//! States, reason codes and descriptions are those of `DescribeTargetHealth`:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>.

/// `TargetHealthStateEnum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
    /// Health checks are disabled.
    Unavailable,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unused => "unused",
            Self::Draining => "draining",
            Self::Unavailable => "unavailable",
        }
    }
}

/// `TargetHealthReasonEnum`, as far as it is imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    RegistrationInProgress,
    InitialHealthChecking,
    ResponseCodeMismatch,
    Timeout,
    FailedHealthChecks,
    DeregistrationInProgress,
    NotInUse,
    NotRegistered,
    HealthCheckDisabled,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegistrationInProgress => "Elb.RegistrationInProgress",
            Self::InitialHealthChecking => "Elb.InitialHealthChecking",
            Self::ResponseCodeMismatch => "Target.ResponseCodeMismatch",
            Self::Timeout => "Target.Timeout",
            Self::FailedHealthChecks => "Target.FailedHealthChecks",
            Self::DeregistrationInProgress => "Target.DeregistrationInProgress",
            Self::NotInUse => "Target.NotInUse",
            Self::NotRegistered => "Target.NotRegistered",
            Self::HealthCheckDisabled => "Target.HealthCheckDisabled",
        }
    }
}

/// What `DescribeTargetHealth` says of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    /// None for a healthy one.
    pub reason: Option<Reason>,
    pub description: Option<String>,
}
