//! The wall around a loader: starts a program whose every file is opened for it, after the file was judged.
//!
//! A filter (seccomp) stops each call that opens a file and asks a supervisor, which opens the file itself, looks at what
//! it holds, verifies it when it is a model, and hands over the very descriptor that it looked at. Below that lies a wall
//! (Landlock): the program by itself may read no file but programs, so what the supervisor waves through, and what
//! nobody thought of, cannot reach a model.
//!
//! The guard does the same for every process of a host, on the file systems that root names: there the kernel asks
//! (fanotify) before a file is opened.

#![cfg(target_os = "linux")]

pub mod admission;
mod asked;
mod audit;
pub mod detonate;
mod error;
mod filter;
mod guard;
mod hold;
mod launch;
mod raw;
mod resolve;
mod run;
mod serve;
mod wall;

pub use audit::{Audit, Mode};
pub use error::Error;
pub use guard::{Guarded, Guarding, OnChange, Overload, Report, guard};
pub use hold::sealed_copy;
pub use launch::Confinement;
pub use run::{Running, run};
