//! A key in a token: finding it by its URI, and signing with it.

use std::{fmt, path::PathBuf};

use alnage_sign::{Curve, Signer, VerifyingKey};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as ModuleError, RvError},
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
    types::AuthPin,
};

use crate::{Error, Pin, Pkcs11Uri, digest};

/// More matches than these are not listed.
const LISTED: usize = 8;

/// A key in a token, with the session it is used in.
pub struct TokenKey {
    session: Session,
    private: ObjectHandle,
    public: VerifyingKey,
    certificates: Vec<Vec<u8>>,
}

impl TokenKey {
    /// Finds the one key that `uri` names and makes it ready to sign.
    ///
    /// `pin` is asked for the PIN of the token with this label, once, when the token wants one.
    pub fn open(
        uri: &Pkcs11Uri,
        pin: impl FnOnce(&str) -> Result<Option<Pin>, Error>,
    ) -> Result<Self, Error> {
        if uri.kind.as_deref().is_some_and(|kind| kind != "private") {
            return Err(Error::Uri("signing needs a private key (`type=private`)".into()));
        }
        let module = load(uri)?;
        let (slot, token) = find_token(&module, uri)?;
        let session = module.open_ro_session(slot).map_err(failed)?;
        log_in(&session, &module, slot, &token, pin)?;
        let (private, id, label) = find_private_key(&session, uri, &token)?;
        let public = find_public_key(&session, private, id.as_deref(), label.as_deref())?;
        let certificates = find_certificates(&session, id.as_deref())?;
        Ok(Self { session, private, public, certificates })
    }

    /// The certificates in the token that have the key's identifier, in DER.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    fn sign_with_token(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let curve = self.public.curve();
        // Not every module hashes for ECDSA, so the digest is made here.
        let raw =
            self.session.sign(&Mechanism::Ecdsa, self.private, &digest(curve, message)).map_err(failed)?;
        let signature = der_signature(curve, &raw)
            .ok_or_else(|| Error::Failed(format!("the module gave {} bytes as signature", raw.len())))?;
        match self.public.verify(message, &signature) {
            Ok(()) => Ok(signature),
            Err(_) => {
                Err(Error::Failed("the signature does not fit the public key beside the private one".into()))
            }
        }
    }
}

impl Signer for TokenKey {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, alnage_sign::Error> {
        Ok(self.sign_with_token(message)?)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("public", &self.public.hint()).finish_non_exhaustive()
    }
}

/// Where Linux distributions and vendors put modules.
const FOLDERS: [&str; 9] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/lib/softhsm",
    "/usr/lib64/softhsm",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
];

/// The library that `uri` names, or where a library of its `module-name` is looked for.
pub fn module_path(uri: &Pkcs11Uri) -> Result<PathBuf, Error> {
    if let Some(path) = &uri.module_path {
        let path = PathBuf::from(path);
        if path.is_absolute() {
            return Ok(path);
        }
        return Err(Error::Module("`module-path` is not absolute".into()));
    }
    let Some(name) = &uri.module_name else {
        return Err(Error::Module("the URI names none: add `?module-path=/path/to/module.so`".into()));
    };
    if name.contains('/') {
        return Err(Error::Module("`module-name` is a path: use `module-path`".into()));
    }
    let file_names = [format!("lib{name}.so"), format!("{name}.so"), name.clone()];
    let candidates = FOLDERS
        .iter()
        .flat_map(|folder| file_names.iter().map(move |file_name| PathBuf::from(folder).join(file_name)));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::Module(format!(
            "there is no module `{}` in the usual places: use `module-path`",
            name.escape_debug()
        ))
    })
}

fn load(uri: &Pkcs11Uri) -> Result<Pkcs11, Error> {
    let path = module_path(uri)?;
    let refuse = |reason: String| Error::Module(format!("`{}`: {reason}", path.display()));
    let module = Pkcs11::new(&path).map_err(|error| match error {
        ModuleError::LibraryLoading(error) => refuse(error.to_string()),
        error => refuse(error.to_string()),
    })?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(ModuleError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(refuse(error.to_string())),
    }
    let info = module.get_library_info().map_err(|error| refuse(error.to_string()))?;
    let version = info.library_version();
    let version = format!("{}.{}", version.major(), version.minor());
    let fits = fits(&uri.library_manufacturer, info.manufacturer_id())
        && fits(&uri.library_description, info.library_description())
        && fits(&uri.library_version, &version);
    if fits { Ok(module) } else { Err(refuse("it is not the library that the URI describes".into())) }
}

/// Fields of PKCS#11 are padded with blanks.
fn fits(wanted: &Option<String>, found: &str) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.trim_end() == found.trim_end())
}

