//! `cargo xtask local`: a local AWS for a person.

use localstack::{Emulator, Engine, Kept, Options, image, stop_kept};

use crate::{Result, say};

pub async fn up() -> Result<()> {
    if let Some(kept) = Kept::all().await?.first() {
        say::line(&format!(
            "the local AWS is up already, at {}",
            kept.endpoint()
        ));
        exports(&kept.env());
        return Ok(());
    }
    let engine = Engine::ensure(&say::line).await?;
    let emulator = Emulator::start(&engine, Options::default().keep(true), &say::line).await?;
    say::line(&format!(
        "the local AWS is up at {}; `cargo xtask local down` stops it",
        emulator.endpoint()
    ));
    exports(&emulator.env());
    emulator.stop().await?;
    engine.keep()?;
    Ok(())
}

/// On stdout, so that `eval "$(cargo xtask local up)"` works.
fn exports(env: &[(String, String)]) {
    for (name, value) in env {
        say::result(&format!("export {name}={value}"));
    }
}

pub async fn down() -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let stopped = stop_kept(&engine, &say::line).await?;
    if stopped == 0 {
        say::line("no local AWS was left up");
    }
    engine.release(&say::line).await?;
    Engine::down(&say::line).await?;
    Ok(())
}

pub async fn image() -> Result<()> {
    let engine = Engine::ensure(&say::line).await?;
    let name = image::build(engine.docker(), &say::line).await?;
    say::result(&format!("export BGECS_EMULATOR_IMAGE={name}"));
    engine.release(&say::line).await?;
    Ok(())
}
