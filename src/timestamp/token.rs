//! The answer of an authority, and what is checked of it.

use chrono::{DateTime, NaiveDateTime, Utc};
use cms::{
    cert::{
        CertificateChoices,
        x509::{
            Certificate,
            ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier},
        },
    },
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use der::{
    Decode as _, Encode as _, Tag, Tagged as _,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::{EndEntityCert, ring};

use super::{
    LARGEST, Request, Root, Roots, TOLERANCE, TokenError,
    asn1::{
        CONTENT_TYPE, MESSAGE_DIGEST, SHA256, SHA384, SHA512, SIGNED_DATA, SIGNING_CERTIFICATE, SigningCertificateV2,
        TIME_STAMPING, TST_INFO, TimeStampResp, TstInfo,
    },
};
use crate::digest::hex;

/// The characters of an authority's own words that are repeated.
const WORDS: usize = 200;

/// A timestamp whose signature is valid. Whom its certificate belongs to is for [`Token::root`].
#[derive(Debug, Clone)]
pub struct Token {
    /// The time that it proves.
    pub at: DateTime<Utc>,
    /// The policy under which it was given.
    pub policy: ObjectIdentifier,
    /// Its number at the authority, as hexadecimal digits.
    pub serial: String,
    imprint: Vec<u8>,
    nonce: Option<Vec<u8>>,
    /// The authority's certificate.
    leaf: Certificate,
    /// The other certificates in the answer.
    others: Vec<CertificateDer<'static>>,
}

impl Token {
    /// Reads an answer, and verifies the signature in it.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn read(answer: &[u8]) -> Result<Self, TokenError> {
        if answer.len() > LARGEST {
            return Err(TokenError::Malformed(format!("it has more than {LARGEST} bytes")));
        }
        let answer = TimeStampResp::from_der(answer).map_err(malformed)?;
        // 0 is granted, 1 granted with modifications.
        if answer.status.status > 1 {
            return Err(TokenError::Refused(refusal(&answer)));
        }
        let content = answer.time_stamp_token.ok_or_else(|| TokenError::Refused("it sent no timestamp".to_owned()))?;
        if content.content_type != SIGNED_DATA {
            return Err(TokenError::Malformed(format!("its content is {}", content.content_type)));
        }
        let envelope: SignedData = content.content.decode_as().map_err(malformed)?;
        if envelope.encap_content_info.econtent_type != TST_INFO {
            return Err(TokenError::Malformed(format!("it signs {}", envelope.encap_content_info.econtent_type)));
        }
        let content = envelope.encap_content_info.econtent.as_ref();
        let content = content.ok_or_else(|| TokenError::Malformed("it signs nothing".to_owned()))?;
        let content: OctetStringRef<'_> = content.decode_as().map_err(malformed)?;
        let info = TstInfo::from_der(content.as_bytes()).map_err(malformed)?;
        let [signer] = envelope.signer_infos.0.as_slice() else {
            return Err(TokenError::Malformed("it does not have exactly one signature".to_owned()));
        };
        let (leaf, others) = certificates(&envelope, signer)?;
        verify(signer, content.as_bytes(), &leaf)?;
        Self::of(info, leaf, others)
    }

    fn of(info: TstInfo, leaf: Certificate, others: Vec<CertificateDer<'static>>) -> Result<Self, TokenError> {
        if info.message_imprint.hash_algorithm.oid != SHA256 {
            let found = info.message_imprint.hash_algorithm.oid.to_string();
            return Err(TokenError::Imprint { found: format!("one of {found}"), expected: "SHA-256".to_owned() });
        }
        let extensions = info.extensions.unwrap_or_default();
        if extensions.iter().any(|extension| is_critical(extension.value())) {
            return Err(TokenError::Malformed("it has an extension that is not known".to_owned()));
        }
        Ok(Self {
            at: time(&info.gen_time)?,
            policy: info.policy,
            serial: hex(info.serial_number.as_bytes()),
            imprint: info.message_imprint.hashed_message.as_bytes().to_vec(),
            nonce: info.nonce.map(|nonce| nonce.as_bytes().to_vec()),
            leaf,
            others,
        })
    }

    /// Whether it answers a request that was made now.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn answers(&self, request: &Request, now: DateTime<Utc>) -> Result<(), TokenError> {
        self.covers_digest(&request.imprint)?;
        if self.nonce.as_deref() != Some(&request.nonce[..]) {
            return Err(TokenError::Nonce);
        }
        if let Some(policy) = request.policy.filter(|policy| *policy != self.policy) {
            return Err(TokenError::Policy { found: self.policy.to_string(), expected: policy.to_string() });
        }
        if (self.at - now).abs() > TOLERANCE {
            return Err(TokenError::Time { theirs: self.at, ours: now });
        }
        Ok(())
    }

    /// Whether it is a timestamp of these bytes.
    ///
    /// # Errors
    /// [`TokenError::Imprint`]
    pub fn covers(&self, data: &[u8]) -> Result<(), TokenError> {
        self.covers_digest(&Sha256::digest(data))
    }

    fn covers_digest(&self, expected: &[u8]) -> Result<(), TokenError> {
        if self.imprint == expected {
            return Ok(());
        }
        Err(TokenError::Imprint { found: hex(&self.imprint), expected: hex(expected) })
    }

    /// The trusted certificate that the authority's own leads to. It must have been valid at the time that the token says,
    /// also if it has expired since.
    ///
    /// # Errors
    /// [`TokenError::Usage`] or [`TokenError::Untrusted`]
    pub fn root(&self, roots: &Roots) -> Result<Root, TokenError> {
        usage(&self.leaf)?;
        roots.leads(&der_of(&self.leaf)?, &self.others, self.at)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "used by `map_err`")]
