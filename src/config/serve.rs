//! `[serve]` and `[notify]`: what a worker takes, and who is notified. The same in
//! `bgecs.toml` and in `set.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Section;
use super::entry::KeyValue;
use super::{Config, ConfigError, SetFile, names, read_text};
use crate::model::{PublicKey, Steps, TopicArn};
use crate::spoken_time;

type Result<T> = std::result::Result<T, ConfigError>;

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeSection {
    /// The URL of the queue.
    pub queue: Option<String>,
    /// The bucket that releases are uploaded to.
    pub bucket: Option<String>,
    /// The files of further sets and apps that an upload may release.
    pub allow: Vec<PathBuf>,
    /// By which uploads have to be signed, as minisign writes it.
    pub public_key: Option<PublicKey>,
    /// How often an upload is tried while another release is in progress; a queue gives a
    /// message up after a thousand times at the latest.
    pub tries: u32,
    /// How long it rests in between; None is 15 to 30 seconds.
    pub every: Option<Duration>,
    /// Step by step; None is all at once.
    pub steps: Option<Steps>,
    /// How long new releases are watched; None is as each app's file says.
    pub window: Option<Duration>,
}

/// `[notify]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifySection {
    pub sns: Option<TopicArn>,
    /// The environment variable that has the address.
    pub webhook: Option<String>,
}

impl Default for ServeSection {
    fn default() -> Self {
        Self {
            queue: None,
            bucket: None,
            allow: Vec::new(),
            public_key: None,
            tries: 30,
            every: None,
            steps: None,
            window: None,
        }
    }
}

pub(super) fn serve(section: &mut Section<'_>, folder: &Path) -> Result<ServeSection> {
    let default = ServeSection::default();
    let text = |key: &KeyValue<'_>| key.checked(names::not_empty);
    let allow = section.optional("allow", KeyValue::strings)?;
    let allow = allow.unwrap_or_default().into_iter();
    Ok(ServeSection {
        queue: section.optional("queue", |key| key.checked(queue_url))?,
        bucket: section.optional("bucket", text)?,
        allow: allow.map(|path| folder.join(path)).collect(),
        public_key: section.optional("public_key", |key| key.checked(str::parse))?,
        tries: section.or("tries", default.tries, |key| key.number(1..=990))?,
        every: section.optional("every", |key| key.checked(every))?,
        steps: section.optional("steps", |key| key.checked(Steps::unattended))?,
        window: section.optional("window", |key| key.checked(spoken_time::read))?,
    })
}

pub(super) fn notify(section: &mut Section<'_>) -> Result<NotifySection> {
    Ok(NotifySection {
        sns: section.optional("sns", |key| key.checked(str::parse))?,
        webhook: section.optional("webhook", |key| key.checked(names::variable_name))?,
    })
}

/// What SQS gives for a queue
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html>).
///
/// # Errors
/// It is something else.
pub fn queue_url(text: &str) -> std::result::Result<String, String> {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|it| text.strip_prefix(it));
    let parts: Vec<&str> = rest.unwrap_or_default().split('/').collect();
    match &parts[..] {
        [host, account, name]
            if !host.is_empty()
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && !name.is_empty() =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "`{text}` is not the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/releases.fifo"
        )),
    }
}

/// SQS keeps a message from its workers for twelve hours at most.
fn every(text: &str) -> std::result::Result<Duration, String> {
    let time = spoken_time::read(text)?;
    match (1..=12 * 60 * 60).contains(&time.as_secs()) {
        true => Ok(time),
        false => Err(format!("`{text}` is not between 1s and 12h")),
    }
}

/// What an upload can release, from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releasable {
    /// One app is a set of one.
    pub set: SetFile,
    pub is_app: bool,
}

impl Releasable {
    /// Whether an upload that names one means the other as well.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.is_app == other.is_app && self.set.name == other.set.name
    }

    /// Reads a `set.toml` or a `bgecs.toml`, whatever it is called.
    ///
    /// # Errors
    /// As those of either.
    pub fn load(path: &Path, environment: Option<&str>) -> Result<Self> {
        let text = read_text(path)?;
        let is_set = text
            .parse::<toml::Table>()
            .is_ok_and(|top| top.contains_key("set"));
        if is_set {
            let set = SetFile::parse(&text, path)?;
            return Ok(Self { set, is_app: false });
        }
        let config = Config::parse_in(&text, path, environment)?;
        Ok(Self {
            set: SetFile::of_one(config),
            is_app: true,
        })
    }
}

#[cfg(test)]
mod tests;
