//! PyTorch's own constructors of tensors: `torch._utils._rebuild_…`.

use std::sync::Arc;

use alnage_types::MemorySource;

use crate::{
    element::Element,
    graph::{Composite, Node, Value},
    machine::{Machine, UnknownCalls},
    meaning,
    refusal::{Refusal, malformed, shown, unsupported},
    tensor::{Place, Storage, Tensor},
};

/// What `torch._utils.<name>(*given)` gives back.
pub(crate) fn tensor(
    machine: &mut Machine<'_>,
    global: u32,
    name: &str,
    given: &[Value],
    arguments: Value,
) -> Result<Value, Refusal> {
    let part = |at: usize| given.get(at).copied().unwrap_or(Value::None);
    match name {
        "_rebuild_tensor" => plain(machine, given, None, Value::None),
        "_rebuild_tensor_v2" => plain(machine, given, None, part(6)),
        "_rebuild_tensor_v3" => {
            let element = data_type(machine, part(6))?;
            plain(machine, given, Some(element), part(7))
        }
        "_rebuild_parameter" | "_rebuild_parameter_with_state" => match machine.graph.get(part(0)) {
            Some(Node::Tensor(_) | Node::Composite(_)) => Ok(part(0)),
            _ => malformed("a parameter of what is no tensor"),
        },
        "_rebuild_qtensor" => quantized(machine, given),
        "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor" => sparse(machine, part(0), part(1)),
        "_rebuild_nested_tensor" => {
            let names = [".values", ".nested_sizes", ".nested_strides", ".storage_offsets"];
            composite(machine, "nested", names.into_iter().zip(given.iter().copied()).collect(), Vec::new())
        }
        "_rebuild_device_tensor_from_numpy" | "_rebuild_device_tensor_from_cpu_tensor" => {
            let element = data_type(machine, part(1))?;
            match machine.graph.get(part(0)) {
                Some(Node::Tensor(at)) if machine.graph.tensors[*at as usize].element == element => {
                    Ok(part(0))
                }
                Some(Node::Tensor(_)) => {
                    unsupported("a tensor that takes another data type when it is loaded")
                }
                _ => malformed("a tensor made of what is no array"),
            }
        }
        // Sizes without bytes: nothing to convert, and nothing that could be lost.
        "_rebuild_meta_tensor_no_storage" | "_rebuild_wrapper_subclass" => machine.object(global, arguments),
        _ if machine.unknown == UnknownCalls::LeftOut => machine.object(global, arguments),
        _ => Err(meaning::refused(&machine.graph.path(global), None, machine.at)),
    }
}

