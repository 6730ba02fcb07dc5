//! The callables whose effect on values is computed, so that names and nested programs resolve.

/// What a known callable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Getattr,
    ImportModule,
    Import,
    ResolveName,
    Locate,
    AttributeGetter,
    ItemGetter,
    MethodCaller,
    Partial,
    MethodType,
    Reduce,
    /// Calls its first argument with each item of the second.
    Map,
    /// The same, and gives back some of the items.
    Filter,
    StarMap,
    /// Calls its first argument with the rest.
    Apply,
    NewObject,
    NewObjectEx,
    Reconstructor,
    /// Makes an instance of the class that is its argument of this index.
    MakesInstanceOf(u8),
    RebuildFromType,
    Str,
    Bytes,
    ByteArray,
    Chr,
    Decode,
    /// Decodes, and says how much.
    DecodePart,
    Encode,
    /// An unbound method of `str` or `bytes`.
    StringMethod,
    FromHex,
    Add,
    Modulo,
    Multiply,
    GetItem,
    /// Gives an item and changes what holds it.
    Pop,
    Vars,
    Identity,
    /// Gives the items of its argument in another order, or one of them.
    Reordered,
    ToDict,
    ToList,
    ToTuple,
    Reversed,
    Next,
    /// Gives one of the items of its argument.
    OneOf,
    Unhex,
    Base64,
    UrlsafeBase64,
    Base32,
    Ascii85,
    Base85,
    Inflate,
    /// Loads a pickle from bytes.
    LoadsPickle,
    LoadsMarshal,
    CodeType,
    FunctionType,
    AddExtension,
    TypeOf,
    TorchTensor,
    TorchParameter,
    NumpyDtype,
    NumpyReconstruct,
    Other,
}

