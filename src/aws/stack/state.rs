//! CloudFormation's stack states: what each means here, and what to do
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html>).

use super::StackSnapshot;

/// The states, as far as bgecs distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackStatus {
    /// Complete, and can be updated.
    Ready,
    /// Something is working on it.
    Busy,
    /// Somebody's change set for a stack that was never created. Nobody is working on it.
    InReview,
    /// The creation failed: it can only be deleted.
    Broken,
    /// An update failed and could not be rolled back: its rollback must be continued
    /// before anything else.
    Stuck,
    /// A deletion failed: it can be deleted again.
    DeleteFailed,
    /// An update failed and was rolled back: it can be updated.
    RolledBack,
    /// It is gone.
    Deleted,
    /// A state that bgecs neither causes nor resolves.
    Foreign,
}

const AT_WORK: &str = "something else is changing it";
const WAIT: &str = "try again when it is done";
const ANEW: &str = "fix the cause; `bgecs destroy` removes it, then `bgecs init` creates it again";
const AGAIN: &str = "fix the cause, then `bgecs init` again";

/// A state's kind, its meaning and what to do, with `NAME` for the stack's name.
fn known(state: &str) -> (StackStatus, &'static str, &'static str) {
    match state {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => {
            (StackStatus::Ready, "it is as it should be", "")
        }
        "IMPORT_ROLLBACK_COMPLETE" => (
            StackStatus::Ready,
            "an import failed and was taken back",
            "",
        ),
        "CREATE_IN_PROGRESS"
        | "UPDATE_IN_PROGRESS"
        | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "IMPORT_IN_PROGRESS"
        | "IMPORT_ROLLBACK_IN_PROGRESS" => (StackStatus::Busy, AT_WORK, WAIT),
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => (
            StackStatus::Busy,
            AT_WORK,
            "an update failed and is being taken back: try again when that is done",
        ),
        "ROLLBACK_IN_PROGRESS" => (
            StackStatus::Busy,
            AT_WORK,
            "its creation failed and is being taken back: when that is done, `bgecs destroy` removes it, then `bgecs init` creates it again",
        ),
        "DELETE_IN_PROGRESS" => (
            StackStatus::Busy,
            AT_WORK,
            "it is being deleted: when it is gone, `bgecs init` creates it again",
        ),
        "REVIEW_IN_PROGRESS" => (
            StackStatus::InReview,
            "someone made a change set for it that nobody executed, so it has no resources and nothing is changing it",
            "execute that change set (`aws cloudformation list-change-sets --stack-name NAME`), or `bgecs destroy` and then `bgecs init`",
        ),
        "CREATE_FAILED" => (
            StackStatus::Broken,
            "its creation failed, and what was made was left",
            ANEW,
        ),
        "ROLLBACK_FAILED" => (
            StackStatus::Broken,
            "its creation failed, and its rollback too",
            ANEW,
        ),
        "ROLLBACK_COMPLETE" => (
            StackStatus::Broken,
            "its creation failed and was taken back",
            ANEW,
        ),
        // If rollback is switched off, a failed update can be tried again.
        "UPDATE_FAILED" => (
            StackStatus::RolledBack,
            "an update failed and was left as far as it came",
            AGAIN,
        ),
        "UPDATE_ROLLBACK_COMPLETE" => (
            StackStatus::RolledBack,
            "an update failed and was taken back",
            AGAIN,
        ),
        // Traffic still flows through such a stack, so it is repaired and not removed.
        "UPDATE_ROLLBACK_FAILED" => (
            StackStatus::Stuck,
            "an update failed, and its rollback too",
            "fix the cause, then `aws cloudformation continue-update-rollback --stack-name NAME`",
        ),
        "IMPORT_ROLLBACK_FAILED" => (
            StackStatus::Foreign,
            "an import failed, and its rollback too",
            "bgecs imports nothing: whoever began that must end it (`aws cloudformation describe-stack-events --stack-name NAME` says what failed), then `bgecs init`",
        ),
        "DELETE_FAILED" => (
            StackStatus::DeleteFailed,
            "its deletion failed, and part of it may be gone",
            "remove what blocks it, and run `bgecs destroy` again: it continues where it stopped; then `bgecs init` creates it again",
        ),
        "DELETE_COMPLETE" => (
            StackStatus::Deleted,
            "it is gone",
            "`bgecs init` creates it again",
        ),
        _ if state.ends_with("_IN_PROGRESS") => (StackStatus::Busy, AT_WORK, WAIT),
        _ => (
            StackStatus::Foreign,
            "this bgecs does not know that state",
            "look at the stack in CloudFormation's console, or update bgecs",
        ),
    }
}

impl StackStatus {
    pub fn of(text: &str) -> Self {
        known(text).0
    }
}

impl StackSnapshot {
    pub fn sentence(&self) -> String {
        let (_, meaning, _) = known(&self.status_text);
        format!("the stack {} is {}: {meaning}", self.name, self.status_text)
    }

    /// What to do about a bad state.
    pub fn way_on(&self) -> Option<String> {
        let (_, _, way_on) = known(&self.status_text);
        (!way_on.is_empty()).then(|| way_on.replace("NAME", &self.name))
    }

    /// Whether it can only be read, and moved back.
    pub fn is_unusable(&self) -> bool {
        !matches!(self.status, StackStatus::Ready | StackStatus::RolledBack)
    }
}
