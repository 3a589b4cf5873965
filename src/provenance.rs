//! Who releases what, from where: for the tags on a task definition, the lease
//! and the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::Tag;
use crate::model::journal::Who;
use crate::model::{LABEL_COMMIT, LABEL_CONTEXT};
use crate::process;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The context's git commit, `-dirty` where something is not committed.
    pub commit: Option<String>,
    /// `user@host`, or the CI run.
    pub who: String,
    /// RFC 3339, UTC.
    pub when: String,
}

impl Provenance {
    /// `context` is the folder whose commit counts, if there is one.
    pub fn gather(context: Option<&Path>) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            commit: context.and_then(commit),
            who: who(),
            when: now
                .replace_nanosecond(0)
                .unwrap_or(now)
                .format(&Rfc3339)
                .unwrap_or_default(),
        }
    }
}

fn commit(folder: &Path) -> Option<String> {
    let hash = git(folder, &["rev-parse", "--short=12", "HEAD"])?;
    let is_dirty =
        git(folder, &["status", "--porcelain", "--", "."]).is_some_and(|text| !text.is_empty());
    Some(if is_dirty {
        format!("{hash}-dirty")
    } else {
        hash
    })
}

/// Labels that say what an image is built from: the commit, and the files of its
/// context, which a commit elsewhere leaves the same. None where something is
/// not committed: no name would be true.
pub fn labels(context: &Path) -> BTreeMap<String, String> {
    let is_clean = git(context, &["status", "--porcelain", "--", "."])
        .is_some_and(|changes| changes.is_empty());
    let named = |label: &str, revision: &str| {
        let hash = git(context, &["rev-parse", "--verify", "--quiet", revision])?;
        Some((label.to_owned(), hash))
    };
    let all = [named(LABEL_COMMIT, "HEAD"), named(LABEL_CONTEXT, "HEAD:./")];
    all.into_iter().flatten().filter(|_| is_clean).collect()
}

/// The tag of a release that was given none: the short hash of its commit, which
/// says what is in it only where nothing else is in the work tree.
///
/// # Errors
/// Why that is not so.
pub fn tag_of_commit(context: &Path) -> Result<Tag, String> {
    ask_git(context, &["rev-parse", "--is-inside-work-tree"])?;
    let hash = ask_git(context, &["rev-parse", "--verify", "--short", "HEAD"])
        .map_err(|_| "its repository has no commit yet".to_owned())?;
    let changes = [
        "status",
        "--porcelain",
        "--untracked-files=normal",
        "--ignore-submodules=none",
    ];
    let changes = ask_git(context, &changes)?;
    let mut changed = changes.lines().filter_map(|line| line.get(2..));
    if let Some(first) = changed.next() {
        let more = match changed.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let first = first.trim();
        return Err(format!("its work tree is not clean ({first}{more})"));
    }
    hash.parse()
}

/// What git prints; `None` without git or outside a repository.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    ask_git(folder, arguments).ok()
}

/// # Errors
/// In git's words, or why it cannot be run.
fn ask_git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    // Where a hook of git runs this, they name its repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let output = command.arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => {
            let said = text(&output.stderr);
            let line = said.lines().next().unwrap_or("it does not say why");
            Err(format!("git: {}", line.trim_start_matches("fatal: ")))
        }
    }
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// `user@host`, or the CI run.
fn who() -> String {
    if let (Some(actor), Some(run)) = (variable("GITHUB_ACTOR"), variable("GITHUB_RUN_ID")) {
        return format!("{actor} in GitHub run {run}");
    }
    if let (Some(user), Some(job)) = (variable("GITLAB_USER_LOGIN"), variable("CI_JOB_ID")) {
        return format!("{user} in GitLab job {job}");
    }
    let user = variable("USER")
        .or_else(|| variable("LOGNAME"))
        .or_else(|| output_of(Command::new("id").arg("-un")))
        .unwrap_or_else(|| "unknown".to_owned());
    format!("{user}@{}", host())
}

