use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use alnage_sign::{Curve, Signer as _, SigningKey};

use crate::{
    Error, ExecSigner, ExecUri, Input, Pin, PinPlace, Pkcs11Uri,
    token::{bare_point, curve_of, der_signature},
};

#[test]
fn uris_are_read_whole() {
    let text = "pkcs11:token=My%20token;manufacturer=m;serial=s;model=o;object=a%3Bb;id=%01%ff;type=private;slot-id=7;\
                library-manufacturer=lm;library-description=ld;library-version=2.6;slot-description=sd;\
                slot-manufacturer=sm?module-path=/usr/lib/m.so&module-name=softhsm2&pin-source=file:/run/pin%20code";
    let some = |text: &str| Some(text.to_owned());
    let wanted = Pkcs11Uri {
        token: some("My token"),
        manufacturer: some("m"),
        serial: some("s"),
        model: some("o"),
        library_manufacturer: some("lm"),
        library_description: some("ld"),
        library_version: some("2.6"),
        slot_description: some("sd"),
        slot_manufacturer: some("sm"),
        slot_id: Some(7),
        object: some("a;b"),
        id: Some(vec![1, 255]),
        kind: some("private"),
        module_path: some("/usr/lib/m.so"),
        module_name: some("softhsm2"),
        pin_source: Some(PinPlace::File("/run/pin code".into())),
    };
    assert_eq!(Pkcs11Uri::parse(text), Ok(wanted));
    assert_eq!(Pkcs11Uri::parse("PKCS11:"), Ok(Pkcs11Uri::default()));
    let variable = Pkcs11Uri::parse("pkcs11:?pin-source=env:PIN").unwrap().pin_source;
    assert_eq!(variable, Some(PinPlace::Variable("PIN".into())));
    let file = Pkcs11Uri::parse("pkcs11:?pin-source=file:///run/pin").unwrap().pin_source;
    assert_eq!(file, Some(PinPlace::File("/run/pin".into())));
}

#[test]
fn wrong_uris_are_refused_without_their_secrets() {
    for (text, said) in [
        ("token=a", "does not begin with"),
        ("pkcs1", "does not begin with"),
        ("pkcs11:token", "has no value"),
        ("pkcs11:token=a;token=b", "`token` stands twice"),
        ("pkcs11:id=a;id=b", "`id` stands twice"),
        ("pkcs11:colour=red", "`colour` is not known"),
        ("pkcs11:object=%zz", "wrongly encoded"),
        ("pkcs11:object=%f", "wrongly encoded"),
        ("pkcs11:object=a b", "wrongly encoded"),
        ("pkcs11:object=%ff", "is no text"),
        ("pkcs11:slot-id=x", "is no number"),
        ("pkcs11:?pin=1234", "is not known"),
        ("pkcs11:?pin-source=|cat%20/etc/pin", "neither"),
        ("pkcs11:?module-path=/a&module-path=/b", "stands twice"),
    ] {
        let error = Pkcs11Uri::parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
        assert!(!error.contains("1234"), "{error}");
    }
    for text in ["pkcs11:token=a?pin-value=1234", "pkcs11:colour=red?x=y&pin-value=1234", "pkcs11:?pin-value"]
    {
        assert_eq!(Pkcs11Uri::parse(text), Err(Error::PinInUri));
    }
}

