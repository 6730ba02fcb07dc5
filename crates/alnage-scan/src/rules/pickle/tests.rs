//! Every technique fires its rule; what frameworks write stays quiet.

use std::{collections::BTreeSet, sync::Arc};

use alnage_formats::{Model, analyse};
use alnage_types::{ArtifactPath, Budget, Level, MemorySource, Verdict};
use testkit::{
    archive::torch_zip,
    pickle::{Pickle, call},
};

use crate::{Judgement, Policy, judge};

fn judged(bytes: &[u8]) -> Judgement {
    judged_as("model.pkl", bytes)
}

fn judged_as(name: &str, bytes: &[u8]) -> Judgement {
    let source = Arc::new(MemorySource::new(bytes));
    let analysis = analyse(ArtifactPath::file(name), source, &Budget::default());
    let model = Model { artifacts: analysis.artifacts, issues: analysis.issues, ..Model::default() };
    judge(&model, &Policy::default(), Level::Audit, |code| code.starts_with("PKL"))
}

#[track_caller]
fn check(bytes: &[u8], verdict: Verdict, codes: &[&str]) {
    let judgement = judged(bytes);
    let found: BTreeSet<&str> = judgement.findings.iter().map(|finding| finding.code.as_ref()).collect();
    assert_eq!(judgement.verdict, verdict, "{:#?}", judgement.findings);
    for code in codes {
        assert!(found.contains(code), "{code} is not among {found:?}");
    }
}

#[track_caller]
fn blocks(pickle: Vec<u8>) {
    check(&pickle, Verdict::Block, &["PKL001"]);
}

#[track_caller]
fn quiet(pickle: Vec<u8>) {
    let judgement = judged(&pickle);
    assert_eq!(judgement.verdict, Verdict::Pass, "{:#?}", judgement.findings);
}

fn payload(pickle: Pickle) -> Pickle {
    pickle.global("posix", "system").text("echo pwned").tuple1().reduce()
}

#[test]
fn calls_are_seen_by_whatever_opcode_makes_them() {
    blocks(b"cposix\nsystem\n(S'echo pwned'\ntR.".to_vec());
    blocks(call("os", "system", "echo pwned"));
    blocks(Pickle::protocol(4).stack_global("posix", "system").text("echo pwned").tuple1().reduce().stop());
    blocks(b"(S'echo pwned'\niposix\nsystem\n.".to_vec());
    blocks(b"(cposix\nsystem\nS'echo pwned'\no.".to_vec());
    let map = |new: &str| {
        let carried = Pickle::protocol(4)
            .global("builtins", "bytes")
            .global("builtins", "map")
            .global("posix", "system");
        let carried = carried.mark().text("echo pwned").raw("l").tuple2();
        if new == "ex" {
            carried.raw(b"}\x92").tuple1().raw(b"}\x92").stop()
        } else {
            carried.raw(b"\x81").tuple1().raw(b"\x81").stop()
        }
    };
    blocks(map("plain"));
    blocks(call("subprocess", "Popen", "echo pwned"));
    blocks(call("builtins", "eval", "1"));
}

#[test]
fn sympy_evaluates_the_texts_it_is_given() {
    let make = |name: &str, text: &str| {
        let arguments = Pickle::protocol(4).global("sympy.core.add", name).text(text).tuple1();
        [arguments.clone().reduce().stop(), arguments.raw(b"\x81").stop()]
    };
    for pickle in make("Add", "__import__('os').system('id')") {
        blocks(pickle);
    }
    for pickle in make("Add", "x_1 + 2") {
        quiet(pickle);
    }
}

#[test]
fn state_that_is_called_later_is_a_call() {
    let planted = Pickle::protocol(2).global("types", "SimpleNamespace").new_object().raw("}");
    let planted = planted.text("__setstate__").global("posix", "system").raw("sb").text("echo pwned").build();
    check(&planted.stop(), Verdict::Block, &["PKL001", "PKL011"]);
    let extend = Pickle::protocol(2).global("types", "SimpleNamespace").new_object().raw("}");
    blocks(extend.text("append").global("posix", "system").raw("sb").text("echo pwned").raw("a").stop());
}