fn malformed(error: der::Error) -> TokenError {
    TokenError::Malformed(error.to_string())
}

fn der_of(certificate: &Certificate) -> Result<CertificateDer<'static>, TokenError> {
    certificate.to_der().map(CertificateDer::from).map_err(malformed)
}

/// What the authority says of its refusal.
fn refusal(answer: &TimeStampResp) -> String {
    let status = match answer.status.status {
        2 => "rejection",
        3 => "waiting",
        4 | 5 => "revocation",
        _ => "an unknown status",
    };
    let words = answer.status.status_string.clone().unwrap_or_default().join(" ");
    let words: String = words.chars().filter(|c| !c.is_control()).take(WORDS).collect();
    let reason = answer.status.fail_info.as_ref().and_then(|bits| {
        let bit = bits.bits().position(|bit| bit)?;
        Some(match bit {
            0 => "it does not support the algorithm",
            2 => "it does not permit such a request",
            5 => "it cannot read the request",
            14 => "its source of time is not available",
            15 => "it does not have that policy",
            16 => "it does not support an extension",
            17 => "it does not give what was asked for",
            25 => "it has failed",
            _ => return None,
        })
    });
    let said = [Some(status), reason, Some(words.as_str()).filter(|words| !words.is_empty())];
    said.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The time: `YYYYMMDDhhmmss[.s…]Z` (RFC 3161, 2.4.2).
fn time(written: &der::Any) -> Result<DateTime<Utc>, TokenError> {
    let text = std::str::from_utf8(written.value()).ok().filter(|_| written.tag() == Tag::GeneralizedTime);
    let time = text.and_then(|text| NaiveDateTime::parse_from_str(text.strip_suffix('Z')?, "%Y%m%d%H%M%S%.f").ok());
    time.map(|time| time.and_utc()).ok_or_else(|| TokenError::Malformed("its time is not one".to_owned()))
}

/// Whether an extension is critical: its second part is then TRUE.
fn is_critical(extension: &[u8]) -> bool {
    let is_true = || {
        let mut parts = der::SliceReader::new(extension)?;
        ObjectIdentifier::decode(&mut parts)?;
        bool::decode(&mut parts)
    };
    is_true().unwrap_or(false)
}

/// The certificate of the signer, and the others.
fn certificates(
    envelope: &SignedData,
    signer: &SignerInfo,
) -> Result<(Certificate, Vec<CertificateDer<'static>>), TokenError> {
    let (mut leaf, mut others) = (None, Vec::new());
    for choice in envelope.certificates.iter().flat_map(|set| set.0.iter()) {
        let CertificateChoices::Certificate(certificate) = choice else { continue };
        if leaf.is_none() && is_of(&signer.sid, certificate) {
            leaf = Some(certificate.clone());
        } else {
            others.push(der_of(certificate)?);
        }
    }
    let leaf =
        leaf.ok_or_else(|| TokenError::Signature("the certificate of who signed is not in the answer".to_owned()));
    Ok((leaf?, others))
}

/// Whether a certificate is the one that a signature names.
fn is_of(signer: &SignerIdentifier, certificate: &Certificate) -> bool {
    let body = &certificate.tbs_certificate;
    match signer {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == body.issuer && named.serial_number == body.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            let found = body.get::<SubjectKeyIdentifier>();
            found.is_ok_and(|found| found.is_some_and(|(_, found)| found == *named))
        }
    }
}

