//! What `torch.load(weights_only=True)` accepts: a fixed set of opcodes and globals.

use super::{machine::Machine, opcode as op};

/// Looks at an opcode before it runs.
#[inline]
pub(super) fn see(machine: &mut Machine<'_>, opcode: u8) {
    if !accepts_opcode(opcode) && machine.record.refused.is_none() {
        machine.record.refused = Some(format!("opcode {} at byte {}", op::name(opcode), machine.at));
    }
}

/// Looks at a global when it is imported by name.
pub(super) fn accepts_global(module: &str, name: &str) -> bool {
    match module {
        "collections" => matches!(name, "OrderedDict" | "Counter"),
        "_codecs" => name == "encode",
        "builtins" => matches!(name, "bytearray" | "set" | "complex"),
        "torch.nn.parameter" => name == "Parameter",
        "torch.serialization" => name == "_get_layout",
        "torch._tensor" => name == "_rebuild_from_type_v2",
        "torch._utils" => matches!(
            name,
            "_rebuild_parameter"
                | "_rebuild_parameter_with_state"
                | "_rebuild_qtensor"
                | "_rebuild_tensor"
                | "_rebuild_tensor_v2"
                | "_rebuild_tensor_v3"
                | "_rebuild_sparse_tensor"
                | "_rebuild_meta_tensor_no_storage"
                | "_rebuild_wrapper_subclass"
                | "_rebuild_device_tensor_from_numpy"
                | "_rebuild_device_tensor_from_cpu_tensor"
        ),
        "torch" | "torch.storage" | "torch.cuda" => {
            matches!(
                name,
                "Size"
                    | "Tensor"
                    | "device"
                    | "per_tensor_affine"
                    | "per_tensor_symmetric"
                    | "per_channel_affine"
                    | "per_channel_symmetric"
                    | "per_channel_affine_float_qparams"
                    | "TypedStorage"
                    | "UntypedStorage"
            ) || super::torch::storage_dtype(name).is_some()
                || super::torch::dtype_size(name).is_some()
                || name
                    .strip_suffix("Tensor")
                    .is_some_and(|kind| super::torch::storage_dtype(&format!("{kind}Storage")).is_some())
        }
        _ => false,
    }
}

fn accepts_opcode(opcode: u8) -> bool {
    matches!(
        opcode,
        op::PROTO
            | op::GLOBAL
            | op::NEWOBJ
            | op::REDUCE
            | op::BUILD
            | op::APPEND
            | op::APPENDS
            | op::SETITEM
            | op::SETITEMS
            | op::MARK
            | op::TUPLE
            | op::TUPLE1
            | op::TUPLE2
            | op::TUPLE3
            | op::NONE
            | op::NEWTRUE
            | op::NEWFALSE
            | op::EMPTY_TUPLE
            | op::EMPTY_LIST
            | op::EMPTY_DICT
            | op::EMPTY_SET
            | op::BININT
            | op::BININT1
            | op::BININT2
            | op::BINFLOAT
            | op::BINUNICODE
            | op::SHORT_BINSTRING
            | op::BINPERSID
            | op::BINGET
            | op::LONG_BINGET
            | op::BINPUT
            | op::LONG_BINPUT
            | op::LONG1
            | op::STOP
    )
}
