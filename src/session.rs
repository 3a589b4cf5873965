//! What every command works with: configuration, AWS, HTTP, the reporter;
//! and the names that follow from them.

use std::time::Duration;

use crate::aws::{Access, Aws, StackSnapshot, StackStatus};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::{Infrastructure, Observed, Port};
use crate::probe::{Address, Client};
use crate::report::Reporter;

pub struct Session {
    pub config: Config,
    pub aws: Aws,
    pub http: Client,
    pub report: Reporter,
    connect_to: Option<String>,
}

impl Session {
    /// # Errors
    /// No region, or no HTTP client.
    pub async fn open(
        config: Config,
        access: &Access,
        connect_to: Option<String>,
        report: Reporter,
    ) -> Result<Self> {
        let aws = Aws::connect(access).await?;
        let http = Client::new(config.probe.timeout)
            .map_err(|error| Error::failed("the HTTP client cannot be set up").cause(error))?;
        // What was said explicitly wins; a local AWS is reached through its endpoint.
        let configured = config
            .load_balancer
            .connect_to
            .as_ref()
            .map(ToString::to_string);
        let connect_to = connect_to.or(configured).or_else(|| aws.local_endpoint());
        Ok(Self {
            config,
            aws,
            http,
            report,
            connect_to,
        })
    }

    /// The app `hello` on these clients, telling nobody what it does.
    #[cfg(test)]
    pub fn of_hello(aws: Aws) -> Self {
        use crate::report::Audience;
        let config = Config::parse(
            "app = 'hello'",
            std::path::Path::new("/srv/hello/bgecs.toml"),
        );
        let audience = Audience {
            json: false,
            quiet: true,
        };
        Self {
            config: config.unwrap(),
            aws,
            http: Client::for_tests(Duration::from_secs(5)),
            report: Reporter::new(audience),
            connect_to: None,
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
    pub fn address(&self, infra: &Infrastructure, port: Port, path: &str) -> Address {
        Address::new(&infra.url(port), path, self.connect_to.as_deref())
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
                .hint("`bgecs init` creates it; if it exists, look at --region and --profile")
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
                    error.hint("`bgecs destroy` removes it, then `bgecs init` creates it anew")
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
        "the stack {name} is {}: something else is at work on it",
        stack.status_text
    );
    let error = Error::refused(message).hint("try again when it is done");
    match &stack.reason {
        Some(reason) => error.cause(reason),
        None => error,
    }
}
