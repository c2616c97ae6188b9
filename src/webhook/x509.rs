//! Reads from a certificate who signed it, and whether it says where the signer's is found.
//!
//! The `der` crate reads the values; this file only knows their places from RFC 5280. An
//! unreadable certificate gives `None`, and the chain is judged without it.

use der::asn1::{AnyRef, BmpString, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};

const AUTHORITY_INFORMATION_ACCESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// The parts of a name that have a common short form; others are shown as numbers.
const SHORT_NAMES: [(ObjectIdentifier, &str); 8] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
    (ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25"), "DC"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1"), "Email"),
];

/// The parts of a certificate that are read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The name of the signing authority, as `C=DE, O=Acme, CN=Acme CA`. It may contain any
    /// text.
    pub issuer: String,
    /// Whether issuer and subject are the same name.
    pub is_self_issued: bool,
    /// Whether it has the address of its issuer's certificate, as those of public authorities
    /// do.
    pub names_its_issuer: bool,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let certificate = AnyRef::from_der(bytes).ok()?;
        let signed = elements(sequence(certificate)?)?.into_iter().next()?;
        let mut fields = elements(sequence(signed)?)?.into_iter().peekable();
        // A certificate of version 1 does not state its version.
        fields.next_if(|field| field.tag() == context(0));
        let [_serial, _algorithm, issuer, _validity, subject, _key] = std::array::from_fn(|_| fields.next());
        let (issuer, subject) = (issuer?, subject?);
        let extensions = fields.find(|field| field.tag() == context(3));
        Some(Self {
            issuer: name(issuer)?,
            is_self_issued: issuer == subject,
            names_its_issuer: extensions.is_some_and(|wrapped| has_issuers_address(wrapped).unwrap_or_default()),
        })
    }
}

/// `[number]` with something inside.
const fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The consecutive values in `content`.
fn elements(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(reader.decode().ok()?);
    }
    Some(found)
}

fn sequence(value: AnyRef<'_>) -> Option<&[u8]> {
    (value.tag() == Tag::Sequence).then(|| value.value())
}

/// A name is a sequence of sets of (type, value).
fn name(name: AnyRef<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for set in elements(sequence(name)?)? {
        let mut together = Vec::new();
        for attribute in elements(set.value())? {
            let [kind, value] = elements(sequence(attribute)?)?.try_into().ok()?;
            let kind = kind.decode_as::<ObjectIdentifier>().ok()?;
            let short = SHORT_NAMES.iter().find(|(known, _)| *known == kind);
            let kind = short.map_or_else(|| kind.to_string(), |(_, short)| (*short).to_owned());
            together.push(format!("{kind}={}", text(value)?));
        }
        parts.push(together.join(" + "));
    }
    Some(parts.join(", "))
}

fn text(value: AnyRef<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::GeneralString
        // Latin-1 by the standard; what is written into it is ASCII or UTF-8.
        | Tag::TeletexString
        | Tag::VideotexString => std::str::from_utf8(value.value()).ok().map(str::to_owned),
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
        _ => Some(hex::encode_upper(value.value())),
    }
}

/// Whether an extension has the address of the issuer's certificate.
fn has_issuers_address(wrapped: AnyRef<'_>) -> Option<bool> {
    let is = |value: &AnyRef<'_>, id| value.decode_as::<ObjectIdentifier>().is_ok_and(|found| found == id);
    for extension in elements(sequence(AnyRef::from_der(wrapped.value()).ok()?)?)? {
        // (id, critical?, content)
        let parts = elements(sequence(extension)?)?;
        let (first, last) = (parts.first()?, parts.last()?);
        if is(first, AUTHORITY_INFORMATION_ACCESS) && last.tag() == Tag::OctetString {
            let accesses = elements(sequence(AnyRef::from_der(last.value()).ok()?)?)?;
            return Some(accesses.into_iter().any(|access| {
                sequence(access)
                    .and_then(elements)
                    .is_some_and(|access| access.first().is_some_and(|id| is(id, CA_ISSUERS)))
            }));
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::string::BmpString;
    use rcgen::{CertificateParams, CertifiedIssuer, CustomExtension, DnType, DnValue, KeyPair};

    use super::*;

    /// `SEQUENCE { SEQUENCE { method, [6] "http://a/" } }`, where `method` ends in `last`.
    fn access(last: u8) -> CustomExtension {
        let mut content = vec![0x30, 23, 0x30, 21, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, last, 0x86, 9];
        content.extend(b"http://a/");
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
    }

    fn issued(extensions: Vec<CustomExtension>) -> Vec<u8> {
        let mut root = CertificateParams::default();
        root.distinguished_name = rcgen::DistinguishedName::new();
        root.distinguished_name.push(DnType::CountryName, "DE");
        root.distinguished_name.push(DnType::OrganizationName, "Bäcker & Söhne");
        root.distinguished_name
            .push(DnType::CommonName, DnValue::BmpString(BmpString::try_from("Wurzel").expect("a certificate")));
        root.distinguished_name.push(DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]), "ca@example.com");
        root.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "7");
        let root =
            CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a certificate")).expect("a certificate");
        let mut leaf = CertificateParams::new(["localhost".to_owned()]).expect("a certificate");
        leaf.custom_extensions = extensions;
        leaf.signed_by(&KeyPair::generate().expect("a certificate"), &root).expect("a certificate").der().to_vec()
    }

    #[test]
    fn a_name_is_written_as_people_know_it() {
        let read = Certificate::read(&issued(Vec::new())).expect("a certificate");
        assert_eq!(read.issuer, "C=DE, O=Bäcker & Söhne, CN=Wurzel, Email=ca@example.com, 2.5.4.5=7");
        assert!(!read.is_self_issued && !read.names_its_issuer);
    }

    #[test]
    fn only_the_address_of_the_issuers_certificate_counts() {
        assert!(Certificate::read(&issued(vec![access(2)])).expect("a certificate").names_its_issuer);
        // The address of a revocation service (OCSP) says nothing about the chain.
        assert!(!Certificate::read(&issued(vec![access(1)])).expect("a certificate").names_its_issuer);
        let other = CustomExtension::from_oid_content(&[1, 2, 3], vec![0x05, 0]);
        assert!(Certificate::read(&issued(vec![other, access(2)])).expect("a certificate").names_its_issuer);
    }

    #[test]
    fn a_self_signed_certificate_is_known_by_its_two_names() {
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a certificate");
        let own = params.self_signed(&KeyPair::generate().expect("a certificate")).expect("a certificate");
        assert!(Certificate::read(own.der()).expect("a certificate").is_self_issued);
    }

    proptest! {
        /// A server may send anything; a damaged certificate must not cause a panic.
        #[test]
        fn anything_may_be_shown(at in 0..1000_usize, with in any::<[u8; 3]>(), end in 0..1000_usize) {
            let mut bytes = issued(vec![access(2)]);
            let (at, end) = (at % bytes.len(), end % bytes.len());
            for (place, byte) in bytes[at..].iter_mut().zip(with) {
                *place = byte;
            }
            let _ = Certificate::read(&bytes);
            let _ = Certificate::read(&bytes[..end]);
            let _ = Certificate::read(&with);
        }
    }
}
