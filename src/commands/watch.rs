//! `bgecs watch`: probes a service that bgecs did not make, while anything happens to it.
//! Reads, and changes nothing.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::asking::asking;
use super::probing::{Probing, in_lines};
use super::{access, secret_header, with_secret};
use crate::aws::{Aws, policy};
use crate::cli::{Global, WatchArgs};
use crate::config::ProbeSection;
use crate::driver::asking::{Asking, of_file};
use crate::driver::running;
use crate::driver::watched::{WatchedCommand, exit_code};
use crate::engine::entrance::{self, Entrance, GivenUrl, Wish};
use crate::engine::evidence::{Evidence, Landmark, LandmarkKind, MarkReport, Upshot};
use crate::engine::plan::Refusal;
use crate::engine::seen::{ProbeReport, what_failed};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Answer, AwsPlace, Balancer, RunningService};
use crate::probe::{Address, ask_once};
use crate::report::{Audience, CommandResult, ReportEvent, Reporter, Style};
use crate::session::secret_header::Shown;
use crate::spoken_time::took;

#[derive(Debug, Serialize)]
struct WatchResult {
    operation: &'static str,
    cluster: String,
    service: String,
    url: String,
    /// The listener and the rule that lead there; none where the URL is asked
    /// by its own name.
    way: Option<String>,
    outcome: Upshot,
    command: Option<EndedCommand>,
    probe: ProbeReport,
}

/// What was watched.
#[derive(Debug, Clone, Serialize)]
struct EndedCommand {
    line: String,
    exit_code: u8,
    seconds: f64,
    /// Since the probe began, in milliseconds.
    #[serde(skip)]
    from_to: (Duration, Duration),
}

/// Where to ask.
struct ProbeTarget {
    address: Address,
    way: Option<String>,
}

pub async fn run(global: &Global, audience: Audience, args: &WatchArgs) -> Result<u8> {
    let report = Reporter::new(audience);
    if args.print_policy {
        print_policy(global, &report, args);
        return Ok(Exit::Done.code());
    }
    check(args)?;
    let asking = asking(&args.asking, of_file(&ProbeSection::default()));
    asking.check_report()?;
    let aws = Aws::connect(&access(global, AwsPlace::default())).await?;
    let target = target(&aws, &report, global, args).await?;
    look_once(&report, &target.address, &asking).await;

    let probing = Probing {
        report: &report,
        address: &target.address,
        asking: &asking,
        duration: args.duration.filter(|_| args.command.is_empty()),
    };
    let origin = Instant::now();
    let over = happening(args, &report, origin);
    let (heard, command) = probing.until(origin, over).await?;
    let command = command?;
    asking.write_report(&report, || Evidence {
        app: Some(args.service.clone()),
        marks: command.iter().flat_map(marks).collect(),
        ..heard.evidence("watch", &target.address)
    });
    let code = match (&command, heard.outcome) {
        (_, Upshot::Failed) if args.fail_on_failures => Exit::Failed.code(),
        (Some(command), _) => command.exit_code,
        (None, _) => Exit::Done.code(),
    };
    report.result(&WatchResult {
        operation: "watch",
        cluster: args.cluster.clone(),
        service: args.service.clone(),
        url: target.address.to_string(),
        way: target.way,
        outcome: heard.outcome,
        command,
        probe: heard.figures,
    });
    Ok(code)
}

/// # Errors
/// Nothing to watch, or a command that is not told from the flags (exit 2).
fn check(args: &WatchArgs) -> Result<()> {
    if let Some(stray) = args.stray.first() {
        let stray = stray.to_string_lossy();
        return Err(
            Error::usage(format!("two hyphens are missing before `{stray}`"))
                .hint(format!("bgecs watch … -- {stray} …")),
        );
    }
    match args.command.is_empty() && args.duration.is_none() {
        true => Err(Error::usage("there is nothing to watch")
            .hint("`-- COMMAND` at the end is what to watch, or `--duration TIME` how long")),
        false => Ok(()),
    }
}

/// For the named service, in the region of `--region`, or in all.
fn print_policy(global: &Global, report: &Reporter, args: &WatchArgs) {
    let policy = policy::to_watch(&args.cluster, &args.service, global.region());
    let policy = with_secret(policy, global.secret_header.as_ref());
    report.data(&format!("{policy:#}"));
}

/// The command to its end, and the given time; less of it after an interrupt.
async fn happening(
    args: &WatchArgs,
    report: &Reporter,
    origin: Instant,
) -> Result<Option<EndedCommand>> {
    let mut interrupts = Interrupts::listen()?;
    let mut ended = None;
    if let Some((program, arguments)) = args.command.split_first() {
        let line = in_a_line(args);
        report.tell(&ReportEvent::Note(format!("watching `{line}`")));
        let began = origin.elapsed();
        let cannot = |what: &str, error: &std::io::Error| {
            Error::usage(format!("`{line}` {what}")).because(error)
        };
        let command = WatchedCommand::start(program, arguments, report)
            .map_err(|error| cannot("cannot be started", &error))?;
        let (status, is_interrupted) = command
            .end(&mut interrupts, report)
            .await
            .map_err(|error| cannot("ended, but its exit status cannot be read", &error))?;
        let took = origin.elapsed().saturating_sub(began);
        ended = Some(EndedCommand {
            exit_code: exit_code(status),
            seconds: took.as_secs_f64(),
            from_to: (began, began + took),
            line,
        });
        if is_interrupted {
            return Ok(ended);
        }
    }
    if let Some(duration) = args.duration {
        tokio::select! {
            () = sleep_until(origin + duration) => {}
            _ = interrupts.next() => {}
        }
    }
    Ok(ended)
}

