//! Every command against an emulator, on free ports and in parallel: what it
//! does, what it refuses, and what it leaves. Nothing is skipped: where no
//! Docker Engine can be had, these fail and say what to do.

#[path = "../support/signal.rs"]
mod signal;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod api;
mod attaching;
mod blind;
mod builds;
mod canary;
mod company;
mod crashes;
mod crashes_of_canaries;
mod deploying;
mod dns;
mod doctor;
mod edge_actions;
mod entering;
mod faulty;
mod fleet;
mod given;
mod https;
mod images;
mod importing;
mod interrupts;
mod lease;
mod life;
mod listeners;
mod meddling;
mod migrating;
mod one_off;
mod operators;
mod pace;
mod page;
mod permissions;
mod pointers;
mod private;
mod promoting;
mod records;
mod removing;
mod running;
mod scaling;
mod secrets;
mod secure;
mod servers;
mod serving;
mod sets;
mod stub;
mod table;
mod terminal;
mod twins;
mod watching;
mod ways;
mod workers;
mod world;
