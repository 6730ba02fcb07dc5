use super::*;

/// What the tables say, in words short enough to list.
fn check(cases: &[(&str, &str, &str)]) {
    for (module, name, expected) in cases {
        let found = match classify(module, name) {
            Class::Safe(role) => format!("{role:?}"),
            Class::Dangerous(danger) => format!("{:?}", danger.sink),
            Class::Unknown => "Unknown".to_owned(),
        };
        assert_eq!(&found, expected, "{module}.{name}");
    }
}

#[test]
fn each_sink_has_an_example() {
    check(&[
        ("os", "system", "Process"),
        ("subprocess", "Popen", "Process"),
        ("uuid", "_get_command_stdout", "Process"),
        ("builtins", "eval", "Code"),
        ("types", "CodeType", "Code"),
        ("timeit", "timeit", "Code"),
        ("ctypes", "CDLL", "Native"),
        ("torch.utils.cpp_extension", "load_inline", "Native"),
        ("builtins", "__import__", "Import"),
        ("pkgutil", "resolve_name", "Import"),
        ("builtins", "open", "File"),
        ("shutil", "rmtree", "File"),
        ("pathlib", "Path.write_text", "File"),
        ("socket", "create_connection", "Network"),
        ("smtplib", "SMTP", "Network"),
        ("pickle", "loads", "Gadget"),
        ("weakref", "finalize", "Gadget"),
    ]);
}

#[test]
fn other_names_of_a_module_are_the_same_module() {
    check(&[
        ("posix", "system", "Process"),
        ("nt", "system", "Process"),
        ("__builtin__", "eval", "Code"),
        ("__builtin__", "long", "Constructor"),
        ("exceptions", "ValueError", "Constructor"),
        ("_pickle", "loads", "Gadget"),
        ("cPickle", "loads", "Gadget"),
        ("_io", "open", "File"),
        ("_functools", "partial", "ByArguments"),
        ("_operator", "methodcaller", "ByArguments"),
        ("copy_reg", "_reconstructor", "ByArguments"),
        ("commands", "getoutput", "Process"),
        ("itertools", "imap", "Gadget"),
        ("numpy.core.multiarray", "_reconstruct", "Constructor"),
        ("numpy._core.multiarray", "_reconstruct", "Constructor"),
        ("joblib.externals.cloudpickle.cloudpickle", "subimport", "Import"),
        ("setuptools._distutils.spawn", "spawn", "Process"),
        ("pip._vendor.requests.api", "get", "Network"),
    ]);
}

#[test]
fn dotted_names_are_judged_by_what_they_reach() {
    check(&[
        ("torch", "os.system", "Process"),
        ("torch", "serialization.os.system", "Process"),
        ("random", "_os.system", "Process"),
        ("pandas", "io.common.os", "Gadget"),
        ("collections", "_sys.modules", "Gadget"),
        ("collections", "__dict__", "Gadget"),
        ("collections", "OrderedDict.__init__.__globals__", "Gadget"),
        ("argparse", "_os", "Gadget"),
        ("sklearn.base", "warnings.sys.modules", "Gadget"),
        ("zipimport", "zipimporter.load_module", "Code"),
        ("code", "InteractiveInterpreter.runsource", "Code"),
        ("transformers", "AutoModel.from_pretrained", "Network"),
        ("some_package.models", "Outer.Inner", "Unknown"),
        ("some_package", "models.os.path.join.__globals__", "Gadget"),
    ]);
}

#[test]
fn what_frameworks_write_is_safe_in_its_role() {
    check(&[
        ("collections", "OrderedDict", "Constructor"),
        ("builtins", "getattr", "ByArguments"),
        ("builtins", "type", "ByArguments"),
        ("codecs", "encode", "ByArguments"),
        ("_codecs", "encode", "ByArguments"),
        ("numpy", "ndarray", "Constructor"),
        ("numpy", "log1p", "Reference"),
        ("torch._utils", "_rebuild_tensor_v2", "Constructor"),
        ("torch", "FloatStorage", "Constructor"),
        ("torch.storage", "_load_from_bytes", "ByArguments"),
        ("pandas.core.frame", "DataFrame", "Class"),
        ("pathlib", "PosixPath", "Constructor"),
        ("os", "stat_result", "Constructor"),
        ("__torch__.torch.nn.modules.linear", "Linear", "Class"),
        ("pandas.core.internals.managers", "BlockManager", "Constructor"),
        ("logging", "getLogger", "Constructor"),
        ("sklearn.neighbors._kd_tree", "newObj", "Constructor"),
    ]);
}