#[test]
fn names_are_followed_however_they_are_put_together() {
    let run = |pickle: Pickle| pickle.raw([0x93]).text("echo pwned").tuple1().reduce().stop();
    // From the memo, past decoys, rebound.
    blocks(run(Pickle::protocol(4).text("posix").raw("q\x00").text("system").raw("q\x0100h\x00h\x01")));
    blocks(run(Pickle::protocol(4).text("a").text("posix").raw("q\x01").text("system").raw("(NN1")));
    blocks(run(Pickle::protocol(4)
        .text("json")
        .raw("q\x000")
        .text("posix")
        .raw("q\x000h\x00")
        .text("system")));
    // Computed.
    let rot = Pickle::protocol(4).global("_codecs", "decode").text("cbfvk").text("rot13").tuple2().reduce();
    check(&run(rot.text("system")), Verdict::Block, &["PKL001", "PKL010"]);
    let decoded =
        Pickle::protocol(4).global("builtins", "str").bytes(b"posix").text("ascii").tuple2().reduce();
    check(&run(decoded.text("system")), Verdict::Block, &["PKL001", "PKL010"]);
    let joined = Pickle::protocol(4).stack_global("builtins", "str.join").text("").mark();
    blocks(run(joined.text("po").text("six").raw("l").tuple2().reduce().text("system")));
    let unhexed =
        Pickle::protocol(4).stack_global("builtins", "bytes.fromhex").text("706f736978").tuple1().reduce();
    let unhexed =
        unhexed.raw("q\x000").stack_global("builtins", "bytes.decode").raw("h\x00").tuple1().reduce();
    blocks(run(unhexed.text("system")));
    // Through modules and import functions.
    blocks(
        Pickle::protocol(4)
            .stack_global("torch", "serialization.os.system")
            .text("x")
            .tuple1()
            .reduce()
            .stop(),
    );
    let imported =
        Pickle::protocol(2).global("builtins", "getattr").global("importlib", "import_module").text("posix");
    let imported = imported.tuple1().reduce().text("system").tuple2().reduce();
    blocks(imported.text("echo pwned").tuple1().reduce().stop());
    let partial =
        Pickle::protocol(2).global("functools", "partial").global("posix", "system").text("echo pwned");
    blocks(partial.tuple2().reduce().raw(")R").stop());
    let caller =
        Pickle::protocol(2).global("operator", "methodcaller").text("system").text("echo pwned").tuple2();
    let caller = caller.reduce().global("importlib", "import_module").text("posix").tuple1().reduce();
    blocks(caller.tuple1().reduce().stop());
    blocks(b"Vpos\\u0069x\nVsystem\n\x93Vecho\n\x85R.".to_vec());
}

#[test]
fn nested_and_stacked_pickles_are_read() {
    let inner = call("posix", "system", "echo pwned");
    let nested = Pickle::protocol(4).global("_pickle", "loads").bytes(&inner).tuple1().reduce().stop();
    blocks(nested);
    let held = Pickle::protocol(4).text("weights").bytes(&inner).tuple2().stop();
    blocks(held);
    let mut stacked = Pickle::protocol(2).raw("]").stop();
    stacked.extend_from_slice(&inner);
    check(&stacked, Verdict::Block, &["PKL001", "PKL019"]);
    let mut many = Pickle::protocol(2).raw("}").stop().repeat(3000);
    many.extend_from_slice(&inner);
    blocks(many);
}

