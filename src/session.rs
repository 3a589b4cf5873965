//! What every command works with: configuration, AWS, HTTP, the reporter;
//! and the names that follow from them.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::{Access, Aws, StackSnapshot, StackStatus};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::{Answer, Color, Infrastructure, Observed, Port};
use crate::probe::{Address, Question, ask_once};
use crate::report::Reporter;

pub struct Session {
    pub config: Config,
    pub aws: Aws,
    pub report: Reporter,
    connect_to: Vec<String>,
}

impl Session {
    /// # Errors
    /// No region.
    pub async fn open(
        config: Config,
        access: &Access,
        connect_to: Vec<String>,
        report: Reporter,
    ) -> Result<Self> {
        let aws = Aws::connect(access).await?;
        // What was said explicitly wins; a local AWS is reached through its endpoint.
        let configured = config
            .load_balancer
            .connect_to
            .as_ref()
            .map(ToString::to_string);
        let connect_to = match connect_to.is_empty() {
            true => configured
                .or_else(|| aws.local_endpoint())
                .into_iter()
                .collect(),
            false => connect_to,
        };
        Ok(Self {
            config,
            aws,
            report,
            connect_to,
        })
    }

    /// The app `hello` on these clients, telling nobody what it does.
    #[cfg(test)]
    pub fn of_hello(aws: Aws) -> Self {
        let audience = crate::report::Audience {
            json: false,
            quiet: true,
        };
        Self::of_hello_telling(aws, Reporter::new(audience))
    }

    #[cfg(test)]
    pub fn of_hello_telling(aws: Aws, report: Reporter) -> Self {
        let config = Config::parse(
            "app = 'hello'",
            std::path::Path::new("/srv/hello/bgecs.toml"),
        );
        Self {
            config: config.unwrap(),
            aws,
            report,
            connect_to: Vec::new(),
        }
    }

    pub fn app(&self) -> &str {
        self.config.app.as_str()
    }

    /// The stack, and with it the cluster and the repository, is named after the app.
    pub fn stack_name(&self) -> String {
        self.config.app.stack_name()
    }

    /// Where to ask a listener for a path.
    ///
    /// # Errors
    /// A path that no URL can have (exit 2).
    pub fn address(&self, infra: &Infrastructure, port: Port, path: &str) -> Result<Address> {
        Address::parse(&infra.url(port))
            .and_then(|address| address.at_path(path))
            .map(|address| address.through(&self.connect_to))
            .map_err(Error::usage)
    }

    /// Asks a listener for a path once, as a new visitor; the test listener for
    /// one of the colours, wherever it points.
    ///
    /// # Errors
    /// As [`Self::address`]; whatever comes or does not come is no error.
    pub async fn ask(
        &self,
        infra: &Infrastructure,
        port: Port,
        path: &str,
        color: Option<Color>,
    ) -> Result<Arc<Answer>> {
        let mut address = self.address(infra, port, path)?;
        if let Some(color) = color {
            address = address.asking_for(color);
        }
        let asked = ask_once(&address, &Question::default(), self.config.probe.timeout).await;
        Ok(asked.answer)
    }

    /// The registry's address of the app's repository: where to push, and the
    /// name by which the tasks pull.
    pub fn repository(&self, infra: &Infrastructure) -> String {
        match self.registry() {
            Some(registry) => format!("{registry}/{}", infra.repository),
            None => infra.repository_uri.clone(),
        }
    }

    /// The registry, where it is not reached by ECR's own address. Docker takes
    /// plain HTTP only from `localhost`.
    fn registry(&self) -> Option<String> {
        self.config.registry.url.clone().or_else(|| {
            let endpoint = self.aws.local_endpoint()?;
            let port = endpoint.rsplit_once(':').map_or("80", |(_, port)| port);
            Some(format!("localhost:{port}"))
        })
    }

    /// A pause between two looks: nobody else needs the limits of a local AWS.
    /// The calls' budget is the same there.
    pub fn poll_pause(&self, pause: Duration) -> Duration {
        match self.aws.local_endpoint() {
            Some(_) => pause / 5,
            None => pause,
        }
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
        self.infrastructure_of(&self.stack().await?)
    }

    fn infrastructure_of(&self, stack: &StackSnapshot) -> Result<Infrastructure> {
        let name = self.stack_name();
        stack.infrastructure().map_err(|missing| {
            if stack.status == StackStatus::Busy {
                return busy(&name, stack);
            }
            let error = Error::failed(format!(
                "the stack {name} is {} and has no output {missing}",
                stack.status_text
            ));
            match stack.status {
                StackStatus::Broken | StackStatus::DeleteFailed => {
                    error.hint("`bgecs destroy` removes it, then `bgecs init` creates it again")
                }
                StackStatus::Ready
                | StackStatus::RolledBack
                | StackStatus::Stuck
                | StackStatus::Busy => {
                    error.hint("`bgecs init` brings it up to date with this bgecs")
                }
            }
        })
    }

    /// The same for who is about to change something. What gets one out of
    /// trouble, a rollback, does not ask for it.
    ///
    /// # Errors
    /// As [`Self::infrastructure`]; a stack that something else is at work on
    /// (exit 6).
    pub async fn settled_infrastructure(&self) -> Result<Infrastructure> {
        let stack = self.stack().await?;
        if stack.status == StackStatus::Busy {
            return Err(busy(&self.stack_name(), &stack));
        }
        self.infrastructure_of(&stack)
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// As [`Self::infrastructure`], and AWS's own.
    pub async fn observe(&self) -> Result<Observed> {
        let infra = self.infrastructure().await?;
        Ok(self.aws.observe(&infra, None).await?)
    }
}

/// A stack that is being created, changed or deleted by something else.
pub fn busy(name: &str, stack: &StackSnapshot) -> Error {
    let message = format!(
        "the stack {name} is {}: something else is changing it",
        stack.status_text
    );
    let error = Error::refused(message).hint("try again when it is done");
    match &stack.reason {
        Some(reason) => error.cause(reason),
        None => error,
    }
}
