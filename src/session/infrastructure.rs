//! What `init` or `attach` made, as the app's stack describes it; and the whole app at
//! one moment.

use super::Session;
use crate::aws::{StackSnapshot, StackStatus};
use crate::definition::Loaded;
use crate::driver::hosted;
use crate::driver::stack::inputs;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::model::journal::Head;
use crate::model::{EcsInfrastructure, GivenFound, Infrastructure, NotEcs, Observed};
use crate::report::ReportEvent;

impl Session {
    /// How the file differs from the stack, in a sentence.
    pub fn difference(&self, stack: &StackSnapshot) -> Option<String> {
        let path = self.config.path.file_name().unwrap_or_default();
        let differs = |differing: &[String], command| {
            plan::differs(&path.to_string_lossy(), differing, command)
        };
        if stack.original().is_some() {
            // What else such a stack is made from is not in the file.
            let written = self.config.attached.as_ref()?.written();
            let differing = plan::differing(&stack.outputs, &written);
            return differs(&differing, "bgecs attach");
        }
        if let Some(edge) = &self.config.edge {
            let made = stack.infrastructure().ok()?;
            let differing = made.edge()?.differing(&edge.told());
            return differs(&differing, "bgecs init");
        }
        // A file that is ill is said by whoever needs it.
        let loaded = Loaded::from(&self.config).ok()?;
        let needs = loaded.needs(&self.config, self.aws.region());
        let mut inputs = inputs(&self.config, &needs, &GivenFound::default(), "none");
        plan::keep_places(&stack.parameters, &mut inputs);
        plan::keep_found(&stack.parameters, &mut inputs);
        let differing = plan::differing(&stack.parameters, &inputs);
        differs(&differing, "bgecs init")
    }

    /// Tells of it once, ahead of all that depends on the stack: what is tried
    /// in vain without it costs minutes.
    fn tell_of_difference(&self, stack: &StackSnapshot) {
        if let Some(difference) = self.difference(stack)
            && self.told.set(difference.clone()).is_ok()
        {
            self.report.tell(&ReportEvent::Warning(difference));
        }
    }

    /// What was told of it, for whoever fails later.
    pub fn told_difference(&self) -> Option<&str> {
        self.told.get().map(String::as_str)
    }

    async fn stack(&self) -> Result<StackSnapshot> {
        let name = self.stack_name();
        self.aws.read_stack(&name).await?.ok_or_else(|| {
            Error::failed(format!("there is no stack {name} in {}", self.aws.region()))
                .hint("`bgecs init` creates it; if it exists, check --region and --profile")
        })
    }

    /// Reads the stack's outputs.
    ///
    /// # Errors
    /// No stack, one that is broken, or one that lacks an output.
    pub async fn infrastructure(&self) -> Result<Infrastructure> {
        let stack = self.stack().await?;
        self.tell_of_difference(&stack);
        self.infrastructure_of(&stack)
    }

    /// A stack that was made for other than the file says.
    ///
    /// # Errors
    /// It was (exit 2).
    pub fn refuse_of_another_kind(&self, stack: &StackSnapshot) -> Result<()> {
        // One that never came to be is of no kind.
        let is_made = !stack.outputs.is_empty();
        let (original, router) = (stack.original(), stack.router());
        let is_alike = original.is_some() == self.config.attached.is_some()
            && router.is_some() == self.config.edge.is_some();
        if !is_made || is_alike {
            return Ok(());
        }
        let (made, way) = match (original, router) {
            (Some(_), _) => (
                "beside a service that ran before",
                "name it in [colors], as it was",
            ),
            (None, Some(_)) => (
                "for colours that bgecs does not run",
                "keep [router] and [colors] as they were; or `bgecs destroy` with them gives the router back first",
            ),
            (None, None) if self.config.edge.is_some() => (
                "for ECS services",
                "take [router] and [colors] out; or give the app another name, and go over with DNS in front of both",
            ),
            (None, None) => (
                "by `bgecs init`",
                "take [colors] out, or give the app another name",
            ),
        };
        let stack = &stack.name;
        let message = format!("the stack {stack} was made {made}, and bgecs.toml says otherwise");
        Err(Error::usage(message).hint(way))
    }

