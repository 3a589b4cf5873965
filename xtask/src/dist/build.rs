//! Building bgecs for a target so that the same sources give the same bytes: no path
//! of this machine gets into the binary.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::target::{System, Target};
use super::{Making, program};
use crate::{Result, bgecs};

/// Where the standard library for a target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Std {
    Installed,
    /// It is compiled along, from the sources that are beside the compiler.
    Sources,
}

/// What compiles C, and links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linker {
    /// That of the system; for musl with musl's own compiler for C.
    System,
    /// zig, which has a libc for every target.
    Zig,
}

/// # Errors
/// What is missing on this machine; it says what brings it.
pub fn can_build(root: &Path, target: Target) -> Result<()> {
    if target.system == System::MacOs && env::consts::OS != "macos" {
        return Err(format!("{target} is built on a Mac: Apple's SDK is nowhere else").into());
    }
    linker(target, standard_library(root, target)?)?;
    Ok(())
}

/// Builds it, and gives the binary.
pub fn bgecs(making: &Making, target: Target) -> Result<PathBuf> {
    let root = &making.root;
    let std = standard_library(root, target)?;
    let linker = linker(target, std)?;
    // So that the crates' folder is there, and known.
    program::run(
        cargo(root, &["fetch", "--locked", "--quiet"]).args(["--target", target.as_str()]),
    )?;
    let verb = match linker {
        Linker::System => "build",
        Linker::Zig => "zigbuild",
    };
    let mut command = cargo(root, &[verb, "--locked", "--quiet", "--package", "bgecs"]);
    command.args(["--target", target.as_str(), "--profile", &making.profile]);
    if std == Std::Sources {
        command.arg("-Zbuild-std=std,panic_abort");
        // It is the standard library alone that needs what is not stable.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let crates = crates()?;
    let sources = sysroot(root)?.join("lib/rustlib/src/rust");
    let hidden = [(root, "/bgecs")].into_iter();
    let hidden = hidden.chain(crates.iter().map(|folder| (folder, "/crates")));
    // What comes of the standard library where it is compiled along.
    let hidden = hidden.chain([(&sources, "/rustc")]);
    let mut flags = Vec::new();
    for (path, name) in hidden {
        let path = program::text(path)?;
        flags.push(format!("--remap-path-prefix={path}={name}"));
    }
    if std == Std::Sources && target.system == System::Linux {
        // A musl that was not installed brings no objects to start a program by;
        // zig has its own.
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
        .env("SOURCE_DATE_EPOCH", making.stamp.0.to_string());
    program::run(&mut command).map_err(|_| format!("bgecs does not build for {target}"))?;
    let folder = match making.profile.as_str() {
        "dev" => "debug",
        profile => profile,
    };
    Ok(root
        .join("target")
        .join(target.as_str())
        .join(folder)
        .join("bgecs"))
}

/// cargo for sources that need not be those of this program.
pub fn cargo(root: &Path, words: &[&str]) -> Command {
    let mut command = bgecs::cargo();
    command
        .args(words)
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("CARGO_INCREMENTAL", "0");
    command
}

/// Where cargo has unpacked what is not of this workspace: a folder for each registry.
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
        "Rust's standard library for {target} is not installed: `rustup target add {target}` \
         installs it, or `rustup component add rust-src` its sources, which are compiled then"
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
    // Which links by what comes with an installed standard library.
    let musl_tools = target.runs_here() && std == Std::Installed;
    if musl_tools && program::in_path("musl-gcc").is_some() {
        return Ok(Linker::System);
    }
    let or = match musl_tools {
        true => " (or, for this target alone, Debian's package musl-tools)",
        false => "",
    };
    Err(format!(
        "nothing here links for {target}: `cargo install --locked cargo-zigbuild` and \
         `pip install ziglang` bring what does{or}"
    )
    .into())
}
