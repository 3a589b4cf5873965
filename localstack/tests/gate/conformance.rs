//! What an Application Load Balancer does, as cases in terms of ELBv2's API and
//! of HTTP through the load balancer alone.
//!
//! Each is a test on the gate before a store that imitates nothing. Where
//! `BGECS_E2E_ENDPOINT` names an emulator, `emulator` holds them against that
//! one too: it says which hold there, and fails if one does not.

use std::pin::Pin;
use std::sync::Arc;

use crate::api::Outcome;
use crate::subject::Subject;

mod cdn;
mod changes;
mod emulator;
mod health;
mod routing;
mod transfer;

/// Makes each case a test on the gate, and lists them for the emulator.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        pub fn all() -> Vec<$crate::conformance::Case> {
            vec![$((
                concat!(module_path!(), "::", stringify!($case)),
                |subject| Box::pin(async move { $case(&subject).await }),
            )),*]
        }

        mod on_the_gate {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> $crate::api::Outcome {
                    let subject = $crate::subject::Subject::gate().await?;
                    super::$case(&subject).await?;
                    subject.clean().await
                }
            )*
        }
    };
}
use cases;

/// Name, and what is done with a subject.
pub type Case = (&'static str, fn(Arc<Subject>) -> Doing);
pub type Doing = Pin<Box<dyn Future<Output = Outcome>>>;
