//! Callables of Python and of common libraries that act on more than the program's own data.

use super::facts::Action;

/// What a callable does, by its full dotted name.
pub(super) fn action(name: &str) -> Option<Action> {
    if let Some((_, action)) = EXACT.iter().find(|(known, _)| *known == name) {
        return Some(*action);
    }
    let (module, last) = name.rsplit_once('.')?;
    Some(match module {
        "os" | "posix" | "nt"
            if ["exec", "spawn", "posix_spawn", "popen"].iter().any(|prefix| last.starts_with(prefix)) =>
        {
            Action::Process
        }
        "requests" | "httpx" | "requests.api" | "curl_cffi.requests"
            if matches!(
                last,
                "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "request" | "stream"
            ) =>
        {
            Action::Network
        }
        "ctypes.cdll" | "ctypes.windll" | "ctypes.oledll" | "ctypes.pydll" if last != "LoadLibrary" => {
            Action::Native
        }
        _ => return None,
    })
}

/// Modules of which any attribute may be dangerous, so that a computed name on them is worth a look.
pub(super) fn is_system_module(name: &str) -> bool {
    matches!(
        name,
        "os" | "posix"
            | "nt"
            | "subprocess"
            | "builtins"
            | "importlib"
            | "socket"
            | "shutil"
            | "ctypes"
            | "pty"
            | "marshal"
            | "pickle"
            | "_posixsubprocess"
            | "runpy"
    )
}

/// Modules so well known that their name means them even where the import is elsewhere.
pub(super) fn is_well_known_module(name: &str) -> bool {
    is_system_module(name)
        || matches!(name, "sys" | "requests" | "urllib" | "base64" | "zlib" | "codecs" | "platform" | "types")
}

/// Functions that fetch what they return from the network.
pub(super) fn fetches(name: &str) -> bool {
    action(name) == Some(Action::Network)
}

/// Classes whose objects connect only by a method.
pub(super) fn connects_by_method(name: &str) -> bool {
    matches!(
        name,
        "socket.socket"
            | "requests.Session"
            | "requests.session"
            | "httpx.Client"
            | "httpx.AsyncClient"
            | "aiohttp.ClientSession"
            | "urllib3.PoolManager"
            | "urllib.request.build_opener"
            | "http.client.HTTPConnection"
            | "http.client.HTTPSConnection"
            | "paramiko.SSHClient"
            | "pycurl.Curl"
            | "websocket.WebSocketApp"
            | "smtplib.SMTP"
            | "smtplib.SMTP_SSL"
    )
}

/// Functions that decode or decompress.
pub(super) fn decodes(name: &str) -> bool {
    let (module, _) = name.rsplit_once('.').unwrap_or(("", name));
    matches!(module, "base64" | "zlib" | "gzip" | "bz2" | "lzma" | "binascii" | "marshal")
        || matches!(name, "codecs.decode" | "bytes.fromhex" | "bytearray.fromhex" | "builtins.bytes.fromhex")
}

/// Parts of paths where secrets lie or programs are started from.
pub(super) fn is_sensitive_path(path: &str) -> bool {
    const PARTS: [&str; 34] = [
        ".ssh/",
        "id_rsa",
        "id_ed25519",
        "authorized_keys",
        ".aws/credentials",
        ".netrc",
        ".git-credentials",
        ".pypirc",
        ".npmrc",
        ".docker/config.json",
        ".kube/config",
        ".config/gcloud",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/sudoers",
        "/etc/cron",
        "/etc/ld.so.preload",
        "/etc/rc.local",
        "/etc/profile",
        "/var/spool/cron",
        ".bashrc",
        ".bash_profile",
        ".zshrc",
        ".profile",
        ".bash_history",
        "/etc/systemd",
        ".config/systemd",
        ".config/autostart",
        "LaunchAgents",
        "LaunchDaemons",
        "Start Menu\\Programs\\Startup",
        "sitecustomize.py",
        "usercustomize.py",
        "Login Data",
    ];
    let whole = path.replace('\\', "/");
    if whole.ends_with(".ssh/config") || whole.ends_with(".ssh/known_hosts") {
        return false;
    }
    PARTS.iter().any(|part| path.contains(part) || whole.contains(part))
        || whole.ends_with("/.ssh")
        || (whole.ends_with(".pth") && whole.contains("site-packages"))
        || (whole.starts_with("/proc/") && (whole.ends_with("/environ") || whole.ends_with("/mem")))
        || whole.contains(".cache/huggingface/token")
        || whole.contains(".huggingface/token")
}