/// What is known about `module.name`.
pub(super) fn known(module: &str, name: &str) -> Known {
    match module {
        "builtins" => builtin(name),
        "operator" | "_operator" => match name {
            "attrgetter" => Known::AttributeGetter,
            "itemgetter" => Known::ItemGetter,
            "methodcaller" => Known::MethodCaller,
            "call" | "__call__" => Known::Apply,
            "add" | "__add__" | "iadd" | "__iadd__" | "concat" | "__concat__" | "iconcat" | "__iconcat__" => {
                Known::Add
            }
            "mod" | "__mod__" | "imod" | "__imod__" => Known::Modulo,
            "mul" | "__mul__" | "imul" | "__imul__" => Known::Multiply,
            "getitem" | "__getitem__" => Known::GetItem,
            _ => Known::Other,
        },
        "functools" | "_functools" => match name {
            "partial" | "partialmethod" => Known::Partial,
            "reduce" => Known::Reduce,
            _ => Known::Other,
        },
        "itertools" => match name {
            "starmap" => Known::StarMap,
            "filterfalse" | "takewhile" | "dropwhile" => Known::Filter,
            "chain" | "cycle" | "repeat" => Known::Identity,
            _ => Known::Other,
        },
        "types" => match name {
            "CodeType" => Known::CodeType,
            "FunctionType" | "LambdaType" => Known::FunctionType,
            "MethodType" => Known::MethodType,
            _ => Known::Other,
        },
        "importlib" | "importlib._bootstrap" | "_frozen_importlib" => match name {
            "import_module"
            | "_gcd_import"
            | "_bootstrap._gcd_import"
            | "_find_and_load"
            | "_bootstrap._find_and_load" => Known::ImportModule,
            "__import__" | "_bootstrap.__import__" => Known::Import,
            "reload" => Known::Identity,
            _ => Known::Other,
        },
        "pkgutil" if name == "resolve_name" => Known::ResolveName,
        "logging.config" if name == "_resolve" => Known::ResolveName,
        "pydoc" => match name {
            "locate" | "resolve" => Known::Locate,
            "safeimport" => Known::ImportModule,
            _ => Known::Other,
        },
        "inspect" if name == "getattr_static" => Known::Getattr,
        "copyreg" => match name {
            "_reconstructor" => Known::Reconstructor,
            "__newobj__" => Known::NewObject,
            "__newobj_ex__" => Known::NewObjectEx,
            "add_extension" => Known::AddExtension,
            _ => Known::Other,
        },
        "codecs" | "_codecs" => match name {
            "decode" => Known::Decode,
            "encode" => Known::Encode,
            "utf_8_decode" | "latin_1_decode" | "ascii_decode" => Known::DecodePart,
            _ => Known::Other,
        },
        "binascii" => match name {
            "unhexlify" | "a2b_hex" => Known::Unhex,
            "a2b_base64" => Known::Base64,
            _ => Known::Other,
        },
        "base64" => match name {
            "b64decode" | "standard_b64decode" | "decodebytes" | "decodestring" => Known::Base64,
            "urlsafe_b64decode" => Known::UrlsafeBase64,
            "b32decode" => Known::Base32,
            "b16decode" => Known::Unhex,
            "a85decode" => Known::Ascii85,
            "b85decode" => Known::Base85,
            _ => Known::Other,
        },
        "zlib" | "bz2" | "lzma" | "gzip" if name == "decompress" => Known::Inflate,
        "pickle"
        | "_pickle"
        | "cPickle"
        | "dill"
        | "dill._dill"
        | "cloudpickle"
        | "cloudpickle.cloudpickle"
        | "cloudpickle.cloudpickle_fast"
        | "pickle5"
        | "srsly.cloudpickle"
        | "joblib.externals.cloudpickle"
            if matches!(name, "loads" | "_loads") =>
        {
            Known::LoadsPickle
        }
        "torch.storage" if name == "_load_from_bytes" => Known::LoadsPickle,
        "srsly" | "srsly._pickle_api" if name == "pickle_loads" => Known::LoadsPickle,
        "marshal" if name == "loads" => Known::LoadsMarshal,
        "dill._dill" => match name {
            "_create_code" => Known::CodeType,
            "_create_function" => Known::FunctionType,
            "_load_type" | "_import_module" => dill(name),
            _ => Known::Other,
        },
        "cloudpickle.cloudpickle"
        | "cloudpickle.cloudpickle_fast"
        | "joblib.externals.cloudpickle.cloudpickle" => match name {
            "_make_function" | "_make_skel_func" | "_fill_function" => Known::FunctionType,
            "_builtin_type" => Known::TypeOf,
            "_make_code" => Known::CodeType,
            "subimport" => Known::ImportModule,
            "_getattribute" => Known::Getattr,
            _ => Known::Other,
        },
        "torch._utils" => match name {
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" => Known::TorchTensor,
            "_rebuild_parameter" | "_rebuild_parameter_with_state" => Known::TorchParameter,
            _ => Known::Other,
        },
        "torch._tensor" if name == "_rebuild_from_type_v2" => Known::RebuildFromType,
        "numpy" if name == "dtype" => Known::NumpyDtype,
        "numpy.core.multiarray" | "numpy._core.multiarray" if name == "_reconstruct" => {
            Known::NumpyReconstruct
        }
        "numpy.ma.core" if name == "_mareconstruct" => Known::MakesInstanceOf(0),
        "numpy.random._pickle" if name.starts_with("__bit_generator_ctor") => Known::MakesInstanceOf(0),
        "pandas.core.indexes.base" if name == "_new_Index" => Known::MakesInstanceOf(0),
        _ if name.starts_with("__pyx_unpickle_") => Known::MakesInstanceOf(0),
        _ => Known::Other,
    }
}

fn dill(name: &str) -> Known {
    if name == "_import_module" { Known::ResolveName } else { Known::TypeOf }
}

fn builtin(name: &str) -> Known {
    match name {
        "getattr" | "object.__getattribute__" | "type.__getattribute__" | "super.__getattribute__" => {
            Known::Getattr
        }
        "__import__" => Known::Import,
        "str" => Known::Str,
        "bytes" => Known::Bytes,
        "bytearray" => Known::ByteArray,
        "chr" => Known::Chr,
        "map" => Known::Map,
        "filter" => Known::Filter,
        "vars" => Known::Vars,
        "iter" => Known::Identity,
        "set" | "frozenset" | "sorted" | "enumerate" => Known::Reordered,
        "list" => Known::ToList,
        "tuple" => Known::ToTuple,
        "dict" => Known::ToDict,
        "reversed" => Known::Reversed,
        "next" => Known::Next,
        "min" | "max" => Known::OneOf,
        "bytes.fromhex" | "bytearray.fromhex" => Known::FromHex,
        "bytes.decode" | "bytearray.decode" => Known::Decode,
        "str.encode" => Known::Encode,
        "str.__add__" | "bytes.__add__" | "list.__add__" | "tuple.__add__" => Known::Add,
        "str.__mod__" => Known::Modulo,
        "dict.get" | "dict.__getitem__" | "list.__getitem__" | "tuple.__getitem__" | "str.__getitem__"
        | "bytes.__getitem__" => Known::GetItem,
        "dict.pop" | "dict.setdefault" | "list.pop" => Known::Pop,
        _ if name.starts_with("str.") || name.starts_with("bytes.") => Known::StringMethod,
        _ => Known::Other,
    }
}
