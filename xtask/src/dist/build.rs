//! Builds bgecs for a target, reproducibly: no path of this machine ends up in the
//! binary.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::target::{System, Target};
use super::{Release, program};
use crate::{Result, bgecs};

/// Where the standard library of a target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Std {
    Installed,
    /// Only its sources are installed, so it is compiled together with bgecs.
    Sources,
}

/// The linker, and the C compiler that ring needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linker {
    /// The system's; for musl, together with `musl-gcc`.
    System,
    /// zig, which ships a libc for every target.
    Zig,
}

/// # Errors
/// A tool is missing; the message says how to install it.
pub fn can_build(root: &Path, target: Target) -> Result<()> {
    if target.system == System::MacOs && env::consts::OS != "macos" {
        return Err(format!("{target} can only be built on a Mac, which has Apple's SDK").into());
    }
    linker(target, standard_library(root, target)?)?;
    Ok(())
}

/// Builds bgecs and returns the path of the binary.
pub fn bgecs(release: &Release, target: Target) -> Result<PathBuf> {
    let root = &release.root;
    let std = standard_library(root, target)?;
    let linker = linker(target, std)?;
    // The folders with the crates' sources have to exist before their paths can be mapped.
    program::run(
        cargo(root, &["fetch", "--locked", "--quiet"]).args(["--target", target.as_str()]),
    )?;
    let verb = match linker {
        Linker::System => "build",
        Linker::Zig => "zigbuild",
    };
    let mut command = cargo(root, &[verb, "--locked", "--quiet", "--package", "bgecs"]);
    command.args(["--target", target.as_str(), "--profile", &release.profile]);
    if std == Std::Sources {
        command.arg("-Zbuild-std=std,panic_abort");
        // Only the standard library uses unstable features.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let crates = crates()?;
    let sources = sysroot(root)?.join("lib/rustlib/src/rust");
    let hidden = [(root, "/bgecs")].into_iter();
    let hidden = hidden.chain(crates.iter().map(|folder| (folder, "/crates")));
    // Needed when the standard library is compiled from its sources.
    let hidden = hidden.chain([(&sources, "/rustc")]);
    let mut flags = Vec::new();
    for (path, name) in hidden {
        let path = program::text(path)?;
        flags.push(format!("--remap-path-prefix={path}={name}"));
    }
    if std == Std::Sources && target.system == System::Linux {
        // rustc's own startup objects come with an installed standard library; use
        // zig's instead.
        flags.push("-Clink-self-contained=no".to_owned());
    }
    let mut c_flags = Vec::new();
    for folder in &crates {
        let folder = program::text(folder)?;
        c_flags.push(format!("-ffile-prefix-map={folder}=/crates"));
    }
    let c_flags = c_flags.join(" ");
    command
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env(
            format!("CFLAGS_{}", target.as_str().replace('-', "_")),
            c_flags,
        )
        .env("SOURCE_DATE_EPOCH", release.stamp.0.to_string());
    program::run(&mut command).map_err(|_| format!("bgecs does not build for {target}"))?;
    let folder = match release.profile.as_str() {
        "dev" => "debug",
        profile => profile,
    };
    Ok(root
        .join("target")
        .join(target.as_str())
        .join(folder)
        .join("bgecs"))
}

/// A cargo command for the sources in `root`, which may be a copy.
pub fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = bgecs::cargo();
    command
        .args(words)
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("CARGO_INCREMENTAL", "0");
    command
}

/// The folders that hold the sources of dependencies, one per registry.
fn crates() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if let Ok(folders) = fs::read_dir(cargo_home()?.join("registry/src")) {
        for folder in folders {
            found.push(folder?.path());
        }
    }
    found.sort();
    Ok(found)
}

fn cargo_home() -> Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    home.ok_or_else(|| "neither CARGO_HOME nor HOME is set".into())
}

fn rustc(root: &Path, words: &[&str]) -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    program::said(Command::new(rustc).args(words).current_dir(root))
}

fn sysroot(root: &Path) -> Result<PathBuf> {
    Ok(PathBuf::from(
        rustc(root, &["--print", "sysroot"])?.trim_end(),
    ))
}

fn standard_library(root: &Path, target: Target) -> Result<Std> {
    let rustlib = sysroot(root)?.join("lib/rustlib");
    if rustlib.join(target.as_str()).join("lib").is_dir() {
        return Ok(Std::Installed);
    }
    if rustlib.join("src/rust/library/std/Cargo.toml").is_file() {
        return Ok(Std::Sources);
    }
    Err(format!(
        "Rust's standard library for {target} is not installed: run `rustup target add {target}`, \
         or `rustup component add rust-src` to have it compiled from its sources"
    )
    .into())
}

fn linker(target: Target, std: Std) -> Result<Linker> {
    if target.system == System::MacOs {
        return Ok(Linker::System);
    }
    if program::answers(&["cargo-zigbuild", "zig", "cc", "--", "--version"]) {
        return Ok(Linker::Zig);
    }
    // This also needs the startup objects of an installed standard library.
    let musl_tools = target.runs_here() && std == Std::Installed;
    if musl_tools && program::in_path("musl-gcc").is_some() {
        return Ok(Linker::System);
    }
    let or = match musl_tools {
        true => ", or install Debian's package musl-tools, which is enough for this target",
        false => "",
    };
    Err(format!(
        "there is no linker for {target}: run `cargo install --locked cargo-zigbuild` and \
         `pip install ziglang`{or}"
    )
    .into())
}
