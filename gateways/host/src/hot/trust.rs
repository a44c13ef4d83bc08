//! Whether a module may be loaded at all, decided by its bytes before anything is made of them.

use std::path::{Path, PathBuf};

use ed25519_compact::{PublicKey, Signature};

/// What is added to a module's name for that of its signature.
pub const SIGNATURE: &str = ".sig";

const DIGEST_DIGITS: usize = 64;

/// Who is trusted; of both that are given, both must agree.
#[derive(Default)]
pub struct Trust {
    /// a file with a SHA-256 at the start of each line, as `sha256sum` writes it; read anew for each module
    pub digests: Option<PathBuf>,
    /// who signs: 64 bytes of ed25519 over the module, in a file beside it
    pub key: Option<PublicKey>,
}

/// A public key of ed25519, from 64 hexadecimal digits.
pub fn key(text: &str) -> Option<PublicKey> {
    if text.len() != 2 * PublicKey::BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        (0..PublicKey::BYTES).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect();
    PublicKey::from_slice(&bytes?).ok()
}

impl Trust {
    pub fn any(&self) -> bool {
        self.digests.is_some() || self.key.is_some()
    }

    /// Why the module must not be loaded, in one sentence.
    pub fn check(&self, file: &Path, wasm: &[u8], digest: &str) -> Result<(), String> {
        if let Some(list) = &self.digests {
            let text = std::fs::read_to_string(list)
                .map_err(|error| format!("the list of digests {} cannot be read: {error}", list.display()))?;
            let listed = |line: &str| line.get(..DIGEST_DIGITS).is_some_and(|one| one.eq_ignore_ascii_case(digest));
            if !text.lines().any(listed) {
                return Err(format!("its digest {digest} is not in {}", list.display()));
            }
        }
        if let Some(key) = &self.key {
            let path = beside(file);
            let bytes = std::fs::read(&path)
                .map_err(|error| format!("its signature {} cannot be read: {error}", path.display()))?;
            Signature::from_slice(&bytes)
                .and_then(|signature| key.verify(wasm, &signature))
                .map_err(|_| format!("{} is no signature of it by the key that is trusted", path.display()))?;
        }
        Ok(())
    }
}

/// Where the signature of `file` lies.
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SIGNATURE);
    name.into()
}
