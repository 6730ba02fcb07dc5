"""Loads one model in the jail as its users' programs would, and tells what Python alone can see.

Run as `python -I -S -B importer.py PROFILE LOADER PATH`. Whatever is told here comes from the process that
the model runs in, so it may be false or missing: what the kernel was asked for is seen from outside.
"""

import _compat_pickle, base64, binascii, builtins, bz2, collections, copyreg, gzip, importlib, importlib.abc, importlib.machinery
import importlib.util, io, json, linecache, lzma, marshal, os, pickle, pickletools, re, string, struct, sys, tarfile
import tempfile, threading, tokenize, traceback, types, warnings, zipfile, zlib
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.raw_unicode_escape, encodings.utf_16, encodings.utf_8

PROFILE, LOADER, PATH = sys.argv[1:4]
CHANNEL = os.dup(1)
SECRETS = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "OPENAI_API_KEY", "SSH_AUTH_SOCK",
}
MOST_MESSAGES = 500
STANDARD = sys.stdlib_module_names

# What the model may replace is taken before it is loaded.
write, dumps, frame_of = os.write, json.dumps, sys._getframe
armed = False
sent = 0
seen = set()


def tell(kind, subject, detail=""):
    global sent
    message = dumps({"kind": kind, "subject": str(subject)[:400], "detail": str(detail)[:400]})
    if message in seen or sent >= MOST_MESSAGES:
        return
    seen.add(message)
    sent += 1
    try:
        write(CHANNEL, message.encode() + b"\n")
    except OSError:
        pass


def during_import(frame):
    """Whether a module is being imported by somebody in the chain of callers: its own code is not the model's."""
    for _ in range(200):
        if frame is None:
            return False
        if frame.f_code.co_filename.startswith("/model"):
            return False
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def described(code):
    names = ", ".join(code.co_names[:12])
    constants = ", ".join(repr(value)[:80] for value in code.co_consts[:8] if isinstance(value, (str, bytes)))
    return f"code that names {names}" + (f"; constants {constants}" if constants else "")


last_source = ""


def hook(event, args):
    global last_source
    if not armed:
        return
    try:
        if event == "compile":
            source, name = args
            if source is not None and str(name).startswith("<"):
                last_source = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
        elif event == "exec":
            code, caller = args[0], frame_of(1)
            if not isinstance(code, types.CodeType) or not code.co_filename.startswith("<"):
                return
            # `namedtuple` makes its classes so.
            if caller.f_globals.get("__name__") == "collections" or during_import(caller):
                return
            if PROFILE == "real" and "site-packages" in caller.f_code.co_filename:
                return
            tell("code", last_source or described(code), "eval or exec")
            last_source = ""
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            if args[0]:
                tell("lookup", args[0] if isinstance(args[0], str) else bytes(args[0]).decode("latin-1"))
        elif event == "ctypes.dlopen":
            if args[0] and not during_import(frame_of(1)):
                tell("code", args[0], "loads a native library")
    except Exception:
        pass


read_whole = False


class Environment(type(os.environ)):
    """The environment, which tells when a secret is asked for."""

    def __getitem__(self, key):
        if armed and key in SECRETS and not read_whole and not during_import(frame_of(1)):
            tell("environment", key)
        return super().__getitem__(key)

    def __iter__(self):
        global read_whole
        if armed and not during_import(frame_of(1)):
            read_whole = True
            tell("environment", "all of it")
        return super().__iter__()


# --- modules that are not there -------------------------------------------------------------------------------------


class Anything(type):
    """The class of everything that is made up: has every attribute, which is made up too."""

    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        made = made_up(f"{cls.__module__}.{cls.__qualname__}", name)
        type.__setattr__(cls, name, made)
        return made

    def __call__(cls, *args, **kwargs):
        tell_call(cls, args, kwargs)
        made = cls.__new__(cls, *args)
        object.__setattr__(made, "made_from", args)
        return made

    def __instancecheck__(cls, instance):
        return type.__instancecheck__(cls, instance)