#[test]
fn what_runs_before_a_defect_counts() {
    check(&payload(Pickle::protocol(4)).cut(), Verdict::Block, &["PKL001", "PKL014"]);
    check(&payload(Pickle::protocol(4)).raw([0xff]).cut(), Verdict::Block, &["PKL001", "PKL014"]);
    check(&payload(Pickle::protocol(4)).raw([0x93]).stop(), Verdict::Block, &["PKL001", "PKL014"]);
    check(&payload(Pickle::protocol(4)).raw("g99\n").stop(), Verdict::Block, &["PKL001", "PKL014"]);
}

#[test]
fn what_blinds_strict_readers_does_not_blind_this_one() {
    check(&payload(Pickle::new().raw("I0x1\n0")).stop(), Verdict::Block, &["PKL001", "PKL012"]);
    check(&payload(Pickle::new().raw("L0x1L\n0")).stop(), Verdict::Block, &["PKL001", "PKL012"]);
    check(&payload(Pickle::new().raw("I  010\n0")).stop(), Verdict::Block, &["PKL001", "PKL012"]);
    blocks(payload(Pickle::protocol(2).raw([0x80, 4])).stop());
    blocks(payload(Pickle::protocol(4).frame(3)).stop());
    let mut no_ops = Pickle::new().raw("N0".repeat(2048));
    no_ops = payload(no_ops);
    blocks(no_ops.pop().raw("N").stop());
    let crossing =
        Pickle::protocol(5).mark().frame(2).raw(b"B\x07\x01\x00\x00\x00\x00").raw("cposix\nsystem\nVecho\n");
    let crossing = crossing.raw(b"\x85R(").raw("N".repeat(250)).raw("1").stop();
    check(&crossing, Verdict::Block, &["PKL001", "PKL013"]);
}

#[test]
fn extension_codes_are_followed_through_the_registry() {
    let registered =
        Pickle::protocol(2).global("copyreg", "add_extension").mark().text("posix").text("system");
    let registered =
        registered.int(240).tuple().reduce().pop().raw([0x82, 240]).text("echo pwned").tuple1().reduce();
    blocks(registered.stop());
    // A second load from the same file names it by number, and nothing else in it looks like a pickle.
    let second = Pickle::protocol(2).global("copyreg", "add_extension").mark().text("posix").text("system");
    let second = second.int(240).tuple().reduce().raw(".").raw([0x82, 240]).raw("]I7x\n");
    check(&second.stop(), Verdict::Block, &["PKL001", "PKL002"]);
    check(&Pickle::protocol(2).raw([0x82, 7]).raw(")R").stop(), Verdict::Review, &["PKL016"]);
}

#[test]
fn changed_modules_are_seen() {
    let shadow = Pickle::protocol(4).stack_global("collections", "__dict__").text("OrderedDict");
    let shadow = shadow.stack_global("random", "_os.system").raw("s0").global("collections", "OrderedDict");
    check(&shadow.text("echo pwned").tuple1().reduce().stop(), Verdict::Block, &["PKL006"]);
    let built =
        Pickle::protocol(2).global("json", "decoder").raw("}").text("scanstring").global("builtins", "print");
    check(&built.raw("sb").stop(), Verdict::Block, &["PKL006"]);
}

#[test]
fn dangerous_references_and_special_attributes_are_seen() {
    check(
        &Pickle::protocol(4).raw("}").text("hook").global("os", "system").raw("s").stop(),
        Verdict::Block,
        &["PKL002"],
    );
    let globals = Pickle::protocol(4)
        .global("builtins", "getattr")
        .global("collections", "OrderedDict")
        .text("__globals__");
    check(&globals.tuple2().reduce().stop(), Verdict::Block, &["PKL007"]);
}

#[test]
fn what_nobody_knows_is_for_a_person() {
    check(&call("mypackage.helpers", "restore", "x"), Verdict::Review, &["PKL003"]);
    let own = Pickle::protocol(2).global("__main__", "Net").new_object().raw("}").build();
    check(&own.stop(), Verdict::Review, &["PKL004"]);
    let tokenizer = Pickle::protocol(2).raw("}").text("tokenizer").global("__main__", "split").raw("s");
    check(&tokenizer.stop(), Verdict::Review, &["PKL005"]);
    let result = Pickle::protocol(2).raw("Pid\n").raw(")R");
    let result = result.global("collections", "OrderedDict").raw(")R");
    check(&result.stop(), Verdict::Review, &["PKL008"]);
}

