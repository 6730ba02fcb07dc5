//! Keys in a hardware module: made outside with OpenSC in SoftHSM2, signed with by us, verified by everybody.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use crate::{
    sandbox::{Ran, Sandbox},
    seal::model_signing,
};

const PIN: &str = "pin-7f3519c2";

struct Token {
    sandbox: Sandbox,
    module: PathBuf,
}

impl Token {
    fn new() -> Self {
        let places = ["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64/pkcs11", "/usr/lib/pkcs11"];
        let module = places
            .map(|place| Path::new(place).join("libsofthsm2.so"))
            .into_iter()
            .find(|path| path.exists());
        let module = module.expect("SoftHSM2 is installed; `cargo xtask test` does it");
        let token = Self { sandbox: Sandbox::with_good_model(), module };
        let place = token.sandbox.path("tokens");
        fs::create_dir(&place).unwrap();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            place.display()
        );
        token.sandbox.write("softhsm2.conf", text);
        token.sandbox.write("pin", format!("{PIN}\n"));
        for label in ["alnage", "other"] {
            let words = ["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN];
            succeeded(&token.tool("softhsm2-util", &words));
        }
        token
    }

    /// Runs a program of somebody else.
    fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .env("SOFTHSM2_CONF", self.sandbox.path("softhsm2.conf"))
            .current_dir(self.sandbox.root())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask test` installs it"))
    }

    fn pkcs11_tool(&self, arguments: &[&str]) {
        let common =
            ["--module", self.module.to_str().unwrap(), "--token-label", "alnage", "--login", "--pin", PIN];
        succeeded(&self.tool("pkcs11-tool", &[&common[..], arguments].concat()));
    }

    fn make_key(&self, curve: &str, label: &str, id: &str) {
        self.pkcs11_tool(&[
            "--keypairgen",
            "--key-type",
            &format!("EC:{curve}"),
            "--label",
            label,
            "--id",
            id,
        ]);
    }

    /// Writes the public key to `public.pem`, from what OpenSC lists: it cannot write out every key itself.
    fn export(&self, label: &str) {
        let list = ["--list-objects", "--type", "pubkey", "--label", label];
        let module = self.module.to_str().unwrap();
        let common = ["--module", module, "--token-label", "alnage"];
        let output = self.tool("pkcs11-tool", &[&common[..], &list].concat());
        succeeded(&output);
        let all = String::from_utf8(output.stdout).unwrap();
        // It lists every public key, whatever the label.
        let has_label = |object: &&str| {
            object
                .lines()
                .any(|line| line.trim().strip_prefix("label:").is_some_and(|text| text.trim() == label))
        };
        let listed = all.split("Public Key Object").find(has_label).unwrap();
        let field = |name: &str| {
            let line = listed.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim();
            let digits =
                (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap());
            digits.collect::<Vec<u8>>()
        };
        let point = field("EC_POINT:");
        let bare = if point[1] == 0x81 { &point[3..] } else { &point[2..] };
        let wrapped = |tag: u8, content: Vec<u8>| match content.len() {
            length @ 0..128 => [vec![tag, length as u8], content].concat(),
            length => [vec![tag, 0x81, length as u8], content].concat(),
        };
        // SubjectPublicKeyInfo: id-ecPublicKey, the curve, the point.
        let kind = vec![6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        let algorithm = wrapped(0x30, [kind, field("EC_PARAMS:")].concat());
        let key = wrapped(3, [&[0], bare].concat());
        self.sandbox.write("public.der", wrapped(0x30, [algorithm, key].concat()));
        let words = ["pkey", "-pubin", "-inform", "DER", "-in", "public.der", "-out", "public.pem"];
        succeeded(&self.tool("openssl", &words));
    }

    fn uri(&self, path: &str, query: &str) -> String {
        format!("pkcs11:{path}?module-path={}{query}", self.module.display())
    }

    fn run(&self, arguments: &str, environment: &[(&str, &str)]) -> Ran {
        let configuration = self.sandbox.path("softhsm2.conf");
        let all = [&[("SOFTHSM2_CONF", configuration.to_str().unwrap())], environment].concat();
        let ran = self.sandbox.run_with(arguments, &all, b"");
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(PIN), "the PIN is shown: {text}");
        }
        ran
    }

    /// Signs with the key that `uri` names, the PIN being in the environment.
    fn sign(&self, uri: &str) -> Ran {
        self.run(&format!("sign good --key {uri}"), &[("ALNAGE_PIN", PIN)])
    }

    #[track_caller]
    fn refused(&self, uri: &str, said: &str) {
        let ran = self.sign(uri);
        assert_eq!(ran.code, 2, "{uri}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{said:?} is not in {}", ran.stderr);
    }
}

#[track_caller]
fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn keys_of_every_curve_sign_and_everybody_verifies() {
    let token = Token::new();
    for (curve, label, id, hash) in [
        ("prime256v1", "signer", "01", "-sha256"),
        ("secp384r1", "signer 384", "02", "-sha384"),
        ("secp521r1", "signer-521", "03", "-sha512"),
    ] {
        token.make_key(curve, label, id);
        let name = label.replace(' ', "%20");
        token.export(label);
        let uri = token.uri(&format!("token=alnage;object={name}"), "");
        let ours = token.run(&format!("public-key --key {uri}"), &[("ALNAGE_PIN", PIN)]);
        assert_eq!(ours.stdout, token.sandbox.read("public.pem"), "{}", ours.stderr);
        let ran = token.sign(&uri);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let ran = token.run("verify good --key public.pem", &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        // OpenSSL verifies the bytes that the envelope's format says are signed.
        let script = "import base64, json\n\
            envelope = json.load(open('good/model.sig'))['dsseEnvelope']\n\
            payload, kind = base64.b64decode(envelope['payload']), envelope['payloadType']\n\
            message = b'DSSEv1 %d %s %d ' % (len(kind), kind.encode(), len(payload)) + payload\n\
            open('message', 'wb').write(message)\n\
            open('signature.der', 'wb').write(base64.b64decode(envelope['signatures'][0]['sig']))\n";
        succeeded(&token.tool(testkit::peers::python().to_str().unwrap(), &["-c", script]));
        succeeded(&token.tool(
            "openssl",
            &["dgst", hash, "-verify", "public.pem", "-signature", "signature.der", "message"],
        ));
        let python = "verify key good --signature good/model.sig --public_key public.pem";
        succeeded(&model_signing(&token.sandbox, python));
    }
    // By identifier, by serial number left out, with the module found by its name.
    let ran = token.sign("pkcs11:token=alnage;id=%02?module-name=softhsm2");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_model_is_sealed_with_a_key_in_a_token() {
    let token = Token::new();
    token.make_key("prime256v1", "signer", "01");
    token.export("signer");
    let key = token.uri("token=alnage;object=signer", "&pin-source=file:")
        + token.sandbox.path("pin").to_str().unwrap();
    let ran = token.run(&format!("vet good --seal --log log --key {key}"), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = token.run("verify good --key public.pem --log log --require-seal", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_certificate_beside_the_key_is_used() {
    let token = Token::new();
    token.make_key("prime256v1", "signer", "01");
    token.export("signer");
    let script = "import sys\n\
        from datetime import datetime, timedelta\n\
        from cryptography import x509\n\
        from cryptography.hazmat.primitives import hashes, serialization\n\
        from cryptography.hazmat.primitives.asymmetric import ec\n\
        key = serialization.load_pem_public_key(open('public.pem', 'rb').read())\n\
        root = ec.generate_private_key(ec.SECP384R1())\n\
        name = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])\n\
        now = datetime.now()\n\
        def make(subject, public, authority):\n\
        \x20   builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name('root'))\n\
        \x20   builder = builder.public_key(public).serial_number(x509.random_serial_number())\n\
        \x20   builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=2))\n\
        \x20   builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)\n\
        \x20   return builder.sign(root, hashes.SHA384())\n\
        open('leaf.der', 'wb').write(make('leaf', key, False).public_bytes(serialization.Encoding.DER))\n\
        open('root.pem', 'wb').write(make('root', root.public_key(), True).public_bytes(serialization.Encoding.PEM))\n";
    succeeded(&token.tool(testkit::peers::python().to_str().unwrap(), &["-c", script]));
    token.pkcs11_tool(&["--write-object", "leaf.der", "--type", "cert", "--label", "signer", "--id", "01"]);
    let uri = token.uri("token=alnage;object=signer", "");
    let ran = token.run(&format!("sign good --key {uri} --certificate pkcs11:"), &[("ALNAGE_PIN", PIN)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = token.run("verify good --ca root.pem --identity subject:CN=leaf", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn what_cannot_be_used_is_named() {
    let token = Token::new();
    token.make_key("prime256v1", "twin", "04");
    token.make_key("prime256v1", "twin", "05");
    token.pkcs11_tool(&["--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "06"]);
    token.refused(&token.uri("token=absent", ""), "no token fits the URI; present: `");
    token.refused(&token.uri("", ""), "2 tokens fit the URI");
    token.refused(&token.uri("token=other", ""), "holds no elliptic-curve private key");
    token.refused(&token.uri("token=alnage;object=absent", ""), "it holds `object=twin;id=%04`");
    token.refused(&token.uri("token=alnage;object=twin", ""), "2 private keys fit the URI");
    token.refused(&token.uri("token=alnage;object=rsa", ""), "no private key of the token `alnage` fits");
    token.refused("pkcs11:token=alnage?module-path=/etc/passwd", "the PKCS#11 module cannot be used");
    token.refused("pkcs11:token=alnage", "the URI names none");
    let ran = token.run(&format!("sign good --key {}", token.uri("token=alnage;id=%04", "")), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("asks for a PIN") && ran.stderr.contains("ALNAGE_PIN"),
        "{}",
        ran.stderr
    );
    assert_eq!(token.sign(&token.uri("token=alnage;id=%05", "")).code, 0);
}

