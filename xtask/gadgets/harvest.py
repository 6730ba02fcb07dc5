"""Pickles what real libraries make and prints every global in it: module, name, role, source.

Run by `cargo xtask gadgets --harvest` in an environment of its own. A name called by REDUCE is a constructor, one that
instances are made of is a class, all others are references."""

import array, collections, copyreg, datetime, decimal, enum, fractions, functools, io, ipaddress, itertools, operator
import pathlib, pickle, pickletools, random, re, sys, uuid, warnings
from importlib.metadata import version

warnings.filterwarnings("ignore")
RANK = {"constructor": 0, "class": 1, "reference": 2}
seen = {}


def note(module, name, role, source):
    key = (module, name)
    if module.startswith("__main__"):
        return
    if key not in seen or RANK[role] < RANK[seen[key][0]]:
        seen[key] = (role, source)


def walk(data, source):
    """A stack of what each value is, kept only as far as it tells a callable's role."""
    stack, memo, marks = [], {}, []

    def pop_mark():
        at = marks.pop()
        items = stack[at:]
        del stack[at:]
        return items

    def name_of(value):
        return value[1:] if isinstance(value, tuple) and value and value[0] == "global" else None

    for op, argument, _ in pickletools.genops(data):
        kind = op.name
        if kind == "MARK":
            marks.append(len(stack))
        elif kind == "GLOBAL":
            stack.append(("global", *argument.split(" ", 1)))
            note(*stack[-1][1:], "reference", source)
        elif kind == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            stack.append(("global", module, name))
            note(module, name, "reference", source)
        elif kind in ("INST",):
            pop_mark()
            note(*argument.split(" ", 1), "constructor", source)
            stack.append(None)
        elif kind == "OBJ":
            items = pop_mark()
            if items and name_of(items[0]):
                note(*name_of(items[0]), "constructor", source)
            stack.append(None)
        elif kind == "REDUCE":
            arguments, callee = stack.pop(), stack.pop()
            if name_of(callee):
                note(*name_of(callee), "constructor", source)
                if name_of(callee) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
                    if isinstance(arguments, list) and arguments and name_of(arguments[0]):
                        note(*name_of(arguments[0]), "class", source)
            stack.append(None)
        elif kind in ("NEWOBJ", "NEWOBJ_EX"):
            if kind == "NEWOBJ_EX":
                stack.pop()
            stack.pop()
            callee = stack.pop()
            if name_of(callee):
                note(*name_of(callee), "class", source)
            stack.append(None)
        elif kind in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif kind == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif kind in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif kind == "TUPLE":
            stack.append(pop_mark())
        elif kind in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(kind[-1])
            items = stack[-count:]
            del stack[-count:]
            stack.append(items)
        elif kind in ("POP_MARK", "APPENDS", "SETITEMS", "ADDITEMS"):
            pop_mark()
        elif kind in ("LIST", "DICT", "FROZENSET"):
            pop_mark()
            stack.append(None)
        elif kind in ("POP", "APPEND", "BUILD"):
            stack.pop()
        elif kind == "SETITEM":
            del stack[-2:]
        elif kind == "DUP":
            stack.append(stack[-1])
        elif kind in ("PROTO", "FRAME", "STOP", "READONLY_BUFFER"):
            pass
        elif kind == "BINPERSID":
            stack[-1] = None
        else:
            stack.append(argument)


def dump(value, package):
    source = f"{package}-{version(package)} pickle" if package != "Python" else "Python pickle"
    for protocol in range(6):
        try:
            walk(pickle.dumps(value, protocol), source)
        except Exception as error:
            print(f"{type(value)} protocol {protocol}: {error}", file=sys.stderr)