/// Verifies the signature: what is signed are the attributes, which hold the digest of the content.
fn verify(signer: &SignerInfo, content: &[u8], leaf: &Certificate) -> Result<(), TokenError> {
    let wrong = |why: &str| TokenError::Signature(why.to_owned());
    let attributes = signer.signed_attrs.as_ref().ok_or_else(|| wrong("it has no signed attributes"))?;
    let attribute = |oid: ObjectIdentifier| {
        let mut values = attributes.iter().filter(|attribute| attribute.oid == oid);
        let values = values.next().filter(|_| values.next().is_none())?.values.as_slice();
        if let [value] = values { Some(value) } else { None }
    };
    let kind = attribute(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if kind != Some(TST_INFO) {
        return Err(wrong("it is not of a timestamp"));
    }
    let digest = digest(signer.digest_alg.oid, content)
        .ok_or_else(|| TokenError::Signature(format!("the digest {} is not supported", signer.digest_alg.oid)))?;
    let expected = attribute(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetStringRef<'_>>().ok());
    if expected.map(|expected| expected.as_bytes().to_vec()) != Some(digest) {
        return Err(wrong("the content is not what was signed"));
    }
    let certificate = der_of(leaf)?;
    if let Some(value) = attribute(SIGNING_CERTIFICATE) {
        let named: SigningCertificateV2 = value.decode_as().map_err(malformed)?;
        let is_named = named.certs.first().is_some_and(|named| {
            let algorithm = named.hash_algorithm.as_ref().map_or(SHA256, |algorithm| algorithm.oid);
            self::digest(algorithm, &certificate).as_deref() == Some(named.cert_hash.as_bytes())
        });
        if !is_named {
            return Err(wrong("it names another certificate"));
        }
    }
    let end = EndEntityCert::try_from(&certificate).map_err(|error| TokenError::Signature(error.to_string()))?;
    let message = attributes.to_der().map_err(malformed)?;
    let algorithms = algorithms(signer.signature_algorithm.oid, signer.digest_alg.oid);
    if algorithms.is_empty() {
        let oid = signer.signature_algorithm.oid;
        return Err(TokenError::Signature(format!("the algorithm {oid} is not supported")));
    }
    let is_valid = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        end.verify_signature(*algorithm, &message, signer.signature.as_bytes()).is_ok()
    };
    if algorithms.iter().any(is_valid) { Ok(()) } else { Err(wrong("it was changed, or another key made it")) }
}

fn digest(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        SHA256 => Sha256::digest(bytes).to_vec(),
        SHA384 => Sha384::digest(bytes).to_vec(),
        SHA512 => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

/// How a signature of an algorithm is verified; several if the key decides.
fn algorithms(
    signature: ObjectIdentifier,
    digest: ObjectIdentifier,
) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    let rsa = |digest| match digest {
        SHA256 => vec![ring::RSA_PKCS1_2048_8192_SHA256],
        SHA384 => vec![ring::RSA_PKCS1_2048_8192_SHA384],
        SHA512 => vec![ring::RSA_PKCS1_2048_8192_SHA512],
        _ => Vec::new(),
    };
    match signature.to_string().as_str() {
        "1.2.840.113549.1.1.1" => rsa(digest),
        "1.2.840.113549.1.1.11" => rsa(SHA256),
        "1.2.840.113549.1.1.12" => rsa(SHA384),
        "1.2.840.113549.1.1.13" => rsa(SHA512),
        "1.2.840.10045.4.3.2" => vec![ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256],
        "1.2.840.10045.4.3.3" => vec![ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA384],
        "1.3.101.112" => vec![ring::ED25519],
        _ => Vec::new(),
    }
}

/// Whether a certificate is for timestamps and nothing else (RFC 3161, 2.3).
fn usage(leaf: &Certificate) -> Result<(), TokenError> {
    let wrong = |why: &str| Err(TokenError::Usage(why.to_owned()));
    let Ok(found) = leaf.tbs_certificate.get::<ExtendedKeyUsage>() else {
        return wrong("what it says about its use cannot be read");
    };
    let Some((is_critical, purposes)) = found else { return wrong("it does not say what it is for") };
    match (purposes.0.as_slice(), is_critical) {
        ([TIME_STAMPING], true) => Ok(()),
        ([TIME_STAMPING], false) => wrong("its purpose is not marked as critical"),
        _ => wrong("it is for something else"),
    }
}