fn find_token(module: &Pkcs11, uri: &Pkcs11Uri) -> Result<(Slot, TokenInfo), Error> {
    let mut present = Vec::new();
    let mut found = Vec::new();
    for slot in module.get_slots_with_token().map_err(failed)? {
        let Ok(token) = module.get_token_info(slot) else { continue };
        if !token.token_initialized() {
            continue;
        }
        let slot_info = module.get_slot_info(slot).map_err(failed)?;
        present.push(format!("`{}` (serial {})", printable(token.label()), printable(token.serial_number())));
        let fits = fits(&uri.token, token.label())
            && fits(&uri.manufacturer, token.manufacturer_id())
            && fits(&uri.serial, token.serial_number())
            && fits(&uri.model, token.model())
            && fits(&uri.slot_description, slot_info.slot_description())
            && fits(&uri.slot_manufacturer, slot_info.manufacturer_id())
            && uri.slot_id.is_none_or(|wanted| wanted == slot.id());
        if fits {
            found.push((slot, token));
        }
    }
    let listed = || present.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match found.len() {
        0 if present.is_empty() => Err(Error::Token("no token is present".into())),
        0 => Err(Error::Token(format!("no token fits the URI; present: {}", listed()))),
        1 => found.pop().ok_or_else(|| Error::Token("no token is present".into())),
        several => Err(Error::Token(format!(
            "{several} tokens fit the URI: say which by `token` or `serial`; present: {}",
            listed()
        ))),
    }
}

fn log_in(
    session: &Session,
    module: &Pkcs11,
    slot: Slot,
    token: &TokenInfo,
    pin: impl FnOnce(&str) -> Result<Option<Pin>, Error>,
) -> Result<(), Error> {
    if !token.login_required() {
        return Ok(());
    }
    let label = printable(token.label());
    if token.user_pin_locked() {
        return Err(Error::Locked(label));
    }
    // A reader with a keypad of its own asks for the PIN itself.
    let secret = if token.protected_authentication_path() {
        None
    } else {
        let pin = pin(&label)?.ok_or_else(|| Error::PinNeeded(label.clone()))?;
        Some(AuthPin::from(pin.reveal().to_owned()))
    };
    match session.login(UserType::User, secret.as_ref()) {
        Ok(()) | Err(ModuleError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(ModuleError::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _)) => {
            let now = module.get_token_info(slot).ok();
            let left = match &now {
                Some(token) if token.user_pin_locked() => return Err(Error::Locked(label)),
                Some(token) if token.user_pin_final_try() => "; one more wrong try locks it",
                Some(token) if token.user_pin_count_low() => "; it has been wrong before",
                _ => "",
            };
            Err(Error::WrongPin { token: label, left })
        }
        Err(ModuleError::Pkcs11(RvError::PinLocked, _)) => Err(Error::Locked(label)),
        Err(error) => Err(failed(error)),
    }
}

/// Identifier and label of an object.
type Names = (Option<Vec<u8>>, Option<Vec<u8>>);
type Found = (ObjectHandle, Option<Vec<u8>>, Option<Vec<u8>>);

fn find_private_key(session: &Session, uri: &Pkcs11Uri, token: &TokenInfo) -> Result<Found, Error> {
    let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::EC)];
    template.extend(uri.id.clone().map(Attribute::Id));
    template.extend(uri.object.clone().map(|label| Attribute::Label(label.into_bytes())));
    let found = session.find_objects(&template).map_err(failed)?;
    let mut described = Vec::new();
    for &handle in found.iter().take(LISTED) {
        described.push(describe(session, handle)?);
    }
    match (found.as_slice(), described.as_slice()) {
        ([handle], [(id, label)]) => Ok((*handle, id.clone(), label.clone())),
        ([], _) => {
            let all = session.find_objects(&template[..2]).map_err(failed)?;
            let token = printable(token.label());
            let message = if all.is_empty() {
                format!("the token `{token}` holds no elliptic-curve private key")
            } else {
                format!(
                    "no private key of the token `{token}` fits the URI; it holds {}",
                    list(session, &all)?
                )
            };
            Err(Error::Object(message))
        }
        (several, _) => {
            let message = format!(
                "{} private keys fit the URI: say which by `object` or `id`; they are {}",
                several.len(),
                list(session, several)?
            );
            Err(Error::Object(message))
        }
    }
}

fn list(session: &Session, handles: &[ObjectHandle]) -> Result<String, Error> {
    let mut listed = Vec::new();
    for &handle in handles.iter().take(LISTED) {
        let (id, label) = describe(session, handle)?;
        let id: String = id.unwrap_or_default().iter().map(|byte| format!("%{byte:02x}")).collect();
        let label = String::from_utf8_lossy(&label.unwrap_or_default()).into_owned();
        listed.push(format!("`object={};id={id}`", printable(&label)));
    }
    // Modules give their objects in any order.
    listed.sort();
    Ok(listed.join(", "))
}

