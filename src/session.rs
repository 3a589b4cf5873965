//! What every command works with: configuration, AWS, HTTP, the reporter;
//! and the names that follow from them.

pub mod here;
pub mod secret_header;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::aws::{Access, Aws, StackSnapshot, StackStatus};
use crate::config::{Config, SecretHeader};
use crate::definition::Loaded;
use crate::driver::stack::inputs;
use crate::engine::plan;
use crate::engine::task_definition::LogPlace;
use crate::error::{Error, Exit, Result};
use crate::model::{Answer, Color, Infrastructure, Observed, PerRoute, Route};
use crate::probe::{Address, Question, ask_once};
use crate::report::{ReportEvent, Reporter};
use here::Here;
use hyper::http::{HeaderName, HeaderValue};
use secret_header::Shown;
use tokio::sync::OnceCell;

pub struct Session {
    pub config: Config,
    pub aws: Aws,
    pub report: Reporter,
    connect_to: Vec<String>,
    /// Once it was read.
    secret_header: OnceCell<Option<Shown>>,
    /// In what the file differs from the stack, once that was told.
    told: OnceLock<String>,
}

impl Session {
    /// # Errors
    /// No region, or anything else of the environment that cannot be used (exit
    /// 2); another account than the configuration names (exit 6), ahead of
    /// everything else that AWS is asked.
    pub async fn open(
        config: Config,
        access: &Access,
        connect_to: Vec<String>,
        report: Reporter,
    ) -> Result<Self> {
        let aws = Aws::connect(access).await?;
        if let Some(account) = &config.place.account {
            aws.caller().await?.refuse_other_than(account)?;
        }
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
            secret_header: OnceCell::new(),
            told: OnceLock::new(),
        })
    }

    /// Trusts the issuers of that file, whatever the configuration names.
    pub fn trust(&mut self, ca_file: Option<PathBuf>) {
        if ca_file.is_some() {
            self.config.probe.ca_file = ca_file;
        }
    }

    /// Shows that header, whatever the configuration names.
    pub fn show(&mut self, header: Option<SecretHeader>) {
        if header.is_some() {
            self.config.probe.secret_header = header;
        }
    }

    /// The header without which the load balancer answers nobody, read once. Who is
    /// about to change something asks ahead of that.
    ///
    /// # Errors
    /// As [`secret_header::read`].
    pub async fn secret_header(&self) -> Result<Option<Shown>> {
        let read = || async {
            let Some(header) = &self.config.probe.secret_header else {
                return Ok(None);
            };
            let aws = async || Ok(self.aws.clone());
            let shown = secret_header::read(header, |name| std::env::var_os(name), aws).await?;
            Ok::<_, Error>(Some(shown))
        };
        self.secret_header.get_or_try_init(read).await.cloned()
    }

    /// The app `hello` on these clients, telling nobody what it does.
    #[cfg(test)]
    pub fn of_hello(aws: Aws) -> Self {
        let audience = crate::report::Audience {
            quiet: true,
            ..Default::default()
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
            secret_header: OnceCell::new(),
            told: OnceLock::new(),
        }
    }

    /// Says whose account this is ahead of everything else, while the command
    /// begins: who cannot be asked holds nothing up.
    pub fn introduce(&self) {
        let aws = self.aws.clone();
        self.report.introduce(async move {
            match aws.caller().await {
                Ok(caller) => Some(caller),
                Err(error) => {
                    tracing::info!(%error, "whose account this is stays unknown");
                    None
                }
            }
        });
    }

    /// Where connections to the load balancer go instead of to its nodes.
    pub fn connect_to(&self) -> &[String] {
        &self.connect_to
    }

    pub fn app(&self) -> &str {
        self.config.app.as_str()
    }

    /// The stack, and with it the cluster and the repository, is named after the app.
    pub fn stack_name(&self) -> String {
        self.config.app.stack_name()
    }

    /// Where to ask a listener for a path: by the app's name, at the nodes of its
    /// load balancer, wherever that name leads so far.
    ///
    /// # Errors
    /// A path that no URL can have (exit 2), and what says [`Self::secret_header`].
    pub async fn address(
        &self,
        infra: &Infrastructure,
        port: Route,
        path: &str,
    ) -> Result<Address> {
        self.address_by(&infra.url(port), &infra.load_balancer_dns_name, path)
            .await
    }

    /// The same for whoever does not look at the answers: it shows no secret.
    ///
    /// # Errors
    /// A path that no URL can have (exit 2).
    pub fn bare_address(&self, infra: &Infrastructure, port: Route, path: &str) -> Result<Address> {
        self.bare_address_by(&infra.url(port), &infra.load_balancer_dns_name, path)
    }

    /// Where to ask production, at each way by which users come in; what would be
    /// asked twice is asked once.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub async fn production_addresses(
        &self,
        infra: &Infrastructure,
        path: &str,
    ) -> Result<Vec<Address>> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        let further = infra.further_ways.iter().map(|way| {
            let path = way.probe_path.as_deref().unwrap_or(path);
            (way.url.clone(), &way.load_balancer_dns_name, path)
        });
        let first = (
            infra.url(Route::Production),
            &infra.load_balancer_dns_name,
            path,
        );
        for (url, load_balancer, path) in std::iter::once(first).chain(further) {
            if seen.insert((url.clone(), load_balancer, path)) {
                all.push(self.address_by(&url, load_balancer, path).await?);
            }
        }
        Ok(all)
    }

    /// The same for any URL that leads to that load balancer.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub async fn address_by(&self, url: &str, load_balancer: &str, path: &str) -> Result<Address> {
        let bare = self.bare_address_by(url, load_balancer, path)?;
        Ok(bare.showing(self.secret_header().await?))
    }

    fn bare_address_by(&self, url: &str, load_balancer: &str, path: &str) -> Result<Address> {
        Address::parse(url)
            .and_then(|address| address.at_path(path))
            .map(|address| address.at_nodes_of(load_balancer))
            .map(|address| address.through(&self.connect_to))
            .map(|address| address.trusting(self.config.probe.ca_file.clone()))
            .map_err(Error::usage)
    }

    /// Where a person opens it, if bgecs is redirected.
    pub async fn here(&self, infra: &Infrastructure) -> Option<PerRoute<Here>> {
        here::here(
            &self.connect_to,
            self.config.probe.ca_file.as_deref(),
            infra,
        )
        .await
    }

    /// Where `bgecs logs` looks.
    pub fn log_place<'a>(&'a self, infra: &'a Infrastructure) -> LogPlace<'a> {
        LogPlace {
            group: &infra.log_group,
            region: self.aws.region(),
        }
    }

    /// By which command a person looks at a colour where the test route's URL alone
    /// shows another.
    pub fn asking(&self, infra: &Infrastructure, color: Color, here: Option<&Here>) -> String {
        let probe = &self.config.probe;
        let url = infra.url(Route::Test);
        let looked_at = (url.as_str(), probe.path.as_str());
        here::asking(color, looked_at, probe.ca_file.as_deref(), here)
    }

    /// Asks a listener for a path once, as a new visitor; the test listener for
    /// one of the colours, wherever it points.
    ///
    /// # Errors
    /// As [`Self::address`]; whatever comes or does not come is no error.
    pub async fn ask(
        &self,
        infra: &Infrastructure,
        port: Route,
        path: &str,
        color: Option<Color>,
        headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Arc<Answer>> {
        let mut address = self.address(infra, port, path).await?;
        if let Some(color) = color {
            address = address.asking_for(color);
        }
        let question = Question {
            headers,
            ..Question::default()
        };
        let asked = ask_once(&address, &question, self.config.probe.timeout).await;
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

    /// The registry, where it is not reached by ECR's own address.
    pub fn registry(&self) -> Option<String> {
        let named = self.config.registry.url.clone();
        named.or_else(|| self.aws.local_registry())
    }

    /// A pause between two looks: nobody else needs the limits of a local AWS.
    /// The calls' budget is the same there.
    pub fn poll_pause(&self, pause: Duration) -> Duration {
        match self.aws.local_endpoint() {
            Some(_) => pause / 5,
            None => pause,
        }
    }

    /// In what the file differs from the stack, in a sentence.
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
        // A file that is ill is said by whoever needs it.
        let loaded = Loaded::from(&self.config).ok()?;
        let needs = loaded.needs(&self.config, self.aws.region());
        let mut inputs = inputs(&self.config, &needs, "none");
        plan::keep_places(&stack.parameters, &mut inputs);
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
        if !is_made || stack.original().is_some() == self.config.attached.is_some() {
            return Ok(());
        }
        let (made, way) = match stack.original() {
            Some(_) => (
                "beside a service that ran before",
                "name it in [colors], as it was",
            ),
            None => (
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
        stack.infrastructure().map_err(|missing| {
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
        })
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
        let infra = self.settled_infrastructure().await?;
        Ok(self.aws.observe(&infra, None).await?)
    }

    /// Looks at everything, the stack's state among it.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub async fn observe_with_stack(&self) -> Result<(StackSnapshot, Observed)> {
        let stack = self.stack().await?;
        let infra = self.infrastructure_of(&stack)?;
        let observed = self.aws.observe(&infra, None).await?;
        Ok((stack, observed))
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

/// A stack with which nothing can be done as it is: why, and the way on.
pub fn unusable(stack: &StackSnapshot) -> Error {
    let mut error = Error::refused(stack.sentence());
    error.causes.extend(stack.reason.clone());
    error.hint = stack.way_on();
    error
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::report::Style;
    use crate::report::capture::{To, reporter};

    /// What is asked of users' answers shows it; what asks for none, and what no flag
    /// or file wants, does not.
    #[tokio::test]
    async fn the_secret_header_goes_with_what_is_asked() {
        let secret = Reply::json(&serde_json::json!({ "SecretString": "hunter22" }));
        let wire = Wire::new().on("GetSecretValue", secret);
        let session = Session::of_hello(wire.aws());
        let infra = crate::model::testing::infrastructure();
        let plain = session.address(&infra, Route::Test, "/").await.unwrap();
        assert_eq!(plain.secret_name(), None);

        let mut session = Session::of_hello(wire.aws());
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cdn-AbCdEf";
        session.show(Some(format!("X-Origin-Verify={arn}").parse().unwrap()));
        for route in [Route::Production, Route::Test] {
            let address = session.address(&infra, route, "/").await.unwrap();
            assert_eq!(address.secret_name(), Some("x-origin-verify"));
            assert!(!format!("{address} {address:?}").contains("hunter"));
            let bare = session.bare_address(&infra, route, "/").unwrap();
            assert_eq!(bare.secret_name(), None);
        }
        // It was asked for once.
        wire.assert_used_up();
    }

    /// Once in a command, however often it looks.
    #[tokio::test]
    async fn a_file_that_differs_from_the_stack_is_told_ahead_of_all() {
        let stack = |path: &str| {
            Reply::xml(
                "DescribeStacks",
                &format!(
                    "<Stacks><member><StackId>1</StackId><StackName>bgecs-hello</StackName>\
                     <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus>\
                     <Parameters><member><ParameterKey>HealthPath</ParameterKey><ParameterValue>{path}</ParameterValue></member>\
                     <member><ParameterKey>LiveColor</ParameterKey><ParameterValue>blue</ParameterValue></member></Parameters>\
                     </member></Stacks>"
                ),
            )
        };
        for (path, expected) in [
            ("/health", ""),
            (
                "/healthz",
                "warning: bgecs.toml differs from the stack (health path): run `bgecs init`\n",
            ),
        ] {
            let wire = Wire::new()
                .on("DescribeStacks", stack(path))
                .on("DescribeStacks", stack(path));
            let (report, seen) = reporter(To::Pipe, false, Style::plain());
            let session = Session::of_hello_telling(wire.aws(), report);
            // It has no outputs.
            assert!(session.settled_infrastructure().await.is_err());
            assert!(session.infrastructure().await.is_err());
            drop(session);
            assert_eq!(seen.err.text(), expected);
        }
    }

    /// Beside a service that ran before, of what `attach` was told.
    #[test]
    fn a_way_that_is_another_than_attach_made_is_told() {
        let file = |test: &str| {
            let text = format!(
                "app = 'web'\n[service]\ncluster = 'prod'\n[colors.blue]\nservice = 'web'\n\
                 [production]\nload_balancer = 'shared'\nport = 443\nurl = 'https://a.test'\n{test}"
            );
            Config::parse(&text, std::path::Path::new("/srv/bgecs.toml")).unwrap()
        };
        let mut session = Session::of_hello(Wire::new().aws());
        session.config = file("");
        let outputs = session.config.attached.as_ref().unwrap().written();
        let outputs = outputs.iter().map(|(name, words)| (*name, words.as_str()));
        let outputs: Vec<_> = outputs.chain([("Attached", "blue")]).collect();
        let stack = stack(&outputs);
        assert_eq!(session.difference(&stack), None);
        session.config = file("[test]\nport = 8443");
        assert_eq!(
            session.difference(&stack).unwrap(),
            "bgecs.toml differs from the stack (test): run `bgecs attach`"
        );
        session.config.attached.as_mut().unwrap().cluster = "other".to_owned();
        assert_eq!(
            session.difference(&stack).unwrap(),
            "bgecs.toml differs from the stack (running service, test): run `bgecs attach`"
        );
    }

    fn stack(outputs: &[(&str, &str)]) -> StackSnapshot {
        StackSnapshot {
            id: "1".to_owned(),
            name: "bgecs-hello".to_owned(),
            status: StackStatus::Ready,
            status_text: "CREATE_COMPLETE".to_owned(),
            reason: None,
            parameters: BTreeMap::new(),
            outputs: outputs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// An update would make the one out of the other.
    #[test]
    fn a_stack_of_another_kind_than_the_file_s_is_refused() {
        let session = Session::of_hello(Wire::new().aws());
        let is_fine = |outputs| session.refuse_of_another_kind(&stack(outputs)).is_ok();
        assert!(is_fine(&[("ClusterName", "bgecs-hello")]));
        assert!(is_fine(&[]));
        assert!(!is_fine(&[("ClusterName", "prod"), ("Attached", "blue")]));
    }
}
