//! Builds the frameworks' files.

mod fasttext;

pub use fasttext::{FastText, fasttext_dense, fasttext_quantised};

/// `lambda x: __import__('os').system('echo pwned')`, marshalled by CPython 3.11, in base64.
pub const MARSHALLED_CODE: &str = "4wEAAAAAAAAAAAAAAAMAAAADAAAA81YAAACXAHQBAAAAAAAAAAAAAGQBpgEAAKsBAAAAAAAAAACgAQAAAAAAAAAAAAAAAAAAAAAAAAAAZAKmAQAAqwEAAAAAAAAAAHwAZgJkAxkAAAAAAAAAAABTACkETtoCb3N6CmVjaG8gcHduZWTpAQAAACkC2gpfX2ltcG9ydF9f2gZzeXN0ZW0pAdoBeHMBAAAAIPoDPGw++gg8bGFtYmRhPnIIAAAAAQAAAHMmAAAAgACNOpBk0Qsb1Asb1wsi0gsioDzRCzDUCzCwIdAKNLBR1Ao3gADzAAAAAA==";

/// A child of the root group of an HDF5 file.
pub enum Hdf5Link<'a> {
    /// Name and target.
    Soft(&'a str, &'a str),
    /// Name, file and target.
    External(&'a str, &'a str, &'a str),
    /// Name and link class, 65 to 255.
    UserDefined(&'a str, u8),
    /// A contiguous dataset of `float32`.
    Dataset(&'a str, &'a [f32]),
    /// A dataset of ten bytes whose raw data is in the named file.
    ExternalStorage(&'a str, &'a str),
    /// A virtual dataset of the named file and dataset.
    Virtual(&'a str, &'a str, &'a str),
}

/// An HDF5 file, superblock version 2, with the given links and text attributes in the root group.
pub fn hdf5(links: &[Hdf5Link<'_>], attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 48];
    let mut messages = Vec::new();
    for link in links {
        let (kind, name, value) = hdf5_link(link, &mut file);
        let mut body = vec![1, 8, kind, name.len() as u8];
        body.extend_from_slice(name.as_bytes());
        body.extend(value);
        messages.push((6, body));
    }
    for (name, value) in attributes {
        let mut body = vec![3, 0];
        for size in [name.len() as u16 + 1, 8, 4] {
            body.extend(size.to_le_bytes());
        }
        body.push(0);
        body.extend_from_slice(name.as_bytes());
        body.push(0);
        body.extend(datatype(3, value.len() as u32));
        body.extend([2, 0, 0, 0]);
        body.extend_from_slice(value);
        messages.push((12, body));
    }
    let root = object_header(&mut file, &messages);
    let mut head = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00".to_vec();
    for number in [0, u64::MAX, file.len() as u64, root] {
        head.extend(number.to_le_bytes());
    }
    file[..head.len()].copy_from_slice(&head);
    file
}

fn hdf5_link(link: &Hdf5Link<'_>, file: &mut Vec<u8>) -> (u8, String, Vec<u8>) {
    let with_length = |value: Vec<u8>| [(value.len() as u16).to_le_bytes().to_vec(), value].concat();
    match *link {
        Hdf5Link::Soft(name, target) => (1, name.to_owned(), with_length(target.as_bytes().to_vec())),
        Hdf5Link::External(name, other, target) => {
            (64, name.to_owned(), with_length(format!("\0{other}\0{target}\0").into_bytes()))
        }
        Hdf5Link::UserDefined(name, class) => (class, name.to_owned(), with_length(Vec::new())),
        Hdf5Link::Dataset(name, values) => {
            let at = file.len() as u64;
            values.iter().for_each(|value| file.extend(value.to_le_bytes()));
            let size = values.len() as u64 * 4;
            let layout = [&[3, 1][..], &at.to_le_bytes(), &size.to_le_bytes()].concat();
            let space = [&[2, 1, 0, 1][..], &(values.len() as u64).to_le_bytes()].concat();
            let header = object_header(file, &[(1, space), (3, datatype(1, 4)), (8, layout)]);
            (0, name.to_owned(), header.to_le_bytes().to_vec())
        }
        Hdf5Link::ExternalStorage(name, other) => {
            let names = file.len() as u64;
            file.extend_from_slice(b"\0\0\0\0\0\0\0\0");
            file.extend_from_slice(other.as_bytes());
            file.push(0);
            let size = file.len() as u64 - names;
            let heap = file.len() as u64;
            file.extend_from_slice(b"HEAP\0\0\0\0");
            [size, 0, names].iter().for_each(|number| file.extend(number.to_le_bytes()));
            let mut external = vec![1, 0, 0, 0, 1, 0, 1, 0];
            [heap, 8, 0, 10].iter().for_each(|number| external.extend(number.to_le_bytes()));
            let layout = [&[3, 1][..], &u64::MAX.to_le_bytes(), &10_u64.to_le_bytes()].concat();
            let space = [&[2, 1, 0, 1][..], &10_u64.to_le_bytes()].concat();
            let messages = [(1, space), (3, datatype(0, 1)), (7, external), (8, layout)];
            (0, name.to_owned(), object_header(file, &messages).to_le_bytes().to_vec())
        }
        Hdf5Link::Virtual(name, other, target) => {
            let list =
                [&[0][..], &1_u64.to_le_bytes(), other.as_bytes(), b"\0", target.as_bytes(), b"\0"].concat();
            let heap = file.len() as u64;
            file.extend_from_slice(b"GCOL\x01\0\0\0");
            file.extend((32 + list.len() as u64).to_le_bytes());
            file.extend_from_slice(b"\x01\0\x01\0\0\0\0\0");
            file.extend((list.len() as u64).to_le_bytes());
            file.extend(list);
            let layout = [&[4, 3][..], &heap.to_le_bytes(), &1_u32.to_le_bytes()].concat();
            let space = [&[2, 1, 0, 1][..], &10_u64.to_le_bytes()].concat();
            let messages = [(1, space), (3, datatype(1, 4)), (8, layout)];
            (0, name.to_owned(), object_header(file, &messages).to_le_bytes().to_vec())
        }
    }
}

fn datatype(class: u8, size: u32) -> Vec<u8> {
    [&[0x10 | class, 0, 0, 0][..], &size.to_le_bytes()].concat()
}

/// Appends a version 2 object header and gives its address.
fn object_header(file: &mut Vec<u8>, messages: &[(u8, Vec<u8>)]) -> u64 {
    let address = file.len() as u64;
    let size: usize = messages.iter().map(|(_, body)| 4 + body.len()).sum();
    file.extend_from_slice(b"OHDR\x02\x02");
    file.extend((size as u32).to_le_bytes());
    for (kind, body) in messages {
        file.push(*kind);
        file.extend((body.len() as u16).to_le_bytes());
        file.push(0);
        file.extend_from_slice(body);
    }
    file.extend_from_slice(&[0; 4]);
    address
}

/// One protobuf field of bytes.
pub fn protobuf_bytes(number: u32, bytes: &[u8]) -> Vec<u8> {
    [varint(u64::from(number) << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// One protobuf field of a number.
pub fn protobuf_number(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Name, operation, inputs, and for `Const` the text it holds.
pub type TensorFlowNode<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

fn tensorflow_node((name, operation, inputs, text): &TensorFlowNode<'_>) -> Vec<u8> {
    let mut node = [protobuf_bytes(1, name.as_bytes()), protobuf_bytes(2, operation.as_bytes())].concat();
    for input in *inputs {
        node.extend(protobuf_bytes(3, input.as_bytes()));
    }
    if !text.is_empty() {
        let tensor = [protobuf_number(1, 7), protobuf_bytes(8, text.as_bytes())].concat();
        let entry = [protobuf_bytes(1, b"value"), protobuf_bytes(2, &protobuf_bytes(8, &tensor))].concat();
        node.extend(protobuf_bytes(5, &entry));
    }
    node
}

/// A TensorFlow GraphDef.
pub fn tensorflow_graph(nodes: &[TensorFlowNode<'_>]) -> Vec<u8> {
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| protobuf_bytes(1, &tensorflow_node(node))).collect();
    [nodes, protobuf_bytes(4, &protobuf_number(1, 1798))].concat()
}

/// A SavedModel whose nodes are in a library function instead of the graph when `in_function`.
pub fn saved_model(nodes: &[TensorFlowNode<'_>], in_function: bool) -> Vec<u8> {
    let graph = if in_function {
        let body: Vec<u8> = nodes.iter().flat_map(|node| protobuf_bytes(3, &tensorflow_node(node))).collect();
        let function = [protobuf_bytes(1, &protobuf_bytes(1, b"f")), body].concat();
        [protobuf_bytes(2, &protobuf_bytes(1, &function)), protobuf_bytes(4, &protobuf_number(1, 1798))]
            .concat()
    } else {
        tensorflow_graph(nodes)
    };
    let info = [protobuf_bytes(4, b"serve"), protobuf_bytes(5, b"2.15.0")].concat();
    let meta = [protobuf_bytes(1, &info), protobuf_bytes(2, &graph)].concat();
    [protobuf_number(1, 1), protobuf_bytes(2, &meta)].concat()
}

/// A `keras_metadata.pb` of one object.
pub fn keras_metadata(json: &str) -> Vec<u8> {
    let node = [
        protobuf_bytes(3, b"root.layer-0"),
        protobuf_bytes(4, b"_tf_keras_layer"),
        protobuf_bytes(5, json.as_bytes()),
    ];
    protobuf_bytes(1, &node.concat())
}

/// A skops schema whose method node says `os.system`.
pub const SKOPS_METHOD: &str = r#"{"__class__": "system", "__module__": "os", "__loader__": "MethodNode", "content":
    {"func": "system", "obj": {"__class__": "module", "__module__": "os", "__loader__": "ObjectNode", "content": null}},
    "protocol": 2, "_skops_version": "0.11.0"}"#;

/// An XGBoost model in JSON with the given objective.
pub fn xgboost_json(objective: &str) -> String {
    format!(
        r#"{{"learner": {{"gradient_booster": {{"name": "gbtree", "model": {{"trees": [{{"left": [1, 2.5, -1e9]}}]}}}},
        "objective": {{"name": "{objective}"}}, "attributes": {{}}}}, "version": [3, 0, 0]}}"#
    )
}

/// The same in Universal Binary JSON.
pub fn xgboost_ubjson(objective: &str) -> Vec<u8> {
    let text = |text: &str| [&[b'L'][..], &(text.len() as u64).to_be_bytes(), text.as_bytes()].concat();
    let mut bytes = b"{".to_vec();
    bytes.extend([text("learner"), b"{".to_vec(), text("gradient_booster"), b"{".to_vec()].concat());
    bytes.extend(
        [text("name"), b"S".to_vec(), text("gbtree"), text("x"), b"[$d#L\0\0\0\0\0\0\0\x01".to_vec()]
            .concat(),
    );
    bytes.extend([&[0, 0, 0, 0][..], b"}", &text("objective"), b"{", &text("name"), b"S"].concat());
    bytes.extend(
        [text(objective), b"}}".to_vec(), text("version"), b"[#L\0\0\0\0\0\0\0\x01i\x03}".to_vec()].concat(),
    );
    bytes
}

/// R's `NULL`.
pub const R_NULL: &[u8] = &[0, 0, 0, 254];

/// R's value that is not there yet.
pub const R_UNBOUND: &[u8] = &[0, 0, 0, 252];

fn r_characters(text: &str) -> Vec<u8> {
    [&0x0004_0009_u32.to_be_bytes()[..], &(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

/// A symbol of R.
pub fn r_symbol(name: &str) -> Vec<u8> {
    [&[0, 0, 0, 1][..], &r_characters(name)].concat()
}

/// A character vector of one text.
pub fn r_text(text: &str) -> Vec<u8> {
    [&[0, 0, 0, 16, 0, 0, 0, 1][..], &r_characters(text)].concat()
}

/// An integer vector.
pub fn r_integers(values: &[i32]) -> Vec<u8> {
    let numbers: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    [&[0, 0, 0, 13][..], &(values.len() as u32).to_be_bytes(), &numbers].concat()
}

/// A raw vector.
pub fn r_raw(bytes: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 24][..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// A generic vector, R's `list`.
pub fn r_list(elements: &[Vec<u8>]) -> Vec<u8> {
    [&[0, 0, 0, 19][..], &(elements.len() as u32).to_be_bytes(), &elements.concat()].concat()
}

/// A cell of a pairlist with a tag.
pub fn r_pair(tag: &[u8], head: &[u8], rest: &[u8]) -> Vec<u8> {
    [&[0, 0, 4, 2][..], tag, head, rest].concat()
}

/// A call.
pub fn r_call(function: &[u8], arguments: &[Vec<u8>]) -> Vec<u8> {
    let rest = arguments
        .iter()
        .rev()
        .fold(R_NULL.to_vec(), |rest, argument| [&[0, 0, 0, 2][..], argument, &rest].concat());
    [&[0, 0, 0, 6][..], function, &rest].concat()
}

/// A promise with a value and an expression, in the global environment.
pub fn r_promise(value: &[u8], expression: &[u8]) -> Vec<u8> {
    [&[0, 0, 4, 5, 0, 0, 0, 253][..], value, expression].concat()
}

/// A function without arguments in the global environment.
pub fn r_function(body: &[u8]) -> Vec<u8> {
    [&[0, 0, 4, 3, 0, 0, 0, 253][..], R_NULL, body].concat()
}

fn r_bindings(bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    bindings.iter().rev().fold(R_NULL.to_vec(), |rest, (name, value)| r_pair(&r_symbol(name), value, &rest))
}

/// An environment with these variables in its frame.
pub fn r_environment(bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    [&[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 253][..], &r_bindings(bindings), R_NULL, R_NULL].concat()
}

const R_HEADER: &[u8] = b"X\n\0\0\0\x03\0\x04\x03\x01\0\x03\x05\0\0\0\0\x05UTF-8";

/// The file that `saveRDS` writes, not compressed.
pub fn r_object(object: &[u8]) -> Vec<u8> {
    [R_HEADER, object].concat()
}

/// The file that `save` writes, not compressed.
pub fn r_workspace(bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    [b"RDX3\n", R_HEADER, &r_bindings(bindings)].concat()
}

/// A field of a table of FlatBuffers.
pub enum FlatField {
    /// Left at its default.
    Default,
    /// A number of at most four bytes.
    Number(u32),
    /// A text.
    Text(&'static str),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A vector of `i32`.
    Integers(Vec<i32>),
    /// A vector of tables.
    Tables(Vec<Vec<FlatField>>),
}

/// A file of FlatBuffers with this identifier and root table.
pub fn flat_buffer(identifier: &[u8; 4], root: &[FlatField]) -> Vec<u8> {
    let mut file = [&[0; 4][..], identifier].concat();
    let at = flat_table(&mut file, root);
    file[..4].copy_from_slice(&at.to_le_bytes());
    file
}

/// Appends a table and what hangs on it; gives its place.
fn flat_table(file: &mut Vec<u8>, fields: &[FlatField]) -> u32 {
    let directory = file.len() as u32;
    file.extend((4 + 2 * fields.len() as u16).to_le_bytes());
    file.extend((4 + 4 * fields.len() as u16).to_le_bytes());
    for (index, field) in fields.iter().enumerate() {
        let offset = if matches!(field, FlatField::Default) { 0 } else { 4 + 4 * index as u16 };
        file.extend(offset.to_le_bytes());
    }
    let table = file.len() as u32;
    file.extend((table - directory).to_le_bytes());
    file.resize(file.len() + 4 * fields.len(), 0);
    for (index, field) in fields.iter().enumerate() {
        let place = table as usize + 4 + 4 * index;
        let target = file.len() as u32;
        let value = match field {
            FlatField::Default => continue,
            FlatField::Number(number) => *number,
            FlatField::Text(text) => {
                file.extend((text.len() as u32).to_le_bytes());
                file.extend_from_slice(text.as_bytes());
                target - place as u32
            }
            FlatField::Bytes(bytes) => {
                file.extend((bytes.len() as u32).to_le_bytes());
                file.extend_from_slice(bytes);
                target - place as u32
            }
            FlatField::Integers(integers) => {
                file.extend((integers.len() as u32).to_le_bytes());
                integers.iter().for_each(|integer| file.extend(integer.to_le_bytes()));
                target - place as u32
            }
            FlatField::Tables(tables) => {
                file.extend((tables.len() as u32).to_le_bytes());
                let first = file.len();
                file.resize(first + 4 * tables.len(), 0);
                for (index, fields) in tables.iter().enumerate() {
                    let at = first + 4 * index;
                    let offset = flat_table(file, fields) - at as u32;
                    file[at..at + 4].copy_from_slice(&offset.to_le_bytes());
                }
                target - place as u32
            }
        };
        file[place..place + 4].copy_from_slice(&value.to_le_bytes());
    }
    table
}

/// A TensorFlow Lite model of one custom operator (an addition without a name) and one constant tensor of `float32`.
pub fn tflite(custom: &'static str, shape: &[i32], data: &[u8]) -> Vec<u8> {
    use FlatField::{Bytes, Default, Integers, Number, Tables, Text};
    let code = match custom {
        "" => vec![Default],
        _ => vec![Number(32), Text(custom), Number(1), Number(32)],
    };
    let tensor = vec![Integers(shape.to_vec()), Default, Number(1), Text("weights")];
    let operator = vec![Default, Integers(vec![0]), Integers(vec![0])];
    let subgraph = vec![
        Tables(vec![tensor]),
        Integers(vec![0]),
        Integers(vec![0]),
        Tables(vec![operator]),
        Text("main"),
    ];
    let buffers = vec![vec![Default], vec![Bytes(data.to_vec())]];
    let root = [Number(3), Tables(vec![code]), Tables(vec![subgraph]), Text("sample"), Tables(buffers)];
    flat_buffer(b"TFL3", &root)
}