fn host() -> String {
    variable("HOSTNAME")
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .or_else(|| output_of(&mut Command::new("hostname")))
        .map_or_else(|| "unknown".to_owned(), |host| host.trim().to_owned())
}

/// Where the CI run can be seen, for those whose environment says so.
fn url() -> Option<String> {
    let github = || {
        Some(format!(
            "{}/{}/actions/runs/{}",
            variable("GITHUB_SERVER_URL")?,
            variable("GITHUB_REPOSITORY")?,
            variable("GITHUB_RUN_ID")?
        ))
    };
    // GitLab, CircleCI, Jenkins, Buildkite.
    let plain = || {
        [
            "CI_JOB_URL",
            "CIRCLE_BUILD_URL",
            "BUILD_URL",
            "BUILDKITE_BUILD_URL",
        ]
        .into_iter()
        .find_map(variable)
    };
    github().or_else(plain)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Who holds a lease, and who is written into the journal.
pub fn this_process() -> Who {
    Who {
        name: who(),
        host: host(),
        pid: std::process::id(),
        url: url(),
        process: process::this(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(folder: &Path, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"];
        git(folder, &[&identity[..], arguments].concat()).expect("git works")
    }

    #[test]
    fn labels_name_what_is_committed_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        let app = root.path().join("app");
        std::fs::create_dir(&app).expect("a folder");
        assert!(labels(&app).is_empty(), "outside a repository");
        run(root.path(), &["init", "--quiet"]);
        std::fs::write(app.join("Dockerfile"), "FROM scratch\n").expect("a file");
        assert!(labels(&app).is_empty(), "nothing is committed");
        run(root.path(), &["add", "."]);
        run(root.path(), &["commit", "--quiet", "-m", "one"]);
        let one = labels(&app);
        assert_eq!(one[LABEL_COMMIT], run(root.path(), &["rev-parse", "HEAD"]));
        assert_eq!(one[LABEL_CONTEXT].len(), 40);

        // What changes elsewhere makes another commit of the same files.
        std::fs::write(root.path().join("bgecs.toml"), "app = 'a'\n").expect("a file");
        assert_eq!(labels(&app), one);
        run(root.path(), &["add", "."]);
        run(root.path(), &["commit", "--quiet", "-m", "two"]);
        let two = labels(&app);
        assert_ne!(two[LABEL_COMMIT], one[LABEL_COMMIT]);
        assert_eq!(two[LABEL_CONTEXT], one[LABEL_CONTEXT]);

        std::fs::write(app.join("new"), "").expect("a file");
        assert!(labels(&app).is_empty(), "something is not committed");
    }

    fn told(folder: &Path) -> String {
        match tag_of_commit(folder) {
            Ok(tag) => format!("tag {tag}"),
            Err(why) => why,
        }
    }

    #[test]
    fn a_clean_work_tree_has_a_tag() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = |line: &str| {
            let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
            let arguments: Vec<&str> = who.into_iter().chain(line.split(' ')).collect();
            ask_git(root, &arguments).unwrap()
        };
        assert!(
            told(root).starts_with("git: not a git repository"),
            "{}",
            told(root)
        );
        git("init -q");
        assert_eq!(told(root), "its repository has no commit yet");
        let app = root.join("app");
        std::fs::create_dir(&app).unwrap();
        std::fs::write(app.join("Dockerfile"), "FROM scratch").unwrap();
        git("add .");
        git("commit -qm first");
        let tag = format!("tag {}", git("rev-parse --short HEAD"));
        assert_eq!((told(root), told(&app)), (tag.clone(), tag.clone()));

        // What is beside the context is in the work tree, too.
        std::fs::write(root.join("notes"), "").unwrap();
        assert_eq!(told(&app), "its work tree is not clean (notes)");
        std::fs::write(app.join("Dockerfile"), "FROM alpine").unwrap();
        assert_eq!(
            told(&app),
            "its work tree is not clean (app/Dockerfile and 1 more)"
        );
        std::fs::write(root.join(".gitignore"), "notes\n.gitignore\n").unwrap();
        git("checkout -q .");
        assert_eq!(told(&app), tag);
    }
}