#[test]
fn carried_code_is_reviewed_and_blocked_when_run() {
    let function = Pickle::protocol(4).global("types", "FunctionType").global("types", "CodeType");
    let function = function.int(0).tuple1().reduce().raw("}").tuple2().reduce();
    check(&function.clone().stop(), Verdict::Review, &["PKL009"]);
    check(&function.raw(")R").stop(), Verdict::Block, &["PKL009"]);
}

#[test]
fn lengths_and_references_that_exhaust_are_seen() {
    let long = Pickle::protocol(5).raw([0x8e]).raw((1u64 << 60).to_le_bytes()).cut();
    check(&long, Verdict::Review, &["PKL015"]);
    let mut laughs = Pickle::protocol(4).raw("(NNNNNNNNt").raw([0x94]);
    for level in 0..30u8 {
        laughs = laughs.raw("0(").raw([b'h', level].repeat(10)).raw("t").raw([0x94]);
    }
    check(&laughs.stop(), Verdict::Review, &["PKL018"]);
    check(&Pickle::protocol(2).raw("Pt\n").text("k").text("v").raw("s").stop(), Verdict::Review, &["PKL017"]);
}

#[test]
fn what_was_spliced_into_another_pickle_shows() {
    let spliced = Pickle::protocol(2)
        .raw("}q\x00")
        .raw(b"(X\x01\x00\x00\x00ar\x01\x00\x10\x111")
        .text("k")
        .raw("q\x01Ns");
    check(&spliced.stop(), Verdict::Review, &["PKL024"]);
    // A pickler that writes one object after another goes on counting.
    let later = Pickle::protocol(2).raw(b"}r\x00\x00\x10\x11").text("k").raw(b"r\x01\x00\x10\x11Ns");
    quiet(later.stop());
}

#[test]
fn what_frameworks_write_stays_quiet() {
    quiet(Pickle::protocol(2).raw("}").text("a").int(1).raw("s").stop());
    quiet(
        Pickle::protocol(2).global("collections", "OrderedDict").raw(")R").text("a").int(1).raw("s").stop(),
    );
    // A NumPy array.
    let dtype = |pickle: Pickle| {
        let pickle = pickle
            .global("numpy", "dtype")
            .text("f8")
            .raw([0x89, 0x88, 0x87])
            .reduce()
            .mark()
            .int(3)
            .text("<")
            .raw("NNN")
            .int(-1)
            .int(-1)
            .int(0);
        pickle.tuple().build()
    };
    let array =
        Pickle::protocol(4).global("numpy._core.multiarray", "_reconstruct").global("numpy", "ndarray");
    let array = array.int(0).tuple1().bytes(b"b").raw([0x87]).reduce().mark().int(1).int(1).tuple1();
    quiet(dtype(array).raw([0x89]).bytes(&[0; 8]).tuple().build().stop());
    // A PyTorch tensor.
    let tensor =
        Pickle::protocol(2).global("torch._utils", "_rebuild_tensor_v2").mark().mark().text("storage");
    let tensor = tensor.global("torch", "FloatStorage").text("0").text("cpu").int(4).tuple().raw("Q").int(0);
    let tensor =
        tensor.int(4).tuple1().int(1).tuple1().raw([0x89]).global("collections", "OrderedDict").raw(")R");
    quiet(tensor.tuple().reduce().stop());
    // A bound method and a partial, as pickle writes them.
    let bound =
        Pickle::protocol(4).global("builtins", "getattr").global("collections", "OrderedDict").raw(")R");
    quiet(bound.text("items").tuple2().reduce().stop());
    let partial =
        Pickle::protocol(4).global("functools", "partial").global("builtins", "dict").tuple1().reduce();
    let partial = partial.mark().global("builtins", "dict").raw(")}Nt").build();
    quiet(
        Pickle::protocol(4)
            .global("collections", "defaultdict")
            .raw(&partial.cut()[2..])
            .tuple1()
            .reduce()
            .stop(),
    );
    // Bytes in protocol 2.
    quiet(Pickle::protocol(2).global("_codecs", "encode").text("x").text("latin1").tuple2().reduce().stop());
}

