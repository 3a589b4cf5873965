//! Stopping an emulator, in the order that leaves nothing: the gate before it;
//! the services, so that no more tasks are started; the emulator; the containers that are left.

use std::fs;
use std::time::Duration;

use super::{Owned, ecs, kept_gate, record, sweep};
use crate::layout::Layout;
use crate::{Error, Progress, Result, http, process};

/// For removing the services. An app that does not end when it is asked to makes
/// that slow; what is left of it is removed after the emulator's end, by force.
const SERVICES: Duration = Duration::from_secs(10);
/// MiniStack's way to forget everything, whichever account and region it is of.
const RESET: &str = "/_ministack/reset";
/// MiniStack stops its containers when it ends.
const EMULATOR: Duration = Duration::from_secs(15);

/// Stops it. If something is left, so is the record of it, for the next one who
/// starts an emulator to try again.
pub(super) async fn end(owned: Owned) -> Result<()> {
    let Owned { record, process } = owned;
    let entry = record.entry();
    if let Some(gate) = &entry.gate {
        kept_gate::end(gate, &entry.id).await;
    }
    if !entry.endpoint.is_empty() {
        let removing = remove_services(&entry.endpoint, &entry.account);
        // A failure is no loss: the labels find whatever it leaves.
        let _ = tokio::time::timeout(SERVICES, removing).await;
    }
    let ended = match entry.pid {
        Some(pid) if !process::end_group(pid, &entry.id, EMULATOR).await => {
            Err(Error::EmulatorStays {
                instance: entry.id.clone(),
                pid,
            })
        }
        _ => Ok(()),
    };
    if let Some(process) = process {
        process.reap();
    }
    sweep::remove_all(&entry.id).await.and(ended)?;
    let _ = fs::remove_dir_all(record.layout().scratch(&entry.id));
    record.close();
    Ok(())
}

async fn remove_services(endpoint: &str, account: &str) -> Result<()> {
    match http::post(endpoint, RESET, &[], "").await {
        Ok(answer) if answer.status == 200 => Ok(()),
        _ => ecs::delete_services(endpoint, account).await,
    }
}

/// The same from where nothing can be awaited: in a thread with a runtime of its
/// own, since this one may be all that drives the present runtime.
pub(super) fn end_blocking(owned: Owned) -> Result<()> {
    let ending = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(end(owned)),
            Err(source) => Err(Error::Spawn {
                program: "a runtime to stop the emulator in".to_owned(),
                source,
                hint: "the next emulator that starts removes what is left",
            }),
        }
    });
    ending.join().unwrap_or(Ok(()))
}

/// Stops the emulators whose owners have died and which nobody has kept.
pub(super) async fn remove_abandoned(layout: &Layout, progress: &Progress) -> Result<()> {
    for record in record::abandoned(layout).await? {
        if record.entry().kept {
            continue;
        }
        progress(&format!(
            "removing what is left of emulator {}",
            record.entry().id
        ));
        let owned = Owned {
            record,
            process: None,
        };
        end(owned).await?;
    }
    Ok(())
}
