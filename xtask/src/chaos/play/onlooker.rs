//! The stranger who uses production, whichever load balancer that is.

use crate::Result;
use crate::faults::state::State;
use crate::faults::world::World;
use crate::observer::{Answer, Door, Observer, PACE, Seen};

/// Asks for as long as there is a load balancer. One that was made anew is
/// another one.
#[derive(Debug, Default)]
pub struct Onlooker {
    /// With the host that it asks.
    asking: Option<(String, Door, Observer)>,
    seen: Vec<Answer>,
}

impl Onlooker {
    pub async fn look_at(&mut self, world: &World<'_>, state: Option<&State>) -> Result<()> {
        let host = state.map(|state| state.host.as_str());
        let asked = self.asking.as_ref().map(|(host, _, _)| host.as_str());
        if asked == host {
            return Ok(());
        }
        self.rest().await?;
        if let Some(host) = host {
            let door = world.door(host).await?;
            let observer = Observer::start(door.clone(), "/api", PACE / 2);
            self.asking = Some((host.to_owned(), door, observer));
        }
        Ok(())
    }

    /// The release that users get now, where one answers and says so.
    pub async fn release(&self) -> Option<String> {
        let (_, door, _) = self.asking.as_ref()?;
        // That nobody answers is the matter of what it sees all the while.
        door.release().await.ok()?
    }

    async fn rest(&mut self) -> Result<()> {
        if let Some((_, _, observer)) = self.asking.take() {
            self.seen.extend(observer.stop().await?.0);
        }
        Ok(())
    }

    /// All that was seen.
    pub async fn stop(&mut self) -> Result<Seen> {
        self.rest().await?;
        Ok(Seen(std::mem::take(&mut self.seen)))
    }
}