#[test]
fn text_and_numbers_are_no_pickles() {
    for bytes in [
        &b"# Model\n\nconda install pytorch\n"[..],
        b"cat\ndog\nbird\n",
        b"(see the paper) N. Smith et al.\n",
        b"{\"model_type\": \"bert\"}",
        b"I have no idea.\n",
        b"N.\nM.\n",
    ] {
        let judgement = judged_as("README.md", bytes);
        assert_eq!(judgement.verdict, Verdict::Pass, "{bytes:?}: {:#?}", judgement.findings);
    }
}

/// The codes found, whatever the verdict.
fn codes(name: &str, bytes: &[u8]) -> BTreeSet<String> {
    judged_as(name, bytes).findings.iter().map(|finding| finding.code.to_string()).collect()
}

fn as_base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let padded = [group[0], *group.get(1).unwrap_or(&0), *group.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for at in 0..4 {
            let digit = char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]);
            text.push(if at <= group.len() { digit } else { '=' });
        }
    }
    text
}

/// `import os; os.system('id')` as Python 3.11 marshals it.
fn code_object() -> Vec<u8> {
    testkit::archive::hex(CODE_OBJECT)
}

const CODE_OBJECT: &str = "630000000000000000000000000300000000000000f32e0000009700640064016c005a00020065006a0100000000000000006402a6010000ab0100000000000000000100640153002903e9000000004eda0269642902da026f73da0673797374656da900f300000000da0166fa083c6d6f64756c653e7208000000010000007321000000f003010101d80009800980098009d80009800284098824810f840f800f800f800f7206000000";

