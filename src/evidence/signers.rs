//! The trusted keys: an `allowed_signers` file, with the semantics of `ssh-keygen -Y verify`.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig, authorized_keys::ConfigOpts};

use super::{NAMESPACE, PRINCIPAL};

/// Who signs, and what for: the principal and the namespace of `ssh-keygen`.
#[derive(Debug, Clone)]
struct Purpose {
    principal: String,
    namespace: &'static str,
}

impl Default for Purpose {
    /// rolecall signs evidence.
    fn default() -> Self {
        Self { principal: PRINCIPAL.to_owned(), namespace: NAMESPACE }
    }
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The fingerprint of the key.
    pub fingerprint: String,
    /// The principal and the key, as a line of an `allowed_signers` file.
    pub line: String,
}

/// The keys that may sign evidence, or something else, at a time.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    keys: Vec<PublicKey>,
    at: DateTime<Utc>,
    purpose: Purpose,
}

impl Allowed {
    /// Reads the lines of an `allowed_signers` file: principals, optional options, key. As with `ssh-keygen`, a line is
    /// ignored if its principals or namespaces do not include evidence, if it is not valid now, if it is about
    /// certificates, or if it is malformed.
    pub fn parse(text: &str, now: DateTime<Utc>) -> Self {
        Self::of(Purpose::default(), text, now)
    }

    /// Reads the same for what a person signs in another namespace.
    pub fn parse_for(person: &str, namespace: &'static str, text: &str, now: DateTime<Utc>) -> Self {
        Self::of(Purpose { principal: person.to_owned(), namespace }, text, now)
    }

    fn of(purpose: Purpose, text: &str, now: DateTime<Utc>) -> Self {
        let keys = text.lines().filter_map(|line| key(line, &purpose, now)).collect();
        Self { keys, at: now, purpose }
    }

    /// Adds the key of another line.
    pub fn also(&mut self, line: &str) {
        self.keys.extend(key(line, &self.purpose, self.at));
    }

    /// Whether no key is trusted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The fingerprint of the trusted key that signed a message; an error says why there is none.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn verify(&self, message: &[u8], pem: &[u8]) -> Result<String, String> {
        self.signer(message, pem).map(|signer| signer.fingerprint)
    }

    /// The same, with the key.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn signer(&self, message: &[u8], pem: &[u8]) -> Result<Signer, String> {
        let signature = SshSig::from_pem(pem).map_err(|error| format!("it is not an OpenSSH signature: {error}"))?;
        // The same signature in other bytes was not written by the signer, and other tools may refuse it.
        if signature.to_pem(LineEnding::LF).ok().as_deref().map(str::as_bytes) != Some(pem) {
            return Err("it is not written as ssh-keygen writes signatures: it was changed".to_owned());
        }
        let namespace = self.purpose.namespace;
        if signature.namespace() != namespace {
            return Err(format!("its namespace is {:?}; expected {namespace:?}", signature.namespace()));
        }
        let signer = PublicKey::from(signature.public_key().clone());
        let fingerprint = signer.fingerprint(HashAlg::Sha256).to_string();
        let known = self.keys.iter().find(|known| known.key_data() == signature.public_key());
        let Some(known) = known else { return Err(format!("the key {fingerprint} is not among the allowed ones")) };
        strong(known, &signature)?;
        match known.verify(namespace, message, &signature) {
            Ok(()) => {
                let key = PublicKey::from(known.key_data().clone()).to_openssh().map_err(|error| error.to_string())?;
                let line = format!("{} namespaces=\"{namespace}\" {key}", self.purpose.principal);
                Ok(Signer { fingerprint, line })
            }
            Err(_) => Err(format!("the signature of {fingerprint} does not match: something was changed")),
        }
    }
}

/// The least bits of an RSA key, as NIST SP 800-57 has it.
const RSA_BITS: usize = 2048;
/// The bit of a security key's answer that says that somebody touched it.
const TOUCHED: u8 = 1;
/// What a security key appends to its signature: the flags, and a counter of four bytes.
const TRAILER: usize = 5;

