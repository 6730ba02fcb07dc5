//! The one name of a module that goes by several: Python 2 names, C twins (`_operator`), platform names (`posix`),
//! vendored copies (`joblib.externals.cloudpickle`), and modules that moved between releases.

use std::borrow::Cow;

/// The module and name under which the tables know `module.name`.
pub fn canonical<'a>(module: &'a str, name: &'a str) -> (Cow<'a, str>, &'a str) {
    if let Some((module, name)) = renamed(module, name) {
        return (Cow::Borrowed(module), name);
    }
    let module = vendored(module).map_or(Cow::Borrowed(module), Cow::Borrowed);
    if let Some(now) = whole(&module) {
        return (Cow::Borrowed(now), name);
    }
    for (before, now) in PACKAGES {
        if let Some(rest) = module.strip_prefix(before)
            && (rest.is_empty() || rest.starts_with('.'))
        {
            return (Cow::Owned(format!("{now}{rest}")), name);
        }
    }
    (module, name)
}

/// Where the classes of a module of an older release of scikit-learn or SciPy live now.
pub(super) fn moved(module: &str) -> Option<String> {
    let (package, last) = module.rsplit_once('.')?;
    if !(package.starts_with("sklearn.") || package.starts_with("scipy.")) || last.starts_with('_') {
        return None;
    }
    let now = match (package, last) {
        ("sklearn.tree", "tree") | ("sklearn.svm", "classes") => "_classes",
        ("sklearn.ensemble", "gradient_boosting") => "_gb",
        ("sklearn.ensemble", "voting_classifier") => "_voting",
        ("sklearn.cluster", "k_means_") => "_kmeans",
        ("sklearn.cluster", "hierarchical") => "_agglomerative",
        ("sklearn.cluster", "mean_shift_") => "_mean_shift",
        ("sklearn.cluster", "affinity_propagation_") => "_affinity_propagation",
        ("sklearn.decomposition", "online_lda") => "_lda",
        ("sklearn.neural_network", "multilayer_perceptron") => "_multilayer_perceptron",
        ("sklearn.preprocessing", "imputation") => "_data",
        ("sklearn.metrics", "scorer") => "_scorer",
        (_, last) => return Some(format!("{package}._{}", last.trim_end_matches('_'))),
    };
    Some(format!("{package}.{now}"))
}

/// Packages that other packages carry copies of.
fn vendored(module: &str) -> Option<&str> {
    const HOMES: [&str; 9] = [
        "pip._vendor.",
        "setuptools._vendor.",
        "setuptools.extern.",
        "pkg_resources._vendor.",
        "pkg_resources.extern.",
        "joblib.externals.",
        "sklearn.externals.",
        "botocore.vendored.",
        "requests.packages.",
    ];
    let inner = HOMES.iter().find_map(|home| module.strip_prefix(home))?;
    (!inner.starts_with('_')).then_some(inner)
}

/// Names whose module changed with them, as `_compat_pickle` maps them.
fn renamed<'a>(module: &str, name: &str) -> Option<(&'static str, &'a str)> {
    Some(match (module, name) {
        ("__builtin__", "xrange") => ("builtins", "range"),
        ("__builtin__", "reduce") => ("functools", "reduce"),
        ("__builtin__", "intern") => ("sys", "intern"),
        ("__builtin__", "unichr") => ("builtins", "chr"),
        ("__builtin__", "unicode" | "basestring") => ("builtins", "str"),
        ("__builtin__", "long") => ("builtins", "int"),
        ("itertools", "izip") => ("builtins", "zip"),
        ("itertools", "imap") => ("builtins", "map"),
        ("itertools", "ifilter") => ("builtins", "filter"),
        ("itertools", "ifilterfalse") => ("itertools", "filterfalse"),
        ("itertools", "izip_longest") => ("itertools", "zip_longest"),
        ("UserDict", "IterableUserDict") => ("collections", "UserDict"),
        _ => return None,
    })
}

/// Packages renamed with everything below them.
const PACKAGES: [(&str, &str); 14] = [
    ("numpy.core", "numpy._core"),
    ("numpy.random.generator", "numpy.random._generator"),
    ("numpy.random.mt19937", "numpy.random._mt19937"),
    ("numpy.random.pcg64", "numpy.random._pcg64"),
    ("setuptools._distutils", "distutils"),
    ("tensorflow.keras", "keras"),
    ("tf_keras.src", "keras.src"),
    ("tf_keras", "keras"),
    ("pyspark.cloudpickle", "cloudpickle"),
    ("ray.cloudpickle", "cloudpickle"),
    ("lightning.pytorch", "pytorch_lightning"),
    ("lightning.fabric", "lightning_fabric"),
    ("six.moves.urllib", "urllib"),
    ("concurrent.futures.process", "concurrent.futures"),
];

/// Modules known by another name.
fn whole(module: &str) -> Option<&'static str> {
    Some(match module {
        "__builtin__" | "six.moves.builtins" | "future.builtins" | "exceptions" => "builtins",
        "copy_reg" => "copyreg",
        "posix" | "nt" | "ce" | "os2" => "os",
        "posixpath" | "ntpath" | "macpath" | "os2emxpath" | "genericpath" => "os.path",
        "_io" | "_pyio" | "StringIO" | "cStringIO" => "io",
        "_operator" => "operator",
        "_functools" => "functools",
        "_pickle" | "cPickle" | "six.moves.cPickle" | "_compat_pickle" | "pickle5" | "zodbpickle" => "pickle",
        "_collections" | "UserDict" | "UserList" | "UserString" => "collections",
        "_collections_abc" | "_abcoll" => "collections.abc",
        "_abc" | "_py_abc" => "abc",
        "_datetime" | "_pydatetime" => "datetime",
        "_decimal" | "_pydecimal" => "decimal",
        "_random" => "random",
        "_struct" => "struct",
        "_codecs" => "codecs",
        "_weakref" => "weakref",
        "_socket" => "socket",
        "_ssl" => "ssl",
        "_signal" => "signal",
        "_asyncio" => "asyncio",
        "_ctypes" | "_ctypes_test" => "ctypes",
        "_sqlite3" => "sqlite3",
        "_multiprocessing" | "_posixshmem" | "billiard" | "multiprocess" => "multiprocessing",
        "_bz2" => "bz2",
        "_lzma" => "lzma",
        "_queue" | "Queue" => "queue",
        "_json" => "json",
        "_typing" => "typing",
        "_pathlib" => "pathlib",
        "_frozen_importlib" => "importlib._bootstrap",
        "_frozen_importlib_external" => "importlib._bootstrap_external",
        "_contextvars" => "contextvars",
        "_curses" | "_curses_panel" => "curses",
        "_tracemalloc" => "tracemalloc",
        "_symtable" => "symtable",
        "_zoneinfo" => "zoneinfo",
        "_opcode" => "opcode",
        "_elementtree" => "xml.etree.ElementTree",
        "_sitebuiltins" => "site",
        "_sre" | "sre" | "re._compiler" => "re",
        "commands" => "subprocess",
        "thread" => "_thread",
        "ConfigParser" => "configparser",
        "SocketServer" => "socketserver",
        "cookielib" => "http.cookiejar",
        "robotparser" => "urllib.robotparser",
        "urlparse" => "urllib.parse",
        "Tkinter" => "tkinter",
        _ => return None,
    })
}
