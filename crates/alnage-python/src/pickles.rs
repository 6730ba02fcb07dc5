//! Where a pickle ends.

use alnage_formats::pickle::{Instructions, opcode};
use alnage_fs::MemoryBytes;
use pyo3::{PyResult, Python, pyfunction};

use crate::calls::guarded;

/// One past the STOP of the pickle that `data` begins with; nothing when unpicklers do not agree on where that is.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub(crate) fn pickle_end(py: Python<'_>, data: Vec<u8>) -> PyResult<Option<u64>> {
    guarded(py, move || {
        let source = MemoryBytes(data);
        let mut instructions = Instructions::at(&source, 0);
        // Every opcode is a byte at least, so the end of the bytes ends this.
        while let Ok(instruction) = instructions.step() {
            if instruction.opcode == opcode::STOP {
                return Ok(Some(instructions.position()));
            }
        }
        Ok(None)
    })
}