/// Refuses what is too weak to prove who signed.
fn strong(key: &PublicKey, signature: &SshSig) -> Result<(), String> {
    let signed = signature.signature();
    if let Some(rsa) = key.key_data().rsa() {
        let bits = rsa
            .n
            .as_positive_bytes()
            .map_or(0, |bytes| bytes.len() * 8 - bytes.first().map_or(0, |first| first.leading_zeros() as usize));
        if bits < RSA_BITS {
            return Err(format!("its RSA key has {bits} bits; expected {RSA_BITS} or more"));
        }
        if !matches!(signed.algorithm(), Algorithm::Rsa { hash: Some(_) }) {
            return Err("its RSA signature uses SHA-1; sign with rsa-sha2-512 or rsa-sha2-256".to_owned());
        }
    }
    if matches!(signed.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        let bytes = signed.as_bytes();
        let flags = bytes.len().checked_sub(TRAILER).and_then(|place| bytes.get(place)).copied().unwrap_or(0);
        if flags & TOUCHED == 0 {
            return Err("the security key signed without being touched".to_owned());
        }
    }
    Ok(())
}

/// The key of a line, where it may sign for a purpose now.
fn key(line: &str, purpose: &Purpose, now: DateTime<Utc>) -> Option<PublicKey> {
    let line = line.trim_matches(BLANK);
    let (principals, rest) = if line.starts_with('#') { None } else { field(line) }?;
    if !matches(&purpose.principal, principals.trim_matches('"')) {
        return None;
    }
    // A key begins with its algorithm, and no option has such a name.
    if let Some(key) = public(rest) {
        return Some(key);
    }
    let (options, rest) = field(rest)?;
    public(rest).filter(|_| Options::parse(options).is_some_and(|options| options.allow(purpose, now)))
}

/// What separates the parts of a line.
const BLANK: [char; 2] = [' ', '\t'];

/// The first part of a line, up to a blank outside quotes, and what follows.
fn field(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = line.find(|c: char| {
        quoted ^= c == '"';
        !quoted && BLANK.contains(&c)
    })?;
    Some((&line[..end], line[end..].trim_start_matches(BLANK)))
}

fn public(text: &str) -> Option<PublicKey> {
    let mut parts = text.split(BLANK).filter(|part| !part.is_empty());
    PublicKey::from_openssh(&format!("{} {}", parts.next()?, parts.next()?)).ok()
}

/// What a line says about its key.
#[derive(Debug, Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<DateTime<Utc>>,
    valid_before: Option<DateTime<Utc>>,
}

impl Options {
    /// `None` if an option is about certificates, is unknown, is repeated, or is malformed.
    fn parse(text: &str) -> Option<Self> {
        let mut options = Self::default();
        for option in ConfigOpts::new(text).ok()?.iter() {
            let (name, value) = option.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"').filter(|value| !value.contains('"'))?;
            let was_there = match name.to_ascii_lowercase().as_str() {
                "namespaces" => options.namespaces.replace(value.to_owned()).is_some(),
                "valid-after" => options.valid_after.replace(moment(value)?).is_some(),
                "valid-before" => options.valid_before.replace(moment(value)?).is_some(),
                _ => return None,
            };
            if was_there {
                return None;
            }
        }
        Some(options)
    }

    fn allow(&self, purpose: &Purpose, now: DateTime<Utc>) -> bool {
        self.namespaces.as_deref().is_none_or(|namespaces| matches(purpose.namespace, namespaces))
            && self.valid_after.is_none_or(|after| now >= after)
            && self.valid_before.is_none_or(|before| now <= before)
    }
}

/// A time as ssh-keygen(1) has it: `YYYYMMDD[HHMM[SS]]`, in this machine's zone unless it ends with `Z`.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = match digits.len() {
        8 => NaiveDate::parse_from_str(digits, "%Y%m%d").ok()?.and_time(NaiveTime::MIN),
        12 => NaiveDateTime::parse_from_str(&format!("{digits}00"), "%Y%m%d%H%M%S").ok()?,
        14 => NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()?,
        _ => return None,
    };
    if digits.len() < text.len() {
        Some(time.and_utc())
    } else {
        Local.from_local_datetime(&time).earliest().map(|time| time.to_utc())
    }
}

/// Whether a list of patterns holds a name ("PATTERNS" in `ssh_config(5)`): one of them fits, and none that begins with `!`.
fn matches(name: &str, patterns: &str) -> bool {
    let mut held = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if fits(name.as_bytes(), pattern.as_bytes()) => return false,
            Some(_) => {}
            None => held |= fits(name.as_bytes(), pattern.as_bytes()),
        }
    }
    held
}

