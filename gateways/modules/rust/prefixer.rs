//! `wasm:` and whatever is read.

use std::io::{stdin, stdout, Read, Write};

fn main() -> std::io::Result<()> {
    let mut body = b"wasm:".to_vec();
    stdin().read_to_end(&mut body)?;
    stdout().write_all(&body)
}