class Something(metaclass=Anything):
    """Takes every argument, state, item and call."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        object.__setattr__(self, "state", state)

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return made_up(type(self).__module__, name)

    def __call__(self, *args, **kwargs):
        return Something()

    def __iter__(self):
        return iter(())

    def __getitem__(self, key):
        return Something()

    def __setitem__(self, key, value):
        pass

    def __len__(self):
        return 0

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other

    def __reduce__(self):
        return (Something, ())

    def append(self, item):
        pass

    def extend(self, items):
        for _ in items:
            pass

    def add(self, item):
        pass


# Made-up classes that turned out to be made from a type of Python's own, as pickles of its subclasses are.
BASES = {}


def made_up(module, name):
    bases = (Something, BASES[name]) if name in BASES else (Something,)
    return Anything(name, bases, {"__module__": module, "__qualname__": name})


def tell_call(callee, args, kwargs):
    """Somebody outside knows which of the callables that are missing here would have done something."""
    if armed and callee.__module__ != "__main__":
        shown = ", ".join([short(value) for value in args] + [f"{k}={short(v)}" for k, v in kwargs.items()])
        key = (callee.__module__, callee.__qualname__)
        if key not in told_calls:
            told_calls.add(key)
            tell("call", f"{callee.__module__}:{callee.__qualname__}", shown)


told_calls = set()


def short(value):
    if isinstance(value, (str, bytes, int, float, bool, type(None), list, tuple, dict)):
        return repr(value)[:160]
    return f"<{type(value).__name__}>"


class MadeUpModule(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        # A real module has what it imports: `torch.serialization.os`.
        if name in STANDARD and not name.startswith("_"):
            return importlib.import_module(name)
        made = made_up(self.__name__, name)
        setattr(self, name, made)
        return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last one asked: makes up every module that does not belong to Python itself."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in STANDARD or name.partition(".")[0] == "__main__":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MadeUpModule(spec.name)

    def exec_module(self, module):
        module.__path__ = []
        if module.__name__ in ("cloudpickle", "cloudpickle.cloudpickle", "dill", "dill._dill"):
            module.__dict__.update(FUNCTION_MAKERS)


def make_function(code, *rest):
    """cloudpickle and dill carry functions as code: what they make is called, so it has to be real."""
    names = next((value for value in rest if isinstance(value, dict)), {})
    names.setdefault("__builtins__", __builtins__)
    closure = tuple(types.CellType() for _ in code.co_freevars)
    return types.FunctionType(code, names, None, None, closure)


FUNCTION_MAKERS = {
    "_make_function": make_function,
    "_create_function": make_function,
    "_builtin_type": lambda name: getattr(types, name),
    "_load_type": lambda name: getattr(types, name, getattr(__builtins__, name, Something)),
    "_create_code": lambda *args: types.CodeType(*args),
    "_make_empty_cell": types.CellType,
    "_make_cell": lambda *value: types.CellType(*value),
    "_function_setstate": lambda function, state: set_function_state(function, state),
    "subimport": lambda name: importlib.import_module(name),
    "_import_module": lambda name, safe=False: importlib.import_module(name),
    "loads": lambda data, **rest: Unpickler(io.BytesIO(data)).load(),
    "load": lambda file, **rest: Unpickler(file).load(),
}


def set_function_state(function, state):
    state, slots = state if isinstance(state, tuple) else (state, {})
    function.__dict__.update(state or {})
    function.__globals__.update(slots.get("__globals__") or {})
    for name in ("__defaults__", "__kwdefaults__"):
        if slots.get(name):
            setattr(function, name, slots[name])


def find(unpickler, module, name, resolve):
    try:
        return resolve(module, name)
    except AttributeError:
        if module == "__main__" or isinstance(sys.modules.get(module), MadeUpModule):
            return made_up(module, name)
        raise


def persistent(identity):
    """Old PyTorch files name classes so; the rest are storages."""
    if isinstance(identity, tuple) and len(identity) > 1 and identity[0] == "module":
        return identity[1]
    return Something()


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return find(self, module, name, super().find_class)

    def persistent_load(self, identity):
        return persistent(identity)


class ArrayUnpickler(pickle._Unpickler):
    """Steps over the arrays that joblib writes between the opcodes of a pickle."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file):
        self.file = file
        super().__init__(file)

    def find_class(self, module, name):
        return find(self, module, name, super().find_class)

    def persistent_load(self, identity):
        return persistent(identity)

    def load_build(self):
        super().load_build()
        made = self.stack[-1]
        state = getattr(made, "state", None)
        if type(made).__name__ == "NumpyArrayWrapper" and isinstance(state, dict):
            self.skip_array(state)

    dispatch[pickle.BUILD[0]] = load_build

    def skip_array(self, state):
        kind = getattr(state.get("dtype"), "made_from", ("f8",))[0]
        letter, size = re.fullmatch(r"[<>=|]?([a-zA-Z?])(\d*)", str(kind)).groups()
        if letter == "O":
            ArrayUnpickler(self.file).load()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        left = int(size or 1) * (4 if letter == "U" else 1)
        for length in state.get("shape", ()):
            left *= int(length)
        while left > 0:
            piece = len(self.file.read(min(left, 1 << 20)))
            if piece == 0:
                raise EOFError("an array ends before its length")
            left -= piece