static EXACT: &[(&str, Action)] = &[
    ("builtins.exec", Action::Code),
    ("builtins.eval", Action::Code),
    ("builtins.execfile", Action::Code),
    ("builtins.compile", Action::Code),
    ("types.FunctionType", Action::Code),
    ("types.CodeType", Action::Code),
    ("types.LambdaType", Action::Code),
    ("code.interact", Action::Code),
    ("code.InteractiveInterpreter", Action::Code),
    ("code.InteractiveConsole", Action::Code),
    ("codeop.compile_command", Action::Code),
    ("runpy.run_path", Action::Code),
    ("runpy.run_module", Action::Code),
    ("runpy._run_module_as_main", Action::Code),
    ("timeit.timeit", Action::Code),
    ("timeit.repeat", Action::Code),
    ("cProfile.run", Action::Code),
    ("profile.run", Action::Code),
    ("pdb.run", Action::Code),
    ("bdb.Bdb.run", Action::Code),
    ("trace.Trace", Action::Code),
    ("pandas.eval", Action::Code),
    ("numexpr.evaluate", Action::Code),
    ("sympy.sympify", Action::Code),
    ("os.system", Action::Process),
    ("posix.system", Action::Process),
    ("nt.system", Action::Process),
    ("os.startfile", Action::Process),
    ("os.popen", Action::Process),
    ("subprocess.run", Action::Process),
    ("subprocess.call", Action::Process),
    ("subprocess.check_call", Action::Process),
    ("subprocess.check_output", Action::Process),
    ("subprocess.Popen", Action::Process),
    ("subprocess.getoutput", Action::Process),
    ("subprocess.getstatusoutput", Action::Process),
    ("subprocess.os.system", Action::Process),
    ("_posixsubprocess.fork_exec", Action::Process),
    ("_winapi.CreateProcess", Action::Process),
    ("commands.getoutput", Action::Process),
    ("commands.getstatusoutput", Action::Process),
    ("popen2.popen2", Action::Process),
    ("pty.spawn", Action::Process),
    ("pty.fork", Action::Process),
    ("pexpect.spawn", Action::Process),
    ("pexpect.run", Action::Process),
    ("asyncio.create_subprocess_shell", Action::Process),
    ("asyncio.create_subprocess_exec", Action::Process),
    ("asyncio.subprocess.create_subprocess_shell", Action::Process),
    ("asyncio.subprocess.create_subprocess_exec", Action::Process),
    ("multiprocessing.util.spawnv_passfds", Action::Process),
    ("distutils.spawn.spawn", Action::Process),
    ("setuptools._distutils.spawn.spawn", Action::Process),
    ("torch.utils.collect_env.run", Action::Process),
    ("platform.popen", Action::Process),
    ("pip.main", Action::Process),
    ("pip._internal.main", Action::Process),
    ("pip._internal.cli.main.main", Action::Process),
    ("ctypes.CDLL", Action::Native),
    ("ctypes.PyDLL", Action::Native),
    ("ctypes.WinDLL", Action::Native),
    ("ctypes.OleDLL", Action::Native),
    ("ctypes.cdll.LoadLibrary", Action::Native),
    ("ctypes.windll.LoadLibrary", Action::Native),
    ("ctypes.pydll.LoadLibrary", Action::Native),
    ("ctypes.LibraryLoader", Action::Native),
    ("_ctypes.dlopen", Action::Native),
    ("numpy.ctypeslib.load_library", Action::Native),
    ("torch.ops.load_library", Action::Native),
    ("torch.classes.load_library", Action::Native),
    ("torch.utils.cpp_extension.load", Action::Native),
    ("torch.utils.cpp_extension.load_inline", Action::Native),
    ("tensorflow.load_op_library", Action::Native),
    ("tensorflow.load_library", Action::Native),
    ("imp.load_dynamic", Action::Native),
    ("_imp.create_dynamic", Action::Native),
    ("marshal.loads", Action::Code),
    ("marshal.load", Action::Code),
    ("pickle.loads", Action::Deserialize),
    ("pickle.load", Action::Deserialize),
    ("pickle.Unpickler", Action::Deserialize),
    ("_pickle.loads", Action::Deserialize),
    ("_pickle.load", Action::Deserialize),
    ("cPickle.loads", Action::Deserialize),
    ("cPickle.load", Action::Deserialize),
    ("dill.loads", Action::Deserialize),
    ("dill.load", Action::Deserialize),
    ("cloudpickle.loads", Action::Deserialize),
    ("cloudpickle.load", Action::Deserialize),
    ("joblib.load", Action::Deserialize),
    ("shelve.open", Action::Deserialize),
    ("jsonpickle.decode", Action::Deserialize),
    ("yaml.unsafe_load", Action::Deserialize),
    ("yaml.full_load", Action::Deserialize),
    ("importlib.import_module", Action::Import),
    ("builtins.__import__", Action::Import),
    ("importlib.__import__", Action::Import),
    ("importlib.util.spec_from_file_location", Action::Import),
    ("importlib.machinery.SourceFileLoader", Action::Import),
    ("importlib.machinery.SourcelessFileLoader", Action::Import),
    ("importlib.machinery.ExtensionFileLoader", Action::Native),
    ("imp.load_source", Action::Import),
    ("imp.load_module", Action::Import),
    ("imp.load_compiled", Action::Import),
    ("zipimport.zipimporter", Action::Import),
    ("pkgutil.resolve_name", Action::Import),
    ("pydoc.locate", Action::Import),
    ("site.addsitedir", Action::Import),
    ("torch.hub.load", Action::FetchedCode),
    ("transformers.dynamic_module_utils.get_class_from_dynamic_module", Action::FetchedCode),
    ("socket.socket", Action::Network),
    ("socket.create_connection", Action::Network),
    ("socket.getaddrinfo", Action::Network),
    ("socket.gethostbyname", Action::Network),
    ("ssl.wrap_socket", Action::Network),
    ("urllib.request.urlopen", Action::Network),
    ("urllib.request.urlretrieve", Action::Network),
    ("urllib.request.build_opener", Action::Network),
    ("urllib.urlopen", Action::Network),
    ("urllib.urlretrieve", Action::Network),
    ("urllib2.urlopen", Action::Network),
    ("urllib3.PoolManager", Action::Network),
    ("urllib3.request", Action::Network),
    ("requests.Session", Action::Network),
    ("requests.session", Action::Network),
    ("httpx.Client", Action::Network),
    ("httpx.AsyncClient", Action::Network),
    ("aiohttp.ClientSession", Action::Network),
    ("aiohttp.request", Action::Network),
    ("http.client.HTTPConnection", Action::Network),
    ("http.client.HTTPSConnection", Action::Network),
    ("ftplib.FTP", Action::Network),
    ("ftplib.FTP_TLS", Action::Network),
    ("smtplib.SMTP", Action::Network),
    ("smtplib.SMTP_SSL", Action::Network),
    ("telnetlib.Telnet", Action::Network),
    ("imaplib.IMAP4", Action::Network),
    ("poplib.POP3", Action::Network),
    ("xmlrpc.client.ServerProxy", Action::Network),
    ("paramiko.SSHClient", Action::Network),
    ("paramiko.Transport", Action::Network),
    ("websocket.create_connection", Action::Network),
    ("websocket.WebSocketApp", Action::Network),
    ("websockets.connect", Action::Network),
    ("wget.download", Action::Network),
    ("pycurl.Curl", Action::Network),
    ("dns.resolver.resolve", Action::Network),
    ("dns.resolver.query", Action::Network),
    ("asyncio.open_connection", Action::Network),
    ("webbrowser.open", Action::Network),
    ("os.dup2", Action::Socket),
    ("socketserver.TCPServer", Action::Socket),
    ("http.server.HTTPServer", Action::Socket),
    ("os.remove", Action::WriteFile),
    ("os.unlink", Action::WriteFile),
    ("os.rmdir", Action::WriteFile),
    ("os.removedirs", Action::WriteFile),
    ("os.rename", Action::WriteFile),
    ("os.replace", Action::WriteFile),
    ("os.chmod", Action::WriteFile),
    ("os.chown", Action::WriteFile),
    ("os.symlink", Action::WriteFile),
    ("os.link", Action::WriteFile),
    ("os.truncate", Action::WriteFile),
    ("os.mkfifo", Action::WriteFile),
    ("shutil.rmtree", Action::WriteFile),
    ("shutil.move", Action::WriteFile),
    ("shutil.copy", Action::WriteFile),
    ("shutil.copy2", Action::WriteFile),
    ("shutil.copyfile", Action::WriteFile),
    ("shutil.copytree", Action::WriteFile),
    ("shutil.unpack_archive", Action::WriteFile),
    ("sys.meta_path.append", Action::Hook),
    ("sys.meta_path.insert", Action::Hook),
    ("sys.path_hooks.append", Action::Hook),
    ("sys.path_hooks.insert", Action::Hook),
    ("sys.addaudithook", Action::Hook),
];
