//! The gate: what stands between a client of AWS and an emulator, and behaves
//! like AWS where the emulator does not.
//!
//! A client is given the gate's endpoint instead of the emulator's. Each request
//! that arrives there is
//!
//! - for a load balancer, by its Host header: then the [`crate::balancer`]
//!   serves it, which listens on real ports as well;
//! - a call of AWS's API: [`request`] names it, `faults` may spoil it, `record`
//!   writes it down; `elb` and `ecs` correct what the emulator says of health
//!   checks, weights and rollouts; `upstream` forwards it;
//! - anything else, such as the image registry: passed through as it comes.
//!
//! It speaks the AWS protocols only, to either side, so that it can stand before
//! any emulator. It must not know the insides of one.

pub mod ecs;
pub mod elb;
pub mod request;
pub mod upstream;
