//! What a shell command is: a harmless question, the work of a known tool, or what attacks are made of.

/// Kinds of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandKind {
    /// Fetches and runs, opens a shell to elsewhere, hides what it runs, or destroys.
    Hostile(&'static str),
    /// Asks or builds with a tool that programs run in the ordinary way.
    Tool,
    /// Installs packages.
    Install,
    /// Anything else.
    Other,
}

/// Programs that ordinary Python code starts.
const TOOLS: [&str; 67] = [
    "git",
    "nvcc",
    "nvidia-smi",
    "rocm-smi",
    "rocminfo",
    "ldconfig",
    "uname",
    "which",
    "where",
    "cmake",
    "make",
    "ninja",
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "cl",
    "cl.exe",
    "ld",
    "ffmpeg",
    "ffprobe",
    "ffplay",
    "sox",
    "soxi",
    "pkg-config",
    "llvm-config",
    "mpicc",
    "lscpu",
    "lspci",
    "sysctl",
    "sw_vers",
    "xcrun",
    "xcode-select",
    "system_profiler",
    "dpkg",
    "rpm",
    "hg",
    "svn",
    "hostname",
    "getconf",
    "locale",
    "file",
    "swig",
    "protoc",
    "cython",
    "brew",
    "java",
    "javac",
    "go",
    "rustc",
    "cargo",
    "npm",
    "node",
    "stty",
    "tput",
    "chcp",
    "ioreg",
    "wmic",
    "ps",
    "df",
    "free",
    "fc-list",
    "fc-match",
    "kpsewhich",
    "luatex",
];

/// Classes a command line.
pub(crate) fn command_kind(command: &str) -> CommandKind {
    let command = command.trim();
    let lower = command.to_ascii_lowercase();
    if let Some(what) = hostile(&lower) {
        return CommandKind::Hostile(what);
    }
    let mut words = lower.split_whitespace();
    let program = words.next().unwrap_or_default();
    let program = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let installs = |text: &str| {
        ["pip install", "pip3 install", "-m pip", "conda install", "apt install", "apt-get install", "uv pip"]
            .iter()
            .any(|known| text.contains(known))
    };
    let chained = command.contains([';', '|', '&', '`', '>', '\n']) || command.contains("$(");
    if !chained && TOOLS.contains(&program) {
        // Git can be told to run anything.
        let turned = program == "git" && (lower.contains("ext::") || lower.contains("core.sshcommand"));
        return if turned { CommandKind::Other } else { CommandKind::Tool };
    }
    if !chained && installs(&lower) && !lower.contains("://") && !lower.contains("git+") {
        return CommandKind::Install;
    }
    CommandKind::Other
}

fn hostile(command: &str) -> Option<&'static str> {
    let has = |part: &str| command.contains(part);
    let fetches =
        ["curl ", "wget ", "fetch ", "invoke-webrequest", "iwr ", "certutil -urlcache", "bitsadmin"];
    let fetches = fetches.iter().any(|fetch| has(fetch));
    let to_shell = [
        "| sh", "|sh", "| bash", "|bash", "| zsh", "| python", "|python", "| sudo", "| perl", "| iex", "|iex",
    ];
    let to_shell = to_shell.iter().any(|shell| has(shell));
    let starts =
        ["chmod +x", "chmod 755", "chmod 777", "&& ./", "; ./", "&& sh ", "; sh ", "&& bash ", "; bash "];
    if fetches && (to_shell || starts.iter().any(|start| has(start))) {
        return Some("fetches a program and runs it");
    }
    if (has("bash -c \"$(") || has("sh -c \"$(") || has("bash <(") || has("eval \"$(") || has("eval $("))
        && fetches
    {
        return Some("fetches a program and runs it");
    }
    let shell_to_net = has("/dev/tcp/")
        || has("/dev/udp/")
        || has("bash -i")
        || has("sh -i ")
        || (has("mkfifo") && (has("nc ") || has("telnet ") || has("openssl ")))
        || [
            "nc -e",
            "nc -c",
            "ncat -e",
            "ncat -c",
            "nc.traditional -e",
            "ncat --exec",
            "socat exec",
            "socat tcp",
        ]
        .iter()
        .any(|known| has(known));
    if shell_to_net {
        return Some("opens a shell to another machine");
    }
    let decodes =
        ["base64 -d", "base64 --decode", "base64 -di", "xxd -r", "openssl enc -d", "frombase64string"];
    if (decodes.iter().any(|decode| has(decode)) && (to_shell || has("eval ") || has("iex")))
        || (has("powershell")
            && [" -enc", " -e ", "-encodedcommand", "downloadstring", "iex("]
                .iter()
                .any(|hidden| has(hidden)))
        || has("downloadstring(")
        || has("mshta http")
        || has("regsvr32 /s /n /u /i:http")
    {
        return Some("hides what it runs");
    }
    let destroys = has("rm -rf /")
        && ![
            "rm -rf /tmp",
            "rm -rf /var/lib/apt",
            "rm -rf /root/.cache",
            "rm -rf /var/cache",
            "rm -rf /usr/share/doc",
        ]
        .iter()
        .any(|fine| has(fine));
    if destroys || has(":(){ :|:& };:") || has("mkfs.") || has("of=/dev/sd") {
        return Some("destroys files");
    }
    if (has("crontab -") || has("/etc/cron")) && (has("echo") || fetches) {
        return Some("installs itself to be started again");
    }
    if has("authorized_keys") && has(">>") {
        return Some("adds a key for remote log-in");
    }
    None
}
