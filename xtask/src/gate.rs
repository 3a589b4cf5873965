//! `cargo xtask gate`: the gate as a program, before an emulator that runs.

use localstack::Gate;
use localstack::balancer::Ports;
use localstack::gate::{Options, cdn, dns, lightsail};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Result, say};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The emulator's endpoint, such as http://localhost:4566
    endpoint: String,
    /// The gate's own port, instead of any free one
    #[arg(long)]
    port: Option<u16>,
    /// Have load balancers listen on their listeners' own ports, such as 80
    #[arg(long)]
    own_ports: bool,
    /// Serve the names of Route 53: the name server at this port of 127.0.0.1, a
    /// resolver at the next
    #[arg(long, value_name = "PORT")]
    dns: Option<u16>,
    /// Serve distributions of CloudFront, at edges at this port of 127.0.4.1 and
    /// 127.0.4.2
    #[arg(long, value_name = "PORT")]
    cdn: Option<u16>,
    /// Keep an account of Lightsail, whose static IPs lead to instances at this port
    /// (may be given several times)
    #[arg(long, value_name = "PORT")]
    lightsail: Vec<u16>,
    /// Throttle calls at the rates that AWS publishes
    #[arg(long)]
    rates: bool,
    /// A word that tells this process from others
    #[arg(hide = true)]
    name: Option<String>,
}

/// Serves until it is interrupted. Its endpoint is the first line of its output.
pub async fn run(args: &Args) -> Result<()> {
    let options = Options {
        port: args.port,
        ports: if args.own_ports {
            Ports::Own
        } else {
            Ports::Free
        },
        dns: args.dns.map(|port| dns::Options {
            port: Some(port),
            ..dns::Options::default()
        }),
        cdn: args.cdn.map(|port| cdn::Options {
            port: Some(port),
            ..cdn::Options::default()
        }),
        lightsail: (!args.lightsail.is_empty()).then(|| lightsail::Options {
            ports: args.lightsail.clone(),
            ..lightsail::Options::default()
        }),
        rates: args.rates,
        ..Options::default()
    };
    let gate = Gate::before(&args.endpoint, &options)?;
    // Who reads the endpoint may ask for the end at once.
    let mut terminate = signal(SignalKind::terminate())?;
    say::result(gate.endpoint());
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    gate.stop().await;
    Ok(())
}
