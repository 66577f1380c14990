//! What an authority is asked: to sign a digest together with its time.

use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use der::{
    Any, Encode as _,
    asn1::{Null, ObjectIdentifier, OctetString, Uint},
};
use sha2::{Digest as _, Sha256};

use super::{
    TokenError,
    asn1::{MessageImprint, SHA256, TimeStampReq},
};

/// A question to an authority. It holds a digest and nothing else of what is stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The SHA-256 of what is stamped.
    pub(super) imprint: [u8; 32],
    /// A number that the answer must repeat.
    pub(super) nonce: [u8; 16],
    /// The policy under which the timestamp is to be given; `None` if the authority chooses.
    pub(super) policy: Option<ObjectIdentifier>,
}

impl Request {
    /// Asks for a timestamp of some bytes. `nonce` must be random.
    pub fn new(data: &[u8], nonce: [u8; 16], policy: Option<ObjectIdentifier>) -> Self {
        let mut nonce = nonce;
        // A number that is positive and has no leading zeros, so that there is one way to write it.
        nonce[0] = nonce[0] & 0x7f | 1;
        Self { imprint: Sha256::digest(data).into(), nonce, policy }
    }

    /// The request as it is sent.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] if it cannot be encoded, which is a defect of rolecall.
    pub fn to_der(&self) -> Result<Vec<u8>, TokenError> {
        let request = || {
            TimeStampReq {
                version: 1,
                message_imprint: MessageImprint {
                    hash_algorithm: AlgorithmIdentifierOwned { oid: SHA256, parameters: Some(Any::from(Null)) },
                    hashed_message: OctetString::new(self.imprint)?,
                },
                req_policy: self.policy,
                nonce: Some(Uint::new(&self.nonce)?),
                cert_req: true,
            }
            .to_der()
        };
        request().map_err(|error| TokenError::Malformed(error.to_string()))
    }
}