fn data_type(machine: &Machine<'_>, value: Value) -> Result<&'static Element, Refusal> {
    let name = match value {
        Value::Global(at) => machine.graph.globals.get(at as usize).map(|(_, name)| name.as_str()),
        _ => None,
    };
    let name = name.unwrap_or_default();
    Element::torch(name).ok_or_else(|| Refusal::Unsupported(format!("the data type `{}`", shown(name))))
}

/// `(storage, offset, size, stride, …)`.
fn plain(
    machine: &mut Machine<'_>,
    given: &[Value],
    element: Option<&'static Element>,
    flags: Value,
) -> Result<Value, Refusal> {
    let &[storage, Value::Int(offset), size, stride, ..] = given else {
        return malformed("a tensor without storage, offset, size and stride");
    };
    let Some(&Node::Storage { storage, start, element: own }) = machine.graph.get(storage) else {
        return malformed("a tensor of what is no storage");
    };
    let element = element.or_else(|| own.and_then(Element::named)).or_else(|| Element::named("uint8"));
    let (Some(element), Some(shape), Some(strides)) =
        (element, machine.graph.sizes(size), machine.graph.sizes(stride))
    else {
        return malformed("a tensor whose sizes are no sizes");
    };
    let offset = u64::try_from(offset).ok().and_then(|offset| offset.checked_mul(element.size));
    let Some(start) = offset.and_then(|offset| offset.checked_add(start)) else {
        return malformed("a tensor at an impossible place");
    };
    let (mut conjugate, mut negative) = (false, false);
    for (key, value) in machine.graph.pairs(flags).unwrap_or_default() {
        match (machine.graph.text(machine.source, *key, 16).as_deref(), value) {
            (Some("conj"), Value::Bool(set)) => conjugate = *set,
            (Some("neg"), Value::Bool(set)) => negative = *set,
            (key, _) => return unsupported(format!("the tensor flag `{}`", shown(key.unwrap_or_default()))),
        }
    }
    if (conjugate || negative) && !element.floating {
        return malformed("a conjugated or negated tensor of no floating-point numbers");
    }
    let per_byte = match element.name {
        "quint4x2" => 2,
        "quint2x4" => 4,
        _ => 1,
    };
    if per_byte > 1 {
        return packed(machine, storage, element, start, &shape, &strides, per_byte);
    }
    machine.graph.tensor(Tensor { storage, element, start, shape, strides, conjugate, negative })
}

/// Several numbers in a byte: the bytes as they are, and the shape of the numbers beside them.
fn packed(
    machine: &mut Machine<'_>,
    storage: u32,
    element: &'static Element,
    start: u64,
    shape: &[u64],
    strides: &[u64],
    per_byte: u64,
) -> Result<Value, Refusal> {
    let whole = Tensor::contiguous(storage, element, start, shape.to_vec(), false)?;
    if whole.strides != strides || start != 0 {
        return unsupported("a view of numbers that share bytes");
    }
    let bytes = whole.elements().div_ceil(per_byte);
    let tensor = Tensor::contiguous(storage, element, 0, vec![bytes], false)?;
    let tensor = machine.graph.tensor(tensor)?;
    composite(machine, "packed", vec![("", tensor)], vec![("shape", format!("{shape:?}"))])
}

/// `(storage, offset, size, stride, quantizer, …)`.
fn quantized(machine: &mut Machine<'_>, given: &[Value]) -> Result<Value, Refusal> {
    let integers = plain(machine, given, None, Value::None)?;
    let quantizer = given.get(4).and_then(|value| machine.graph.items(*value)).map(<[Value]>::to_vec);
    let Some(&[Value::Global(scheme), scale, zero_point, ref axis @ ..]) = quantizer.as_deref() else {
        return malformed("a quantised tensor without scale and zero point");
    };
    let scheme = machine.graph.globals.get(scheme as usize).map(|(_, name)| name.clone()).unwrap_or_default();
    let mut properties = vec![("scheme", scheme)];
    if let Some(Node::Composite(packed)) = machine.graph.get(integers) {
        properties.extend(packed.properties.clone());
    }
    if let [Value::Int(axis)] = axis {
        properties.push(("axis", axis.to_string()));
    }
    let scale = match scale {
        Value::Float(number) => constant(machine, "float64", number.to_le_bytes())?,
        Value::Int(number) => constant(machine, "float64", (number as f64).to_le_bytes())?,
        other => other,
    };
    let zero_point = match zero_point {
        Value::Int(number) => constant(machine, "int64", number.to_le_bytes())?,
        other => other,
    };
    let parts = vec![("", integers), (".scale", scale), (".zero_point", zero_point)];
    composite(machine, "quantized", parts, properties)
}

/// A tensor without dimensions that holds one number of the pickle.
fn constant(machine: &mut Machine<'_>, element: &'static str, bytes: [u8; 8]) -> Result<Value, Refusal> {
    let Some(element) = Element::named(element) else { return malformed("a number without a type") };
    let source = Arc::new(MemorySource::new(bytes.to_vec()));
    let place = Place { source, start: 0, len: 8, big_endian: false };
    let storage = Storage { key: String::new(), declared: 8, item: 8, place: Some(place) };
    let storage = machine.graph.add_storage(storage)?;
    let tensor = Tensor::contiguous(storage, element, 0, Vec::new(), false)?;
    machine.graph.tensor(tensor)
}

/// `(layout, (indices, values, size[, is_coalesced]))` and the compressed layouts.
fn sparse(machine: &mut Machine<'_>, layout: Value, data: Value) -> Result<Value, Refusal> {
    let layout = match machine.graph.get(layout) {
        Some(Node::Object(object)) => machine.graph.items(object.arguments).and_then(|items| items.first()),
        _ => None,
    };
    let layout = layout.and_then(|name| machine.graph.text(machine.source, *name, 64)).unwrap_or_default();
    let layout = layout.strip_prefix("torch.").unwrap_or(&layout).to_owned();
    let Some(data) = machine.graph.items(data).map(<[Value]>::to_vec) else {
        return malformed("a sparse tensor without its parts");
    };
    let names: &[&'static str] = match layout.as_str() {
        "sparse_coo" => &[".indices", ".values"],
        "sparse_csr" | "sparse_bsr" => &[".crow_indices", ".col_indices", ".values"],
        "sparse_csc" | "sparse_bsc" => &[".ccol_indices", ".row_indices", ".values"],
        _ => return unsupported(format!("sparse tensors of the layout `{}`", shown(&layout))),
    };
    let Some(size) = data.get(names.len()).and_then(|size| machine.graph.sizes(*size)) else {
        return malformed("a sparse tensor without its size");
    };
    let mut properties = vec![("shape", format!("{size:?}"))];
    if let Some(Value::Bool(coalesced)) = data.get(names.len() + 1) {
        properties.push(("is_coalesced", coalesced.to_string()));
    }
    let parts = names.iter().copied().zip(data.iter().copied()).collect();
    composite(machine, &layout, parts, properties)
}

fn composite(
    machine: &mut Machine<'_>,
    layout: &str,
    parts: Vec<(&'static str, Value)>,
    properties: Vec<(&'static str, String)>,
) -> Result<Value, Refusal> {
    let mut flat = Vec::new();
    for (name, value) in parts {
        match machine.graph.get(value) {
            Some(Node::Tensor(_)) => flat.push((name, value)),
            Some(Node::Composite(inner)) => {
                flat.extend(inner.parts.iter().copied().filter(|_| name.is_empty()))
            }
            _ => return malformed("a part of a tensor that is no tensor"),
        }
    }
    machine.graph.keep(size_of::<Composite>() + 32 * flat.len())?;
    let composite = Composite { layout: layout.to_owned(), parts: flat, properties };
    machine.graph.node(Node::Composite(Box::new(composite)))
}
