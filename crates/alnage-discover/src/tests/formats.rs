//! The same packages in every format, and texts that are none of them.

use testkit::archive::{Zip, ZipEntry};

use super::super::*;

fn read_one(path: &str, text: &str) -> DependencyFile {
    read(path, text.as_bytes()).expect(path)
}

/// Name, version, hashes, source.
fn summary(file: &DependencyFile) -> Vec<String> {
    let source = |source: &Source| match source {
        Source::Unstated => "-".to_owned(),
        Source::Index(url) => format!("index {url}"),
        Source::Address(url) => format!("address {url}"),
        Source::Repository { url, revision } => {
            format!("repository {url} {}", revision.as_deref().unwrap_or("-"))
        }
        Source::Path(path) => format!("path {path}"),
    };
    let line = |dependency: &Dependency| {
        let version = dependency.version.as_deref().unwrap_or("-");
        let Files { sdists, wheels } = dependency.files;
        format!(
            "{} {version} {}#{sdists}+{wheels} {}",
            dependency.name,
            dependency.hashes.len(),
            source(&dependency.source)
        )
    };
    file.dependencies.iter().map(line).collect()
}

#[test]
fn requirements() {
    let file = read_one(
        "requirements-dev.txt",
        "\u{feff}# what we need\r\n-r base.txt\r\n-c ../constraints.txt\n-i https://a/simple --pre\n\
         Foo.Bar_baz[extra,more] == 1.0 ; sys_platform == 'linux'  # why\n\
         a~=1.4.2,!=1.5\nb (>=1)\nc @ https://h/c-1.whl ; python_version>'3'\n\
         d==1 --hash sha256:00 --hash=sha256:11\n-e git+ssh://git@h/e.git@abc#egg=e\n./f-2.whl\n",
    );
    assert_eq!(file.problems, []);
    assert_eq!(
        summary(&file),
        [
            "foo-bar-baz 1.0 0#0+0 -",
            "a - 0#0+0 -",
            "b - 0#0+0 -",
            "c - 0#0+0 address https://h/c-1.whl",
            "d 1 2#0+0 -",
            "e - 0#0+0 repository ssh://git@h/e.git abc",
            "f - 0#0+0 path ./f-2.whl",
        ]
    );
    assert_eq!(file.includes, ["base.txt", "../constraints.txt"]);
    assert_eq!(file.dependencies[0].marker.as_deref(), Some("sys_platform == 'linux'"));
    assert_eq!(file.dependencies[0].purl(), "pkg:pypi/foo-bar-baz@1.0");
    let broken = read_one("requirements.txt", "numpy\n<html>\nnumpy 1.0\n");
    assert_eq!(broken.problems.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [6, 13]);
}