def library():
    class_free = [
        collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.defaultdict(int),
        collections.Counter("aab"), collections.deque([1], 3), collections.ChainMap({1: 2}), collections.UserDict(a=1),
        collections.UserList([1]), collections.UserString("a"), datetime.datetime.now(datetime.timezone.utc),
        datetime.date.today(), datetime.time(1, 2), datetime.timedelta(1), datetime.timezone(datetime.timedelta(hours=1)),
        decimal.Decimal("1.5"), decimal.getcontext(), fractions.Fraction(1, 2), uuid.uuid4(), pathlib.PurePosixPath("a"),
        pathlib.PosixPath("a"), pathlib.PureWindowsPath("a"), ipaddress.ip_address("1.2.3.4"), ipaddress.ip_network("1.2.3.0/24"),
        ipaddress.ip_interface("1.2.3.4/24"), ipaddress.ip_address("::1"), array.array("d", [1.0]), random.Random(1),
        re.compile("a+"), re.IGNORECASE, itertools.count(3), itertools.cycle([1]), itertools.chain([1], [2]),
        itertools.repeat(1), itertools.islice([1], 1), itertools.product([1], [2]), itertools.permutations([1, 2]),
        operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("a", 1), functools.partial(int, base=2),
        complex(1, 2), {1, 2}, frozenset([1]), bytearray(b"abc"), b"abc\xff", slice(1, 2), range(3), Ellipsis,
        NotImplemented, ValueError("x"), KeyError("x"), OSError(2, "x"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"),
        int, str, type(None), len, print, sorted, min, collections.OrderedDict, io.BytesIO(b"abc"), io.StringIO("abc"),
        iter([1]), iter((1,)), iter({1: 2}), enumerate([1]), reversed([1]), zip([1], [2]), "abc".upper, [].append,
        datetime.datetime.strptime("2020", "%Y"), uuid.SafeUUID.safe, sys.version_info[:],
    ]
    for value in class_free:
        dump(value, "Python")


def arrays():
    import numpy as np

    values = [
        np.arange(3), np.zeros((2, 2), order="F"), np.array(["a"]), np.array([None, "x"], dtype=object), np.float32(1),
        np.int64(1), np.bool_(True), np.datetime64("2020-01-01"), np.dtype([("a", "f4")]), np.dtype("M8[ns]"), np.float64,
        np.matrix([[1]]), np.ma.array([1, 2], mask=[0, 1]), np.rec.array([(1, 2.0)]), np.random.RandomState(1),
        np.random.default_rng(1), np.random.Generator(np.random.MT19937(1)), np.random.Generator(np.random.Philox(1)),
        np.random.Generator(np.random.SFC64(1)), np.random.SeedSequence(1), np.poly1d([1, 2]), np.log1p, np.add, np.mean,
        np.linalg.norm, np.vectorize(len), np.polynomial.Polynomial([1, 2]), np.array(["x"], dtype=np.dtypes.StringDType()),
        np.void(b"abc"), np.str_("a"), np.float16(1), np.complex128(1), np.ma.masked, np.array(1.5), np.random.PCG64DXSM(1),
    ]
    for value in values:
        dump(value, "numpy")


def frames():
    import numpy as np, pandas as pd

    index = pd.date_range("2020", periods=3)
    frame = pd.DataFrame({
        "a": [1, 2, 3], "b": [1.0, None, 3.0], "c": ["x", "y", None], "d": index, "e": pd.Categorical(["p", "q", "p"]),
        "f": pd.array([1, None, 3], dtype="Int64"), "g": pd.array([True, None, False], dtype="boolean"),
        "h": pd.array([1.5, None, 2], dtype="Float64"), "i": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
        "j": pd.period_range("2020", periods=3, freq="M"), "k": pd.to_timedelta([1, 2, 3], unit="s"),
        "l": pd.interval_range(0, 3), "m": pd.arrays.SparseArray([0, 0, 1]), "n": [object, None, 1],
        "o": pd.array(["x", "y", None], dtype="string"), "p": pd.date_range("2020", periods=3, tz="UTC"),
    })
    values = [
        frame, frame["a"], frame["e"], frame.groupby("e").sum(numeric_only=True), frame.set_index(["a", "c"]),
        frame.index, index, pd.Index(["a"]), pd.MultiIndex.from_product([[1], [2]]), pd.CategoricalIndex(["a"]),
        pd.Timestamp("2020"), pd.Timestamp("2020", tz="UTC"), pd.Timedelta("1s"), pd.Period("2020", "M"), pd.NaT, pd.NA,
        pd.Interval(0, 1), pd.CategoricalDtype(["a"]), pd.DatetimeTZDtype(tz="UTC"), pd.Int64Dtype(), pd.StringDtype(),
        pd.offsets.MonthEnd(1), pd.offsets.BusinessDay(1), pd.offsets.Day(1), pd.DateOffset(months=1), pd.offsets.Week(1),
        pd.interval_range(0, 3), pd.period_range("2020", periods=3, freq="D"), pd.to_timedelta(["1s"]), pd.offsets.Hour(2),
        pd.offsets.QuarterEnd(), pd.offsets.YearEnd(), pd.offsets.CustomBusinessDay(), pd.RangeIndex(3),
        pd.Series([1], index=["x"], name="n"), frame.describe(), pd.Flags, pd.SparseDtype("float64"), frame["i"], frame["p"],
    ]
    for value in values:
        dump(value, "pandas")


def sparse():
    import numpy as np, scipy.interpolate, scipy.sparse, scipy.spatial, scipy.stats, scipy.special, scipy.optimize

    x = np.linspace(0, 1, 10)
    values = [getattr(scipy.sparse, f"{kind}_{form}")(np.eye(3)) for kind in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
              for form in ("matrix", "array")]
    values += [
        scipy.interpolate.interp1d(x, x), scipy.interpolate.UnivariateSpline(x, x), scipy.interpolate.CubicSpline(x, x),
        scipy.interpolate.BSpline([0, 0, 1, 1], [1, 2], 1), scipy.interpolate.PchipInterpolator(x, x),
        scipy.interpolate.RegularGridInterpolator((x,), x), scipy.interpolate.make_interp_spline(x, x),
        scipy.interpolate.Akima1DInterpolator(x, x), scipy.interpolate.RBFInterpolator(x[:, None], x),
        scipy.interpolate.LinearNDInterpolator(np.random.rand(9, 2), np.arange(9.0)),
        scipy.spatial.cKDTree(np.eye(3)), scipy.spatial.KDTree(np.eye(3)), scipy.spatial.distance.euclidean,
        scipy.spatial.transform.Rotation.from_euler("x", 1), scipy.stats.norm(0, 1), scipy.stats.uniform(0, 1), scipy.stats.norm,
        scipy.stats.gaussian_kde(np.random.rand(9)), scipy.stats.randint(1, 5), scipy.stats.expon(), scipy.special.expit,
        scipy.special.logit, scipy.special.softmax, scipy.optimize.minimize(lambda v: v @ v, [1.0]), scipy.stats.loguniform(1, 2),
        scipy.stats.multivariate_normal([0, 0]), scipy.stats.beta, scipy.stats.gamma(1), scipy.stats.poisson(1),
        scipy.special.gammaln, scipy.special.boxcox, scipy.special.inv_boxcox,
    ]
    for value in values:
        dump(value, "scipy")


def estimators():
    import inspect, io, joblib, numpy as np, sklearn
    from sklearn.utils import all_estimators
    import sklearn.compose, sklearn.pipeline, sklearn.model_selection, sklearn.feature_extraction.text, sklearn.metrics
    from sklearn.linear_model import LogisticRegression, LinearRegression, SGDClassifier, SGDRegressor
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.neighbors import KNeighborsClassifier, KernelDensity, LocalOutlierFactor

    draw = np.random.RandomState(0)
    x, y, target = draw.rand(40, 4), draw.randint(0, 2, 40), draw.rand(40)
    words = ["a first text", "a second text", "one more", "and another"] * 10
    base = {"estimator": LogisticRegression(), "estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())],
            "base_estimator": LogisticRegression(), "transformers": [("a", "passthrough", [0])], "transformer_list": [("a", sklearn.preprocessing.StandardScaler())],
            "steps": [("a", sklearn.preprocessing.StandardScaler()), ("b", LogisticRegression())],
            "param_grid": {"C": [1.0]}, "param_distributions": {"C": [1.0]}, "dictionary": np.eye(4), "base_pair": None}

    def both(model):
        dump(model, "scikit-learn")
        for compress in (0, 3):
            file = io.BytesIO()
            joblib.dump(model, file, compress=compress)
            if compress == 0:
                try:
                    walk(file.getvalue(), f"joblib-{version('joblib')} dump")
                except Exception:
                    pass

    for _, estimator in all_estimators():
        try:
            needed = [name for name, parameter in inspect.signature(estimator).parameters.items()
                      if parameter.default is parameter.empty and name in base]
            model = estimator(**{name: base[name] for name in needed})
        except Exception as error:
            print(estimator, error, file=sys.stderr)
            continue
        for data in ((x, y), (x, target), (x, np.c_[y, 1 - y]), (words, y), ([{"a": 1.0}] * 40, y), (np.abs(x), y), (y, target)):
            try:
                model.fit(*data)
                break
            except Exception:
                continue
        both(model)
    more = [SGDClassifier(loss=loss).fit(x, y) for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive")]
    more += [HistGradientBoostingRegressor(loss=loss, max_iter=2).fit(x, target + 1) for loss in ("squared_error", "absolute_error", "gamma", "poisson")]
    more += [HistGradientBoostingRegressor(loss="quantile", quantile=0.5, max_iter=2).fit(x, target)]
    more += [HistGradientBoostingClassifier(max_iter=2).fit(x, draw.randint(0, 3, 40)), GradientBoostingClassifier(n_estimators=2, loss="exponential").fit(x, y)]
    more += [sklearn.ensemble.GradientBoostingRegressor(n_estimators=2, loss=loss).fit(x, target) for loss in ("squared_error", "absolute_error", "huber", "quantile")]
    more += [KNeighborsClassifier(algorithm=kind, metric=metric).fit(x, y) for kind in ("kd_tree", "ball_tree") for metric in ("euclidean", "manhattan", "chebyshev", "minkowski")]
    more += [KNeighborsClassifier(algorithm="ball_tree", metric=metric).fit(x, y) for metric in ("haversine", "canberra", "braycurtis", "hamming") if metric != "haversine"]
    more += [sklearn.preprocessing.FunctionTransformer(function).fit(x) for function in (np.log1p, np.exp, np.sqrt, np.abs)]
    more += [sklearn.metrics.make_scorer(function) for function in vars(sklearn.metrics).values()
             if inspect.isfunction(function) and "score" in function.__name__ or inspect.isfunction(function) and "error" in function.__name__]
    more += [sklearn.gaussian_process.GaussianProcessRegressor(kernel).fit(x, target) for kernel in (
        sklearn.gaussian_process.kernels.RBF() + sklearn.gaussian_process.kernels.WhiteKernel(),
        sklearn.gaussian_process.kernels.Matern() * sklearn.gaussian_process.kernels.ConstantKernel(),
        sklearn.gaussian_process.kernels.RationalQuadratic(), sklearn.gaussian_process.kernels.DotProduct() + sklearn.gaussian_process.kernels.WhiteKernel(),
        )]
    more += [getattr(sklearn.model_selection, name)() for name in ("KFold", "StratifiedKFold", "GroupKFold", "ShuffleSplit", "StratifiedShuffleSplit", "LeaveOneOut", "TimeSeriesSplit", "RepeatedKFold", "RepeatedStratifiedKFold")]
    more += [sklearn.pipeline.make_pipeline(sklearn.feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(words, y),
             sklearn.feature_extraction.text.CountVectorizer(analyzer="char").fit(words),
             sklearn.compose.make_column_transformer((sklearn.preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]), (sklearn.preprocessing.StandardScaler(), [1, 2]), remainder="passthrough").fit(x),
             sklearn.compose.ColumnTransformer([("a", sklearn.preprocessing.MinMaxScaler(), sklearn.compose.make_column_selector())]),
             sklearn.model_selection.GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(x, y),
             sklearn.model_selection.RandomizedSearchCV(LogisticRegression(), {"C": __import__("scipy.stats").stats.uniform(1, 2)}, n_iter=2, cv=2).fit(x, y),
             sklearn.utils.Bunch(a=1), sklearn.tree.DecisionTreeClassifier().fit(x, y).tree_]
    for model in more:
        both(model)


def boosters():
    import lightgbm, numpy as np, xgboost

    draw = np.random.RandomState(0)
    x, y = draw.rand(60, 3), draw.randint(0, 2, 60)
    for model in (xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRFClassifier, xgboost.XGBRFRegressor):
        fitted = model(n_estimators=2).fit(x, y)
        dump(fitted, "xgboost-cpu")
        dump(fitted.get_booster(), "xgboost-cpu")
    for model in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
        fitted = model(n_estimators=2, verbose=-1).fit(x, y)
        dump(fitted, "lightgbm")
        dump(fitted.booster_, "lightgbm")


for part in (library, arrays, frames, sparse, estimators, boosters):
    try:
        part()
    except Exception as error:
        print(part.__name__, repr(error), file=sys.stderr)
print("# What pickles of real models named: module, name, role, source. Written by `cargo xtask gadgets --harvest`.")
for (module, name), (role, source) in sorted(seen.items()):
    print(module, name, role, source, sep="\t")