    /// The same of a stack that was read.
    ///
    /// # Errors
    /// As [`Self::infrastructure`]; one that was not made for what the file says.
    pub fn infrastructure_of(&self, stack: &StackSnapshot) -> Result<Infrastructure> {
        self.refuse_of_another_kind(stack)?;
        let infrastructure = stack.infrastructure();
        infrastructure.map_err(|missing| incomplete(stack, &missing))
    }

    /// The same for who is about to change something. What gets one out of
    /// trouble, a rollback, does not ask for it.
    ///
    /// # Errors
    /// As [`Self::infrastructure`]; a stack that something else is at work on, or
    /// that is about to go (exit 6).
    pub async fn settled_infrastructure(&self) -> Result<Infrastructure> {
        let stack = self.stack().await?;
        match stack.status {
            // Users' requests go through such a stack as before.
            StackStatus::Ready
            | StackStatus::RolledBack
            | StackStatus::Stuck
            | StackStatus::Foreign => {
                self.tell_of_difference(&stack);
                self.infrastructure_of(&stack)
            }
            StackStatus::Busy
            | StackStatus::InReview
            | StackStatus::Broken
            | StackStatus::DeleteFailed
            | StackStatus::Deleted => Err(unusable(&stack)),
        }
    }

    /// What a dry run looks at: it is refused what the run would be.
    ///
    /// # Errors
    /// As [`Self::settled_infrastructure`], and AWS's own.
    pub async fn observe_settled(&self) -> Result<Observed> {
        self.look(&self.settled_infrastructure().await?, None).await
    }

    /// Looks at everything, the stack's state among it.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub async fn observe_with_stack(&self) -> Result<(StackSnapshot, Observed)> {
        let stack = self.stack().await?;
        let infra = self.infrastructure_of(&stack)?;
        Ok((stack, self.look(&infra, None).await?))
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// As [`Self::infrastructure`], and AWS's own.
    pub async fn observe(&self) -> Result<Observed> {
        self.look(&self.infrastructure().await?, None).await
    }

    /// The same where it is known what was made, and what the journal says.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn look(&self, infra: &Infrastructure, journal: Option<Head>) -> Result<Observed> {
        match infra {
            Infrastructure::Ecs(ecs) => Ok(self.aws.observe(ecs, journal).await?),
            // On the heap: what looks at both kinds is a part of much.
            Infrastructure::Edge(edge) => Box::pin(hosted::look(self, edge, journal)).await,
        }
    }

    /// For an app that has ECS services.
    ///
    /// # Errors
    /// As [`Self::infrastructure`]; it has none (exit 6).
    pub async fn ecs_infrastructure(&self) -> Result<EcsInfrastructure> {
        match self.infrastructure().await? {
            Infrastructure::Ecs(ecs) => Ok(*ecs),
            Infrastructure::Edge(_) => Err(NotEcs.into()),
        }
    }
}

/// A stack that lacks that output: why, and the way on.
pub fn incomplete(stack: &StackSnapshot, missing: &str) -> Error {
    let exit = match stack.status {
        StackStatus::Ready | StackStatus::RolledBack => {
            let state = format!("the stack {} is {}", stack.name, stack.status_text);
            return Error::failed(format!("{state} and has no output {missing}"))
                .hint("`bgecs init` brings it up to date with this bgecs");
        }
        StackStatus::Busy => Exit::Refused,
        _ => Exit::Failed,
    };
    Error {
        exit,
        ..unusable(stack)
    }
}

/// A stack with which nothing can be done as it is: why, and the way on.
pub fn unusable(stack: &StackSnapshot) -> Error {
    let mut error = Error::refused(stack.sentence());
    error.causes.extend(stack.reason.clone());
    error.hint = stack.way_on();
    error
}
