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
    ]);
    samples
}