/// Whether a pattern fits a name: `*` stands for any characters or none, `?` for one.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    // Where the last `*` stands, and what of the name it has taken so far.
    let mut star = None;
    let (mut at, mut next) = (0, 0);
    while at < name.len() {
        match pattern.get(next) {
            Some(b'*') => {
                star = Some((next, at));
                next += 1;
            }
            Some(one) if *one == b'?' || *one == name[at] => (at, next) = (at + 1, next + 1),
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, next) = (taken + 1, place + 1);
            }
        }
    }
    pattern[next..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::evidence::key::SigningKey;

    /// Whether `ssh-keygen` trusts a signature by such a file.
    fn keygen(folder: &std::path::Path, signers: &str, signature: &str) -> bool {
        std::fs::write(folder.join("signers"), signers).unwrap();
        std::fs::write(folder.join("signature"), signature).unwrap();
        std::fs::write(folder.join("message"), "message").unwrap();
        Command::new("ssh-keygen")
            .args(["-Y", "verify", "-f", "signers", "-I", PRINCIPAL, "-n", NAMESPACE, "-s", "signature"])
            .current_dir(folder)
            .stdin(std::fs::File::open(folder.join("message")).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    #[test]
    fn a_line_means_what_it_means_to_ssh_keygen() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate("a key").unwrap();
        let (public, signature) = (key.public().unwrap(), key.sign(b"message").unwrap());
        let cases = [
            ("rolecall", true),
            ("rolecall,alice", true),
            ("alice,role*", true),
            ("\"rolecall\"", true),
            ("*", true),
            ("role?all", true),
            ("alice", false),
            ("rolecal", false),
            ("!rolecall,*", false),
            ("*,!rolecall", false),
            ("!alice,*", true),
            ("rolecall namespaces=\"rolecall-evidence\"", true),
            ("rolecall Namespaces=\"rolecall-evidence\"", true),
            ("rolecall namespaces=\"git,rolecall-*\"", true),
            ("rolecall namespaces=\"rolecall-*,!*-evidence\"", false),
            ("rolecall namespaces=\"git\"", false),
            ("rolecall Namespaces=\"git\"", false),
            ("rolecall namespaces=rolecall-evidence", false),
            ("rolecall namespaces=\"git\",namespaces=\"rolecall-evidence\"", false),
            ("rolecall valid-before=\"20200101\"", false),
            ("rolecall valid-before=\"20990101\"", true),
            ("rolecall valid-after=\"20200101\",valid-before=\"209901011200\"", true),
            ("rolecall VALID-AFTER=\"20990101\"", false),
            ("rolecall valid-after=\"20200101120000\"", true),
            ("rolecall valid-after=\"yesterday\"", false),
            ("rolecall valid-after=\"20201301\"", false),
            ("rolecall cert-authority", false),
            ("rolecall cert-authority,namespaces=\"rolecall-evidence\"", false),
            ("rolecall no-such-option", false),
            ("rolecall\t", true),
            ("  rolecall  ", true),
            ("# rolecall", false),
        ];
        for (before, expected) in cases {
            let signers = format!("{before} {public}\n");
            let ours = Allowed::parse(&signers, Utc::now()).verify(b"message", signature.as_bytes()).is_ok();
            assert_eq!(ours, expected, "{before}");
            assert_eq!(keygen(folder.path(), &signers, &signature), expected, "ssh-keygen: {before}");
        }
    }

    #[test]
    fn a_signature_in_other_bytes_is_none() {
        let key = SigningKey::generate("a key").unwrap();
        let allowed = Allowed::parse(&key.signer().unwrap(), Utc::now());
        let signature = key.sign(b"message").unwrap();
        assert!(allowed.verify(b"message", signature.as_bytes()).is_ok());
        let dashes = signature.find("-----END").unwrap();
        for other in [
            signature.replace('\n', "\r\n"),
            format!("junk\n{signature}"),
            format!("{signature}\n"),
            format!("{signature}junk"),
            signature.trim_end().to_owned(),
            format!("{}\n{}", &signature[..dashes], &signature[dashes..]),
        ] {
            assert!(allowed.verify(b"message", other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_time_is_of_this_machine_or_of_utc() {
        assert_eq!(moment("20260102Z").unwrap().to_rfc3339(), "2026-01-02T00:00:00+00:00");
        assert_eq!(moment("202601020304Z").unwrap().to_rfc3339(), "2026-01-02T03:04:00+00:00");
        let local = Local.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
        assert_eq!(moment("20260102030405").unwrap(), local);
        for wrong in ["", "Z", "2026", "2026010", "+2026010", "20260102T03", "20260230"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    fn run(folder: &std::path::Path, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        output.stdout
    }

    #[test]
    fn keys_of_every_kind_sign_and_weak_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        std::fs::write(place.join("message"), "message").unwrap();
        let verified = |kind: &str, bits: &str| {
            let name = format!("{kind}-{bits}");
            run(place, "ssh-keygen", &["-q", "-t", kind, "-b", bits, "-N", "", "-f", &name]);
            let _ = std::fs::remove_file(place.join("message.sig"));
            run(place, "ssh-keygen", &["-q", "-Y", "sign", "-n", NAMESPACE, "-f", &name, "message"]);
            let signature = std::fs::read_to_string(place.join("message.sig")).unwrap();
            let public = std::fs::read_to_string(place.join(format!("{name}.pub"))).unwrap();
            let signers = format!("{PRINCIPAL} {public}");
            let allowed = Allowed::parse(&signers, Utc::now());
            let signer = allowed.signer(b"message", signature.as_bytes());
            if let Ok(signer) = &signer {
                assert!(keygen(place, &signers, &signature), "{name}");
                assert!(keygen(place, &signer.line, &signature), "{name}: {}", signer.line);
                let why = allowed.signer(b"massage", signature.as_bytes()).unwrap_err();
                assert!(why.ends_with("does not match: something was changed"), "{name}: {why}");
            }
            signer.map(|_| ())
        };
        for (kind, bits) in [("ed25519", "256"), ("rsa", "2048"), ("rsa", "3072"), ("ecdsa", "256"), ("ecdsa", "384")] {
            assert_eq!(verified(kind, bits), Ok(()), "{kind} {bits}");
        }
        assert_eq!(verified("rsa", "1024").unwrap_err(), "its RSA key has 1024 bits; expected 2048 or more");
        assert_eq!(verified("rsa", "2047").unwrap_err(), "its RSA key has 2047 bits; expected 2048 or more");
    }

    /// What a security key signs, with the flags of its answer.
    fn of_security_key(place: &std::path::Path, flags: u8) -> (PublicKey, String) {
        use sha2::{Digest as _, Sha256};
        use ssh_key::{Signature, public};
        const APPLICATION: &str = "ssh:";
        run(place, "openssl", &["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
        let point = run(place, "openssl", &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]);
        let point: [u8; 32] = point[point.len() - 32..].try_into().unwrap();
        let key = public::SkEd25519::new(public::Ed25519PublicKey(point), APPLICATION);
        let trailer = [flags, 0, 0, 0, 7];
        let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, b"message").unwrap();
        let signed = [&Sha256::digest(APPLICATION)[..], &trailer, &Sha256::digest(message)].concat();
        std::fs::write(place.join("signed"), signed).unwrap();
        let signature = run(place, "openssl", &["pkeyutl", "-sign", "-inkey", "key.pem", "-rawin", "-in", "signed"]);
        let signature = Signature::new(Algorithm::SkEd25519, [signature, trailer.to_vec()].concat()).unwrap();
        let key = public::KeyData::SkEd25519(key);
        let pem =
            SshSig::new(key.clone(), NAMESPACE, HashAlg::Sha512, signature).unwrap().to_pem(LineEnding::LF).unwrap();
        (PublicKey::from(key), pem)
    }

    #[test]
    fn a_security_key_signs_if_it_was_touched() {
        let folder = tempfile::tempdir().unwrap();
        for (flags, expected) in [(1, true), (5, true), (0, false)] {
            let (key, pem) = of_security_key(folder.path(), flags);
            let signers = format!("{PRINCIPAL} {}", key.to_openssh().unwrap());
            let verified = Allowed::parse(&signers, Utc::now()).verify(b"message", pem.as_bytes());
            assert!(keygen(folder.path(), &signers, &pem), "it is a signature");
            assert_eq!(verified.is_ok(), expected, "{verified:?}");
            assert!(expected || verified == Err("the security key signed without being touched".to_owned()));
        }
    }
}
