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

impl Health {
    fn new(state: State, reason: Reason, description: impl Into<String>) -> Self {
        Self {
            state,
            reason: Some(reason),
            description: Some(description.into()),
        }
    }

    /// Of a target that was deregistered and whose delay has not passed.
    pub fn draining() -> Self {
        Self::new(
            State::Draining,
            Reason::DeregistrationInProgress,
            "Target deregistration is in progress",
        )
    }
}

/// How one check ended.
pub type Outcome = Result<(), Failure>;

/// Why a check did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// An answer that the matcher does not admit.
    WrongStatus(u16),
    TimedOut,
    /// No connection, or an answer that is not HTTP.
    NoAnswer,
}

/// How many checks in a row change a target's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub healthy: u32,
    pub unhealthy: u32,
}

/// What is known of one target: it is fed with outcomes and tells its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    phase: Phase,
    /// Checks in a row that speak against the phase.
    contrary: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Registering,
    Checking,
    Healthy,
    /// With the latest failure.
    Unhealthy(Failure),
    Unchecked,
}

impl Track {
    /// Of a target that is registered now.
    pub fn new(checked: bool) -> Self {
        let phase = if checked {
            Phase::Registering
        } else {
            Phase::Unchecked
        };
        Self { phase, contrary: 0 }
    }

    /// The settings of the checks have changed: what was found stays, what was
    /// counted does not.
    pub fn restart(&mut self, checked: bool) {
        self.contrary = 0;
        match (checked, self.phase) {
            (false, _) => self.phase = Phase::Unchecked,
            (true, Phase::Unchecked) => self.phase = Phase::Registering,
            (true, _) => {}
        }
    }

    /// The first check is being made.
    pub fn begin(&mut self) {
        if self.phase == Phase::Registering {
            self.phase = Phase::Checking;
        }
    }

    /// Takes in one check. One that passes makes a new target healthy; any other
    /// change needs as many in a row as its threshold says.
    pub fn observe(&mut self, outcome: Outcome, thresholds: Thresholds) {
        self.begin();
        let new = matches!(self.phase, Phase::Registering | Phase::Checking);
        match (self.phase, outcome) {
            (Phase::Unchecked, _) => {}
            (_, Ok(())) if new => self.turn(Phase::Healthy),
            (Phase::Unhealthy(_), Ok(())) => self.count(thresholds.healthy, Phase::Healthy),
            (_, Ok(())) => self.contrary = 0,
            (Phase::Unhealthy(_), Err(failure)) => self.turn(Phase::Unhealthy(failure)),
            (_, Err(failure)) => self.count(thresholds.unhealthy, Phase::Unhealthy(failure)),
        }
    }

    fn count(&mut self, needed: u32, next: Phase) {
        self.contrary += 1;
        if self.contrary >= needed {
            self.turn(next);
        }
    }

    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.contrary = 0;
    }

    pub fn state(&self) -> State {
        match self.phase {
            Phase::Registering | Phase::Checking => State::Initial,
            Phase::Healthy => State::Healthy,
            Phase::Unhealthy(_) => State::Unhealthy,
            Phase::Unchecked => State::Unavailable,
        }
    }

    pub fn health(&self) -> Health {
        let (reason, description) = match self.phase {
            Phase::Healthy => {
                return Health {
                    state: State::Healthy,
                    reason: None,
                    description: None,
                };
            }
            Phase::Registering => (
                Reason::RegistrationInProgress,
                "Target registration is in progress".to_owned(),
            ),
            Phase::Checking => (
                Reason::InitialHealthChecking,
                "Initial health checks in progress".to_owned(),
            ),
            Phase::Unhealthy(failure) => failed(failure),
            Phase::Unchecked => (
                Reason::HealthCheckDisabled,
                "Health checks are disabled for this target group".to_owned(),
            ),
        };
        Health::new(self.state(), reason, description)
    }
}

fn failed(failure: Failure) -> (Reason, String) {
    match failure {
        Failure::WrongStatus(status) => (
            Reason::ResponseCodeMismatch,
            format!("Health checks failed with these codes: [{status}]"),
        ),
        Failure::TimedOut => (Reason::Timeout, "Request timed out".to_owned()),
        Failure::NoAnswer => (
            Reason::FailedHealthChecks,
            "Health checks failed".to_owned(),
        ),
    }
}

