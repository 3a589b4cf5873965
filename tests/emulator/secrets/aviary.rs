//! A world in which every place that holds a secret holds a canary, and what
//! was written in it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use localstack::gate::faults::Fault;

use super::canary::Canary;
use crate::support::Outcome;
use crate::world::{V1, World, greeter};

/// Prints what it should not, once in a step that fails if it is told to.
const DOCKERFILE: &str = r#"FROM scratch
COPY busybox /bin/busybox
COPY greeter /greeter
ARG TOKEN
ARG CONFIGURED
ENV BUILT_WITH=$TOKEN BUILT_AS=$CONFIGURED
RUN --mount=type=secret,id=file --mount=type=secret,id=env ["/bin/busybox", "sh", "-c", "cd /run/secrets; /bin/busybox cat file env; echo; /bin/busybox sha256sum file env"]
ENTRYPOINT ["/greeter"]
"#;

pub struct Planted {
    pub secret_key: Canary,
    pub session_token: Canary,
    pub profile_key: Canary,
    pub docker_login: Canary,
    pub secret_file: Canary,
    pub secret_variable: Canary,
    pub argument: Canary,
    pub configured_argument: Canary,
    pub environment: Canary,
    pub behind_an_arn: Canary,
}

impl Planted {
    fn new() -> Self {
        Self {
            secret_key: Canary::new("secret-key"),
            session_token: Canary::new("session-token"),
            profile_key: Canary::new("profile-key"),
            docker_login: Canary::new("docker-login"),
            secret_file: Canary::new("secret-file"),
            secret_variable: Canary::new("secret-variable"),
            argument: Canary::new("argument"),
            configured_argument: Canary::new("configured-argument"),
            environment: Canary::new("environment"),
            behind_an_arn: Canary::new("behind-an-arn"),
        }
    }

    fn all(&self) -> [&Canary; 10] {
        [
            &self.secret_key,
            &self.session_token,
            &self.profile_key,
            &self.docker_login,
            &self.secret_file,
            &self.secret_variable,
            &self.argument,
            &self.configured_argument,
            &self.environment,
            &self.behind_an_arn,
        ]
    }
}

/// A world with everything planted, and what was written in it.
pub struct Aviary {
    pub world: World,
    pub planted: Planted,
    written: Mutex<Vec<(String, String)>>,
}

impl Aviary {
    pub fn new() -> Outcome<Self> {
        greeter()?;
        let aviary = Self {
            world: World::new("canary")?,
            planted: Planted::new(),
            written: Mutex::default(),
        };
        let (desk, planted) = (&aviary.world.desk, &aviary.planted);
        desk.write("token", planted.secret_file.value())?;
        desk.write(
            "home/.aws/credentials",
            &format!(
                "[canary]\naws_access_key_id = test\naws_secret_access_key = {}\n",
                planted.profile_key.value()
            ),
        )?;
        desk.write("app/Dockerfile", DOCKERFILE)?;
        desk.write(
            "failing/Dockerfile",
            &DOCKERFILE.replace("sha256sum file env", "false"),
        )?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let busybox = runtime.block_on(localstack::busybox(&|_| ()))?;
        for folder in ["app", "failing"] {
            let folder = desk.path().join(folder);
            fs::copy(&busybox, folder.join("busybox"))?;
            fs::copy(Path::new(V1).join("dist/greeter"), folder.join("greeter"))?;
        }
        aviary.configure("", "")?;
        Ok(aviary)
    }

    /// Writes `bgecs.toml`, with more keys and one more variable.
    pub fn configure(&self, container: &str, variable: &str) -> Outcome {
        let text = format!(
            "app = \"canary\"\n[service]\ndesired_count = 1\n\
             [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 1\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n\
             [build]\nargs = {{ CONFIGURED = \"{}\" }}\n\
             [container]\n{container}\n[container.environment]\n{variable}\nPASSWORD = \"{}\"\n",
            self.planted.configured_argument.value(),
            self.planted.environment.value(),
        );
        self.world.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// Runs it as loudly as it can be run, and keeps what it wrote.
    pub fn run(&self, code: i32, arguments: &[&str]) -> Outcome<String> {
        self.run_with(code, arguments, &[])
    }

    pub fn run_with(
        &self,
        code: i32,
        arguments: &[&str],
        more: &[(&str, &str)],
    ) -> Outcome<String> {
        let arguments = [arguments, &["-vvvv"]].concat();
        let mut command = self.command(&arguments);
        let output = command.envs(more.iter().copied()).output()?;
        let ended = self.world.desk.ended(&arguments, &output);
        assert_eq!(ended.code, Some(code), "{}", ended.shown());
        let shown = format!("{}{}", ended.stdout, ended.stderr);
        self.keep(&ended.command, &shown);
        Ok(shown)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let planted = &self.planted;
        let mut command = self.world.desk.command(arguments);
        command
            .env("RUST_LOG", "trace")
            .env("AWS_SECRET_ACCESS_KEY", planted.secret_key.value())
            .env("AWS_SESSION_TOKEN", planted.session_token.value())
            .env("NPM_TOKEN", planted.secret_variable.value());
        // An explicit profile is looked up; the world's own files are empty.
        let credentials = self.world.desk.path().join("home/.aws/credentials");
        command.env("AWS_SHARED_CREDENTIALS_FILE", credentials);
        command
    }

    pub fn keep(&self, what: &str, text: &str) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push((what.to_owned(), text.to_owned()));
    }

    /// A build with all that a build is given; more arguments at its end.
    pub fn deploy(&self, code: i32, folder: &str, tag: &str, more: &[&str]) -> Outcome<String> {
        let argument = format!("TOKEN={}", self.planted.argument.value());
        self.run(code, &[&build(folder, tag, &argument)[..], more].concat())
    }

    /// The same, killed when it has told ECS of the new revision.
    pub fn deploy_and_kill(&self, folder: &str, tag: &str) -> Outcome {
        let argument = format!("TOKEN={}", self.planted.argument.value());
        let held = Fault::on("ecs", "UpdateService").hold_after();
        let faults = self.world.gate.faults();
        let held = faults.add(held);
        let mut command = self.command(&build(folder, tag, &argument));
        // Nobody reads what it says.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut deploying = command.spawn()?;
        self.world.until_held(held)?;
        deploying.kill()?;
        deploying.wait()?;
        faults.remove(held);
        Ok(())
    }

    pub fn expect_none(&self, one_more: &Canary) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for canary in self.planted.all().into_iter().chain([one_more]) {
            for (what, text) in written.iter() {
                assert!(
                    !canary.is_in(text),
                    "{canary:?} is in what {what} wrote:\n{text}"
                );
            }
        }
    }
}

fn build<'a>(folder: &'a str, tag: &'a str, argument: &'a str) -> [&'a str; 11] {
    [
        "deploy",
        folder,
        "--tag",
        tag,
        "--build-arg",
        argument,
        "--no-cache",
        "--secret",
        "id=file,src=token",
        "--secret",
        "id=env,env=NPM_TOKEN",
    ]
}