#[test]
fn what_is_not_known_stays_unknown() {
    check(&[
        ("__main__", "Model", "Unknown"),
        ("", "", "Unknown"),
        ("numpy", "", "Unknown"),
        ("numpy\tload", "x", "Unknown"),
        ("#", "#", "Unknown"),
        ("\u{1f600}", "\u{1f600}", "Unknown"),
        ("zzz", "zzz", "Unknown"),
    ]);
}

#[test]
fn a_class_that_acts_when_called_may_still_be_named() {
    let Class::Dangerous(danger) = classify("numpy", "memmap") else { panic!("numpy.memmap opens a file") };
    assert_eq!(danger.trigger, Trigger::Call);
    assert_eq!(danger_when_called("numpy", "memmap"), Some(danger));
    assert_eq!(danger_when_called("collections", "OrderedDict"), None);
    assert_eq!(danger_when_called("os", "fspath").map(|danger| danger.sink), Some(SinkKind::Process));
}

#[test]
fn every_row_is_sorted_unique_and_complete() {
    let tables = [
        (&table::DANGEROUS, include_str!("dangerous.tsv")),
        (&table::GENERATED, include_str!("generated.tsv")),
        (&table::SAFE, include_str!("safe.tsv")),
        (&table::HARVESTED, include_str!("harvested.tsv")),
    ];
    for (table, text) in tables {
        let rows: Vec<&str> = table.rows().collect();
        assert_eq!(rows, text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>());
        for pair in rows.windows(2) {
            let [before, after] = pair else { continue };
            assert!(before < after, "not sorted: {before} | {after}");
        }
        for row in rows {
            let columns: Vec<&str> = row.split('\t').collect();
            assert!(
                columns.len() == 4 && columns.iter().all(|column| !column.is_empty()),
                "not complete: {row}"
            );
            assert!(row.is_ascii(), "not ASCII: {row}");
        }
    }
    for table in [&table::DANGEROUS, &table::GENERATED] {
        assert_eq!(table.dangers().count(), table.rows().count(), "a sink is not understood");
        let mut keys: Vec<_> = table.dangers().map(|(module, name, _)| (module, name)).collect();
        let all = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), all, "a name is listed twice");
    }
    for table in [&table::SAFE, &table::HARVESTED] {
        let names: usize = table
            .rows()
            .filter_map(|row| row.rsplit('\t').next())
            .map(|names| names.split(' ').count())
            .sum();
        assert_eq!(table.roles().count(), names, "a role is not understood");
    }
}

#[test]
fn rows_are_written_under_the_name_they_are_looked_up_by() {
    let rows = dangerous_rows().map(|(module, name, _)| (module, name));
    let rows = rows.chain(safe_rows().map(|(module, name, _)| (module, name)));
    let other: Vec<_> =
        rows.filter(|(module, name)| alias::canonical(module, name) != ((*module).into(), name)).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn no_name_is_both_dangerous_and_safe() {
    for (module, name, role) in safe_rows() {
        let listed = table::DANGEROUS.danger(module, name);
        assert_eq!(listed, None, "{module}.{name} is a safe {role:?} too");
    }
}

#[test]
fn every_row_is_found() {
    for (module, name, danger) in table::DANGEROUS.dangers() {
        assert_eq!(table::DANGEROUS.danger(module, name), Some(danger), "{module}.{name}");
    }
    for (module, name, _) in safe_rows() {
        assert!(safe_role(module, name).is_some(), "{module}.{name}");
    }
}

/// Rows in which what real pickles hold outweighs what the analysis says, each with its reason.
const OUTWEIGHED: &str = include_str!("outweighed.tsv");

#[test]
fn what_is_derived_as_dangerous_is_safe_only_for_a_reason() {
    let reasons: Vec<(&str, &str)> = OUTWEIGHED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?))
                .filter(|_| columns.next().is_some_and(|reason| !reason.is_empty()))
        })
        .collect();
    let both = safe_rows().filter(|(module, name, role)| {
        table::GENERATED.danger(module, name).is_some_and(|danger| {
            danger.trigger == Trigger::Any || matches!(role, Role::Constructor | Role::ByArguments)
        })
    });
    let both: Vec<(&str, &str)> = both.map(|(module, name, _)| (module, name)).collect();
    let unexplained: Vec<_> = both.iter().filter(|row| !reasons.contains(row)).collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
    let idle: Vec<_> = reasons.iter().filter(|row| !both.contains(row)).collect();
    assert!(idle.is_empty(), "no longer needed: {idle:?}");
}

#[test]
fn every_sink_has_words() {
    for (_, _, danger) in dangerous_rows() {
        assert!(!describe(danger.sink).is_empty());
    }
}
