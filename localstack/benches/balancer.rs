//! What the gate's load balancer adds to a request, beside haproxy and nginx:
//! `cargo bench -p localstack`.
//!
//! 2,000 requests a second over 64 kept connections, on an absolute schedule:
//! a request's latency counts from when it was due, so a stall is not hidden by
//! the requests that it holds up. Target and load are in this process, each
//! proxy is one of its own; all of them share the machine, so figures of one run
//! can be compared, those of two machines cannot. haproxy has a thread for each
//! core, nginx one process, the gate two threads; none of them is near its limit
//! at this rate. Rounds alternate, and of each figure the median is shown.
//! haproxy and nginx are asked if they are installed (Debian's packages of these
//! names). For Linux, as it needs `setpriv`.
//!
//! A benchmark, not a test: it fails only if a request does.

mod balancer {
    pub mod load;
    pub mod proxies;
    pub mod target;
}

use std::process::ExitCode;

use balancer::load::{self, Round};
use balancer::{proxies, target};

const ROUNDS: usize = 5;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let outcome = match arguments.iter().position(|word| word == proxies::SERVE) {
        Some(at) => proxies::serve_gate(arguments.get(at + 1)).await,
        None => compare().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn compare() -> Result<(), Failure> {
    let target = target::start().await?;
    let proxies = proxies::start(target).await?;
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); proxies.len()];
    for _ in 0..ROUNDS {
        for (proxy, rounds) in proxies.iter().zip(&mut rounds) {
            let round = load::run(proxy.address).await;
            rounds.push(round.map_err(|error| format!("{}: {error}", proxy.name))?);
        }
    }
    say("                 p50       p99     p99.9       max    failed");
    let direct = rounds.first().map(|rounds| load::median(rounds));
    for (proxy, rounds) in proxies.iter().zip(&rounds) {
        say(&load::line(proxy.name, &load::median(rounds)));
    }
    let gate = rounds.get(1).map(|rounds| load::median(rounds));
    if let (Some(direct), Some(gate)) = (direct, gate) {
        say(&format!(
            "the gate adds {:.3} ms at p99",
            (gate.p99.as_secs_f64() - direct.p99.as_secs_f64()) * 1e3
        ));
    }
    let failed: usize = rounds.iter().flatten().map(|round| round.failed).sum();
    match failed {
        0 => Ok(()),
        failed => Err(format!("{failed} requests failed").into()),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what a benchmark is for"
)]
fn say(line: &str) {
    println!("{line}");
}