#[test]
fn locks() {
    let uv = "version = 1\nrevision = 3\n[[package]]\nname = \"me\"\nversion = \"0\"\nsource = { editable = \".\" }\n\
        [[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"https://pypi.org/simple\" }\n\
        sdist = { url = \"u\", hash = \"sha256:0\" }\nwheels = [{ url = \"u\", hash = \"sha256:1\" }, { url = \"v\", hash = \"sha256:2\" }]\n\
        [[package]]\nname = \"b\"\nversion = \"2\"\nsource = { git = \"https://h/b?rev=main#abc\" }\n";
    let expected_b = "b 2 0#0+0 repository https://h/b abc";
    assert_eq!(summary(&read_one("uv.lock", uv)), ["a 1 3#1+2 index https://pypi.org/simple", expected_b]);
    let poetry = "[[package]]\nname = \"a\"\nversion = \"1\"\nfiles = [{file = \"a.tar.gz\", hash = \"sha256:0\"}, {file = \"a.whl\", hash = \"sha256:1\"}]\n\
        [[package]]\nname = \"b\"\nversion = \"2\"\nfiles = []\n[package.source]\ntype = \"git\"\nurl = \"https://h/b\"\nreference = \"main\"\nresolved_reference = \"abc\"\n\
        [metadata]\nlock-version = \"2.0\"\n";
    assert_eq!(summary(&read_one("poetry.lock", poetry)), ["a 1 2#1+1 -", expected_b]);
    let old = "[[package]]\nname = \"a\"\nversion = \"1\"\n[metadata.files]\na = [{file = \"a.whl\", hash = \"sha256:1\"}]\n";
    assert_eq!(summary(&read_one("poetry.lock", old)), ["a 1 1#0+1 -"]);
    let pylock = "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1\"\nindex = \"https://pypi.org/simple\"\n\
        sdist = { name = \"a.tar.gz\", hashes = { sha256 = \"0\" } }\nwheels = [{ name = \"a.whl\", hashes = { sha256 = \"1\", sha512 = \"2\" } }]\n\
        attestation-identities = [{ kind = \"GitHub\", repository = \"a/a\" }]\n\
        [[packages]]\nname = \"b\"\nversion = \"2\"\nvcs = { type = \"git\", url = \"https://h/b\", commit-id = \"abc\" }\n";
    let file = read_one("pylock.dev.toml", pylock);
    assert_eq!(summary(&file), ["a 1 3#1+1 index https://pypi.org/simple", expected_b]);
    assert!(file.dependencies[0].attested && file.is_lock);
    let pipfile = r#"{"_meta": {"sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}, {"name": "x", "url": "https://x/simple"}]},
        "default": {"A": {"hashes": ["sha256:0"], "index": "x", "version": "==1"}}, "develop": {"b": {"git": "https://h/b", "ref": "abc"}}}"#;
    let file = read_one("Pipfile.lock", pipfile);
    assert_eq!(summary(&file), ["a 1 1#0+0 index https://x/simple", "b - 0#0+0 repository https://h/b abc"]);
    assert_eq!(file.indexes.iter().map(|index| index.extra).collect::<Vec<_>>(), [false, true]);
    let report = r#"{"version": "1", "pip_version": "25.0", "install": [
        {"download_info": {"url": "https://f/a-1-py3-none-any.whl#x", "archive_info": {"hash": "sha256=0", "hashes": {"sha256": "0"}}},
         "is_direct": false, "is_yanked": true, "requested": true, "metadata": {"name": "A", "version": "1"}},
        {"download_info": {"url": "https://f/c-3.tar.gz", "archive_info": {"hashes": {"sha256": "1"}}},
         "is_direct": true, "is_yanked": false, "metadata": {"name": "c", "version": "3"}},
        {"download_info": {"url": "https://h/b", "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "abc"}},
         "is_direct": true, "metadata": {"name": "b", "version": "2"}},
        {"download_info": {"url": "file:///src/d", "dir_info": {}}, "is_direct": true, "metadata": {"name": "d", "version": "4"}}]}"#;
    let file = read_one("pip-report.json", report);
    let expected =
        ["a 1 1#0+1 -", "c 3 1#1+0 address https://f/c-3.tar.gz", expected_b, "d 4 0#0+0 path /src/d"];
    assert_eq!(summary(&file), expected);
    assert_eq!(
        file.dependencies.iter().map(|package| package.yanked).collect::<Vec<_>>(),
        [true, false, false, false]
    );
    assert_eq!(read_one("pip-report.json", "{}").problems.len(), 1);
}

#[test]
fn projects_and_environments() {
    let file = read_one(
        "pyproject.toml",
        "[build-system]\nrequires = [\"hatchling\"]\n[project]\ndependencies = [\"a>=1\", \"b\"]\n[project.optional-dependencies]\nx = [\"c==3\"]\n\
         [dependency-groups]\ndev = [\"d\", { include-group = \"x\" }]\n[tool.uv.sources]\nb = { git = \"https://h/b\", rev = \"abc\" }\n\
         [tool.poetry.dependencies]\npython = \"^3\"\ne = { version = \"==5\", source = \"own\" }\n[[tool.poetry.source]]\nname = \"own\"\nurl = \"https://own/simple\"\npriority = \"explicit\"\n",
    );
    assert_eq!(
        summary(&file),
        [
            "a - 0#0+0 -",
            "b - 0#0+0 repository https://h/b abc",
            "hatchling - 0#0+0 -",
            "c 3 0#0+0 -",
            "d - 0#0+0 -",
            "e 5 0#0+0 index https://own/simple",
        ]
    );
    assert_eq!(file.indexes, []);
    let file = read_one(
        "environment.yml",
        "name: x\ndependencies:\n  - python=3.12\n  - pip\n  - pip:\n    - a==1\n    - \"b>=2\"  # why\n    - --extra-index-url https://x/simple\n    - -r requirements.txt\n  - numpy=2\n",
    );
    assert_eq!(summary(&file), ["a 1 0#0+0 -", "b - 0#0+0 -"]);
    assert_eq!((file.includes.len(), file.indexes.len()), (1, 1));
}

