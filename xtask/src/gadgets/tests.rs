use super::{dangerous, effects, program::Program, safe};

/// The rows derived from a few small modules.
fn check(modules: &[(&str, &str)], dangerous_rows: &[&str], safe_rows: &[&str]) {
    let mut program = Program::default();
    for (name, text) in modules {
        let file = format!("demo-1 {}.py", name.replace('.', "/"));
        program.add((*name).to_owned(), file, true, text);
    }
    let sinks = effects::Sinks::read();
    let effects = effects::analyse(&program, &sinks);
    assert_eq!(dangerous::rows(&program, &effects, &sinks), dangerous_rows);
    assert_eq!(safe::rows(&program, &effects, ""), safe_rows);
}

#[test]
fn a_parameter_that_reaches_a_sink_is_a_row() {
    check(
        &[("demo.a", "import os\ndef run(command):\n    os.system('x ' + command)\n")],
        &["demo.a\trun\tprocess\tdemo-1 demo/a.py:3 os.system"],
        &[],
    );
}

#[test]
fn a_constant_that_reaches_a_sink_is_none() {
    check(
        &[("demo.a", "import os\ndef clear(screen):\n    os.system('clear')\n    return screen\n")],
        &[],
        &[],
    );
}

#[test]
fn a_sink_is_found_through_calls_and_imports() {
    check(
        &[
            ("demo.a", "from subprocess import call as c\ndef low(x, y):\n    c(y)\n"),
            (
                "demo.b",
                "from demo import a\ndef high(first, second):\n    a.low(first, y=second)\ndef not_it(first):\n    a.low(first, 'ls')\n",
            ),
        ],
        &[
            "demo.a\tc\tprocess\tdemo-1 demo/a.py subprocess.call",
            "demo.a\tlow\tprocess\tdemo-1 demo/a.py:3 subprocess.call",
            "demo.b\thigh\tprocess\tdemo-1 demo/b.py:3 low > subprocess.call",
        ],
        &[],
    );
}

#[test]
fn a_constructor_that_opens_a_file_is_safe_as_an_instance() {
    check(
        &[("demo.a", "class Reader:\n    def __init__(self, path):\n        self.lines = open(path)\n")],
        &["demo.a\tReader\tfile:call\tdemo-1 demo/a.py:3 builtins.open"],
        &["demo.a\tclass\tdemo-1\tReader"],
    );
}

#[test]
fn a_class_that_acts_when_it_is_filled_is_not_safe() {
    check(
        &[(
            "demo.a",
            "class Loader(object):\n    def __setstate__(self, state):\n        exec(state['code'])\nclass Child(Loader):\n    pass\n",
        )],
        &[
            "demo.a\tChild\tcode\tdemo-1 demo/a.py:3 builtins.exec",
            "demo.a\tLoader\tcode\tdemo-1 demo/a.py:3 builtins.exec",
        ],
        &[],
    );
}

#[test]
fn a_class_of_unknown_descent_is_not_safe() {
    check(&[("demo.a", "import elsewhere\nclass Odd(elsewhere.Base):\n    pass\n")], &[], &[]);
}

#[test]
fn what_reduce_returns_is_called_by_pickle() {
    check(
        &[(
            "demo.a",
            "def rebuild(x):\n    return Thing(x)\nclass Thing:\n    def __reduce__(self):\n        return rebuild, (1,)\n",
        )],
        &[],
        &["demo.a\tconstructor\tdemo-1\tThing rebuild"],
    );
}
