//! Workloads that a gateway answers in its own code.

use sha2::{Digest, Sha256};

use crate::reply::{Refusal, Reply};
use crate::request::{Request, decimal};

const DEFAULT_ITERATIONS: u64 = 20_000;

/// `/compute?iters=N`: N chained SHA-256 from 32 zero bytes, the last digest in lower-case hex.
pub fn compute(request: &Request, most: u64) -> Result<Reply, Refusal> {
    let iterations = match request.parameter("iters") {
        None => DEFAULT_ITERATIONS,
        Some(text) => decimal(text.as_bytes()).ok_or_else(|| Refusal::new(400, "iters is no whole number"))?,
    };
    if iterations > most {
        return Err(Refusal::new(400, format!("iters is at most {most}")));
    }
    Ok(Reply::text(hex(&chain(iterations)).into_bytes()))
}

fn chain(iterations: u64) -> [u8; 32] {
    let mut digest = [0; 32];
    for _ in 0..iterations {
        digest = Sha256::digest(digest).into();
    }
    digest
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
