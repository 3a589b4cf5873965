//! `bgecs serve`: a worker that takes releases from a queue, one at a time.

mod health;
mod taken;
mod upload;
pub(super) mod wanted;

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::release::{Ledger, SetContext};
use crate::aws::{Aws, DeadLetters, Message};
use crate::cli::{Global, ServeArgs};
use crate::config::{Config, ConfigError, FILE_NAME, NotifySection, Releasable, ServeSection};
use crate::counted::counted;
use crate::driver::notify::Notifier;
use crate::error::{Error, Exit, Result};
use crate::interrupt::{Interrupts, Signals};
use crate::report::{Audience, ReportEvent, Reporter};
use health::Health;
use taken::LeasesTaken;

/// How long SQS is asked for a message at a time: less than a call may take.
const LISTEN: Duration = Duration::from_secs(10);
/// For how long a message is kept from other workers, unless that is renewed.
const KEEP: Duration = Duration::from_secs(20);
/// When it is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How long a worker that has nothing left to do waits for its notices; and one that is
/// to stop.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_OF_STOPPED: Duration = Duration::from_secs(10);
/// How long a worker rests when SQS itself fails.
const REST: Duration = Duration::from_secs(5);

pub async fn run(global: &Global, audience: Audience, args: &ServeArgs) -> Result<Exit> {
    let report = Reporter::new(audience);
    let served = served(global, args.file.as_deref())?;
    let context = SetContext {
        signals: Signals::Nobodys,
        ..SetContext::of_person(global, &report)
    };
    let worker = Worker::start(&context, served, args).await?;
    let health = match args.health {
        Some(address) => Some(Health::answer(address).await?),
        None => None,
    };
    let ended = worker.serve(args, health.as_ref()).await;
    let patience = match args.until_empty {
        true => PATIENCE,
        false => PATIENCE_OF_STOPPED,
    };
    worker.notifier.end(patience).await;
    ended.map(|()| Exit::Done)
}

/// The file that has `[serve]`, and those that it allows.
pub(super) fn served(global: &Global, file: Option<&Path>) -> Result<Vec<Releasable>> {
    let environment = global.environment().map(|(name, _)| name);
    let cwd = super::working_folder()?;
    let set = cwd.join("set.toml");
    let path = match (file, &global.config) {
        (Some(file), None) => cwd.join(file),
        (None, None) if set.is_file() => set,
        (None, config) => Config::find(config.as_deref(), &cwd)?,
        (Some(_), Some(_)) => {
            return Err(Error::usage(
                "--config and FILE both name what is served: give one",
            ));
        }
    };
    let load = |path: &Path| {
        Releasable::load(path, environment.as_deref()).map_err(|error| match error {
            ConfigError::NotFound { .. } => Error::from(error).hint(format!(
                "`bgecs serve` needs a set.toml or a {FILE_NAME} with [serve]"
            )),
            error => error.into(),
        })
    };
    let mut all = vec![load(&path)?];
    for path in &all[0].set.serve.allow.clone() {
        let it = load(path)?;
        let name = &it.set.name;
        if let Some(twin) = all.iter().find(|other| other.is_same_as(&it)) {
            return Err(Error::usage(format!(
                "{} and {} are both {name}: an upload could mean either",
                twin.set.path.display(),
                path.display()
            )));
        }
        all.push(it);
    }
    Ok(all)
}

/// What one process works with.
struct Worker<'a> {
    context: &'a SetContext<'a>,
    aws: Aws,
    queue: String,
    letters: DeadLetters,
    serve: ServeSection,
    /// The first one is the worker's own.
    releasables: Vec<Releasable>,
    /// Where it is kept what became of an upload that names nothing.
    home: Ledger,
    notifier: Notifier,
    taken: LeasesTaken,
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
enum Disposal {
    /// All is done, or nothing is to be.
    Done,
    /// It comes again, after that time.
    Later(Duration),
    /// Nothing can be done with it, for that reason.
    Strange(String),
}

impl<'a> Worker<'a> {
    /// # Errors
    /// A queue of the wrong kind (exit 2 or 6), an app that was not made, anything else
    /// that would keep it from working.
    async fn start(
        context: &'a SetContext<'a>,
        releasables: Vec<Releasable>,
        args: &ServeArgs,
    ) -> Result<Self> {
        let own = &releasables[0].set;
        let serve = own.serve.clone();
        let Some(queue) = args.queue.clone().or_else(|| serve.queue.clone()) else {
            return Err(Error::usage("nothing says which queue reports uploads")
                .hint("name it with --queue URL, or as `queue` in [serve]"));
        };
        // Whoever serves an app that was not made learns it now.
        context.open(own, &[]).await?;
        let home = context.ledger(own).await?;
        let aws = home.aws.clone();
        let letters = fitting(&aws, &queue, serve.tries).await?;
        let told = NotifySection {
            sns: args.topic.clone().or_else(|| own.notify.sns.clone()),
            webhook: own.notify.webhook.clone(),
        };
        let notifier = notifier(context, &aws, &told)?;
        Ok(Self {
            context,
            aws,
            queue,
            letters,
            serve,
            home,
            notifier,
            taken: LeasesTaken::default(),
            releasables,
        })
    }