#[test]
fn other_files_are_none() {
    for name in ["README.md", "lock", "requirements", "uv.lock.bak", "pylock.toml.txt", "model.toml"] {
        assert!(!is_dependency_file(name), "{name}");
    }
    for name in
        ["a/uv.lock", "requirements/dev-requirements.txt", "requirements.in", "pylock.toml", "PyProject.toml"]
    {
        assert!(is_dependency_file(name), "{name}");
    }
    for name in ["uv.lock", "poetry.lock", "pylock.toml", "pyproject.toml", "Pipfile.lock"] {
        let file = read_one(name, "[[package\n\"{");
        assert_eq!((file.dependencies.len(), file.problems.len()), (0, 1), "{name}");
        let deep = "[".repeat(100_000);
        assert_eq!(read_one(name, &format!("a = {deep}")).dependencies, [], "{name}");
        assert_eq!(read_one(name, &deep).dependencies, [], "{name}");
        let binary = read(name, &[0xff, 0xfe, 0]).unwrap();
        assert_eq!(binary.problems.len(), 1, "{name}");
    }
}

#[test]
fn zips_of_advisories() {
    let entries = [ZipEntry::stored("a.json", b"{}"), ZipEntry::deflated("b/c.json", b"more")];
    let zip = Zip::of(entries).build();
    let mut seen = Vec::new();
    members(&zip, &mut |name, bytes| seen.push((name.to_owned(), bytes.to_vec()))).unwrap();
    assert_eq!(seen, [("a.json".to_owned(), b"{}".to_vec()), ("b/c.json".to_owned(), b"more".to_vec())]);
    for cut in 0..zip.len() {
        assert!(members(&zip[..cut], &mut |_, _| {}).is_err(), "{cut}");
    }
    for at in 0..zip.len() {
        let mut changed = zip.clone();
        changed[at] = 0xff;
        let _ = members(&changed, &mut |_, _| {});
    }
    assert!(members(b"", &mut |_, _| {}).is_err());
}

#[test]
fn zips_of_advisories_are_whole_or_an_error_says_where() {
    let check = |zip: &Zip, expected: Result<&[&str], &str>| {
        let mut seen = Vec::new();
        let whole = members(&zip.build(), &mut |name, _| seen.push(name.to_owned()));
        match expected {
            Ok(names) => assert_eq!((whole, seen), (Ok(()), names.iter().map(|&n| n.to_owned()).collect())),
            Err(said) => assert_eq!(whole, Err(said.to_owned())),
        }
    };
    let good = || ZipEntry::deflated("a.json", b"{}");
    let mut streamed = ZipEntry::deflated("b.json", b"more");
    streamed.descriptor = true;
    check(&Zip { zip64: true, ..Zip::of([good(), streamed]) }, Ok(&["a.json", "b.json"]));
    check(&Zip::default(), Ok(&[]));

    let limit = vec![b' '; 16 << 20];
    check(&Zip::of([ZipEntry::deflated("a.json", &limit)]), Ok(&["a.json"]));
    let longer = vec![b' '; (16 << 20) + 1];
    let too_long = Err("`a.json` is too long for an advisory");
    check(&Zip::of([ZipEntry::deflated("a.json", &longer)]), too_long);
    check(&Zip::of([ZipEntry::stored("a.json", &longer)]), too_long);
    // What comes out is held to what was declared.
    let length = Err("`a.json` cannot be unpacked: its length does not fit");
    for declared in [0, 2, 16 << 20] {
        let lie = ZipEntry::deflated("a.json", &longer).both(|header| header.size = declared);
        check(&Zip::of([lie]), length);
    }
    check(&Zip::of([good().both(|header| header.size = 3)]), length);

    let checksum = Err("`a.json` cannot be unpacked: its checksum does not fit");
    for entry in [good(), ZipEntry::stored("a.json", b"{}")] {
        check(&Zip::of([entry.both(|header| header.crc32 ^= 1)]), checksum);
    }
    let mut cut = good().both(|header| header.compressed -= 1);
    cut.data.pop();
    check(&Zip::of([cut]), Err("`a.json` cannot be unpacked: unexpected end of file"));
    let unknown = good().both(|header| header.method = 9);
    check(&Zip::of([unknown]), Err("`a.json` cannot be unpacked: packing method 9 is not read"));
    check(&Zip::of([good(), good()]), Err("two entries are called `a.json`"));
    check(&Zip { headless: true, ..Zip::of([good()]) }, Err("no directory of entries"));
}
