"""Trains small models of different families and writes each in every format its library offers.

usage: train.py DIRECTORY
"""

import pathlib
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import skops.io
import xgboost as xgb
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import ElasticNet, LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(7)
X = random.normal(size=(120, 5))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
frame = pd.DataFrame(X, columns=list("abcde")).assign(kind=np.where(y, "north", "south"))
texts = ["good model", "bad model", "very good weights", "quite bad weights"] * 5
labels = [1, 0, 1, 0] * 5
columns = ColumnTransformer([
    ("number", Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())]), list("abcde")),
    ("kind", OneHotEncoder(handle_unknown="ignore"), ["kind"]),
])

models = {
    "logistic": LogisticRegression().fit(X, y),
    "sgd": SGDClassifier(loss="log_loss").fit(X, y),
    "elastic-net": ElasticNet().fit(X, y),
    "svc": SVC(probability=True).fit(X, y),
    "one-class-svm": OneClassSVM().fit(X),
    "tree": DecisionTreeClassifier().fit(X, y),
    "forest": RandomForestClassifier(n_estimators=5).fit(X, y),
    "extra-trees": ExtraTreesRegressor(n_estimators=5).fit(X, y),
    "boosting": GradientBoostingClassifier(n_estimators=5).fit(X, y),
    "hist-boosting": HistGradientBoostingRegressor(max_iter=5).fit(X, y),
    "ada-boost": AdaBoostClassifier(n_estimators=5).fit(X, y),
    "isolation-forest": IsolationForest(n_estimators=5).fit(X),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree").fit(X, y),
    "ball-tree": NearestNeighbors(algorithm="ball_tree", metric="haversine").fit(X[:, :2]),
    "kernel-density": KernelDensity().fit(X),
    "gaussian-process": GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X, y),
    "mixture": GaussianMixture(2).fit(X),
    "k-means": KMeans(2, n_init=1).fit(X),
    "dbscan": DBSCAN().fit(X),
    "pca": PCA(2).fit(X),
    "svd": TruncatedSVD(2).fit(X),
    "naive-bayes": GaussianNB().fit(X, y),
    "isotonic": IsotonicRegression().fit(X[:, 0], y),
    "perceptron": MLPClassifier((4,), max_iter=20).fit(X, y),
    "calibrated": CalibratedClassifierCV(SVC(), cv=2).fit(X, y),
    "stacking": StackingClassifier([("t", DecisionTreeClassifier()), ("n", GaussianNB())]).fit(X, y),
    "voting": VotingRegressor([("t", ExtraTreesRegressor(n_estimators=2)), ("e", ElasticNet())]).fit(X, y),
    "grid": GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2).fit(X, y),
    "tfidf": Pipeline([("v", TfidfVectorizer()), ("c", MultinomialNB())]).fit(texts, labels),
    "count-union": FeatureUnion([("w", CountVectorizer()), ("h", HashingVectorizer(n_features=16))]).fit(texts),
    "columns": Pipeline([("c", columns), ("m", LogisticRegression())]).fit(frame, y),
    "ordinal": OrdinalEncoder().fit(frame[["kind"]]),
    "function": FunctionTransformer(np.log1p).fit(abs(X)),
    "xgboost-sklearn": xgb.XGBClassifier(n_estimators=3).fit(X, y),
    "frame": frame.assign(when=pd.date_range("2026-01-01", periods=len(frame)), part=pd.Categorical(frame["kind"])),
    "series": frame.set_index("kind")["a"],
}

for name, model in models.items():
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            (out / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(model, protocol))
        except (TypeError, ValueError, pickle.PicklingError) as error:
            print(f"{name}: protocol {protocol}: {error}", file=sys.stderr)
    joblib.dump(model, out / f"{name}.joblib")
    try:
        skops.io.dump(model, out / f"{name}.skops")
    except Exception as error:
        print(f"{name}: skops: {error}", file=sys.stderr)
for compression in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
    joblib.dump(models["forest"], out / f"forest-{compression}.joblib", compress=(compression, 3))
booster = models["xgboost-sklearn"].get_booster()
for extension in ("ubj", "json"):
    booster.save_model(out / f"xgboost.{extension}")
np.save(out / "array.npy", X)
np.savez(out / "arrays.npz", X=X, y=y)
np.savez_compressed(out / "arrays-compressed.npz", X=X, y=y)
frame.to_pickle(out / "frame.pkl.gz")
