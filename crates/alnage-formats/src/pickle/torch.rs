//! PyTorch's tensors as pickles rebuild them, and the legacy file around them.

use super::{
    facts::{Storage, Tensor},
    heap::{Node, Value},
    machine::Machine,
};

/// The magic number a legacy file begins with, as LONG1 writes it.
pub const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Data type and bytes of an element of a storage class.
pub(super) fn storage_dtype(class: &str) -> Option<(&'static str, u64)> {
    Some(match class.strip_suffix("Storage")? {
        "Float" => ("float32", 4),
        "Double" => ("float64", 8),
        "Half" => ("float16", 2),
        "BFloat16" => ("bfloat16", 2),
        "Long" => ("int64", 8),
        "Int" => ("int32", 4),
        "Short" => ("int16", 2),
        "Char" => ("int8", 1),
        "Byte" => ("uint8", 1),
        "Bool" => ("bool", 1),
        "ComplexFloat" => ("complex64", 8),
        "ComplexDouble" => ("complex128", 16),
        "QInt8" => ("qint8", 1),
        "QUInt8" => ("quint8", 1),
        "QInt32" => ("qint32", 4),
        "QUInt4x2" => ("quint4x2", 1),
        "QUInt2x4" => ("quint2x4", 1),
        "Untyped" => ("uint8", 1),
        _ => return None,
    })
}

/// Bytes of an element of `torch.<name>`.
pub(super) fn dtype_size(name: &str) -> Option<u64> {
    Some(match name {
        "float32" | "int32" | "uint32" | "qint32" | "float" | "int" | "complex32" => 4,
        "float64" | "int64" | "uint64" | "double" | "long" | "complex64" | "cfloat" => 8,
        "float16" | "bfloat16" | "int16" | "uint16" | "half" | "short" => 2,
        "int8" | "uint8" | "bool" | "qint8" | "quint8" | "quint4x2" | "quint2x4" | "float8_e4m3fn"
        | "float8_e5m2" | "float8_e4m3fnuz" | "float8_e5m2fnuz" | "float8_e8m0fnu" | "float4_e2m1fn_x2"
        | "uint1" | "uint2" | "uint3" | "uint4" | "uint5" | "uint6" | "uint7" | "int1" | "int2" | "int3"
        | "int4" | "int5" | "int6" | "int7" | "bits8" => 1,
        "complex128" | "cdouble" => 16,
        _ => return None,
    })
}

/// What `persistent_load` gives back for `('storage', torch.FloatStorage, '0', 'cpu', 128)` and for the legacy
/// `('module', class, file, source)`, which is the class.
pub(super) fn persistent(machine: &mut Machine<'_>, id: Value) -> Value {
    let parts = machine.arguments(id);
    let kind = machine.short_text(parts.get(0));
    if kind.as_deref() == Some("module") && parts.len > 1 {
        return parts.get(1);
    }
    if kind.as_deref() == Some("storage")
        && parts.len >= 5
        && let Value::Global(class) = parts.get(1)
        && let Some((dtype, item_size)) = storage_dtype(&machine.record.globals[class as usize].name)
        && let (Some(key), Value::Int(elements)) = (machine.short_text(parts.get(2)), parts.get(4))
    {
        let elements = u64::try_from(elements).unwrap_or(0);
        machine.record.storage(Storage { key, dtype, item_size, elements, offset: machine.at });
    }
    machine.heap.node(Node::Persistent(id))
}

/// `_rebuild_tensor_v2(storage, offset, size, stride, …)`.
pub(super) fn rebuilt(machine: &mut Machine<'_>, callee: Value, arguments: Value) -> Value {
    let args = machine.arguments(arguments);
    let shape = sizes(machine, args.get(2));
    let (mut dtype, mut storage) = ("unknown".to_owned(), None);
    if let Some(Node::Persistent(id)) = machine.heap.get(args.get(0)) {
        let parts = machine.arguments(id);
        if let Value::Global(class) = parts.get(1)
            && let Some((name, _)) = storage_dtype(&machine.record.globals[class as usize].name)
        {
            dtype = name.to_owned();
        }
        storage = machine.short_text(parts.get(2));
    }
    // Version 3 says the data type itself, after the hooks.
    if let Value::Global(at) = args.get(6)
        && let global = &machine.record.globals[at as usize]
        && dtype_size(&global.name).is_some()
    {
        dtype = global.name.clone();
    }
    let instance = machine.instance(callee, arguments);
    if let Some(shape) = shape {
        let node = super::effect::node_index(instance);
        machine.record.tensor(Some(node), Tensor { name: None, dtype, shape, storage });
    }
    instance
}

/// `_rebuild_parameter(tensor, …)`: the parameter stands for its tensor.
pub(super) fn parameter(machine: &mut Machine<'_>, callee: Value, arguments: Value) -> Value {
    let tensor = machine.arguments(arguments).get(0);
    let instance = machine.instance(callee, arguments);
    if let Some(&at) = machine.record.tensor_of.get(&super::effect::node_index(tensor)) {
        machine.record.tensor_of.insert(super::effect::node_index(instance), at);
    }
    instance
}

/// Remembers the key a tensor is filed under.
pub(super) fn name_tensor(machine: &mut Machine<'_>, key: Value, value: Value) {
    let Value::Node(node) = value else { return };
    if machine.record.tensor_of.is_empty() {
        return;
    }
    let Some(&at) = machine.record.tensor_of.get(&node) else { return };
    let name = machine.short_text(key);
    if let Some(tensor) = machine.record.tensors.list.get_mut(at as usize)
        && tensor.name.is_none()
    {
        tensor.name = name.map(|name| name.chars().filter(|c| !c.is_control()).collect());
    }
}

/// The sizes in a tuple, when all are sizes.
pub(super) fn sizes(machine: &Machine<'_>, tuple: Value) -> Option<Vec<u64>> {
    const MAX_DIMENSIONS: usize = 64;
    let items = match machine.heap.get(tuple)? {
        Node::Tuple(items) | Node::List(items) => items,
        // `torch.Size((2, 3))`.
        Node::Instance { arguments, .. } => machine.heap.elements(machine.arguments(arguments).get(0))?,
        _ => return None,
    };
    machine
        .heap
        .items(items)
        .take(MAX_DIMENSIONS)
        .map(|size| match size {
            Value::Int(size) => u64::try_from(size).ok(),
            _ => None,
        })
        .collect()
}
