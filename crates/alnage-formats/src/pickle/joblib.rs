//! joblib's arrays: raw bytes in the file, right behind the opcode that builds their wrapper.

use super::{
    facts::{Reference, Tensor},
    heap::{Node, Value},
    machine::Machine,
    run::End,
    tape::{Extent, fetch},
    torch,
};

/// What a NumPy data type is, as far as its length goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) name: String,
    pub(super) item_size: u64,
    pub(super) has_object: bool,
}

/// After BUILD on an instance: reads the raw bytes that joblib reads there.
pub(super) fn built(
    machine: &mut Machine<'_>,
    class: Value,
    _arguments: Value,
    target: Value,
    state: Value,
) -> Result<(), End> {
    let Value::Global(at) = class else { return Ok(()) };
    let global = &machine.record.globals[at as usize];
    match global.name.as_str() {
        "NumpyArrayWrapper" if global.module.ends_with("numpy_pickle") => wrapper(machine, target),
        "NDArrayWrapper" | "ZNDArrayWrapper" if global.module.contains("numpy_pickle") => {
            reference(machine, target);
            Ok(())
        }
        "_reconstruct" if global.module.ends_with("core.multiarray") => {
            // `ndarray.__setstate__((version, shape, dtype, is_fortran, data))`.
            let parts = machine.arguments(state);
            let shape = torch::sizes(machine, parts.get(1));
            if let (Some(shape), Some(dtype)) = (shape, dtype(machine, parts.get(2))) {
                machine.record.tensor(None, Tensor { name: None, dtype: dtype.name, shape, storage: None });
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What joblib before 0.10 left of an array: the name of its file.
fn reference(machine: &mut Machine<'_>, target: Value) {
    machine.record.joblib = true;
    if let Some(name) = machine.planted(target, "filename") {
        let file = machine.short_text(name).unwrap_or_else(|| "<computed>".to_owned());
        let reference = Reference { file, offset: machine.at };
        if machine.record.references.last() != Some(&reference) {
            machine.record.references.push(reference);
        }
    }
}

fn wrapper(machine: &mut Machine<'_>, target: Value) -> Result<(), End> {
    machine.record.joblib = true;
    let shape = machine.planted(target, "shape").and_then(|shape| torch::sizes(machine, shape));
    let dtype = machine.planted(target, "dtype").and_then(|value| dtype(machine, value));
    let (Some(shape), Some(dtype)) = (shape, dtype) else { return Ok(()) };
    let mut start = machine.tape.raw_start();
    if dtype.has_object {
        // `pickle.load` on the file: a pickle of its own, run by the driver, which goes on behind it.
        machine.inline_from = Some(start);
        return Ok(());
    }
    let elements = shape.iter().fold(1u64, |all, &size| all.saturating_mul(size));
    let len = elements.saturating_mul(dtype.item_size);
    if matches!(machine.planted(target, "numpy_array_alignment_bytes"), Some(Value::Int(_))) {
        let padding = fetch(machine.tape.source(), Extent { start, len: 1 }, 1).first().copied();
        start += 1 + u64::from(padding.ok_or(End::Truncated)?);
    }
    machine.record.tensor(None, Tensor { name: None, dtype: dtype.name, shape, storage: None });
    let array = machine.tape.raw(start, len)?;
    machine.record.arrays.push(array);
    Ok(())
}

/// The data type that `numpy.dtype('f8', …)` and its state describe.
fn dtype(machine: &mut Machine<'_>, value: Value) -> Option<Dtype> {
    let Some(Node::Instance { arguments, states, .. }) = machine.heap.get(value) else { return None };
    let code = machine.short_text(machine.arguments(arguments).get(0))?;
    let code = code.trim_start_matches(['<', '>', '|', '=']);
    let (kind, digits) = code.split_at_checked(1)?;
    let size: u64 = digits.parse().ok()?;
    let state = machine.heap.items(states).last();
    let flags = state.map(|state| machine.arguments(state).get(7));
    let has_object = kind == "O" || matches!(flags, Some(Value::Int(flags)) if flags & 1 == 1);
    let name = match (kind, size) {
        ("f", 2) => "float16".to_owned(),
        ("f", 4) => "float32".to_owned(),
        ("f", 8) => "float64".to_owned(),
        ("i", _) => format!("int{}", size.saturating_mul(8)),
        ("u", _) => format!("uint{}", size.saturating_mul(8)),
        ("c", _) => format!("complex{}", size.saturating_mul(8)),
        ("b", 1) => "bool".to_owned(),
        ("O", _) => "object".to_owned(),
        _ => code.to_owned(),
    };
    let item_size = if kind == "U" { size.checked_mul(4)? } else { size };
    Some(Dtype { name, item_size, has_object })
}