#[test]
fn modules_are_named_by_absolute_paths() {
    for (text, said) in [
        ("pkcs11:", "the URI names none"),
        ("pkcs11:?module-path=m.so", "is not absolute"),
        ("pkcs11:?module-name=../m", "is a path"),
        ("pkcs11:?module-name=surely-absent", "usual places"),
    ] {
        let error = crate::module_path(&Pkcs11Uri::parse(text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_pin_is_not_shown() {
    let pin = Pin::new("1234\r\n".into());
    assert_eq!((pin.reveal(), format!("{pin:?}").as_str()), ("1234", "***"));
}

#[test]
fn signatures_become_der() {
    let mut raw = [0; 64];
    raw[31] = 0x80;
    raw[63] = 0x7f;
    assert_eq!(der_signature(Curve::P256, &raw).unwrap(), [0x30, 7, 2, 2, 0, 0x80, 2, 1, 0x7f]);
    assert_eq!(der_signature(Curve::P521, &[0xff; 132]).unwrap()[..3], [0x30, 0x81, 138]);
    for wrong in [&[1; 63][..], &[1; 96], &[0; 64], &[]] {
        assert_eq!(der_signature(Curve::P256, wrong), None);
    }
    // Every signature reads back as it was.
    for curve in Curve::ALL {
        let key = SigningKey::from_seed(curve, &[5; 32]).unwrap();
        let der = key.sign(b"message").unwrap();
        let size = curve.field_size();
        let mut at = if der[1] == 0x81 { 3 } else { 2 };
        let mut raw = vec![0; 2 * size];
        for half in 0..2 {
            let length = usize::from(der[at + 1]);
            let number = &der[at + 2..at + 2 + length];
            let digits = number.strip_prefix(&[0]).unwrap_or(number);
            raw[(half + 1) * size - digits.len()..(half + 1) * size].copy_from_slice(digits);
            at += 2 + length;
        }
        assert_eq!(der_signature(curve, &raw).unwrap(), der);
    }
}

#[test]
fn points_are_read_wrapped_and_bare() {
    for curve in Curve::ALL {
        let bare = [&[4][..], &vec![7; 2 * curve.field_size()]].concat();
        let header: &[u8] =
            if bare.len() < 128 { &[4, bare.len() as u8] } else { &[4, 0x81, bare.len() as u8] };
        assert_eq!(bare_point(curve, &[header, &bare].concat()), bare);
        assert_eq!(bare_point(curve, &bare), bare);
        assert_eq!(bare_point(curve, &bare[..9]), &bare[..9]);
    }
    assert_eq!(curve_of(&[6, 5, 0x2b, 0x81, 4, 0, 0x23]), Some(Curve::P521));
    assert_eq!(curve_of(&[6, 5, 0x2b, 0x81, 4, 0, 0x0a]), None);
}

/// A program that is a shell script; `sign` is what it does when asked to.
struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    fn new(public_key: &str, sign: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::from_seed(Curve::P384, &[7; 32]).unwrap();
        fs::write(folder.path().join("key.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
        let place = folder.path().display();
        let script = format!(
            "#!/bin/sh\ncd '{place}'\ncase \"$1\" in\npublic-key) {public_key} ;;\nsign) {sign} ;;\nesac\n"
        );
        let path = folder.path().join("program");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    fn sign(&self, query: &str) -> Result<Vec<u8>, String> {
        let uri = ExecUri::parse(&format!("exec:{}{query}", self.path().display()))
            .map_err(|error| error.to_string())?;
        let signer = ExecSigner::open(uri).map_err(|error| error.to_string())?;
        assert_eq!(signer.algorithm(), Curve::P384);
        signer.sign(b"message").map_err(|error| error.to_string())
    }
}

const PUBLIC: &str = "openssl pkey -in key.pem -pubout";
const BY_DIGEST: &str = "openssl pkeyutl -sign -inkey key.pem";

#[test]
fn a_program_signs_a_digest_or_a_message() {
    assert!(Program::new(PUBLIC, BY_DIGEST).sign("").is_ok());
    let checked = "[ \"$2 $3 $4\" = 'ecdsa-sha384 my key' ] && openssl dgst -sha384 -sign key.pem";
    assert!(Program::new(PUBLIC, checked).sign("?input=message&argument=my&argument=key").is_ok());
    assert!(Program::new(PUBLIC, checked).sign("?input=message").is_err());
}

#[test]
fn a_program_that_fails_says_so() {
    let check = |public_key: &str, sign: &str, query: &str, said: &str| {
        let error = Program::new(public_key, sign).sign(query).unwrap_err();
        assert!(error.contains(said), "{said:?} is not in {error:?}");
    };
    check("exit 0", BY_DIGEST, "", "gave no public key");
    check(PUBLIC, "echo 'no such key' >&2; exit 3", "", "exit status: 3: no such key");
    check(PUBLIC, "printf x", "", "is no signature by its key");
    check(PUBLIC, BY_DIGEST, "?input=message", "no signature by its key");
    check(PUBLIC, "head -c 100000 /dev/zero", "", "more than a key or signature takes");
    check("sleep 60", BY_DIGEST, "?timeout=1", "did not end within 1 seconds");
    let missing = ExecUri::parse("exec:/surely/absent").unwrap();
    assert!(ExecSigner::open(missing).unwrap_err().to_string().contains("cannot be started"));
}

#[test]
fn exec_uris_are_read_whole() {
    let wanted = ExecUri {
        program: "/opt/my program".into(),
        arguments: vec!["a b".into(), "c".into()],
        input: Input::Message,
        timeout: Duration::from_secs(9),
    };
    let text = "exec:/opt/my%20program?argument=a%20b&argument=c&input=message&timeout=9";
    assert_eq!(ExecUri::parse(text), Ok(wanted));
    for wrong in
        ["exec:relative", "exec:", "exec:/p?x=y", "exec:/p?input=x", "exec:/p?timeout=0", "exec:/p?timeout"]
    {
        assert!(ExecUri::parse(wrong).is_err(), "{wrong}");
    }
}
