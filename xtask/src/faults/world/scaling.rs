//! What scales the colours, as the owner of the app has said, and as bgecs leaves it.

use super::{NAME, World};
use crate::Result;
use crate::autoscaling::{Autoscaling, Target};
use crate::faults::state::{Color, State};

const BOTH: [Color; 2] = [Color::Blue, Color::Green];

fn owners() -> Target {
    Target::between(1, 4)
}

impl World<'_> {
    fn autoscaling(&self) -> Autoscaling {
        Autoscaling::of(self.api.clone(), NAME)
    }

    /// That colour is scaled, by a policy, and the other one is not.
    pub(super) async fn scaling_alone(&self, live: Color) -> Result<()> {
        self.unscaled().await?;
        self.autoscaling().scale(live.as_str(), owners()).await
    }

    pub(super) async fn unscaled(&self) -> Result<()> {
        for color in BOTH {
            self.autoscaling().forget(color.as_str()).await?;
        }
        Ok(())
    }

    /// Users' colour has what its owner has said, and the other one is at rest; without a
    /// stack nothing is left of it.
    pub async fn expect_roles(&self, after: Option<&State>) -> Result<()> {
        let live = after.and_then(|after| after.live);
        for color in BOTH {
            let found = self.autoscaling().target(color.as_str()).await?;
            let may_be = match (after, Some(color) == live) {
                (None, _) => vec![None],
                (_, true) => vec![Some(owners())],
                (_, false) => vec![None, Some(owners().at_rest())],
            };
            if !may_be.contains(&found) {
                let color = color.as_str();
                return Err(
                    format!("{live:?} is live, and {color} is scaled so: {found:?}").into(),
                );
            }
        }
        Ok(())
    }
}