# --- formats ----------------------------------------------------------------------------------------------------------

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
MOST_MEMBERS = 4096
MOST_MEMBER_BYTES = 256 << 20


def load_pickles(file):
    """Every pickle of the stream: legacy PyTorch files are five, and some loaders read on."""
    head = file.peek(1 << 16) if hasattr(file, "peek") else b""
    joblib = b"NumpyArrayWrapper" in head or b"NumpyArrayWrapper" in whole(file)
    kind = ArrayUnpickler if joblib else Unpickler
    first = kind(file).load()
    more = 4 if first == TORCH_MAGIC and isinstance(first, int) else MOST_MEMBERS
    for _ in range(more):
        following = file.peek(1)[:1]
        if not following:
            return
        try:
            kind(file).load()
        except Exception as error:
            if more == 4:
                raise
            # What follows a pickle need not be one.
            return


def whole(file):
    at = file.tell()
    found = file.read(8 << 20)
    file.seek(at)
    return found


def buffered(data):
    return io.BufferedReader(io.BytesIO(data))


def load_zip(file, depth):
    """Members as lenient loaders see them: by the central directory, whatever the local headers say."""
    archive = zipfile.ZipFile(file)
    members = archive.infolist()[:MOST_MEMBERS]
    pickled = any(member.filename.endswith(".pkl") for member in members)
    failure = None
    for member in members:
        name = member.filename
        base = name.rpartition("/")[2]
        if member.is_dir() or pickled and re.search(r"(^|/)(data|tensors|constants)/\d+$", name):
            continue
        if base.endswith((".safetensors", ".debug_pkl", ".weights.h5", ".bin.index.json")):
            continue
        try:
            data = member_bytes(file, member)
            load_member(name, data, depth)
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure


def member_bytes(file, member):
    file.seek(member.header_offset)
    header = file.read(30)
    names, extra = struct.unpack("<HH", header[26:30])
    file.seek(member.header_offset + 30 + names + extra)
    data = file.read(min(member.compress_size, MOST_MEMBER_BYTES))
    if member.compress_type == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(-15).decompress(data, MOST_MEMBER_BYTES)
    if member.compress_type == zipfile.ZIP_BZIP2:
        return bz2.BZ2Decompressor().decompress(data, MOST_MEMBER_BYTES)
    return data


def load_member(name, data, depth):
    base = name.rpartition("/")[2]
    if base in ("config.json", "metadata.json") or base.endswith(".json"):
        load_lambdas(data)
    elif base.endswith((".pkl", ".pickle", ".joblib", ".npy", ".pt", ".pth", ".ckpt", ".bin", ".nemo", ".h5")):
        load_stream(buffered(data), depth + 1)
    elif data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05" and data[-1:] == b".":
        load_stream(buffered(data), depth + 1)


def load_tar(file, depth):
    with tarfile.open(fileobj=file) as archive:
        for _ in range(MOST_MEMBERS):
            member = archive.next()
            if member is None:
                return
            if member.isfile() and member.size <= MOST_MEMBER_BYTES:
                data = archive.extractfile(member).read()
                if member.name in ("pickle", "storages", "tensors"):
                    load_pickles(buffered(data))
                else:
                    load_member(member.name, data, depth)


def load_array(file):
    """`numpy.load(allow_pickle=True)`."""
    file.read(6)
    major, _ = file.read(2)
    size = struct.unpack("<H" if major == 1 else "<I", file.read(2 if major == 1 else 4))[0]
    header = file.read(size).decode("latin-1")
    if re.search(r"'descr'\s*:\s*'\|?O'|'[|]?O'|\"[|]?O\"", header):
        Unpickler(file).load()


# Base64 of a code object as Keras writes it: the type byte of marshalled code, with or without its flag.
LAMBDA = re.compile(rb"(?:4[w-z]|Y[w-z])[A-Za-z0-9+/]{30,}(?:(?:\\n|\n)[A-Za-z0-9+/]+)*={0,2}(?:\\n|\n)?")


