//! PKCS#11 URIs (RFC 7512): which module, which token, which object, and where the PIN is.

use crate::{Error, PinPlace};

/// What a URI `pkcs11:…` asks for. What it does not name, it does not care for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pkcs11Uri {
    /// Label of the token.
    pub token: Option<String>,
    /// Manufacturer of the token.
    pub manufacturer: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Model of the token.
    pub model: Option<String>,
    /// Manufacturer of the module.
    pub library_manufacturer: Option<String>,
    /// Description of the module.
    pub library_description: Option<String>,
    /// Version of the module, `major.minor`.
    pub library_version: Option<String>,
    /// Description of the slot.
    pub slot_description: Option<String>,
    /// Manufacturer of the slot.
    pub slot_manufacturer: Option<String>,
    /// Number of the slot.
    pub slot_id: Option<u64>,
    /// Label of the object.
    pub object: Option<String>,
    /// Identifier of the object.
    pub id: Option<Vec<u8>>,
    /// Kind of the object; a key is looked for, so only `private`, `public` and `cert` make sense.
    pub kind: Option<String>,
    /// The library of the module.
    pub module_path: Option<String>,
    /// The name of the library: `softhsm2` for `libsofthsm2.so`.
    pub module_name: Option<String>,
    /// Where the PIN is.
    pub pin_source: Option<PinPlace>,
}

impl Pkcs11Uri {
    /// Whether `text` is a URI of this kind.
    pub fn is(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// Reads a URI. `pin-value` is refused: a URI stands in command lines and configuration files.
    ///
    /// No message holds a part of the URI's query, where a PIN may stand.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let body = if Self::is(text) { text.get(SCHEME.len()..) } else { None };
        let body = body.ok_or_else(|| Error::Uri(format!("it does not begin with `{SCHEME}`")))?;
        let (path, query) = body.split_once('?').unwrap_or((body, ""));
        // Looked for first, so that nothing else is said about a URI with a PIN in it.
        if query.split('&').any(|part| part.split('=').next() == Some("pin-value")) {
            return Err(Error::PinInUri);
        }
        let mut uri = Self::default();
        for part in path.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = attribute(part)?;
            uri.set_path(name, value)?;
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = attribute(part)?;
            uri.set_query(name, value)?;
        }
        Ok(uri)
    }

    fn set_path(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        let place = match name {
            "id" => {
                return if self.id.replace(value).is_some() { Err(twice(name)) } else { Ok(()) };
            }
            "slot-id" => {
                let number = text(name, value)?;
                let number = number.parse().map_err(|_| Error::Uri("`slot-id` is no number".into()))?;
                return if self.slot_id.replace(number).is_some() { Err(twice(name)) } else { Ok(()) };
            }
            "token" => &mut self.token,
            "manufacturer" => &mut self.manufacturer,
            "serial" => &mut self.serial,
            "model" => &mut self.model,
            "library-manufacturer" => &mut self.library_manufacturer,
            "library-description" => &mut self.library_description,
            "library-version" => &mut self.library_version,
            "slot-description" => &mut self.slot_description,
            "slot-manufacturer" => &mut self.slot_manufacturer,
            "object" => &mut self.object,
            "type" => &mut self.kind,
            // What is not understood must not widen the choice.
            other => {
                return Err(Error::Uri(format!("the attribute `{}` is not known", other.escape_debug())));
            }
        };
        if place.replace(text(name, value)?).is_some() { Err(twice(name)) } else { Ok(()) }
    }

    fn set_query(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        let place = match name {
            "module-path" => &mut self.module_path,
            "module-name" => &mut self.module_name,
            "pin-source" => {
                let source = PinPlace::parse(&text(name, value)?)?;
                return if self.pin_source.replace(source).is_some() { Err(twice(name)) } else { Ok(()) };
            }
            _ => return Err(Error::Uri("it has a query attribute that is not known".into())),
        };
        if place.replace(text(name, value)?).is_some() { Err(twice(name)) } else { Ok(()) }
    }
}

const SCHEME: &str = "pkcs11:";

/// The name of an attribute and its value, decoded.
fn attribute(part: &str) -> Result<(&str, Vec<u8>), Error> {
    let (name, value) =
        part.split_once('=').ok_or_else(|| Error::Uri("an attribute has no value (`name=value`)".into()))?;
    Ok((
        name,
        decode(value).ok_or_else(|| {
            Error::Uri(format!("the value of `{}` is wrongly encoded", name.escape_debug()))
        })?,
    ))
}

/// Undoes percent-encoding. White space and control characters have to be encoded.
pub(crate) fn decode(value: &str) -> Option<Vec<u8>> {
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
                decoded.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
            }
            0..=b' ' | 0x7f => return None,
            other => decoded.push(other),
        }
    }
    Some(decoded)
}

fn text(name: &str, value: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(value).map_err(|_| Error::Uri(format!("the value of `{name}` is no text")))
}

fn twice(name: &str) -> Error {
    Error::Uri(format!("`{name}` stands twice"))
}