#[test]
fn a_wrong_pin_is_told_apart() {
    let token = Token::new();
    token.make_key("prime256v1", "signer", "01");
    let uri = token.uri("token=alnage;object=signer", "");
    let ran = token.run(&format!("sign good --key {uri}"), &[("ALNAGE_PIN", "0000")]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the PIN for the token `alnage` is wrong"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("0000"), "{}", ran.stderr);
    let key = token.uri("token=alnage;object=signer", "&pin-source=env:MY_PIN");
    let ran = token.run(&format!("sign good --key {key}"), &[]);
    assert!(ran.code == 2 && ran.stderr.contains("is not set"), "{}", ran.stderr);
    assert_eq!(token.run(&format!("sign good --key {key}"), &[("MY_PIN", PIN)]).code, 0);
}

#[test]
fn a_pin_in_the_uri_is_refused_and_not_repeated() {
    let token = Token::new();
    let ran = token
        .run(&format!("sign good --key {}", token.uri("token=alnage", &format!("&pin-value={PIN}"))), &[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("can be read by everybody") && ran.stderr.contains("pin-source"),
        "{}",
        ran.stderr
    );
}

/// Every process's command line is read, again and again, while a signature is made.
#[test]
fn the_pin_is_in_no_command_line() {
    let token = Token::new();
    token.make_key("prime256v1", "signer", "01");
    // A child of the command that lives long enough to be seen is the program that `exec:` starts.
    let key = token.uri("token=alnage;object=signer", "&pin-source=file:")
        + token.sandbox.path("pin").to_str().unwrap();
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_alnage"))
        .args(["sign", "good", "--key", &key])
        .env_clear()
        .env("HOME", token.sandbox.path("home"))
        .env("SOFTHSM2_CONF", token.sandbox.path("softhsm2.conf"))
        .current_dir(token.sandbox.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut looks, mut seen_itself) = (0, false);
    let status = loop {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(line) = fs::read(entry.path().join("cmdline")) else { continue };
            // Not those of the tools that other tests make tokens with.
            if !line.starts_with(env!("CARGO_BIN_EXE_alnage").as_bytes()) {
                continue;
            }
            seen_itself = true;
            assert!(
                !line.windows(PIN.len()).any(|part| part == PIN.as_bytes()),
                "{}",
                String::from_utf8_lossy(&line)
            );
        }
        looks += 1;
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(status.success() && seen_itself && looks > 0, "{said}");
    assert!(!said.contains(PIN), "{said}");
    assert!(!token.sandbox.read("good/model.sig").contains(PIN));
}

#[test]
fn a_program_signs_for_us() {
    let sandbox = Sandbox::with_good_model();
    assert_eq!(sandbox.run("keygen --out keys").code, 0);
    let script = format!(
        "#!/bin/sh\ncd '{}'\ncase $1 in\npublic-key) cat signing.pub.pem ;;\n\
         sign) exec /usr/bin/openssl pkeyutl -sign -inkey signing.pem ;;\nesac\n",
        sandbox.path("keys").display()
    );
    sandbox.write("program", script);
    let path = sandbox.path("program");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = sandbox.run(&format!("sign good --key exec:{}", path.display()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(sandbox.run("verify good --key keys/signing.pub.pem").code, 0);
}