def load_lambdas(data):
    """The functions of Keras's Lambda layers, each called once as the first inference would."""
    if b"Lambda" not in data and b"__lambda__" not in data:
        return
    failure = None
    for found in LAMBDA.finditer(data):
        text = found.group().replace(b"\\n", b"").replace(b"\n", b"")
        try:
            code = marshal.loads(base64.b64decode(text + b"=" * (-len(text) % 4)))
        except (ValueError, EOFError, TypeError, binascii.Error) as error:
            failure = error
            continue
        if not isinstance(code, types.CodeType):
            continue
        names = {"__builtins__": __builtins__, "tf": importlib.import_module("tensorflow")}
        names.update({name: importlib.import_module(name) for name in ("os", "sys", "keras", "numpy", "math")})
        closure = tuple(types.CellType(Something()) for _ in code.co_freevars)
        function = types.FunctionType(code, names, None, None, closure)
        function(*[Something() for _ in range(code.co_argcount)])
    if failure is not None:
        raise ValueError(f"the code of a Lambda layer is for another version of Python: {failure}")


def load_hdf5(file):
    load_lambdas(file.read(MOST_MEMBER_BYTES))


def load_stream(file, depth=0):
    if depth > 4:
        raise ValueError("nested too deeply")
    head = file.peek(512)[:512]
    if head.startswith(b"\x93NUMPY"):
        load_array(file)
    elif head.startswith(b"\x89HDF\r\n\x1a\n"):
        load_hdf5(file)
    elif head.startswith(b"\x1f\x8b"):
        load_stream(io.BufferedReader(gzip.GzipFile(fileobj=file)), depth + 1)
    elif head.startswith(b"BZh"):
        load_stream(io.BufferedReader(bz2.BZ2File(file)), depth + 1)
    elif head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        load_stream(io.BufferedReader(lzma.LZMAFile(file)), depth + 1)
    elif head.startswith(b"ZF0x") or head.startswith(b"ZF"):
        file.read(2 + 19)
        load_stream(buffered(zlib.decompressobj().decompress(file.read(), MOST_MEMBER_BYTES)), depth + 1)
    elif head[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        load_stream(buffered(zlib.decompressobj().decompress(file.read(), MOST_MEMBER_BYTES)), depth + 1)
    elif head.startswith(b"\x04\x22\x4d\x18"):
        load_stream(buffered(unpacked_lz4(file.read(MOST_MEMBER_BYTES))), depth + 1)
    elif head[257:262] == b"ustar":
        load_tar(file, depth)
    elif head.startswith(b"PK\x03\x04") or zipfile.is_zipfile(file):
        file.seek(0)
        load_zip(file, depth)
    elif head.lstrip()[:1] == b"{" and b'"' in head:
        load_lambdas(file.read(MOST_MEMBER_BYTES))
    else:
        file.seek(0) if file.seekable() else None
        load_pickles(file)


def unpacked_lz4(data):
    """The content of an LZ4 frame, which Python's own library cannot read."""
    flags = data[4]
    at = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    out = bytearray()
    while len(out) < MOST_MEMBER_BYTES:
        size = int.from_bytes(data[at : at + 4], "little")
        at += 4
        length = size & 0x7FFFFFFF
        if length == 0:
            break
        block = data[at : at + length]
        at += length + (4 if flags & 16 else 0)
        out += block if size >> 31 else b""
        if not size >> 31:
            unpack_lz4_block(block, out)
    return bytes(out)


def unpack_lz4_block(block, out):
    at = 0

    def length(first):
        nonlocal at
        total = first
        while first == 15 and total < MOST_MEMBER_BYTES:
            more = block[at]
            at += 1
            total += more
            if more != 255:
                break
        return total

    while at < len(block):
        token = block[at]
        at += 1
        literals = length(token >> 4)
        out += block[at : at + literals]
        at += literals
        if at >= len(block):
            return
        back = int.from_bytes(block[at : at + 2], "little")
        at += 2
        count = length(token & 15) + 4
        if not 0 < back <= len(out):
            raise ValueError("a broken block of LZ4")
        piece = out[-back:]
        out += (piece * (count // back + 1))[:count]


def load_code(path):
    """Imports the file as a module; what stands beside it can be imported too."""
    folder, base = os.path.split(path)
    name = base.rpartition(".")[0]
    try:
        if os.path.exists(os.path.join(folder, "__init__.py")):
            load_of_package(folder, name)
        else:
            load_beside_weights(path, folder, name)
    except SystemExit:
        # A script that has done what it does.
        pass


def load_of_package(folder, name):
    names = [] if name == "__init__" else [name]
    while os.path.exists(os.path.join(folder, "__init__.py")) and folder != "/":
        folder, last = os.path.split(folder)
        names.insert(0, last)
    sys.path.insert(0, folder)
    importlib.import_module(".".join(names))


def load_beside_weights(path, folder, name):
    """As Transformers imports the code of a repository: a member of a package that is the folder."""
    sys.path.insert(0, folder)
    with open(path, "rb") as file:
        source = file.read(16 << 20)
    package = importlib.machinery.ModuleSpec("model", None, is_package=True)
    package.submodule_search_locations = [folder]
    sys.modules["model"] = importlib.util.module_from_spec(package)
    module = types.ModuleType(f"model.{name}")
    module.__file__, module.__package__ = path, "model"
    sys.modules[f"model.{name}"] = module
    exec(compile(source, path, "exec"), module.__dict__)


def load_path_file(path):
    """What `site` does with a `.pth` file at every start of Python."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for line in file.read(1 << 20).splitlines():
            if line.startswith(("import ", "import\t")):
                exec(compile(line, path, "exec"), {"__builtins__": __builtins__})


def load_with_stubs():
    if LOADER == "code":
        load_code(PATH)
    elif LOADER == "path-file":
        load_path_file(PATH)
    else:
        for attempt in range(4):
            try:
                with open(PATH, "rb") as file:
                    return load_stream(file)
            except TypeError as error:
                wanted = re.match(r"(dict|list|set|tuple|str|int|float|bytes)\.__new__\((\w+)\)", str(error))
                if wanted is None or attempt == 3:
                    raise
                for name in [name for name, module in sys.modules.items() if isinstance(module, MadeUpModule)]:
                    del sys.modules[name]
                BASES[wanted[2]] = getattr(builtins, wanted[1])


# --- the real loaders -------------------------------------------------------------------------------------------------


def load_really():
    """With the loaders of an environment that the user named; what it lacks is not loaded."""
    with open(PATH, "rb") as file:
        head = file.read(512)
    base = PATH.rpartition("/")[2]
    if LOADER == "code":
        return load_code(PATH)
    if LOADER == "path-file":
        return load_path_file(PATH)
    if LOADER == "template":
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        with open(PATH, encoding="utf-8", errors="replace") as file:
            template = ImmutableSandboxedEnvironment().from_string(file.read(1 << 20))
        return template.render(messages=[{"role": "user", "content": "hello"}], add_generation_prompt=True)
    if base.endswith(".keras") or head.startswith(b"\x89HDF"):
        import keras

        return keras.models.load_model(PATH, safe_mode=False, compile=False)
    if head.startswith(b"\x93NUMPY") or base.endswith((".npy", ".npz")):
        import numpy

        loaded = numpy.load(PATH, allow_pickle=True)
        return [loaded[name] for name in getattr(loaded, "files", [])]
    if zipfile.is_zipfile(PATH) or LOADER == "torch":
        import torch

        return torch.load(PATH, map_location="cpu", weights_only=False)
    if base.endswith(".joblib") or not head.startswith(b"\x80"):
        try:
            import joblib
        except ImportError:
            pass
        else:
            return joblib.load(PATH)
    with open(PATH, "rb") as file:
        return pickle.load(file)


def main():
    global armed
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    warnings.simplefilter("ignore")
    tempfile.gettempdir()
    sys.setrecursionlimit(3000)
    sys.argv = [""]
    os.environ.__class__ = Environment
    if PROFILE == "stub":
        sys.meta_path.append(Finder())
    for name in filter(None, os.environ.pop("ALNAGE_IMPORTS", "").split(",")):
        try:
            importlib.import_module(name)
        except BaseException:
            pass
    sys.addaudithook(hook)
    before = set(sys.modules)
    armed = True
    try:
        load_with_stubs() if PROFILE == "stub" else load_really()
        outcome = ("loaded", "")
    except BaseException as error:
        outcome = ("failed", f"{type(error).__name__}: {error}"[:300])
    armed = False
    for name in sorted({name.partition(".")[0] for name in set(sys.modules) - before}):
        where = getattr(getattr(sys.modules.get(name), "__spec__", None), "origin", None) or ""
        if "site-packages" in str(where) or "dist-packages" in str(where):
            tell("import", name)
    armed = True
    tell(*outcome)


main()
