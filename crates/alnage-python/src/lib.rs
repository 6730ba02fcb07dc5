//! The native half of the Python package `alnage`: what it offers is typed in `python/alnage/_alnage.pyi`.
//!
//! Everything here is thin: the pipeline, the gate and the command line do the work, and Python gives it its shape.

use pyo3::pymodule;

mod calls;
mod capability;
mod command;
mod gate;
mod pickles;
mod vetting;

#[pymodule]
mod _alnage {
    #[pymodule_export]
    use crate::{
        calls::Failure,
        capability::classify,
        command::main,
        gate::{Gate, Judged},
        pickles::pickle_end,
        vetting::{verify, vet, vet_bytes},
    };

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