    /// Until a signal, or as long as something is waiting.
    async fn serve(&self, args: &ServeArgs, health: Option<&Health>) -> Result<()> {
        let mut interrupts = Interrupts::listen()?;
        let names: Vec<&str> = self
            .releasables
            .iter()
            .map(|it| it.set.name.as_str())
            .collect();
        self.note(format!("serving {} from {}", names.join(", "), self.queue));
        loop {
            if let Some(health) = health {
                health.is_alive();
            }
            let listen = match args.until_empty {
                true => Duration::from_secs(1),
                false => LISTEN,
            };
            let received = tokio::select! {
                received = self.aws.receive(&self.queue, (listen, KEEP)) => received,
                _ = interrupts.next() => break,
            };
            let message = match received {
                Ok(Some(message)) => message,
                Ok(None) if args.until_empty => {
                    self.tell_of_what_is_left().await?;
                    break;
                }
                Ok(None) => continue,
                Err(error) if error.is_retryable() => {
                    self.warn(format!("the queue cannot be read: {error}"));
                    tokio::select! {
                        () = sleep(REST) => continue,
                        _ = interrupts.next() => break,
                    }
                }
                Err(error) => return Err(error.into()),
            };
            let mut is_over = false;
            let overtime = async {
                interrupts.next().await;
                is_over = true;
                tokio::select! {
                    () = sleep(args.grace) => {}
                    _ = interrupts.next() => {}
                }
            };
            tokio::select! {
                done = Box::pin(self.keeping(&message, health)) => self.dispose(&message, done).await,
                () = overtime => self.hand_over(&message).await,
            }
            if is_over {
                break;
            }
        }
        self.note("stopped".to_owned());
        Ok(())
    }

    /// What waits for its turn, or was with a worker that died, is there and not to be had.
    async fn tell_of_what_is_left(&self) -> Result<()> {
        let kept = self.aws.kept_messages(&self.queue).await?;
        if kept > 0 {
            let left = counted(kept, "message");
            self.warn(format!(
                "{left} left that another worker has, or that comes later: the next worker takes what is left then"
            ));
        }
        Ok(())
    }

    /// Works on a message, and keeps it from others meanwhile.
    async fn keeping(&self, message: &Message, health: Option<&Health>) -> Disposal {
        tokio::select! {
            done = self.work_on(message) => done,
            never = self.renew(message, health) => match never {},
        }
    }

    async fn renew(&self, message: &Message, health: Option<&Health>) -> Infallible {
        loop {
            sleep(RENEW).await;
            if let Some(health) = health {
                health.is_alive();
            }
            if let Err(error) = self.aws.keep(&self.queue, message, KEEP).await {
                self.warn(format!(
                    "the message cannot be kept from other workers: {error}"
                ));
            }
        }
    }

    async fn dispose(&self, message: &Message, done: Disposal) {
        let (queue, aws) = (&self.queue, &self.aws);
        let disposed = match &done {
            Disposal::Done => aws.delete_message(queue, message).await,
            Disposal::Later(time) => aws.keep(queue, message, *time).await,
            Disposal::Strange(why) => {
                self.warn(format!(
                    "a message is not an upload: {why}; it goes to the dead-letter queue"
                ));
                let buried = aws.bury(&self.letters, message, why).await;
                match buried {
                    Ok(()) => aws.delete_message(queue, message).await,
                    Err(error) => Err(error),
                }
            }
        };
        if let Err(error) = disposed {
            self.warn(format!("the message comes again: {error}"));
        }
    }

    /// Leaves a release that is under way to the next worker, which finds it as it finds
    /// one that was killed, and at once.
    async fn hand_over(&self, message: &Message) {
        self.taken.let_go(self.context.report).await;
        self.warn("the release is left to another worker, which ends it first".to_owned());
        if let Err(error) = self.aws.keep(&self.queue, message, Duration::ZERO).await {
            self.warn(format!(
                "it gets the message in {} s: {error}",
                KEEP.as_secs()
            ));
        }
    }

    fn note(&self, text: String) {
        self.context.report.tell(&ReportEvent::Note(text));
    }

    fn warn(&self, text: String) {
        self.context.report.tell(&ReportEvent::Warning(text));
    }
}

fn notifier(context: &SetContext<'_>, aws: &Aws, told: &NotifySection) -> Result<Notifier> {
    let report = context.report.of_module(String::new());
    Notifier::start(aws, told, move |why| {
        report.tell(&ReportEvent::Warning(why));
    })
}

/// Where the queue's dead letters go.
///
/// # Errors
/// It has none, or a message would be one before its turn has come (exit 6).
async fn fitting(aws: &Aws, queue: &str, tries: u32) -> Result<DeadLetters> {
    let kind = aws.queue_kind(queue).await?;
    let Some(letters) = kind.dead_letters else {
        return Err(Error::refused(format!(
            "the queue {queue} has no dead-letter queue: messages that cannot be handled would come back for ever"
        ))
        .hint("give it one (its redrive policy), as `bgecs init --worker` does"));
    };
    if letters.max_receive_count <= tries {
        return Err(Error::refused(format!(
            "the queue {queue} gives a message up after {} times, and an upload waits its turn for {tries}",
            letters.max_receive_count
        ))
        .hint(format!(
            "set maxReceiveCount of its redrive policy to more than {tries}, or `tries` in [serve] to less"
        )));
    }
    Ok(letters)
}
