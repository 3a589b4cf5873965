//! Users of a site, who come in by several ways and know nothing of each other.

use std::net::SocketAddr;
use std::time::Duration;

use super::stage::{ENGLISH, FRENCH};
use crate::Result;
use crate::observer::{Door, Observer, Seen};

/// Ten requests a second by each way.
const PACE: Duration = Duration::from_millis(100);

pub struct Onlookers(Vec<(SocketAddr, Observer)>);

impl Onlookers {
    /// They ask for that host at each of these places.
    pub fn at(places: &[SocketAddr], host: &str) -> Result<Self> {
        let one = |place: &SocketAddr| {
            let door = Door::new(vec![format!("http://{place}")], host)?;
            Ok((*place, Observer::start(door, "/api", PACE)))
        };
        Ok(Self(places.iter().map(one).collect::<Result<_>>()?))
    }

    /// What came to them by each way.
    pub async fn leave(self) -> Result<Vec<(SocketAddr, Seen)>> {
        let mut all = Vec::new();
        for (place, one) in self.0 {
            all.push((place, one.stop().await?));
        }
        Ok(all)
    }
}

/// How often they came, of which nobody was harmed. One who did not meet both releases
/// would prove nothing.
pub fn unharmed(seen: &[(SocketAddr, Seen)]) -> Result<usize> {
    let mut visits = 0;
    for (place, seen) in seen {
        let sent = seen.unharmed();
        visits += sent.map_err(|error| format!("by {place}: {error}"))?;
        meets_both(seen).map_err(|error| format!("by {place}: {error}"))?;
    }
    Ok(visits)
}

pub fn meets_both(seen: &Seen) -> Result<()> {
    for release in [ENGLISH, FRENCH] {
        if !seen.0.iter().any(|it| it.says(release)) {
            return Err(format!("nobody met `{release}`").into());
        }
    }
    Ok(())
}