async fn target(
    aws: &Aws,
    report: &Reporter,
    global: &Global,
    args: &WatchArgs,
) -> Result<ProbeTarget> {
    let (cluster, name) = (&args.cluster, &args.service);
    let service = aws.find_service(cluster, name).await?;
    let service = service.ok_or_else(|| running::no_service(aws, cluster, name))?;
    let groups = aws.read_groups(&service.groups).await?;
    let balancers = aws.read_balancers(&groups).await?;
    let shown = secret_header(global).await?;
    let wish = wish(args, shown.as_ref());
    let found = match &args.url {
        Some(url) => {
            given(url).and_then(|given| entrance::of_url(&service, &balancers, &given, &wish))
        }
        None => Some(found(&service, &balancers, &wish)?),
    };
    let address = match (&args.url, &found) {
        (Some(url), _) => url.clone(),
        (None, Some(found)) => Address::parse(&found.url).map_err(Error::usage)?,
        (None, None) => return Err(Error::failed("there is nothing to ask")),
    };
    tell(report, &address, found.as_ref());
    // What was said explicitly wins; a local AWS is reached through its endpoint.
    let said = global.connect_to.iter().map(ToString::to_string);
    let mut through: Vec<String> = said.collect();
    if let (Some(found), true) = (&found, through.is_empty()) {
        through.push(aws.local_endpoint().unwrap_or_else(|| found.nodes.clone()));
    }
    let address = address.through(&through).trusting(global.ca_file.clone());
    Ok(ProbeTarget {
        address: address.showing(shown),
        way: found.map(|found| found.way),
    })
}

/// What is not known a flag can say.
pub(super) fn usage(Refusal { message, hint }: Refusal) -> Error {
    Error {
        hint,
        ..Error::usage(message)
    }
}

fn found(service: &RunningService, balancers: &[Balancer], wish: &Wish) -> Result<Entrance> {
    entrance::find(service, balancers, wish).map_err(usage)
}

fn wish(args: &WatchArgs, secret: Option<&Shown>) -> Wish {
    let headers = args.asking.header.iter().map(|it| (&it.name, &it.value));
    let headers = headers.chain(secret.map(|(name, value)| (name, value)));
    Wish {
        path: args.asking.path.clone(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
    }
}

pub(super) fn given(url: &Address) -> Option<GivenUrl> {
    let url = Url::parse(&url.to_string()).ok()?;
    Some(GivenUrl {
        is_secured: url.scheme() == "https",
        host: url.host_str()?.to_owned(),
        port: url.port_or_known_default()?,
        path: match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
    })
}

fn tell(report: &Reporter, address: &Address, found: Option<&Entrance>) {
    let Some(found) = found else {
        return report.tell(&ReportEvent::Note(format!(
            "asking {address} by its own name: no load balancer of the service leads it there"
        )));
    };
    report.tell(&ReportEvent::Note(format!(
        "asking {address} ({})",
        found.way
    )));
    if let Some((ours, all)) = found.share {
        report.tell(&ReportEvent::Warning(format!(
            "only {ours} of {all} requests there go to the service"
        )));
    }
}

/// Whatever comes holds nothing up: what is about to happen may be the cure.
async fn look_once(report: &Reporter, address: &Address, asking: &Asking) {
    let asked = ask_once(address, &asking.question, asking.timeout).await;
    let (status, error) = match &*asked.answer {
        Answer::Http { status, .. } => (Some(*status), None),
        Answer::Nothing { error, .. } => (None, Some(error.as_str())),
    };
    if status.is_none() || asked.unexpected.is_some() {
        let what = what_failed(status, asked.unexpected, error);
        report.tell(&ReportEvent::Warning(format!(
            "the first request was not answered well ({what}): if users fare better, \
             say what they ask with --url, --path or --header, and what is good with --expect-status"
        )));
    }
}

/// As a person would type it, more or less.
fn in_a_line(args: &WatchArgs) -> String {
    let words = args.command.iter().map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

fn marks(command: &EndedCommand) -> [MarkReport; 2] {
    let EndedCommand {
        line, exit_code, ..
    } = command;
    let mark = |at, text, failed| {
        let kind = LandmarkKind::Command;
        Landmark {
            at,
            kind,
            text,
            failed,
        }
        .report(Duration::ZERO)
    };
    [
        mark(command.from_to.0, format!("{line} began"), false),
        mark(
            command.from_to.1,
            format!("{line} ended with {exit_code}"),
            *exit_code != 0,
        ),
    ]
}

impl CommandResult for WatchResult {
    fn human(&self, style: &Style) -> String {
        let mut text = self.url.clone();
        if let Some(command) = &self.command {
            let code = match command.exit_code {
                0 => style.good("ended with 0"),
                code => style.bad(format!("ended with {code}")),
            };
            let took = took(Duration::from_secs_f64(command.seconds));
            text += &format!("\n  command     {} {code} after {took}", command.line);
        }
        format!("{text}\n{}", in_lines(&self.probe, style))
    }
}
