//! `cargo xtask local`: a local AWS for a person.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use localstack::gate::cdn;
use localstack::{Emulator, Engine, Kept, Options, image, stop_kept, variables};

use crate::{Result, bgecs, say};

/// What the listeners of bgecs's load balancer have.
const PORTS: [u16; 2] = [80, 81];

/// Where names are served, and by a resolver at the next.
const NAMES: u16 = 5300;

/// Where edges of CloudFront are.
const EDGES: u16 = 8090;

/// Where static IPs of Lightsail lead to instances.
const INSTANCES: u16 = 8080;

pub async fn up() -> Result<()> {
    // The lines that a person types next begin with it.
    let bgecs = bgecs::build().await?;
    if let Some(kept) = Kept::all().await?.first() {
        say::line(&format!(
            "the local AWS is up already, at {}",
            kept.endpoint()
        ));
        exports(&kept.env(), &bgecs);
        return Ok(());
    }
    let engine = Engine::ensure(&say::line).await?;
    let options = Options::default().keep(true);
    let (engine, mut emulator) = start(engine, options).await?;
    let own = std::env::current_exe()?;
    let endpoint = match put_gate_before(&mut emulator, &own).await {
        Ok(endpoint) => endpoint,
        Err(error) => {
            // It would be kept without a gate, and be found up the next time.
            drop(emulator);
            stop_kept(&engine, &say::line).await?;
            engine.release(&say::line).await?;
            return Err(error);
        }
    };
    say::line(&format!(
        "the local AWS is up at {endpoint}; `eval \"$(cargo xtask local down)\"` stops it"
    ));
    emulator.stop().await?;
    engine.keep()?;
    for kept in Kept::all().await? {
        if kept.endpoint() == endpoint {
            exports(&kept.env(), &bgecs);
        }
    }
    Ok(())
}

/// Starts an emulator on the engine, which is let go if it does not start.
pub async fn start(engine: Engine, options: Options) -> Result<(Engine, Emulator)> {
    match Emulator::start(&engine, options, &say::line).await {
        Ok(emulator) => Ok((engine, emulator)),
        Err(error) => {
            engine.release(&say::line).await?;
            Err(error.into())
        }
    }
}

/// Puts a gate that stays, run by this program, before an emulator that stays;
/// gives its endpoint.
pub async fn put_gate_before(emulator: &mut Emulator, own: &Path) -> Result<String> {
    let mut command = Command::new(own);
    command.args(["gate", emulator.endpoint()]);
    if PORTS.into_iter().all(is_free) {
        command.arg("--own-ports");
        say::line(
            "once `bgecs init` is done, production is http://127.0.0.1/ \
             and the test port http://127.0.0.1:81/",
        );
    } else {
        say::line(
            "ports 80 and 81 are not available here (taken, or only for root): \
             the load balancer gets free ones, see /_gate/balancers",
        );
    }
    if is_free(NAMES) && is_free(NAMES + 1) {
        command.args(["--dns", &NAMES.to_string()]);
        say::line(&format!(
            "names in zones of Route 53 are served at 127.0.0.1:{NAMES}, and by a resolver at 127.0.0.1:{}",
            NAMES + 1
        ));
    }
    // Which only Linux has by itself.
    if cfg!(target_os = "linux") {
        add_addresses(&mut command);
    }
    Ok(emulator.put_gate_before(command).await?)
}

/// What is served at addresses of its own.
fn add_addresses(command: &mut Command) {
    let edges = edges();
    if edges.iter().all(|edge| is_free_at(*edge, EDGES)) {
        command.args(["--cdn", &EDGES.to_string()]);
        let edges: Vec<String> = edges.iter().map(|it| format!("{it}:{EDGES}")).collect();
        say::line(&format!(
            "distributions of CloudFront are served at edges: {}",
            edges.join(" and ")
        ));
    }
    command.args(["--lightsail", &INSTANCES.to_string()]);
    say::line(&format!(
        "instances of Lightsail have addresses from 127.0.5.1 on; what serves at their \
         port {INSTANCES} is reached at their static IPs too"
    ));
}

/// As many as the gate has by itself.
fn edges() -> Vec<Ipv4Addr> {
    let options = cdn::Options::default();
    let first = u32::from(options.first);
    let all = (first..).take(options.delays.len());
    all.map(Ipv4Addr::from).collect()
}

fn is_free(port: u16) -> bool {
    is_free_at(Ipv4Addr::LOCALHOST, port)
}

fn is_free_at(address: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind((address, port)).is_ok()
}

/// On stdout, so that `eval "$(cargo xtask local up)"` works.
fn exports(env: &[(String, String)], bgecs: &Path) {
    for (name, value) in env {
        say::result(&format!("export {name}={value}"));
    }
    if let Some(folder) = bgecs.parent() {
        say::result(&format!("export PATH={}:\"$PATH\"", quoted(folder)));
    }
}

/// As a shell reads it back.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

pub async fn down() -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let stopped = stop_kept(&engine, &say::line).await?;
    if stopped == 0 {
        say::line("no local AWS was left up");
    }
    engine.release(&say::line).await?;
    Engine::down(&say::line).await?;
    say::result(&unsets());
    Ok(())
}

/// What `up` exported, for `eval "$(cargo xtask local down)"`: a shell would ask
/// an AWS that is gone, with keys that are none.
fn unsets() -> String {
    format!("unset {}", variables().join(" "))
}

pub async fn image() -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let name = image::build(engine.docker(), &say::line).await?;
    say::result(&format!("export BGECS_EMULATOR_IMAGE={name}"));
    engine.release(&say::line).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_takes_back_what_up_exported() {
        let unsets = unsets();
        let (unset, names) = unsets.split_once(' ').expect("it names something");
        assert_eq!(unset, "unset");
        let names: Vec<&str> = names.split(' ').collect();
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_CONFIG_FILE",
            "AWS_REGION",
        ] {
            assert!(names.contains(&name), "{unsets}");
        }
        let shell = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("{unsets}\nenv"))
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .output()
            .expect("there is a shell");
        assert!(shell.status.success());
        let left = String::from_utf8_lossy(&shell.stdout).into_owned();
        assert!(
            !left.contains("AWS_ENDPOINT_URL") && !left.contains("AWS_SHARED"),
            "{left}"
        );
    }

    #[test]
    fn a_folder_may_have_any_name() {
        let quoted = quoted(Path::new("/home/o'neil/my apps/bgecs/target/debug"));
        assert_eq!(quoted, r"'/home/o'\''neil/my apps/bgecs/target/debug'");
    }
}
