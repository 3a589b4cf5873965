//! The local AWS for real: engine, processes, containers. Nothing is skipped;
//! where an engine cannot be had, the tests fail and say what to do.

mod containers;
mod emulator;
mod support;
