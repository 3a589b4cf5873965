//! The leases that a release under way may hold, so that they can be given back when it
//! is left to another worker.

use std::sync::{Mutex, PoisonError};

use crate::aws::Aws;
use crate::driver::release::Module;
use crate::provenance;
use crate::report::{ReportEvent, Reporter};

#[derive(Debug, Default)]
pub struct LeasesTaken(Mutex<Vec<(Aws, String)>>);

impl LeasesTaken {
    /// From now on these.
    pub fn set(&self, modules: &[Module]) {
        let all = modules.iter().map(|it| {
            let table = it.infrastructure.journal_table();
            (it.session.aws.clone(), table.to_owned())
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all.collect();
    }

    /// Gives back what this process holds of them. Who cannot, keeps the next worker
    /// waiting until the lease is over.
    pub async fn let_go(&self, report: &Reporter) {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let me = provenance::this_process();
        for (aws, table) in all {
            let giving = async {
                match aws.read_head(&table).await?.lease {
                    Some(lease) if lease.holder.who == me => {
                        aws.break_lease(&table, &lease.holder.id).await.map(drop)
                    }
                    _ => Ok(()),
                }
            };
            if let Err(error) = giving.await {
                report.tell(&ReportEvent::Warning(format!(
                    "a lease could not be given back: {error}"
                )));
            }
        }
    }
}
