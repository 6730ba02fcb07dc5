"""Reads pickles from stdin (4-byte length, bytes), runs CPython's unpicklers over each with globals replaced by
harmless stand-ins, and prints the globals they asked for, one JSON line a pickle.

Every way a program can hand bytes to an unpickler is tried: in memory, from files with and without `peek` and
`readinto`, with buffers so small that frames are torn, in C and in Python, with the encodings that loaders pass."""
import _codecs, _compat_pickle, _operator, base64, binascii, builtins, codecs, copyreg, encodings.ascii
import encodings.latin_1, encodings.rot_13, encodings.utf_16, encodings.utf_8, functools, io, json, operator, pickle, resource, struct
import sys, types

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class Plain(dict, metaclass=Meta):
    def __new__(cls, *args, **keywords):
        return dict.__new__(cls)

    def __init__(self, *args, **keywords):
        pass

    def __hash__(self):
        return id(self)


class Stateful(Plain):
    def __setstate__(self, state):
        pass

    def append(self, item):
        pass

    extend = add = append


def stand_in(name):
    return Stateful if len(name) % 2 else Plain


# Functions that compute and nothing else: names are put together with them.
REAL = {
    ("builtins", "str"): str,
    ("builtins", "str.join"): str.join,
    ("builtins", "str.replace"): str.replace,
    ("builtins", "str.format"): str.format,
    ("builtins", "str.strip"): str.strip,
    ("builtins", "str.split"): str.split,
    ("builtins", "iter"): iter,
    ("builtins", "next"): next,
    ("builtins", "max"): max,
    ("builtins", "sorted"): sorted,
    ("builtins", "list"): list,
    ("builtins", "list.reverse"): list.reverse,
    ("builtins", "filter"): filter,
    ("builtins", "slice"): slice,
    ("builtins", "bytes.decode"): bytes.decode,
    ("builtins", "bytes.fromhex"): bytes.fromhex,
    ("operator", "add"): operator.add,
    ("_operator", "concat"): operator.concat,
    ("operator", "mod"): operator.mod,
    ("operator", "getitem"): operator.getitem,
    ("operator", "setitem"): operator.setitem,
    ("functools", "reduce"): functools.reduce,
    ("_codecs", "decode"): _codecs.decode,
    ("codecs", "utf_8_decode"): codecs.utf_8_decode,
    ("copyreg", "add_extension"): copyreg.add_extension,
}

seen = set()
running = False
ALLOWED = {"pickle.find_class", "object.__getattr__"}


def audit(event, args):
    """The jail: while a pickle is loaded, nothing that would leave the interpreter happens."""
    if running and event not in ALLOWED:
        raise RuntimeError(event)
    if running and event == "pickle.find_class":
        install(*args)


sys.addaudithook(audit)


class Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(name)


replaced = {}


def install(module, name):
    """Before `loads` imports: puts stand-ins where it would find modules."""
    seen.add((module, name))
    new = _compat_pickle.NAME_MAPPING.get((module, name), (_compat_pickle.IMPORT_MAPPING.get(module, module), name))
    for wanted, attribute in ((module, name), new):
        stub = Module(wanted)
        real = REAL.get((wanted, attribute))
        if real is not None:
            inner = stub
            *path, last = attribute.split(".")
            for part in path:
                inner.__dict__[part] = inner = types.SimpleNamespace()
            inner.__dict__[last] = real
        if wanted not in replaced:
            replaced[wanted] = sys.modules.get(wanted)
        sys.modules[wanted] = stub


def restore():
    for module, real in replaced.items():
        if real is None:
            sys.modules.pop(module, None)
        else:
            sys.modules[module] = real
    replaced.clear()


def hooked(base, real=REAL):
    class Recorder(base):
        def find_class(self, module, name):
            seen.add((module, name))
            return real.get((module, name)) or stand_in(name)

        def persistent_load(self, pid):
            return Plain()

    return Recorder


class Bare:
    """A file without `peek` and `readinto`."""

    def __init__(self, data):
        self.file = io.BytesIO(data)
        self.read, self.readline = self.file.read, self.file.readline


def buffered(size):
    return lambda data: io.BufferedReader(io.BytesIO(data), size)


C, PYTHON = hooked(pickle.Unpickler), hooked(pickle._Unpickler)
READERS = [
    (C, io.BytesIO, {}),
    (C, Bare, {"encoding": "latin1"}),
    # 8-bit strings are `bytes` then, which name nothing however they are put together.
    (hooked(pickle.Unpickler, {}), io.BytesIO, {"encoding": "bytes"}),
    (C, buffered(8192), {"encoding": "latin1", "buffers": [b"out of band"] * 9}),
    (C, buffered(16), {}),
    (C, buffered(48), {"fix_imports": False}),
    (PYTHON, io.BytesIO, {}),
    (PYTHON, Bare, {"encoding": "latin1", "buffers": [b"out of band"] * 9}),
]


def forget_extensions():
    copyreg._extension_registry.clear()
    copyreg._inverted_registry.clear()
    copyreg._extension_cache.clear()


def loads_all(unpickler, file, options):
    forget_extensions()
    for _ in range(20):
        try:
            unpickler(file, **options).load()
        except BaseException:
            return


def loads(data):
    forget_extensions()
    try:
        pickle.loads(data)
    except BaseException:
        pass
    finally:
        restore()


def globals_of(data):
    global running
    seen.clear()
    running = True
    for unpickler, make, options in READERS:
        loads_all(unpickler, make(data), options)
    loads(data)
    running = False
    return {pair for pair in seen if all(type(part) is str for part in pair)}


while len(header := sys.stdin.buffer.read(4)) == 4:
    data = sys.stdin.buffer.read(struct.unpack("<I", header)[0])
    names = set()
    for module, name in globals_of(data):
        moved = _compat_pickle.IMPORT_MAPPING.get(module, module)
        new = _compat_pickle.NAME_MAPPING.get((module, name)) or (moved, name)
        names.add((module, name, *new, moved))
    sys.stdout.write(json.dumps(sorted(names)) + "\n")
    sys.stdout.flush()
