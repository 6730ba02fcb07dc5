//! Builds model repositories: configuration, templates, code.

/// Chat templates as publishers write them, by the constructs they use.
pub const CHAT_TEMPLATES: &[(&str, &str)] = &[
    ("chatml", include_str!("repository/chatml.jinja")),
    ("system-first", include_str!("repository/system_first.jinja")),
    ("tools-macros", include_str!("repository/tools_macros.jinja")),
    ("reasoning", include_str!("repository/reasoning.jinja")),
    ("generation-blocks", include_str!("repository/generation_blocks.jinja")),
    ("multimodal", include_str!("repository/multimodal.jinja")),
];

/// One sample a kind of file, by a name loaders look for: the seeds of mutation tests.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<(&str, Vec<u8>)> = CHAT_TEMPLATES
        .iter()
        .map(|(_, template)| ("chat_template.jinja", template.as_bytes().to_vec()))
        .collect();
    samples.push(("module.pyc", crate::bytecode::compiled(crate::bytecode::ORDINARY)));
    samples.extend([
        (
            "tokenizer_config.json",
            br#"{"chat_template": [{"name": "a", "template": "{{ x.y['z'] }}"}], "auto_map": {"A": ["b.C", null]},
            "x": [1, -2.5e3, true, {"_target_": "a.b", "k": "v\u00e9\n"}], "x": {}}"#
                .to_vec(),
        ),
        (
            "model_config.yaml",
            b"%TAG !p! tag:yaml.org,2002:python/\n---\na: &x [1, 'two', \"three\"]\nb: *x\nc: !p!name:d.e\nf: |\n  text\n? {g: h}\n: - i\n"
                .to_vec(),
        ),
        (
            "modeling_x.py",
            b"import os as o\nfrom a import *\nclass B(C, metaclass=D):\n    x: int = [i ^ 3 for i in b'ab'][::-1]\n    def __init__(self, *a, **k):\n        f\"{o.sep}{x!r:>3}\"; exec('%s' % getattr(o, 'sys' + 'tem'))\n@d(lambda: (yield))\nasync def g():\n    match a:\n        case {'b': [1, *c]} if d: pass\n"
                .to_vec(),
        ),
        (
            "demo.ipynb",
            br#"{"cells": [{"cell_type": "code", "source": ["%matplotlib inline\n", "x = !ls | wc\n", "y?"]}, {"cell_type": "code", "source": "%%bash\necho a"}], "metadata": {"kernelspec": {"language": "python"}}}"#
                .to_vec(),
        ),
        ("README.md", b"---\nlicense: mit\nbase_model:\n- a/b\n---\n# Text\n".to_vec()),
        ("run.sh", b"#!/bin/sh\necho a \\\n  b | sh\n".to_vec()),
        ("requirements.txt", b"torch==2.1\n-f https://host/x\n".to_vec()),
        ("uv.lock", b"version = 1\n[[package]]\nname = \"torch\"\nversion = \"2.1.0\"\n".to_vec()),
        ("LICENSE", b"CC0 1.0 Universal\n".to_vec()),
        ("lib.so", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
    ]);
    samples
}