/// Which targets get requests, by their places: the healthy ones, or all if none
/// is. That is AWS's "fail open": "if a target group contains only unhealthy
/// registered targets, the load balancer routes requests to all those targets,
/// regardless of their health status". AWS does not say what it does while all
/// are still `initial`; here that is the same.
/// Targets that are not checked are taken for healthy.
pub fn usable(states: &[State]) -> Vec<usize> {
    let healthy: Vec<usize> = (0..states.len())
        .filter(|&place| matches!(states[place], State::Healthy | State::Unavailable))
        .collect();
    if healthy.is_empty() {
        (0..states.len()).collect()
    } else {
        healthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSED: Outcome = Ok(());
    const FAILED: Outcome = Err(Failure::NoAnswer);
    const LATE: Outcome = Err(Failure::TimedOut);
    const WRONG: Outcome = Err(Failure::WrongStatus(500));
    const THRESHOLDS: Thresholds = Thresholds {
        healthy: 3,
        unhealthy: 2,
    };

    fn after(outcomes: &[Outcome]) -> Track {
        let mut track = Track::new(true);
        for outcome in outcomes {
            track.observe(*outcome, THRESHOLDS);
        }
        track
    }

    #[test]
    fn a_new_target_is_registering_then_checked_for_the_first_time() {
        let mut track = Track::new(true);
        assert_eq!(track.state(), State::Initial);
        assert_eq!(
            track.health().reason.map(Reason::as_str),
            Some("Elb.RegistrationInProgress")
        );
        track.begin();
        let health = track.health();
        assert_eq!(health.state, State::Initial);
        assert_eq!(
            health.reason.map(Reason::as_str),
            Some("Elb.InitialHealthChecking")
        );
        assert_eq!(
            health.description.as_deref(),
            Some("Initial health checks in progress")
        );
    }

    #[test]
    fn one_passed_check_makes_a_new_target_healthy() {
        assert_eq!(after(&[PASSED]).state(), State::Healthy);
        let late = after(&[FAILED, PASSED]);
        assert_eq!(late.state(), State::Healthy);
        assert_eq!(late.health().reason, None);
    }

    #[test]
    fn a_new_target_becomes_unhealthy_by_the_threshold() {
        assert_eq!(after(&[FAILED]).state(), State::Initial);
        assert_eq!(after(&[FAILED, LATE]).state(), State::Unhealthy);
    }

    #[test]
    fn only_failures_in_a_row_make_a_healthy_target_unhealthy() {
        let track = after(&[PASSED, WRONG, PASSED, WRONG]);
        assert_eq!(track.state(), State::Healthy);
        let track = after(&[PASSED, WRONG, PASSED, WRONG, WRONG]);
        assert_eq!(track.state(), State::Unhealthy);
    }

    #[test]
    fn an_unhealthy_target_needs_passed_checks_in_a_row() {
        let ill = [FAILED, FAILED];
        let with = |more: &[Outcome]| after(&[&ill, more].concat()).state();
        assert_eq!(with(&[PASSED, PASSED]), State::Unhealthy);
        assert_eq!(with(&[PASSED, PASSED, FAILED, PASSED]), State::Unhealthy);
        assert_eq!(with(&[PASSED, PASSED, PASSED]), State::Healthy);
    }

    #[test]
    fn the_reason_is_that_of_the_latest_failure() {
        let said = |last: Outcome| {
            let health = after(&[FAILED, FAILED, last]).health();
            (
                health.reason.map(Reason::as_str),
                health.description.unwrap_or_default(),
            )
        };
        assert_eq!(
            said(WRONG),
            (
                Some("Target.ResponseCodeMismatch"),
                "Health checks failed with these codes: [500]".to_owned()
            )
        );
        assert_eq!(
            said(LATE),
            (Some("Target.Timeout"), "Request timed out".to_owned())
        );
        assert_eq!(
            said(FAILED),
            (
                Some("Target.FailedHealthChecks"),
                "Health checks failed".to_owned()
            )
        );
    }

    #[test]
    fn new_settings_keep_the_state_and_forget_the_count() {
        let mut track = after(&[PASSED, FAILED]);
        track.restart(true);
        track.observe(FAILED, THRESHOLDS);
        assert_eq!(track.state(), State::Healthy);
    }

    #[test]
    fn checks_can_be_switched_off_and_on() {
        let mut track = after(&[PASSED]);
        track.restart(false);
        assert_eq!(track.state(), State::Unavailable);
        assert_eq!(
            track.health().reason.map(Reason::as_str),
            Some("Target.HealthCheckDisabled")
        );
        track.observe(PASSED, THRESHOLDS);
        assert_eq!(track.state(), State::Unavailable);
        track.restart(true);
        assert_eq!(track.state(), State::Initial);
    }

    #[test]
    fn healthy_targets_are_used_and_all_where_there_is_none() {
        use State::{Healthy, Initial, Unavailable, Unhealthy};
        assert_eq!(usable(&[Unhealthy, Healthy, Initial, Healthy]), [1, 3]);
        assert_eq!(usable(&[Unhealthy, Initial]), [0, 1]);
        assert_eq!(usable(&[Initial]), [0]);
        assert_eq!(usable(&[Unavailable, Unavailable]), [0, 1]);
        assert!(usable(&[]).is_empty());
    }
}
