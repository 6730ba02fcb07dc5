//! Calls of Python files by their full names and when they run.

use std::sync::Arc;

use alnage_types::{ArtifactPath, Budget, MemorySource};

use super::{PythonFacts, When};
use crate::{Facts, analyse, repository::RepositoryFacts};

fn read(text: &str) -> (PythonFacts, usize) {
    let source = Arc::new(MemorySource::new(text.as_bytes()));
    let analysis = analyse(ArtifactPath::file("x.py"), source, &Budget::default());
    let facts = analysis.artifacts.into_iter().find_map(|artifact| match artifact.facts {
        Facts::Repository(facts) => match *facts {
            RepositoryFacts::Python(facts) => Some(facts),
            _ => None,
        },
        _ => None,
    });
    (facts.unwrap_or_default(), analysis.issues.len())
}

fn check(text: &str, expected: &[(&str, When, Option<&str>)]) {
    let (facts, issues) = read(text);
    let found: Vec<_> =
        facts.calls.iter().map(|call| (call.name.as_str(), call.when, call.value.as_deref())).collect();
    assert_eq!((found.as_slice(), issues), (expected, 0), "{text}");
}

#[test]
fn names_are_followed() {
    for text in [
        "import os\nos.system('id')",
        "import os as o\no.system('id')",
        "from os import system as s\ns('id')",
        "from os import *\nsystem('id')",
        "import os\nf = os.system\nf('id')",
        "__import__('os').system('id')",
        "import importlib\nimportlib.import_module('o' + 's').system('id')",
        "import os\ngetattr(os, 'sys' + 'tem')('id')",
        "import os\ngetattr(os, 'metsys'[::-1])('id')",
        "import os\nos.__dict__['system']('id')",
        "import os\nvars(os)['system']('id')",
        "import sys\nsys.modules['os'].system('id')",
        "import os\nos.__getattribute__('system')('id')",
        "__builtins__.__import__('os').system('id')",
        "__builtins__['__import__']('os').system('id')",
        "import random\nrandom._os.system('id')".replace("_os", "os").as_str(),
        "import operator, os\noperator.attrgetter('system')(os)('id')",
        "import os\n(lambda c: os.system('id'))(1)",
        "import os\ndef f():\n    return os.system\nf()('id')",
        "import os\nd = {'a': os.system}\nd['a']('id')",
        "import os\n[os.system][0]('id')",
        "import os\ntry:\n    f = os.system\nexcept Exception:\n    f = None\nf('id')",
        "import os, functools\nfunctools.partial(os.system)('id')",
        "import os\nos.system.__call__('id')",
        "import os\nos.system(''.join(map(chr, [105, 100])))",
        "import os\nos.system(''.join(chr(c ^ 1) for c in [104, 101]))",
        "import os, base64\nos.system(base64.b64decode('aWQ=').decode())",
        "import os, codecs\nos.system(codecs.decode('vq', 'rot13'))",
        "import os\nos.system(bytes.fromhex('6964').decode())",
        "import os\na, b = 'i', 'd'\nos.system(f'{a}{b}')",
        "import os\nclass A:\n    x = os.system('id')",
        "import os\ndef f(x=os.system('id')): pass",
        "import os\nclass A(os.system('id') or object): pass",
        "import os\nif os.system('id'): pass",
        "import os\nx = [os.system('id') for _ in range(1)]",
    ] {
        check(text, &[("os.system", When::Import, Some("id"))]);
    }
}

#[test]
fn when_it_runs() {
    let system = |when| [("os.system", when, Some("id"))];
    check("import os\ndef f():\n    os.system('id')", &system(When::Function));
    check("import os\ndef f():\n    os.system('id')\nf()", &system(When::Import));
    check("import os\ndef f():\n    os.system('id')\ndef g(): f()\ng()", &system(When::Import));
    check(
        "import os\ndef main():\n    os.system('id')\nif __name__ == '__main__':\n    main()",
        &system(When::Main),
    );
    check("import os\nif __name__ == '__main__':\n    os.system('id')", &system(When::Main));
    check("import os\nclass A:\n    def __init__(self):\n        os.system('id')", &system(When::Use));
    check(
        "import os\nclass A:\n    def __init__(self):\n        self.f()\n    def f(self):\n        os.system('id')",
        &system(When::Use),
    );
    check(
        "import os\nclass A:\n    def __init__(self):\n        os.system('id')\nA()",
        &system(When::Import),
    );
    check("import os\nclass A:\n    def helper(self):\n        os.system('id')", &system(When::Function));
    check("import os\n@(lambda f: os.system('id'))\ndef g(): pass", &system(When::Import));
    check(
        "import os\nclass B:\n    def __init_subclass__(c):\n        os.system('id')\nclass C(B): pass",
        &system(When::Import),
    );
    check(
        "import os, threading\ndef f():\n    os.system('id')\nthreading.Thread(target=f).start()",
        &system(When::Import),
    );
}

#[test]
fn what_is_handed_on_is_called() {
    let handed = [("os.system", When::Import, None)];
    check("import os\nlist(map(os.system, ['id']))", &handed);
    check("import os\nclass A:\n    __getitem__ = os.system", &handed);
    check("import os, atexit\natexit.register(os.system, 'id')", &handed);
    check("import os\nisinstance(os.system, int)", &[]);
}

#[test]
fn code_as_text_is_read_too() {
    let text = "import base64\nexec(base64.b64decode('aW1wb3J0IG9zCm9zLnN5c3RlbSgnaWQnKQ=='))";
    let source = Arc::new(MemorySource::new(text.as_bytes()));
    let analysis = analyse(ArtifactPath::file("x.py"), source, &Budget::default());
    assert_eq!(analysis.artifacts[1].path.as_str(), "x.py!/line-2.py");
    assert_eq!(analysis.artifacts[1].format, "python");
}

#[test]
fn too_deep_or_broken_is_an_issue() {
    let deep = ["(", "[", "-", "not ", "lambda: ", "x[", "f(", "{1:", "x if y else "];
    for open in deep {
        assert_eq!(read(&format!("x = {}1", open.repeat(50_000))).1, 1, "{open}");
    }
    for chain in ["x + ", "x.y(", "x and "] {
        assert_eq!(read(&format!("{}x", chain.repeat(50_000))).1, 1, "{chain}");
    }
    let mut blocks = String::new();
    for depth in 0..300 {
        blocks.push_str(&format!("{}if x:\n", " ".repeat(depth)));
    }
    assert_eq!(read(&blocks).1, 1);
    assert_eq!(read("def f(:\n").1, 1);
    let long = format!("x = [{}]\n", "-1, ".repeat(50_000));
    assert_eq!(read(&long).1, 0);
    let chain = format!("x = {}1\n", "'a' + ".repeat(700));
    assert_eq!(read(&chain).1, 0);
}

#[test]
fn computing_is_bounded() {
    let mut text = "a = 'x' * 1000000\n".to_owned();
    for number in 0..300 {
        text.push_str(&format!(
            "b{number} = a + '{number}'\nc{number} = [[y for y in range(9999)] for z in range(9999)]\n"
        ));
    }
    read(&text);
}