#[test]
fn programs_behind_text_encodings_are_read() {
    let inner = call("posix", "system", "echo pwned");
    let shell = |text: &str| Pickle::protocol(4).raw("}").text("notes").text(text).raw("s").stop();
    blocks(shell(&as_base64(&inner)));
    blocks(shell(&as_base64(&testkit::archive::zlib(&inner))));
    blocks(shell(&as_base64(as_base64(&inner).as_bytes())));
    blocks(shell(&inner.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    let loaded = Pickle::protocol(4).global("pickle", "loads").global("base64", "b64decode");
    blocks(loaded.text(&as_base64(&inner)).tuple1().reduce().tuple1().reduce().stop());
    let held = Pickle::protocol(4).bytes(&testkit::archive::zlib(&inner)).stop();
    blocks(held);
    // A pickle of plain data, pictures, keys and digests are what people keep.
    quiet(shell(&as_base64(&Pickle::protocol(4).raw("}").text("a").int(1).raw("s").stop())));
    quiet(shell(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    ));
    quiet(shell("AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA4kWCfsPQzYxSR4yUqU2uE5aQXJ"));
    quiet(shell("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

#[test]
fn code_objects_in_strings_are_named() {
    let held = Pickle::protocol(4).bytes(&code_object()).stop();
    check(&held, Verdict::Review, &["PKL021"]);
    let evidence =
        judged(&held).findings.iter().find(|finding| finding.code == "PKL021").unwrap().evidence.clone();
    assert_eq!(evidence.as_deref(), Some("uses os, system; strings: id"));
    check(&Pickle::protocol(4).text(&as_base64(&code_object())).stop(), Verdict::Review, &["PKL021"]);
    let run = Pickle::protocol(4).global("types", "FunctionType").global("marshal", "loads");
    let run = run.bytes(&code_object()).tuple1().reduce().raw("}").tuple2().reduce().raw(")R");
    check(&run.stop(), Verdict::Block, &["PKL001", "PKL009", "PKL021"]);
    assert!(!codes("model.pkl", &Pickle::protocol(4).bytes(&[0xe3; 64]).stop()).contains("PKL021"));
}

#[test]
fn names_that_run_things_are_seen_before_they_are_used() {
    let fetch = |how: &str, name: &str| {
        Pickle::protocol(4).global("operator", how).text(name).tuple1().reduce().stop()
    };
    for (how, name) in
        [("attrgetter", "system"), ("methodcaller", "check_output"), ("attrgetter", "os.system")]
    {
        check(&fetch(how, name), Verdict::Review, &["PKL007"]);
    }
    quiet(fetch("attrgetter", "name"));
    quiet(fetch("methodcaller", "lower"));
    quiet(fetch("attrgetter", "run"));
}

#[test]
fn long_lists_are_cut_and_judged_as_before() {
    let many = |name: fn(u32) -> String| {
        let mut pickle = Pickle::protocol(2).raw("(");
        for at in 0..5000 {
            pickle = pickle.global("somewhere", &name(at));
        }
        pickle.raw("l").stop()
    };
    let judgement = judged(&many(|at| format!("f{at}")));
    assert_eq!(judgement.verdict, Verdict::Review);
    let told: Vec<_> = judgement.findings.iter().filter(|finding| finding.code == "PKL005").collect();
    assert_eq!(told.len(), 101);
    assert!(told.iter().any(|finding| finding.message.starts_with("4900 more")));
    // What matters more is not crowded out.
    let mut odd = Pickle::protocol(4).raw("(");
    for at in 0..300 {
        odd = odd
            .global("builtins", "getattr")
            .raw(format!("V{at}\nVx{at}\n\u{86}R").chars().map(|c| c as u8).collect::<Vec<_>>());
    }
    let escape = odd.global("builtins", "getattr").global("collections", "OrderedDict").text("__globals__");
    let judgement = judged(&escape.tuple2().reduce().raw("l").stop());
    assert_eq!(judgement.verdict, Verdict::Block);
    assert!(judgement.findings.len() < 250, "{}", judgement.findings.len());
}

/// A state dictionary with one tensor of `elements` floats.
fn state_dict(elements: i32) -> Pickle {
    let tensor = Pickle::protocol(2).raw("}").text("weight").global("torch._utils", "_rebuild_tensor_v2");
    let tensor = tensor.mark().mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu");
    let tensor = tensor.int(elements).tuple().raw("Q").int(0).int(elements).tuple1().int(1).tuple1();
    tensor.raw([0x89]).global("collections", "OrderedDict").raw(")R").tuple().reduce().raw("s")
}

#[test]
fn storages_are_as_long_as_they_say() {
    let told = |elements: i32, bytes: usize| {
        codes("model.pt", &torch_zip(&state_dict(elements).stop(), &vec![0; bytes]).build())
    };
    assert!(told(4, 15).contains("PKL022"));
    assert!(told(1 << 30, 16).contains("PKL022"));
    assert!(!told(4, 16).contains("PKL022"));
    assert!(!told(4, 20).contains("PKL022"));
}

#[test]
fn arrays_in_other_files_are_looked_for() {
    let judged = |file: &str| {
        let pickle =
            Pickle::protocol(2).global("joblib.numpy_pickle", "NDArrayWrapper").new_object().raw("}");
        let pickle = pickle.text("filename").text(file).raw("s").build().stop();
        let tree = ["model.pkl", "model.pkl_01.npy"].map(|name| alnage_formats::TreeEntry {
            path: ArtifactPath::file(name),
            kind: alnage_formats::EntryKind::File,
            size: 100,
            executable: false,
        });
        let source = Arc::new(MemorySource::new(pickle));
        let analysis = analyse(ArtifactPath::file("model.pkl"), source, &Budget::default());
        let model = Model { tree: tree.to_vec(), artifacts: analysis.artifacts, issues: analysis.issues };
        let found = judge(&model, &Policy::default(), Level::Audit, |code| code == "PKL023");
        (found.findings.len(), found.verdict)
    };
    assert_eq!(judged("model.pkl_01.npy"), (0, Verdict::Pass));
    assert_eq!(judged("model.pkl_02.npy"), (1, Verdict::Review));
    assert_eq!(judged("../secret.npy"), (1, Verdict::Block));
    assert_eq!(judged("/etc/passwd"), (1, Verdict::Block));
}

#[test]
fn what_needs_the_unrestricted_unpickler_is_said() {
    let plain = torch_zip(&state_dict(4).stop(), &[0; 16]).build();
    assert!(!codes("model.pt", &plain).contains("PKL020"));
    let whole = state_dict(4).text("net").global("__main__", "Net").new_object().raw("s").stop();
    assert!(codes("model.pt", &torch_zip(&whole, &[0; 16]).build()).contains("PKL020"));
    // Without tensors nobody loads it with PyTorch.
    assert!(!codes("model.pkl", &call("mypackage", "restore", "x")).contains("PKL020"));
}

#[test]
fn single_pickles_and_ordinary_states_stay_quiet() {
    assert!(!codes("model.pkl", &Pickle::protocol(2).raw("]").stop()).contains("PKL019"));
    let mut padded = Pickle::protocol(2).raw("]").stop();
    padded.extend_from_slice(b"\n\n");
    assert!(!codes("model.pkl", &padded).contains("PKL019"));
    let state = Pickle::protocol(2).global("__main__", "Net").new_object().raw("}");
    let state =
        state.text("append").text("a word").raw("s").text("extra").global("collections", "OrderedDict");
    assert!(!codes("model.pkl", &state.raw("sb").stop()).contains("PKL011"));
}

#[test]
fn frames_torn_too_often_are_not_passed_over() {
    let torn = |frames: u32| {
        let mut torn = Pickle::protocol(4);
        for _ in 0..frames {
            // Whoever reads on and whoever drops the rest meet again two bytes behind the frame.
            torn = torn.frame(2).raw(b"M\x01\x01NN");
        }
        let source = Arc::new(MemorySource::new(torn.stop()));
        let analysis = analyse(ArtifactPath::file("model.pkl"), source, &Budget::default());
        analysis.issues.iter().any(|issue| issue.message.contains("tears so many frames"))
    };
    assert!(!torn(5));
    assert!(torn(40));
    assert!(torn(70));
}

#[test]
fn opcodes_that_only_keep_busy_end_early_and_what_follows_is_found() {
    let budget = Budget { max_steps: 600_000, ..Budget::default() };
    let steps_end = |filling: &[u8], times: usize| {
        let pickle = payload(Pickle::protocol(4).raw("N").raw(filling.repeat(times))).stop();
        let analysis = analyse(ArtifactPath::file("model.pkl"), Arc::new(MemorySource::new(pickle)), &budget);
        let reached = analysis.artifacts.iter().any(|artifact| match &artifact.facts {
            alnage_formats::Facts::Pickle(facts) => {
                facts.globals.iter().any(|global| global.name == "system")
            }
            _ => false,
        });
        assert!(reached, "{}", filling.escape_ascii());
        analysis.issues.iter().any(|issue| issue.message.contains("max-steps"))
    };
    for filling in [&b"N0"[..], b"20", b"(1", b"\x94", b"q\0", b"\x95\0\0\0\0\0\0\0\0", b"\x80\x04"] {
        assert!(steps_end(filling, 110_000), "{}", filling.escape_ascii());
        assert!(!steps_end(filling, 1000), "{}", filling.escape_ascii());
    }
}