fn describe(session: &Session, handle: ObjectHandle) -> Result<Names, Error> {
    let (mut id, mut label) = (None, None);
    let wanted = [AttributeType::Id, AttributeType::Label];
    for attribute in session.get_attributes(handle, &wanted).map_err(failed)? {
        match attribute {
            Attribute::Id(value) if !value.is_empty() => id = Some(value),
            Attribute::Label(value) if !value.is_empty() => label = Some(value),
            _ => {}
        }
    }
    Ok((id, label))
}

/// The public half: what the token keeps beside the private key, under its identifier or its label.
fn find_public_key(
    session: &Session,
    private: ObjectHandle,
    id: Option<&[u8]>,
    label: Option<&[u8]>,
) -> Result<VerifyingKey, Error> {
    let by = match (id, label) {
        (Some(id), _) => Attribute::Id(id.to_vec()),
        (None, Some(label)) => Attribute::Label(label.to_vec()),
        (None, None) => return Err(Error::Object("the key has neither an identifier nor a label".into())),
    };
    let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(KeyType::EC), by];
    let found = session.find_objects(&template).map_err(failed)?;
    // Some tokens keep the point with the private key instead.
    let holder = found.first().copied().unwrap_or(private);
    let (mut curve, mut point) = (None, None);
    let wanted = [AttributeType::EcParams, AttributeType::EcPoint];
    for attribute in session.get_attributes(holder, &wanted).map_err(failed)? {
        match attribute {
            Attribute::EcParams(value) => curve = curve_of(&value),
            Attribute::EcPoint(value) => point = Some(value),
            _ => {}
        }
    }
    let curve = curve.ok_or_else(|| Error::Object("the key is not over P-256, P-384 or P-521".into()))?;
    let point =
        point.ok_or_else(|| Error::Object("the token holds no public key beside the private one".into()))?;
    VerifyingKey::from_point(curve, bare_point(curve, &point))
        .map_err(|error| Error::Object(error.to_string()))
}

/// The curve whose object identifier this is, in DER.
pub(crate) fn curve_of(parameters: &[u8]) -> Option<Curve> {
    match parameters {
        [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => Some(Curve::P256),
        [6, 5, 0x2b, 0x81, 4, 0, 0x22] => Some(Curve::P384),
        [6, 5, 0x2b, 0x81, 4, 0, 0x23] => Some(Curve::P521),
        _ => None,
    }
}

/// The point without the octet string that the standard wraps it in and some tokens leave out.
pub(crate) fn bare_point(curve: Curve, point: &[u8]) -> &[u8] {
    let length = 2 * curve.field_size() + 1;
    let start = point.len().saturating_sub(length);
    match point {
        [4, ..] if point.len() > length => point.get(start..).unwrap_or(point),
        _ => point,
    }
}

fn find_certificates(session: &Session, id: Option<&[u8]>) -> Result<Vec<Vec<u8>>, Error> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let template = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::Id(id.to_vec())];
    let mut certificates = Vec::new();
    for handle in session.find_objects(&template).map_err(failed)?.into_iter().take(LISTED) {
        for attribute in session.get_attributes(handle, &[AttributeType::Value]).map_err(failed)? {
            if let Attribute::Value(der) = attribute {
                certificates.push(der);
            }
        }
    }
    Ok(certificates)
}

/// The DER form of a signature `r ‖ s`.
pub(crate) fn der_signature(curve: Curve, raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() != 2 * curve.field_size() {
        return None;
    }
    let (r, s) = raw.split_at(curve.field_size());
    let body = [der_integer(r)?, der_integer(s)?].concat();
    der_value(0x30, &body)
}

fn der_integer(number: &[u8]) -> Option<Vec<u8>> {
    let start = number.iter().position(|&byte| byte != 0)?;
    let digits = number.get(start..)?;
    let sign: &[u8] = if digits.first()? & 0x80 == 0 { &[] } else { &[0] };
    der_value(2, &[sign, digits].concat())
}

fn der_value(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(content.len()).ok()?;
    let header: &[u8] = if length < 0x80 { &[tag, length] } else { &[tag, 0x81, length] };
    Some([header, content].concat())
}

/// Labels come from the token: no control characters, not too long.
fn printable(text: &str) -> String {
    text.trim_end().escape_debug().take(80).collect()
}

fn failed(error: ModuleError) -> Error {
    match error {
        ModuleError::Pkcs11(value, function) => Error::Failed(format!("{function} said {value:?}")),
        error => Error::Failed(error.to_string()),
    }
}
