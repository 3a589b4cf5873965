//! `bgecs unlock`

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::Unlock;
use crate::driver::turn;
use crate::engine::lease::Verdict;
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Command, Head, Lease};
use crate::model::{Endpoint, PerRoute};
use crate::report::{CommandResult, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum UnlockOutcome {
    Free,
    Held,
    /// The next command takes it over.
    Abandoned,
    /// By this very command.
    Broken,
}

#[derive(Debug, Serialize)]
struct Unlocked {
    operation: &'static str,
    outcome: UnlockOutcome,
    lease: Option<LeaseShown>,
    #[serde(skip)]
    sentence: String,
}

/// Who holds the lease, for programs.
#[derive(Debug, Serialize)]
pub struct LeaseShown {
    who: String,
    host: String,
    pid: u32,
    url: Option<String>,
    command: Command,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires: OffsetDateTime,
}

impl LeaseShown {
    pub fn of(lease: &Lease) -> Self {
        let holder = &lease.holder;
        Self {
            who: holder.who.name.clone(),
            host: holder.who.host.clone(),
            pid: holder.who.pid,
            url: holder.who.url.clone(),
            command: holder.command,
            since: holder.since,
            expires: lease.until,
        }
    }
}

impl CommandResult for Unlocked {
    fn human(&self, _: &Style) -> String {
        self.sentence.clone()
    }
}

pub async fn run(session: &Session, args: &Unlock) -> Result<Exit> {
    let infrastructure = session.infrastructure().await?;
    let endpoints = infrastructure.endpoints();
    let table = infrastructure.journal_table();
    let head = session.aws.read_head(table).await?;
    let now = session.aws.journal_time();
    let Some(lease) = &head.lease else {
        session.report.result(&Unlocked {
            operation: "unlock",
            outcome: UnlockOutcome::Free,
            lease: None,
            sentence: format!("nobody holds the lease{}", and_unfinished(&head, endpoints)),
        });
        return Ok(Exit::Done);
    };
    let (outcome, mut sentence) = match turn::judge(&head, now) {
        Verdict::Abandoned { by, why } => (
            UnlockOutcome::Abandoned,
            format!("{}: the next command takes it over", why.sentence(&by)),
        ),
        Verdict::Held(_) | Verdict::Free => (UnlockOutcome::Held, lease.sentence(now)),
    };
    if args.force {
        if !session.aws.break_lease(table, &lease.holder.id).await? {
            return Err(Error::refused("the lease has just changed hands")
                .hint("look at it again with `bgecs unlock`"));
        }
        sentence = format!("the lease of {} is broken", lease.holder);
    }
    sentence += &and_unfinished(&head, endpoints);
    if !args.force && outcome == UnlockOutcome::Held {
        sentence += "\nif you are sure that it is dead, `bgecs unlock --force` releases it";
    }
    session.report.result(&Unlocked {
        operation: "unlock",
        outcome: match args.force {
            true => UnlockOutcome::Broken,
            false => outcome,
        },
        lease: Some(LeaseShown::of(lease)),
        sentence,
    });
    Ok(Exit::Done)
}

fn and_unfinished(head: &Head, endpoints: &PerRoute<Endpoint>) -> String {
    match &head.operation {
        Some(operation) => format!(
            "\nthe {} is unfinished: {}; `bgecs resume` ends it",
            operation.name(),
            operation.last_words(endpoints)
        ),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
